//! What was asked and charged, read without changing anything.

use lango_ledger::Holder;
use lango_privacy::Loss;

use super::*;
use crate::{
    Decision, Record,
    fixture::{Engine, Fixture, account, ask, on_both_engines, record},
};

on_both_engines! {
    records_are_read_newest_first_with_what_was_asked,
    questions_are_read_newest_first_from_any_number_down,
    what_was_charged_since_a_moment_is_summed_and_counted,
}

fn asked(query: &str, dataset: &str, at: i64) -> Record {
    Record {
        query: Some(query.to_owned()),
        dataset: Some(dataset.to_owned()),
        at,
        reason: "not_granted".to_owned(),
        ..record(Decision::Refused)
    }
}

async fn records_are_read_newest_first_with_what_was_asked(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    // Cut where a letter of two bytes begins.
    let long = format!("{}\u{e9}{}", "x".repeat(Record::QUERY_BYTES_MOST - 1), "y".repeat(100));
    for record in [
        asked("question 1", "residents", 100),
        asked(&long, "residents", 200),
        Record {
            principal: "spiffe://ecowas.example/analyst/kofi".into(),
            left_out: 7,
            ..asked("question 3", "visits", 300)
        },
        Record { at: 400, ..record(Decision::Described) },
    ] {
        fixture.store.append(&record, None).await.unwrap();
    }
    fixture.store.close().await;
    let mut examined = Examined::readable(&fixture.place.location()).await.unwrap();
    let all = HistoryFilter { most: 100, ..HistoryFilter::default() };
    let kofi = Some("spiffe://ecowas.example/analyst/kofi".to_owned());
    for (filter, expected) in [
        (all.clone(), vec![4, 3, 2, 1]),
        (HistoryFilter { most: 2, ..all.clone() }, vec![4, 3]),
        (HistoryFilter { since: 200, ..all.clone() }, vec![4, 3, 2]),
        (HistoryFilter { before: Some(3), ..all.clone() }, vec![2, 1]),
        (HistoryFilter { dataset: Some("residents".into()), ..all.clone() }, vec![2, 1]),
        (HistoryFilter { principal: kofi.clone(), ..all.clone() }, vec![3]),
        (HistoryFilter { principal: kofi, dataset: Some("residents".into()), ..all.clone() }, vec![]),
    ] {
        let found = examined.history(&filter).await.unwrap();
        assert_eq!(found.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let found = examined.history(&all).await.unwrap();
    let queries: Vec<_> = found.iter().map(|entry| entry.query.as_deref()).collect();
    assert_eq!(
        queries,
        [None, Some("question 3"), Some(&long[..Record::QUERY_BYTES_MOST - 1]), Some("question 1")]
    );
    assert_eq!(
        (found[1].left_out, found[1].reason.as_str(), found[1].purpose.as_str()),
        (7, "not_granted", "official-statistics")
    );
}

async fn questions_are_read_newest_first_from_any_number_down(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for record in [
        Record { query_digest: Some([1; 32]), left_out: 2, ..asked("question 1", "residents", 100) },
        Record { query_digest: None, ..record(Decision::Described) },
        // Of a text that is not kept, there is the digest.
        Record { query_digest: Some([3; 32]), query: None, left_out: 3, ..record(Decision::Refused) },
        Record {
            query_digest: Some([4; 32]),
            agreement: Some("MoU-2026-14".into()),
            ..asked("question 4", "visits", 300)
        },
    ] {
        fixture.store.append(&record, None).await.unwrap();
    }
    fixture.store.close().await;
    let mut examined = Examined::readable(&fixture.place.location()).await.unwrap();
    for (before, most, expected) in
        [(i64::MAX, 10, vec![4, 3, 1]), (i64::MAX, 2, vec![4, 3]), (3, 10, vec![1]), (1, 10, vec![])]
    {
        let found = examined.questions(before, most).await.unwrap();
        assert_eq!(found.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), expected, "{before}");
    }
    let found = examined.questions(5, 2).await.unwrap();
    let agreements: Vec<_> = found.iter().map(|entry| entry.agreement.as_deref()).collect();
    assert_eq!(agreements, [Some("MoU-2026-14"), None]);
    let found = examined.questions(4, 1).await.unwrap();
    assert_eq!((found[0].query_digest, found[0].query.as_deref()), (Some([3; 32]), None));
    for (from, expected) in [(1, 5), (2, 3), (4, 0), (i64::MAX, 0)] {
        assert_eq!(examined.left_out(from).await.unwrap(), expected, "{from}");
    }
}

async fn what_was_charged_since_a_moment_is_summed_and_counted(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for (query, nano, at) in [(1, 2, 100), (2, 3, 200), (3, 1, 300)] {
        let record = Record { at, ..record(Decision::Reserved) };
        fixture.store.reserve(&ask(query, Loss::pure(nano)), &record).await.unwrap();
    }
    fixture.store.close().await;
    let mut examined = Examined::readable(&fixture.place.location()).await.unwrap();
    for (holder, since, expected) in [
        (Holder::Pool, 0, (6, 3)),
        (Holder::Pool, 200, (4, 2)),
        (Holder::Pool, 301, (0, 0)),
        (Holder::Grant("analysts".into()), 300, (1, 1)),
        (Holder::Grant("others".into()), 0, (0, 0)),
    ] {
        let (balance, asked) = examined.charged_since(&account(holder), since).await.unwrap();
        assert_eq!((balance.pure_nano.unwrap(), asked), expected, "{since}");
    }
}
