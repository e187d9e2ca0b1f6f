//! Charges follow their rows into other pools, in the database as in `ledger`'s own table of edits.

use lango_ledger::{Account, Holder, PoolsError};
use lango_privacy::Loss;

use super::*;
use crate::{
    Decision, Reserve, Reserved,
    fixture::{Engine, Fixture, account, ask, on_both_engines, record},
};

on_both_engines! {
    charges_follow_a_renamed_dataset_and_count_for_every_grant,
    an_edit_that_would_give_budget_back_changes_nothing,
    a_gateway_with_the_old_policy_charges_no_pool_that_was_moved,
}

fn declared(pool: &str, dataset: &str, table: &str) -> DeclaredMember {
    let rows_from = format!("register/{table}");
    let member = PoolMember { pool: pool.into(), dataset: dataset.into(), rows_from };
    DeclaredMember { member, has_group: pool != dataset }
}

fn of(pool: &str, holder: Holder) -> Account {
    Account { pool: pool.into(), ..account(holder) }
}

fn reserve(query: u8, nano: u64, declared: &DeclaredMember) -> Reserve {
    let mut reserve = ask(query, Loss::pure(nano));
    reserve.member = declared.member.clone();
    for charge in [&mut reserve.pool, &mut reserve.share] {
        charge.account.pool = declared.member.pool.clone();
    }
    reserve
}

async fn charges_follow_a_renamed_dataset_and_count_for_every_grant(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.held(1, 4).await;
    let share = Holder::Grant("analysts".into());
    // Each start renames something else.
    for (pool, dataset, table) in [
        ("people", "people", "residents"),
        ("people", "people", "residents_2025"),
        ("census", "people", "residents_2025"),
        ("people", "people", "residents"),
    ] {
        let edited = declared(pool, dataset, table);
        for _ in 0..2 {
            fixture.store.declare(std::slice::from_ref(&edited), None, None).await.unwrap();
            for holder in [Holder::Pool, share.clone()] {
                let balance = fixture.store.balance(&of(pool, holder)).await.unwrap();
                assert_eq!(balance.pure_nano, Some(4), "{pool} {dataset} {table}");
            }
        }
        let refused =
            fixture.store.reserve(&reserve(2, 7, &edited), &record(Decision::Reserved)).await.unwrap();
        assert!(matches!(refused, Reserved::Refused(_)), "{refused:?}");
    }
    // Its question is resumed in its new pool.
    let edited = declared("people", "people", "residents");
    let resumed = fixture.store.reserve(&reserve(1, 4, &edited), &record(Decision::Reserved)).await.unwrap();
    assert!(matches!(resumed, Reserved::Held(held) if held.charged == crate::fixture::FREE));
    let moved = fixture.store.declare(&[crate::fixture::declared()], None, None).await.unwrap();
    assert_eq!(moved, [Moved { from: "people".into(), to: "residents".into() }]);
    assert_eq!(fixture.charged().await, (4, 4));
}

async fn an_edit_that_would_give_budget_back_changes_nothing(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (one, other) = (declared("g", "residents", "residents"), declared("g", "visas", "visas"));
    fixture.store.declare(&[one.clone(), other.clone()], None, None).await.unwrap();
    for (query, member) in [(1, &one), (2, &other)] {
        let held =
            fixture.store.reserve(&reserve(query, 3, member), &record(Decision::Reserved)).await.unwrap();
        assert!(matches!(held, Reserved::Held(_)), "{held:?}");
    }
    let apart = [declared("residents", "residents", "residents"), declared("visas", "visas", "visas")];
    let refused = fixture.store.declare(&apart, None, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Pools(PoolsError::Split { .. })), "{refused}");
    assert_eq!(fixture.store.balance(&of("g", Holder::Pool)).await.unwrap().pure_nano, Some(6));
    assert!(fixture.store.declare(&[one, other], None, None).await.unwrap().is_empty());
}

async fn a_gateway_with_the_old_policy_charges_no_pool_that_was_moved(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.held(1, 4).await;
    let other = fixture.place.open().await;
    other.declare(&[declared("people", "people", "residents")], None, None).await.unwrap();
    assert_eq!(fixture.reserve(2, 1).await, Reserved::Moved);
    assert_eq!(other.balance(&of("people", Holder::Pool)).await.unwrap().pure_nano, Some(4));
}
