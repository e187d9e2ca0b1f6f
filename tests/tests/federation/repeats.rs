//! The same question again: the same values, one charge.

use std::collections::BTreeSet;

use lango_identity::PayloadType;
use lango_testkit::{Mode, Office, Policy, Register, TestGrant, TestRegion, at_once, persons};
use lango_wire::VerifiedRelease;

/// With noise in 84 cells: values agree because they were stored, not by luck.
fn question() -> String {
    persons("by age,country_of_birth", "0.5")
}

const PRICE: i64 = 500_000_000;

/// Free, and otherwise as the first answer.
fn assert_repeats(again: &VerifiedRelease, first: &VerifiedRelease) {
    assert!(again.repeated);
    assert_eq!(again.charged.pure_nano, Some(0));
    assert_eq!(again.cells, first.cells);
    assert_eq!(again.plan, first.plan);
    assert_eq!(again.statement.release_id, first.statement.release_id);
    assert_eq!(again.statement.basics.loss, first.statement.basics.loss);
}

#[tokio::test]
async fn a_question_asked_again_costs_nothing() {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let (analyst, other) = (world.analyst(), world.caller(lango_identity::Role::Analyst, "kofi"));
    let first = analyst.ask(&office, &question()).await.unwrap();
    assert_eq!((first.repeated, first.charged.pure_nano), (false, Some(500_000_000)));
    let charged = office.ledger();
    assert_eq!(charged.pure_nano(""), PRICE);

    for asker in [&analyst, &other] {
        let again = asker.ask(&office, &question()).await.unwrap();
        assert_repeats(&again, &first);
        assert_ne!(again.statement.basics.request_digest, first.statement.basics.request_digest);
    }
    assert_eq!(office.ledger(), charged);

    office.down().await;
    office.up().await.unwrap();
    assert_repeats(&analyst.ask(&office, &question()).await.unwrap(), &first);
    assert_eq!(office.ledger(), charged);
    assert_eq!(office.gate.fetches(), 1, "the register was read once");
    let decisions: Vec<String> = office.records().into_iter().map(|record| record.decision).collect();
    assert_eq!(decisions, ["reserved", "released", "repeated", "repeated", "repeated"]);
}

#[tokio::test]
async fn eight_at_once_are_charged_once() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let analyst = world.analyst();
    let same = analyst.sign(PayloadType::Query, analyst.question(&[&office.id], &question()).encode());
    // Four byte-identical requests, four with their own identifiers.
    let envelopes: Vec<_> = (0..8)
        .map(|n| match n % 2 {
            0 => same.clone(),
            _ => analyst.sign(PayloadType::Query, analyst.question(&[&office.id], &question()).encode()),
        })
        .collect();
    office.gate.set(Mode::Shut);
    let asked = at_once(envelopes.iter().map(|envelope| analyst.send(&office, envelope)));
    let opened = async {
        office.gate.reached().await;
        office.gate.set(Mode::Open);
    };
    let (answers, ()) = tokio::join!(asked, opened);
    let answers: Vec<VerifiedRelease> = answers.into_iter().map(Result::unwrap).collect();
    let first = answers.iter().find(|answer| !answer.repeated).unwrap();
    let again: Vec<_> = answers.iter().filter(|answer| answer.repeated).collect();
    // The byte-identical ones are all answered as the first of them was, by a charge or by a repetition.
    assert!([4, 7].contains(&again.len()), "{}", again.len());
    again.iter().for_each(|again| assert_repeats(again, first));
    let same: Vec<_> = answers.iter().step_by(2).collect();
    assert!(same.iter().all(|answer| *answer == same[0]));
    let requests: BTreeSet<_> = answers.iter().map(|answer| answer.statement.basics.request_digest).collect();
    assert_eq!(requests.len(), 5);
    assert_eq!((office.ledger().pure_nano(""), office.gate.fetches()), (PRICE, 1));
}

#[tokio::test]
async fn an_edit_of_the_policy_redraws_noise_only_if_it_touches_the_terms() {
    let world = TestRegion::new();
    let policy = Policy::of("GHA");
    let mut office = Office::start(&world, &policy, &Register::sample(5)).await;
    let analyst = world.analyst();
    let first = analyst.ask(&office, &question()).await.unwrap();

    let other_grant = || TestGrant {
        id: "others".into(),
        to: "spiffe://ecowas.example/analyst/kofi".into(),
        ..TestGrant::of("1", "2")
    };
    for (edit, edited) in [
        ("title", Policy { title: "Another title".into(), ..policy.clone() }),
        ("another grant first", policy.clone().grants([other_grant(), TestGrant::default()])),
        (
            "a smaller pool",
            policy
                .clone()
                .budget("accounting = \"pure\"\nepsilon = 2\nrenews = \"never\"")
                .grants([TestGrant::of("1", "2")]),
        ),
    ] {
        office.restart(&edited).await;
        let again = analyst.ask(&office, &question()).await.unwrap();
        assert_repeats(&again, &first);
        assert_ne!(again.statement.basics.policy_digest, first.statement.basics.policy_digest, "{edit}");
        assert_eq!(office.ledger().pure_nano(""), PRICE, "{edit}");
    }

    for (edit, edited, releases) in [
        ("code list", Policy { countries: r#"["BEN", "GHA", "NGA"]"#.into(), ..policy.clone() }, 2),
        ("version", Policy { version: "2025-07-01".into(), ..policy.clone() }, 3),
    ] {
        office.restart(&edited).await;
        let fresh = analyst.ask(&office, &question()).await.unwrap();
        assert!(!fresh.repeated, "{edit}");
        assert_ne!(fresh.cells, first.cells, "{edit}");
        assert_ne!(fresh.statement.release_id, first.statement.release_id, "{edit}");
        assert_eq!(office.ledger().releases, releases, "{edit}");
        assert_eq!(office.ledger().pure_nano(""), PRICE * releases, "{edit}");
    }

    office.restart(&policy).await;
    assert_repeats(&analyst.ask(&office, &question()).await.unwrap(), &first);
}

#[tokio::test]
async fn a_charge_is_given_back_only_if_no_row_was_read() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let analyst = world.analyst();
    for (rows_were_read, charged, states) in
        [(false, 0, &["voided"][..]), (true, PRICE, &["voided", "spent"])]
    {
        office.gate.set(Mode::Fail { rows_were_read });
        let failed = analyst.ask(&office, &question()).await.unwrap_err();
        assert_eq!((failed.code, failed.refusal()), (tonic::Code::Unavailable, "unavailable"));
        assert_eq!(office.ledger().pure_nano(""), charged);
        assert_eq!(office.ledger().reservations, states);
        assert_eq!(office.records().last().unwrap().decision, "failed");
    }
    office.gate.set(Mode::Open);
    let retried = analyst.ask(&office, &question()).await.unwrap();
    assert_eq!((retried.repeated, retried.charged.pure_nano), (false, Some(0)));
    assert_eq!(office.ledger().pure_nano(""), PRICE);
    assert_repeats(&analyst.ask(&office, &question()).await.unwrap(), &retried);
}

#[tokio::test]
async fn an_asker_who_goes_away_leaves_no_question_half_done() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let analyst = world.analyst();
    office.gate.set(Mode::Shut);
    let text = question();
    tokio::select! {
        _ = analyst.ask(&office, &text) => panic!("the gate is shut"),
        () = office.gate.reached() => {}
    }
    office.gate.set(Mode::Open);
    let answer = analyst.ask(&office, &question()).await.unwrap();
    assert!(answer.repeated, "the first request was carried through");
    assert_eq!(office.ledger().pure_nano(""), PRICE);
}
