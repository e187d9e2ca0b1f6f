//! Stop 3: what answers a question. No data is touched.

use lango_identity::{Kind, digest};
use lango_privacy::{
    Basis, FOUND_KEYS_MOST, Measure, Plan, PlanText, Query, ReleasedTable, WORD_BYTES_MOST, compile,
};
use lango_store::Stored;
use lango_wire::{
    Refusal,
    limits::{ANSWER_BYTES_MAX, LAYOUT_BYTES_MAX, PLAN_BYTES_MAX, answer_bytes},
};

use crate::{
    Gateway,
    authenticate::Request,
    authorize::Allowed,
    refuse::{Known, Refused},
};

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
        let compiled = |basis| {
            let plan = compile(query, granted.dataset, &basis);
            plan.map_err(|refusal| Refused::new(refusal, known))
        };
        let plan = compiled(basis)?;
        let earlier = self.earlier_bytes(&plan, known).await?;
        // Means are divided by counts of their own where the earlier ones would not fit beside them.
        let plan = match fits(&plan, earlier) {
            Err(_) if !plan.earlier.is_empty() => compiled(Basis { released: &[], ..basis })?,
            Ok(()) | Err(_) => plan,
        };
        let earlier = if plan.earlier.is_empty() { 0 } else { earlier };
        fits(&plan, earlier).map_err(|refusal| Refused::new(refusal, known))?;
        Ok(plan)
    }

    /// The bytes of the earlier releases that would travel with an answer.
    async fn earlier_bytes(&self, plan: &Plan, known: &Known) -> Result<usize, Refused> {
        let mut bytes = 0usize;
        for id in &plan.earlier {
            let stored = self.store.release(id).await;
            let stored = stored.map_err(|error| known.unavailable("the store failed", &error))?;
            let of =
                |stored: Stored| answer_bytes(stored.plan.len(), stored.layout.len(), stored.cells.len());
            bytes = bytes.saturating_add(stored.map_or(0, of));
        }
        Ok(bytes)
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

/// Whether the answer fits a message, whatever its integers are and whichever keys are found: that is known before anything is
/// charged.
fn fits(plan: &Plan, earlier: usize) -> Result<(), Refusal> {
    let found = if plan.discovers() { FOUND_KEYS_MOST } else { 0 };
    let text = plan.text().to_string().len();
    let layout = plan.layout.to_string().len().saturating_add(found * (WORD_BYTES_MOST + 1));
    let bytes = answer_bytes(text, layout, plan.layout.integers().saturating_add(found));
    for (bytes, bytes_max) in [
        (bytes.saturating_add(earlier), ANSWER_BYTES_MAX),
        (layout, LAYOUT_BYTES_MAX),
        (text, PLAN_BYTES_MAX),
    ] {
        if bytes > bytes_max {
            return Err(Refusal::AnswerTooLarge { bytes, bytes_max });
        }
    }
    Ok(())
}
