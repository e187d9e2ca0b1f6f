//! Stop 3: what answers a question. No data is touched.

use lango_identity::{Kind, digest};
use lango_privacy::{Basis, Measure, Plan, PlanText, Query, ReleasedTable, compile};

use crate::{Gateway, authenticate::Request, authorize::Allowed, refuse::Refused};

/// At most this number of releases of a version is searched for counts, the newest first.
const RELEASES_MOST: u32 = 1_000;

impl Gateway {
    /// Plans a question. Of what was released before, only the noise of counts is used.
    pub(crate) async fn plan<T>(&self, request: &Request<T>, allowed: &Allowed<'_>) -> Result<Plan, Refused> {
        let Allowed { query, granted, key, known } = allowed;
        let released = self.released(request, allowed).await?;
        let basis = Basis {
            account: &granted.budget.account,
            delta_e18: granted.grant.delta_per_query_e18,
            terms_digest: key.terms_digest,
            released: &released,
        };
        compile(query, granted.dataset, &basis).map_err(|refusal| Refused::new(refusal, known))
    }

    /// The released tables of `rows(C)` that the question's means may be divided by: of the same version, under the same
    /// conditions and terms, and open to the principal, for they are handed out with the answer.
    async fn released<T>(
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
        let released =
            released.map_err(|error| known.unavailable("the earlier releases cannot be read", &error))?;
        let left = released.iter().filter(|released| !self.withheld.contains(&released.release_id));
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
}
