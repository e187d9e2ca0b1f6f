//! The way of a question, from its signed bytes to its signed release; each stop is a file of its own.

use lango_wire::{FREE, Question, pb};

use crate::{
    Gateway, authenticate::Request, authorize::Allowed, capacity::Work, flights::Flight, refuse::Refused,
};

impl Gateway {
    /// Answers a question, or refuses it.
    pub(crate) async fn release(
        &self,
        request: &Request<Question>,
        question: &Question,
    ) -> Result<pb::Release, Refused> {
        let allowed = self.authorize(request, question).await?;
        let flight = self.take_flight(request, &allowed).await;
        match self.stored(&allowed).await? {
            Some(stored) => {
                drop(flight);
                self.repeat(request, allowed, stored, FREE).await
            }
            None => self.answer(request, allowed, flight).await,
        }
    }

    /// Waits until no earlier request of the same question is under way, whose answer is then stored, and free, and until there
    /// is memory for the answer.
    ///
    /// INVARIANT (what a principal does not take holds up nobody else): a request that waits for memory holds no flight. One that
    /// gives up memory for want of the flight leaves both to a request that is at work, so somebody always is.
    async fn take_flight(&self, request: &Request<Question>, allowed: &Allowed<'_>) -> Flight {
        loop {
            let flight = self.flights.take(&allowed.key).await;
            if self.make_answer_room_now(request) {
                return flight;
            }
            drop(flight);
            self.make_answer_room(request).await;
            if let Some(flight) = self.flights.take_now(&allowed.key) {
                return flight;
            }
            request.leave_answer_room();
        }
    }

    /// Answers a question that has no stored release.
    async fn answer<'a>(
        &self,
        request: &'a Request<Question>,
        allowed: Allowed<'a>,
        flight: Flight,
    ) -> Result<pb::Release, Refused> {
        self.begin_work(request, &allowed.known).await?;
        // Its part of the gateway's memory is held until the answer is made.
        let (plan, _room) = self.plan(request, &allowed, Work::Answer).await?;
        let allowed = self.at_price(request, allowed, &plan.loss)?;
        self.review_question(request, &allowed, &plan.loss).await?;
        let reading = self.open_source(&allowed).await?;
        let Some(reservation) = self.reserve(request, &allowed, plan).await? else {
            return self.repeat_other(request, allowed, FREE).await;
        };
        // From here on the answer's time depends on data: who asks the same waits until it has left.
        let _ = request.flight.set(flight);
        let noisy = self.measure(request, &allowed, reading, &reservation).await?;
        self.settle(request, allowed, reservation, noisy).await
    }
}
