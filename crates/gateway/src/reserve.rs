//! Stop 4: the ledger refuses a price, or sets it aside before any row is read.

use lango_ledger::{Account, ChargeRefusal, Holder, Limit};
use lango_policy::Granted;
use lango_privacy::{Loss, Plan, RestoreError, restore};
use lango_store::{Charge, Decision, Reserve, Reserved};
use lango_wire::{BudgetFault, FREE, Question, Refusal};

use crate::{
    Gateway,
    authenticate::Request,
    authorize::Allowed,
    pools::member,
    refuse::{Known, Refused},
};

/// A price that is set aside.
pub(crate) struct Reservation {
    pub id: i64,
    /// The plan to follow: that of the first attempt.
    pub plan: Plan,
    /// What this request was charged.
    pub charged: Loss,
}

impl Gateway {
    /// Sets the plan's price aside, or resumes what an earlier attempt left; `None` where the answer has been stored meanwhile.
    pub(crate) async fn reserve(
        &self,
        request: &Request<Question>,
        allowed: &Allowed<'_>,
        plan: Plan,
    ) -> Result<Option<Reservation>, Refused> {
        let Allowed { query, granted, key, known } = allowed;
        let [pool, share] = self.accounts(granted, known)?;
        let reserve = Reserve {
            key: key.clone(),
            member: member(granted.dataset, granted.pool),
            query: query.to_string(),
            plan: plan.text().to_string(),
            loss: plan.loss,
            pool,
            share,
        };
        let mut record = self.record(request, known, Decision::Reserved);
        record.charged = plan.loss;
        let reserved = self.store.reserve(&reserve, &record).await;
        let reserved = reserved.map_err(|error| known.unavailable("the ledger failed", &error))?;
        let held = match reserved {
            Reserved::Stored => return Ok(None),
            Reserved::Refused(refusal) => return Err(Refused::new(Refusal::Budget(fault(refusal)), known)),
            Reserved::OtherKey(first) => {
                return Err(Refused::new(Refusal::VersionGone(first), known));
            }
            Reserved::Moved => {
                let what = "another gateway has another policy and moved the pool's charges: restart with that policy";
                return Err(known.unavailable(what, &granted.pool.name));
            }
            Reserved::Held(held) => held,
        };
        if let (Some(anchoring), true) = (&self.anchoring, held.charged != FREE) {
            anchoring.charged();
        }
        let plan = if held.plan == reserve.plan {
            plan
        } else {
            let unread = || known.unavailable("the stored plan of a reservation cannot be read", &held.id);
            let text = held.plan.parse().map_err(|()| unread())?;
            let restored = restore(query, granted.dataset, &text, held.loss);
            restored.map_err(|error| match error {
                // Its charge stands, and so does the refusal, however often the question is asked again.
                RestoreError::Refused(refusal) => Refused::new(refusal, known),
                RestoreError::Other => unread(),
            })?
        };
        Ok(Some(Reservation { id: held.id, plan, charged: held.charged }))
    }

    /// The pool of the dataset and the grant's share of it, with their limits under the policy in force.
    pub(crate) fn accounts(&self, granted: &Granted<'_>, known: &Known) -> Result<[Charge; 2], Refused> {
        let renews = granted.budget.renews;
        let (period, since) = (renews.period(self.today()), renews.since(self.today()));
        let charge = |holder, epsilon_nano| -> Result<Charge, Refused> {
            let account =
                Account { pool: granted.pool.name.to_string(), holder, period: period.clone(), since };
            let limit = Limit::of_epsilon(granted.budget.account, epsilon_nano);
            let limit =
                limit.map_err(|error| known.unavailable("a limit of the policy cannot be read", &error))?;
            Ok(Charge { account, limit })
        };
        let share = Holder::Grant(granted.grant.id.clone());
        Ok([
            charge(Holder::Pool, granted.budget.epsilon_nano)?,
            charge(share, granted.grant.epsilon_total_nano)?,
        ])
    }
}

/// The ledger's refusal as it travels.
fn fault(refusal: ChargeRefusal) -> BudgetFault {
    let grant = |holder| match holder {
        Holder::Pool => None,
        Holder::Grant(id) => Some(id),
    };
    match refusal {
        ChargeRefusal::BudgetExceeded { pool: dataset, holder, left, limit, price } => {
            BudgetFault::Exceeded { dataset, grant: grant(holder), left, limit, price }
        }
        ChargeRefusal::NotPure { pool: dataset, holder } => {
            BudgetFault::NotPure { dataset, grant: grant(holder) }
        }
        ChargeRefusal::DeltaExceeded { pool: dataset, holder } => {
            BudgetFault::Delta { dataset, grant: grant(holder) }
        }
    }
}
