//! The price of a question and the error of its answer: stops before the data.

use lango_privacy::Layout;
use lango_store::{Decision, Step, Stored};
use lango_wire::{Charged, FREE, Question, kept, pb};

use crate::{
    Gateway, authenticate::Request, authorize::Allowed, capacity::Work, refuse::Refused, sign::Answered,
};

/// What an office publishes by its configuration where its database chooses rows.
const FILTERED: &str = "rules of the office's database choose which of its rows its gateway reads";

impl Gateway {
    /// What the question would cost this principal now; touches no data and charges nothing.
    ///
    /// INVARIANT (data never choose the road that is shown): nothing here asks the source. Which road rows would take is for
    /// the office's log and `lango doctor`.
    pub(crate) async fn estimate(
        &self,
        request: &Request<Question>,
        question: &Question,
    ) -> Result<pb::Estimate, Refused> {
        let allowed = self.authorize(request, question).await?;
        let known = allowed.known.clone();
        let store = |error| known.unavailable("the store failed", &error);
        self.make_answer_room(request).await;
        let stored = self.stored(&allowed).await?;
        let stored = stored.filter(|stored| !self.withheld.contains(&stored.release_id));
        let repeated = stored.is_some();
        let (plan, layout, loss) = match stored {
            // Which keys were found is what the answer says: it may be held, and costs something where it is not stored.
            Some(Stored { plan, layout, loss, .. }) => (plan, planned(layout), loss),
            None => {
                let (plan, _room) = self.plan(request, &allowed, Work::Estimate).await?;
                (plan.text().to_string(), plan.layout.to_string(), plan.loss)
            }
        };
        let allowed = self.at_price(request, allowed, &loss)?;
        let Allowed { granted, key, known, .. } = &allowed;
        let mut queries_left = u64::MAX;
        for charge in self.accounts(request, granted, known)? {
            let balance = self.store.balance(&charge.account).await.map_err(store)?;
            queries_left = queries_left.min(balance.queries_left(&loss, &charge.limit));
        }
        let loss_charged = if repeated { FREE } else { loss };
        let charged = Charged { loss: loss_charged, repeated, account: granted.budget.account };
        let answered = Answered { query: &question.query, dataset_version: &key.dataset_version, loss };
        // The office's own words, and its configuration's.
        let of_policy = granted.dataset.bounds_drop.clone();
        let of_source = self.filters_rows(granted.dataset).then(|| FILTERED.to_owned());
        let bounds_drop = of_policy.into_iter().chain(of_source).collect::<Vec<_>>().join("; ");
        let left = (queries_left, bounds_drop);
        let estimate = self.sign_price(request, &answered, (plan, layout), charged, left, granted);
        let mut record = self.record(request, known, Decision::Estimated);
        record.request =
            request.step(Step::Answered(kept::estimate(granted.dataset.name.as_str(), &estimate)));
        self.append(request, &record, known).await?;
        Ok(estimate)
    }
}

/// The layout of a stored release before anything was found for it.
fn planned(layout: String) -> String {
    layout.parse::<Layout>().map_or(layout, |layout| layout.planned().to_string())
}
