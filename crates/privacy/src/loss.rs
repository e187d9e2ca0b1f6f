//! Privacy loss: what a release costs, in whole billionths, always rounded against the spender.

use std::{cell::RefCell, collections::BTreeMap};

use opendp::{combinators::ConcentratedMeasure, measures::ZeroConcentratedDivergence};

/// The most epsilon that one question can name, in billionths: above it the guarantee says nothing.
pub(crate) const EPSILON_NANO_MOST: u64 = 100_000_000_000;

/// So often a line is drawn before halves are taken.
const SECANTS_MOST: u32 = 24;

/// The privacy loss of a release. Losses add.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loss {
    /// Pure epsilon in billionths; `None` where the release has no pure guarantee.
    pub pure_nano: Option<u64>,
    /// Rho under zero-concentrated differential privacy, in billionths.
    pub rho_nano: u64,
    /// Delta in units of 1e-18.
    pub delta_e18: u64,
}

/// The currency of a dataset's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accounting {
    /// Pure epsilon.
    Pure,
    /// Rho, shown as epsilon at this delta.
    Zcdp {
        /// Delta in units of 1e-18; above 0, below 1e18.
        delta_e18: u64,
    },
}

/// Why an amount cannot be priced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LossError {
    /// Zero, or more than 100.
    #[error("epsilon must be above 0 and at most 100")]
    Range,
    /// The conversion has no answer.
    #[error("epsilon {0} cannot be converted to rho at the account's delta")]
    Conversion(String),
}

impl Loss {
    /// What nothing costs.
    pub const FREE: Self = Self { pure_nano: Some(0), rho_nano: 0, delta_e18: 0 };

    /// The loss of a pure release; its rho is `epsilon^2 / 2` (Bun and Steinke, arXiv 1605.02065, proposition 1.4).
    pub fn pure(epsilon_nano: u64) -> Self {
        let squared = u128::from(epsilon_nano) * u128::from(epsilon_nano);
        let rho = squared.div_ceil(2_000_000_000);
        Self { pure_nano: Some(epsilon_nano), rho_nano: u64::try_from(rho).unwrap_or(u64::MAX), delta_e18: 0 }
    }

    /// The loss of a release under zCDP.
    pub fn rho(rho_nano: u64) -> Self {
        Self { pure_nano: None, rho_nano, delta_e18: 0 }
    }

    /// Whether some part of the loss is above that of another.
    pub fn is_dearer_than(&self, other: &Self) -> bool {
        let pure = |loss: &Self| loss.pure_nano.unwrap_or(u64::MAX);
        pure(self) > pure(other) || self.rho_nano > other.rho_nano || self.delta_e18 > other.delta_e18
    }

    /// The part of the loss that an account of this currency adds up; `None` where it cannot express it.
    pub fn amount(&self, account: &Accounting) -> Option<u64> {
        match account {
            Accounting::Pure => self.pure_nano,
            Accounting::Zcdp { .. } => Some(self.rho_nano),
        }
    }
}

/// The most conversions that a thread remembers.
const CONVERTED_MOST: usize = 4_096;

thread_local! {
    /// The rho of a delta and an epsilon: its search takes most of a millisecond, and prices that people ask at are few.
    static CONVERTED: RefCell<BTreeMap<(u64, u64), u64>> = const { RefCell::new(BTreeMap::new()) };
}

impl Accounting {
    /// The amount of this currency, in billionths, whose guarantee is epsilon: epsilon itself, or the largest rho
    /// whose tight conversion at the account's delta is at most epsilon (Canonne, Kamath and Steinke, arXiv 2004.00010,
    /// as OpenDP computes it).
    pub fn amount_of(&self, epsilon_nano: u64) -> Result<u64, LossError> {
        if epsilon_nano == 0 || epsilon_nano > EPSILON_NANO_MOST {
            return Err(LossError::Range);
        }
        match self {
            Self::Pure => Ok(epsilon_nano),
            Self::Zcdp { delta_e18 } => {
                let known = CONVERTED.with_borrow(|known| known.get(&(*delta_e18, epsilon_nano)).copied());
                if let Some(known) = known {
                    return Ok(known);
                }
                let failed = || LossError::Conversion(crate::nano(epsilon_nano));
                let (epsilon, delta) = (below(epsilon_nano, 1e9), below(*delta_e18, 1e18));
                let excess = |rho_nano: u64| {
                    let profile =
                        ZeroConcentratedDivergence::convert((rho_nano as f64 / 1e9).next_up()).ok()?;
                    let found = profile.delta(epsilon).ok()?;
                    // The tail of a Gaussian: its root is nearly straight.
                    Some((found <= delta, (-delta.ln()).sqrt() - (-found.ln()).sqrt()))
                };
                // rho = epsilon already gives delta far above any that an account may declare.
                // epsilon = rho + 2 sqrt(rho ln(1 / delta)) is the textbook's conversion, from below.
                let tail = (-delta.ln()).sqrt();
                let start = ((tail * tail + epsilon).sqrt() - tail).powi(2) * 1e9;
                let low =
                    largest(epsilon_nano, start as u64, |rho_nano| excess(rho_nano).ok_or_else(failed))?;
                if low == 0 {
                    return Err(failed());
                }
                CONVERTED.with_borrow_mut(|known| {
                    if known.len() >= CONVERTED_MOST {
                        known.clear();
                    }
                    known.insert((*delta_e18, epsilon_nano), low);
                });
                Ok(low)
            }
        }
    }

    /// The epsilon, in billionths rounded up, that an amount of this currency guarantees.
    pub fn epsilon_of(&self, amount_nano: u64) -> Option<u64> {
        match self {
            Self::Pure => Some(amount_nano),
            Self::Zcdp { .. } if amount_nano == 0 => Some(0),
            Self::Zcdp { delta_e18 } => {
                let profile =
                    ZeroConcentratedDivergence::convert((amount_nano as f64 / 1e9).next_up()).ok()?;
                let epsilon = profile.epsilon(below(*delta_e18, 1e18)).ok()?;
                epsilon.is_finite().then(|| (epsilon * 1e9).ceil() as u64)
            }
        }
    }

    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Zcdp { .. } => "zcdp",
        }
    }
}

/// The largest whole number below `beyond` that holds, where all up to it hold and none after it does; 0 where none does.
///
/// `tried` says whether a number holds, and how far above the edge it is on any scale that rises. From `start` on it is searched
/// for where the line through the last two crosses, and by halves if that takes long.
fn largest<E>(beyond: u64, start: u64, tried: impl Fn(u64) -> Result<(bool, f64), E>) -> Result<u64, E> {
    let (mut low, mut high) = (0, beyond);
    let (mut last, mut guess): (Option<(u64, f64)>, u64) = (None, start);
    let mut tries = 0;
    while high - low > 1 {
        guess = guess.clamp(low + 1, high - 1);
        let (holds, above) = tried(guess)?;
        if holds {
            low = guess
        } else {
            high = guess
        }
        let slope = last.map(|(before, was)| (above - was) / (guess as f64 - before as f64));
        let crossing = slope.map_or(guess as f64 * 1.3, |slope| guess as f64 - above / slope);
        last = Some((guess, above));
        tries += 1;
        guess =
            if tries < SECANTS_MOST && crossing.is_finite() { crossing as u64 } else { low.midpoint(high) };
    }
    Ok(low)
}

/// `count / unit` as a float that is not above it.
fn below(count: u64, unit: f64) -> f64 {
    (count as f64 / unit).next_down()
}

/// Whether `value` is at most `nano` billionths, decided exactly.
pub(crate) fn at_most(value: f64, nano: u64) -> bool {
    at_most_parts(value, nano, 1_000_000_000)
}

/// Whether `value` is at most `count / whole`, decided exactly; `whole` is at most 10^18.
pub(crate) fn at_most_parts(value: f64, count: u64, whole: u64) -> bool {
    if !value.is_finite() || value < 0.0 {
        return false;
    }
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i32;
    let fraction = bits & ((1 << 52) - 1);
    // value = mantissa * 2^-shift
    let (mantissa, shift) =
        if exponent == 0 { (fraction, 1074) } else { (fraction | 1 << 52, 1075 - exponent) };
    let left = u128::from(mantissa) * u128::from(whole);
    let right = u128::from(count);
    match u32::try_from(shift) {
        // Beyond 128 bits the right side wins unless it is 0, for the left has at most 113 bits.
        Ok(shift) if shift >= right.leading_zeros() => right != 0 || left == 0,
        Ok(shift) => left <= right << shift,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pure_loss_rounds_its_rho_up() {
        assert_eq!(
            Loss::pure(500_000_000),
            Loss { pure_nano: Some(500_000_000), rho_nano: 125_000_000, delta_e18: 0 }
        );
        assert_eq!(Loss::pure(1).rho_nano, 1);
    }

    #[test]
    fn the_tight_conversion_buys_the_rho_that_the_literature_gives() {
        // epsilon 1 at delta 1e-6 buys rho .024356 (rounded), 39 % more than the simple formula.
        let account = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };
        let rho = account.amount_of(1_000_000_000).unwrap();
        assert!((24_350_000..24_360_000).contains(&rho), "{rho}");
        let back = account.epsilon_of(rho).unwrap();
        assert!((999_999_000..=1_000_000_001).contains(&back), "{back}");
        assert!(
            account.epsilon_of(rho * 4).unwrap() < 2_200_000_000,
            "four questions cost far less than four"
        );
    }

    #[test]
    fn the_largest_that_holds_is_found_wherever_it_is() {
        for edge in [0u64, 1, 2, 7, 1_000, 24_355_970, 99_999_999_998, 99_999_999_999] {
            for shape in [|x: f64| x, |x: f64| x.cbrt(), |x: f64| x.powi(3), |x: f64| (x / 1e9).exp_m1()] {
                let tried = std::cell::Cell::new(0);
                let found = largest(100_000_000_000, 5_000_000_000, |number| {
                    tried.set(tried.get() + 1);
                    Ok::<_, ()>((number <= edge, shape(number as f64 - edge as f64 - 0.5)))
                });
                assert_eq!(found, Ok(edge));
                assert!(tried.get() < 64, "{edge} {}", tried.get());
            }
        }
    }

    #[test]
    fn no_epsilon_at_all_and_a_huge_one_are_refused() {
        for epsilon in [0, EPSILON_NANO_MOST + 1, u64::MAX] {
            assert_eq!(Accounting::Pure.amount_of(epsilon), Err(LossError::Range));
        }
    }

    #[test]
    fn a_float_is_compared_with_billionths_exactly() {
        for (value, nano, expected) in [
            (0.5, 500_000_000, true),
            (0.5f64.next_up(), 500_000_000, false),
            (0.1, 100_000_000, false), // the float 0.1 lies above a tenth
            (0.1f64.next_down(), 100_000_000, true),
            (0.0, 0, true),
            (f64::MIN_POSITIVE, 0, false),
            (f64::MIN_POSITIVE, 1, true),
            (1e300, u64::MAX, false),
            (f64::NAN, u64::MAX, false),
            (100.0, 100_000_000_000, true),
        ] {
            assert_eq!(at_most(value, nano), expected, "{value} {nano}");
        }
    }
}

#[cfg(test)]
mod composition;
