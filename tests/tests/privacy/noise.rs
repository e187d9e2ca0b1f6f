//! Is the noise what plans say it is? Draws of [`measure`] against the laws' formulas, value by value and pair by pair.
//!
//! [`measure`]: lango_privacy::measure

use std::{collections::BTreeMap, num::NonZero, thread};

use lango_privacy::{
    Accounting, Code, Column, Counted, Discovery, Domain, Grid, Measurement, Mechanism, Noise, Plan,
    Selection, SelectionLaw,
};

use crate::{
    ALPHA,
    audit::product,
    report::each,
    seeds::times,
    statistics::{Share, chi_square, chi_square_most},
    table::{self, plan},
};

const NOISES: &[Noise] = &[
    Noise { mechanism: Mechanism::DiscreteLaplace, scale: 0.4 },
    Noise { mechanism: Mechanism::DiscreteLaplace, scale: 2.0 },
    Noise { mechanism: Mechanism::DiscreteLaplace, scale: 37.5 },
    Noise { mechanism: Mechanism::DiscreteGaussian, scale: 0.4 },
    Noise { mechanism: Mechanism::DiscreteGaussian, scale: 2.0 },
    Noise { mechanism: Mechanism::DiscreteGaussian, scale: 37.5 },
];
const SELECTIONS: &[Selection] = &[
    Selection { law: SelectionLaw::PermuteAndFlip, scale: 2.5 },
    Selection { law: SelectionLaw::PermuteAndFlip, scale: 0.7 },
    Selection { law: SelectionLaw::Exponential, scale: 2.5 },
    Selection { law: SelectionLaw::Exponential, scale: 0.7 },
];
/// How many statements with a chance of failing are made here: two on each of three kinds of pairs, for two laws.
pub const STATEMENTS: usize = NOISES.len() + SELECTIONS.len() + 12;

/// A plan of as many cells as there are years, and what is counted there.
fn wide(measure: &str, years: usize, measurement: Measurement) -> Plan {
    let mut dataset = table::dataset(1, 1);
    let years = Column::from(Domain::integer(1, years as i64 - 2, 1).unwrap());
    dataset.columns.insert(table::name("year"), years);
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    let age = age.with_candidates(Grid::Listed([0, 2, 4, 6, 8].into())).unwrap();
    dataset.columns.insert(table::name("age"), age);
    let body = format!("measure {measure}\nby year\nprice epsilon 1");
    let mut plan = plan(&body, &dataset, &Accounting::Pure, &[]);
    plan.margins[0].text.measurement = measurement;
    plan
}

/// The cells of a release here: enough to be shared out among threads.
const CELLS: usize = 60_000;

/// Draws of a noise around 0, each in a cell of one release.
fn draws(noise: Noise) -> Vec<i64> {
    let plan = wide("persons", CELLS, Measurement::Noise(noise));
    product(&plan, vec![Counted::Cells(vec![0; CELLS])]).unwrap().integers
}

/// The probabilities of the values from `-reach` to `reach`; beyond lies less than 1e-17.
fn law(noise: Noise) -> (i64, Vec<f64>) {
    let reach = (40.0 * noise.scale).ceil() as i64 + 8;
    let weight = |k: i64| match noise.mechanism {
        Mechanism::DiscreteLaplace => (-(k.abs() as f64) / noise.scale).exp(),
        Mechanism::DiscreteGaussian => (-0.5 * (k as f64 / noise.scale).powi(2)).exp(),
    };
    let whole: f64 = (-reach..=reach).map(weight).sum();
    (reach, (-reach..=reach).map(|k| weight(k) / whole).collect())
}

/// How many draws have each value from `-reach` to `reach`.
fn counts(draws: &[i64], reach: i64) -> Vec<u64> {
    let mut counts = vec![0; 2 * reach as usize + 1];
    draws.iter().for_each(|draw| counts[usize::try_from(draw + reach).unwrap()] += 1);
    counts
}

fn check(what: &str, counts: &[u64], probabilities: &[f64]) {
    let (statistic, degrees) = chi_square(counts, probabilities);
    assert!(degrees > 0, "{what}: one class cannot be tested");
    let most = chi_square_most(degrees, ALPHA);
    assert!(statistic <= most, "{what}: chi-square {statistic:.1} of {degrees} degrees, {most:.1} at most");
}

#[test]
fn every_value_is_drawn_as_often_as_its_law_says() {
    each(NOISES, |noise| {
        let (reach, law) = law(*noise);
        let drawn: Vec<i64> = (0..times(1)).flat_map(|_| draws(*noise)).collect();
        check(&noise.to_string(), &counts(&drawn, reach), &law);
    });
}

#[test]
fn a_law_that_is_a_little_off_is_noticed() {
    for (drawn, claimed) in [(2.0, 2.2), (2.0, 1.8)] {
        for mechanism in [Mechanism::DiscreteLaplace, Mechanism::DiscreteGaussian] {
            let (reach, law) = law(Noise { mechanism, scale: claimed });
            let counts = counts(&draws(Noise { mechanism, scale: drawn }), reach);
            let (statistic, degrees) = chi_square(&counts, &law);
            assert!(statistic > chi_square_most(degrees, ALPHA), "{mechanism:?} {drawn} for {claimed}");
        }
    }
}

/// Whether as many of the pairs are equal, and as many both above 0, as of independent draws.
fn independent(pairs: &[(i64, i64)], law: &[f64]) -> bool {
    let above: f64 = law[law.len() / 2 + 1..].iter().sum();
    let equal: f64 = law.iter().map(|p| p * p).sum();
    let as_many = |probability: f64, is: fn(&(i64, i64)) -> bool| {
        let share = Share::new(pairs.iter().filter(|pair| is(pair)).count(), pairs.len());
        (share.least(ALPHA / 2.0)..=share.most(ALPHA / 2.0)).contains(&probability)
    };
    as_many(equal, |(a, b)| a == b) && as_many(above * above, |(a, b)| *a > 0 && *b > 0)
}

/// Draws that are so far apart, each in one pair.
fn apart(draws: &[i64], lag: usize) -> Vec<(i64, i64)> {
    let pairs = (0..draws.len().saturating_sub(lag)).filter(|at| (at / lag).is_multiple_of(2));
    pairs.map(|at| (draws[at], draws[at + lag])).collect()
}

#[test]
fn noise_is_independent_from_cell_to_cell_from_thread_to_thread_and_from_release_to_release() {
    for mechanism in [Mechanism::DiscreteLaplace, Mechanism::DiscreteGaussian] {
        let noise = Noise { mechanism, scale: 2.0 };
        let (_, law) = law(noise);
        let (one, other) = (draws(noise), draws(noise));
        // Each thread draws a run of neighbouring cells, of 4,096 or more.
        let run = one.len().div_ceil(thread::available_parallelism().map_or(1, NonZero::get)).max(4_096);
        let releases: Vec<_> = one.iter().copied().zip(other).collect();
        for (what, pairs) in
            [("cells", apart(&one, 1)), ("threads", apart(&one, run)), ("releases", releases)]
        {
            // One core draws all in one run, which has no other beside it.
            assert!(pairs.is_empty() || independent(&pairs, &law), "{mechanism:?}: {what} share noise");
        }
        let repeated: Vec<i64> = one.iter().cycle().take(2 * one.len()).copied().collect();
        assert!(!independent(&apart(&repeated, one.len()), &law), "a stream that repeats is noticed");
    }
}

/// The chance of each score to be chosen.
///
/// Permute and flip: McKenna and Sheldon, arXiv 2010.12603, proposition 5: with `w = exp((score - best) / scale)`, the sum over
/// all sets S of the others of `(-1)^|S| / (|S| + 1)` times the product of their w, times the own w.
fn chances(selection: Selection, scores: &[i64]) -> Vec<f64> {
    let best = scores.iter().copied().max().unwrap();
    let weights: Vec<f64> =
        scores.iter().map(|score| ((score - best) as f64 / selection.scale).exp()).collect();
    let own = |at: usize| match selection.law {
        SelectionLaw::Exponential => weights[at] / weights.iter().sum::<f64>(),
        SelectionLaw::PermuteAndFlip => {
            let sets = (0..1u32 << scores.len()).filter(|set| set >> at & 1 == 0);
            let term = |set: u32| {
                let members = (0..scores.len()).filter(|other| set >> other & 1 == 1);
                let product: f64 = members.map(|other| -weights[other]).product();
                product / f64::from(set.count_ones() + 1)
            };
            weights[at] * sets.map(term).sum::<f64>()
        }
    };
    (0..scores.len()).map(own).collect()
}

#[test]
fn candidates_are_chosen_as_often_as_their_law_says() {
    each(SELECTIONS, |selection| {
        let groups = CELLS / 3;
        let plan = wide("quantile(age,0.5)", groups, Measurement::Selection(*selection));
        // Below 0, at 0, between 0 and 2, at 2, and so on to above 8: of 12 rows, 1, 3, 6, 7 and 10 are below a candidate.
        let ranks = [1, 0, 2, 0, 3, 1, 0, 0, 3, 0, 2];
        let release = |_| product(&plan, vec![Counted::Cells(ranks.repeat(groups))]).unwrap().integers;
        let mut counts = BTreeMap::from([0, 2, 4, 6, 8].map(|candidate| (candidate, 0)));
        (0..times(1)).flat_map(release).for_each(|candidate| *counts.get_mut(&candidate).unwrap() += 1);
        // The median asks for 6 of 12: -(12 - 2 x 1), -(12 - 2 x 3), 0, -(2 x 7 - 12), -(2 x 10 - 12).
        let law = chances(*selection, &[-10, -6, 0, -2, -8]);
        assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        check(&selection.to_string(), &counts.into_values().collect::<Vec<u64>>(), &law);
    });
}

#[test]
fn a_value_of_one_unit_is_released_with_probability_delta_at_most_and_not_much_less() {
    for (values, epsilon) in [(1, "0.1"), (1, "1"), (4, "1"), (1, "20")] {
        let account = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };
        let plan = plan(
            &format!("measure keys(village)\nby\nprice epsilon {epsilon}"),
            &table::dataset(values, values),
            &account,
            &[],
        );
        let Measurement::Discovery(Discovery { noise, threshold }) = plan.margins[0].text.measurement else {
            panic!("keys are sought")
        };
        let (reach, law) = law(noise);
        let lifts = usize::try_from(threshold - 1 + reach).unwrap();
        let released: f64 = law.iter().skip(lifts).sum();
        let any = 1.0 - (1.0 - released).powi(values as i32);
        assert!(
            any <= 1e-6,
            "{epsilon}: a value that one of {values} has is released with probability {any}"
        );
        // A threshold of whole numbers meets delta only so well: what the last step leaves over is less than the next adds.
        let lower: f64 = law.iter().skip(lifts.saturating_sub(3)).sum();
        assert!(
            lower * f64::from(values) > 1e-6,
            "{epsilon}: a threshold of {threshold} is higher than it must be"
        );
    }
}

#[test]
fn keys_come_back_as_they_are_escaped() {
    let account = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };
    let plan = plan("measure keys(village)\nby\nprice epsilon 20", &table::dataset(1, 1), &account, &[]);
    let key = Code::escaped("São, 1 %").unwrap().to_string();
    let counted = Counted::Keys([(key.clone(), 1_000)].into());
    let keys = product(&plan, vec![counted]).unwrap().layout.margins()[0].values.clone().unwrap();
    assert_eq!(keys.iter().map(Code::as_str).collect::<Vec<_>>(), [key]);
}
