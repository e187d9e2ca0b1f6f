//! What does one member say? Every way in which it may not answer has one name.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lango_identity::{Region, SpiffeId, TlsIdentity, explain_handshake, sha256};
use lango_metrics::{MemberAnswer, MemberState, Metrics};
use lango_statistics::Outcome;
use lango_transport::{Most, Room, Rooms};
use lango_wire::{
    Absence, AnswerError, Inquiry, OnWire, VerifiedRelease,
    client::{Coming, GatewayClient},
    pb,
    sealed::{SealedDescription, SealedPrice, SealedRelease},
    status::{is_too_large, refusal_envelope, sealed_envelope},
};
use tokio::{sync::watch, time::timeout};
use tonic::Status;

use crate::{
    clock::now,
    members::Seat,
    memory::{AnswerSize, Memory},
    question::RelayedQuestion,
};

/// Calls under way at one member. A gateway takes 32 of one connection by default.
const CALLS_MOST: usize = 28;
/// Those of one analyst while others wait.
const CALLS_EACH: usize = 4;
/// How long an answer that has come may wait for memory before it is let go.
const ROOM_WAIT: Duration = Duration::from_millis(100);

/// What came of asking one member.
#[derive(Debug)]
pub(crate) enum Reply<T> {
    /// It answered, and what it says was verified as far as it can be.
    Answer(T),
    /// It refused and signed that; with the memory that it takes until it is passed on.
    Refused(pb::Refusal, Option<Room>),
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
            Self::Refused(refusal, _) => Outcome::Refused(refusal.reason.clone()),
            Self::Missing(missing) => Outcome::Missing(missing.reason.clone()),
        }
    }
}

/// An answer as it came and as it was verified, with the memory that it takes.
#[derive(Debug)]
pub(crate) struct Came<S, V> {
    /// For the analyst, who verifies it again.
    pub sealed: S,
    /// For the tables.
    pub verified: V,
    /// Held until it is passed on.
    pub room: Room,
}

/// An answer whose envelope the log names.
pub(crate) trait Enveloped {
    /// SHA-256 of the complete envelope.
    fn digest(&self) -> [u8; 32];
}

macro_rules! enveloped {
    ($($sealed:ident)*) => {$(
        impl<V> Enveloped for Came<$sealed, V> {
            fn digest(&self) -> [u8; 32] {
                sha256(&self.sealed.envelope)
            }
        }
    )*};
}
enveloped!(SealedRelease SealedPrice SealedDescription);

/// A release.
pub(crate) type Released = Came<SealedRelease, VerifiedRelease>;
/// A price, of which nothing is kept but as it came.
pub(crate) type Priced = Came<SealedPrice, ()>;

/// A description, of which nothing is read.
pub(crate) type Described = Came<SealedDescription, ()>;

/// A call that failed, with the memory of what came instead of an answer.
#[derive(Debug)]
struct Failed {
    status: Status,
    room: Option<Room>,
}

/// A member's gateway.
#[derive(Debug, Clone)]
pub(crate) struct MemberGateway {
    client: GatewayClient,
    /// Calls under way: fewer than its connection has streams, shared out among analysts.
    calls: Arc<Rooms>,
    /// One of its answers is read at a time; analysts have their turns one after the other.
    turn: Arc<Rooms>,
    /// Whether the last call to it was answered.
    state: Arc<Mutex<MemberState>>,
}

impl MemberGateway {
    pub fn new(client: GatewayClient) -> Self {
        let shared = |whole, each| Rooms::new(whole, Most::WhileOthersWait(each));
        let state = Arc::new(Mutex::new(MemberState::Unasked));
        Self { client, calls: shared(CALLS_MOST, CALLS_EACH), turn: shared(1, 1), state }
    }

    /// Notes whether a call was answered.
    fn is_now(&self, now: MemberState, metrics: &Metrics) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state != now {
            metrics.member_moves(*state, now);
            *state = now;
        }
    }
}

/// What it takes to ask, the same for every member.
#[derive(Debug)]
pub(crate) struct Asker {
    pub region: Region,
    pub tls: watch::Receiver<TlsIdentity>,
    pub deadline: Duration,
    pub memory: Memory,
    pub metrics: Metrics,
}

impl Asker {
    /// Asks one member the question.
    pub async fn query(
        self: Arc<Self>,
        seat: Seat<MemberGateway>,
        asked: Arc<RelayedQuestion>,
    ) -> Reply<Released> {
        let begin = |gateway: GatewayClient, envelope| async move { gateway.query(envelope).await };
        self.ask(seat, asked, begin, |inquiry, sealed, office| inquiry.release(sealed, office)).await
    }

    /// Asks one member for its price.
    pub async fn estimate(
        self: Arc<Self>,
        seat: Seat<MemberGateway>,
        asked: Arc<RelayedQuestion>,
    ) -> Reply<Priced> {
        let begin = |gateway: GatewayClient, envelope| async move { gateway.estimate(envelope).await };
        self.ask(seat, asked, begin, |inquiry, sealed, office| inquiry.price(sealed, office).map(drop)).await
    }

    /// Asks one member what is open.
    pub async fn describe(
        self: Arc<Self>,
        seat: Seat<MemberGateway>,
        asked: Arc<RelayedQuestion>,
    ) -> Reply<Described> {
        let begin = |gateway: GatewayClient, envelope| async move { gateway.describe(envelope).await };
        let open = |inquiry: &Inquiry<'_>, sealed, office: &SpiffeId| {
            inquiry.description_unread(&sealed, office).map(drop)
        };
        self.ask(seat, asked, begin, open).await
    }

    /// Asks one member. Its answer is read when it is the analyst's turn there, and opened, aside from the threads that serve,
    /// when there is memory for it.
    ///
    /// INVARIANT (an analyst who takes no answers holds up nobody else): an answer keeps its turn for [`ROOM_WAIT`] at most for
    /// want of memory. It is let go then, and asked for again once there is memory of its size; the gateway answers with the same
    /// bytes. A refusal is small, and comes whole in the headers of its call; it keeps the call's place until there is memory for
    /// it.
    async fn ask<S, R, V, F>(
        self: Arc<Self>,
        seat: Seat<MemberGateway>,
        asked: Arc<RelayedQuestion>,
        begin: impl Fn(GatewayClient, pb::Envelope) -> F + Send + Sync,
        open: fn(&Inquiry<'_>, S, &SpiffeId) -> Result<V, AnswerError>,
    ) -> Reply<Came<S, V>>
    where
        S: Clone + Default + Send + 'static,
        V: Send + 'static,
        F: Future<Output = Result<Coming<S, R>, Status>> + Send,
        for<'a> AnswerSize: From<&'a S>,
    {
        let metrics = self.metrics.clone();
        let reply = self.reply(seat, asked, begin, open).await;
        metrics.member_answered(match &reply {
            Reply::Answer(_) => MemberAnswer::Answered,
            Reply::Refused(..) => MemberAnswer::Refused,
            Reply::Missing(_) => MemberAnswer::Missing,
        });
        reply
    }

    async fn reply<S, R, V, F>(
        self: Arc<Self>,
        seat: Seat<MemberGateway>,
        asked: Arc<RelayedQuestion>,
        begin: impl Fn(GatewayClient, pb::Envelope) -> F + Send + Sync,
        open: fn(&Inquiry<'_>, S, &SpiffeId) -> Result<V, AnswerError>,
    ) -> Reply<Came<S, V>>
    where
        S: Clone + Default + Send + 'static,
        V: Send + 'static,
        F: Future<Output = Result<Coming<S, R>, Status>> + Send,
        for<'a> AnswerSize: From<&'a S>,
    {
        let send = |gateway: MemberGateway| {
            let (memory, analyst, begin) = (&self.memory, asked.analyst.as_str(), &begin);
            let (envelope, asked) = (&asked.envelope, &asked);
            async move {
                let read = async || {
                    let _call = gateway.calls.room(analyst, 1).await;
                    let sending = memory.question(analyst, envelope).await;
                    let came = async {
                        let client = gateway.client.traced(asked.member_trace());
                        let coming = begin(client, envelope.clone()).await?;
                        drop(sending);
                        let turn = gateway.turn.room(analyst, 1).await;
                        Ok::<(S, Room), Status>((coming.whole().await?, turn))
                    };
                    match came.await {
                        Ok(came) => Ok(came),
                        Err(status) => {
                            let room = memory.answer(analyst, AnswerSize::refused(&status)).await;
                            Err(Failed { status, room: Some(room) })
                        }
                    }
                };
                let (sealed, turn) = read().await?;
                let size = AnswerSize::from(&sealed);
                if let Ok(room) = timeout(ROOM_WAIT, memory.answer(analyst, size)).await {
                    return Ok((sealed, room));
                }
                drop((sealed, turn));
                let room = memory.answer(analyst, size).await;
                let (sealed, _turn) = read().await?;
                if AnswerSize::from(&sealed).opened > size.opened {
                    let status = Status::out_of_range("an answer grew when it was asked for again");
                    return Err(Failed { status, room: None });
                }
                Ok((sealed, room))
            }
        };
        let (sealed, room) = match self.call(&seat, &asked, send).await {
            Err(reply) => return reply,
            Ok(came) => came,
        };
        let (asker, opened) = (Arc::clone(&self), sealed.clone());
        let verified = move || open(&asked.inquiry(&asker.region), opened, &seat.uri);
        match self.memory.aside(verified).await {
            Ok(Ok(verified)) => Reply::Answer(Came { sealed, verified, room }),
            Ok(Err(error)) => Reply::missing(Absence::Unverified, error.to_string()),
            Err(error) => Reply::missing(Absence::Unverified, error.to_string()),
        }
    }

    /// Calls within the deadline; once more where a connection was lost under the call, as gateways allow: the same
    /// request is answered with the same values and charged once.
    async fn call<T, R, F>(
        &self,
        seat: &Seat<MemberGateway>,
        asked: &RelayedQuestion,
        send: impl Fn(MemberGateway) -> F,
    ) -> Result<T, Reply<R>>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        let Some(gateway) = &seat.reach else {
            return Err(Reply::missing(Absence::NotAMember, "this coordinator knows no such member"));
        };
        let calls = async {
            match send(gateway.clone()).await {
                Err(failed) if lost(&failed.status) => send(gateway.clone()).await,
                done => done,
            }
        };
        let called = timeout(self.deadline, calls).await;
        // Only a failure on this side has sources: a status that came from the gateway has none.
        let is_answered = match &called {
            Ok(Ok(_)) => true,
            Ok(Err(failed)) => failed.status.source().is_none(),
            Err(_) => false,
        };
        let state = if is_answered { MemberState::Answering } else { MemberState::Silent };
        gateway.is_now(state, &self.metrics);
        match called {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failed)) => Err(self.failed(failed, &seat.uri, asked)),
            Err(_) => {
                let message = format!("no answer within {:?}", self.deadline);
                Err(Reply::missing(Absence::Deadline, message))
            }
        }
    }

    fn failed<R>(
        &self,
        Failed { status, room }: Failed,
        office: &SpiffeId,
        asked: &RelayedQuestion,
    ) -> Reply<R> {
        if let Some(error) = status.source() {
            let message = explain_handshake(error, &self.tls.borrow(), &self.region, now());
            tracing::warn!(%office, reason = %message, "a member is unreachable");
            return Reply::missing(Absence::Unreachable, message);
        }
        if is_too_large(&status) {
            return Reply::missing(Absence::TooLarge, "the answer is larger than any answer can be");
        }
        let Some((sealed, envelope)) = sealed_envelope(&status).zip(refusal_envelope(&status)) else {
            let message = format!("{:?} without a signed refusal: {}", status.code(), status.message());
            return Reply::missing(Absence::Unsigned, message);
        };
        match asked.inquiry(&self.region).refusal(&sealed, office) {
            Ok(signed) => {
                let message = status.message().to_owned();
                let refusal = pb::Refusal { reason: signed.code, message, envelope: Some(envelope.into()) };
                let room = room.map(|mut room| {
                    room.shrink(refusal.wire_bytes());
                    room
                });
                Reply::Refused(refusal, room)
            }
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
