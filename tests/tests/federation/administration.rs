//! An office's administrators over the wire: who is served, what is shown, and what is decided once.

use lango_gateway::{ReviewFound, Travels, review_name};
use lango_identity::{PayloadType, Role};
use lango_ledger::ReviewState;
use lango_store::{Entry, StoredReview};
use lango_testkit::{Caller, FailedCall, Office, Policy, Register, TestGrant, TestRegion, persons};
use lango_wire::{Act, ReviewChoice, pb::administration_service_administer_response::Found};
use tonic::Code;

const SOME: Act = Act::Policy;

/// An office whose administrators are ama and kofi; its analysts' questions are reviewed.
async fn started(world: &TestRegion) -> Office {
    let grant =
        TestGrant { more: "review = \"required\"\nhold = true".to_owned(), ..TestGrant::of("1", "5") };
    let policy = Policy::of("GHA").grants([grant]);
    let mut office = Office::prepare(world, "GHA", &policy, &Register::sample(5));
    office.administrators.listed = ["ama", "kofi"].map(|name| world.id(Role::Administrator, name)).into();
    office.up().await.unwrap();
    office
}

fn administrator(world: &TestRegion, name: &str) -> Caller {
    world.caller(Role::Administrator, name)
}

fn of_records(dataset: Option<&str>, before: Option<i64>, most: u32) -> Act {
    Act::Records { since: 0, before, dataset: dataset.map(str::to_owned), principal: None, most }
}

fn refusal(failed: Result<Found, FailedCall>) -> String {
    failed.unwrap_err().refusal().to_owned()
}

async fn records(caller: &Caller, office: &Office, act: Act) -> (Vec<Entry>, bool) {
    let Found::Records(page) = caller.administer(office, act).await.unwrap() else { panic!("records") };
    (page.records.into_iter().map(|record| Entry::of_message(record).unwrap()).collect(), page.more)
}

async fn reviews(caller: &Caller, office: &Office, most: u32, after: Option<[u8; 16]>) -> Vec<StoredReview> {
    let act = Act::Reviews { all: true, most, after };
    let Found::Reviews(page) = caller.administer(office, act).await.unwrap() else { panic!("reviews") };
    page.reviews.into_iter().map(|review| StoredReview::of_message(review).unwrap()).collect()
}

async fn found(caller: &Caller, office: &Office, name: &str) -> Vec<ReviewFound> {
    let act = Act::Review { name: name.to_owned() };
    let Found::FoundReviews(found) = caller.administer(office, act).await.unwrap() else {
        panic!("one review")
    };
    found.reviews.into_iter().map(|review| ReviewFound::of_message(review).unwrap()).collect()
}

fn decide(review: [u8; 16], choice: ReviewChoice) -> Act {
    Act::Decide { review, choice, why: "as agreed".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrators_that_are_listed_are_served_and_nobody_else() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let (ama, yaw) = (administrator(&world, "ama"), administrator(&world, "yaw"));
    assert!(ama.administer(&office, SOME).await.is_ok());
    // One refusal for all others, administrators of other offices among them.
    for caller in [yaw, world.analyst(), world.caller(Role::Auditor, "ama")] {
        let failed = caller.administer(&office, SOME).await.unwrap_err();
        assert_eq!((failed.refusal(), failed.code), ("not-administrator", Code::PermissionDenied));
        assert!(failed.signed.unwrap().arguments.iter().next().is_none());
    }
    // A certificate of another authority, or one that is over, proves nothing.
    let other = administrator(&TestRegion::new(), "ama");
    let stranger = Caller::new(ama.tls.clone(), other.signer, world.region.clone(), world.clock.clone());
    let over = world.identity_of(&ama.id, world.lifetime(), world.past());
    for caller in [stranger, world.caller_with(&over)] {
        let failed = caller.administer(&office, SOME).await.unwrap_err();
        assert_eq!((failed.code, failed.signed), (Code::Unauthenticated, None));
    }
    // An act is for one office, and signed as an act.
    let elsewhere = ama.act(&world.id(Role::Office, "TGO"), SOME);
    let sent = ama.sign(PayloadType::Administration, elsewhere.encode());
    assert_eq!(refusal(ama.send_act(&office, &sent).await), "not-addressed");
    let as_question = ama.sign(PayloadType::Lookup, ama.act(&office.id, SOME).encode());
    let failed = ama.send_act(&office, &as_question).await.unwrap_err();
    assert_eq!(failed.code, Code::Unauthenticated);
    // No administrator asks questions.
    assert_eq!(ama.ask(&office, &persons("by sex", "0.5")).await.unwrap_err().refusal(), "role");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_act_is_done_once_and_shows_nothing_to_who_sends_it_again() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let ama = administrator(&world, "ama");
    for act in [Act::Ledger, of_records(None, None, 9), Act::Policy] {
        let word = act.word();
        let sent = ama.sign(PayloadType::Administration, ama.act(&office.id, act).encode());
        ama.send_act(&office, &sent).await.unwrap();
        let before = office.records().len();
        for caller in [&ama, &administrator(&world, "kofi"), &world.analyst()] {
            assert_eq!(refusal(caller.send_act(&office, &sent).await), "act-done", "{word}");
        }
        let records = office.records();
        assert_eq!(records.len(), before, "{word}");
        let last = records.last().unwrap();
        let on_record = (last.principal.as_str(), last.decision.as_str(), last.reason.as_str());
        assert_eq!(on_record, (ama.id.to_string().as_str(), "inspected", word));
    }
    // Nor with the same identifier.
    let first = ama.act(&office.id, Act::Ledger);
    let other = lango_wire::Administration { act: Act::Policy, ..first.clone() };
    let [first, other] = [first, other].map(|act| ama.sign(PayloadType::Administration, act.encode()));
    ama.send_act(&office, &first).await.unwrap();
    assert_eq!(refusal(ama.send_act(&office, &other).await), "request-id-reused");
    let old = lango_wire::Administration { expires_at: 1, issued_at: 0, ..ama.act(&office.id, Act::Ledger) };
    let old = ama.sign(PayloadType::Administration, old.encode());
    assert_eq!(refusal(ama.send_act(&office, &old).await), "time");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_approves_and_who_asked_is_answered() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let (ama, kofi, awa) = (administrator(&world, "ama"), administrator(&world, "kofi"), world.analyst());
    let question = persons("by sex", "0.5");
    assert_eq!(awa.ask(&office, &question).await.unwrap_err().refusal(), "review-waiting");
    let [waits] = &reviews(&ama, &office, 9, None).await[..] else { panic!("one review") };
    let id = waits.subject.id;
    let [shown] = &found(&ama, &office, &review_name(&id)).await[..] else { panic!("one review") };
    assert_eq!((&shown.review, &shown.lapses, shown.tables.len()), (waits, &None, 0));
    assert!(found(&ama, &office, "ffffffff").await.is_empty());

    // Nobody else decides, nor an administrator who has the asker's name.
    let analysts = awa.administer(&office, decide(id, ReviewChoice::ApproveQuestion)).await;
    assert_eq!(refusal(analysts), "not-administrator");
    let own = administrator(&world, "awa");
    assert_eq!(
        refusal(own.administer(&office, decide(id, ReviewChoice::ApproveQuestion)).await),
        "not-administrator"
    );
    assert_eq!(
        refusal(ama.administer(&office, decide([9; 16], ReviewChoice::ApproveQuestion)).await),
        "review-unknown"
    );

    let sent = ama.sign(
        PayloadType::Administration,
        ama.act(&office.id, decide(id, ReviewChoice::ApproveQuestion)).encode(),
    );
    let Found::Decided(stands) = ama.send_act(&office, &sent).await.unwrap() else { panic!("decided") };
    let stands = StoredReview::of_message(stands).unwrap();
    assert_eq!((stands.state, stands.why.as_str()), (ReviewState::Approved, "as agreed"));
    assert_eq!(stands.decided.unwrap().1, ama.id.to_string());
    assert_eq!(
        refusal(kofi.administer(&office, decide(id, ReviewChoice::ApproveQuestion)).await),
        "review-step"
    );

    // Another one sees the noisy answer, keeps it back, and the first act, sent again, changes nothing.
    assert_eq!(awa.ask(&office, &question).await.unwrap_err().refusal(), "answer-held");
    let [held] = &found(&kofi, &office, &review_name(&id)).await[..] else { panic!("one review") };
    assert_eq!((held.review.state, held.tables.len()), (ReviewState::Held, 1));
    kofi.administer(&office, decide(id, ReviewChoice::Reject)).await.unwrap();
    assert_eq!(refusal(ama.send_act(&office, &sent).await), "act-done");
    assert_eq!(awa.ask(&office, &question).await.unwrap_err().refusal(), "answer-withheld");
    let unseen = decide(id, ReviewChoice::ApproveQuestion);
    assert_eq!(refusal(ama.administer(&office, unseen).await), "review-step");
    ama.administer(&office, decide(id, ReviewChoice::ApproveAnswer)).await.unwrap();
    assert_eq!(awa.ask(&office, &question).await.unwrap().cells, held.tables[0].cells);
    let steps: Vec<_> = office
        .records()
        .into_iter()
        .filter(|record| record.decision == "reviewed")
        .map(|record| (record.principal.rsplit('/').next().unwrap().to_owned(), record.reason))
        .collect();
    let step = |by: &str, state: &str| (by.to_owned(), state.to_owned());
    assert_eq!(
        steps,
        [
            step("awa", "waiting"),
            step("ama", "approved"),
            step("awa", "held"),
            step("kofi", "withheld"),
            step("ama", "shown")
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_decides_on_a_question_of_their_own_name_or_against_the_policy_in_force() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let ama = administrator(&world, "ama");
    // Capitals make no other person.
    let analyst = world.caller(Role::Analyst, "Ama");
    let question = persons("by sex", "0.5");
    let grant = TestGrant {
        more: "review = \"required\"\nhold = true".to_owned(),
        to: analyst.id.to_string(),
        ..TestGrant::of("1", "5")
    };
    office.change(&Policy::of("GHA").grants([grant]).text()).await.unwrap();
    analyst.ask(&office, &question).await.unwrap_err();
    let [waits] = &reviews(&ama, &office, 9, None).await[..] else { panic!("one review") };
    for choice in [ReviewChoice::ApproveQuestion, ReviewChoice::ApproveAnswer, ReviewChoice::Reject] {
        let own = ama.administer(&office, decide(waits.subject.id, choice)).await;
        assert_eq!(refusal(own), "review-own");
    }
    let kofi = administrator(&world, "kofi");
    kofi.administer(&office, decide(waits.subject.id, ReviewChoice::ApproveQuestion)).await.unwrap();
    assert_eq!(analyst.ask(&office, &question).await.unwrap_err().refusal(), "answer-held");
    // Nor do they see the answer that waits; and what was seen is on record.
    let name = review_name(&waits.subject.id);
    for (caller, tables, reason) in
        [(&ama, 0, format!("review {name}")), (&kofi, 1, format!("review {name} and its answer"))]
    {
        assert_eq!(found(caller, &office, &name).await[0].tables.len(), tables);
        let (of_dataset, _) = records(&kofi, &office, of_records(Some("residents"), None, 1)).await;
        assert_eq!((of_dataset[0].decision.as_str(), &of_dataset[0].reason), ("inspected", &reason));
        assert_eq!(of_dataset[0].query_digest, Some(waits.subject.key.query_digest));
    }
    office.change(&Policy::of("GHA").grants([TestGrant::of("1", "5")]).text()).await.unwrap();
    let lapsed = kofi.administer(&office, decide(waits.subject.id, ReviewChoice::ApproveQuestion)).await;
    assert!(["review-lapses", "review-step"].contains(&refusal(lapsed).as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_long_comes_in_pages() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let (ama, awa) = (administrator(&world, "ama"), world.analyst());
    for epsilon in ["0.1", "0.2", "0.3"] {
        awa.ask(&office, &persons("by sex", epsilon)).await.unwrap_err();
    }
    let all = reviews(&ama, &office, 9, None).await;
    let [first, second, third] = &all[..] else { panic!("three reviews") };
    assert_eq!(reviews(&ama, &office, 1, None).await, std::slice::from_ref(first));
    let rest = reviews(&ama, &office, 2, Some(first.subject.id)).await;
    assert_eq!(rest, [second.clone(), third.clone()]);

    let (whole, more) = records(&ama, &office, of_records(Some("residents"), None, 200)).await;
    assert_eq!((whole.len(), more), (6, false), "a review and a refusal for each question");
    let (page, more) = records(&ama, &office, of_records(Some("residents"), None, 4)).await;
    assert_eq!((page.as_slice(), more), (&whole[..4], true));
    let before = page.last().map(|entry| entry.sequence);
    let (page, _) = records(&ama, &office, of_records(Some("residents"), before, 4)).await;
    assert_eq!(page, whole[4..]);
}
