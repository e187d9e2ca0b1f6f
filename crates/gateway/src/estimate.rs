//! The price of a question and the error of its answer: stops before the data.

use lango_identity::Role;
use lango_privacy::compile;
use lango_store::Decision;
use lango_wire::{Question, pb};

use crate::{
    Gateway,
    authenticate::Request,
    refuse::{FREE, Refused},
    release::Allowed,
};

impl Gateway {
    /// What the question would cost this principal now; touches no data and charges nothing.
    pub(crate) async fn estimate(&self, request: &Request<Question>) -> Result<pb::Estimate, Refused> {
        let question = self.admit(request, Role::Analyst)?;
        let Allowed { query, granted, key, known } = self.allow(request, &question)?;
        let store = |error| {
            tracing::error!(%error, "the store failed");
            Refused::failed(&known, false)
        };
        let plan = compile(&query, granted.dataset, &granted.budget.account, key.terms_digest);
        let plan = plan.map_err(|refusal| Refused::new(refusal, &known))?;
        let stored = self.store.find(&key).await.map_err(store)?;
        let mut queries_left = u64::MAX;
        for charge in self.accounts(&granted, &known)? {
            let balance = self.store.balance(&charge.account).await.map_err(store)?;
            queries_left = queries_left.min(balance.queries_left(&plan.loss, &charge.limit));
        }
        self.store.append(&self.record(request, &known, Decision::Estimated)).await.map_err(store)?;
        let repeated = stored.is_some();
        let (plan_text, layout, loss) = match stored {
            Some(stored) => (stored.plan, stored.layout, stored.loss),
            None => (plan.text().to_string(), plan.layout.to_string(), plan.loss),
        };
        Ok(pb::Estimate {
            office: self.office.to_string(),
            plan: plan_text,
            layout,
            loss: Some(loss.into()),
            charged: Some(if repeated { FREE } else { loss }.into()),
            account: Some(granted.budget.account.into()),
            queries_left,
            repeated,
            dataset_version: key.dataset_version,
        })
    }
}
