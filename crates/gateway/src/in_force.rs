//! The policy in force: read and checked whole, from its files to the ledger.

use std::{collections::HashMap, sync::Arc};

use lango_access_log::{ActivatedPolicy, Hex, LogEvent, LoggedLines};
use lango_document::{Diagnostic, Diagnostics, Document};
use lango_identity::{PayloadType, Role, SpiffeId, digest};
use lango_policy::{PolicySet, canonical_bytes};
use lango_source::{Bounding, Source, SourceError};
use lango_store::{Decision, KeptPolicy, Moved, Record, Store, StoreError};
use lango_transport::CutShort;

use time::Date;

use crate::{
    pools::{DeclareError, declare_pools},
    secret::{SecretError, bounding},
};

/// The connections that a policy names.
type Sources = HashMap<String, Arc<dyn Source>>;

/// A policy that may decide: its rules, and the digest of the files that they are from.
#[derive(Debug)]
pub(crate) struct PolicyInForce {
    pub set: PolicySet,
    pub digest: [u8; 32],
    /// Whether it grants nothing and stands where no policy has come into force yet.
    pub is_stopgap: bool,
    /// The names and texts of its files, as the digest takes them, until they are kept.
    files: Vec<u8>,
}

/// The office that a policy must be of, the region whose analysts ask, and the day.
pub(crate) struct Circumstances {
    pub office: SpiffeId,
    pub region: String,
    pub today: Date,
}

/// How the rows of a dataset are bounded, by its name.
type Bounded = (String, Result<Bounding, SecretError>);

/// Why a policy does not come into force.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A policy file is wrong.
    #[error("the policy cannot be used\n\n{0}")]
    Wrong(Diagnostics),
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
    /// Who signed it is not known.
    #[error(transparent)]
    Signatures(StoreError),
    /// The reading was cut short.
    #[error("the policy was not read to its end: {0}")]
    CutShort(#[from] CutShort),
}

impl PolicyError {
    /// What is wrong with the files themselves, where something is.
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        match self {
            Self::Wrong(found) | Self::Trials(found) => Some(found),
            Self::Office { .. }
            | Self::NoSource { .. }
            | Self::Source { .. }
            | Self::Pools(_)
            | Self::Signatures(_)
            | Self::CutShort(_) => None,
        }
    }

    /// What is wrong, a text for each mistake.
    pub(crate) fn texts(&self) -> Vec<String> {
        match self.diagnostics() {
            Some(found) => found.iter().map(ToString::to_string).collect(),
            None => vec![self.to_string()],
        }
    }
}

/// The digest of policy files: over their names and texts, each with its length.
pub fn policy_digest(documents: &[Document]) -> [u8; 32] {
    digest(PayloadType::Policy, &canonical_bytes(documents))
}

impl PolicyInForce {
    /// Reads a policy and runs its own tests; what is unwise in it comes with it.
    pub(crate) fn read(
        documents: &[Document],
        Circumstances { office, region, today }: &Circumstances,
    ) -> Result<(Self, Vec<Diagnostic>), PolicyError> {
        let set = PolicySet::read(documents).map_err(PolicyError::Wrong)?;
        let failed = set.run_trials();
        if !failed.is_empty() {
            return Err(PolicyError::Trials(failed.into_iter().collect()));
        }
        if office.role() != Role::Office || office.name() != set.office {
            return Err(PolicyError::Office { office: set.office, found: office.clone() });
        }
        let unwise = set.warnings(Some(*today), Some(region));
        let files = canonical_bytes(documents);
        Ok((Self { set, digest: digest(PayloadType::Policy, &files), is_stopgap: false, files }, unwise))
    }

    /// Holds every dataset against the catalogue of its source.
    pub(crate) async fn check_sources(&self, sources: &Sources) -> Result<(), PolicyError> {
        for (name, dataset) in &self.set.datasets {
            let (dataset_name, source_name) = (name.to_string(), dataset.source.clone());
            let source = sources.get(&dataset.source);
            let source =
                source.ok_or_else(|| PolicyError::NoSource { dataset: dataset_name.clone(), source_name })?;
            let checked = source.check(dataset).await;
            checked.map_err(|error| PolicyError::Source { dataset: dataset_name, error })?;
        }
        Ok(())
    }

    /// Declares the policy to the ledger, which may refuse it, and lets what was charged before follow its rows. `now` is when it
    /// comes into force, in Unix seconds. Its files are kept in place of those of the one before.
    pub(crate) async fn declare(
        &mut self,
        store: &Store,
        sources: &Sources,
        (office, now): (&SpiffeId, i64),
        (changes, signers): (&[String], &[String]),
    ) -> Result<(), PolicyError> {
        let record = self.record(office, now, (changes, signers));
        let kept = KeptPolicy { digest: self.digest, files: std::mem::take(&mut self.files) };
        for Moved { from, to } in declare_pools(store, &self.set, sources, (&record, &kept)).await? {
            tracing::warn!(from, to, "charges followed their dataset into another pool");
        }
        Ok(())
    }

    /// Finds out how the rows of each dataset are bounded.
    pub(crate) async fn bounded(&self, store: &Store, sources: &Sources) -> Vec<Bounded> {
        let mut found = Vec::new();
        for dataset in self.set.datasets.values() {
            if let Some(source) = sources.get(&dataset.source) {
                found.push((dataset.name.to_string(), bounding(store, source.as_ref(), dataset).await));
            }
        }
        found
    }

    fn record(&self, office: &SpiffeId, now: i64, (changes, signers): (&[String], &[String])) -> Record {
        let event = LogEvent::Policy(ActivatedPolicy {
            before: None,
            changes: LoggedLines::of(changes),
            digest: Hex(self.digest),
            moved: Vec::new(),
            signers: signers.to_vec(),
        });
        Record {
            event: Some(event),
            ..Record::of(office.to_string(), (now, self.digest), Decision::Activated)
        }
    }
}

/// Logs what is unwise in a policy, and how the rows of its datasets are bounded.
pub(crate) fn log(unwise: &[Diagnostic], bounded: &[Bounded]) {
    for warning in unwise {
        tracing::warn!("{warning}");
    }
    for (dataset, bounded) in bounded {
        match bounded {
            Ok(stale @ Bounding::Stale(_)) => tracing::warn!(dataset, "{stale}"),
            Ok(bounded) => tracing::info!(dataset, "{bounded}"),
            Err(error) => tracing::warn!(%error, dataset, "it is not known how the rows are bounded"),
        }
    }
}
