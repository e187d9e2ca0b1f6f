//! Between rows and values: unsigned amounts as the databases' signed integers, cells as words.

use lango_ledger::{Balance, ReservationState};
use lango_privacy::Loss;

use crate::{Entry, StoreError, engine::Row, statement::statement};

statement! {
    /// Another state.
    SetState { state, id } = "UPDATE reservation SET state = :state WHERE id = :id"
}

/// An amount for the database. Amounts are far below 2^63: an account's limit is at most 10^11, and balances stop there.
pub(crate) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(row.get::<i64>(column)?).map_err(|_| StoreError::Damaged("amount"))
}

pub(crate) fn loss(row: &Row) -> Result<Loss, StoreError> {
    let pure = row.get::<Option<i64>>("pure_nano")?;
    Ok(Loss {
        pure_nano: pure.map(u64::try_from).transpose().map_err(|_| StoreError::Damaged("amount"))?,
        rho_nano: unsigned(row, "rho_nano")?,
        delta_e18: unsigned(row, "delta_e18")?,
    })
}

/// An access record with its place.
pub(crate) fn entry(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        sequence: row.get("sequence")?,
        at: row.get("at")?,
        principal: row.get("principal")?,
        purpose: row.get("purpose")?,
        request_digest: digest(row.get("request_digest")?)?,
        query_digest: row.get::<Option<Vec<u8>>>("query_digest")?.map(digest).transpose()?,
        dataset: row.get("dataset")?,
        query: row.get("query")?,
        decision: row.get("decision")?,
        reason: row.get("reason")?,
        rule: row.get("rule")?,
        agreement: row.get("agreement")?,
        policy_digest: policy_digest(row)?,
        charged: loss(row)?,
        left_out: unsigned(row, "left_out")?,
    })
}

/// Which policy decided.
pub(crate) fn policy_digest(row: &Row) -> Result<[u8; 32], StoreError> {
    digest(row.get("policy_digest")?)
}

fn digest(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("record"))
}

pub(crate) fn balance(row: &Row) -> Result<Balance, StoreError> {
    let Loss { pure_nano, rho_nano, delta_e18 } = loss(row)?;
    Ok(Balance { pure_nano, rho_nano, delta_e18 })
}

/// The balance in these columns, where there is one: only its pure part may be missing.
pub(crate) fn kept(row: &Row, [pure, rho, delta]: [&'static str; 3]) -> Result<Option<Balance>, StoreError> {
    if row.get::<Option<i64>>(rho)?.is_none() {
        return Ok(None);
    }
    let pure = row.get::<Option<i64>>(pure)?.map(u64::try_from);
    let pure_nano = pure.transpose().map_err(|_| StoreError::Damaged("amount"))?;
    Ok(Some(Balance { pure_nano, rho_nano: unsigned(row, rho)?, delta_e18: unsigned(row, delta)? }))
}

pub(crate) fn state(row: &Row) -> Result<ReservationState, StoreError> {
    ReservationState::of_word(&row.get::<String>("state")?).ok_or(StoreError::Damaged("reservation"))
}

/// Little-endian 64-bit words, as digests take them.
pub(crate) fn words(cells: &[i64]) -> Vec<u8> {
    cells.iter().flat_map(|cell| cell.to_le_bytes()).collect()
}

pub(crate) fn cells(words: &[u8]) -> Result<Vec<i64>, StoreError> {
    let (words, rest) = words.as_chunks::<8>();
    if rest.is_empty() {
        Ok(words.iter().map(|word| i64::from_le_bytes(*word)).collect())
    } else {
        Err(StoreError::Damaged("release"))
    }
}
