//! Quantiles: one of the declared candidates is chosen, with noise on how far its rank is from the one asked for.

use std::fmt;

use opendp::{
    domains::{AtomDomain, VectorDomain},
    measurements::make_noisy_max,
    measures::{MaxDivergence, ZeroConcentratedDivergence},
    metrics::LInfDistance,
};

use super::{NoiseError, rounded_up};

/// How a candidate is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SelectionLaw {
    /// Permute and flip: pure epsilon (McKenna and Sheldon, arXiv 2010.12603).
    PermuteAndFlip,
    /// The exponential mechanism: bounded range, so rho is epsilon^2 / 8 (Cesar and Rogers, arXiv 2004.07223).
    Exponential,
}

/// A choice among candidates by whole-number scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selection {
    /// The law.
    pub law: SelectionLaw,
    /// Its scale, in units of the score.
    pub scale: f64,
}

type Scores = VectorDomain<AtomDomain<i64>>;

fn scores_domain() -> Scores {
    VectorDomain::new(AtomDomain::<i64>::default())
}

impl SelectionLaw {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::PermuteAndFlip => "permute-and-flip",
            Self::Exponential => "exponential",
        }
    }

    pub(super) fn of_word(word: &str) -> Option<Self> {
        [Self::PermuteAndFlip, Self::Exponential].into_iter().find(|law| law.word() == word)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} scale {}", self.law.word(), self.scale)
    }
}

impl Selection {
    /// The choice whose loss, for scores that each change by at most `linf`, is at most `price_nano` billionths by OpenDP's
    /// map: of epsilon by permute and flip, of rho by the exponential mechanism.
    pub(crate) fn calibrated(law: SelectionLaw, linf: u64, price_nano: u64) -> Option<Self> {
        let price = price_nano as f64 / 1e9;
        let start = match law {
            SelectionLaw::PermuteAndFlip => 2.0 * linf as f64 / price,
            SelectionLaw::Exponential => linf as f64 / (2.0 * price).sqrt(),
        };
        let choice = |scale| Self { law, scale };
        rounded_up(start, price_nano, |scale| choice(scale).loss(linf)).map(choice)
    }

    /// OpenDP's loss.
    pub(crate) fn loss(&self, linf: u64) -> Option<f64> {
        let (metric, linf) = (LInfDistance::<i64>::default(), i64::try_from(linf).ok()?);
        match self.law {
            SelectionLaw::PermuteAndFlip => {
                make_noisy_max(scores_domain(), metric, MaxDivergence, self.scale, false)
                    .ok()?
                    .map(&linf)
                    .ok()
            }
            SelectionLaw::Exponential => {
                let measure = ZeroConcentratedDivergence;
                make_noisy_max(scores_domain(), metric, measure, self.scale, false).ok()?.map(&linf).ok()
            }
        }
    }

    /// The place of the chosen score.
    pub(super) fn choose(&self, scores: &Vec<i64>) -> Result<usize, NoiseError> {
        let metric = LInfDistance::<i64>::default();
        let chosen = match self.law {
            SelectionLaw::PermuteAndFlip => {
                make_noisy_max(scores_domain(), metric, MaxDivergence, self.scale, false)
                    .and_then(|measurement| measurement.invoke(scores))
            }
            SelectionLaw::Exponential => {
                make_noisy_max(scores_domain(), metric, ZeroConcentratedDivergence, self.scale, false)
                    .and_then(|measurement| measurement.invoke(scores))
            }
        };
        chosen.map_err(|_| NoiseError::Noise)
    }
}

/// The score of each candidate c for the share p / d of N rows: `-max(0, d #(<c) - p N, p N - d #(<=c))`.
///
/// `ranks` holds how many values lie below the first candidate, at it, between it and the second, and so on. A row more
/// changes each score by at most max(p, d - p).
pub fn rank_scores(ranks: &[i64], (p, d): (u64, u64)) -> Vec<i64> {
    let wide = |rows: i64| i128::from(rows);
    let asked = i128::from(p) * ranks.iter().copied().map(wide).sum::<i128>();
    let d = i128::from(d);
    let mut below = 0;
    ranks
        .chunks_exact(2)
        .map(|pair| {
            let [between, at] = pair else { return i64::MIN };
            below += wide(*between);
            let at_most = below + wide(*at);
            let miss = (d * below - asked).max(asked - d * at_most).max(0);
            below = at_most;
            i64::try_from(-miss).unwrap_or(i64::MIN)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::at_most;

    #[test]
    fn a_candidate_scores_by_how_far_its_rank_is_from_the_one_asked_for() {
        // Values 1, 3, 3, 5, 9 and candidates 2, 3, 4, 10.
        let ranks = [1, 0, 0, 2, 0, 0, 2, 0, 0];
        for (share, expected) in [
            // The median asks for rank 2.5 of 5: 3 is at ranks 1 to 3, 2 is at 1, 4 at 3, 10 at 5.
            ((1, 2), [-3, 0, -1, -5]),
            ((0, 1), [-1, -1, -3, -5]),
            ((1, 1), [-4, -2, -2, 0]),
        ] {
            assert_eq!(rank_scores(&ranks, share), expected, "{share:?}");
        }
    }

    #[test]
    fn a_choice_costs_at_most_its_price() {
        for law in [SelectionLaw::PermuteAndFlip, SelectionLaw::Exponential] {
            for (linf, nano) in [(1, 500_000_000), (7, 1), (12_000, 333_333_333)] {
                let choice = Selection::calibrated(law, linf, nano).unwrap();
                assert!(at_most(choice.loss(linf).unwrap(), nano));
                let tighter = Selection { scale: choice.scale * (1.0 - 1e-9), ..choice };
                assert!(
                    !at_most(tighter.loss(linf).unwrap(), nano),
                    "the scale is no larger than it must be"
                );
            }
        }
    }
}
