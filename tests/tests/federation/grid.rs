//! Answers on a time grid: what leaves when, and what is to be seen meanwhile.

use std::time::{Duration, Instant};

use lango_privacy::PlanText;
use lango_testkit::{Mode, Office, Policy, Register, TestGrant, TestRegion, at_once, persons};

async fn office_on(world: &TestRegion, grid_ms: u64, policy: &Policy) -> Office {
    let mut office = Office::prepare(world, "GHA", policy, &Register::sample(5));
    let table = format!("answer_grid_ms = {grid_ms}\nunit = ");
    office.write_policy(&policy.text().replacen("unit = ", &table, 1));
    office.up().await.unwrap();
    office
}

async fn timed<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let began = Instant::now();
    let done = work.await;
    (began.elapsed(), done)
}

/// What an answer is for a test about time: the reason of a refusal, or nothing.
fn reason<T>(answer: Result<T, lango_testkit::FailedCall>) -> String {
    answer.err().map(|failed| failed.refusal().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn what_is_authorised_leaves_on_the_grid_and_what_is_not_at_once() {
    const STEP_MS: u64 = 2_000;
    let world = TestRegion::new();
    let policy =
        Policy::of("GHA").grants([TestGrant { by: r#"["sex"]"#.into(), ..TestGrant::of("1", "1.5") }]);
    let office = office_on(&world, STEP_MS, &policy).await;
    let (analyst, auditor) = (world.analyst(), world.caller(lango_identity::Role::Auditor, "zainab"));
    let stored = analyst.ask(&office, &persons("by sex", "1")).await.unwrap();
    let id = stored.statement.release_id;
    // Each asks over a connection of its own, all at the same time.
    let ask = async |text: &str| timed(async { reason(analyst.ask(&office, text).await) }).await;
    let price = async |text: &str| timed(async { reason(analyst.estimate(&office, text).await) }).await;
    let fetch = async |id: [u8; 16]| timed(async { reason(analyst.fetch(&office, id).await) }).await;
    let (fresh, again, dear) = (persons("by", "0.5"), persons("by sex", "1"), persons("by sex", "0.9"));
    let (beyond, denied) = (persons("by sex\nwhere sex = X", "1"), persons("by age", "1"));
    let (answered, refused, priced, priced_out, looked_up, unknown, described, role) = tokio::join!(
        at_once([fresh.as_str(), again.as_str()].map(&ask)),
        at_once([dear.as_str(), beyond.as_str(), denied.as_str(), "garbage"].map(&ask)),
        price(&again),
        at_once([beyond.as_str(), denied.as_str()].map(&price)),
        fetch(id),
        fetch([7; 16]),
        timed(async { reason(analyst.describe(&office, None).await) }),
        timed(async { reason(auditor.ask(&office, &again).await) }),
    );
    let found: Vec<(Duration, String)> = [answered, refused, vec![priced], priced_out].concat();
    let found = found.into_iter().chain([looked_up, unknown, described, role]);
    for ((what, on_grid, expected), (took, reason)) in [
        ("a new question", true, ""),
        ("a stored answer", true, ""),
        ("above the budget", true, "budget-exceeded"),
        ("a condition beyond the codes", true, "filter-out-of-range"),
        ("denied", false, "dimension-not-granted"),
        ("garbage", false, "malformed"),
        ("a price", true, ""),
        ("no price for a condition beyond the codes", true, "filter-out-of-range"),
        ("no price for what is denied", false, "dimension-not-granted"),
        ("a release", true, ""),
        ("no release", false, "release-unknown"),
        ("a description", false, ""),
        ("an auditor", false, "role"),
    ]
    .into_iter()
    .zip(found)
    {
        assert_eq!(reason, expected, "{what}");
        assert_eq!(took >= Duration::from_millis(STEP_MS), on_grid, "{what} took {took:?}");
    }
}

#[tokio::test]
async fn a_source_that_fails_or_is_late_is_answered_on_the_grid_and_dated_by_the_arrival() {
    const STEP: Duration = Duration::from_millis(500);
    let world = TestRegion::new();
    let office = office_on(&world, 500, &Policy::of("GHA")).await;
    let analyst = world.analyst();
    for (number, (mode, work, steps, expected)) in [
        (Mode::Open, Duration::ZERO, 1, ""),
        (Mode::Open, STEP * 6 / 5, 2, ""),
        (Mode::Fail { rows_were_read: false }, Duration::ZERO, 1, "unavailable"),
        (Mode::Fail { rows_were_read: true }, Duration::ZERO, 1, "unavailable"),
        (Mode::Fail { rows_were_read: true }, STEP * 6 / 5, 2, "unavailable"),
    ]
    .into_iter()
    .enumerate()
    {
        office.gate.set(Mode::Shut);
        let came_at = world.clock.get();
        let reading = async {
            office.gate.reached().await;
            tokio::time::sleep(work).await;
            world.clock.advance(7);
            office.gate.set(mode);
        };
        let text = persons("by sex", &format!("0.{}", number + 1));
        let ((took, answer), ()) = tokio::join!(timed(analyst.ask(&office, &text)), reading);
        assert!(took >= STEP * steps, "{mode:?} after {work:?} took {took:?}");
        let dated = match &answer {
            Ok(answer) => answer.statement.basics.time,
            Err(failed) => failed.signed.as_ref().unwrap().time,
        };
        assert_eq!(i64::try_from(dated).unwrap(), came_at, "{mode:?} after {work:?}");
        assert_eq!(reason(answer), expected);
    }
}

#[tokio::test]
async fn nobody_sees_that_a_release_is_stored_before_it_has_left() {
    const STEP_MS: u64 = 3_000;
    let world = TestRegion::new();
    let office = office_on(&world, STEP_MS, &Policy::of("GHA")).await;
    let analyst = world.analyst();
    let counts = "lango-query 1\ndataset residents\nmeasure rows(income)\nby sex\nprice epsilon 50\n";
    let mean = counts.replace("rows(income)", "mean(income)").replace("epsilon 50", "epsilon 1");
    let divides =
        |estimate: lango_wire::pb::Estimate| estimate.plan.parse::<PlanText>().unwrap().earlier.len();
    let meanwhile = async {
        let stored = async {
            while office.ledger().releases == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), stored).await.expect("the release is stored");
        tokio::join!(analyst.estimate(&office, counts), analyst.estimate(&office, &mean))
    };
    let (answer, (price, of_mean)) = tokio::join!(analyst.ask(&office, counts), meanwhile);
    assert!(!answer.unwrap().repeated);
    assert!(!price.unwrap().repeated);
    assert_eq!(divides(of_mean.unwrap()), 0);
    let (price, of_mean) = tokio::join!(analyst.estimate(&office, counts), analyst.estimate(&office, &mean));
    assert!(price.unwrap().repeated);
    assert_eq!(divides(of_mean.unwrap()), 1);
}

#[tokio::test]
async fn who_asks_the_same_at_another_moment_sees_no_finer_than_the_grid() {
    const STEP: Duration = Duration::from_millis(1_000);
    let world = TestRegion::new();
    let office = office_on(&world, 1_000, &Policy::of("GHA")).await;
    let analyst = world.analyst();
    let text = persons("by sex", "1");
    office.gate.set(Mode::Shut);
    let began = Instant::now();
    let at = async |elapsed: Duration| tokio::time::sleep(elapsed.saturating_sub(began.elapsed())).await;
    let first = timed(analyst.ask(&office, &text));
    let second = async {
        at(STEP / 2).await;
        let (took, answer) = timed(analyst.ask(&office, &text)).await;
        (took, began.elapsed(), answer)
    };
    // Ready just after a step of the first, which leaves at its next, and before one of the second.
    let reading = async {
        office.gate.reached().await;
        at(STEP * 11 / 10).await;
        office.gate.set(Mode::Open);
    };
    let ((first_took, first), (second_took, second_left, second), ()) = tokio::join!(first, second, reading);
    assert!(!first.unwrap().repeated && second.unwrap().repeated);
    assert!(first_took >= STEP * 2, "{first_took:?}");
    assert!(second_took >= STEP * 2 && second_left >= STEP * 5 / 2, "{second_took:?}: {second_left:?}");
    // What is stored and has left is not waited for: many who ask for it do not stand in line.
    let again = || timed(async { analyst.ask(&office, &text).await.unwrap().repeated });
    for (took, repeated) in at_once([(); 6].map(|()| again())).await {
        assert!(repeated && took < STEP * 2, "{took:?}");
    }
}

#[tokio::test]
async fn who_is_refused_by_the_ledger_holds_up_nobody_who_asks_the_same() {
    const STEP: Duration = Duration::from_millis(1_000);
    let world = TestRegion::new();
    let to = |name: &str| format!("spiffe://ecowas.example/analyst/{name}");
    let grant = |id: &str, name: &str, total: &str| TestGrant {
        id: id.to_owned(),
        to: to(name),
        ..TestGrant::of("1", total)
    };
    let policy = Policy::of("GHA").grants([grant("poor", "kofi", "1"), grant("rich", "awa", "10")]);
    let office = office_on(&world, 1_000, &policy).await;
    let (awa, kofi) = (world.analyst(), world.caller(lango_identity::Role::Analyst, "kofi"));
    kofi.ask(&office, &persons("by", "1")).await.unwrap();
    let text = persons("by sex", "1");
    let refused = at_once([(); 6].map(|()| async { reason(kofi.ask(&office, &text).await) }));
    let asked = async {
        tokio::time::sleep(STEP / 4).await;
        timed(async { reason(awa.ask(&office, &text).await) }).await
    };
    let (refused, (took, answered)) = tokio::join!(refused, asked);
    assert_eq!((refused, answered.as_str()), (vec!["budget-exceeded".to_owned(); 6], ""));
    assert!(took < STEP * 2, "{took:?}");
}

#[tokio::test]
async fn a_release_is_to_be_seen_after_its_step_though_its_asker_went_away() {
    let world = TestRegion::new();
    let office = office_on(&world, 200, &Policy::of("GHA")).await;
    let analyst = world.analyst();
    let text = persons("by sex", "1");
    office.gate.set(Mode::Shut);
    tokio::select! {
        _ = analyst.ask(&office, &text) => panic!("the gate is shut"),
        () = office.gate.reached() => office.gate.set(Mode::Open),
    }
    // Bounded: an answer that is never shown would be asked for until the test is stopped.
    let deadline = Instant::now() + Duration::from_secs(30);
    while !analyst.estimate(&office, &text).await.unwrap().repeated {
        assert!(Instant::now() < deadline, "the release is held for ever");
    }
    assert!(analyst.ask(&office, &text).await.unwrap().repeated);
}
