//! What a gateway needs to run, and the checks it makes before it says that it runs.

use std::{
    collections::HashMap,
    mem,
    path::PathBuf,
    sync::{Arc, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lango_document::{Diagnostics, Document};
use lango_identity::{Region, ServerConfig, Signer, SpiffeId, TlsIdentity, check_own, server_config};
use lango_metrics::{CallTime, Method, Metrics};
use lango_sealing::{Sealing, SignerInUse};
use lango_source::Source;
use lango_store::{Location, ReleaseKey, Store};
use lango_transport::{LogRate, ServerLimits, Shares, Strangers};
use time::{Date, OffsetDateTime};
use tokio::sync::{Mutex, watch};

use crate::{
    administrators::{Activation, Administrators},
    anchoring::Anchoring,
    begin::{Begun, FolderFault, FolderPolicy},
    capacity::Capacity,
    failures::Failures,
    flights::{Flights, RequestKey},
    forked::Forked,
    free_answers::FreeAnswers,
    in_force::{Circumstances, PolicyInForce, log},
    lapse::lapse_reviews,
    lease::Silent,
    open_error::OpenError,
    started::{configured, started},
    two::{Signing, Waiting},
    withheld::Withheld,
};

/// Returns the Unix time in seconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
    })
}

/// Everything a gateway is made of.
pub struct GatewayConfig {
    /// The region it serves.
    pub region: Region,
    /// Its key and certificate for TLS.
    pub tls: TlsIdentity,
    /// Its key and certificate for answers.
    pub signer: Signer,
    /// The policy files in its folder, or what is wrong with them.
    pub policies: Result<Vec<Document>, Diagnostics>,
    /// The connections that the policy names.
    pub sources: HashMap<String, Arc<dyn Source>>,
    /// Where its ledger, releases and access records are kept.
    pub store: Location,
    /// SHA-256 of its configuration's text, which its log names.
    pub configuration: [u8; 32],
    /// The file, in another place, that holds which store it is and how far it has come.
    pub anchor: Option<PathBuf>,
    /// Who administers it over the wire.
    pub administrators: Administrators,
    /// Who may audit it over the wire.
    pub auditors: Vec<SpiffeId>,
    /// The longest life of a request.
    pub request_life_max: Duration,
    /// What it gives to its peers, and for how long.
    pub limits: ServerLimits,
    /// What time it is.
    pub clock: Clock,
}

/// A gateway that has passed every check and may serve.
pub struct Gateway {
    pub(crate) region: Region,
    pub(crate) tls: watch::Sender<Arc<ServerConfig>>,
    pub(crate) signer: SignerInUse,
    pub(crate) office: SpiffeId,
    /// Taken for a moment, to be read or replaced: nobody holds it while something is done.
    pub(crate) in_force: RwLock<Arc<PolicyInForce>>,
    /// Held while another policy is examined or signed: the digest of what the folder held when it was read last, if that is
    /// known.
    pub(crate) changing: Mutex<Option<[u8; 32]>>,
    /// The change of the policy that waits for signatures.
    pub(crate) waiting: std::sync::Mutex<Option<Waiting>>,
    /// What is wrong with the folder, where it was refused: a text for each mistake.
    pub(crate) refused_change: std::sync::Mutex<Vec<String>>,
    pub(crate) administrators: Administrators,
    pub(crate) auditors: Vec<SpiffeId>,
    pub(crate) sources: HashMap<String, Arc<dyn Source>>,
    pub(crate) store: Store,
    pub(crate) request_life_max: Duration,
    pub(crate) clock: Clock,
    pub(crate) limits: ServerLimits,
    pub(crate) shares: Shares,
    pub(crate) strangers: Strangers,
    pub(crate) unauthenticated_lines: LogRate,
    pub(crate) refused_lines: LogRate,
    pub(crate) replayed_lines: LogRate,
    pub(crate) anchoring: Option<Anchoring>,
    pub(crate) sealing: Sealing,
    /// Whether the coordinator has shown a log that does not go on.
    pub(crate) forked: Forked,
    pub(crate) flights: Flights<ReleaseKey>,
    pub(crate) requests: Flights<RequestKey>,
    pub(crate) silent: Silent,
    pub(crate) failures: Failures<RequestKey>,
    pub(crate) free_answers: FreeAnswers,
    pub(crate) capacity: Capacity,
    pub(crate) withheld: Withheld,
    pub(crate) metrics: Metrics,
}

/// What a gateway can be called for. How long a question takes may depend on rows, so nothing shows it but its answer.
const METHODS: &[Method] = &[
    Method { name: "lango.v1.GatewayService/Describe", time: CallTime::Shown },
    Method { name: "lango.v1.GatewayService/Estimate", time: CallTime::Shown },
    Method { name: "lango.v1.GatewayService/Query", time: CallTime::Hidden },
    Method { name: "lango.v1.GatewayService/GetRelease", time: CallTime::Shown },
    Method { name: "lango.v1.AdministrationService/Administer", time: CallTime::Shown },
    Method { name: "lango.v1.AuditService/Audit", time: CallTime::Shown },
    Method { name: "lango.v1.WitnessService/Witness", time: CallTime::Shown },
    Method { name: "grpc.health.v1.Health/Check", time: CallTime::Shown },
    Method { name: "grpc.health.v1.Health/Watch", time: CallTime::Hidden },
    Method { name: "grpc.reflection.v1.ServerReflection/ServerReflectionInfo", time: CallTime::Hidden },
    Method { name: "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", time: CallTime::Hidden },
];

impl Gateway {
    /// Checks everything that can be checked before the first request, and opens the store.
    pub async fn open(mut config: GatewayConfig) -> Result<Self, OpenError> {
        let now = (config.clock)();
        let office = config.signer.principal().clone();
        let region = config.region.trust_domain().to_owned();
        let circumstances = Circumstances { office: office.clone(), region, today: day_of(now) };
        let policies = mem::replace(&mut config.policies, Ok(Vec::new()));
        let found = FolderPolicy::read(policies, &circumstances, &config.sources).await;
        let found = match (config.administrators.activation, found) {
            (Activation::One, Err(FolderFault { error, .. })) => return Err(error.into()),
            (Activation::One | Activation::Two, found) => found,
        };
        config.signer.check(&config.region, now).map_err(OpenError::Signing)?;
        check_tls(&config.tls, &config.signer, &config.region, now).map_err(OpenError::Tls)?;
        let tls = server_config(&config.tls, &config.region);
        let tls = watch::channel(tls.map_err(|error| OpenError::Tls(error.to_string()))?).0;
        let opened = Store::open(&config.store).await;
        let store = opened.map_err(|error| error.with_anchor(config.anchor.as_deref()))?;
        let begun = Self::begin(config, store.clone(), (tls, found), (now, &circumstances)).await;
        if begun.is_err() {
            // Nothing of it is written any more: another file may be put in its place.
            store.close().await;
        }
        begun
    }

    async fn begin(
        config: GatewayConfig,
        store: Store,
        (tls, found): (watch::Sender<Arc<ServerConfig>>, Result<FolderPolicy, FolderFault>),
        (now, circumstances): (i64, &Circumstances),
    ) -> Result<Self, OpenError> {
        let office = circumstances.office.clone();
        let anchoring = match config.anchor {
            Some(path) => Some(Anchoring::begin(path, &config.store, &store).await?),
            None => None,
        };
        let (administrators, region) = (&config.administrators, &config.region);
        let signing = Signing { administrators, office: &office, region, now };
        let begun = Begun::of(found, &store, &signing, circumstances, &config.sources).await?;
        let Begun { mut policy, unwise, held, waiting, refused } = begun;
        let sealing = Sealing::open(&store, &config.signer).await?;
        let is_new = store.last_sequence().await? == 0;
        store.append(&started(&office, (now, policy.digest), &store, config.configuration), None).await?;
        let configured = configured(&office, (now, policy.digest), config.configuration);
        administrators.keep(&store, is_new, configured).await?;
        if !policy.is_stopgap {
            let signers = signing.signers_of(&store, &policy.digest).await?;
            policy.declare(&store, &config.sources, (&office, now), (&[], &signers)).await?;
            lapse_reviews(&store, &policy, (&office, now, day_of(now))).await;
        }
        log(&unwise, &policy.bounded(&store, &config.sources).await);
        let limits = config.limits;
        Ok(Self {
            region: config.region,
            tls,
            signer: SignerInUse::new(config.signer),
            office,
            in_force: RwLock::new(Arc::new(policy)),
            changing: Mutex::new(held),
            waiting: std::sync::Mutex::new(waiting),
            refused_change: std::sync::Mutex::new(refused),
            administrators: config.administrators,
            auditors: config.auditors,
            sources: config.sources,
            store,
            request_life_max: config.request_life_max,
            clock: config.clock,
            limits,
            shares: Shares::new(limits.shares),
            strangers: Strangers::new(limits.strangers_recorded_per_minute),
            unauthenticated_lines: LogRate::new("unauthenticated envelopes", limits.log_lines_per_second),
            refused_lines: LogRate::new("refusals", limits.log_lines_per_second),
            replayed_lines: LogRate::new("requests sent again", limits.log_lines_per_second),
            anchoring,
            sealing,
            forked: Forked::default(),
            flights: Flights::default(),
            requests: Flights::default(),
            silent: Silent::default(),
            failures: Failures::default(),
            free_answers: FreeAnswers::default(),
            capacity: Capacity::default(),
            withheld: Withheld::default(),
            metrics: Metrics::of_gateway(METHODS),
        })
    }

    /// What it shows of itself.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Today, in UTC.
    pub(crate) fn today(&self) -> Date {
        day_of(self.now())
    }
}

/// Whether the certificate for TLS is good, and of the office that signs; else what is wrong.
pub(crate) fn check_tls(tls: &TlsIdentity, signer: &Signer, region: &Region, now: i64) -> Result<(), String> {
    check_own(tls, region, now).map_err(|fault| fault.to_string())?;
    match tls.id() {
        Ok(id) if id == *signer.principal() => Ok(()),
        Ok(id) => Err(format!("it is of {id}")),
        Err(fault) => Err(fault.to_string()),
    }
}

/// The day (UTC) of a moment in Unix seconds.
pub(crate) fn day_of(moment: i64) -> Date {
    OffsetDateTime::from_unix_timestamp(moment).map_or(Date::MIN, OffsetDateTime::date)
}
