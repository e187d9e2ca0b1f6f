//! A grant shows some figures and hides others; what is hidden stays in the office, and costs the same.

use lango_identity::Role;
use lango_store::{Location, Store};
use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion, persons};
use lango_wire::VerifiedRelease;

use crate::replays::{query, signed};

/// An office whose first grant has a rule, and whose second, to kofi alone, shows all.
async fn started(world: &TestRegion, name: &str, rule: &str) -> Office {
    let awa = TestGrant {
        id: "some".to_owned(),
        to: "spiffe://ecowas.example/analyst/awa".to_owned(),
        measures: "[\"persons\", \"rows(income)\", \"mean(income)\"]".to_owned(),
        more: format!("shown_if = {{ {rule} }}"),
        ..TestGrant::of("1", "5")
    };
    let all = TestGrant { id: "all".to_owned(), ..TestGrant::of("1", "5") };
    let text = Policy::of(name)
        .budget("accounting = \"pure\"\nepsilon = 10\nrenews = \"never\"")
        .grants([awa, all])
        .text();
    let mut office = Office::prepare(world, name, &Policy::of(name), &Register::sample(5));
    office.write_policy(&text);
    office.up().await.unwrap();
    office
}

/// The places of the integers that are hidden.
fn hidden(answer: &VerifiedRelease) -> Vec<usize> {
    let hidden = answer.hidden.as_ref().expect("a rule");
    (0..answer.cells.len()).filter(|place| hidden.contains(*place)).collect()
}

/// The noisy integers as the office stored them.
async fn stored(office: &Office, release: [u8; 16]) -> Vec<i64> {
    let store = Store::open(&Location::File(office.store())).await.unwrap();
    let cells = store.release(&release).await.unwrap().unwrap().cells;
    store.close().await;
    cells
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_grant_hides_never_leaves_and_costs_the_same() {
    let world = TestRegion::new();
    let office = started(&world, "GHA", "count = 3").await;
    let (awa, kofi) = (world.analyst(), world.caller(Role::Analyst, "kofi"));
    let question = persons("by sex", "1");

    let price = awa.estimate(&office, &question).await.unwrap();
    let payload = price.envelope.unwrap().payload;
    assert!(payload.windows(7).any(|bytes| bytes == b"count 3"), "it is known before it is paid for");
    let answer = awa.ask(&office, &question).await.unwrap();
    assert_eq!(office.ledger().pure_nano(""), 1_000_000_000);
    let whole = stored(&office, answer.statement.release_id).await;
    let expected: Vec<usize> = (0..whole.len()).filter(|place| whole[*place] < 3).collect();
    assert_eq!(hidden(&answer), expected);
    let shown = |place: usize| if expected.contains(&place) { 0 } else { whole[place] };
    assert_eq!(answer.cells, (0..whole.len()).map(shown).collect::<Vec<_>>());
    assert_eq!(answer.statement.hidden.unwrap().shown_if, "count 3".parse().unwrap());

    // Asked again, and by its identifier: the same.
    let again = awa.ask(&office, &question).await.unwrap();
    let fetched = awa.fetch(&office, answer.statement.release_id).await.unwrap();
    for other in [again, fetched] {
        assert_eq!((&other.cells, hidden(&other)), (&answer.cells, expected.clone()));
    }
    // Whom another grant shows all sees all of the same release.
    let all = kofi.ask(&office, &question).await.unwrap();
    assert_eq!((all.repeated, &all.cells, all.hidden), (true, &whole, None));
    assert_eq!(all.statement.release_id, answer.statement.release_id);
    assert_eq!(office.ledger().pure_nano(""), 1_000_000_000, "charged once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_gets_the_same_bytes_with_the_same_figures_hidden() {
    let world = TestRegion::new();
    let office = started(&world, "GHA", "count = 1000000").await;
    let awa = world.analyst();
    let envelope = signed(&awa, &office, &persons("by sex", "1"));
    let first = query(&awa, &office, &envelope).await.unwrap();
    let second = query(&awa, &office, &envelope).await.unwrap();
    assert_eq!(first, second);
    assert!(first.cells.iter().all(|cell| *cell == 0), "nothing is as many as a million");
    assert_eq!(first.hidden, vec![0b1111]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mean_is_hidden_where_the_counts_are_that_it_is_divided_by() {
    let world = TestRegion::new();
    let office = started(&world, "GHA", "count = 3").await;
    let awa = world.analyst();
    let rows = "lango-query 1\ndataset residents\nmeasure rows(income)\nby sex\nprice epsilon 1\n".to_owned();
    let counts = awa.ask(&office, &rows).await.unwrap();
    let mean = awa.ask(&office, &rows.replace("rows(income)", "mean(income)")).await.unwrap();
    assert_eq!(mean.earlier.len(), 1, "it is divided by what was released");
    assert_eq!((hidden(&mean.earlier[0]), hidden(&mean)), (hidden(&counts), hidden(&counts)));
}
