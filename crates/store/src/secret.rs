//! What orders the rows of a unit: random bytes, made once for each version of a dataset.

use async_trait::async_trait;

use crate::{
    Store, StoreError,
    engine::{Connection, Run, Statement},
    writer::Write,
};

/// Keeps a fresh secret where there is none yet.
struct Keep {
    dataset: String,
    version: String,
    fresh: [u8; 32],
    at: i64,
}

#[async_trait]
impl Write for Keep {
    type Outcome = [u8; 32];

    async fn apply(&self, transaction: &mut Connection) -> Result<[u8; 32], StoreError> {
        if let Some(known) = known(transaction, &self.dataset, &self.version).await? {
            return Ok(known);
        }
        let sql =
            "INSERT INTO bounding_secret (dataset, dataset_version, secret, made_at) VALUES ($1, $2, $3, $4)";
        let insert = Statement::new(sql).bind(self.dataset.as_str()).bind(self.version.as_str());
        transaction.all(insert.bind(self.fresh.as_slice()).bind(self.at)).await?;
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
    let sql = "SELECT secret FROM bounding_secret WHERE dataset = $1 AND dataset_version = $2";
    let row = run.optional(Statement::new(sql).bind(dataset).bind(version)).await?;
    let secret = |row: crate::engine::Row| {
        row.get::<Vec<u8>>("secret")?.try_into().map_err(|_| StoreError::Damaged("secret"))
    };
    row.map(secret).transpose()
}
