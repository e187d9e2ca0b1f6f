//! Charges, releases and failures through a real file, also after it is opened again.

use lango_privacy::Accounting;

use super::*;
use crate::{Decision, Location, Stored};

const FREE: Loss = Loss { pure_nano: Some(0), rho_nano: 0, delta_e18: 0 };

fn account(holder: Holder) -> Account {
    Account { dataset: "residents".into(), holder, period: "2026".into(), since: 1_767_225_600 }
}

fn ask(query: u8, loss: Loss) -> Reserve {
    let charge = |holder, amount_nano| Charge {
        account: account(holder),
        limit: Limit { accounting: Accounting::Pure, amount_nano },
    };
    Reserve {
        key: ReleaseKey { query_digest: [query; 32], dataset_version: "1".into(), terms_digest: [9; 32] },
        query: format!("question {query}"),
        plan: format!("plan of {}", loss.rho_nano),
        loss,
        pool: charge(Holder::Pool, 10),
        share: charge(Holder::Grant("analysts".into()), 6),
    }
}

fn record(decision: Decision) -> Record {
    Record {
        at: 1_800_000_000,
        principal: "spiffe://ecowas.example/analyst/awa".into(),
        purpose: "official-statistics".into(),
        request_digest: [1; 32],
        query_digest: None,
        dataset: None,
        decision,
        reason: String::new(),
        rule: None,
        policy_digest: [2; 32],
        charged: FREE,
        release_id: None,
    }
}

fn release(id: u8) -> Stored {
    Stored {
        release_id: [id; 16],
        dataset_version: "1".into(),
        query: "question 1".into(),
        plan: format!("plan of {}", Loss::pure(4).rho_nano),
        layout: "margin persons by\n".into(),
        cells: vec![i64::MIN, -1, 0, i64::MAX],
        loss: Loss::pure(4),
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    store: Store,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::File(folder.path().join("ledger.sqlite"))).await.unwrap();
        Self { folder, store }
    }

    async fn reopen(self) -> Self {
        self.store.close().await;
        let store = Store::open(&Location::File(self.folder.path().join("ledger.sqlite"))).await.unwrap();
        Self { folder: self.folder, store }
    }

    async fn reserve(&self, query: u8, nano: u64) -> Reserved {
        self.store.reserve(&ask(query, Loss::pure(nano)), &record(Decision::Reserved)).await.unwrap()
    }

    async fn held(&self, query: u8, nano: u64) -> Held {
        match self.reserve(query, nano).await {
            Reserved::Held(held) => held,
            other => panic!("{other:?}"),
        }
    }

    async fn charged(&self) -> (u64, u64) {
        let pool = self.store.balance(&account(Holder::Pool)).await.unwrap();
        let share = self.store.balance(&account(Holder::Grant("analysts".into()))).await.unwrap();
        (pool.pure_nano.unwrap(), share.pure_nano.unwrap())
    }
}

#[tokio::test]
async fn a_charge_outlives_the_process_and_a_retry_resumes_it() {
    let fixture = Fixture::new().await;
    let first = fixture.held(1, 4).await;
    assert_eq!((first.charged, fixture.charged().await), (Loss::pure(4), (4, 4)));
    let fixture = fixture.reopen().await;
    // Another plan is offered, the first one is followed.
    let again = fixture.held(1, 5).await;
    assert_eq!(again, Held { charged: FREE, ..first.clone() });
    assert_eq!(fixture.charged().await, (4, 4));
    fixture.store.settle(again.id, &release(1), &record(Decision::Released)).await.unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.reserve(1, 4).await, Reserved::Stored);
    assert_eq!(fixture.store.find(&ask(1, FREE).key).await.unwrap(), Some(release(1)));
    assert_eq!(fixture.store.release(&[1; 16]).await.unwrap(), Some(release(1)));
    assert_eq!(fixture.store.release(&[2; 16]).await.unwrap(), None);
    assert_eq!(fixture.charged().await, (4, 4));
}

#[tokio::test]
async fn an_account_that_cannot_bear_a_loss_changes_nothing() {
    let fixture = Fixture::new().await;
    fixture.held(1, 4).await;
    // The pool would bear 3 more, the grant's share only 2.
    assert!(matches!(
        fixture.reserve(2, 3).await,
        Reserved::Refused(Refusal::BudgetExceeded { holder: Holder::Grant(_), .. })
    ));
    assert_eq!(fixture.charged().await, (4, 4));
    fixture.held(3, 2).await;
    assert_eq!(fixture.charged().await, (6, 6));
}

#[tokio::test]
async fn a_failure_gives_back_only_what_never_touched_a_row() {
    for (rows_were_read, resumed, left) in
        [(true, false, (4, 4)), (false, false, (0, 0)), (false, true, (4, 4))]
    {
        let fixture = Fixture::new().await;
        let mut held = fixture.held(1, 4).await;
        if resumed {
            held = fixture.held(1, 4).await;
        }
        fixture.store.fail(held.id, rows_were_read, &record(Decision::Failed)).await.unwrap();
        assert_eq!(fixture.charged().await, left, "read {rows_were_read}, resumed {resumed}");
        // Whatever happened, the question can be asked again, and is charged once.
        fixture.held(1, 4).await;
        assert_eq!(fixture.charged().await, (4, 4));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_never_overspend() {
    let fixture = Fixture::new().await;
    let tasks = (0..40u8).map(|query| {
        let store = fixture.store.clone();
        tokio::spawn(async move {
            store.reserve(&ask(query, Loss::pure(1)), &record(Decision::Reserved)).await.unwrap()
        })
    });
    let mut held = 0;
    for task in tasks.collect::<Vec<_>>() {
        held += u32::from(matches!(task.await.unwrap(), Reserved::Held(_)));
    }
    assert_eq!((held, fixture.charged().await), (6, (6, 6)));
}

#[tokio::test]
async fn a_budget_that_renews_otherwise_remembers_what_was_charged_since_the_period_began() {
    let fixture = Fixture::new().await;
    fixture.held(1, 4).await;
    // (period, its beginning, what was charged since)
    for (period, since, charged) in
        [("", 0, 4), ("2026", 1_767_225_600, 4), ("2027-02", 1_801_440_000, 0), ("2027-Q1", 1_798_761_600, 4)]
    {
        let account = Account { period: period.into(), since, ..account(Holder::Pool) };
        assert_eq!(fixture.store.balance(&account).await.unwrap().pure_nano, Some(charged), "{period}");
        let mut ask = ask(9, Loss::pure(10));
        ask.pool.account = account;
        let refused = matches!(
            fixture.store.reserve(&ask, &record(Decision::Reserved)).await.unwrap(),
            Reserved::Refused(_)
        );
        assert!(refused, "{period}: the share bears 6 only");
    }
    // There and back again: what is charged under one renewal counts under the other.
    let mut yearly = ask(2, Loss::pure(1));
    yearly.pool.account.period = "never".into();
    yearly.pool.account.since = 0;
    assert!(matches!(
        fixture.store.reserve(&yearly, &record(Decision::Reserved)).await.unwrap(),
        Reserved::Held(_)
    ));
    assert_eq!(fixture.charged().await, (5, 5));
}

#[tokio::test]
async fn records_are_numbered_without_gaps() {
    let fixture = Fixture::new().await;
    fixture.held(1, 4).await;
    fixture.reserve(2, 9).await;
    fixture.store.append(&record(Decision::Refused)).await.unwrap();
    let records = fixture.store.records(0, 10).await.unwrap();
    let told: Vec<_> = records.iter().map(|entry| (entry.sequence, entry.decision.as_str())).collect();
    assert_eq!(told, [(1, "reserved"), (2, "refused")]);
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused() {
    for found in [3, 0, -1, i64::MAX] {
        let fixture = Fixture::new().await;
        let sql = "UPDATE schema_version SET version = ?";
        sqlx::query(sql).bind(found).execute(fixture.store.reader()).await.unwrap();
        fixture.store.close().await;
        let error =
            Store::open(&Location::File(fixture.folder.path().join("ledger.sqlite"))).await.unwrap_err();
        assert!(matches!(error, crate::StoreError::Schema { found: told } if told == found), "{error}");
    }
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_store_as_it_was() {
    let fixture = Fixture::new().await;
    // What the step makes is there already, so it cannot be taken.
    sqlx::query("UPDATE schema_version SET version = 1").execute(fixture.store.reader()).await.unwrap();
    fixture.store.close().await;
    for _ in 0..2 {
        let error =
            Store::open(&Location::File(fixture.folder.path().join("ledger.sqlite"))).await.unwrap_err();
        assert!(matches!(error, crate::StoreError::Database(_)), "{error}");
    }
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(fixture.folder.path().join("ledger.sqlite"));
    let left = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let version: i64 =
        sqlx::query_scalar("SELECT version FROM schema_version").fetch_one(&left).await.unwrap();
    assert_eq!(version, 1);
}

#[tokio::test]
async fn a_store_of_the_first_schema_is_brought_up_to_date_with_all_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let old = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let first = concat!(include_str!("../../migrations/1.sql"), "INSERT INTO schema_version VALUES (1);");
    sqlx::raw_sql(sqlx::AssertSqlSafe(first)).execute(&old).await.unwrap();
    sqlx::query("INSERT INTO account VALUES ('residents', '', '2026', 7, 1, 0)").execute(&old).await.unwrap();
    old.close().await;
    for _ in 0..2 {
        let store = Store::open(&Location::File(path.clone())).await.unwrap();
        assert_eq!(store.balance(&account(Holder::Pool)).await.unwrap().pure_nano, Some(7));
        store.bounding_secret("residents", "1", [3; 32], 0).await.unwrap();
        store.close().await;
    }
}

#[tokio::test]
async fn a_secret_is_made_once_whoever_comes_first() {
    let fixture = Fixture::new().await;
    let other = Store::open(&Location::File(fixture.folder.path().join("ledger.sqlite"))).await.unwrap();
    let stores = [fixture.store.clone(), other];
    let made = (0..16u8).map(|fresh| {
        let store = stores[usize::from(fresh % 2)].clone();
        tokio::spawn(async move { store.bounding_secret("residents", "1", [fresh; 32], 0).await.unwrap() })
    });
    let mut secrets = std::collections::BTreeSet::new();
    for task in made.collect::<Vec<_>>() {
        secrets.insert(task.await.unwrap());
    }
    assert_eq!(secrets.len(), 1);
    let first = *secrets.first().unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.bounding_secret("residents", "1", [99; 32], 0).await.unwrap(), first);
    assert_eq!(fixture.store.bounding_secret("residents", "2", [99; 32], 0).await.unwrap(), [99; 32]);
}

#[tokio::test]
async fn releases_of_a_version_are_told_newest_first_without_their_figures() {
    let fixture = Fixture::new().await;
    for query in 1..=3 {
        let held = fixture.held(query, 1).await;
        let release = Stored { release_id: [query; 16], ..release(query) };
        fixture.store.settle(held.id, &release, &record(Decision::Released)).await.unwrap();
    }
    fixture.held(4, 1).await;
    let told = fixture.store.releases_of("residents", "1", 2).await.unwrap();
    let told: Vec<_> = told.iter().map(|made| (made.release_id[0], made.query.as_str())).collect();
    assert_eq!(told, [(3, "question 3"), (2, "question 2")]);
    assert!(fixture.store.releases_of("residents", "2", 2).await.unwrap().is_empty());
    assert!(fixture.store.releases_of("visas", "1", 2).await.unwrap().is_empty());
}
