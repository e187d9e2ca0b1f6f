//! What does one member say? Every way in which it may not answer has one name.

use std::{
    error::Error,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lango_identity::{Region, SpiffeId, TlsIdentity, explain_handshake};
use lango_statistics::Outcome;
use lango_wire::{
    Absence, VerifiedRelease,
    client::GatewayClient,
    pb,
    sealed::{SealedPrice, SealedRelease},
    status::{is_too_large, refusal_envelope, sealed_envelope},
};
use tonic::Status;

use crate::{members::Seat, question::RelayedQuestion};

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
    pub sealed: SealedRelease,
    /// For the tables.
    pub verified: VerifiedRelease,
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
    pub async fn query(&self, seat: Seat<GatewayClient>, asked: &RelayedQuestion) -> Reply<Released> {
        let send = |gateway: GatewayClient| async move { gateway.query(asked.envelope.clone()).await };
        let sealed: SealedRelease = match self.call(&seat, asked, send).await {
            Err(reply) => return reply,
            Ok(sealed) => sealed,
        };
        match asked.inquiry(&self.region).release(sealed.clone(), &seat.uri) {
            Ok(verified) => Reply::Answer(Released { sealed, verified }),
            Err(error) => Reply::missing(Absence::Unverified, error.to_string()),
        }
    }

    /// Asks one member for its price.
    pub async fn estimate(&self, seat: Seat<GatewayClient>, asked: &RelayedQuestion) -> Reply<SealedPrice> {
        let send = |gateway: GatewayClient| async move { gateway.estimate(asked.envelope.clone()).await };
        let sealed: SealedPrice = match self.call(&seat, asked, send).await {
            Err(reply) => return reply,
            Ok(sealed) => sealed,
        };
        match asked.inquiry(&self.region).price(sealed.clone(), &seat.uri) {
            Ok(_) => Reply::Answer(sealed),
            Err(error) => Reply::missing(Absence::Unverified, error.to_string()),
        }
    }

    /// Calls within the deadline; once more where a connection was lost under the call, as gateways allow: the same
    /// request is answered with the same values and charged once.
    async fn call<T, R, F>(
        &self,
        seat: &Seat<GatewayClient>,
        asked: &RelayedQuestion,
        send: impl Fn(GatewayClient) -> F,
    ) -> Result<T, Reply<R>>
    where
        F: Future<Output = Result<T, Status>>,
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
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(status)) => Err(self.failed(&status, &seat.uri, asked)),
            Err(_) => {
                let message = format!("no answer within {:?}", self.deadline);
                Err(Reply::missing(Absence::Deadline, message))
            }
        }
    }

    fn failed<R>(&self, status: &Status, office: &SpiffeId, asked: &RelayedQuestion) -> Reply<R> {
        // Only a failure on this side has sources: a status that came from the gateway has none.
        if let Some(error) = status.source() {
            let message = explain_handshake(error, &self.tls, &self.region, now());
            tracing::warn!(%office, reason = %message, "a member is unreachable");
            return Reply::missing(Absence::Unreachable, message);
        }
        if is_too_large(status) {
            return Reply::missing(Absence::TooLarge, "the answer is larger than any answer can be");
        }
        let Some((sealed, envelope)) = sealed_envelope(status).zip(refusal_envelope(status)) else {
            let message = format!("{:?} without a signed refusal: {}", status.code(), status.message());
            return Reply::missing(Absence::Unsigned, message);
        };
        match asked.inquiry(&self.region).refusal(&sealed, office) {
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
