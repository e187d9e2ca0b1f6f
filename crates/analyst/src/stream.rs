//! A coordinator's stream of members' answers: bounded in size, number and time, each verified as it comes.

use std::{collections::BTreeMap, time::Duration};

use lango_identity::{Region, SpiffeId};
use lango_privacy::{Margin, Measure};
use lango_wire::{
    Absence, AnswerError, Inquiry, SignedRefusal, VerifiedDescription, VerifiedPrice, VerifiedRelease,
    Wanted,
    sealed::{
        SealedDescribeResponse, SealedDescription, SealedEstimateResponse, SealedOutcome, SealedPrice,
        SealedQueryResponse, SealedRelease,
    },
    status::is_too_large,
};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, Streaming};

use crate::{
    clock::now,
    error::AskError,
    event::{AskEvent, BrokenOff, Discarded},
};

/// The events that a coordinator may send beside one for each member.
const EVENTS_BESIDE_MOST: usize = 8;
/// The most bytes of a name of which an event speaks.
const NAME_BYTES_MOST: usize = 64;

/// When a question must be over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    time_max: Duration,
}

impl Deadline {
    /// This long from now.
    pub fn after(time_max: Duration) -> Self {
        Self { at: Instant::now() + time_max, time_max }
    }

    /// What a call comes to, unless it takes too long.
    pub async fn hold<T>(self, call: impl Future<Output = Result<T, Status>>) -> Result<T, AskError> {
        match timeout_at(self.at, call).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(AskError::Late(self.time_max)),
        }
    }
}

/// What was sent, and what its answers are held against.
#[derive(Debug)]
pub(crate) struct Sent {
    pub region: Region,
    pub audience: Vec<SpiffeId>,
    pub request_digest: [u8; 32],
    /// Nothing where datasets are looked up.
    pub question: Option<SentQuestion>,
}

/// The digest of a question's text, and its margins.
#[derive(Debug)]
pub(crate) struct SentQuestion {
    pub query_digest: [u8; 32],
    pub margins: Vec<(Measure, Margin)>,
}

impl Sent {
    fn inquiry(&self) -> Inquiry<'_> {
        let question = self
            .question
            .as_ref()
            .map(|SentQuestion { query_digest, margins }| Wanted { query_digest, margins });
        Inquiry { region: &self.region, now: now(), request_digest: &self.request_digest, question }
    }
}

/// A message of a coordinator's stream, and what is in it.
pub(crate) trait Response: Sized {
    type Sealed;
    type Verified;
    /// The office and what it is said to have said; nothing where the message is of something else.
    fn member(self) -> Option<(String, Option<SealedOutcome<Self::Sealed>>)>;
    fn verify(
        inquiry: &Inquiry<'_>,
        sealed: Self::Sealed,
        office: &SpiffeId,
    ) -> Result<Self::Verified, AnswerError>;
}

impl Response for SealedQueryResponse {
    type Sealed = SealedRelease;
    type Verified = VerifiedRelease;
    fn member(self) -> Option<(String, Option<SealedOutcome<SealedRelease>>)> {
        self.member.map(|member| (member.office.clone(), member.outcome()))
    }
    fn verify(
        inquiry: &Inquiry<'_>,
        sealed: SealedRelease,
        office: &SpiffeId,
    ) -> Result<VerifiedRelease, AnswerError> {
        inquiry.release(sealed, office)
    }
}

impl Response for SealedEstimateResponse {
    type Sealed = SealedPrice;
    type Verified = VerifiedPrice;
    fn member(self) -> Option<(String, Option<SealedOutcome<SealedPrice>>)> {
        self.member.map(|member| (member.office.clone(), member.outcome()))
    }
    fn verify(
        inquiry: &Inquiry<'_>,
        sealed: SealedPrice,
        office: &SpiffeId,
    ) -> Result<VerifiedPrice, AnswerError> {
        inquiry.price(sealed, office)
    }
}

impl Response for SealedDescribeResponse {
    type Sealed = SealedDescription;
    type Verified = VerifiedDescription;
    fn member(self) -> Option<(String, Option<SealedOutcome<SealedDescription>>)> {
        self.member.map(|member| (member.office.clone(), member.outcome()))
    }
    fn verify(
        inquiry: &Inquiry<'_>,
        sealed: SealedDescription,
        office: &SpiffeId,
    ) -> Result<VerifiedDescription, AnswerError> {
        inquiry.description(sealed, office)
    }
}

/// What became of asking one office.
#[derive(Debug)]
pub(crate) enum Said<T> {
    Answered(T),
    Refused(SignedRefusal),
    Missing(Absence),
}

/// A question under way.
#[derive(Debug)]
pub(crate) struct Replies<R: Response> {
    pub sent: Sent,
    /// By the offices' short names; the first that came in an office's name.
    pub said: BTreeMap<String, Said<R::Verified>>,
    stream: Option<Streaming<R>>,
    deadline: Deadline,
    came: usize,
}

impl<R: Response> Replies<R> {
    pub fn new(sent: Sent, stream: Streaming<R>, deadline: Deadline) -> Self {
        Self { sent, said: BTreeMap::new(), stream: Some(stream), deadline, came: 0 }
    }

    /// The next event; nothing once the stream has ended.
    ///
    /// # Errors
    /// The coordinator failed before anything came.
    pub async fn next(&mut self) -> Result<Option<AskEvent>, AskError> {
        let most = self.sent.audience.len().saturating_add(EVENTS_BESIDE_MOST);
        loop {
            let Some(stream) = self.stream.as_mut() else { return Ok(None) };
            let message = match timeout_at(self.deadline.at, stream.message()).await {
                Ok(Ok(Some(message))) => message,
                Ok(Ok(None)) => {
                    self.stream = None;
                    return Ok(None);
                }
                // What was verified stands; the members that have not answered by now are silent.
                Ok(Err(status)) => {
                    self.stream = None;
                    return match self.came {
                        0 if !is_too_large(&status) => Err(status.into()),
                        _ => Ok(Some(Self::broken_off(BrokenOff::Failed(status.into())))),
                    };
                }
                Err(_) => return Ok(Some(self.end(BrokenOff::Late(self.deadline.time_max)))),
            };
            self.came += 1;
            if self.came > most {
                return Ok(Some(self.end(BrokenOff::Endless(most))));
            }
            if let Some((office, outcome)) = message.member() {
                return Ok(Some(self.judge(office, outcome)));
            }
        }
    }

    fn end(&mut self, why: BrokenOff) -> AskEvent {
        self.stream = None;
        Self::broken_off(why)
    }

    fn broken_off(why: BrokenOff) -> AskEvent {
        AskEvent::CoordinatorBrokeOff { why }
    }

    /// What a message in an office's name is worth. The first one counts; a second one is the coordinator's invention.
    fn judge(&mut self, mut office: String, outcome: Option<SealedOutcome<R::Sealed>>) -> AskEvent {
        let Some(uri) = self.sent.audience.iter().find(|uri| named(uri, &office)) else {
            office.truncate(office.floor_char_boundary(NAME_BYTES_MOST));
            return AskEvent::Discarded { office, why: Discarded::Stranger };
        };
        let office = uri.name().to_owned();
        if self.said.contains_key(&office) {
            return AskEvent::Discarded { office, why: Discarded::Again };
        }
        let inquiry = self.sent.inquiry();
        let named = office.clone();
        let unverified = |error| AskEvent::Discarded { office: named, why: Discarded::Unverified(error) };
        let (said, event) = match outcome {
            Some(SealedOutcome::Answer(sealed)) => match R::verify(&inquiry, sealed, uri) {
                Ok(verified) => {
                    (Said::Answered(verified), AskEvent::MemberAnswered { office: office.clone() })
                }
                Err(error) => (Said::Missing(Absence::Unverified), unverified(error)),
            },
            Some(SealedOutcome::Refusal(sealed)) => match inquiry.refusal(&sealed.envelope, uri) {
                Ok(refusal) => {
                    let event = AskEvent::MemberRefused { office: office.clone(), refusal: refusal.clone() };
                    (Said::Refused(refusal), event)
                }
                Err(error) => (Said::Missing(Absence::Unsigned), unverified(error)),
            },
            Some(SealedOutcome::Missing(missing)) => {
                self.missing(&office, missing.reason.parse().unwrap_or(Absence::Silent))
            }
            None => self.missing(&office, Absence::Silent),
        };
        self.said.insert(office, said);
        event
    }

    fn missing(&self, office: &str, absence: Absence) -> (Said<R::Verified>, AskEvent) {
        (Said::Missing(absence), AskEvent::MemberMissing { office: office.to_owned(), absence })
    }

    /// What became of asking each office, in the order of asking: silence where nothing came.
    pub fn outcomes(mut self) -> impl Iterator<Item = (String, Said<R::Verified>)> {
        self.sent.audience.into_iter().map(move |uri| {
            let said = self.said.remove(uri.name()).unwrap_or(Said::Missing(Absence::Silent));
            (uri.name().to_owned(), said)
        })
    }
}

/// Whether a coordinator's name for a member means this office: its URI or its short name.
fn named(uri: &SpiffeId, office: &str) -> bool {
    uri.name() == office || uri.to_string() == office
}
