//! Reviews as an office sees them: how each stands, whether the policy still decides so, and the noisy answer.

use lango_ledger::ReviewState;
use lango_policy::PolicySet;
use lango_privacy::PlanText;
use lango_store::{StoreError, StoreReader, Stored, StoredReview};
use time::Date;

use crate::lapse::lapsed;

/// A noisy answer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedTable {
    /// The plan's text.
    pub plan: String,
    /// The layout's text.
    pub layout: String,
    /// The noisy integers.
    pub cells: Vec<i64>,
}

/// A review, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewFound {
    /// How it stands.
    pub review: StoredReview,
    /// Why the policy decides otherwise of it; none where it does not.
    pub lapses: Option<String>,
    /// The noisy answer where it was drawn, and then the earlier ones that its means are divided by.
    pub tables: Vec<ReviewedTable>,
}

/// The reviews whose names lie between two, two at most, as a policy decides of them on a day.
///
/// # Errors
/// The store cannot be read.
pub async fn reviews_found(
    store: &mut impl StoreReader,
    policy: &PolicySet,
    today: Date,
    (low, high): ([u8; 16], [u8; 16]),
) -> Result<Vec<ReviewFound>, StoreError> {
    let mut found = Vec::new();
    for review in store.named(&low, &high).await? {
        let lapses = lapsed(policy, &review, today).map(str::to_owned);
        let tables = match review.state {
            ReviewState::Held | ReviewState::Shown | ReviewState::Withheld => tables(store, &review).await?,
            ReviewState::Waiting | ReviewState::Approved | ReviewState::Rejected | ReviewState::Lapsed => {
                Vec::new()
            }
        };
        found.push(ReviewFound { review, lapses, tables });
    }
    Ok(found)
}

/// The noisy answer as its asker would see it: what is exact is kept nowhere.
async fn tables(
    store: &mut impl StoreReader,
    review: &StoredReview,
) -> Result<Vec<ReviewedTable>, StoreError> {
    let Some(stored) = store.of_key(&review.subject.key).await? else { return Ok(Vec::new()) };
    let plan: Option<PlanText> = stored.plan.parse().ok();
    let mut tables = vec![table(stored)];
    for id in plan.into_iter().flat_map(|plan| plan.earlier) {
        tables.extend(store.of_id(&id).await?.map(table));
    }
    Ok(tables)
}

fn table(Stored { plan, layout, cells, .. }: Stored) -> ReviewedTable {
    ReviewedTable { plan, layout, cells }
}
