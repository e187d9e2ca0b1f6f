//! Stop 3: what answers a question. No data is touched.

use std::sync::Arc;

use lango_identity::{PayloadType, digest};
use lango_policy::PolicySet;
use lango_privacy::{
    Basis, Cost, FOUND_KEYS_MOST, Measure, Plan, PlanText, Query, ReleasedTable, WORD_BYTES_MOST, compile,
};
use lango_store::{Made, ReleaseKey};
use lango_transport::Room;
use lango_wire::{
    Refusal,
    limits::{ANSWER_BYTES_MAX, EarlierSize, LAYOUT_BYTES_MAX, PLAN_BYTES_MAX, answer_bytes},
};

use crate::{
    Gateway,
    answer_room::bytes_at_most,
    authenticate::Request,
    authorize::Allowed,
    capacity::Work,
    refuse::{Known, Refused},
    release_key::live_key,
};

/// At most this number of releases of a version is searched for counts, the newest first.
const RELEASES_MOST: u32 = 1_000;
/// What the texts take of those among them that may hold counts, which the store bounds.
const RELEASES_BYTES: usize = 8 << 20;

impl Gateway {
    /// Plans a question, with the part of the gateway's memory that this work takes. Of what was released before, only the noise
    /// of counts is used.
    ///
    /// INVARIANT (a question's cost is known before it is begun): nothing that grows with what is asked for is made before its
    /// part is there.
    pub(crate) async fn plan<T>(
        &self,
        request: &Request<T>,
        allowed: &Allowed<'_>,
        work: Work,
    ) -> Result<(Plan, Room), Refused> {
        let Allowed { query, granted, key, known } = allowed;
        let cost = Cost::of(query, granted.dataset).map_err(|refusal| Refused::new(refusal, known))?;
        let means = query.measures.keys().any(|measure| matches!(measure, Measure::Mean(_)));
        let more = if means { RELEASES_BYTES } else { 0 };
        // An answer's memory is there before what it takes to make it, so that what a principal does not take holds up no others'
        // work.
        request.shrink_answer_room(bytes_at_most(&cost).saturating_add(more));
        let room = self.capacity.room(&request.principal, work, &cost, more).await;
        let released = if means { self.released(request, allowed).await? } else { Vec::new() };
        let (account, delta_e18) = (granted.budget.account, granted.grant.delta_per_query_e18);
        let terms_digest = key.terms_digest;
        let (policy, query) = (Arc::clone(&request.policy), query.clone());
        let compiled = async |released: Vec<ReleasedTable>| {
            let (policy, query) = (Arc::clone(&policy), query.clone());
            let planned = self.capacity.aside(&request.principal, move || {
                let dataset = policy.set.datasets.get(&query.dataset)?;
                let basis = Basis { account: &account, delta_e18, terms_digest, released: &released };
                Some(compile(&query, dataset, &basis))
            });
            let planned = planned.await;
            let planned =
                planned.map_err(|error| known.unavailable("a question cannot be planned", &error))?;
            let planned =
                planned.ok_or_else(|| known.unavailable("a dataset is not there", &key.dataset_version))?;
            planned.map_err(|refusal| Refused::new(refusal, known))
        };
        let plan = compiled(released).await?;
        let earlier = self.earlier_size(&plan, known).await?;
        // Means are divided by counts of their own where the earlier ones would not fit beside them.
        if fits(&plan, earlier).is_err() && !plan.earlier.is_empty() {
            let plan = compiled(Vec::new()).await?;
            fits(&plan, EarlierSize::default()).map_err(|refusal| Refused::new(refusal, known))?;
            request.shrink_answer_room(bytes_at_most(&cost));
            return Ok((plan, room));
        }
        fits(&plan, earlier).map_err(|refusal| Refused::new(refusal, known))?;
        request.shrink_answer_room(bytes_at_most(&cost).saturating_add(earlier.bytes));
        Ok((plan, room))
    }

    /// What the earlier releases take that would travel with an answer.
    async fn earlier_size(&self, plan: &Plan, known: &Known) -> Result<EarlierSize, Refused> {
        let mut size = EarlierSize::default();
        for id in &plan.earlier {
            let stored = self.store.release(id).await;
            if let Some(stored) = stored.map_err(|error| known.unavailable("the store failed", &error))? {
                size.add(&stored.plan, &stored.layout, stored.cells.len());
            }
        }
        Ok(size)
    }

    /// The released tables of `rows(C)` that the question's means may be divided by: of the same version, under the same
    /// conditions and terms, and open to the principal, for they are handed out with the answer.
    async fn released<T>(
        &self,
        request: &Request<T>,
        allowed: &Allowed<'_>,
    ) -> Result<Vec<ReleasedTable>, Refused> {
        let Allowed { query, granted, key, known } = allowed;
        let name = granted.dataset.name.as_str();
        let released = self.store.releases_of(name, &key.dataset_version, RELEASES_MOST).await;
        let mut released =
            released.map_err(|error| known.unavailable("the earlier releases cannot be read", &error))?;
        released.retain(|released| !self.withheld.contains(&released.release_id));
        let (policy, query) = (Arc::clone(&request.policy), query.clone());
        let read = self.capacity.aside(&request.principal, move || {
            released.iter().filter_map(|released| alike(released, &query, &policy.set)).collect::<Vec<_>>()
        });
        let read =
            read.await.map_err(|error| known.unavailable("the earlier releases cannot be read", &error))?;
        let mut open = Vec::new();
        for Counts { made, query, key, tables } in read {
            let Ok(granted) = self.open_to(request, &query, &known.purpose, &made.loss) else { continue };
            if self.is_reviewed(request, &granted, (&key, &made.loss), known).await? {
                open.extend(tables);
            }
        }
        Ok(open)
    }
}

/// Counts that were released.
struct Counts {
    made: Made,
    query: Query,
    key: ReleaseKey,
    tables: Vec<ReleasedTable>,
}

/// The counts of a release, where it was made under a question's conditions and the terms in force.
fn alike(made: &Made, asked: &Query, policy: &PolicySet) -> Option<Counts> {
    let query: Query = made.query.parse().ok()?;
    let counts = query.measures.keys().any(|measure| matches!(measure, Measure::RowsOf(_)));
    if !counts || query.filters != asked.filters {
        return None;
    }
    let plan: PlanText = made.plan.parse().ok()?;
    let (dataset, budget) = (policy.datasets.get(&asked.dataset)?, policy.budget(&asked.dataset)?);
    let query_digest = digest(PayloadType::Text, made.query.as_bytes());
    let key = live_key(query_digest, &query, dataset, &budget.account);
    if plan.terms_digest != key.terms_digest || !plan.is_of(&query.margins()) {
        return None;
    }
    let tables = plan.margins.into_iter().filter_map(|margin| match margin.measure {
        Measure::RowsOf(column) => {
            let noise = margin.measurement.noise()?;
            Some(ReleasedTable { release_id: made.release_id, column, by: margin.by, noise })
        }
        Measure::Units(_)
        | Measure::Rows
        | Measure::Sum(_)
        | Measure::Mean(_)
        | Measure::Share(_)
        | Measure::Quantile(..)
        | Measure::Histogram(_)
        | Measure::Keys(_) => None,
    });
    Some(Counts { made: made.clone(), key, tables: tables.collect(), query })
}

/// Whether the answer fits a message, whatever its integers are and whichever keys are found: that is known before anything is
/// charged.
pub(crate) fn fits(plan: &Plan, earlier: EarlierSize) -> Result<(), Refusal> {
    let found = if plan.discovers() { FOUND_KEYS_MOST } else { 0 };
    let text = plan.text().to_string().len();
    let layout = plan.layout.to_string().len().saturating_add(found * (WORD_BYTES_MOST + 1));
    let bytes = answer_bytes(text, layout, plan.layout.integers().saturating_add(found));
    for (bytes, bytes_max) in [
        // Those that no reader takes are as if they were too large by themselves.
        (
            bytes.saturating_add(if earlier.fits() { earlier.bytes } else { ANSWER_BYTES_MAX }),
            ANSWER_BYTES_MAX,
        ),
        (layout, LAYOUT_BYTES_MAX),
        (text, PLAN_BYTES_MAX),
    ] {
        if bytes > bytes_max {
            return Err(Refusal::AnswerTooLarge { bytes, bytes_max });
        }
    }
    Ok(())
}
