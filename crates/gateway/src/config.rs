//! What a gateway needs to run, and the checks it makes before it says that it runs.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lango_document::{Diagnostics, Document};
use lango_identity::{
    PayloadType, Region, Role, Signer, SpiffeId, TlsIdentity, Unauthenticated, check_own, digest,
};
use lango_policy::PolicySet;
use lango_privacy::Dataset;
use lango_source::{Bounding, Source, SourceError};
use lango_store::{Location, ReleaseKey, Store, StoreError};
use lango_transport::{LogRate, ServerLimits, Shares};
use time::{Date, OffsetDateTime};

use crate::{
    anchoring::Anchoring,
    capacity::Capacity,
    failures::Failures,
    flights::{Flights, RequestKey},
    free_answers::FreeAnswers,
    pools::{DeclareError, declare_pools},
    secret::bounding,
    strangers::Strangers,
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
    /// Its policy files.
    pub policies: Vec<Document>,
    /// The connections that the policy names.
    pub sources: HashMap<String, Arc<dyn Source>>,
    /// Where its ledger, releases and access records are kept.
    pub store: Location,
    /// The file, in another place, that holds which store it is and how far it has come.
    pub anchor: Option<PathBuf>,
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
    pub(crate) tls: TlsIdentity,
    pub(crate) signer: Signer,
    pub(crate) office: SpiffeId,
    pub(crate) policy: Arc<PolicySet>,
    pub(crate) policy_digest: [u8; 32],
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
    pub(crate) flights: Flights<ReleaseKey>,
    pub(crate) requests: Flights<RequestKey>,
    pub(crate) failures: Failures<RequestKey>,
    pub(crate) free_answers: FreeAnswers,
    pub(crate) capacity: Capacity,
    pub(crate) withheld: Withheld,
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A policy file is wrong.
    #[error("the policy cannot be used\n\n{0}")]
    Policy(#[from] Diagnostics),
    /// A test in a policy file fails.
    #[error("the policy fails its own tests\n\n{0}")]
    Trials(Diagnostics),
    /// The certificate is another office's, or no office's.
    #[error("the signing certificate is of {found}, the policy of office `{office}`")]
    Office {
        /// As the policy says.
        office: String,
        /// As the certificate says.
        found: SpiffeId,
    },
    /// The certificate for TLS is another principal's, or not good.
    #[error("the TLS certificate is not good: {0}")]
    Tls(String),
    /// The certificate for answers is not good.
    #[error("the signing certificate is not good: {0}")]
    Signing(Unauthenticated),
    /// The policy names a connection that the configuration does not.
    #[error(
        "dataset `{dataset}` names the source `{source_name}`, which the configuration does not have: add `[source.{source_name}]`"
    )]
    NoSource {
        /// The dataset.
        dataset: String,
        /// The source's name.
        source_name: String,
    },
    /// A dataset is not as declared.
    #[error("dataset `{dataset}` cannot be served: {error}")]
    Source {
        /// The dataset.
        dataset: String,
        /// What is wrong.
        error: SourceError,
    },
    /// The policy's pools cannot be declared.
    #[error(transparent)]
    Pools(#[from] DeclareError),
    /// The ledger cannot be used.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl Gateway {
    /// Checks everything that can be checked before the first request, and opens the store.
    pub async fn open(config: GatewayConfig) -> Result<Self, OpenError> {
        let policy = PolicySet::read(&config.policies)?;
        let failed = policy.run_trials();
        if !failed.is_empty() {
            return Err(OpenError::Trials(failed.into_iter().collect()));
        }
        let now = (config.clock)();
        for warning in policy.warnings(Some(day_of(now)), Some(config.region.trust_domain())) {
            tracing::warn!("{warning}");
        }
        let office = config.signer.principal().clone();
        if office.role() != Role::Office || office.name() != policy.office {
            return Err(OpenError::Office { office: policy.office, found: office });
        }
        config.signer.check(&config.region, now).map_err(OpenError::Signing)?;
        check_own(&config.tls, &config.region, now).map_err(|fault| OpenError::Tls(fault.to_string()))?;
        match config.tls.id() {
            Ok(id) if id == office => {}
            Ok(id) => return Err(OpenError::Tls(format!("it is of {id}"))),
            Err(fault) => return Err(OpenError::Tls(fault.to_string())),
        }
        for (name, dataset) in &policy.datasets {
            let (dataset_name, source_name) = (name.to_string(), dataset.source.clone());
            let source = config.sources.get(&dataset.source);
            let source =
                source.ok_or_else(|| OpenError::NoSource { dataset: dataset_name.clone(), source_name })?;
            source
                .check(dataset)
                .await
                .map_err(|error| OpenError::Source { dataset: dataset_name, error })?;
        }
        let opened = Store::open(&config.store).await;
        let store = opened.map_err(|error| error.with_anchor(config.anchor.as_deref()))?;
        let anchoring = match config.anchor {
            Some(path) => Some(Anchoring::begin(path, &config.store, &store).await?),
            None => None,
        };
        declare_pools(&store, &policy, &config.sources).await?;
        for dataset in policy.datasets.values() {
            if let Some(source) = config.sources.get(&dataset.source) {
                log_bounding(&store, source.as_ref(), dataset).await;
            }
        }
        let limits = config.limits;
        let text: String = config.policies.iter().map(|document| &*document.text).collect();
        Ok(Self {
            region: config.region,
            tls: config.tls,
            signer: config.signer,
            office,
            policy: Arc::new(policy),
            policy_digest: digest(PayloadType::Policy, text.as_bytes()),
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
            flights: Flights::default(),
            requests: Flights::default(),
            failures: Failures::default(),
            free_answers: FreeAnswers::default(),
            capacity: Capacity::default(),
            withheld: Withheld::default(),
        })
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Today, in UTC.
    pub(crate) fn today(&self) -> Date {
        day_of(self.now())
    }
}

/// The day (UTC) of a moment in Unix seconds.
pub(crate) fn day_of(moment: i64) -> Date {
    OffsetDateTime::from_unix_timestamp(moment).map_or(Date::MIN, OffsetDateTime::date)
}

/// Logs how a dataset's rows are bounded.
async fn log_bounding(store: &Store, source: &dyn Source, dataset: &Dataset) {
    let dataset_name = &dataset.name;
    match bounding(store, source, dataset).await {
        Ok(stale @ Bounding::Stale(_)) => tracing::warn!(dataset = %dataset_name, "{stale}"),
        Ok(bounded) => tracing::info!(dataset = %dataset_name, "{bounded}"),
        Err(error) => {
            tracing::warn!(%error, dataset = %dataset_name, "it is not known how the rows are bounded");
        }
    }
}
