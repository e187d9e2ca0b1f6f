//! Askers that remember what they asked and what they hold, and what a store must have charged for it.

use lango_access_log::{LogEntry, LogEvent, RequestDecision};
use lango_identity::{PayloadType, SpiffeId, digest};
use lango_privacy::Query;
use lango_store::KeptBalances;
use lango_testkit::{Caller, FailedCall, Office, at_once, persons};
use lango_wire::{
    Question, VerifiedRelease, Wanted,
    pb::{self, gateway_service_client::GatewayServiceClient},
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tonic::transport::Channel;

const NANO: i64 = 1_000_000_000;
/// The price of the first question; each costs a billionth more than the one before, so that no two have one release.
const LEAST: i64 = 1_000_000;

/// Where more wait than this, they are sent again before anything else is asked.
const OPEN_MOST: usize = 12;
/// Requests of one asker under way: those whose gateway died wait together until its claims have lapsed.
const AT_ONCE: usize = 64;

/// A question that was sent.
struct Asked {
    text: String,
    nano: i64,
    envelope: pb::Envelope,
    answer: Option<Answer>,
    /// What the office decided finally instead of an answer.
    refused: Option<String>,
}

/// What its asker holds.
struct Answer {
    release_id: [u8; 16],
    cells: Vec<i64>,
}

/// An entry that somebody holds the proof of.
struct Held {
    index: usize,
    entry: Vec<u8>,
}

/// An asker of one office.
pub struct Asker {
    caller: Caller,
    office: SpiffeId,
    client: Option<GatewayServiceClient<Channel>>,
    next: i64,
    asked: Vec<Asked>,
    held: Vec<Held>,
}

/// A question's text by its price.
fn text(nano: i64) -> String {
    let decimals = format!("{nano:09}");
    persons("by sex", &format!("0.{}", decimals.trim_end_matches('0')))
}

impl Asker {
    /// One whose questions cost what no other's do: from this number on.
    pub fn new(caller: Caller, office: &SpiffeId, first: i64) -> Self {
        let next = LEAST + first;
        Self { caller, office: office.clone(), client: None, next, asked: Vec::new(), held: Vec::new() }
    }

    pub async fn connect(&mut self, office: &Office) {
        self.client = Some(self.caller.gateway(office).await);
    }

    /// Asks until the gateway is gone: new questions, those that were answered already, and those that were not, by the request
    /// of before.
    pub async fn work(&mut self, seed: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        loop {
            let at = usize::try_from(random.next_u32()).unwrap();
            let open: Vec<usize> = (0..self.asked.len()).filter(|at| self.asked[*at].is_open()).collect();
            let number = match random.next_u32() % 8 {
                0 | 1 if !open.is_empty() => open[at % open.len()],
                _ if open.len() > OPEN_MOST => open[at % open.len()],
                2 if !self.asked.is_empty() => self.again(at % self.asked.len()),
                _ => self.ask(),
            };
            let answer = self.send(&self.asked[number].envelope).await;
            if !self.take(number, answer) {
                return;
            }
        }
    }

    /// Signs a new question.
    fn ask(&mut self) -> usize {
        let nano = self.next;
        self.next += 1;
        self.push(text(nano), nano)
    }

    /// Signs a question of before anew.
    fn again(&mut self, at: usize) -> usize {
        let Asked { text, nano, .. } = &self.asked[at];
        self.push(text.clone(), *nano)
    }

    fn sign(&self, number: usize) -> pb::Envelope {
        self.signed(&self.asked[number].text)
    }

    fn signed(&self, text: &str) -> pb::Envelope {
        self.caller.sign(PayloadType::Query, self.caller.question(&[&self.office], text).encode())
    }

    fn push(&mut self, text: String, nano: i64) -> usize {
        let envelope = self.signed(&text);
        self.asked.push(Asked { text, nano, envelope, answer: None, refused: None });
        self.asked.len() - 1
    }

    async fn send(&self, envelope: &pb::Envelope) -> Result<VerifiedRelease, FailedCall> {
        let request = pb::GatewayServiceQueryRequest { query: Some(envelope.clone()) };
        let request_digest = digest(PayloadType::Query, &envelope.payload);
        let mut client = self.client.clone().unwrap();
        let response = client.query(request).await;
        let response =
            response.map_err(|status| self.caller.failed(status, &self.office, &request_digest))?;
        let question = Question::decode(&envelope.payload, &self.caller.id).unwrap();
        let query: Query = question.query.parse().unwrap();
        let (query_digest, margins) = (digest(PayloadType::Text, question.query.as_bytes()), query.margins());
        let wanted = Wanted { query_digest: &query_digest, margins: &margins };
        let release = response.into_inner().release.unwrap();
        Ok(self.caller.inquiry(&request_digest, Some(wanted)).release(release, &self.office).unwrap())
    }

    /// Notes what came; whether the gateway is there.
    fn take(&mut self, number: usize, answer: Result<VerifiedRelease, FailedCall>) -> bool {
        let answer = match answer {
            Ok(answer) => answer,
            Err(failed) => {
                let Some(signed) = failed.signed else { return false };
                match signed.code.as_str() {
                    // That was the answer to this request: the question is asked anew.
                    "review-waiting" | "answer-held" | "reviews-full" => {
                        self.asked[number].envelope = self.sign(number)
                    }
                    // The store was too slow: the same request may come again.
                    "unavailable" => {}
                    "review-rejected" | "answer-withheld" => self.asked[number].refused = Some(signed.code),
                    code => panic!("{code}: {:?}", failed.status),
                }
                return true;
            }
        };
        let receipt = answer.receipt.expect("an answer has a receipt");
        let index = usize::try_from(receipt.proof.index).unwrap();
        let asked = &self.asked[number];
        let LogEvent::Request(entry) = LogEntry::read(&receipt.entry).unwrap().event else {
            panic!("a request")
        };
        let decision = if answer.repeated { RequestDecision::Repeated } else { RequestDecision::Released };
        assert_eq!(entry.decision, decision);
        assert_eq!(entry.request.0, digest(PayloadType::Query, &asked.envelope.payload));
        // One draw of noise for a question, by whatever request.
        let (release_id, cells) = (answer.statement.release_id, answer.cells);
        for other in self.asked.iter().filter(|other| other.text == asked.text) {
            let same = other
                .answer
                .as_ref()
                .is_none_or(|held| (held.release_id, &held.cells) == (release_id, &cells));
            assert!(same, "a second answer to {}", other.text);
        }
        let charged = i64::try_from(answer.charged.pure_nano.unwrap()).unwrap();
        assert!(charged == 0 || charged == asked.nano, "{charged} for {}", asked.nano);
        self.held.push(Held { index, entry: receipt.entry });
        self.asked[number].answer = Some(Answer { release_id, cells });
        true
    }

    /// Sends everything again that waits.
    pub async fn send_again(&mut self) {
        let open: Vec<usize> = (0..self.asked.len()).filter(|at| self.asked[*at].is_open()).collect();
        for some in open.chunks(AT_ONCE) {
            let answers = at_once(some.iter().map(|number| self.send(&self.asked[*number].envelope))).await;
            for (number, answer) in some.iter().zip(answers) {
                assert!(self.take(*number, answer), "the gateway is gone");
            }
        }
    }

    /// Whether something was neither answered nor refused for good.
    pub fn waits(&self) -> bool {
        self.waiting() > 0
    }

    pub fn waiting(&self) -> usize {
        self.asked.iter().filter(|asked| asked.is_open()).count()
    }

    /// What all its questions cost, each once: those that were answered, or those that were sent.
    pub fn prices(&self, answered: bool) -> i64 {
        let counted = self.asked.iter().filter(|asked| !answered || asked.answer.is_some());
        let prices: std::collections::BTreeSet<i64> = counted.map(|asked| asked.nano).collect();
        prices.into_iter().sum()
    }

    /// Finds every entry that it holds in a log, and counts them.
    pub fn holds(&self, leaves: &[Vec<u8>]) -> u64 {
        for Held { index, entry } in &self.held {
            let there =
                leaves.get(*index).unwrap_or_else(|| panic!("entry {index} of {} is lost", leaves.len()));
            assert!(there == entry, "entry {index} is another");
        }
        self.held.len() as u64
    }
}

impl Asked {
    fn is_open(&self) -> bool {
        self.answer.is_none() && self.refused.is_none()
    }
}

/// What a ledger has charged, in billionths of epsilon.
pub struct Charges {
    pub pool: i64,
    grants: Vec<(String, i64)>,
}

impl Charges {
    pub fn of(kept: KeptBalances) -> Self {
        let mut charges = Self { pool: 0, grants: Vec::new() };
        for balance in kept.balances {
            let nano = i64::try_from(balance.charged.pure_nano.unwrap()).unwrap();
            assert!(nano < 100 * NANO);
            match balance.grant {
                None => charges.pool += nano,
                Some(grant) => charges.grants.push((grant, nano)),
            }
        }
        charges
    }

    pub fn of_grant(&self, grant: &str) -> i64 {
        self.grants.iter().filter(|(name, _)| name == grant).map(|(_, nano)| nano).sum()
    }
}
