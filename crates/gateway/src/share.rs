//! A principal's fair share: taken before anything is done for a request, and refused with the time after which to ask again.

use std::time::Instant;

use lango_transport::{Demand, Share, UnderWay};
use lango_wire::{Refusal, SignedRequest};
use tonic::{Extensions, Status};

use crate::{Gateway, authenticate::Request, refuse::Refused, turn::Admitted};

impl Gateway {
    /// The share of an authenticated request. It is kept until the answer is sent as well, so that answers that nobody takes
    /// count.
    pub(crate) async fn share<T: SignedRequest>(
        &self,
        request: &Request<T>,
        admitted: &Result<Admitted<T>, Refusal>,
        demand: Demand,
        extensions: &Extensions,
    ) -> Result<Share, Status> {
        // A coordinator that repeats what it has relayed must not use up what the principal may ask.
        let asks_for_work = admitted.as_ref().is_ok_and(Admitted::asks_for_work);
        let demand = if asks_for_work { demand } else { Demand::Replay };
        match self.shares.take(&request.principal.to_string(), demand, Instant::now()) {
            Ok(share) => {
                if let Some(under_way) = extensions.get::<UnderWay>() {
                    under_way.keep(share.clone());
                }
                Ok(share)
            }
            Err(wait) => Err(self.refuse(request, Refused::from(Refusal::TooManyRequests { wait })).await),
        }
    }
}
