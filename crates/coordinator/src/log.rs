//! The coordinator's log: what came, to whom it was passed on and what they answered, on record before it goes on. Held beside
//! the logs of the offices, it shows an answer that one of both does not know.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use lango_access_log::{
    GatewayFailure, GatewayStart, GatewayStop, Hex, KeyUse, LogEvent, LoggedInspection, LoggedLines,
    LoggedQuestion, MemberOutcome, RelayedAnswer, RelayedKind, RelayedRequest,
};
use lango_identity::{Envelope, PayloadType, Signer, SpiffeId, sha256};
use lango_sealing::{LogError, Sealing, SignerInUse};
use lango_store::{Claiming, Decision, Location, OfRequest, Record, Recorded, Step, Store, StoreError};
use lango_transport::Strangers;
use tokio::runtime::Handle;

use crate::clock::now;

/// Refusals that are recorded in a minute; the others are counted.
const REFUSALS_PER_MINUTE: u32 = 60;

/// What could not be recorded is tried again this number of times, each after this time.
const RECORDED_AGAIN_MOST: u32 = 20;
const RECORDED_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// What a coordinator needs to keep a log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Where it is kept.
    pub store: Location,
    /// The key that signs its checkpoints.
    pub signer: Arc<SignerInUse>,
    /// The digest of the coordinator's configuration, which the log names at each start.
    pub configuration: [u8; 32],
    /// Who may read it over the wire.
    pub auditors: Vec<SpiffeId>,
    /// How often the members are asked to cosign it.
    pub every: Duration,
}

/// A request as the log names it.
#[derive(Debug, Clone)]
pub(crate) struct Entered {
    /// Who signed it.
    principal: SpiffeId,
    /// SHA-256 of the certificate that it was signed with.
    certificate: Option<[u8; 32]>,
    /// The trace that it belongs to: a label that nobody signed.
    trace: Option<[u8; 16]>,
    event: RelayedRequest,
}

/// The log of a coordinator.
#[derive(Debug)]
pub(crate) struct Log {
    /// The coordinator's.
    pub id: SpiffeId,
    pub store: Store,
    pub sealing: Sealing,
    pub signer: Arc<SignerInUse>,
    pub auditors: Vec<SpiffeId>,
    strangers: Strangers,
    /// The fingerprint of the signing certificate that the log knows to be in use.
    known: Mutex<Option<[u8; 32]>>,
}

impl Entered {
    /// An authenticated request of which nothing is read yet.
    pub fn new(kind: PayloadType, principal: &SpiffeId, envelope: &Envelope, complete: [u8; 32]) -> Self {
        let kind_asked = if kind == PayloadType::Estimate {
            RelayedKind::Estimate
        } else if kind == PayloadType::Lookup {
            RelayedKind::Lookup
        } else {
            RelayedKind::Query
        };
        let event = RelayedRequest {
            audience: LoggedLines::default(),
            envelope: Hex(complete),
            kind: kind_asked,
            purpose: String::new(),
            question: None,
            refusal: None,
            request: Hex(lango_identity::digest(kind, &envelope.payload)),
        };
        let certificate = envelope.certificates.first().map(|certificate| sha256(certificate));
        Self { principal: principal.clone(), certificate, trace: None, event }
    }

    /// What is asked of whom, once that is read.
    pub fn asks(&mut self, audience: &[SpiffeId], purpose: &str, question: Option<&str>) {
        let names: Vec<String> = audience.iter().map(|office| office.name().to_owned()).collect();
        self.event.audience = LoggedLines::of(&names);
        purpose.clone_into(&mut self.event.purpose);
        self.event.question = question.map(|text| {
            let digest = lango_identity::digest(PayloadType::Text, text.as_bytes());
            LoggedQuestion::of(digest, text)
        });
    }

    /// The trace that it belongs to.
    pub fn traced(&mut self, trace: Option<[u8; 16]>) {
        self.trace = trace;
    }

    /// Who signed it.
    pub fn principal(&self) -> &SpiffeId {
        &self.principal
    }
}

impl Log {
    /// Opens it, and records the start.
    ///
    /// # Errors
    /// The store cannot be opened, or its log does not go on where it was signed for.
    pub async fn open(config: LogConfig) -> Result<Self, LogError> {
        let LogConfig { store, signer, configuration, auditors, .. } = config;
        let store = Store::open(&store).await?;
        let opened = Self::started(&store, &signer, configuration).await;
        let sealing = match opened {
            Ok(sealing) => sealing,
            Err(error) => {
                // So that another file may take its place at once.
                store.close().await;
                return Err(error);
            }
        };
        let id = signer.now().principal().clone();
        let known = Mutex::new(fingerprint(&signer.now()));
        let strangers = Strangers::new(REFUSALS_PER_MINUTE);
        Ok(Self { id, store, sealing, signer, auditors, strangers, known })
    }

    async fn started(
        store: &Store,
        signer: &SignerInUse,
        configuration: [u8; 32],
    ) -> Result<Sealing, LogError> {
        let now_signs = signer.now();
        let sealing = Sealing::open(store, &now_signs).await?;
        let event = LogEvent::Start(GatewayStart {
            configuration: Hex(configuration),
            instance: Hex(store.opened_by()),
            lango: env!("CARGO_PKG_VERSION").to_owned(),
            store: Hex(store.identity()),
        });
        let record = Record {
            reason: format!("lango {}", env!("CARGO_PKG_VERSION")),
            event: Some(event),
            ..record(now_signs.principal(), Decision::Started)
        };
        store.append(&record, None).await?;
        Ok(sealing)
    }

    /// Records that a request is passed on.
    pub async fn relayed(&self, entered: &Entered) -> Result<(), StoreError> {
        self.append(entered, entered.event.clone(), Decision::Relayed).await
    }

    /// Records that a request is refused; above a rate it is counted for the next record only.
    pub async fn refused(&self, entered: &Entered, code: &str) -> Result<(), StoreError> {
        if !self.strangers.is_recorded(&entered.principal.to_string(), Instant::now()) {
            return Ok(());
        }
        let event = RelayedRequest { refusal: Some(code.to_owned()), ..entered.event.clone() };
        self.append(entered, event, Decision::Refused).await
    }

    async fn append(
        &self,
        entered: &Entered,
        event: RelayedRequest,
        decision: Decision,
    ) -> Result<(), StoreError> {
        let left_out = self.strangers.take_left_out();
        let record = Record {
            certificate: entered.certificate,
            trace: entered.trace,
            left_out: left_out.count(),
            purpose: event.purpose.clone(),
            request_digest: event.request.0,
            reason: event.refusal.clone().unwrap_or_default(),
            event: Some(LogEvent::Relay(Box::new(event))),
            ..record(&entered.principal, decision)
        };
        // Where the asker goes meanwhile, the refusals are counted again.
        self.store.append(&record, None).await?;
        left_out.recorded();
        Ok(())
    }

    /// Records what a member answered to a request of this digest: the digest of its envelope, or why there is none.
    pub async fn answered(
        &self,
        request: [u8; 32],
        office: &str,
        (outcome, envelope, reason): (MemberOutcome, Option<[u8; 32]>, Option<String>),
    ) -> Result<(), StoreError> {
        let event = LogEvent::Answer(RelayedAnswer {
            envelope: envelope.map(Hex),
            office: office.to_owned(),
            outcome,
            reason: reason.clone(),
            request: Hex(request),
        });
        let record = Record {
            request_digest: request,
            reason: reason.unwrap_or_default(),
            event: Some(event),
            ..record(&self.id, Decision::Answered)
        };
        self.store.append(&record, None).await.map(drop)
    }

    /// Records, after the asker has gone, that a member's answer was not passed on, and why; again and again for a while where
    /// the log cannot be written.
    pub fn missed_later(self: Arc<Self>, request: [u8; 32], office: String, reason: &'static str) {
        // Where the server has ended, its next start says so.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            for _ in 0..RECORDED_AGAIN_MOST {
                let missed = (MemberOutcome::Missing, None, Some(reason.to_owned()));
                match self.answered(request, &office, missed).await {
                    Ok(()) | Err(StoreError::Closed) => return,
                    Err(_) => tokio::time::sleep(RECORDED_AGAIN_AFTER).await,
                }
            }
        });
    }

    /// Records an auditor's look-up, once: false where it has come before.
    pub async fn inspected(
        &self,
        auditor: &SpiffeId,
        certificate: Option<[u8; 32]>,
        object: String,
        claiming: Claiming,
    ) -> Result<bool, StoreError> {
        let event = LogEvent::Inspection(LoggedInspection {
            dataset: None,
            object: object.clone(),
            purpose: String::new(),
            question: None,
            request: Hex(claiming.digest),
        });
        let record = Record {
            certificate,
            reason: object,
            request_digest: claiming.digest,
            event: Some(event),
            request: Some(OfRequest { id: claiming.id, step: Step::Answered(Vec::new()) }),
            ..record(auditor, Decision::Inspected)
        };
        Ok(self.store.append(&record, Some(&claiming)).await? == Recorded::Now)
    }

    /// Records that a part failed, by stable words.
    pub async fn fault(&self, part: String, code: &str) {
        let event = Some(LogEvent::Failure(GatewayFailure { code: code.to_owned(), part }));
        let record = Record { reason: code.to_owned(), event, ..record(&self.id, Decision::Faulted) };
        if let Err(error) = self.store.append(&record, None).await {
            tracing::error!(%error, code, "a failure could not be recorded");
        }
    }

    /// Records another key that has come into use, before the first checkpoint that is kept with it.
    async fn know_key(&self) {
        let signer = self.signer.now();
        let now_used = fingerprint(&signer);
        if now_used == *self.known() {
            return;
        }
        let change =
            signer.certificates().first().and_then(|der| lango_sealing::renewed(der, KeyUse::Signing));
        let Some(change) = change else { return };
        let reason = change.of.clone();
        let event = Some(LogEvent::Key(change));
        let record = Record { reason, event, ..record(&self.id, Decision::Keyed) };
        match self.store.append(&record, None).await {
            Ok(_) => *self.known() = now_used,
            Err(error) => tracing::error!(%error, "a key that is in use could not be recorded"),
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<[u8; 32]>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a checkpoint to the log's end: what the next start is held against.
    pub async fn seal(&self) {
        self.know_key().await;
        if let Err(error) = self.sealing.keep(&self.store, &self.signer.now()).await {
            tracing::error!(%error, "a checkpoint of the log could not be kept");
        }
    }

    /// Records the stop and closes the store.
    pub async fn close(&self) {
        if self.sealing.why_broken().is_none() {
            let event = LogEvent::Stop(GatewayStop { instance: Hex(self.store.opened_by()) });
            let record = Record { event: Some(event), ..record(&self.id, Decision::Stopped) };
            if let Err(error) = self.store.append(&record, None).await {
                tracing::error!(%error, "the stop could not be recorded");
            }
            self.seal().await;
        }
        self.store.close().await;
    }
}

/// Of the certificate that a signer shows.
fn fingerprint(signer: &Signer) -> Option<[u8; 32]> {
    signer.certificates().first().map(|der| sha256(der))
}

fn record(principal: &SpiffeId, decision: Decision) -> Record {
    Record::of(principal.to_string(), (now(), Record::NO_POLICY), decision)
}
