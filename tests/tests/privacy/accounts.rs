//! What a whole account reveals: an asker who makes questions fail learns no more than the pool covers.

use lango_ledger::{Account, Balance, Holder, Limit, ReservationEvent, ReservationState, TransitionError};

use crate::{
    audit::{Claim, Neighbours, Seen, Witness, found_by, product},
    audits::{
        Audit,
        Price::{self, Pure, Zcdp},
    },
    report::{each, print},
    seeds::times,
};

/// Questions that an asker tries, far more than the pool covers.
const ATTEMPTS: usize = 9;
/// A question is paid with this part of the pool.
const QUESTIONS: u64 = 3;

/// How many statements with a chance of failing are made here.
pub const STATEMENTS: usize = 2;

/// What becomes of a reservation.
type Transition = fn(ReservationState, ReservationEvent) -> Result<ReservationState, TransitionError>;

/// Gives back what was set aside for questions that failed, whether or not rows were read.
fn refund(state: ReservationState, _: ReservationEvent) -> Result<ReservationState, TransitionError> {
    state.after(ReservationEvent::FailedBeforeReading)
}

/// All that is seen of a table through a pool, by an asker whose questions fail in turn: before a row was read, and after, when
/// the noisy figures have got out in some way: by a stream that broke, or a clock.
fn session(neighbours: &Neighbours, with: bool, transition: Transition) -> Seen {
    let account = Account { pool: "movements".into(), holder: Holder::Pool, period: String::new(), since: 0 };
    let (loss, counted) = (neighbours.plan.loss, if with { &neighbours.with } else { &neighbours.without });
    let accounting = match loss.pure_nano {
        Some(_) => lango_privacy::Accounting::Pure,
        None => lango_privacy::Accounting::Zcdp { delta_e18: 1 },
    };
    let limit = Limit { accounting, amount_nano: QUESTIONS * loss.amount(&accounting).unwrap() };
    let witness = Witness::of(neighbours);
    let (mut balance, mut score) = (Balance::default(), 0.0);
    for attempt in 0..2 * ATTEMPTS {
        let Ok(charged) = balance.charge(&account, &loss, &limit) else { break };
        let event = if attempt % 2 == 0 {
            ReservationEvent::FailedBeforeReading
        } else {
            ReservationEvent::FailedAfterReading
        };
        if event == ReservationEvent::FailedAfterReading {
            score += witness.score(&product(&neighbours.plan, counted.clone()).unwrap())?.0;
        }
        // The balance is the sum of the reservations that are not voided.
        if transition(ReservationState::Pending, event).unwrap() != ReservationState::Voided {
            balance = charged;
        }
    }
    Some((score, Vec::new()))
}

#[test]
fn a_pool_reveals_no_more_than_it_covers_and_would_if_failures_were_refunded() {
    const CASES: &[(&str, Price, &str, Transition)] = &[
        ("the ledger", Pure, "0.7", ReservationState::after),
        ("a refund on failure", Pure, "0.7", refund),
        ("the ledger", Zcdp, "2.5", ReservationState::after),
        ("a refund on failure", Zcdp, "2.5", refund),
    ];
    let results = each(CASES, |(what, price, epsilon, transition)| {
        let audit = Audit::named("persons", *price);
        let neighbours = audit.neighbours_at(epsilon, |_| ());
        let pool = match audit.claim(&neighbours.plan) {
            Claim::Epsilon(epsilon) => Claim::Epsilon(QUESTIONS as f64 * epsilon),
            Claim::Rho { rho, delta } => Claim::Rho { rho: QUESTIONS as f64 * rho, delta },
            delta => delta,
        };
        let see = |with| session(&neighbours, with, *transition);
        (*what, audit, pool, found_by(&see, &pool, times(12_000)))
    });
    let line = |(what, audit, pool, found): &(&str, &Audit, Claim, f64)| {
        let holds = *found <= pool.figure();
        let (claimed, found) = (pool.write(pool.figure()), pool.write(*found));
        let verdict = if holds { "holds" } else { "caught" };
        [what.to_string(), audit.mechanism(), claimed, found, verdict.to_owned()]
    };
    let lines: Vec<_> = results.iter().map(line).collect();
    print(["pool", "mechanism", "claimed", "found", ""], &lines);
    for (what, _, pool, found) in results {
        assert_eq!(found > pool.figure(), what.contains("refund"), "{what}: {pool:?} {found}");
    }
}
