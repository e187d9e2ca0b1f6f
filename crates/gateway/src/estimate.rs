//! The price of a question and the error of its answer: stops before the data.

use lango_identity::Role;
use lango_store::Decision;
use lango_wire::{Charged, FREE, Question, pb};

use crate::{Gateway, authenticate::Request, authorize::Allowed, refuse::Refused, sign::Answered};

impl Gateway {
    /// What the question would cost this principal now; touches no data and charges nothing.
    ///
    /// INVARIANT (data never choose the road that is shown): nothing here asks the source. Which road rows would take is for
    /// the office's log and `lango doctor`.
    pub(crate) async fn estimate(&self, request: &Request<Question>) -> Result<pb::Estimate, Refused> {
        let question = self.admit(request, Role::Analyst)?;
        let allowed = self.authorize(request, &question)?;
        let Allowed { granted, key, known, .. } = &allowed;
        let store = |error| known.unavailable("the store failed", &error);
        let stored = self.stored(&allowed).await?;
        let stored = stored.filter(|stored| !self.withheld.contains(&stored.release_id));
        let repeated = stored.is_some();
        let (plan, layout, loss) = match stored {
            Some(stored) => (stored.plan, stored.layout, stored.loss),
            None => {
                let plan = self.plan(request, &allowed).await?;
                (plan.text().to_string(), plan.layout.to_string(), plan.loss)
            }
        };
        self.authorize_price(request, &allowed, &loss)?;
        let mut queries_left = u64::MAX;
        for charge in self.accounts(granted, known)? {
            let balance = self.store.balance(&charge.account).await.map_err(store)?;
            queries_left = queries_left.min(balance.queries_left(&loss, &charge.limit));
        }
        self.store.append(&self.record(request, known, Decision::Estimated)).await.map_err(store)?;
        let loss_charged = if repeated { FREE } else { loss };
        let charged = Charged { loss: loss_charged, repeated, account: granted.budget.account };
        let answered = Answered { query: &question.query, dataset_version: &key.dataset_version, loss };
        let bounds_drop = granted.dataset.bounds_drop.clone().unwrap_or_default();
        Ok(self.sign_price(request, &answered, (plan, layout), charged, (queries_left, bounds_drop)))
    }
}
