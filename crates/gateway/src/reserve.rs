//! Stop 4: the ledger refuses a price, or sets it aside before any row is read.

use lango_ledger::{Account, ChargeRefusal, Holder, Limit};
use lango_policy::Granted;
use lango_privacy::{Loss, Plan, Price, RestoreError, restore};
use lango_store::{Charge, Decision, Reserve, Reserved, Stored};
use lango_wire::{BudgetFault, FREE, Question, Refusal, limits::EarlierSize};

use crate::{
    Gateway,
    authenticate::Request,
    authorize::Allowed,
    config::day_of,
    plan::fits,
    pools::member,
    refuse::{Known, Refused},
};

/// A price that is set aside.
pub(crate) struct Reservation<'a> {
    pub id: i64,
    /// The plan to follow: that of the first attempt.
    pub plan: Plan,
    /// The releases that it divides by.
    pub earlier: Vec<EarlierRelease<'a>>,
    /// What this request was charged.
    pub charged: Loss,
    /// The pool and the grant's share that were charged.
    pub accounts: [Account; 2],
}

/// A release that an answer divides by, and the grant that opens it to the principal.
pub(crate) struct EarlierRelease<'a> {
    pub stored: Stored,
    pub granted: Granted<'a>,
}

impl Gateway {
    /// Sets the plan's price aside, or resumes what an earlier attempt left; `None` where the answer has been stored meanwhile.
    pub(crate) async fn reserve<'a>(
        &self,
        request: &'a Request<Question>,
        allowed: &Allowed<'_>,
        plan: Plan,
    ) -> Result<Option<Reservation<'a>>, Refused> {
        let earlier = self.earlier(request, &plan.earlier, &allowed.known).await?;
        let Allowed { query, granted, key, known } = allowed;
        let [pool, share] = self.accounts(request, granted, known)?;
        let accounts = [pool.account.clone(), share.account.clone()];
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
                // Asked again, it is decided by the policy that moved them, unless this gateway does not have that one.
                let what = "another policy, which has come into force here or in another gateway, has moved the pool's charges";
                return Err(known.unavailable(what, &granted.pool.name));
            }
            Reserved::Held(held) => held,
        };
        if let (Some(anchoring), true) = (&self.anchoring, held.charged != FREE) {
            anchoring.charged();
        }
        let (plan, earlier) = if held.plan == reserve.plan {
            (plan, earlier)
        } else {
            let unread = || known.unavailable("the stored plan of a reservation cannot be read", &held.id);
            let text = held.plan.parse().map_err(|()| unread())?;
            let restored = restore(query, granted.dataset, &text, held.loss);
            // The first attempt may have been another principal's, at another price.
            if let Price::Precision { .. } = query.price {
                let open = self.open_to(request, query, &known.purpose, &held.loss);
                open.map_err(|denial| Refused::new(denial, known))?;
            }
            let plan = restored.map_err(|error| match error {
                // Its charge stands, and so does the refusal, however often the question is asked again.
                RestoreError::Refused(refusal) => Refused::new(refusal, known),
                RestoreError::Other => unread(),
            })?;
            let earlier = self.earlier(request, &plan.earlier, known).await?;
            let mut size = EarlierSize::default();
            for EarlierRelease { stored, .. } in &earlier {
                size.add(&stored.plan, &stored.layout, stored.cells.len());
            }
            fits(&plan, size).map_err(|refusal| Refused::new(refusal, known))?;
            (plan, earlier)
        };
        Ok(Some(Reservation { id: held.id, plan, earlier, charged: held.charged, accounts }))
    }

    /// The pool of the dataset and the grant's share of it, with their limits under the request's policy.
    ///
    /// INVARIANT (a charge counts in its period): the period is that of the moment which the reservation is dated by, when the
    /// request came. One that waits over a renewal is charged to the period before.
    pub(crate) fn accounts<T>(
        &self,
        request: &Request<T>,
        granted: &Granted<'_>,
        known: &Known,
    ) -> Result<[Charge; 2], Refused> {
        let (renews, day) = (granted.budget.renews, day_of(request.came_at));
        let (period, since) = (renews.period(day), renews.since(day));
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
