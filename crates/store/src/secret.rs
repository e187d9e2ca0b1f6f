//! What orders the rows of a unit: random bytes, made once for each version of a dataset.

use sqlx::Row;

use crate::{Store, StoreError};

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
        let sql = "SELECT secret FROM bounding_secret WHERE dataset = ? AND dataset_version = ?";
        let known = sqlx::query(sql).bind(dataset).bind(version).fetch_optional(self.reader()).await?;
        if let Some(row) = known {
            return secret(row.try_get("secret")?);
        }
        let mut tx = self.transact("bounding secret").await?;
        sqlx::query(
            "INSERT INTO bounding_secret (dataset, dataset_version, secret, made_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(dataset)
        .bind(version)
        .bind(fresh.as_slice())
        .bind(at)
        .execute(&mut *tx)
        .await?;
        let row = sqlx::query(sql).bind(dataset).bind(version).fetch_one(&mut *tx).await?;
        let made = secret(row.try_get("secret")?)?;
        tx.commit().await?;
        Ok(made)
    }
}

fn secret(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("secret"))
}
