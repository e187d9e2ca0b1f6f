//! The price of a question and the error of its answer: stops before the data.

use std::time::Duration;

use lango_privacy::Dataset;
use lango_store::{Decision, Step};
use lango_wire::{Question, kept, pb};

use crate::{
    Gateway,
    authenticate::Request,
    authorize::Allowed,
    refuse::{FREE, Refused},
    secret::bounding,
};

/// How long an estimate waits for a source's catalogue.
const CATALOGUE_TIME_MAX: Duration = Duration::from_secs(5);

impl Gateway {
    /// What the question would cost this principal now; touches no data and charges nothing.
    pub(crate) async fn estimate(
        &self,
        request: &Request<Question>,
        question: &Question,
    ) -> Result<pb::Estimate, Refused> {
        let allowed = self.authorize(request, question)?;
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
        // A stored answer reads no rows.
        let bounding = if repeated { String::new() } else { self.bounding_words(granted.dataset).await };
        let estimate = pb::Estimate {
            office: self.office.to_string(),
            plan,
            layout,
            loss: Some(loss.into()),
            charged: Some(if repeated { FREE } else { loss }.into()),
            account: Some(granted.budget.account.into()),
            queries_left,
            repeated,
            dataset_version: key.dataset_version.clone(),
            bounds_drop: granted.dataset.bounds_drop.clone().unwrap_or_default(),
            bounding,
        };
        let mut record = self.record(request, known, Decision::Estimated);
        record.request =
            request.step(Step::Answered(kept::estimate(granted.dataset.name.as_str(), &estimate)));
        self.append(&record, known).await?;
        Ok(estimate)
    }

    /// How rows would be bounded, in words; none where the source does not tell.
    async fn bounding_words(&self, dataset: &Dataset) -> String {
        let Some(source) = self.sources.get(&dataset.source) else { return String::new() };
        let asked = bounding(&self.store, source.as_ref(), dataset);
        match tokio::time::timeout(CATALOGUE_TIME_MAX, asked).await {
            Ok(Ok(bounding)) => bounding.to_string(),
            Ok(Err(error)) => {
                tracing::warn!(%error, dataset = %dataset.name, "an estimate cannot tell how rows are bounded");
                String::new()
            }
            Err(_) => {
                tracing::warn!(dataset = %dataset.name, "the source's catalogue does not answer in time");
                String::new()
            }
        }
    }
}
