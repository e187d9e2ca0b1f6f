//! The gateway's service on the wire: each call authenticates, walks its way, and answers or refuses.

use std::sync::Arc;

use lango_identity::PayloadType;
use lango_sealing::{LogError, Receipt};
use lango_transport::{Demand, UnderWay};
use lango_wire::{
    OnWire, Refusal,
    kept::KeptBody,
    pb::{
        self, administration_service_administer_response::Found as Administered,
        audit_service_audit_response::Found as Audited,
    },
};
use tonic::{Request, Response, Status};
use tracing::Instrument;

use crate::{Gateway, refuse::Refused, turn::Found};

/// A gateway as tonic serves it.
#[derive(Clone)]
pub(crate) struct Service(pub Arc<Gateway>);

/// One call: authenticated, answered or refused, and all that done before its time to leave. The work runs in tasks of its
/// own, so that a caller who goes away leaves no question half done, and what is cut short leaves no sooner.
macro_rules! call {
    ($self:ident, $sent:ident.$envelope:ident, $kind:expr, $demand:expr, $work:ident, |$answer:ident| $response:expr) => {{
        let gateway = Arc::clone(&$self.0);
        let (_, extensions, sent) = $sent.into_parts();
        let under_way = extensions.get::<UnderWay>().cloned();
        let peer = under_way.as_ref().map(UnderWay::peer).unwrap_or_default();
        let request = gateway.authenticate(sent.$envelope, $kind, peer);
        let mut request = request.map_err(|reason| gateway.unauthenticated(&reason))?;
        request.trace = under_way.as_ref().and_then(UnderWay::trace);
        let admitted = gateway.admitted(&request).await;
        let request = Arc::new(request);
        let cut_short = |_| Refusal::Unavailable.into_status(None);
        let share = match gateway.share(&request, &admitted, $demand, under_way.as_ref()) {
            Ok(share) => share,
            Err(refused) => {
                let refusing = async move { gateway.refuse(&request, refused).await };
                let refusing = tokio::spawn(refusing.in_current_span());
                return Err(refusing.await.unwrap_or_else(cut_short));
            }
        };
        let later = (Arc::clone(&gateway), Arc::clone(&request));
        let work = async move {
            let kept = match gateway.take_turn(&request, admitted, $demand).await {
                Ok(Found::Fresh(signed)) => match gateway.$work(&request, &signed).await {
                    Err(refused) if refused.answered_elsewhere => gateway.first_answer(&request).await,
                    Err(refused) => Err(refused),
                    Ok(answer) => {
                        let $answer = gateway.with_receipt(&request, answer).await;
                        return Ok(made(&request, $response));
                    }
                },
                Ok(Found::Kept(kept)) => Ok(kept),
                Err(refused) => Err(refused),
            };
            let again = match kept.map(|kept| kept.body) {
                Ok(KeptBody::Refusal(status)) => return Err(*status),
                Ok(body) => again(body),
                Err(refused) => Err(refused),
            };
            match again {
                Ok(answer) => {
                    let $answer = gateway.with_receipt(&request, answer).await;
                    Ok(made(&request, $response))
                }
                Err(refused) => Err(gateway.refuse(&request, refused).await),
            }
        };
        let paced = async move {
            let (gateway, request) = later;
            let _until_it_leaves = share;
            let answered = tokio::spawn(work.in_current_span()).await;
            gateway.pace(&request).await;
            // What its memory is, and to whom it is free, does not show when the answer was ready.
            answered.map(|answered| answered.map(|response| leaving(&request, under_way.as_ref(), response)))
        };
        tokio::spawn(paced.in_current_span()).await.map_err(cut_short)?.map_err(cut_short)?
    }};
}

/// A response that gives back at once what it does not take, unless the time at which it was made depends on rows.
fn made<T, R: OnWire>(request: &crate::authenticate::Request<T>, response: R) -> R {
    if request.flight.get().is_none() {
        request.shrink_answer_room(response.wire_bytes());
    }
    response
}

/// A response with the memory that it takes until it has left.
fn leaving<T, R: OnWire>(
    request: &crate::authenticate::Request<T>,
    under_way: Option<&UnderWay>,
    response: R,
) -> Response<R> {
    if request.flight.get().is_some() {
        request.shrink_answer_room(response.wire_bytes());
    }
    request.answer_leaves(under_way);
    Response::new(response)
}

impl Gateway {
    /// An answer that is durable, with the receipt of its entry in the log. It leaves without one where the log cannot be read:
    /// sent again, the request gets it.
    async fn with_receipt<T: FromKept, R>(
        &self,
        request: &crate::authenticate::Request<R>,
        mut answer: T,
    ) -> T {
        if let Some(receipt) = answer.receipt() {
            match self.receipt(request).await {
                Ok(found) => *receipt = found,
                Err(error) => tracing::error!(%error, "the receipt of an answer could not be made"),
            }
        }
        answer
    }

    async fn receipt<R>(
        &self,
        request: &crate::authenticate::Request<R>,
    ) -> Result<Option<pb::Receipt>, LogError> {
        let Some(id) = request.id.get() else { return Ok(None) };
        let answered_by = self.store.answered_by(&request.principal.to_string(), id).await?;
        let Some(number) = answered_by.and_then(|number| u64::try_from(number - 1).ok()) else {
            return Ok(None);
        };
        let Receipt { entry, proof, certificates } =
            self.sealing.receipt(&self.store, &self.signer.now(), number).await?;
        Ok(Some(pb::Receipt { entry, proof, certificates }))
    }
}

/// A kept answer as the call's own. An identifier that was answered in one call is good for no other.
fn again<T: FromKept>(body: KeptBody) -> Result<T, Refused> {
    T::from_kept(body).ok_or_else(|| Refusal::RequestIdReused.into())
}

trait FromKept: Sized {
    fn from_kept(body: KeptBody) -> Option<Self>;

    /// Where its receipt stands, if it is an answer that has one.
    fn receipt(&mut self) -> Option<&mut Option<pb::Receipt>> {
        None
    }
}

impl FromKept for pb::Release {
    fn from_kept(body: KeptBody) -> Option<Self> {
        if let KeptBody::Release(release, _) = body { Some(*release) } else { None }
    }

    fn receipt(&mut self) -> Option<&mut Option<pb::Receipt>> {
        Some(&mut self.receipt)
    }
}

impl FromKept for pb::Estimate {
    fn from_kept(body: KeptBody) -> Option<Self> {
        if let KeptBody::Estimate(estimate) = body { Some(*estimate) } else { None }
    }
}

impl FromKept for pb::Description {
    fn from_kept(body: KeptBody) -> Option<Self> {
        if let KeptBody::Description(description) = body { Some(description) } else { None }
    }
}

impl FromKept for Audited {
    /// A look-up is good once: what is kept of it is a refusal.
    fn from_kept(_: KeptBody) -> Option<Self> {
        None
    }
}

impl FromKept for Administered {
    /// An act is good once: what is kept of it is a refusal.
    fn from_kept(_: KeptBody) -> Option<Self> {
        None
    }
}

#[tonic::async_trait]
impl pb::administration_service_server::AdministrationService for Service {
    async fn administer(
        &self,
        request: Request<pb::AdministrationServiceAdministerRequest>,
    ) -> Result<Response<pb::AdministrationServiceAdministerResponse>, Status> {
        call!(self, request.act, PayloadType::Administration, Demand::Request, administer, |found| {
            pb::AdministrationServiceAdministerResponse { found: Some(found) }
        })
    }
}

#[tonic::async_trait]
impl pb::witness_service_server::WitnessService for Service {
    async fn witness(
        &self,
        request: Request<pb::WitnessServiceWitnessRequest>,
    ) -> Result<Response<pb::WitnessServiceWitnessResponse>, Status> {
        let peer = request.extensions().get::<UnderWay>().map(UnderWay::peer).unwrap_or_default();
        self.0.witness(request.into_inner().act, peer).await.map(Response::new)
    }
}

#[tonic::async_trait]
impl pb::audit_service_server::AuditService for Service {
    async fn audit(
        &self,
        request: Request<pb::AuditServiceAuditRequest>,
    ) -> Result<Response<pb::AuditServiceAuditResponse>, Status> {
        call!(self, request.lookup, PayloadType::Audit, Demand::Request, audit, |found| {
            pb::AuditServiceAuditResponse { found: Some(found) }
        })
    }
}

#[tonic::async_trait]
impl pb::gateway_service_server::GatewayService for Service {
    async fn describe(
        &self,
        request: Request<pb::GatewayServiceDescribeRequest>,
    ) -> Result<Response<pb::GatewayServiceDescribeResponse>, Status> {
        call!(self, request.lookup, PayloadType::Lookup, Demand::Request, describe, |description| {
            pb::GatewayServiceDescribeResponse { description: Some(description) }
        })
    }

    async fn estimate(
        &self,
        request: Request<pb::GatewayServiceEstimateRequest>,
    ) -> Result<Response<pb::GatewayServiceEstimateResponse>, Status> {
        call!(self, request.estimate, PayloadType::Estimate, Demand::Request, estimate, |estimate| {
            pb::GatewayServiceEstimateResponse { estimate: Some(estimate) }
        })
    }

    async fn query(
        &self,
        request: Request<pb::GatewayServiceQueryRequest>,
    ) -> Result<Response<pb::GatewayServiceQueryResponse>, Status> {
        call!(self, request.query, PayloadType::Query, Demand::Question, release, |release| {
            pb::GatewayServiceQueryResponse { release: Some(release) }
        })
    }

    async fn get_release(
        &self,
        request: Request<pb::GatewayServiceGetReleaseRequest>,
    ) -> Result<Response<pb::GatewayServiceGetReleaseResponse>, Status> {
        call!(self, request.lookup, PayloadType::Lookup, Demand::Request, get_release, |release| {
            pb::GatewayServiceGetReleaseResponse { release: Some(release) }
        })
    }
}
