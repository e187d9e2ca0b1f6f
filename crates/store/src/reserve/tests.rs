//! Charges, releases and failures through a real database, also after it is opened again.

use lango_ledger::Holder;

use super::*;
use crate::{
    Decision, Settled, Stored,
    fixture::{Engine, FREE, Fixture, account, ask, on_both_engines, record, release},
};

on_both_engines! {
    a_charge_outlives_the_process_and_a_retry_resumes_it,
    an_account_that_does_not_cover_a_loss_changes_nothing,
    a_failure_gives_back_only_what_never_touched_a_row,
    many_at_once_never_overspend,
    a_budget_that_renews_otherwise_remembers_what_was_charged_since_the_period_began,
    records_are_numbered_without_gaps,
    a_secret_is_made_once_by_the_first_that_comes,
    releases_of_a_version_are_listed_newest_first_without_their_figures,
}

async fn a_charge_outlives_the_process_and_a_retry_resumes_it(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let first = fixture.held(1, 4).await;
    assert_eq!((first.charged, fixture.charged().await), (Loss::pure(4), (4, 4)));
    let fixture = fixture.reopen().await;
    // Another plan is offered, the first one is followed.
    let again = fixture.held(1, 5).await;
    assert_eq!(again, HeldCharge { charged: FREE, ..first.clone() });
    assert_eq!(fixture.charged().await, (4, 4));
    let settled = fixture.store.settle(again.id, &release(1), &record(Decision::Released)).await.unwrap();
    assert_eq!(settled, Settled::Stored);
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.reserve(1, 4).await, Reserved::Stored);
    assert_eq!(fixture.store.find(&ask(1, FREE).key).await.unwrap(), Some(release(1)));
    assert_eq!(fixture.store.release(&[1; 16]).await.unwrap(), Some(release(1)));
    assert_eq!(fixture.store.release(&[2; 16]).await.unwrap(), None);
    assert_eq!(fixture.charged().await, (4, 4));
}

async fn an_account_that_does_not_cover_a_loss_changes_nothing(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.held(1, 4).await;
    // The pool would cover 3 more, the grant's share only 2.
    assert!(matches!(
        fixture.reserve(2, 3).await,
        Reserved::Refused(ChargeRefusal::BudgetExceeded { holder: Holder::Grant(_), .. })
    ));
    assert_eq!(fixture.charged().await, (4, 4));
    fixture.held(3, 2).await;
    assert_eq!(fixture.charged().await, (6, 6));
}

async fn a_failure_gives_back_only_what_never_touched_a_row(engine: Engine) {
    for (rows_were_read, resumed, left) in
        [(true, false, (4, 4)), (false, false, (0, 0)), (false, true, (4, 4))]
    {
        let fixture = Fixture::new(engine).await;
        let mut held = fixture.held(1, 4).await;
        if resumed {
            held = fixture.held(1, 4).await;
        }
        fixture
            .store
            .fail(held.id, &crate::fixture::accounts(), rows_were_read, &record(Decision::Failed))
            .await
            .unwrap();
        assert_eq!(fixture.charged().await, left, "read {rows_were_read}, resumed {resumed}");
        // Whatever happened, the question can be asked again, and is charged once.
        fixture.held(1, 4).await;
        assert_eq!(fixture.charged().await, (4, 4));
    }
}

async fn many_at_once_never_overspend(engine: Engine) {
    let fixture = Fixture::new(engine).await;
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

async fn a_budget_that_renews_otherwise_remembers_what_was_charged_since_the_period_began(engine: Engine) {
    let fixture = Fixture::new(engine).await;
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
        assert!(refused, "{period}: the share covers 6 only");
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

async fn records_are_numbered_without_gaps(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.held(1, 4).await;
    fixture.reserve(2, 9).await;
    fixture.store.append(&record(Decision::Refused), None).await.unwrap();
    let recorded = fixture.decisions().await;
    assert_eq!(recorded, [(1, "reserved".to_owned()), (2, "refused".to_owned())]);
}

async fn a_secret_is_made_once_by_the_first_that_comes(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let other = fixture.place.open().await;
    let stores = [fixture.store.clone(), other];
    let made = (0..16u8).map(|fresh| {
        let store = stores[usize::from(fresh % 2)].clone();
        tokio::spawn(
            async move { store.bounding_secret("residents", "1", [fresh; 32], None, 0).await.unwrap() },
        )
    });
    let mut secrets = std::collections::BTreeSet::new();
    for task in made.collect::<Vec<_>>() {
        secrets.insert(task.await.unwrap());
    }
    assert_eq!(secrets.len(), 1);
    let first = *secrets.first().unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.bounding_secret("residents", "1", [99; 32], None, 0).await.unwrap(), first);
    assert_eq!(fixture.store.bounding_secret("residents", "2", [99; 32], None, 0).await.unwrap(), [99; 32]);
}

async fn releases_of_a_version_are_listed_newest_first_without_their_figures(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    // Neither what has no counts nor what is longer than a release of counts is read.
    let long = format!("measure rows(age) {}", "x".repeat(9_000));
    let (counts, others) = ("measure rows(age)", "measure sum(age)");
    for (at, query) in [(1, counts), (2, counts), (3, counts), (4, others), (5, long.as_str())] {
        let reserve = Reserve { query: query.to_owned(), ..ask(at, Loss::pure(1)) };
        let reserved = fixture.store.reserve(&reserve, &record(Decision::Reserved)).await.unwrap();
        let Reserved::Held(held) = reserved else { panic!("{reserved:?}") };
        let release = Stored { release_id: [at; 16], ..release(at) };
        fixture.store.settle(held.id, &release, &record(Decision::Released)).await.unwrap();
    }
    fixture.held(6, 1).await;
    let made = fixture.store.releases_of("residents", "1", 4).await.unwrap();
    let made: Vec<_> = made.iter().map(|made| (made.release_id[0], made.query.as_str())).collect();
    assert_eq!(made, [(3, counts), (2, counts)]);
    assert!(fixture.store.releases_of("residents", "2", 2).await.unwrap().is_empty());
    assert!(fixture.store.releases_of("visas", "1", 2).await.unwrap().is_empty());
}
