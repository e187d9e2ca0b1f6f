//! What becomes of a question that a gateway gets: the policy's decision, the plan, and the decision on the plan's price.

use lango_privacy::{Basis, Loss, PlanRefusal, Price, Query, compile, nano};

use crate::{
    authorize::Granted,
    denial::{AccessRequest, Denial, DenialReason},
    set::PolicySet,
};

/// What becomes of a question, whatever has been charged before.
#[derive(Debug, Clone)]
pub enum Judged<'a> {
    /// It is permitted, at a loss.
    Permitted {
        /// By whom.
        granted: Granted<'a>,
        /// What it costs.
        loss: Loss,
    },
    /// It is permitted, but no plan answers it.
    Unplanned {
        /// By whom.
        granted: Granted<'a>,
        /// Why none does.
        refusal: PlanRefusal,
    },
    /// It is denied.
    Denied {
        /// Why.
        denial: Denial,
        /// What it costs, in billionths of epsilon, where it is denied for the price of the precision that it names.
        epsilon_nano: Option<u64>,
    },
}

impl Granted<'_> {
    /// The epsilon, in billionths, that a loss guarantees in the currency of the pool; none where it guarantees none.
    pub fn epsilon_nano(&self, loss: &Loss) -> Option<u64> {
        let account = &self.budget.account;
        loss.amount(account).and_then(|amount| account.epsilon_of(amount))
    }

    /// Whether the office reviews a question that costs this before it is answered. One whose price the account cannot express
    /// costs more than any bound. The price is converted where there is a bound alone: of rho that takes milliseconds.
    pub fn reviews_question(&self, loss: &Loss) -> bool {
        let review = self.grant.review;
        review.above_nano.is_some() && review.is_of_question(self.epsilon_nano(loss).unwrap_or(u64::MAX))
    }
}

impl PolicySet {
    /// Judges a question as a gateway does that has no stored answer: a price by precision is known with the plan only, and
    /// decided on again.
    pub fn judge(&self, asked: &AccessRequest<'_>, query: &Query) -> Judged<'_> {
        let granted = match self.authorize(asked, query) {
            Ok(granted) => granted,
            Err(denial) => return Judged::Denied { denial, epsilon_nano: None },
        };
        let delta_e18 = granted.grant.delta_per_query_e18;
        let basis =
            Basis { account: &granted.budget.account, delta_e18, terms_digest: [0; 32], released: &[] };
        let loss = match compile(query, granted.dataset, &basis) {
            Ok(plan) => plan.loss,
            Err(refusal) => return Judged::Unplanned { granted, refusal },
        };
        if let Price::Epsilon(_) = query.price {
            return Judged::Permitted { granted, loss };
        }
        let epsilon = granted.epsilon_nano(&loss).unwrap_or(u64::MAX);
        let denial = match self.authorize(&AccessRequest { epsilon_nano: Some(epsilon), ..*asked }, query) {
            // The delta that is planned to be spent is the first grant's.
            Ok(again)
                if loss.delta_e18 == 0
                    || again.grant.delta_per_query_e18 == granted.grant.delta_per_query_e18 =>
            {
                return Judged::Permitted { granted: again, loss };
            }
            Ok(_) => {
                let reason = DenialReason::EpsilonPerQuery {
                    epsilon: nano(epsilon),
                    granted: nano(granted.grant.epsilon_per_query_nano),
                };
                Denial { reason, rule: Some(granted.grant.id.clone()) }
            }
            Err(denial) => denial,
        };
        Judged::Denied { denial, epsilon_nano: Some(epsilon) }
    }
}
