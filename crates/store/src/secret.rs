//! What orders the rows of a unit: random bytes, made once for each version of a dataset.

use async_trait::async_trait;

use crate::{
    Store, StoreError,
    engine::{Connection, Run},
    statement::statement,
    writer::Write,
};

statement! {
    /// The secret of a dataset's version.
    Secret { dataset, version } =
        "SELECT secret FROM bounding_secret WHERE dataset = :dataset AND dataset_version = :version"
}

statement! {
    /// Keeps one.
    KeepSecret { dataset, version, secret, at } =
        "INSERT INTO bounding_secret (dataset, dataset_version, secret, made_at) VALUES (:dataset, :version, :secret, :at)"
}

/// Keeps a fresh secret where there is none yet.
struct Keep {
    dataset: String,
    version: String,
    fresh: [u8; 32],
    at: i64,
}

#[async_trait]
impl Write for Keep {
    const NAME: &'static str = "keep-secret";

    type Outcome = [u8; 32];

    async fn apply(&self, transaction: &mut Connection) -> Result<[u8; 32], StoreError> {
        if let Some(known) = known(transaction, &self.dataset, &self.version).await? {
            return Ok(known);
        }
        let Self { dataset, version, fresh, at } = self;
        let keep = KeepSecret {
            dataset: dataset.into(),
            version: version.into(),
            secret: fresh.into(),
            at: (*at).into(),
        };
        transaction.all(keep.into()).await?;
        Ok(self.fresh)
    }
}

impl Store {
    /// The secret of a dataset's version: `fresh` where there is none yet, else the one that was made first. It never changes,
    /// so that every answer of the version reads the same rows.
    pub async fn bounding_secret(
        &self,
        dataset: &str,
        version: &str,
        fresh: [u8; 32],
        at: i64,
    ) -> Result<[u8; 32], StoreError> {
        match known(&mut self.reader(), dataset, version).await? {
            Some(known) => Ok(known),
            None => self.write(Keep { dataset: dataset.into(), version: version.into(), fresh, at }).await,
        }
    }

    /// The secret of a dataset's version, where there is one already.
    pub async fn known_bounding_secret(
        &self,
        dataset: &str,
        version: &str,
    ) -> Result<Option<[u8; 32]>, StoreError> {
        known(&mut self.reader(), dataset, version).await
    }
}

pub(crate) async fn known(
    run: &mut impl Run,
    dataset: &str,
    version: &str,
) -> Result<Option<[u8; 32]>, StoreError> {
    let row = run.optional(Secret { dataset: dataset.into(), version: version.into() }.into()).await?;
    let secret = |row: crate::engine::Row| {
        row.get::<Vec<u8>>("secret")?.try_into().map_err(|_| StoreError::Damaged("secret"))
    };
    row.map(secret).transpose()
}
