//! Is this a question that may be relayed? The coordinator is no open relay: the asker must be an analyst of the
//! region, and the question must be one.

use std::time::Instant;

use lango_identity::{EnvelopeLimits, PayloadType, Region, Role, SpiffeId, digest, verify};
use lango_privacy::{Margin, Measure, Query};
use lango_transport::{Demand, LogRate, ServerLimits, Share, Shares};
use lango_wire::{Inquiry, Question, Refusal, TimeFault, Wanted, pb, status::unauthenticated};
use tonic::Status;

use crate::ask::now;

/// A question that may be relayed, and what its answers are held against.
#[derive(Debug, Clone)]
pub(crate) struct RelayedQuestion {
    /// As it came; relayed byte for byte.
    pub envelope: pb::Envelope,
    /// Of the payload, under its own kind.
    pub request_digest: [u8; 32],
    /// Of the question's text.
    pub query_digest: [u8; 32],
    /// What every answer must be laid out as.
    pub margins: Vec<(Measure, Margin)>,
    /// Whom it is for.
    pub audience: Vec<SpiffeId>,
}

/// What every envelope passes.
#[derive(Debug)]
pub(crate) struct Door {
    shares: Shares,
    unauthenticated: LogRate,
    refused: LogRate,
}

impl Door {
    pub fn new(limits: &ServerLimits) -> Self {
        Self {
            shares: Shares::new(limits.shares),
            unauthenticated: LogRate::new("unauthenticated envelopes", limits.log_lines_per_second),
            refused: LogRate::new("questions not relayed", limits.log_lines_per_second),
        }
    }

    /// The share of an authenticated analyst, or the refusal that says when to ask again.
    fn share(&self, principal: &SpiffeId, kind: PayloadType) -> Result<Share, Status> {
        let demand = if kind == PayloadType::Query { Demand::Question } else { Demand::Request };
        self.shares.take(&principal.to_string(), demand, Instant::now()).map_err(|wait| {
            self.refused
                .line(|| tracing::info!(%kind, %principal, "a question is not relayed: too many requests"));
            Refusal::TooManyRequests { wait }.into_status(None)
        })
    }
}

impl RelayedQuestion {
    /// Refuses what could only be answered office by office, before anybody is asked and charged.
    pub fn fits(&self, by_office: bool) -> Result<(), Refusal> {
        let mut chosen = self.margins.iter().filter_map(|(measure, _)| Some((measure, measure.chosen_of()?)));
        match chosen.next() {
            Some((measure, column)) if !by_office && self.audience.len() > 1 => {
                let (measure, column) = (measure.clone(), column.clone());
                Err(Refusal::QuantilePerOffice { measure, column })
            }
            _ => Ok(()),
        }
    }

    /// What the answers are held against.
    pub fn inquiry<'a>(&'a self, region: &'a Region) -> Inquiry<'a> {
        let question = Some(Wanted { query_digest: &self.query_digest, margins: &self.margins });
        Inquiry { region, now: now(), request_digest: &self.request_digest, question }
    }

    /// Verifies and reads an envelope at `now` (Unix seconds), as gateways do, and takes its analyst's share. The reason why one does
    /// not verify is in the log only.
    pub fn read(
        envelope: Option<pb::Envelope>,
        kind: PayloadType,
        region: &Region,
        now: i64,
        door: &Door,
    ) -> Result<(Self, Share), Status> {
        let envelope = envelope.ok_or_else(unauthenticated)?;
        let verified = verify(&envelope.clone().into(), kind, region, now, EnvelopeLimits::default());
        let verified = verified.map_err(|reason| {
            door.unauthenticated.line(|| tracing::warn!(%kind, %reason, "an envelope is not authenticated"));
            unauthenticated()
        })?;
        let principal = verified.principal;
        let share = door.share(&principal, kind)?;
        let asked = Self::of_payload(envelope, kind, &principal, now).map_err(|refusal| {
            door.refused.line(|| {
                tracing::info!(%kind, %principal, reason = %refusal, "a question is not relayed");
            });
            refusal.into_status(None)
        })?;
        Ok((asked, share))
    }

    /// Reads the payload that `principal` signed.
    fn of_payload(
        envelope: pb::Envelope,
        kind: PayloadType,
        principal: &SpiffeId,
        now: i64,
    ) -> Result<Self, Refusal> {
        if principal.role() != Role::Analyst {
            return Err(Refusal::Role(Role::Analyst));
        }
        let question = Question::decode(&envelope.payload, principal)?;
        if i64::try_from(question.expires_at).is_ok_and(|expires_at| expires_at <= now) {
            return Err(Refusal::Time(TimeFault::Expired));
        }
        let query = Query::from_canonical(&question.query)?;
        Ok(Self {
            request_digest: digest(kind, &envelope.payload),
            query_digest: digest(PayloadType::Text, question.query.as_bytes()),
            margins: query.margins(),
            audience: question.audience,
            envelope,
        })
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
            issued_at: 0,
            expires_at,
        }
        .encode()
    }

    fn read(payload: Vec<u8>, signer: &str) -> Result<RelayedQuestion, Refusal> {
        let envelope = pb::Envelope { payload, ..pb::Envelope::default() };
        RelayedQuestion::of_payload(envelope, PayloadType::Query, &id(signer), NOW)
    }

    #[test]
    fn a_question_says_what_its_answers_are_checked_against() {
        let payload = question(TEXT, 1_000_001);
        let asked = read(payload.clone(), "spiffe://lango.example/analyst/awa").unwrap();
        assert_eq!(asked.request_digest, digest(PayloadType::Query, &payload));
        assert_eq!(asked.query_digest, digest(PayloadType::Text, TEXT.as_bytes()));
        let margins: Vec<_> = asked.margins.iter().map(|(_, by)| by.to_string()).collect();
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

    #[test]
    fn an_envelope_that_proves_nothing_gets_no_detail() {
        let authority = lango_identity::Authority::new(
            "lango.example",
            "Test authority",
            lango_identity::Lifetime::days(NOW, 1),
        );
        let region = authority.unwrap().region("1.3.6.1.4.1.32473.1.1".parse().unwrap()).unwrap();
        let door = Door::new(&ServerLimits::default());
        let unsigned = pb::Envelope { payload: question(TEXT, 1_000_001), ..pb::Envelope::default() };
        for envelope in [None, Some(unsigned)] {
            let status =
                RelayedQuestion::read(envelope, PayloadType::Query, &region, NOW, &door).unwrap_err();
            assert_eq!(status.code(), tonic::Code::Unauthenticated);
            assert!(status.details().is_empty());
        }
    }
}
