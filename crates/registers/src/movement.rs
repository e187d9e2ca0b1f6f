//! The border crossings of the year before the reference date: all modelled, with a heavy tail of travellers.

use crate::person::{REFERENCE_YEAR, Resident};
use crate::sampler::Sampler;
use crate::target::Draw;

/// The most crossings of one person.
const MOVEMENTS_MAX: u32 = 400;
const POSTS: u32 = 9;
const PURPOSES: [&str; 6] = ["work", "trade", "family", "study", "health", "transit"];
const PURPOSE_WEIGHTS: [u64; 6] = [280, 260, 250, 90, 50, 70];
const PURPOSE_WEIGHTS_CHILD: [u64; 6] = [0, 0, 650, 250, 50, 50];
/// Days in the months from July 2023 to June 2024.
const MONTHS: [u32; 12] = [31, 31, 30, 31, 30, 31, 31, 29, 31, 30, 31, 30];
const DAYS: u32 = 366;
/// Days before 1 January 2024.
const DAYS_BEFORE_REFERENCE_YEAR: u32 = 184;

/// A row of the table `border_movements`, less its identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Movement<'a> {
    /// ISO 8601.
    pub date: &'a str,
    pub direction: &'static str,
    pub post: &'a str,
    pub purpose: &'static str,
}

/// Draws the movements of one resident after another.
pub(crate) struct Movements {
    sampler: Sampler,
    dates: Vec<String>,
    posts: Vec<String>,
}

impl Movements {
    pub(crate) fn new(office: &str, draw: &Draw) -> Self {
        Self {
            sampler: Sampler::new("border movements", office, draw),
            dates: dates(),
            posts: (1..=POSTS).map(|number| format!("{office}-B{number}")).collect(),
        }
    }

    /// One movement or more, in the order of time, none before the year of arrival; the last one is an entry, since a
    /// resident has come in.
    pub(crate) fn of(&mut self, resident: &Resident) -> impl Iterator<Item = Movement<'_>> {
        let (sampler, dates, posts) = (&mut self.sampler, &self.dates, &self.posts);
        let weights = if resident.age < 15 { PURPOSE_WEIGHTS_CHILD } else { PURPOSE_WEIGHTS };
        let first_day = if resident.arrival_year == REFERENCE_YEAR { DAYS_BEFORE_REFERENCE_YEAR } else { 0 };
        let days = f64::from(DAYS - first_day);
        let count = sampler.pareto(MOVEMENTS_MAX);
        // The lower of two draws: some posts are busier.
        let home = sampler.below(POSTS.into()).min(sampler.below(POSTS.into()));
        let habit = sampler.weighted(&weights);
        (0..count).map(move |index| {
            let day = first_day + ((f64::from(index) + sampler.uniform()) * days / f64::from(count)) as u32;
            let post = if sampler.chance(850) { home } else { sampler.below(POSTS.into()) };
            let purpose = if sampler.chance(800) { habit } else { sampler.weighted(&weights) };
            Movement {
                date: text(dates, u64::from(day)),
                direction: if (count - index) % 2 == 1 { "entry" } else { "exit" },
                post: text(posts, post),
                purpose: PURPOSES.get(purpose).copied().unwrap_or("transit"),
            }
        })
    }
}

fn text(texts: &[String], index: u64) -> &str {
    usize::try_from(index).ok().and_then(|index| texts.get(index)).map_or("", String::as_str)
}

fn dates() -> Vec<String> {
    let months = (7..=12).map(|month| (2023, month)).chain((1..=6).map(|month| (2024, month)));
    let days = months.zip(MONTHS).flat_map(|((year, month), days)| (1..=days).map(move |d| (year, month, d)));
    days.map(|(year, month, day)| format!("{year}-{month:02}-{day:02}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::Residents;

    const DRAW: Draw = Draw { scale: 100, seed: 3 };

    fn histories(office: &str) -> Vec<(Resident, Vec<(String, &'static str)>)> {
        let mut movements = Movements::new(office, &DRAW);
        Residents::new(office, &DRAW)
            .unwrap()
            .map(|resident| {
                let history = movements.of(&resident).map(|m| (m.date.to_owned(), m.direction)).collect();
                (resident, history)
            })
            .collect()
    }

    #[test]
    fn the_year_has_366_days() {
        let dates = dates();
        assert_eq!(dates.len(), 366);
        assert!(dates.is_sorted());
        assert_eq!(dates[DAYS_BEFORE_REFERENCE_YEAR as usize], "2024-01-01");
        assert_eq!(dates.last().unwrap(), "2024-06-30");
    }

    #[test]
    fn a_history_runs_forward_alternates_and_ends_with_an_entry() {
        for (resident, history) in histories("SEN") {
            assert!(history.is_sorted_by_key(|(date, _)| date.clone()));
            assert!(history.windows(2).all(|pair| pair[0].1 != pair[1].1));
            assert_eq!(history.last().unwrap().1, "entry");
            assert!(history[0].0 >= format!("{}-01-01", resident.arrival_year) && history[0].0.len() == 10);
        }
    }

    #[test]
    fn a_few_travellers_cross_far_more_often_than_the_mean() {
        let counts: Vec<usize> = histories("CIV").into_iter().map(|(_, history)| history.len()).collect();
        let mean = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
        assert!((2.0..3.0).contains(&mean), "{mean}");
        assert!(*counts.iter().max().unwrap() > 100);
    }
}
