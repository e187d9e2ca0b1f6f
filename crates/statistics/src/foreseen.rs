//! The expected error of an answer, as its plans foresee it.

use lango_privacy::{Layout, Level, Measurement, PlanText, Term, WeightedSum, rank_bound};

use crate::{OfficeRelease, add::unit, content::CellContent, release::usable};

/// The number of rows, or units, for which the error of a mean or a share is given.
pub const FORESEEN_OF: u64 = 1_000;
/// The point between the bounds at which the square of a mean's error is its average: `t^2 + (1-t)^2 = 2/3`.
const TYPICAL: f64 = 0.788_675_134_594_812_9;

/// A plan with its layout: what an office says in an estimate.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// The noise of each margin.
    pub plan: &'a PlanText,
    /// Which integer stands for which cell.
    pub layout: &'a Layout,
}

/// The error of a margin's figures.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreseen {
    /// Of a count or a sum.
    Plain(Uncertainty),
    /// Of a mean of [`FORESEEN_OF`] rows, which is as many times smaller as there are more of them.
    Mean(Uncertainty),
    /// Of one half as a share of [`FORESEEN_OF`] units.
    Share(Uncertainty),
    /// By how many rows the rank of each chosen quantile may be farther from the one asked for than the best candidate's.
    Chosen(Vec<u64>),
    /// Of the count of a key that is found, and the noisy count that it must reach.
    Found(Uncertainty, i64),
}

/// An error, in the unit of the column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uncertainty {
    /// The standard error.
    pub std_err: f64,
    /// Half the width of the interval.
    pub half_width: f64,
}

/// What is foreseen for each margin of some offices added up, which all have these margins; `None` for what cannot be
/// added up, or where a plan does not say what its layout needs.
pub fn foresee(offices: &[Planned<'_>], level: Level) -> Vec<Option<Foreseen>> {
    let answers: Vec<OfficeRelease<'_>> = offices
        .iter()
        .map(|Planned { plan, layout }| OfficeRelease {
            office: "",
            layout,
            plan,
            cells: &[],
            hidden: None,
            earlier: Vec::new(),
        })
        .collect();
    let noises: Vec<Vec<Vec<Term>>> = answers.iter().map(|answer| answer.noise(&[])).collect();
    let margins = offices.first().map_or(0, |office| office.layout.margins().len());
    (0..margins).map(|place| margin(&answers, &noises, place, level)).collect()
}

fn margin(
    answers: &[OfficeRelease<'_>],
    noises: &[Vec<Vec<Term>>],
    place: usize,
    level: Level,
) -> Option<Foreseen> {
    let contents = answers.iter().map(|answer| answer.content(place).ok()).collect::<Option<Vec<_>>>()?;
    let texts = answers.iter().map(|answer| answer.plan.margins.get(place).filter(|text| usable(text)));
    let texts = texts.collect::<Option<Vec<_>>>()?;
    let finest = contents.iter().map(CellContent::scale).max().unwrap_or(0);
    let mut sum = Vec::new();
    for (content, noises) in contents.iter().zip(noises) {
        // In units of the finest scale, so that whole numbers of one scale stay whole.
        let factor = unit(finest - content.scale());
        for weight in weights(content) {
            let terms = noises.get(place)?.iter();
            sum.extend(terms.map(|term| Term { weight: factor * weight * term.weight, ..*term }));
        }
    }
    let sum = WeightedSum::of(sum);
    let of = |count: u64| {
        let whole = unit(finest) * count as f64;
        Uncertainty { std_err: sum.std_err() / whole, half_width: sum.half_width(level) / whole }
    };
    let alone = answers.len() == 1;
    match contents.first()? {
        CellContent::Count | CellContent::Sum(_) | CellContent::Bins(..) => Some(Foreseen::Plain(of(1))),
        CellContent::Pair(_) | CellContent::Centred(..) => Some(Foreseen::Mean(of(FORESEEN_OF))),
        CellContent::Shares(_) => Some(Foreseen::Share(of(FORESEEN_OF))),
        CellContent::Chosen(_, chosen) => alone.then(|| {
            let bound = |decay: &f64| rank_bound(chosen.candidates, *decay, level);
            Foreseen::Chosen(chosen.decays.iter().map(bound).collect())
        }),
        CellContent::Found(_) => match texts.first()?.measurement {
            Measurement::Discovery(discovery) if alone => Some(Foreseen::Found(of(1), discovery.threshold)),
            Measurement::Discovery(_) | Measurement::Noise(_) | Measurement::Selection(_) => None,
        },
    }
}

/// The factor of each integer of a cell in the error of its figure, except the count that a ratio is divided by.
fn weights(content: &CellContent<'_>) -> Vec<f64> {
    match content {
        // A bin, and a found key, is a figure by itself.
        CellContent::Count
        | CellContent::Bins(..)
        | CellContent::Found(_)
        | CellContent::Sum(_)
        | CellContent::Centred(..) => vec![1.0],
        CellContent::Pair(_) => vec![TYPICAL, 1.0 - TYPICAL],
        CellContent::Shares(keys) => vec![0.5; keys.len()],
        CellContent::Chosen(..) => Vec::new(),
    }
}
