//! One invented resident after another. Origin and sex follow the targets exactly, ages the published shares of 2019;
//! all else is a model, chosen to be plausible and founded on no data.

use crate::error::DrawError;
use crate::permutation::Permutation;
use crate::sampler::{Sampler, exp};
use crate::tables::{MigrantDefinition, OFFICES, Sex, age_bands, migrant_definition};
use crate::target::{Draw, targets};

/// The middle of this year is the reference date of the stock.
pub(crate) const REFERENCE_YEAR: u64 = 2024;

/// The highest age drawn; the published band of 75 and above is spread up to it.
const AGE_MAX: u64 = 99;

/// ISCED 2011 levels, as in the SDMX code list.
const LEVELS: [&str; 9] = ["ED0", "ED1", "ED2", "ED3", "ED4", "ED5", "ED6", "ED7", "ED8"];
const LEVEL_WEIGHTS_F: [u64; 9] = [470, 190, 130, 120, 25, 20, 33, 11, 1];
const LEVEL_WEIGHTS_M: [u64; 9] = [380, 200, 150, 150, 30, 30, 42, 16, 2];
/// The age from which a level can have been reached.
const LEVEL_AGES: [u64; 9] = [0, 9, 13, 17, 19, 20, 22, 24, 28];
const LEVEL_UNKNOWN_PER_MILLE: u64 = 40;
/// Median incomes of earners, men; XOF a year.
const LEVEL_INCOMES: [f64; 9] = [600e3, 690e3, 810e3, 1_080e3, 1_200e3, 1_440e3, 1_920e3, 2_700e3, 3_600e3];
/// The standard deviation of the logarithm of income.
const INCOME_SPREAD: f64 = 0.9;

/// A row of the table `residents`, less its identifier.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resident {
    pub country_of_birth: &'static str,
    pub citizenship: &'static str,
    pub sex: Sex,
    pub age: u64,
    pub education: Option<&'static str>,
    pub arrival_year: u64,
    pub income: u64,
}

/// All residents of an office, in an order that does not depend on their origin.
pub(crate) struct Residents {
    office: &'static str,
    definition: Option<MigrantDefinition>,
    strata: Vec<Stratum>,
    females: Ages,
    males: Ages,
    permutation: Permutation,
    sampler: Sampler,
    next: u64,
    persons: u64,
}

/// The persons of one target are numbered up to `end`, from the end of the stratum before.
struct Stratum {
    end: u64,
    origin: &'static str,
    sex: Sex,
}

impl Residents {
    pub(crate) fn new(office: &str, draw: &Draw) -> Result<Self, DrawError> {
        let mut persons = 0;
        let strata = targets(office, draw.scale)?
            .into_iter()
            .map(|(origin, sex, count)| {
                persons += count;
                Stratum { end: persons, origin, sex }
            })
            .collect();
        let unknown = || DrawError::UnknownOffice { office: office.to_owned() };
        let office = OFFICES.into_iter().find(|code| *code == office).ok_or_else(unknown)?;
        let mut sampler = Sampler::new("residents", office, draw);
        let keys = std::array::from_fn(|_| sampler.bits());
        Ok(Self {
            office,
            definition: migrant_definition(office),
            strata,
            females: Ages::new(office, Sex::F),
            males: Ages::new(office, Sex::M),
            permutation: Permutation::new(persons, keys),
            sampler,
            next: 0,
            persons,
        })
    }

    fn resident(&mut self, origin: &'static str, sex: Sex) -> Resident {
        let ages = if sex == Sex::F { &self.females } else { &self.males };
        let age = ages.draw(&mut self.sampler);
        let years = years_since_arrival(age, &mut self.sampler);
        let level = level(age, sex, &mut self.sampler);
        let known = !self.sampler.chance(LEVEL_UNKNOWN_PER_MILLE);
        Resident {
            country_of_birth: origin,
            citizenship: self.citizenship(origin, years),
            sex,
            age,
            education: LEVELS.get(level).copied().filter(|_| known),
            arrival_year: REFERENCE_YEAR - years,
            income: income(age, sex, level, &mut self.sampler),
        }
    }

    /// Where the published stock counts foreign citizens, nobody in it is naturalised.
    fn citizenship(&mut self, origin: &'static str, years: u64) -> &'static str {
        let naturalised = self.sampler.chance((8 * years).min(300));
        if naturalised && self.definition != Some(MigrantDefinition::Citizenship) {
            self.office
        } else {
            origin
        }
    }
}

impl Iterator for Residents {
    type Item = Resident;

    fn next(&mut self) -> Option<Resident> {
        if self.next == self.persons {
            return None;
        }
        let number = self.permutation.apply(self.next);
        self.next += 1;
        let index = self.strata.partition_point(|stratum| stratum.end <= number);
        let (origin, sex) = self.strata.get(index).map(|stratum| (stratum.origin, stratum.sex))?;
        Some(self.resident(origin, sex))
    }
}

/// The ages of one office and sex, as bands and their persons.
struct Ages {
    from: Vec<u64>,
    weights: Vec<u64>,
}

impl Ages {
    fn new(office: &str, sex: Sex) -> Self {
        let bands = || age_bands(office).iter().filter(|band| band.sex == sex);
        Self {
            from: bands().map(|band| band.from).collect(),
            weights: bands().map(|band| band.persons).collect(),
        }
    }

    /// The ages of a band are equally likely, except in the last, where higher ages are rarer.
    fn draw(&self, sampler: &mut Sampler) -> u64 {
        let band = sampler.weighted(&self.weights);
        let from = self.from.get(band).copied().unwrap_or(0);
        let width = self.from.get(band + 1).map_or(AGE_MAX + 1, |next| *next) - from;
        let year = sampler.below(width);
        from + if band + 1 == self.from.len() { year.min(sampler.below(width)) } else { year }
    }
}

/// From 0 to the age or 60; short stays are the more frequent.
fn years_since_arrival(age: u64, sampler: &mut Sampler) -> u64 {
    let part = sampler.below(1000);
    let share = part * (300 + 700 * part / 1000);
    (age.min(60) + 1) * share / 1_000_000
}

/// An index of [`LEVELS`] that the age allows.
fn level(age: u64, sex: Sex, sampler: &mut Sampler) -> usize {
    let weights = if sex == Sex::F { LEVEL_WEIGHTS_F } else { LEVEL_WEIGHTS_M };
    let reachable = LEVEL_AGES.iter().filter(|from| **from <= age).count();
    sampler.weighted(&weights).min(reachable.saturating_sub(1))
}

/// Zero for those who earn nothing, else log-normal, in whole thousands.
fn income(age: u64, sex: Sex, level: usize, sampler: &mut Sampler) -> u64 {
    let earners_per_mille = match (age, sex) {
        (0..15, _) => 0,
        (15..25, _) => 450,
        (25..65, Sex::F) => 600,
        (25..65, Sex::M) => 820,
        _ => 350,
    };
    if !sampler.chance(earners_per_mille) {
        return 0;
    }
    let median = LEVEL_INCOMES.get(level).copied().unwrap_or(0.0) * if sex == Sex::F { 0.8 } else { 1.0 };
    // A float that is cast to an integer is cut off, and is far from the integer's ends here.
    (median * exp(INCOME_SPREAD * sampler.normal()) / 1000.0) as u64 * 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn residents(office: &str, scale: u32) -> Vec<Resident> {
        Residents::new(office, &Draw { scale, seed: 1 }).unwrap().collect()
    }

    #[test]
    fn every_target_is_met_exactly() {
        for office in OFFICES {
            let mut counts = BTreeMap::new();
            for resident in residents(office, 97) {
                *counts.entry((resident.country_of_birth, resident.sex)).or_insert(0) += 1;
            }
            let targets = targets(office, 97).unwrap();
            let expected = targets.into_iter().filter(|t| t.2 > 0).map(|(origin, sex, n)| ((origin, sex), n));
            assert!(counts.into_iter().eq(expected), "{office}");
        }
    }

    #[test]
    fn values_are_possible() {
        for resident in residents("CIV", 100) {
            assert!(resident.age <= AGE_MAX);
            assert!((REFERENCE_YEAR - resident.age..=REFERENCE_YEAR).contains(&resident.arrival_year));
            assert!(resident.age >= 15 || resident.income == 0);
            assert!(resident.age >= 28 || resident.education != Some("ED8"));
        }
    }

    #[test]
    fn ages_follow_the_published_shares() {
        let drawn = residents("GHA", 10);
        let bands: Vec<_> = age_bands("GHA").iter().filter(|band| band.sex == Sex::F).collect();
        let published = bands.iter().map(|band| band.persons).sum::<u64>() as f64;
        let females: Vec<_> = drawn.iter().filter(|resident| resident.sex == Sex::F).collect();
        for (index, band) in bands.iter().enumerate() {
            let end = bands.get(index + 1).map_or(200, |next| next.from);
            let count = females.iter().filter(|f| (band.from..end).contains(&f.age)).count();
            let share = count as f64 / females.len() as f64;
            assert!((share - band.persons as f64 / published).abs() < 0.01, "{band:?} {share}");
        }
    }

    #[test]
    fn incomes_have_a_heavy_tail() {
        let incomes: Vec<u64> = residents("CIV", 100).iter().map(|r| r.income).filter(|i| *i > 0).collect();
        let mean = incomes.iter().sum::<u64>() / incomes.len() as u64;
        assert!((700_000..2_000_000).contains(&mean), "{mean}");
        assert!(*incomes.iter().max().unwrap() > 10 * mean);
    }

    #[test]
    fn education_is_unknown_for_a_few_per_cent() {
        let drawn = residents("NGA", 100);
        let unknown = drawn.iter().filter(|resident| resident.education.is_none()).count() as f64;
        assert!((0.03..0.05).contains(&(unknown / drawn.len() as f64)));
    }

    #[test]
    fn nobody_is_naturalised_where_citizens_are_counted() {
        let naturalised =
            |office: &'static str| residents(office, 100).iter().any(|r| r.citizenship == office);
        assert!(naturalised("CIV"));
        assert!(!naturalised("NGA"));
    }
}
