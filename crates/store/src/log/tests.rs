//! The log in the store: an entry for each record, in the transaction of what it records.

use lango_access_log::{Amount, LogEntry, LogEvent, RequestDecision};

use super::*;
use crate::{
    Decision,
    fixture::{Engine, Fixture, accounts, declared, on_both_engines, record, release},
    schema::Store,
};

on_both_engines! {
    every_record_is_an_entry_with_what_was_charged,
    a_charge_that_is_given_back_says_so,
    records_of_before_become_entries_that_say_so,
    tiles_and_checkpoints_are_kept_once,
}

async fn entries(store: &Store) -> Vec<LogEntry> {
    let leaves = store.leaves(0, 1_000).await.unwrap();
    leaves.iter().map(|leaf| LogEntry::read(leaf).unwrap()).collect()
}

async fn every_record_is_an_entry_with_what_was_charged(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let held = fixture.held(1, 4).await;
    fixture.store.settle(held.id, &release(6), &record(Decision::Released)).await.unwrap();
    fixture.held(2, 2).await;
    fixture.store.append(&record(Decision::Refused), None).await.unwrap();
    let entries = entries(&fixture.store).await;
    let records = fixture.store.records(0, 9).await.unwrap();
    assert_eq!(entries.len(), records.len());
    let mut balances = Vec::new();
    for (entry, record) in entries.iter().zip(&records) {
        let LogEvent::Request(request) = &entry.event else { panic!("{entry:?}") };
        let same = (entry.actor.principal.as_str(), entry.at, request.decision.word(), request.request.0);
        assert_eq!(same, (&*record.principal, record.at, &*record.decision, record.request_digest));
        balances.extend(request.charge.as_ref().map(|charge| {
            let pure = |loss: lango_access_log::LoggedLoss| loss.pure_nano.unwrap().0;
            let of = |account: &lango_access_log::LoggedAccount| {
                (account.name.clone(), pure(account.before), pure(account.after))
            };
            (of(&charge.pool), of(&charge.grant), pure(charge.loss))
        }));
    }
    let (pool, grant) = ("residents".to_owned(), "analysts".to_owned());
    assert_eq!(
        balances,
        [((pool.clone(), 0, 4), (grant.clone(), 0, 4), 4), ((pool, 4, 6), (grant, 4, 6), 2),]
    );
}

async fn a_charge_that_is_given_back_says_so(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let held = fixture.held(1, 4).await;
    fixture.store.fail(held.id, &accounts(), false, &record(Decision::Failed)).await.unwrap();
    let held = fixture.held(2, 3).await;
    fixture.store.fail(held.id, &accounts(), true, &record(Decision::Failed)).await.unwrap();
    let mut given_back = Vec::new();
    for entry in entries(&fixture.store).await {
        let LogEvent::Request(request) = entry.event else { panic!() };
        if request.decision == RequestDecision::Failed {
            given_back.push(request.given_back.map(|charge| {
                [charge.pool.before, charge.pool.after, charge.loss].map(|loss| loss.pure_nano)
            }));
        }
    }
    assert_eq!(given_back, [Some([Some(Amount(4)), Some(Amount(0)), Some(Amount(4))]), None]);
}

async fn records_of_before_become_entries_that_say_so(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.held(1, 4).await;
    fixture.store.append(&record(Decision::Described), None).await.unwrap();
    fixture.store.close().await;
    // As the version before left it.
    let mut other = fixture.place.connect().await;
    let back = [
        "UPDATE schema_version SET version = 9",
        "ALTER TABLE access_record DROP COLUMN leaf",
        "ALTER TABLE request DROP COLUMN answered_by",
        "DROP TABLE log_tile",
        "DROP TABLE log_checkpoint",
        "DROP TABLE policy_text",
    ];
    for sql in back {
        other.raw(sql).await.unwrap();
    }
    other.close().await.unwrap();
    let store = fixture.place.open().await;
    store.declare(&[declared()], None, None).await.unwrap();
    store.append(&record(Decision::Described), None).await.unwrap();
    let entries = entries(&store).await;
    let decisions: Vec<_> = entries
        .iter()
        .map(|entry| match &entry.event {
            LogEvent::Earlier(earlier) => (Some(earlier.sequence.0), earlier.decision.clone()),
            LogEvent::Request(request) => (None, request.decision.word().to_owned()),
            other => panic!("{other:?}"),
        })
        .collect();
    let word = |word: &str| word.to_owned();
    assert_eq!(
        decisions,
        [(Some(1), word("reserved")), (Some(2), word("described")), (None, word("described"))]
    );
    store.close().await;
}

async fn tiles_and_checkpoints_are_kept_once(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let store = &fixture.store;
    let tile = |number, byte| FullTile { level: 0, number, hashes: vec![byte; 8_192], root: [byte; 32] };
    store.keep_tiles(vec![tile(0, 1), tile(1, 2)]).await.unwrap();
    store.keep_tiles(vec![tile(1, 3)]).await.unwrap();
    let (kept, witnessed) = (CheckpointKind::Kept, CheckpointKind::Witnessed);
    for (kind, size, note) in
        [(&kept, 512, "one"), (&kept, 512, "one again"), (&kept, 300, "less"), (&witnessed, 400, "cosigned")]
    {
        store.keep_checkpoint(kind.clone(), size, note.to_owned()).await.unwrap();
    }
    assert_eq!(store.full_tiles(0).await.unwrap(), 2);
    assert_eq!(store.full_tiles(1).await.unwrap(), 0);
    assert_eq!(store.log_tile(0, 1).await.unwrap(), Some(vec![2; 8_192]));
    assert_eq!(store.log_tile(0, 2).await.unwrap(), None);
    assert_eq!(store.tile_roots(0, 0, 9).await.unwrap(), [[1_u8; 32], [2; 32]].concat());
    assert_eq!(store.tile_roots(0, 1, 1).await.unwrap(), [2_u8; 32]);
    let read = async |kind| store.checkpoint(kind).await.unwrap().unwrap();
    assert_eq!(read(kept).await, (512, "one again".to_owned()));
    assert_eq!(read(witnessed).await, (400, "cosigned".to_owned()));
    // Of another log, each follows the one that was examined.
    let other = CheckpointKind::Of("ecowas.example/coordinator/main".to_owned());
    for (before, size, note, is_kept) in [
        (Some("nothing"), 1, "first", false),
        (None, 1, "first", true),
        (None, 2, "second", false),
        (Some("first"), 2, "second", true),
    ] {
        let before = before.map(str::to_owned);
        let followed = store.follow(other.clone(), before, (size, note.to_owned())).await.unwrap();
        assert_eq!(followed, is_kept, "{note}");
    }
    assert_eq!(read(other).await, (2, "second".to_owned()));
}
