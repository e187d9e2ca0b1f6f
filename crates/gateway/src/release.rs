//! The way of a question, from its signed bytes to its signed release; each stop is a file of its own.

use lango_wire::{FREE, Question, pb};

use crate::{Gateway, authenticate::Request, authorize::Allowed, capacity::Work, refuse::Refused};

impl Gateway {
    /// Answers a question, or refuses it.
    pub(crate) async fn release(
        &self,
        request: &Request<Question>,
        question: &Question,
    ) -> Result<pb::Release, Refused> {
        let allowed = self.authorize(request, question).await?;
        // A request waits for an earlier one of the same question; then its answer is stored, and free.
        let _flight = self.flights.take(&allowed.key).await;
        self.make_any_answer_room(request).await;
        match self.stored(&allowed).await? {
            Some(stored) => self.repeat(request, &allowed, stored, FREE).await,
            None => self.answer(request, &allowed).await,
        }
    }

    /// Answers a question that has no stored release.
    async fn answer(
        &self,
        request: &Request<Question>,
        allowed: &Allowed<'_>,
    ) -> Result<pb::Release, Refused> {
        self.begin_work(request, &allowed.known).await?;
        // Its part of the gateway's memory is held until the answer is made.
        let (plan, _room) = self.plan(request, allowed, Work::Answer).await?;
        self.authorize_price(request, allowed, &plan.loss)?;
        let reading = self.open_source(allowed).await?;
        let Some(reservation) = self.reserve(request, allowed, plan).await? else {
            return self.repeat_other(request, allowed, FREE).await;
        };
        let noisy = self.measure(request, allowed, reading, &reservation).await?;
        self.settle(request, allowed, reservation, noisy).await
    }
}
