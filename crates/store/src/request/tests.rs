//! One identifier, one payload, one answer; in one gateway and in several.

use lango_ledger::Claimed;
use lango_privacy::Loss;

use super::*;
use crate::{
    Decision, OfRequest, Recorded, Reserved, Settled,
    fixture::{Engine, Fixture, ask, on_both_engines, record, release},
    purging::PURGE_EVERY,
};

on_both_engines! {
    a_request_is_kept_before_it_is_worked_on_and_answered_once,
    of_many_claims_at_two_gateways_one_is_fresh,
    a_request_whose_gateway_is_dead_is_taken_over_and_one_that_lives_is_not,
    the_first_answer_of_a_request_stays,
    what_has_expired_is_purged_with_later_claims,
    a_request_is_never_charged_under_a_second_release_key,
    what_was_purged_is_never_fresh_again,
    what_is_kept_of_free_answers_is_counted_for_each_principal,
}

statement! {
    /// How many requests are kept.
    Count = "SELECT count(*) AS count FROM request"
}

fn claiming(id: u8) -> Claiming {
    Claiming {
        principal: record(Decision::Released).principal,
        id: [id; 16],
        digest: [id; 32],
        expires_at: 2_000,
        forget_before: 0,
    }
}

fn answered(id: u8, step: Step) -> Record {
    Record { request: Some(OfRequest { id: [id; 16], step }), ..record(Decision::Estimated) }
}

async fn a_request_is_kept_before_it_is_worked_on_and_answered_once(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let store = &fixture.store;
    assert_eq!(store.claim(&claiming(1), None).await.unwrap(), Claimed::Fresh);
    // What this gateway holds is left from an attempt that is over.
    assert_eq!(store.claim(&claiming(1), None).await.unwrap(), Claimed::Free);
    let other_payload = Claiming { digest: [9; 32], ..claiming(1) };
    let other_principal =
        Claiming { principal: "spiffe://ecowas.example/analyst/kofi".into(), ..claiming(1) };
    assert_eq!(store.claim(&other_payload, None).await.unwrap(), Claimed::Reused);
    assert_eq!(store.claim(&other_principal, None).await.unwrap(), Claimed::Fresh);
    store.append(&answered(1, Step::Freed), None).await.unwrap();
    assert_eq!(store.claim(&claiming(1), None).await.unwrap(), Claimed::Free);
    let recorded = store.append(&answered(1, Step::Answered(b"answer".to_vec())), None).await.unwrap();
    assert_eq!(recorded, Recorded::Now);
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.claim(&claiming(1), None).await.unwrap(), Claimed::Answered);
    assert_eq!(fixture.store.claimed(&claiming(1)).await.unwrap(), Claimed::Answered);
    assert_eq!(fixture.store.first_answer(&claiming(1)).await.unwrap(), Some(b"answer".to_vec()));
    assert_eq!(fixture.store.first_answer(&other_principal).await.unwrap(), None);
    assert_eq!(fixture.store.claim(&other_payload, None).await.unwrap(), Claimed::Reused);
    assert_eq!(fixture.decisions().await.len(), 2);
}

async fn of_many_claims_at_two_gateways_one_is_fresh(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let stores = [fixture.store.clone(), fixture.place.open().await];
    let claims = (0..20).map(|number| {
        let store = stores[number % 2].clone();
        tokio::spawn(async move { store.claim(&claiming(1), None).await.unwrap() })
    });
    let mut fresh = 0;
    for claim in claims.collect::<Vec<_>>() {
        fresh += u32::from(claim.await.unwrap() == Claimed::Fresh);
    }
    assert_eq!(fresh, 1);
}

async fn a_request_whose_gateway_is_dead_is_taken_over_and_one_that_lives_is_not(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let other = fixture.place.open().await;
    fixture.store.claim(&claiming(1), None).await.unwrap();
    let Claimed::UnderWay { holder, beat } = other.claim(&claiming(1), None).await.unwrap() else { panic!() };
    fixture.store.beat(&claiming(1).principal, [1; 16]).await.unwrap();
    // It has lived since.
    let seen = other.claim(&claiming(1), Some(Seen { holder, beat })).await.unwrap();
    assert_eq!(seen, Claimed::UnderWay { holder, beat: beat + 1 });
    let dead = Some(Seen { holder, beat: beat + 1 });
    assert_eq!(other.claim(&claiming(1), dead).await.unwrap(), Claimed::Free);
    let seen = fixture.store.claim(&claiming(1), None).await.unwrap();
    assert!(matches!(seen, Claimed::UnderWay { holder: by, .. } if by == other.opened_by()), "{seen:?}");
}

async fn the_first_answer_of_a_request_stays(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let other = fixture.place.open().await;
    fixture.store.claim(&claiming(1), None).await.unwrap();
    let answer = |text: &[u8]| answered(1, Step::Answered(text.to_vec()));
    assert_eq!(other.append(&answer(b"first"), None).await.unwrap(), Recorded::Now);
    assert_eq!(fixture.store.append(&answer(b"second"), None).await.unwrap(), Recorded::Answered);
    // Nor is a release stored that nobody is going to see.
    let held = fixture.held(1, 4).await;
    let settled = fixture.store.settle(held.id, &release(1), &answer(b"third")).await.unwrap();
    assert_eq!(settled, Settled::Answered);
    assert_eq!(fixture.store.first_answer(&claiming(1)).await.unwrap(), Some(b"first".to_vec()));
    assert_eq!(fixture.store.release(&[1; 16]).await.unwrap(), None);
    assert_eq!(fixture.decisions().await.len(), 2);
}

async fn what_has_expired_is_purged_with_later_claims(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let numbered = |number: u16, expires_at, forget_before| {
        let mut claiming = Claiming { expires_at, forget_before, ..claiming(0) };
        claiming.id[..2].copy_from_slice(&number.to_be_bytes());
        claiming
    };
    for number in 0..80 {
        let claiming = numbered(number, 1_000 + i64::from(number), 0);
        assert_eq!(fixture.store.claim(&claiming, None).await.unwrap(), Claimed::Fresh);
    }
    // Once in sixteen claims what expired before that moment goes, 64 at most.
    let mut number = 80;
    for (forget_before, left) in [(1_000, 80), (1_002, 78), (1_003, 77), (3_000, 13), (3_000, 0)] {
        for _ in 0..PURGE_EVERY {
            fixture.store.claim(&numbered(number, 5_000, forget_before), None).await.unwrap();
            number += 1;
        }
        let count: i64 = fixture.place.connect().await.one(Count.into()).await.unwrap().get("count").unwrap();
        assert_eq!(count - i64::from(number - 80), left, "{forget_before}");
    }
    // What stayed is known still.
    assert_eq!(fixture.store.claim(&numbered(80, 5_000, 0), None).await.unwrap(), Claimed::Free);
}

async fn what_is_kept_of_free_answers_is_counted_for_each_principal(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let store = &fixture.store;
    let principal = claiming(0).principal;
    assert_eq!(store.kept_answers(&principal).await.unwrap(), []);
    for (id, expires_at, bytes) in [(1, 1_980, 5), (2, 2_039, 7), (3, 2_040, 11)] {
        let claiming = Claiming { expires_at, ..claiming(id) };
        let answer = answered(id, Step::Answered(vec![0; bytes]));
        assert_eq!(store.append(&answer, Some(&claiming)).await.unwrap(), Recorded::Now);
    }
    // One without an answer, another principal's, and one whose answer was charged count for nothing.
    store.claim(&claiming(4), None).await.unwrap();
    let kofi = "spiffe://ecowas.example/analyst/kofi".to_owned();
    let others = Record { principal: kofi.clone(), ..answered(5, Step::Answered(vec![0; 13])) };
    store.append(&others, Some(&Claiming { principal: kofi.clone(), ..claiming(5) })).await.unwrap();
    store.claim(&claiming(6), None).await.unwrap();
    let working = Record { decision: Decision::Reserved, ..answered(6, Step::Working) };
    let reserved = store.reserve(&ask(1, Loss::pure(4)), &working).await.unwrap();
    let Reserved::Held(held) = reserved else { panic!("{reserved:?}") };
    store.settle(held.id, &release(1), &answered(6, Step::Answered(vec![0; 17]))).await.unwrap();
    let kept = |expiry_minute, bytes| KeptAnswers { expiry_minute, bytes };
    let fixture = fixture.reopen().await;
    let mut of_first = fixture.store.kept_answers(&principal).await.unwrap();
    of_first.sort_unstable_by_key(|kept| kept.expiry_minute);
    assert_eq!(of_first, [kept(33, 12), kept(34, 11)]);
    assert_eq!(fixture.store.kept_answers(&kofi).await.unwrap(), [kept(33, 13)]);
}

async fn what_was_purged_is_never_fresh_again(engine: Engine) {
    let day = 86_400;
    let fixture = Fixture::new(engine).await;
    let other = fixture.place.open().await;
    let question = Claiming { expires_at: day, forget_before: -300, ..claiming(1) };
    fixture.store.claim(&question, None).await.unwrap();
    // A clock that is two days ahead, of this gateway or of another one.
    for id in [2, 3] {
        let ahead = Claiming { expires_at: 3 * day, forget_before: 2 * day, ..claiming(id) };
        assert_eq!(other.claim(&ahead, None).await.unwrap(), Claimed::Fresh);
    }
    // It is put right; the same question comes again, to either.
    for store in [&fixture.store, &other] {
        assert_eq!(store.claimed(&question).await.unwrap(), Claimed::Forgotten);
        assert_eq!(store.claim(&question, None).await.unwrap(), Claimed::Forgotten);
    }
    // Only what may have been forgotten is refused, and an earlier clock takes nothing back.
    for (id, expires_at, claimed) in
        [(4, day - 1, Claimed::Forgotten), (5, day, Claimed::Forgotten), (6, day + 1, Claimed::Fresh)]
    {
        let later = Claiming { expires_at, forget_before: -300, ..claiming(id) };
        assert_eq!(fixture.store.claim(&later, None).await.unwrap(), claimed, "{expires_at}");
    }
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.claim(&question, None).await.unwrap(), Claimed::Forgotten);
    // A mark of more than one purge is that of the latest.
    let later = |id| Claiming { expires_at: 9 * day, forget_before: 4 * day, ..claiming(id) };
    fixture.store.claim(&later(7), None).await.unwrap();
    for (id, expires_at, claimed) in [(8, 3 * day, Claimed::Forgotten), (9, 3 * day + 1, Claimed::Fresh)] {
        let again = Claiming { expires_at, forget_before: -300, ..claiming(id) };
        assert_eq!(fixture.store.claim(&again, None).await.unwrap(), claimed, "{expires_at}");
    }
}

async fn a_request_is_never_charged_under_a_second_release_key(engine: Engine) {
    let other_version = |key: &mut ReleaseKey| key.dataset_version = "2".into();
    let other_terms = |key: &mut ReleaseKey| key.terms_digest = [8; 32];
    let other_text = |key: &mut ReleaseKey| key.query_digest = [7; 32];
    let changes: [fn(&mut ReleaseKey); 3] = [other_version, other_terms, other_text];
    for (number, change) in changes.into_iter().enumerate() {
        for ended in [None, Some(false), Some(true)] {
            let fixture = Fixture::new(engine).await;
            fixture.store.claim(&claiming(1), None).await.unwrap();
            let working = Record { decision: Decision::Reserved, ..answered(1, Step::Working) };
            let first = ask(1, Loss::pure(4));
            let Reserved::Held(held) = fixture.store.reserve(&first, &working).await.unwrap() else {
                panic!()
            };
            let failed = Record {
                decision: Decision::Failed,
                reason: "unavailable".to_owned(),
                ..answered(1, Step::Freed)
            };
            // Killed meanwhile, or failed, whether or not its charge is given back.
            if let Some(is_read) = ended {
                fixture.store.fail(held.id, &crate::fixture::accounts(), is_read, &failed).await.unwrap();
            }
            let fixture = fixture.reopen().await;
            let charged = fixture.charged().await;
            let mut second = ask(1, Loss::pure(1));
            change(&mut second.key);
            let refused = fixture.store.reserve(&second, &working).await.unwrap();
            assert_eq!(refused, Reserved::OtherKey("1".into()), "change {number}, {ended:?}");
            assert_eq!(fixture.charged().await, charged);
            let again = fixture.store.reserve(&first, &working).await.unwrap();
            assert!(matches!(again, Reserved::Held(_)), "{again:?}");
            assert_eq!(fixture.charged().await, (4, 4));
            // Another request is charged under the new key.
            fixture.store.claim(&claiming(2), None).await.unwrap();
            let other = Record { decision: Decision::Reserved, ..answered(2, Step::Working) };
            assert!(matches!(fixture.store.reserve(&second, &other).await.unwrap(), Reserved::Held(_)));
        }
    }
}
