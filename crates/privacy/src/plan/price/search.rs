//! The least amount that buys a precision, found in few trials: each may cost the split of a whole cube.

use crate::Accounting;

/// Trials after which the bracket is halved whatever the law says.
const GUESSES: u32 = 3;

/// The least amount up to `highest` whose excess is not above 0, or nearly; `None` where there is none. It is found
/// the sooner the nearer `start` is to it.
///
/// The excess of an amount is the logarithm of what it buys over what is asked for. It falls about evenly with the amount's
/// logarithm, so that a straight line between two trials meets 0 near the amount.
pub(super) fn least<E>(
    start: u64,
    highest: u64,
    account: &Accounting,
    excess: &dyn Fn(u64) -> Result<f64, E>,
) -> Result<Option<u64>, E> {
    let (mut low, mut high) = ((0, f64::INFINITY), (start, excess(start)?));
    while high.1 > 0.0 {
        if high.0 >= highest {
            return Ok(None);
        }
        low = high;
        // Where it buys nothing at all, twice as much may.
        let times = if low.1.is_finite() { (low.1 / power(account)).exp() * 1.01 } else { 2.0 };
        let above = ((low.0 as f64 * times) as u64).max(low.0 + 1).min(highest);
        high = (above, excess(above)?);
    }
    let mut trials = 0;
    while high.0 - low.0 > 1 + high.0 / tolerance(low) {
        trials += 1;
        let guess = if trials % (GUESSES + 1) == 0 { None } else { guessed(low, high, account) };
        let trial = guess.unwrap_or_else(|| halved(low.0, high.0));
        let found = excess(trial)?;
        if found <= 0.0 { high = (trial, found) } else { low = (trial, found) }
    }
    Ok(Some(high.0))
}

/// A ten-thousandth more than the least is near enough to be the price of what is asked; a fiftieth, where less would buy nothing
/// at all.
fn tolerance(low: (u64, f64)) -> u64 {
    if low.0 > 0 && low.1.is_infinite() { 50 } else { 10_000 }
}

/// Half-widths fall as the inverse of epsilon, and of the root of rho.
fn power(account: &Accounting) -> f64 {
    match account {
        Accounting::Pure => 1.0,
        Accounting::Zcdp { .. } => 0.5,
    }
}

/// By factors until the order of magnitude is known.
fn halved(low: u64, high: u64) -> u64 {
    if high / 4 > low { high / 4 } else { low.midpoint(high) }
}

/// Where the excess would be 0 if it fell evenly, or by the noise's own law where nothing is known below; a little to that side
/// of it on which the bracket is wider.
fn guessed(low: (u64, f64), high: (u64, f64), account: &Accounting) -> Option<u64> {
    let log = |amount: u64| (amount as f64).ln();
    if !high.1.is_finite() || tolerance(low) < 10_000 {
        return None;
    }
    let root = if low.1.is_finite() && low.0 > 0 {
        log(high.0) - high.1 / (high.1 - low.1) * (log(high.0) - log(low.0))
    } else {
        log(high.0) + high.1 / power(account)
    };
    let root = root.exp();
    let trial =
        if root - low.0 as f64 > high.0 as f64 - root { root * (1.0 - 4e-5) } else { root * (1.0 + 4e-5) };
    // At least a part of the tolerance is gained by every trial.
    let step = high.0 / 12_000 + 1;
    Some((trial as u64).max(low.0.saturating_add(step)).min(high.0.saturating_sub(step)))
        .filter(|trial| (low.0 + 1..high.0).contains(trial))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// What falls, and the most trials in which it is found.
    type Case<'a> = (&'a str, &'a dyn Fn(u64) -> f64, u32);

    #[test]
    fn the_least_amount_is_found_in_few_trials() {
        let highest = 100_000_000_000u64;
        for account in [Accounting::Pure, Accounting::Zcdp { delta_e18: 1 }] {
            for root in [1u64, 7, 12_345, 1_000_000, 123_456_789, 99_999_999_999, highest] {
                let smooth = |amount: u64| (root as f64 / amount as f64).ln();
                // In steps, as half-widths of whole numbers are.
                let steps = |amount: u64| ((50.0 * root as f64 / amount as f64).ceil() / 50.5).ln();
                let bent = |amount: u64| (root as f64 / amount as f64).powf(1.3).ln() * 1.7;
                let steep = |amount: u64| if amount >= root { f64::NEG_INFINITY } else { f64::INFINITY };
                let excesses: [Case<'_>; 4] = [
                    ("smooth", &smooth, 10),
                    ("steps", &steps, 24),
                    ("bent", &bent, 16),
                    ("steep", &steep, 50),
                ];
                let starts = [highest, root, root / 3 + 1, root.saturating_mul(5).min(highest)];
                for ((name, excess, most), start) in
                    excesses.into_iter().flat_map(|each| starts.map(move |start| (each, start)))
                {
                    let trials = Cell::new(0);
                    let counted = |amount: u64| {
                        trials.set(trials.get() + 1);
                        Ok::<_, ()>(excess(amount))
                    };
                    let found = least(start, highest, &account, &counted).unwrap().unwrap();
                    assert!(excess(found) <= 0.0, "{name} {root} {found}");
                    let less = found - 1 - found / if name == "steep" { 49 } else { 9_000 };
                    assert!(less == 0 || excess(less) > 0.0, "{name} {root} {found}");
                    assert!(trials.get() <= most, "{name} {root} from {start}: {} trials", trials.get());
                }
            }
        }
        for start in [1, 5, 10] {
            assert_eq!(least(start, 10, &Accounting::Pure, &|_| Ok::<_, ()>(1.0)), Ok(None));
        }
    }
}
