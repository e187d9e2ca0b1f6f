//! A store that is older than its anchor, or another one, is refused.

use super::*;
use crate::{
    Decision,
    fixture::{Engine, Fixture, on_both_engines, record},
};

on_both_engines! {
    an_anchor_holds_its_store_and_no_other_and_no_older_one,
}

async fn an_anchor_holds_its_store_and_no_other_and_no_older_one(engine: Engine) {
    let (fixture, other) = (Fixture::new(engine).await, Fixture::new(engine).await);
    let elsewhere = tempfile::tempdir().unwrap();
    let anchor = Anchor::at(elsewhere.path().join("anchor"), &fixture.place.location()).unwrap();
    let fresh = fixture.store.position().await.unwrap();
    assert_eq!((fresh.sequence, anchor.read().unwrap()), (0, None));
    anchor.check_new().unwrap();
    anchor.check(fresh).unwrap();
    for _ in 0..3 {
        fixture.store.append(&record(Decision::Refused), None).await.unwrap();
    }
    let found = fixture.store.position().await.unwrap();
    assert!(matches!(anchor.check(found), Err(StoreError::Anchor(AnchorError::Missing { sequence: 3, .. }))));
    anchor.renew(found).unwrap();
    anchor.check(found).unwrap();
    assert!(matches!(anchor.check_new(), Err(StoreError::Anchor(AnchorError::Exists { .. }))));
    let older = StorePosition { sequence: 2, ..found };
    let refused = anchor.check(older).unwrap_err();
    assert!(
        matches!(refused, StoreError::Anchor(AnchorError::Older { found: 2, sequence: 3, .. })),
        "{refused}"
    );
    // A gateway that is behind another one takes nothing back.
    anchor.renew(older).unwrap();
    assert_eq!(anchor.read().unwrap(), Some(found));
    anchor.check(StorePosition { sequence: 9, ..found }).unwrap();
    let another = other.store.position().await.unwrap();
    for refused in [anchor.check(another).map(drop), anchor.renew(another)] {
        assert!(matches!(refused, Err(StoreError::Anchor(AnchorError::Another { .. }))), "{refused:?}");
    }
    // On purpose it can be made anew.
    anchor.write(another).unwrap();
    anchor.check(another).unwrap();
    let names: Vec<_> =
        fs::read_dir(elsewhere.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["anchor"]);
}

#[test]
fn an_anchor_is_read_strictly() {
    let identity = "000102030405060708090a0b0c0d0e0f";
    let whole = format!("lango-anchor 1\nstore {identity}\nsequence 12\n");
    let position = parse(&whole).unwrap();
    assert_eq!((position.identity[15], position.sequence), (15, 12));
    for wrong in [
        String::new(),
        whole.replace("anchor 1", "anchor 2"),
        whole.replace("0102", "01"),
        whole.replace("sequence 12", "sequence twelve"),
        whole.replace("12\n", "12"),
        whole.replace("store", "shop"),
        format!("{whole}\n"),
    ] {
        assert_eq!(parse(&wrong), None, "{wrong}");
    }
}

#[test]
fn an_anchor_beside_its_store_or_below_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("state/kept")).unwrap();
    fs::create_dir(folder.path().join("state-of-old")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("state"), folder.path().join("other")).unwrap();
    let store = Location::File(folder.path().join("state/ledger.sqlite"));
    for (anchor, refused) in [
        ("state/anchor", true),
        ("other/anchor", true),
        ("state/../state/anchor", true),
        ("state/kept/anchor", true),
        ("other/kept/anchor", true),
        ("state/not/there/anchor", true),
        ("other/not/there/anchor", true),
        ("not/../state/kept/anchor", true),
        ("anchor", false),
        ("state-of-old/anchor", false),
        ("not/there/anchor", false),
        ("state/kept/../../anchor", false),
    ] {
        let found = Anchor::at(folder.path().join(anchor), &store);
        assert_eq!(found.is_err(), refused, "{anchor}");
    }
}
