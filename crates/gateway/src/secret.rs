//! What orders the rows of a unit: random, made once for each version of a dataset, kept in the store.

use lango_privacy::Dataset;
use lango_source::{Bounding, Secret, Source, SourceError};
use lango_store::{Store, StoreError};

/// Why there is no secret, or why it is not known how rows are bounded with it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source cannot say which data it holds, or how rows are bounded.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// The secret of a dataset's version, made and kept if there is none yet, with which data the table holds at that moment.
pub async fn bounding_secret(
    store: &Store,
    source: &dyn Source,
    dataset: &Dataset,
    now: i64,
) -> Result<Secret, SecretError> {
    let (name, version) = (dataset.name.as_str(), dataset.version.as_str());
    if let Some(known) = store.known_bounding_secret(name, version).await? {
        return Ok(Secret::new(known));
    }
    let data = source.data(&dataset.table).await?;
    Ok(Secret::new(store.bounding_secret(name, version, random()?, data.as_deref(), now).await?))
}

/// How a dataset's rows are bounded for a question asked now. Makes no secret: before there is one, nothing has been
/// prepared with it, and a secret that nobody else has shows that as well.
pub(crate) async fn bounding(
    store: &Store,
    source: &dyn Source,
    dataset: &Dataset,
) -> Result<Bounding, SecretError> {
    let known = store.known_bounding_secret(dataset.name.as_str(), dataset.version.as_str()).await;
    let secret = match known? {
        Some(known) => known,
        None => random()?,
    };
    Ok(source.bounding(dataset, &Secret::new(secret)).await?)
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
