//! What does one member say? Every way in which it may not answer has one name.

use std::{
    error::Error,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lango_identity::{Region, SpiffeId, TlsIdentity, explain_handshake};
use lango_statistics::{OfficeRelease, Outcome};
use lango_wire::{
    SignedRefusal,
    answer::{self, AnswerError, read_texts, verify_release},
    pb::{self, gateway_service_client::GatewayServiceClient},
    status::refusal_envelope,
};
use tonic::{Response, Status, transport::Channel};

use crate::{members::Seat, question::Asked};

/// A gateway's client over a connection that lasts.
pub(crate) type Gateway = GatewayServiceClient<Channel>;

/// Unix seconds.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// What came of asking one member.
#[derive(Debug, Clone)]
pub(crate) enum Reply<T> {
    /// It answered, and what it says was verified as far as it can be.
    Answer(T),
    /// It refused and signed that.
    Refused(pb::Refusal),
    /// It did not answer.
    Missing(pb::Missing),
}

/// Why a member did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// No connection, or a lost one.
    Unreachable,
    /// Nothing came in time.
    Deadline,
    /// It is in the audience, and this coordinator does not know it.
    NotAMember,
    /// It refused without signing that.
    Unsigned,
    /// What came is not what its office signed, or not an answer to this question.
    Unverified,
}

impl Absence {
    /// The stable word for it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Deadline => "deadline",
            Self::NotAMember => "not-a-member",
            Self::Unsigned => "unsigned",
            Self::Unverified => "unverified",
        }
    }
}

impl<T> Reply<T> {
    pub fn missing(absence: Absence, message: impl Into<String>) -> Self {
        Self::Missing(pb::Missing { reason: absence.reason().to_owned(), message: message.into() })
    }

    /// The reply in one word.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Answer(_) => Outcome::Answered,
            Self::Refused(refusal) => Outcome::Refused(refusal.reason.clone()),
            Self::Missing(missing) => Outcome::Missing(missing.reason.clone()),
        }
    }
}

/// A release as it came and as it was verified.
#[derive(Debug)]
pub(crate) struct Released {
    /// For the analyst, who verifies it again.
    pub release: pb::Release,
    /// For the tables.
    pub answer: answer::Answer,
}

/// What it takes to ask, the same for every member.
#[derive(Debug)]
pub(crate) struct Asker {
    pub region: Region,
    pub tls: TlsIdentity,
    pub deadline: Duration,
}

impl Asker {
    /// Asks one member the question.
    pub async fn query(&self, seat: Seat<Gateway>, asked: &Asked) -> Reply<Released> {
        let send = |mut gateway: Gateway| async move {
            let query = Some(asked.envelope.clone());
            gateway.query(pb::GatewayServiceQueryRequest { query }).await
        };
        match self.call(&seat, asked, send).await {
            Err(reply) => reply,
            Ok(response) => match released(response, &seat.uri, &self.region, asked) {
                Ok(released) => Reply::Answer(released),
                Err(error) => Reply::missing(Absence::Unverified, error),
            },
        }
    }

    /// Asks one member for its price. Prices are not signed: they come from whom the connection says.
    pub async fn estimate(&self, seat: Seat<Gateway>, asked: &Asked) -> Reply<pb::Estimate> {
        let send = |mut gateway: Gateway| async move {
            let estimate = Some(asked.envelope.clone());
            gateway.estimate(pb::GatewayServiceEstimateRequest { estimate }).await
        };
        match self.call(&seat, asked, send).await {
            Err(reply) => reply,
            Ok(response) => match priced(response, &seat.uri, asked) {
                Ok(price) => Reply::Answer(price),
                Err(error) => Reply::missing(Absence::Unverified, error),
            },
        }
    }

    /// Calls within the deadline; once more where a connection was lost under the call, as gateways allow: the same
    /// request is answered with the same values and charged once.
    async fn call<T, R, F>(
        &self,
        seat: &Seat<Gateway>,
        asked: &Asked,
        send: impl Fn(Gateway) -> F,
    ) -> Result<T, Reply<R>>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let Some(gateway) = &seat.reach else {
            return Err(Reply::missing(Absence::NotAMember, "this coordinator knows no such member"));
        };
        let calls = async {
            match send(gateway.clone()).await {
                Err(status) if lost(&status) => send(gateway.clone()).await,
                done => done,
            }
        };
        match tokio::time::timeout(self.deadline, calls).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(self.failed(&status, &seat.uri, asked)),
            Err(_) => {
                let message = format!("no answer within {:?}", self.deadline);
                Err(Reply::missing(Absence::Deadline, message))
            }
        }
    }

    fn failed<R>(&self, status: &Status, office: &SpiffeId, asked: &Asked) -> Reply<R> {
        // Only a failure on this side has sources: a status that came from the gateway has none.
        if let Some(error) = status.source() {
            let message = explain_handshake(error, &self.tls, &self.region, now());
            tracing::warn!(%office, reason = %message, "a member is unreachable");
            return Reply::missing(Absence::Unreachable, message);
        }
        let Some(envelope) = refusal_envelope(status) else {
            let message = format!("{:?} without a signed refusal: {}", status.code(), status.message());
            return Reply::missing(Absence::Unsigned, message);
        };
        match SignedRefusal::verify(&envelope, office, &self.region, now(), &asked.request_digest) {
            Ok(signed) => Reply::Refused(pb::Refusal {
                reason: signed.code,
                message: status.message().to_owned(),
                envelope: Some(envelope.into()),
            }),
            Err(error) => Reply::missing(Absence::Unverified, error.to_string()),
        }
    }
}

/// Whether a connection that had been open was lost, as opposed to none having been possible.
fn lost(status: &Status) -> bool {
    let first = status.source();
    let mut sources = std::iter::successors(first, |error| (*error).source());
    first.is_some() && !sources.any(|error| error.is::<tonic::ConnectError>())
}

/// The price, if it is the office's own and of what was asked.
fn priced(
    response: pb::GatewayServiceEstimateResponse,
    office: &SpiffeId,
    asked: &Asked,
) -> Result<pb::Estimate, String> {
    let price = response.estimate.filter(|price| price.office == office.to_string());
    let price = price.ok_or_else(|| "the price is missing or names another office".to_owned())?;
    let (_, layout) = read_texts(&price.plan, &price.layout).map_err(|error| error.to_string())?;
    if layout.is_of(&asked.margins) { Ok(price) } else { Err(AnswerError::Differs("margins").to_string()) }
}

/// Verifies a release, and that it can stand in a table beside others.
fn released(
    response: pb::GatewayServiceQueryResponse,
    office: &SpiffeId,
    region: &Region,
    asked: &Asked,
) -> Result<Released, String> {
    let release = response.release.ok_or_else(|| AnswerError::Absent("release").to_string())?;
    let (request, query) = (&asked.request_digest, Some(&asked.query_digest));
    let answer = verify_release(release.clone(), office, region, now(), request, query)
        .map_err(|error| error.to_string())?;
    if !answer.layout.is_of(&asked.margins) {
        return Err(AnswerError::Differs("margins").to_string());
    }
    side_by_side(office.name(), &answer).check().map_err(|error| error.to_string())?;
    Ok(Released { release, answer })
}

/// A verified release as tables take it.
pub(crate) fn side_by_side<'a>(office: &'a str, answer: &'a answer::Answer) -> OfficeRelease<'a> {
    let answer::Answer { layout, plan, cells, earlier, .. } = answer;
    let earlier = earlier.iter().map(|earlier| side_by_side(office, earlier)).collect();
    OfficeRelease { office, layout, plan, cells, earlier }
}
