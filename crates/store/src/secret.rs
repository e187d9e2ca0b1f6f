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
    /// Keeps one, and the fingerprint of the data that it is made for.
    KeepSecret { dataset, version, secret, at, data } =
        "INSERT INTO bounding_secret (dataset, dataset_version, secret, made_at, data) VALUES (:dataset, :version, :secret, :at, :data)"
}

statement! {
    /// The data that a version's secret was made for.
    Data { dataset, version } =
        "SELECT data FROM bounding_secret WHERE dataset = :dataset AND dataset_version = :version"
}

/// Keeps a fresh secret where there is none yet.
struct Keep {
    dataset: String,
    version: String,
    fresh: [u8; 32],
    data: Option<String>,
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
        let Self { dataset, version, fresh, data, at } = self;
        let keep = KeepSecret {
            dataset: dataset.into(),
            version: version.into(),
            secret: fresh.into(),
            at: (*at).into(),
            data: data.as_deref().into(),
        };
        transaction.all(keep.into()).await?;
        Ok(self.fresh)
    }
}

impl Store {
    /// The secret of a dataset's version: `fresh` where there is none yet, with the fingerprint of the data that it is for where
    /// that is known, else the one that was made first. It never changes, so that every answer of the version reads the same
    /// rows.
    pub async fn bounding_secret(
        &self,
        dataset: &str,
        version: &str,
        fresh: [u8; 32],
        data: Option<&str>,
        at: i64,
    ) -> Result<[u8; 32], StoreError> {
        match known(&mut self.reader(), dataset, version).await? {
            Some(known) => Ok(known),
            None => {
                let (dataset, version, data) = (dataset.into(), version.into(), data.map(str::to_owned));
                self.write(Keep { dataset, version, fresh, data, at }).await
            }
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

/// The fingerprint of the data that a version's secret was made for, where it was known.
pub(crate) async fn data(
    run: &mut impl Run,
    dataset: &str,
    version: &str,
) -> Result<Option<String>, StoreError> {
    let row = run.optional(Data { dataset: dataset.into(), version: version.into() }.into()).await?;
    Ok(row.map(|row| row.get::<Option<String>>("data")).transpose()?.flatten())
}
