//! Asking through a coordinator that is trusted with nothing: what counts is what the offices signed.

use std::{collections::BTreeMap, time::Duration};

use lango_identity::{
    Expected, PayloadType, Region, RevocationRule, Role, Signer, SpiffeId, TlsIdentity, check_own,
    client_config, digest, explain_handshake, stands,
};
use lango_statistics::{Coverage, Outcome};
use lango_trace::TraceContext;
use lango_transport::{self as transport, Address, Recall, TlsSettings};
use lango_wire::{
    Absence, Lookup, Object, Question, VerifiedDescription,
    client::CoordinatorClient,
    limits::AUDIENCE_MOST,
    sealed::{SealedDescribeResponse, SealedEstimateResponse, SealedQueryResponse},
};

use crate::{
    answered::{Answered, MemberCatalogue, NoAnswer, Prices, tables},
    clock::now,
    enquiry::{Enquiry, named_offices},
    error::AskError,
    event::AskEvent,
    stream::{Deadline, Replies, Said, Sent, SentQuestion},
};

/// How long a question lives.
const LIFE_S: u64 = 3_600;
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// How long the coordinator's revocation lists are waited for.
const LISTS_TIME_MAX: Duration = Duration::from_secs(2);

/// Who asks, and whom the analyst believes.
pub struct Credentials {
    /// The region whose offices are believed.
    pub region: Region,
    /// For connections.
    pub tls: TlsIdentity,
    /// For questions.
    pub signer: Signer,
}

/// A connection to a coordinator.
pub struct Client {
    credentials: Credentials,
    service: CoordinatorClient,
    time_max: Duration,
}

impl Client {
    /// Connects, and takes the revocation lists that the coordinator has; a question takes no longer than `time_max`.
    ///
    /// # Errors
    /// Certificates that are not good, and a handshake that fails, which is explained.
    pub async fn connect(
        credentials: Credentials,
        address: &Address,
        time_max: Duration,
    ) -> Result<Self, AskError> {
        let Credentials { region, tls, signer } = &credentials;
        check_own(tls, region, now()).map_err(|fault| AskError::Tls { fault })?;
        signer.check(region, now()).map_err(AskError::Signing)?;
        // A coordinator that would be believed only by a list may bring it: nothing else that it says counts.
        let met = region.clone().with_revocation(RevocationRule::default());
        let config = client_config(tls, &met, Expected::Role(Role::Coordinator))?;
        let recall =
            Recall::new(move |shown| stands(shown, &met), |notice| region.revocations().on_change(notice));
        let config = TlsSettings::fixed(config, recall);
        let channel = transport::connect(address, config, CONNECT_TIME_MAX).await.map_err(|error| {
            let why = explain_handshake(&error, tls, region, now());
            AskError::Unreachable { address: address.to_string(), why }
        })?;
        let service = CoordinatorClient::new(channel);
        // What it has is no better than what is there where it is older, and one of before has none.
        if let Ok(Ok(lists)) = tokio::time::timeout(LISTS_TIME_MAX, service.get_revocations()).await {
            let _ = region.take_revocations(lists.as_bytes(), now());
        }
        check_own(tls, region, now()).map_err(|fault| AskError::Tls { fault })?;
        signer.check(region, now()).map_err(AskError::Signing)?;
        region.check_lists(now()).map_err(AskError::Revocation)?;
        Ok(Self { credentials, service, time_max })
    }

    /// Asks a question, which may be charged.
    ///
    /// # Errors
    /// Nothing can be asked, or the coordinator does not relay it.
    pub async fn ask(&self, enquiry: &Enquiry) -> Result<Asking, AskError> {
        let deadline = Deadline::after(self.time_max);
        let (question, sent, envelope) = self.signed(enquiry, PayloadType::Query, deadline).await?;
        let trace = trace();
        let stream = deadline.hold(self.service.traced(trace).query(envelope, enquiry.by_office)).await?;
        let replies = Replies::new(sent, stream, deadline);
        Ok(Asking { text: question.query, enquiry: enquiry.clone(), trace, replies })
    }

    /// Asks for the price of a question; nothing is charged and no data is touched.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn price(&self, enquiry: &Enquiry) -> Result<Pricing, AskError> {
        let deadline = Deadline::after(self.time_max);
        let (question, sent, envelope) = self.signed(enquiry, PayloadType::Estimate, deadline).await?;
        let stream = deadline.hold(self.service.traced(trace()).estimate(envelope)).await?;
        let replies = Replies::new(sent, stream, deadline);
        Ok(Pricing { text: question.query, enquiry: enquiry.clone(), replies })
    }

    async fn signed(
        &self,
        enquiry: &Enquiry,
        kind: PayloadType,
        deadline: Deadline,
    ) -> Result<(Question, Sent, lango_wire::pb::Envelope), AskError> {
        let Credentials { region, signer, .. } = &self.credentials;
        let analyst = signer.principal().clone();
        let audience = self.audience(&enquiry.members, deadline).await?;
        enquiry.adds_up(audience.len())?;
        let issued_at = u64::try_from(now()).unwrap_or_default();
        let question = Question {
            request_id: random()?,
            blind: random()?,
            analyst,
            audience,
            query: enquiry.query.to_string(),
            purpose: enquiry.purpose.clone(),
            mode: 1,
            min_members: enquiry.at_least,
            roster_digest: Vec::new(),
            issued_at,
            expires_at: issued_at + LIFE_S,
        };
        let payload = question.encode();
        let query_digest = digest(PayloadType::Text, question.query.as_bytes());
        let sent = Sent {
            region: region.clone(),
            audience: question.audience.clone(),
            request_digest: digest(kind, &payload),
            question: Some(SentQuestion { query_digest, margins: enquiry.query.margins() }),
        };
        Ok((question, sent, signer.sign(kind, payload).into()))
    }

    /// Asks what is open at some members, by their short names; none means every member. `dataset` names the only dataset that
    /// is described. What has not come after `patience` is waited for no longer.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn describe(
        &self,
        members: &[String],
        dataset: Option<&str>,
        patience: Duration,
    ) -> Result<Describing, AskError> {
        let deadline = Deadline::after(patience.min(self.time_max));
        let Credentials { region, signer, .. } = &self.credentials;
        let issued_at = u64::try_from(now()).unwrap_or_default();
        let lookup = Lookup {
            request_id: random()?,
            principal: signer.principal().clone(),
            audience: self.audience(members, deadline).await?,
            object: Object::Describe(dataset.map(str::to_owned)),
            issued_at,
            expires_at: issued_at + LIFE_S,
        };
        let payload = lookup.encode();
        let sent = Sent {
            region: region.clone(),
            audience: lookup.audience,
            request_digest: digest(PayloadType::Lookup, &payload),
            question: None,
        };
        let envelope = signer.sign(PayloadType::Lookup, payload).into();
        let stream = deadline.hold(self.service.traced(trace()).describe(envelope)).await?;
        Ok(Describing { replies: Replies::new(sent, stream, deadline) })
    }

    /// The short names of the federation's members, as the coordinator lists them; waited for no longer than `patience`.
    ///
    /// # Errors
    /// The coordinator fails, or lists what is no federation.
    pub async fn member_names(&self, patience: Duration) -> Result<Vec<String>, AskError> {
        let members = self.members(Deadline::after(patience.min(self.time_max))).await?;
        Ok(members.iter().map(|member| member.name().to_owned()).collect())
    }

    /// The offices with these short names, or every member where none is named.
    async fn audience(&self, named: &[String], deadline: Deadline) -> Result<Vec<SpiffeId>, AskError> {
        let mut audience = named_offices(named, self.credentials.region.trust_domain())?;
        if audience.is_empty() {
            audience = self.members(deadline).await?;
        }
        audience.sort_by_key(SpiffeId::to_string);
        audience.dedup();
        if audience.is_empty() { Err(AskError::NoMembers) } else { Ok(audience) }
    }

    /// The federation's members.
    async fn members(&self, deadline: Deadline) -> Result<Vec<SpiffeId>, AskError> {
        let trust_domain = self.credentials.region.trust_domain();
        let mut members: Vec<SpiffeId> = Vec::new();
        let mut page_token = String::new();
        // A page of none is as endless as a list of too many.
        for _ in 0..AUDIENCE_MOST {
            let page = deadline.hold(self.service.list_members(page_token.clone())).await?;
            for member in page.members {
                let uri: SpiffeId = member.uri.parse().map_err(|_| AskError::MemberUnreadable)?;
                if uri.role() != Role::Office || uri.trust_domain() != trust_domain {
                    return Err(AskError::MemberUnreadable);
                }
                members.push(uri);
            }
            let last = std::mem::replace(&mut page_token, page.next_page_token);
            if members.len() > AUDIENCE_MOST {
                break;
            }
            if page_token.is_empty() {
                return Ok(members);
            }
            if page_token == last {
                break;
            }
        }
        Err(AskError::MembersEndless)
    }
}

/// A question under way.
#[derive(Debug)]
pub struct Asking {
    text: String,
    enquiry: Enquiry,
    trace: Option<TraceContext>,
    replies: Replies<SealedQueryResponse>,
}

impl Asking {
    /// The trace that the question was sent with, by which its lines are found in the logs of those who worked on it.
    pub fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// Whom the question is addressed to.
    pub fn audience(&self) -> &[SpiffeId] {
        &self.replies.sent.audience
    }

    /// The next event; nothing once all has come that will.
    ///
    /// # Errors
    /// The coordinator failed before anything came.
    pub async fn next(&mut self) -> Result<Option<AskEvent>, AskError> {
        self.replies.next().await
    }

    /// The answer: what was verified, added up.
    ///
    /// # Errors
    /// The answers cannot be combined.
    pub fn finish(self) -> Result<Answered, AskError> {
        let query_digest = digest(PayloadType::Text, self.text.as_bytes());
        let (by_office, level, at_least) =
            (self.enquiry.by_office, self.enquiry.level, self.enquiry.at_least);
        let (mut answers, mut refusals) = (BTreeMap::new(), BTreeMap::new());
        let mut outcomes = Vec::new();
        for (office, said) in self.replies.outcomes() {
            let outcome = match said {
                Said::Answered(verified) => {
                    answers.insert(office.clone(), verified);
                    Outcome::Answered
                }
                Said::Refused(refusal) => {
                    let code = refusal.code.clone();
                    refusals.insert(office.clone(), refusal);
                    Outcome::Refused(code)
                }
                Said::Missing(absence) => Outcome::Missing(absence.reason().to_owned()),
            };
            outcomes.push((office, outcome));
        }
        let (tables, left_out) = tables(&mut answers, by_office, level)?;
        for (office, outcome) in &mut outcomes {
            if left_out.contains(office) {
                *outcome = Outcome::Missing(Absence::TooManyCells.reason().to_owned());
            }
        }
        let asked: Vec<String> = outcomes.iter().map(|(office, _)| office.clone()).collect();
        let coverage = Coverage::new(asked, outcomes)?;
        let (text, trace) = (self.text, self.trace);
        Ok(Answered {
            text,
            query_digest,
            trace,
            coverage,
            answers,
            refusals,
            tables,
            by_office,
            level,
            at_least,
        })
    }
}

/// A look-up of datasets under way.
#[derive(Debug)]
pub struct Describing {
    replies: Replies<SealedDescribeResponse>,
}

impl Describing {
    /// Whom the look-up is addressed to.
    pub fn audience(&self) -> &[SpiffeId] {
        &self.replies.sent.audience
    }

    /// The next event; nothing once all has come that will.
    ///
    /// # Errors
    /// The coordinator failed before anything came.
    pub async fn next(&mut self) -> Result<Option<AskEvent>, AskError> {
        self.replies.next().await
    }

    /// What an office has described by now.
    pub fn described(&self, office: &str) -> Option<&VerifiedDescription> {
        match self.replies.said.get(office)? {
            Said::Answered(description) => Some(description),
            Said::Refused(_) | Said::Missing(_) => None,
        }
    }

    /// The descriptions that were verified.
    pub fn finish(self) -> MemberCatalogue {
        let (mut described, mut undescribed) = (BTreeMap::new(), Vec::new());
        for (office, said) in self.replies.outcomes() {
            match said {
                Said::Answered(description) => drop(described.insert(office, description)),
                Said::Refused(refusal) => undescribed.push((office, NoAnswer::Refused(refusal))),
                Said::Missing(absence) => undescribed.push((office, NoAnswer::Missing(absence))),
            }
        }
        MemberCatalogue { described, undescribed }
    }
}

/// A price enquiry under way.
#[derive(Debug)]
pub struct Pricing {
    text: String,
    enquiry: Enquiry,
    replies: Replies<SealedEstimateResponse>,
}

impl Pricing {
    /// The next event; nothing once all has come that will.
    ///
    /// # Errors
    /// The coordinator failed before anything came.
    pub async fn next(&mut self) -> Result<Option<AskEvent>, AskError> {
        self.replies.next().await
    }

    /// The prices that were verified.
    pub fn finish(self) -> Prices {
        let query_digest = digest(PayloadType::Text, self.text.as_bytes());
        let (mut priced, mut unpriced) = (BTreeMap::new(), Vec::new());
        for (office, said) in self.replies.outcomes() {
            match said {
                Said::Answered(price) => drop(priced.insert(office, price)),
                Said::Refused(refusal) => unpriced.push((office, NoAnswer::Refused(refusal))),
                Said::Missing(absence) => unpriced.push((office, NoAnswer::Missing(absence))),
            }
        }
        Prices { text: self.text, query_digest, level: self.enquiry.level, priced, unpriced }
    }
}

/// A trace of its own for each question. It is a label: a question without randomness for it is asked without.
fn trace() -> Option<TraceContext> {
    TraceContext::new(random().ok()?, random().ok()?)
}

fn random<const N: usize>() -> Result<[u8; N], AskError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
