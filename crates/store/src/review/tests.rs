//! Reviews through a real database.

use lango_ledger::{ReviewState, ReviewStepError};

use super::*;
use crate::{
    Decision,
    fixture::{Engine, Fixture, on_both_engines, record},
};

on_both_engines! {
    a_review_stands_as_it_was_left_and_each_step_is_recorded_once,
    a_dearer_question_is_reviewed_anew,
    one_who_asks_fills_nobodys_desk,
    reviews_are_listed_newest_first_and_of_a_release,
}

const OFFICE: &str = "spiffe://ecowas.example/office/GHA";
const AWA: &str = "spiffe://ecowas.example/analyst/awa";

fn subject(id: u8) -> ReviewSubject {
    ReviewSubject {
        id: [id; 16],
        key: ReleaseKey { query_digest: [id; 32], dataset_version: "1".into(), terms_digest: [9; 32] },
        query: format!("question {id}"),
        dataset: "residents".into(),
        grant: "analysts".into(),
        principal: AWA.into(),
        purpose: "official-statistics".into(),
    }
}

fn verdict(event: ReviewEvent, why: &str) -> ReviewVerdict {
    ReviewVerdict { event, by: OFFICE.into(), why: why.into() }
}

impl Fixture {
    async fn ask(&self, id: u8, event: ReviewAsked) -> ReviewStep {
        self.store.ask_review(&subject(id), event, &record(Decision::Reviewed)).await.unwrap()
    }

    async fn state(&self, id: u8, event: ReviewAsked) -> ReviewState {
        match self.ask(id, event).await {
            ReviewStep::Stands(review) => review.state,
            ReviewStep::Full => panic!("full"),
        }
    }

    async fn decide(&self, id: u8, event: ReviewEvent) -> Result<StoredReview, StoreError> {
        let record = Record { principal: OFFICE.into(), ..record(Decision::Reviewed) };
        self.store.decide_review(&[id; 16], &verdict(event, "no table of it is published"), &record).await
    }

    async fn reasons(&self) -> Vec<String> {
        let records = self.store.records(0, 1_000).await.unwrap();
        records.into_iter().map(|entry| format!("{} {}", entry.decision, entry.reason)).collect()
    }
}

const PRICE: ReviewAsked = ReviewAsked::Question(Loss { pure_nano: Some(4), rho_nano: 1, delta_e18: 0 });
const DEARER: ReviewAsked = ReviewAsked::Question(Loss { pure_nano: Some(5), rho_nano: 1, delta_e18: 0 });

async fn a_review_stands_as_it_was_left_and_each_step_is_recorded_once(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    assert_eq!(fixture.state(1, PRICE).await, ReviewState::Waiting);
    assert_eq!(fixture.state(1, PRICE).await, ReviewState::Waiting);
    let approved = fixture.decide(1, ReviewEvent::Approved).await.unwrap();
    assert_eq!((approved.state, approved.loss), (ReviewState::Approved, PRICE.loss()));
    assert_eq!(approved.decided, Some((1_800_000_000, OFFICE.to_owned())));
    assert_eq!(approved.why, "no table of it is published");

    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.review(&[1; 16]).await.unwrap(), Some(approved));
    assert_eq!(fixture.state(1, PRICE).await, ReviewState::Approved);
    let answer = ReviewAsked::Answer(PRICE.loss());
    assert_eq!(fixture.state(1, answer).await, ReviewState::Held);
    // The office has to decide anew, so nothing is left of what it decided of the question.
    let held = fixture.store.review(&[1; 16]).await.unwrap().unwrap();
    assert_eq!((held.decided, held.why.as_str()), (None, ""));
    assert_eq!(fixture.decide(1, ReviewEvent::Rejected).await.unwrap().state, ReviewState::Withheld);
    let refused = fixture.decide(1, ReviewEvent::Rejected).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Review(ReviewStepError { from: "withheld", step: "rejected" })),
        "{refused}"
    );
    assert!(fixture.decide(1, ReviewEvent::Approved).await.is_err(), "the question is not what waits");
    assert_eq!(fixture.decide(1, ReviewEvent::AnswerApproved).await.unwrap().state, ReviewState::Shown);
    assert_eq!(fixture.state(1, answer).await, ReviewState::Shown);
    assert!(matches!(fixture.decide(2, ReviewEvent::Approved).await, Err(StoreError::NoReview)));

    let steps = ["waiting", "approved", "held", "withheld", "shown"];
    assert_eq!(fixture.reasons().await, steps.map(|step| format!("reviewed {step}")));
    let records = fixture.store.records(0, 9).await.unwrap();
    let who: Vec<&str> = records.iter().map(|entry| entry.principal.as_str()).collect();
    assert_eq!(who, [AWA, OFFICE, AWA, OFFICE, OFFICE]);
    let of = |entry: &crate::Entry| (entry.query.clone(), entry.rule.clone(), entry.charged);
    let expected = (Some("question 1".to_owned()), Some("analysts".to_owned()), Loss::FREE);
    assert!(records.iter().all(|entry| of(entry) == expected));
}

async fn a_dearer_question_is_reviewed_anew(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.ask(1, DEARER).await;
    fixture.decide(1, ReviewEvent::Approved).await.unwrap();
    // A cheaper one was approved with it.
    assert_eq!(fixture.state(1, PRICE).await, ReviewState::Approved);
    assert_eq!(fixture.state(1, ReviewAsked::Question(Loss::pure(6))).await, ReviewState::Waiting);
    let waits = fixture.store.review(&[1; 16]).await.unwrap().unwrap();
    assert_eq!((waits.loss, waits.decided), (Loss::pure(6), None));
}

async fn one_who_asks_fills_nobodys_desk(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for id in 0..100 {
        assert_eq!(fixture.state(id, PRICE).await, ReviewState::Waiting);
    }
    assert_eq!(fixture.ask(100, PRICE).await, ReviewStep::Full);
    // Those that wait go on to, another principal's are kept, and a place that is free is taken.
    assert_eq!(fixture.state(7, PRICE).await, ReviewState::Waiting);
    let others = ReviewSubject { principal: format!("{AWA}-2"), ..subject(101) };
    let step = fixture.store.ask_review(&others, PRICE, &record(Decision::Reviewed)).await.unwrap();
    assert!(matches!(step, ReviewStep::Stands(_)));
    fixture.decide(7, ReviewEvent::Rejected).await.unwrap();
    assert_eq!(fixture.state(100, PRICE).await, ReviewState::Waiting);
    assert_eq!(fixture.reasons().await.len(), 103);
}

async fn reviews_are_listed_newest_first_and_of_a_release(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for (id, at) in [(1, 30), (2, 10), (3, 20)] {
        let record = Record { at, ..record(Decision::Reviewed) };
        fixture.store.ask_review(&subject(id), PRICE, &record).await.unwrap();
    }
    fixture.decide(1, ReviewEvent::Rejected).await.unwrap();
    let ids =
        |reviews: Vec<StoredReview>| reviews.iter().map(|found| found.subject.id[0]).collect::<Vec<_>>();
    assert_eq!(ids(fixture.store.pending_reviews().await.unwrap()), [2, 3]);
    let of = async |principal| fixture.store.reviews_of(&subject(1).key, principal).await.unwrap();
    assert_eq!((ids(of(AWA).await), ids(of(OFFICE).await)), (vec![1], vec![]));
    let mut examined = crate::Examined::readable(&fixture.place.location()).await.unwrap();
    for (all, after, most, expected) in [
        (true, None, 9, vec![1, 3, 2]),
        (false, None, 9, vec![3, 2]),
        (false, None, 1, vec![3]),
        (true, Some(1), 9, vec![3, 2]),
        (true, Some(1), 1, vec![3]),
        (false, Some(3), 9, vec![2]),
        (true, Some(2), 9, vec![]),
    ] {
        let filter = ReviewFilter { all, after: after.map(|id| subject(id).id), most };
        let listed = ids(examined.reviews(&filter).await.unwrap());
        assert_eq!(listed, expected, "{filter:?}");
        assert_eq!(ids(fixture.store.reviews(&filter).await.unwrap()), expected, "{filter:?}");
    }
}
