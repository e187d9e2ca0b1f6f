//! Sums of charges against OpenDP's own composition of what was drawn for them.

use opendp::{
    combinators::CompositionMeasure,
    measures::{Approximate, MaxDivergence},
};

use super::*;
use crate::{Discovery, Noise, Selection, SelectionLaw};

const DELTA_E18: u64 = 1_000_000_000_000;

/// The next of a stream of numbers (Marsaglia's xorshift64), below an end.
fn below(state: &mut u64, end: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % end
}

/// A price of any order of magnitude, in billionths.
fn price(state: &mut u64) -> u64 {
    let most = 10u64.pow(3 + below(state, 7) as u32);
    1 + below(state, most)
}

/// Whether a composition of `questions` floats is at most a sum of charges. OpenDP rounds each addition up, by a part in 2^52.
fn covered(composed: f64, questions: usize, charged: u64, whole: u64) -> bool {
    at_most_parts(composed * (1.0 - questions as f64 * f64::EPSILON), charged, whole)
}

#[test]
fn an_account_is_charged_no_less_than_opendp_composes() {
    let mut state = 2_026;
    for _ in 0..200 {
        let questions = 1 + below(&mut state, 40) as usize;
        let (mut pure, mut epsilons) = (Loss::pure(0), Vec::new());
        let (mut zcdp, mut rhos) = (Loss::rho(0), Vec::new());
        for _ in 0..questions {
            let (nano, sensitivity) = (price(&mut state), 1 + below(&mut state, 1_000));
            let add = |sum: &Loss, loss: Loss| Loss {
                pure_nano: sum.pure_nano.zip(loss.pure_nano).map(|(sum, loss)| sum + loss),
                rho_nano: sum.rho_nano + loss.rho_nano,
                delta_e18: sum.delta_e18 + loss.delta_e18,
            };
            pure = add(&pure, Loss::pure(nano));
            epsilons.push(match below(&mut state, 2) {
                0 => Noise::laplace(sensitivity, nano).unwrap().epsilon(sensitivity).unwrap(),
                _ => {
                    let law = SelectionLaw::PermuteAndFlip;
                    Selection::calibrated(law, sensitivity, nano).unwrap().loss(sensitivity).unwrap()
                }
            });
            let (loss, drawn) = match below(&mut state, 4) {
                0 => {
                    let squared = u128::from(sensitivity);
                    (Loss::rho(nano), (Noise::gaussian(squared, nano).unwrap().rho(squared).unwrap(), 0.0))
                }
                1 => {
                    let law = SelectionLaw::Exponential;
                    let selection = Selection::calibrated(law, sensitivity, nano).unwrap();
                    (Loss::rho(nano), (selection.loss(sensitivity).unwrap(), 0.0))
                }
                2 => {
                    let (values, delta_e18) = (1 + sensitivity % 5, 1 + below(&mut state, DELTA_E18 / 40));
                    // Where OpenDP's tail bound would need a threshold beyond all counts, nothing is drawn.
                    let Some(discovery) = Discovery::calibrated(values, nano, delta_e18) else { continue };
                    (Loss { delta_e18, ..Loss::rho(nano) }, discovery.loss(values).unwrap())
                }
                // Laplace noise in a zCDP account: rho is half the square of epsilon.
                _ => {
                    let epsilon = Noise::laplace(sensitivity, nano).unwrap().epsilon(sensitivity).unwrap();
                    (Loss::pure(nano), (epsilon * epsilon / 2.0, 0.0))
                }
            };
            zcdp = add(&zcdp, Loss { pure_nano: None, ..loss });
            rhos.push(drawn);
        }
        let epsilon = MaxDivergence.compose(epsilons).unwrap();
        assert!(covered(epsilon, questions, pure.pure_nano.unwrap(), 1_000_000_000), "{epsilon} {pure:?}");

        let (rho, delta) = Approximate(ZeroConcentratedDivergence).compose(rhos).unwrap();
        assert!(covered(rho, questions, zcdp.rho_nano, 1_000_000_000), "{rho} {zcdp:?}");
        assert!(covered(delta, questions, zcdp.delta_e18, 1_000_000_000_000_000_000), "{delta} {zcdp:?}");

        // What the account says that it guarantees is no less than what OpenDP converts its own sum to.
        let said = Accounting::Zcdp { delta_e18: DELTA_E18 }.epsilon_of(zcdp.rho_nano).unwrap();
        let converted =
            ZeroConcentratedDivergence::convert(rho).unwrap().epsilon(DELTA_E18 as f64 / 1e18).unwrap();
        assert!(said as f64 / 1e9 >= converted * (1.0 - 1e-9), "{said} {converted}");
    }
}
