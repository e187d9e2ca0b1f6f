//! Earlier releases: counts that a mean may be divided by, and that travel with it.

use lango_identity::{Kind, digest};
use lango_policy::{Asked, Denial, Granted};
use lango_privacy::{Loss, Measure, PlanText, Query, ReleasedTable};
use lango_store::Stored;
use lango_wire::pb;

use crate::{
    Gateway,
    authenticate::Request,
    refuse::{FREE, Known, Refused},
    release::Allowed,
};

/// So many releases of a version are looked through, the newest first.
const RELEASES_MOST: u32 = 1_000;

impl Gateway {
    /// The released tables of `rows(C)` that the question's means may be divided by: of the same version, under the same
    /// conditions and terms, and open to the asker, for they are handed out with the answer.
    pub(crate) async fn released<T>(
        &self,
        request: &Request<T>,
        allowed: &Allowed<'_>,
    ) -> Result<Vec<ReleasedTable>, Refused> {
        let Allowed { query, granted, key, known } = allowed;
        if !query.measures.keys().any(|measure| matches!(measure, Measure::Mean(_))) {
            return Ok(Vec::new());
        }
        let name = granted.dataset.name.as_str();
        let released = self.store.releases_of(name, &key.dataset_version, RELEASES_MOST).await;
        let released = released.map_err(|error| {
            tracing::error!(%error, "the store failed");
            Refused::failed(known, false)
        })?;
        let left = released.iter().filter(|released| !self.held.contains(&released.release_id));
        let tables = left.filter_map(|released| {
            let earlier: Query = released.query.parse().ok()?;
            let counts = earlier.measures.keys().any(|measure| matches!(measure, Measure::RowsOf(_)));
            if !counts || earlier.filters != query.filters {
                return None;
            }
            let plan: PlanText = released.plan.parse().ok()?;
            let terms = granted.dataset.terms(earlier.columns(), &granted.budget.account);
            let alike = plan.terms_digest == digest(Kind::Terms, terms.as_bytes())
                && plan.is_of(&earlier.margins())
                && self.open_to(request, &earlier, &known.purpose, &released.loss).is_ok();
            let counts = plan.margins.into_iter().filter_map(|margin| match margin.measure {
                Measure::RowsOf(column) => {
                    let noise = margin.measurement.noise()?;
                    Some(ReleasedTable { release_id: released.release_id, column, by: margin.by, noise })
                }
                _ => None,
            });
            alike.then(|| counts.collect::<Vec<_>>())
        });
        Ok(tables.flatten().collect())
    }

    /// The releases that a release divides by, signed for the same request.
    pub(crate) async fn earlier<T>(
        &self,
        request: &Request<T>,
        release: &Stored,
        known: &Known,
    ) -> Result<Vec<pb::Release>, Refused> {
        let plan: PlanText = release.plan.parse().map_err(|()| {
            tracing::error!("the stored plan of a release cannot be read");
            Refused::failed(known, false)
        })?;
        let mut earlier = Vec::new();
        for id in &plan.earlier {
            let stored = self.store.release(id).await.ok().flatten();
            let stored = stored.ok_or_else(|| {
                tracing::error!("a release that another divides by is not stored");
                Refused::failed(known, false)
            })?;
            let query: Query = stored.query.parse().map_err(|_| Refused::failed(known, false))?;
            let granted = self.open_to(request, &query, &known.purpose, &stored.loss);
            let granted = granted.map_err(|denial| Refused::new(denial, known))?;
            earlier.push(self.sign(request, stored, FREE, true, &granted, Vec::new()));
        }
        Ok(earlier)
    }

    /// The grant under which the asker might ask a question today that was answered at this loss: who names a precision learns
    /// its price late, and what is stored tells it. A look-up has no purpose, and fits every one.
    pub(crate) fn open_to<T>(
        &self,
        request: &Request<T>,
        query: &Query,
        purpose: &str,
        loss: &Loss,
    ) -> Result<Granted<'_>, Denial> {
        let account = self.policy.budgets.get(&query.dataset).map(|budget| budget.account);
        let epsilon = account.and_then(|account| account.epsilon_of(loss.amount(&account)?));
        let principal = request.principal.to_string();
        let asked = Asked {
            principal: &principal,
            purpose: (!purpose.is_empty()).then_some(purpose),
            on: Some(self.today()),
            epsilon_nano: Some(epsilon.unwrap_or(u64::MAX)),
        };
        self.policy.authorize(&asked, query)
    }
}
