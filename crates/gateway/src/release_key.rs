//! The key of a question's release: what makes two questions the same.

use lango_identity::{PayloadType, digest};
use lango_privacy::{Accounting, Dataset, PlanText, Query};
use lango_store::{ReleaseKey, Stored};

/// The key under which a question is answered now, whose text has this digest.
pub(crate) fn live_key(
    query_digest: [u8; 32],
    query: &Query,
    dataset: &Dataset,
    account: &Accounting,
) -> ReleaseKey {
    let terms = dataset.terms(query.columns(), account);
    ReleaseKey {
        query_digest,
        dataset_version: dataset.version.to_string(),
        terms_digest: digest(PayloadType::Terms, terms.as_bytes()),
    }
}

/// The key of a stored release; nothing where its plan cannot be read.
pub(crate) fn stored_key(stored: &Stored) -> Option<ReleaseKey> {
    let plan: PlanText = stored.plan.parse().ok()?;
    Some(ReleaseKey {
        query_digest: digest(PayloadType::Text, stored.query.as_bytes()),
        dataset_version: stored.dataset_version.clone(),
        terms_digest: plan.terms_digest,
    })
}
