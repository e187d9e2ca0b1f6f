//! An office reviews questions before it answers them, and noisy answers before they leave.

use lango_gateway::{decided, review_name};
use lango_ledger::{ReviewEvent, ReviewState};
use lango_store::{Location, ReviewFilter, ReviewVerdict, Store, StoredReview};
use lango_testkit::{FailedCall, Office, Policy, Register, TestGrant, TestRegion, persons};

/// A grant with these lines, to one analyst; of a pool of 10.
fn policy(lines: &str) -> String {
    let grant = TestGrant { more: lines.to_owned(), ..TestGrant::of("1", "5") };
    Policy::of("GHA").budget("accounting = \"pure\"\nepsilon = 10\nrenews = \"never\"").grants([grant]).text()
}

async fn started(world: &TestRegion, lines: &str) -> Office {
    let mut office = Office::prepare(world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    office.write_policy(&policy(lines));
    office.up().await.unwrap();
    office
}

/// The only review of an office, after a decision on it where there is one: what `lango review` does.
async fn reviewed(office: &Office, event: Option<(ReviewEvent, &str)>) -> StoredReview {
    let store = Store::open(&Location::File(office.store())).await.unwrap();
    let mut examined = lango_store::Examined::readable(&Location::File(office.store())).await.unwrap();
    let [review] = &examined.reviews(&ReviewFilter { all: true, after: None, most: 9 }).await.unwrap()[..]
    else {
        panic!("one review")
    };
    let decided = match event {
        None => review.clone(),
        Some((event, why)) => {
            let verdict = ReviewVerdict { event, by: office.id.to_string(), why: why.to_owned() };
            let record = decided(&office.id, (1_800_000_000, [0; 32]));
            store.decide_review(&review.subject.id, &verdict, &record).await.unwrap()
        }
    };
    store.close().await;
    decided
}

fn refused(failed: FailedCall) -> (String, String, String) {
    let signed = failed.signed.unwrap();
    let fact = |name| signed.arguments.get(name).unwrap_or_default().to_owned();
    (signed.code.clone(), fact("review"), fact("why"))
}

fn decisions(office: &Office) -> Vec<String> {
    let shown = |decision: String, reason: &str| match reason {
        "" => decision,
        reason => format!("{decision} {reason}"),
    };
    office.records().into_iter().map(|record| shown(record.decision.clone(), &record.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_waits_until_the_office_has_approved_it() {
    let world = TestRegion::new();
    let office = started(&world, "review = \"required\"").await;
    let awa = world.analyst();
    let question = persons("by sex", "0.5");
    awa.estimate(&office, &question).await.unwrap();
    let (code, name, _) = refused(awa.ask(&office, &question).await.unwrap_err());
    assert_eq!(code, "review-waiting");
    assert_eq!(name, review_name(&reviewed(&office, None).await.subject.id));
    let waits = refused(awa.ask(&office, &question).await.unwrap_err());
    assert_eq!(waits, ("review-waiting".to_owned(), name.clone(), String::new()));
    assert_eq!(office.ledger().pure_nano(""), 0, "nothing is charged");

    reviewed(&office, Some((ReviewEvent::Rejected, "not in this form"))).await;
    let refusal = refused(awa.ask(&office, &question).await.unwrap_err());
    assert_eq!(refusal, ("review-rejected".to_owned(), name, "not in this form".to_owned()));

    reviewed(&office, Some((ReviewEvent::Approved, ""))).await;
    let answer = awa.ask(&office, &question).await.unwrap();
    assert!(!answer.repeated);
    assert_eq!(office.ledger().pure_nano(""), 500_000_000);
    assert!(awa.ask(&office, &question).await.unwrap().repeated);
    let fetched = awa.fetch(&office, answer.statement.release_id).await.unwrap();
    assert_eq!(fetched.cells, answer.cells);
    assert_eq!(
        decisions(&office),
        [
            "estimated",
            "reviewed waiting",
            "refused review-waiting",
            "refused review-waiting",
            "reviewed rejected",
            "refused review-rejected",
            "reviewed approved",
            "reserved",
            "released",
            "repeated",
            "repeated",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_charged_when_it_is_drawn_and_leaves_when_the_office_has_approved_it() {
    let world = TestRegion::new();
    let office = started(&world, "hold = true").await;
    let awa = world.analyst();
    let question = persons("by sex", "0.5");
    let (code, name, _) = refused(awa.ask(&office, &question).await.unwrap_err());
    assert_eq!((code.as_str(), office.ledger().pure_nano("")), ("answer-held", 500_000_000));
    // Neither asked again, nor by its identifier, nor as what another answer divides by.
    assert_eq!(refused(awa.ask(&office, &question).await.unwrap_err()).0, "answer-held");
    let held = reviewed(&office, None).await;
    assert_eq!((held.state, review_name(&held.subject.id)), (ReviewState::Held, name.clone()));
    let store = Store::open(&Location::File(office.store())).await.unwrap();
    let stored = store.find(&held.subject.key).await.unwrap().unwrap();
    store.close().await;
    assert_eq!(awa.fetch(&office, stored.release_id).await.unwrap_err().refusal(), "release-unknown");

    reviewed(&office, Some((ReviewEvent::Rejected, "too few were asked"))).await;
    let withheld = ("answer-withheld".to_owned(), name, "too few were asked".to_owned());
    assert_eq!(refused(awa.ask(&office, &question).await.unwrap_err()), withheld);

    reviewed(&office, Some((ReviewEvent::AnswerApproved, ""))).await;
    let answer = awa.ask(&office, &question).await.unwrap();
    assert_eq!((answer.repeated, &answer.cells), (true, &stored.cells));
    assert_eq!(awa.fetch(&office, stored.release_id).await.unwrap().cells, stored.cells);
    assert_eq!(office.ledger().pure_nano(""), 500_000_000, "charged once");
    assert_eq!(
        decisions(&office)[..4],
        ["reserved", "drawn", "reviewed held", "refused answer-held"],
        "what leaves is on record after what was drawn"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_divides_no_other_answer() {
    let world = TestRegion::new();
    let rows = TestGrant {
        more: "hold = true".to_owned(),
        measures: "[\"rows(income)\"]".to_owned(),
        ..TestGrant::of("1", "5")
    };
    let means = TestGrant {
        id: "means".to_owned(),
        measures: "[\"mean(income)\"]".to_owned(),
        ..TestGrant::of("1", "5")
    };
    let text = Policy::of("GHA")
        .budget("accounting = \"pure\"\nepsilon = 10\nrenews = \"never\"")
        .grants([rows, means])
        .text();
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    office.write_policy(&text);
    office.up().await.unwrap();
    let awa = world.analyst();
    let of = |measure: &str| {
        format!("lango-query 1\ndataset residents\nmeasure {measure}\nby sex\nprice epsilon 0.5\n")
    };
    let held = awa.ask(&office, &of("rows(income)")).await.unwrap_err();
    assert_eq!(held.refusal(), "answer-held");
    let alone = awa.ask(&office, &of("mean(income)")).await.unwrap();
    assert!(alone.earlier.is_empty(), "the mean has counts of its own");
    // Once it may leave, it serves: in a question that is not stored yet.
    reviewed(&office, Some((ReviewEvent::AnswerApproved, ""))).await;
    let other = of("mean(income)").replace("0.5", "0.4");
    assert_eq!(awa.ask(&office, &other).await.unwrap().earlier.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_above_a_price_wait_and_cheaper_ones_do_not() {
    let world = TestRegion::new();
    let office = started(&world, "review_above = 0.25").await;
    let awa = world.analyst();
    assert!(awa.ask(&office, &persons("by sex", "0.25")).await.is_ok());
    let dear = persons("by sex", "0.250000001");
    assert_eq!(awa.ask(&office, &dear).await.unwrap_err().refusal(), "review-waiting");
    // A price by precision is known with the plan.
    let precise = |half_width| {
        let price = format!("price precision {half_width} at 0.95 on persons by sex");
        persons("by sex", "1").replace("price epsilon 1", &price)
    };
    assert!(awa.ask(&office, &precise("100")).await.is_ok());
    assert_eq!(awa.ask(&office, &precise("8")).await.unwrap_err().refusal(), "review-waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_decides_anew_of_what_waits() {
    let world = TestRegion::new();
    let office = started(&world, "review = \"required\"").await;
    let awa = world.analyst();
    let question = persons("by sex", "0.5");
    awa.ask(&office, &question).await.unwrap_err();
    // The same in other words changes nothing.
    office.change(&format!("{}\n# as agreed\n", policy("review = \"required\""))).await.unwrap();
    assert_eq!(reviewed(&office, None).await.state, ReviewState::Waiting);
    reviewed(&office, Some((ReviewEvent::Approved, ""))).await;
    // What was approved is not approved under other terms.
    let other = policy("review = \"required\"").replace("regional-analysts", "analysts-of-the-region");
    office.change(&other).await.unwrap();
    assert_eq!(reviewed(&office, None).await.state, ReviewState::Lapsed);
    assert_eq!(awa.ask(&office, &question).await.unwrap_err().refusal(), "review-waiting");
    // Where nothing is reviewed any more, who asks is answered.
    office.change(&policy("")).await.unwrap();
    assert!(awa.ask(&office, &question).await.is_ok());
    assert!(decisions(&office).contains(&"reviewed lapsed".to_owned()));
}
