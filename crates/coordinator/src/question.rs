//! Is this a question, or a look-up of datasets, that may be relayed? The coordinator is no open relay: the asker must be an
//! analyst of the region, and the question must be one.

use std::time::Instant;

use lango_identity::{EnvelopeLimits, PayloadType, Region, SpiffeId, Unauthenticated, digest, verify};
use lango_privacy::{Margin, Measure, Query};
use lango_trace::TraceContext;
use lango_transport::{Demand, LogRate, ServerLimits, Share, Shares};
use lango_wire::{
    Admission, FieldFault, Inquiry, Lookup, Malformed, Object, Question, Refusal, SignedRequest, Wanted,
    envelope_digest, pb, status::unauthenticated,
};
use tonic::Status;

use crate::{clock::now, copies::Copies, log::Entered, memory::Memory};

/// The longest life of a question, in seconds: a month. Each office has its own bound below it.
const QUESTION_LIFE_S_MAX: u64 = 31 * 86_400;

/// A question that may be relayed, and what its answers are held against.
#[derive(Debug, Clone)]
pub(crate) struct RelayedQuestion {
    /// As it came; relayed byte for byte.
    pub envelope: pb::Envelope,
    /// Of the payload, under its own kind.
    pub request_digest: [u8; 32],
    /// What is asked; nothing where datasets are looked up.
    pub asked: Option<AskedFor>,
    /// Whom it is for.
    pub audience: Vec<SpiffeId>,
    /// Whose it is.
    pub analyst: String,
    /// As the log names it.
    pub entered: Entered,
    /// The trace that its calls belong to: a label, which nobody signed.
    pub trace: Option<TraceContext>,
}

/// A request that is not relayed, of an analyst who signed it.
#[derive(Debug)]
pub(crate) struct NotRelayed {
    pub entered: Box<Entered>,
    pub refusal: Refusal,
}

/// Why an envelope is not relayed.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Nobody signed it, or it cannot be read just now.
    Unknown(Status),
    /// It is refused.
    Refused(NotRelayed),
}

impl From<Status> for Unread {
    fn from(status: Status) -> Self {
        Self::Unknown(status)
    }
}

/// What the answers to a question must be of.
#[derive(Debug, Clone)]
pub(crate) struct AskedFor {
    /// Of the question's text.
    pub query_digest: [u8; 32],
    /// What every answer must be laid out as.
    pub margins: Vec<(Measure, Margin)>,
}

/// A request that may be relayed, once it is read further than an envelope's payload.
pub(crate) trait Relayable: SignedRequest + Send + 'static {
    /// What is asked.
    fn asked(&self) -> Result<Option<AskedFor>, Refusal>;
    /// For what, and the question's text.
    fn words(&self) -> (&str, Option<&str>);
}

impl Relayable for Question {
    fn asked(&self) -> Result<Option<AskedFor>, Refusal> {
        let query = Query::from_canonical(&self.query)?;
        let query_digest = digest(PayloadType::Text, self.query.as_bytes());
        Ok(Some(AskedFor { query_digest, margins: query.margins() }))
    }

    fn words(&self) -> (&str, Option<&str>) {
        (&self.purpose, Some(&self.query))
    }
}

impl Relayable for Lookup {
    fn asked(&self) -> Result<Option<AskedFor>, Refusal> {
        match self.object {
            Object::Describe(_) => Ok(None),
            Object::Release(_) => Err(Malformed { field: "object", fault: FieldFault::DescribeOnly }.into()),
        }
    }

    fn words(&self) -> (&str, Option<&str>) {
        ("", None)
    }
}

/// What every envelope passes.
#[derive(Debug)]
pub(crate) struct Door {
    shares: Shares,
    copies: Copies,
    unauthenticated: LogRate,
    refused: LogRate,
}

impl Door {
    pub fn new(limits: &ServerLimits) -> Self {
        Self {
            shares: Shares::new(limits.shares),
            copies: Copies::default(),
            unauthenticated: LogRate::new("unauthenticated envelopes", limits.log_lines_per_second),
            refused: LogRate::new("questions not relayed", limits.log_lines_per_second),
        }
    }

    /// The share of an authenticated analyst, or the refusal that says when to ask again.
    pub fn share(&self, principal: &SpiffeId, kind: PayloadType, demand: Demand) -> Result<Share, Status> {
        self.shares.take(&principal.to_string(), demand, Instant::now()).map_err(|wait| {
            self.refused
                .line(|| tracing::info!(%kind, %principal, "a request is refused: too many requests"));
            Refusal::TooManyRequests { wait }.into_status(None)
        })
    }

    /// The status of an envelope that proves nothing. The reason is in the log only.
    pub fn unauthenticated(&self, kind: PayloadType, reason: &Unauthenticated) -> Status {
        self.unauthenticated.line(|| tracing::warn!(%kind, %reason, "an envelope is not authenticated"));
        unauthenticated()
    }

    /// The status of a refusal.
    pub fn refused(&self, kind: PayloadType, principal: &SpiffeId, refusal: &Refusal) -> Status {
        self.refused.line(|| {
            tracing::info!(%kind, %principal, reason = %refusal, "a request is refused");
        });
        refusal.clone().into_status(None)
    }

    /// The share of an address that asks for what nobody signs.
    pub fn share_of(&self, peer: &str) -> Result<Share, Status> {
        let taken = self.shares.take(peer, Demand::Request, Instant::now());
        taken.map_err(|wait| Refusal::TooManyRequests { wait }.into_status(None))
    }

    /// As what an admitted request counts: a copy, which anyone can send who holds the bytes, takes nothing of what its analyst
    /// may ask.
    fn demand(
        &self,
        principal: &SpiffeId,
        kind: PayloadType,
        question: &impl SignedRequest,
        digest: [u8; 32],
        now: i64,
    ) -> Result<Demand, Refusal> {
        Ok(match (self.copies.has_come(principal, question, digest, now)?, kind) {
            (true, _) => Demand::Replay,
            (false, PayloadType::Query) => Demand::Question,
            (false, _) => Demand::Request,
        })
    }
}

impl RelayedQuestion {
    /// Refuses what could only be answered office by office, before anybody is asked and charged.
    pub fn fits(&self, by_office: bool) -> Result<(), Refusal> {
        let margins = self.asked.iter().flat_map(|asked| &asked.margins);
        let mut chosen = margins.filter_map(|(measure, _)| Some((measure, measure.chosen_of()?)));
        match chosen.next() {
            Some((measure, column)) if !by_office && self.audience.len() > 1 => {
                let (measure, column) = (measure.clone(), column.clone());
                Err(Refusal::QuantilePerOffice { measure, column })
            }
            _ => Ok(()),
        }
    }

    /// The trace for the call to one member, which is a piece of work of its own.
    pub fn member_trace(&self) -> Option<TraceContext> {
        let mut span = [0; 8];
        getrandom::fill(&mut span).ok()?;
        self.trace?.with_span(span)
    }

    /// What the answers are held against.
    pub fn inquiry<'a>(&'a self, region: &'a Region) -> Inquiry<'a> {
        let wanted =
            |asked: &'a AskedFor| Wanted { query_digest: &asked.query_digest, margins: &asked.margins };
        let question = self.asked.as_ref().map(wanted);
        Inquiry { region, now: now(), request_digest: &self.request_digest, question }
    }

    /// Verifies and reads an envelope at `now` (Unix seconds), as gateways do, and takes its analyst's share. The reason why one
    /// does not verify is in the log only.
    pub async fn read<T: Relayable>(
        envelope: Option<pb::Envelope>,
        kind: PayloadType,
        (region, memory): (&Region, &Memory),
        now: i64,
        door: &Door,
    ) -> Result<(Self, Share), Unread> {
        let envelope = envelope.ok_or_else(unauthenticated)?;
        let complete = envelope_digest(&envelope);
        let opened = envelope.clone().into();
        let verified = verify(&opened, kind, region, now, EnvelopeLimits::default());
        let principal = verified.map_err(|reason| door.unauthenticated(kind, &reason))?.principal;
        let mut entered = Entered::new(kind, &principal, &opened, complete);
        let request_digest = digest(kind, &envelope.payload);
        let admission = Admission { office: None, now, question_life_s_max: QUESTION_LIFE_S_MAX };
        let admitted = admission.admit::<T>(kind, &envelope.payload, &principal).and_then(|question| {
            let demand = door.demand(&principal, kind, &question, request_digest, now)?;
            Ok((question, demand))
        });
        let demand = admitted.as_ref().map_or(Demand::Replay, |(_, demand)| *demand);
        let share = door.share(&principal, kind, demand)?;
        if let Ok((question, Demand::Question | Demand::Request)) = &admitted {
            door.copies.remember(&principal, question, request_digest, now);
        }
        let question = match admitted {
            Ok((question, _)) => {
                let (purpose, text) = question.words();
                entered.asks(question.audience(), purpose, text);
                Self::of(envelope, request_digest, (entered.clone(), question), memory).await?
            }
            Err(refusal) => Err(refusal),
        };
        match question {
            Ok(asked) => Ok((asked, share)),
            Err(refusal) => Err(Unread::Refused(NotRelayed { entered: Box::new(entered), refusal })),
        }
    }

    /// Reads an admitted question's text, aside from the threads that serve: a long one takes long.
    async fn of<T: Relayable>(
        envelope: pb::Envelope,
        request_digest: [u8; 32],
        question: (Entered, T),
        memory: &Memory,
    ) -> Result<Result<Self, Refusal>, Status> {
        let read = move || Self::opened(envelope, request_digest, question);
        memory.aside(read).await.map_err(|_| Refusal::Unavailable.into_status(None))
    }

    fn opened<T: Relayable>(
        envelope: pb::Envelope,
        request_digest: [u8; 32],
        (entered, question): (Entered, T),
    ) -> Result<Self, Refusal> {
        let (analyst, audience) = (entered.principal().to_string(), question.audience().to_vec());
        let asked = question.asked()?;
        Ok(Self { request_digest, asked, analyst, audience, envelope, entered, trace: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;
    const TEXT: &str = "lango-query 1\ndataset residents\nmeasure persons\nby\nby sex\nprice epsilon 1\n";

    fn id(uri: &str) -> SpiffeId {
        uri.parse().unwrap()
    }

    fn question(query: &str, expires_at: u64) -> Vec<u8> {
        let analyst = id("spiffe://lango.example/analyst/awa");
        let audience = vec![id("spiffe://lango.example/office/BEN"), id("spiffe://lango.example/office/GHA")];
        let (query, purpose) = (query.to_owned(), "official-statistics".to_owned());
        Question {
            request_id: [1; 16],
            blind: [2; 32],
            analyst,
            audience,
            query,
            purpose,
            mode: 1,
            min_members: 0,
            roster_digest: vec![],
            issued_at: 999_000,
            expires_at,
        }
        .encode()
    }

    fn read(payload: Vec<u8>, signer: &str) -> Result<RelayedQuestion, Refusal> {
        read_as::<Question>(PayloadType::Query, payload, signer)
    }

    fn read_as<T: Relayable>(
        kind: PayloadType,
        payload: Vec<u8>,
        signer: &str,
    ) -> Result<RelayedQuestion, Refusal> {
        let admission = Admission { office: None, now: NOW, question_life_s_max: QUESTION_LIFE_S_MAX };
        let question: T = admission.admit(kind, &payload, &id(signer))?;
        let request_digest = digest(kind, &payload);
        let envelope = pb::Envelope { payload, ..pb::Envelope::default() };
        let entered = Entered::new(kind, &id(signer), &envelope.clone().into(), [0; 32]);
        RelayedQuestion::opened(envelope, request_digest, (entered, question))
    }

    #[test]
    fn datasets_may_be_looked_up_and_releases_may_not() {
        let analyst = "spiffe://lango.example/analyst/awa";
        for (object, expected) in [
            (Object::Describe(None), None),
            (Object::Describe(Some("residents".to_owned())), None),
            (Object::Release([7; 16]), Some("malformed")),
        ] {
            let lookup = Lookup {
                request_id: [1; 16],
                principal: id(analyst),
                audience: vec![id("spiffe://lango.example/office/GHA")],
                object,
                issued_at: 999_000,
                expires_at: 1_000_001,
            };
            let read = read_as::<Lookup>(PayloadType::Lookup, lookup.encode(), analyst);
            match (read, expected) {
                (Ok(relayed), None) => {
                    assert!(relayed.asked.is_none() && relayed.audience == lookup.audience)
                }
                (Err(refusal), Some(code)) => assert_eq!(refusal.code(), code),
                (read, expected) => panic!("{read:?} {expected:?}"),
            }
        }
    }

    #[test]
    fn a_question_says_what_its_answers_are_checked_against() {
        let payload = question(TEXT, 1_000_001);
        let asked = read(payload.clone(), "spiffe://lango.example/analyst/awa").unwrap();
        assert_eq!(asked.request_digest, digest(PayloadType::Query, &payload));
        let question = asked.asked.unwrap();
        assert_eq!(question.query_digest, digest(PayloadType::Text, TEXT.as_bytes()));
        let margins: Vec<_> = question.margins.iter().map(|(_, by)| by.to_string()).collect();
        assert_eq!((margins, asked.audience.len()), (vec![String::new(), "sex".into()], 2));
    }

    #[test]
    fn quantiles_are_asked_office_by_office_or_of_one_office() {
        let read = |measure: &str| {
            let payload = question(&TEXT.replace("persons", measure), 1_000_001);
            read(payload, "spiffe://lango.example/analyst/awa").unwrap()
        };
        let quantile = read("quantile(age,0.5)");
        let refused = quantile.fits(false).unwrap_err();
        assert_eq!(refused.to_string(), "quantile-per-office column=age measure=quantile(age,0.5)");
        assert!(quantile.fits(true).is_ok());
        let of_one = RelayedQuestion { audience: vec![id("spiffe://lango.example/office/GHA")], ..quantile };
        assert!(of_one.fits(false).is_ok());
        assert!(read("histogram(age)").fits(false).is_ok());
    }

    #[test]
    fn what_is_no_question_of_an_analyst_is_not_relayed() {
        let analyst = "spiffe://lango.example/analyst/awa";
        for (payload, signer, code) in [
            (question(TEXT, 1_000_000), analyst, "time"),
            (question(TEXT, 1_000_001), "spiffe://lango.example/office/GHA", "role"),
            (question(TEXT, 1_000_001), "spiffe://lango.example/analyst/kofi", "malformed"),
            (question("lango-query 2\n", 1_000_001), analyst, "malformed"),
            (vec![0xff], analyst, "malformed"),
        ] {
            assert_eq!(read(payload, signer).err().map(|refusal| refusal.code()), Some(code));
        }
    }
}
