//! What a principal can make a gateway keep, and how often one request that fails is worked on.

use std::time::Instant;

use lango_identity::SpiffeId;
use lango_store::{Claiming, Record, Step};
use lango_wire::{FREE, Refusal};

use crate::{
    Gateway,
    authenticate::Request,
    refuse::{Known, Refused},
};

impl Gateway {
    /// Refuses a request that has not come before while as much is kept for its principal as may be.
    pub(crate) async fn may_keep(&self, claiming: &Claiming) -> Result<(), Refused> {
        let principal = &claiming.principal;
        if !self.free_answers.knows(principal) {
            let kept = self.store.kept_answers(principal).await;
            let unknown = |error| Known::default().unavailable("the kept answers cannot be counted", &error);
            self.free_answers.learn(principal, &kept.map_err(unknown)?);
        }
        match self.free_answers.wait(principal, self.now()) {
            Some(wait) => Err(Refusal::TooManyRequests { wait }.into()),
            None => Ok(()),
        }
    }

    /// Counts the answer that was kept with a record, where it cost nothing.
    pub(crate) fn has_kept<T>(&self, request: &Request<T>, record: &Record) {
        let step = record.request.as_ref().map(|request| &request.step);
        if let (Some(Step::Answered(answer)), Some(turn)) = (step, request.turn.get())
            && record.charged == FREE
        {
            self.free_answers.keep(&record.principal, turn.claiming.expires_at, answer.len());
        }
    }

    /// Refuses a request that has failed lately: none of its copies is worked on before its pause is over.
    pub(crate) fn may_go_on(&self, claiming: &Claiming, principal: &SpiffeId) -> Result<(), Refusal> {
        match self.failures.wait(&(principal.clone(), claiming.id), Instant::now()) {
            Some(wait) => Err(Refusal::TooManyRequests { wait }),
            None => Ok(()),
        }
    }
}
