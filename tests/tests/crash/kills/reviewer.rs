//! An administrator elsewhere who decides whatever waits.

use std::time::Duration;

use lango_gateway::Travels;
use lango_identity::{PayloadType, SpiffeId};
use lango_ledger::ReviewState;
use lango_store::StoredReview;
use lango_testkit::{Caller, Office};
use lango_wire::{
    Act, ReviewChoice, client::AdministrationClient, pb::administration_service_administer_response::Found,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tonic::{Status, transport::Channel};

pub struct Reviewer {
    caller: Caller,
    office: SpiffeId,
    channel: Option<Channel>,
}

impl Reviewer {
    pub fn new(caller: Caller, office: &SpiffeId) -> Self {
        Self { caller, office: office.clone(), channel: None }
    }

    pub async fn connect(&mut self, office: &Office) {
        self.channel = Some(self.caller.connect(office).await);
    }

    /// Decides until the gateway is gone; one of eight reviews is rejected.
    pub async fn work(&mut self, seed: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        while self.decide(|| random.next_u32() % 8 == 0).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Approves everything that waits.
    pub async fn decide_all(&mut self) {
        self.decide(|| false).await.unwrap();
    }

    async fn decide(&self, mut rejects: impl FnMut() -> bool) -> Result<(), Status> {
        let Found::Reviews(page) = self.act(Act::Reviews { all: false, most: 50, after: None }).await? else {
            panic!("reviews")
        };
        for review in page.reviews {
            let review = StoredReview::of_message(review).unwrap();
            let choice = match (review.state, rejects()) {
                (ReviewState::Waiting | ReviewState::Held, true) => ReviewChoice::Reject,
                (ReviewState::Waiting, false) => ReviewChoice::ApproveQuestion,
                (ReviewState::Held, false) => ReviewChoice::ApproveAnswer,
                _ => continue,
            };
            let decided = Act::Decide { review: review.subject.id, choice, why: "as agreed".to_owned() };
            match self.act(decided).await {
                // Another policy came into force meanwhile, and it lapsed.
                Err(status) if lango_wire::status::reason(&status).as_deref() == Some("review-step") => {}
                done => drop(done?),
            }
        }
        Ok(())
    }

    async fn act(&self, act: Act) -> Result<Found, Status> {
        let act = self.caller.act(&self.office, act);
        let envelope = self.caller.sign(PayloadType::Administration, act.encode());
        let client = AdministrationClient::new(self.channel.clone().unwrap());
        Ok(client.administer(envelope).await?.found.unwrap())
    }
}
