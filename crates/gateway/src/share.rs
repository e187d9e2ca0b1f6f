//! A principal's fair share: taken before anything is done for a request, and refused with the time after which to ask again.

use std::time::Instant;

use lango_identity::Role;
use lango_transport::{Demand, Share, UnderWay};
use lango_wire::Refusal;
use tonic::{Extensions, Status};

use crate::{
    Gateway,
    authenticate::{Request, Signed},
    refuse::Refused,
};

impl Gateway {
    /// The share of an authenticated request. It is kept until the answer is sent as well, so that answers that nobody takes count.
    pub(crate) async fn share<T: Signed>(
        &self,
        request: &Request<T>,
        demand: Demand,
        extensions: &Extensions,
    ) -> Result<Share, Status> {
        let demand = if self.asks_for_work(request).await { demand } else { Demand::Replay };
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

    /// Whether a request can be admitted and has not come before. Only its principal can make another such one; a coordinator that
    /// repeats what it has relayed must not use up what the principal may ask.
    async fn asks_for_work<T: Signed>(&self, request: &Request<T>) -> bool {
        let Ok(signed) = self.admit(request, Role::Analyst) else { return false };
        let before = self
            .store
            .has_request(&request.principal.to_string(), signed.request_id(), signed.life().1)
            .await;
        before.is_ok_and(|before| !before)
    }
}
