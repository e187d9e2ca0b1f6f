//! A principal's fair share: taken once a request is admitted and before it is worked on, and refused with the time after which
//! to ask again.

use std::time::Instant;

use lango_transport::{Demand, Share, UnderWay};
use lango_wire::{Refusal, SignedRequest};

use crate::{Gateway, authenticate::Request, refuse::Refused, turn::Admitted};

impl Gateway {
    /// The share of an authenticated request. It is kept until the answer is sent as well, so that answers that nobody takes
    /// count.
    pub(crate) fn share<T: SignedRequest>(
        &self,
        request: &Request<T>,
        admitted: &Result<Admitted<T>, Refusal>,
        demand: Demand,
        under_way: Option<&UnderWay>,
    ) -> Result<Share, Refused> {
        // A coordinator that repeats what it has relayed must not use up what the principal may ask.
        let asks_for_work = admitted.as_ref().is_ok_and(Admitted::asks_for_work);
        let demand = if asks_for_work { demand } else { Demand::Replay };
        let share = self.taken_share(request, demand)?;
        if let Some(under_way) = under_way {
            under_way.keep(share.clone());
        }
        Ok(share)
    }

    /// The share of a request that came as a copy, and is worked on as if it were the first.
    pub(crate) fn take_share<T>(&self, request: &Request<T>, demand: Demand) -> Result<(), Refusal> {
        let share = self.taken_share(request, demand)?;
        // A request becomes one of these once.
        let _ = request.share.set(share);
        Ok(())
    }

    /// The share of a principal whose request needs no turn.
    pub(crate) fn taken_share<T>(&self, request: &Request<T>, demand: Demand) -> Result<Share, Refusal> {
        let taken = self.shares.take(&request.principal.to_string(), demand, Instant::now());
        taken.map_err(|wait| Refusal::TooManyRequests { wait })
    }
}
