//! Asking through a coordinator that is trusted with nothing: what counts is what the offices signed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lango_identity::{
    Expected, PayloadType, Role, SpiffeId, check_own, client_config, digest, explain_handshake,
};
use lango_privacy::{Level, Margin, Measure, Query};
use lango_statistics::{CombineError, Coverage, Outcome, combine};
use lango_transport as transport;
use lango_wire::{
    Answer, MESSAGE_BYTES_MAX, Question, SignedRefusal,
    answer::verify_release,
    pb::{
        self, coordinator_service_client::CoordinatorServiceClient,
        coordinator_service_query_response::Event, member_answer, member_estimate,
    },
};
use tonic::{Status, transport::Channel};

use crate::{
    analyst::{
        heard::{Answered, Prices, fits, priced, view},
        question::Asked,
    },
    config::Identity,
    failure::Failure,
    output::{self, bar, foreign},
};

/// How long a question lives unless the asker waits longer.
const LIFE_S: u64 = 3_600;
/// The most offices that a question may address.
const MEMBERS_MOST: usize = 1_000;
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// A connection to a coordinator.
pub struct Client {
    identity: Identity,
    service: CoordinatorServiceClient<Channel>,
}

/// How to ask.
pub struct Manner {
    pub purpose: String,
    pub at_least: u32,
    pub level: Level,
    /// Whom to ask; empty means every member.
    pub members: Vec<String>,
}

/// What an answer must answer.
struct Sent {
    request_digest: [u8; 32],
    query_digest: [u8; 32],
    margins: Vec<(Measure, Margin)>,
}

impl Client {
    /// Connects; a handshake that fails is explained.
    pub async fn connect(identity: Identity, coordinator: &str) -> Result<Self, Failure> {
        let address: transport::Address =
            coordinator.parse().map_err(|error| Failure::Usage(format!("--coordinator: {error}")))?;
        check_own(&identity.tls, &identity.region, now())
            .map_err(|fault| Failure::of(&fault, fault.advice()))?;
        identity
            .signer
            .check(&identity.region, now())
            .map_err(|fault| Failure::of("your signing certificate is not good", fault))?;
        let config = client_config(&identity.tls, &identity.region, Expected::Role(Role::Coordinator))?;
        let channel = transport::connect(&address, config, CONNECT_TIME_MAX).await.map_err(|error| {
            let why = explain_handshake(&error, &identity.tls, &identity.region, now());
            Failure::of(format!("cannot reach the coordinator at {address}"), why)
        })?;
        let service = CoordinatorServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self { identity, service })
    }

    /// The federation's members by their short names.
    async fn members(&mut self) -> Result<Vec<SpiffeId>, Failure> {
        let mut members = Vec::new();
        let mut page_token = String::new();
        loop {
            let request =
                pb::CoordinatorServiceListMembersRequest { page_size: 0, page_token: page_token.clone() };
            let page = self.service.list_members(request).await.map_err(|status| told(&status))?.into_inner();
            for member in page.members {
                members.push(member.uri.parse()?);
            }
            let last = page_token;
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(members);
            }
            if page_token == last || members.len() > MEMBERS_MOST {
                return Err(Failure::Failed("the coordinator's list of members does not end".to_owned()));
            }
        }
    }

    async fn question(&mut self, asked: &Asked, manner: &Manner) -> Result<Question, Failure> {
        let analyst = self.identity.signer.principal().clone();
        let named = |name: &String| {
            SpiffeId::new(analyst.trust_domain(), Role::Office, name)
                .map_err(|error| Failure::Usage(format!("--member: {error}")))
        };
        let mut audience = match manner.members.as_slice() {
            [] => self.members().await?,
            names => names.iter().map(named).collect::<Result<_, _>>()?,
        };
        audience.sort_by_key(SpiffeId::to_string);
        audience.dedup();
        if audience.is_empty() {
            return Err(Failure::Failed("the federation has no members".to_owned()));
        }
        if audience.len() > 1 && !asked.by_office {
            added_up(&asked.query)?;
        }
        let issued_at = u64::try_from(now()).unwrap_or_default();
        Ok(Question {
            request_id: random()?,
            blind: random()?,
            analyst,
            audience,
            query: asked.query.to_string(),
            purpose: asked.purpose.clone().unwrap_or_else(|| manner.purpose.clone()),
            mode: 1,
            min_members: manner.at_least,
            roster_digest: Vec::new(),
            issued_at,
            expires_at: issued_at + LIFE_S,
        })
    }

    /// Asks, verifies every release and refusal, and adds up for itself.
    pub async fn run(&mut self, asked: &Asked, manner: &Manner) -> Result<Answered, Failure> {
        let question = self.question(asked, manner).await?;
        let payload = question.encode();
        let sent = Sent {
            request_digest: digest(PayloadType::Query, &payload),
            query_digest: digest(PayloadType::Text, question.query.as_bytes()),
            margins: asked.query.margins(),
        };
        let envelope = self.identity.signer.sign(PayloadType::Query, payload);
        let request = pb::CoordinatorServiceQueryRequest {
            query: Some(envelope.into()),
            by_office: asked.by_office,
            confidence: manner.level.get().to_string(),
        };
        let mut stream = self.service.query(request).await.map_err(|status| told(&status))?.into_inner();
        let progress = bar("{bar:24} {pos}/{len} offices  {msg}", question.audience.len() as u64);
        let mut outcomes = BTreeMap::new();
        let mut answers = BTreeMap::new();
        loop {
            let response = match stream.message().await {
                Ok(Some(response)) => response,
                Ok(None) => break,
                // What has been heard and verified stands; whoever was not heard is silent.
                Err(status) if !outcomes.is_empty() => {
                    output::say(&format!("lango: the coordinator broke off: {}", told(&status)));
                    break;
                }
                Err(status) => return Err(told(&status)),
            };
            let Some(Event::Member(member)) = response.event else { continue };
            let office = question.audience.iter().find(|uri| named(uri, &member.office));
            // The first word in an office's name counts; a second one is the coordinator's invention.
            let Some(office) = office.filter(|office| !outcomes.contains_key(office.name())) else {
                continue;
            };
            progress.set_message(office.name().to_owned());
            progress.inc(1);
            let outcome = self.judge(office, member.outcome, &sent).map_or_else(
                |outcome| outcome,
                |answer| {
                    answers.insert(office.name().to_owned(), answer);
                    Outcome::Answered
                },
            );
            outcomes.insert(office.name().to_owned(), outcome);
        }
        progress.finish_and_clear();
        let tables = loop {
            let views: Vec<_> = answers.iter().map(|(office, answer)| view(office, answer)).collect();
            match combine(&views, asked.by_office, manner.level) {
                // An office whose code lists burst every table is left out, so that the others' answers are not lost.
                Err(CombineError::TooManyCells) if answers.len() > 1 => {
                    let largest = answers.iter().max_by_key(|(_, answer)| answer.layout.integers());
                    let Some(office) = largest.map(|(office, _)| office.clone()) else { break Vec::new() };
                    output::say(&format!(
                        "lango: the answer of {office} has too many cells to stand beside the others"
                    ));
                    answers.remove(&office);
                    outcomes.insert(office, Outcome::Missing("too-many-cells".to_owned()));
                }
                tables => break tables?,
            }
        };
        let asked_offices: Vec<String> = question.audience.iter().map(|uri| uri.name().to_owned()).collect();
        let silent = || Outcome::Missing("silent".to_owned());
        let outcomes = asked_offices
            .iter()
            .map(|office| (office.clone(), outcomes.remove(office).unwrap_or_else(silent)));
        let coverage = Coverage::new(asked_offices.clone(), outcomes.collect::<Vec<_>>())?;
        Ok(Answered {
            text: question.query,
            query_digest: sent.query_digest,
            coverage,
            answers,
            tables,
            by_office: asked.by_office,
            level: manner.level,
            at_least: manner.at_least,
        })
    }

    /// What one member's word is worth: a release that counts, or the way in which it did not answer.
    fn judge(
        &self,
        office: &SpiffeId,
        outcome: Option<member_answer::Outcome>,
        sent: &Sent,
    ) -> Result<Answer, Outcome> {
        let region = &self.identity.region;
        match outcome {
            Some(member_answer::Outcome::Release(release)) => {
                let query_digest = Some(&sent.query_digest);
                let verified =
                    verify_release(release, office, region, now(), &sent.request_digest, query_digest);
                let verified = verified
                    .map_err(|error| error.to_string())
                    .and_then(|answer| fits(office, answer, &sent.margins));
                verified.map_err(|error| {
                    let office = office.name();
                    output::say(&format!(
                        "lango: the answer in the name of {office} is not counted: {}",
                        foreign(&error)
                    ));
                    Outcome::Missing("unverified".to_owned())
                })
            }
            Some(member_answer::Outcome::Refusal(refusal)) => {
                let envelope = refusal.envelope.map(Into::into);
                let message = foreign(&refusal.message);
                let verified = envelope.map(|envelope| {
                    SignedRefusal::verify(&envelope, office, region, now(), &sent.request_digest)
                });
                Err(match verified {
                    Some(Ok(signed)) => {
                        output::say(&format!("lango: {} refuses: {message}", office.name()));
                        Outcome::Refused(foreign(&signed.code))
                    }
                    Some(Err(_)) | None => Outcome::Missing("unsigned".to_owned()),
                })
            }
            Some(member_answer::Outcome::Missing(missing)) => Err(Outcome::Missing(foreign(&missing.reason))),
            None => Err(Outcome::Missing("silent".to_owned())),
        }
    }

    /// Asks for the price; nothing is charged and no data is touched.
    pub async fn estimate(&mut self, asked: &Asked, manner: &Manner) -> Result<Prices, Failure> {
        let question = self.question(asked, manner).await?;
        let envelope = self.identity.signer.sign(PayloadType::Estimate, question.encode());
        let request = pb::CoordinatorServiceEstimateRequest { estimate: Some(envelope.into()) };
        let response = self.service.estimate(request).await.map_err(|status| told(&status))?.into_inner();
        let query_digest = digest(PayloadType::Text, question.query.as_bytes());
        let mut prices = Prices {
            text: question.query,
            query_digest,
            level: manner.level,
            priced: BTreeMap::new(),
            absent: Vec::new(),
        };
        let mut heard = BTreeSet::new();
        for member in response.members {
            let office = question.audience.iter().find(|uri| named(uri, &member.office));
            // The first word in an office's name counts, as for answers.
            let Some(office) =
                office.map(|uri| uri.name().to_owned()).filter(|office| heard.insert(office.clone()))
            else {
                continue;
            };
            let reason = match member.outcome {
                Some(member_estimate::Outcome::Estimate(estimate)) => match priced(estimate, &asked.query) {
                    Some(priced) => {
                        prices.priced.insert(office, priced);
                        continue;
                    }
                    None => "unreadable".to_owned(),
                },
                Some(member_estimate::Outcome::Refusal(refusal)) => {
                    foreign(&format!("{}: {}", refusal.reason, refusal.message))
                }
                Some(member_estimate::Outcome::Missing(missing)) => foreign(&missing.reason),
                None => "silent".to_owned(),
            };
            prices.absent.push((office, reason));
        }
        Ok(prices)
    }
}

/// Refuses what several offices' answers cannot be added up of, before it is sent.
fn added_up(query: &Query) -> Result<(), Failure> {
    let chosen = query.measures.keys().find_map(|measure| match measure {
        Measure::Quantile(column, _) => Some((measure, column)),
        _ => None,
    });
    chosen.map_or(Ok(()), |(measure, column)| {
        Err(Failure::Usage(format!(
            "`{measure}` is chosen at each office and cannot be added up: put `office` in --by, or ask for \
             `histogram({column})` with --quantiles, which are of all offices together"
        )))
    })
}

/// Whether a coordinator's name for a member means this office: its URI or its short name.
fn named(uri: &SpiffeId, office: &str) -> bool {
    uri.name() == office || uri.to_string() == office
}

/// A status in words, with its reason where it has one.
fn told(status: &Status) -> Failure {
    match lango_wire::status::reason(status) {
        Some(reason) => Failure::Failed(foreign(&format!("refused ({reason}): {}", status.message()))),
        None => Failure::Failed(format!(
            "the coordinator answered {:?}: {}",
            status.code(),
            foreign(status.message())
        )),
    }
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure::of("the machine gives no random numbers", error))?;
    Ok(bytes)
}

/// Unix seconds.
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
}
