//! A caller: signs questions and calls gateways with them.

use std::time::Duration;

use lango_identity::{Expected, PayloadType, Region, Signer, SpiffeId, TlsIdentity, client_config, digest};
use lango_privacy::{Margin, Measure, Query};
use lango_transport as transport;
use lango_wire::{
    Act, Administration, DescribedDataset, Inquiry, Lookup, MESSAGE_BYTES_MAX, Object, Question,
    SignedRefusal, VerifiedPrice, VerifiedRelease, Wanted,
    client::AdministrationClient,
    pb::{
        self, administration_service_administer_response::Found, gateway_service_client::GatewayServiceClient,
    },
    status::{reason, refusal_envelope},
};
use tonic::{Code, Status, transport::Channel};

use crate::{Office, TestClock};

/// How long a connection may take in tests.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
const HOUR_S: u64 = 3_600;

/// A principal with certificates: an analyst as a rule, an auditor or a stranger where a test is about that.
#[derive(Clone)]
pub struct Caller {
    /// Who calls.
    pub id: SpiffeId,
    /// For connections.
    pub tls: TlsIdentity,
    /// For questions.
    pub signer: Signer,
    /// Whose answers are believed.
    pub region: Region,
    clock: TestClock,
}

/// The text of a question for persons: `body` is its margins and conditions.
pub fn persons(body: &str, epsilon: &str) -> String {
    format!("lango-query 1\ndataset residents\nmeasure persons\n{body}\nprice epsilon {epsilon}\n")
}

/// The text of a question with the largest answer: a quarter of a million integers, under [`crate::Policy::of_all_countries`].
pub fn largest(epsilon: &str) -> String {
    let by = "by age,arrival_year,country_of_birth,education\n";
    let measures = format!("measure rows(income)\n{by}measure sum(income)\n{by}");
    format!("lango-query 1\ndataset residents\n{measures}price epsilon {epsilon}\n")
}

impl Caller {
    /// A caller with these certificates.
    pub fn new(tls: TlsIdentity, signer: Signer, region: Region, clock: TestClock) -> Self {
        Self { id: signer.principal().clone(), tls, signer, region, clock }
    }

    /// A new question to these offices, for an hour from now.
    pub fn question(&self, audience: &[&SpiffeId], query: &str) -> Question {
        Question {
            request_id: random(),
            blind: random(),
            analyst: self.id.clone(),
            audience: sorted(audience),
            query: query.to_owned(),
            purpose: "official-statistics".to_owned(),
            mode: 1,
            min_members: 0,
            roster_digest: Vec::new(),
            issued_at: self.now(),
            expires_at: self.now() + HOUR_S,
        }
    }

    /// A new lookup at these offices, for an hour from now.
    pub fn lookup(&self, audience: &[&SpiffeId], object: Object) -> Lookup {
        Lookup {
            request_id: random(),
            principal: self.id.clone(),
            audience: sorted(audience),
            object,
            issued_at: self.now(),
            expires_at: self.now() + HOUR_S,
        }
    }

    /// A new act for an office, for ten minutes from now.
    pub fn act(&self, office: &SpiffeId, act: Act) -> Administration {
        Administration {
            request_id: random(),
            administrator: self.id.clone(),
            office: office.clone(),
            act,
            issued_at: self.now(),
            expires_at: self.now() + 600,
        }
    }

    /// Has a new act done.
    pub async fn administer(&self, office: &Office, act: Act) -> Result<Found, FailedCall> {
        let act = self.act(&office.id, act);
        self.send_act(office, &self.sign(PayloadType::Administration, act.encode())).await
    }

    /// Sends a signed act.
    pub async fn send_act(&self, office: &Office, envelope: &pb::Envelope) -> Result<Found, FailedCall> {
        let client = AdministrationClient::new(self.connect(office).await);
        let request_digest = digest(PayloadType::Administration, &envelope.payload);
        let done = client.administer(envelope.clone()).await;
        let done = done.map_err(|status| self.failed(status, &office.id, &request_digest))?;
        Ok(done.found.unwrap())
    }

    /// The signed envelope of a payload.
    pub fn sign(&self, payload_type: PayloadType, payload: Vec<u8>) -> pb::Envelope {
        self.signer.sign(payload_type, payload).into()
    }

    /// A connection to an office's gateway.
    pub async fn connect(&self, office: &Office) -> Channel {
        let config = client_config(&self.tls, &self.region, Expected::Id(office.id.clone())).unwrap();
        transport::connect(&office.address(), config, CONNECT_TIME_MAX).await.unwrap()
    }

    /// A client of an office's gateway.
    pub async fn gateway(&self, office: &Office) -> GatewayServiceClient<Channel> {
        GatewayServiceClient::new(self.connect(office).await).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Asks with a new question, and verifies what comes.
    pub async fn ask(&self, office: &Office, query: &str) -> Result<VerifiedRelease, FailedCall> {
        let question = self.question(&[&office.id], query);
        self.send(office, &self.sign(PayloadType::Query, question.encode())).await
    }

    /// Sends a signed question, and verifies what comes.
    pub async fn send(
        &self,
        office: &Office,
        envelope: &pb::Envelope,
    ) -> Result<VerifiedRelease, FailedCall> {
        let request = pb::GatewayServiceQueryRequest { query: Some(envelope.clone()) };
        let response = self.gateway(office).await.query(request).await;
        let request_digest = digest(PayloadType::Query, &envelope.payload);
        let response = response.map_err(|status| self.failed(status, &office.id, &request_digest))?;
        let question = Question::decode(&envelope.payload, &self.id).unwrap();
        let release = response.into_inner().release.unwrap();
        let (query_digest, margins) = wanted(&question);
        let question = Some(Wanted { query_digest: &query_digest, margins: &margins });
        Ok(self.inquiry(&request_digest, question).release(release, &office.id).unwrap())
    }

    /// Asks for a price.
    pub async fn estimate(&self, office: &Office, query: &str) -> Result<pb::Estimate, FailedCall> {
        let question = self.question(&[&office.id], query);
        self.send_estimate(office, &self.sign(PayloadType::Estimate, question.encode())).await
    }

    /// Sends a signed price enquiry.
    pub async fn send_estimate(
        &self,
        office: &Office,
        envelope: &pb::Envelope,
    ) -> Result<pb::Estimate, FailedCall> {
        let request = pb::GatewayServiceEstimateRequest { estimate: Some(envelope.clone()) };
        let response = self.gateway(office).await.estimate(request).await;
        let request_digest = digest(PayloadType::Estimate, &envelope.payload);
        let response = response.map_err(|status| self.failed(status, &office.id, &request_digest))?;
        let estimate = response.into_inner().estimate.unwrap();
        let question = Question::decode(&envelope.payload, &self.id).unwrap();
        let (query_digest, margins) = wanted(&question);
        let question = Some(Wanted { query_digest: &query_digest, margins: &margins });
        let verified = self.inquiry(&request_digest, question).price(estimate.clone(), &office.id);
        let VerifiedPrice { statement, .. } = verified.expect("a price is signed");
        assert_eq!(statement.basics.dataset_version, estimate.dataset_version);
        Ok(estimate)
    }

    /// What answers to a request of this digest are held against.
    pub fn inquiry<'a>(&'a self, request_digest: &'a [u8; 32], question: Option<Wanted<'a>>) -> Inquiry<'a> {
        Inquiry { region: &self.region, now: self.clock.get(), request_digest, question }
    }

    /// Asks which datasets there are, or for one.
    pub async fn describe(
        &self,
        office: &Office,
        only: Option<&str>,
    ) -> Result<Vec<DescribedDataset>, FailedCall> {
        let lookup = self.lookup(&[&office.id], Object::Describe(only.map(str::to_owned)));
        let envelope = self.sign(PayloadType::Lookup, lookup.encode());
        let request_digest = digest(PayloadType::Lookup, &envelope.payload);
        let request = pb::GatewayServiceDescribeRequest { lookup: Some(envelope) };
        let response = self.gateway(office).await.describe(request).await;
        let response = response.map_err(|status| self.failed(status, &office.id, &request_digest))?;
        let description = response.into_inner().description.unwrap();
        let verified = self.inquiry(&request_digest, None).description(description, &office.id);
        Ok(verified.expect("a description is signed").datasets)
    }

    /// Fetches a stored release, and verifies it.
    pub async fn fetch(&self, office: &Office, release_id: [u8; 16]) -> Result<VerifiedRelease, FailedCall> {
        let lookup = self.lookup(&[&office.id], Object::Release(release_id));
        let envelope = self.sign(PayloadType::Lookup, lookup.encode());
        let request_digest = digest(PayloadType::Lookup, &envelope.payload);
        let request = pb::GatewayServiceGetReleaseRequest { lookup: Some(envelope) };
        let response = self.gateway(office).await.get_release(request).await;
        let response = response.map_err(|status| self.failed(status, &office.id, &request_digest))?;
        let release = response.into_inner().release.unwrap();
        Ok(self.inquiry(&request_digest, None).release(release, &office.id).unwrap())
    }

    /// A failed call from its status; verifies the signed refusal in it.
    pub fn failed(&self, status: Status, office: &SpiffeId, request_digest: &[u8; 32]) -> FailedCall {
        let signed = refusal_envelope(&status)
            .map(|envelope| self.inquiry(request_digest, None).refusal_in(&envelope, office).unwrap());
        FailedCall { code: status.code(), reason: reason(&status), signed, status }
    }

    /// The time, in Unix seconds.
    pub fn now(&self) -> u64 {
        self.clock.get().try_into().unwrap()
    }
}

/// A call that failed.
#[derive(Debug)]
pub struct FailedCall {
    /// The status code.
    pub code: Code,
    /// The reason in `ErrorInfo`.
    pub reason: Option<String>,
    /// The signed refusal, verified.
    pub signed: Option<SignedRefusal>,
    /// All of it.
    pub status: Status,
}

impl FailedCall {
    /// The reason, which `ErrorInfo` and the signed refusal must agree on.
    pub fn refusal(&self) -> &str {
        let signed = self.signed.as_ref().unwrap_or_else(|| panic!("not signed: {:?}", self.status));
        assert_eq!(self.reason.as_ref(), Some(&signed.code));
        &signed.code
    }
}

/// The digest of a question's text, and its margins.
fn wanted(question: &Question) -> ([u8; 32], Vec<(Measure, Margin)>) {
    let query: Query = question.query.parse().unwrap();
    (digest(PayloadType::Text, question.query.as_bytes()), query.margins())
}

fn sorted(audience: &[&SpiffeId]) -> Vec<SpiffeId> {
    let mut offices: Vec<SpiffeId> = audience.iter().copied().cloned().collect();
    offices.sort();
    offices
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}
