//! Asking through a coordinator that is trusted with nothing: what counts is what the offices signed.

use std::{collections::BTreeMap, time::Duration};

use lango_identity::{
    Expected, PayloadType, Region, Role, Signer, SpiffeId, TlsIdentity, check_own, client_config, digest,
    explain_handshake,
};
use lango_statistics::{Coverage, Outcome};
use lango_transport::{self as transport, Address};
use lango_wire::{
    Absence, Question,
    client::CoordinatorClient,
    limits::AUDIENCE_MOST,
    sealed::{SealedEstimateResponse, SealedQueryResponse},
};

use crate::{
    answered::{Answered, Prices, Unpriced, tables},
    clock::now,
    enquiry::Enquiry,
    error::AskError,
    event::AskEvent,
    stream::{Deadline, Replies, Said, Sent},
};

/// How long a question lives.
const LIFE_S: u64 = 3_600;
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

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
    /// Connects; a question takes no longer than `time_max`.
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
        let config = client_config(tls, region, Expected::Role(Role::Coordinator))?;
        let channel = transport::connect(address, config, CONNECT_TIME_MAX).await.map_err(|error| {
            let why = explain_handshake(&error, tls, region, now());
            AskError::Unreachable { address: address.to_string(), why }
        })?;
        Ok(Self { credentials, service: CoordinatorClient::new(channel), time_max })
    }

    /// Asks a question, which may be charged.
    ///
    /// # Errors
    /// Nothing can be asked, or the coordinator does not relay it.
    pub async fn ask(&self, enquiry: &Enquiry) -> Result<Asking, AskError> {
        let deadline = Deadline::after(self.time_max);
        let (question, sent, envelope) = self.signed(enquiry, PayloadType::Query, deadline).await?;
        let stream = deadline.hold(self.service.query(envelope, enquiry.by_office)).await?;
        let replies = Replies::new(sent, stream, deadline);
        Ok(Asking { text: question.query, enquiry: enquiry.clone(), replies })
    }

    /// Asks for the price of a question; nothing is charged and no data is touched.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn price(&self, enquiry: &Enquiry) -> Result<Pricing, AskError> {
        let deadline = Deadline::after(self.time_max);
        let (question, sent, envelope) = self.signed(enquiry, PayloadType::Estimate, deadline).await?;
        let stream = deadline.hold(self.service.estimate(envelope)).await?;
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
        let mut audience = enquiry.named(analyst.trust_domain())?;
        if audience.is_empty() {
            audience = self.members(deadline).await?;
        }
        audience.sort_by_key(SpiffeId::to_string);
        audience.dedup();
        if audience.is_empty() {
            return Err(AskError::NoMembers);
        }
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
        let sent = Sent {
            region: region.clone(),
            audience: question.audience.clone(),
            request_digest: digest(kind, &payload),
            query_digest: digest(PayloadType::Text, question.query.as_bytes()),
            margins: enquiry.query.margins(),
        };
        Ok((question, sent, signer.sign(kind, payload).into()))
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
    replies: Replies<SealedQueryResponse>,
}

impl Asking {
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
        let query_digest = self.replies.sent.query_digest;
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
        let text = self.text;
        Ok(Answered { text, query_digest, coverage, answers, refusals, tables, by_office, level, at_least })
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
        let query_digest = self.replies.sent.query_digest;
        let (mut priced, mut unpriced) = (BTreeMap::new(), Vec::new());
        for (office, said) in self.replies.outcomes() {
            match said {
                Said::Answered(price) => drop(priced.insert(office, price)),
                Said::Refused(refusal) => unpriced.push((office, Unpriced::Refused(refusal))),
                Said::Missing(absence) => unpriced.push((office, Unpriced::Missing(absence))),
            }
        }
        Prices { text: self.text, query_digest, level: self.enquiry.level, priced, unpriced }
    }
}

fn random<const N: usize>() -> Result<[u8; N], AskError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
