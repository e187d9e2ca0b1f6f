//! Stop 2: whether the policy allows a question, and which release answers it.

use lango_identity::{PayloadType, SpiffeId, digest};
use lango_policy::{AccessRequest, Denial, Granted};
use lango_privacy::{Loss, Price, Query, QueryError};
use lango_store::ReleaseKey;
use lango_wire::{Question, Refusal};

use crate::{
    Gateway,
    authenticate::Request,
    refuse::{Known, Refused},
    release_key::live_key,
};

/// A question of at most this number of bytes is read where it comes in.
const SHORT_BYTES_MOST: usize = 8 << 10;

/// A question that the policy allows, and the key of its release.
pub(crate) struct Allowed<'a> {
    pub query: Query,
    pub granted: Granted<'a>,
    pub key: ReleaseKey,
    pub known: Known,
}

impl Gateway {
    /// Reads what is asked, and decides whether the policy allows it.
    pub(crate) async fn authorize<'a>(
        &self,
        request: &'a Request<Question>,
        question: &Question,
    ) -> Result<Allowed<'a>, Refused> {
        let query_digest = digest(PayloadType::Text, question.query.as_bytes());
        let mut known = Known {
            purpose: question.purpose.clone(),
            query_digest: Some(query_digest),
            query: Some(question.query.clone()),
            ..Known::default()
        };
        let query = self
            .read(&request.principal, &question.query, &known)
            .await?
            .map_err(|error| Refused::new(error, &known))?;
        known.dataset = Some(query.dataset.to_string());
        if question.mode != 1 {
            return Err(Refused::new(Refusal::Published, &known));
        }
        let asked = AccessRequest {
            principal: &request.principal,
            purpose: Some(&question.purpose),
            on: Some(self.today()),
            epsilon_nano: None,
        };
        let granted = request.policy.set.authorize(&asked, &query).map_err(|denial| {
            known.rule.clone_from(&denial.rule);
            Refused::new(denial, &known)
        })?;
        known.allowed_by(granted.grant);
        request.pace.authorised(request.policy.set.answer_grids.get(&query.dataset));
        let key = live_key(query_digest, &query, granted.dataset, &granted.budget.account);
        Ok(Allowed { query, granted, key, known })
    }

    /// Reads a question's text; a long one takes long.
    async fn read(
        &self,
        whose: &SpiffeId,
        text: &str,
        known: &Known,
    ) -> Result<Result<Query, QueryError>, Refused> {
        if text.len() <= SHORT_BYTES_MOST {
            return Ok(Query::from_canonical(text));
        }
        let text = text.to_owned();
        let read = self.capacity.aside(whose, move || Query::from_canonical(&text)).await;
        read.map_err(|error| known.unavailable("a question cannot be read", &error))
    }

    /// Decides again where the price was not in the question: a price by precision is known only with the plan, or with the
    /// stored answer. The grant that allows the price is the one that is charged.
    pub(crate) fn at_price<'a, T>(
        &self,
        request: &'a Request<T>,
        mut allowed: Allowed<'a>,
        loss: &Loss,
    ) -> Result<Allowed<'a>, Refused> {
        if let Price::Epsilon(_) = allowed.query.price {
            return Ok(allowed);
        }
        let decided = self.open_to(request, &allowed.query, &allowed.known.purpose, loss);
        let decided = decided.map_err(|denial| {
            allowed.known.rule.clone_from(&denial.rule);
            Refused::new(denial, &allowed.known)
        })?;
        // The delta that is planned to be spent is the other grant's.
        if loss.delta_e18 > 0
            && decided.grant.delta_per_query_e18 != allowed.granted.grant.delta_per_query_e18
        {
            let grant = allowed.granted.grant.id.clone();
            return Err(Refused::new(Refusal::PriceNotOfGrant(grant), &allowed.known));
        }
        allowed.granted = decided;
        allowed.known.allowed_by(allowed.granted.grant);
        Ok(allowed)
    }

    /// The grant under which the principal could ask a question today that was answered at this loss: one that names a precision
    /// learns its price late, and a stored release gives it away. A look-up has no purpose, and fits every one.
    pub(crate) fn open_to<'a, T>(
        &self,
        request: &'a Request<T>,
        query: &Query,
        purpose: &str,
        loss: &Loss,
    ) -> Result<Granted<'a>, Denial> {
        let account = request.policy.set.budget(&query.dataset).map(|budget| budget.account);
        let epsilon = account.and_then(|account| account.epsilon_of(loss.amount(&account)?));
        let asked = AccessRequest {
            principal: &request.principal,
            purpose: (!purpose.is_empty()).then_some(purpose),
            on: Some(self.today()),
            epsilon_nano: Some(epsilon.unwrap_or(u64::MAX)),
        };
        request.policy.set.authorize(&asked, query)
    }
}
