//! Decisions, made again: what the logged policy says of the logged question.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use lango_access_log::{DecidedRequest, LogEntry, LoggedLoss, RequestDecision};
use lango_ledger::{Account, Holder, Limit};
use lango_policy::{AccessRequest, DenialCode, Granted, Judged, PolicySet};
use lango_principal::SpiffeId;
use lango_privacy::{Loss, Price, Query};
use time::{Date, OffsetDateTime};

use crate::{
    accounts::Accounts,
    amount::{balance, loss},
    fault::{AccountName, LogFault},
    policies::Policies,
};

/// A request waits at most this number of seconds between the moment that its entry has and the decision: over a midnight, the
/// day is the next one.
pub(crate) const WAITS_S: i64 = 900;
/// Questions and answers of policies that are remembered: the same ones come again and again.
const REMEMBERED_MOST: usize = 4_096;

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The decision follows from the policy.
    Follows,
    /// A policy does not decide it: the word for what does.
    Apart(&'static str),
    /// What it follows from is not in the log: a price that only the office knew.
    Open,
}

/// What a policy says of a question: the rule that grants it, or the code of the denial.
type Said = Result<String, (String, String)>;

/// Who asked what, when: what a policy's answer hangs on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DecisionKey {
    policy: [u8; 32],
    question: [u8; 32],
    principal: String,
    purpose: Option<String>,
    day: Date,
    epsilon_nano: Option<u64>,
}

/// What is remembered, so that what comes again costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    questions: HashMap<[u8; 32], Option<Arc<Query>>>,
    said: HashMap<DecisionKey, Said>,
    prices: HashMap<DecisionKey, Option<(String, Loss)>>,
    apart: BTreeMap<&'static str, u64>,
}

/// A request that is decided again.
struct Case<'a> {
    request: &'a DecidedRequest,
    principal: SpiffeId,
    policy: Arc<PolicySet>,
    policy_digest: [u8; 32],
    query: Arc<Query>,
    question: [u8; 32],
    at: i64,
    days: Vec<Date>,
}

/// What the log knows beside the entry.
pub(crate) struct Around<'a> {
    pub accounts: &'a Accounts,
    /// What the answer cost when it was made, where the entries say so.
    pub cost: Option<LoggedLoss>,
    /// Whether another request's reservation of the question has no answer.
    pub is_reserved: bool,
    /// Whether a charge was given back shortly before.
    pub was_given_back: bool,
}

impl Decisions {
    /// What a policy does not decide, by the word for what does, and how often.
    pub(crate) fn apart(&self) -> &BTreeMap<&'static str, u64> {
        &self.apart
    }

    /// Decides a request again.
    pub(crate) fn check(
        &mut self,
        entry: &LogEntry,
        request: &DecidedRequest,
        policies: &mut Policies<'_>,
        around: &Around<'_>,
    ) -> Result<Verdict, LogFault> {
        let verdict = self.decide(entry, request, policies, around)?;
        if let Verdict::Apart(what) = verdict {
            *self.apart.entry(what).or_default() += 1;
        }
        Ok(verdict)
    }

    fn decide(
        &mut self,
        entry: &LogEntry,
        request: &DecidedRequest,
        policies: &mut Policies<'_>,
        around: &Around<'_>,
    ) -> Result<Verdict, LogFault> {
        let code = request.reason.as_deref().unwrap_or_default();
        let denied = DENIALS.iter().any(|denial| denial.as_str() == code);
        let is_budget = code == "budget-exceeded";
        if request.decision == RequestDecision::Refused && !denied && !is_budget {
            return Ok(Verdict::Apart(other_refusal(code)));
        }
        if request.decision == RequestDecision::Described {
            return Ok(Verdict::Apart("descriptions"));
        }
        let Some(question) = &request.question else { return Ok(Verdict::Apart("look-ups")) };
        if question.left_out.0 > 0 {
            return Ok(Verdict::Apart("questions too long to be kept whole"));
        }
        let question_digest = question.digest.0;
        if !self.questions.contains_key(&question_digest) {
            if (policies.digests().question)(question.text.as_bytes()) != question_digest {
                return Err(LogFault::QuestionDigest);
            }
            forget(&mut self.questions);
            let read = Query::from_canonical(&question.text).ok().map(Arc::new);
            self.questions.insert(question_digest, read);
        }
        let query =
            self.questions.get(&question_digest).cloned().flatten().ok_or(LogFault::QuestionUnread)?;
        if request.dataset.as_deref() != Some(query.dataset.as_str()) {
            return Err(LogFault::Dataset);
        }
        let digest = entry.policy.map(|digest| digest.0).ok_or(LogFault::Lacks { field: "policy" })?;
        let policy = policies.get(&digest).0.clone()?;
        let day = |at: i64| OffsetDateTime::from_unix_timestamp(at).ok().map(OffsetDateTime::date);
        let mut days: Vec<Date> =
            [entry.at, entry.at.saturating_add(WAITS_S)].into_iter().filter_map(day).collect();
        days.dedup();
        let case = Case {
            request,
            principal: entry.actor.principal.parse().map_err(|_| LogFault::Principal)?,
            policy,
            policy_digest: digest,
            query,
            question: question_digest,
            at: entry.at,
            days,
        };
        match request.decision {
            RequestDecision::Refused if is_budget => self.out_of_budget(&case, around),
            RequestDecision::Refused => self.denied(&case, code, around),
            RequestDecision::Reserved
            | RequestDecision::Released
            | RequestDecision::Drawn
            | RequestDecision::Repeated
            | RequestDecision::Estimated
            | RequestDecision::Failed => self.granted(&case, around),
            RequestDecision::Described => Ok(Verdict::Apart("descriptions")),
        }
    }

    /// What was granted is granted, by the rule that the entry names.
    fn granted(&mut self, case: &Case<'_>, around: &Around<'_>) -> Result<Verdict, LogFault> {
        let rule = case.request.rule.clone().ok_or(LogFault::Lacks { field: "rule" })?;
        let charge = case.request.charge.as_ref();
        let cost = charge.map(|charge| charge.loss).or(around.cost);
        let mut said = None;
        for day in case.days.clone() {
            for epsilon_nano in case.epsilons(cost.as_ref()) {
                let found = self.ask(case, day, epsilon_nano);
                if found.as_ref() == Ok(&rule) {
                    return match charge {
                        Some(_) => case.check_charge(around.accounts).map(|()| Verdict::Follows),
                        None => Ok(Verdict::Follows),
                    };
                }
                said = Some(found);
            }
            // The price of a question that has no stored answer, where no entry says it.
            if cost.is_none() && self.price(case, day).is_some_and(|(by, _)| by == rule) {
                return Ok(Verdict::Follows);
            }
        }
        let is_priced = case.request.decision == RequestDecision::Reserved;
        if let (Price::Precision { .. }, false) = (&case.query.price, is_priced) {
            // Only the office knew what the answer of another would have cost, or the plan that divides by an earlier one.
            return Ok(Verdict::Open);
        }
        Err(match said {
            Some(Ok(by)) => LogFault::OtherRule { rule, by },
            Some(Err((_, denial))) => LogFault::NotGranted { rule, denial },
            None => LogFault::Moment,
        })
    }

    /// What a policy denied is denied, with the code that the entry has.
    fn denied(&mut self, case: &Case<'_>, code: &str, around: &Around<'_>) -> Result<Verdict, LogFault> {
        let mut fault = LogFault::Moment;
        for day in case.days.clone() {
            match self.ask(case, day, None) {
                Err((found, _)) if found == code => return Ok(Verdict::Follows),
                Err((by, _)) => fault = LogFault::OtherDenial { code: code.to_owned(), by },
                Ok(by) => fault = LogFault::WouldGrant { code: code.to_owned(), by },
            }
            if let Price::Precision { .. } = case.query.price
                && let Judged::Denied { denial, .. } = case.policy.judge(&case.asked(day, None), &case.query)
                && denial.code().as_str() == code
            {
                return Ok(Verdict::Follows);
            }
        }
        // A price by precision hangs on what was released before. And a question that goes on with another's plan needs the
        // releases which that divides by.
        let is_open = matches!(case.query.price, Price::Precision { .. }) || around.is_reserved;
        if is_open { Ok(Verdict::Open) } else { Err(fault) }
    }

    /// What was refused for want of budget was more than one of its accounts covered.
    fn out_of_budget(&mut self, case: &Case<'_>, around: &Around<'_>) -> Result<Verdict, LogFault> {
        for day in case.days.clone() {
            let Some((rule, price)) = self.price(case, day) else { continue };
            let Some(granted) = case.by(&rule) else { continue };
            match case.covers(&granted, &price, around.accounts)? {
                None => return Ok(Verdict::Open),
                Some(Err(_)) => return Ok(Verdict::Follows),
                Some(Ok(())) if around.was_given_back => return Ok(Verdict::Open),
                Some(Ok(())) => {}
            }
        }
        // Where it is not even granted, or only at a price of its own, the log does not say what was asked of the accounts.
        match case.query.price {
            Price::Epsilon(_) => Err(LogFault::Covered),
            Price::Precision { .. } => Ok(Verdict::Open),
        }
    }

    /// What a policy says of a question on a day.
    fn ask(&mut self, case: &Case<'_>, day: Date, epsilon_nano: Option<u64>) -> Said {
        let key = case.key(day, epsilon_nano);
        if let Some(said) = self.said.get(&key) {
            return said.clone();
        }
        let said = match case.policy.authorize(&case.asked(day, epsilon_nano), &case.query) {
            Ok(granted) => Ok(granted.grant.id.clone()),
            Err(denial) => Err((denial.code().as_str().to_owned(), denial.to_string())),
        };
        forget(&mut self.said);
        self.said.insert(key, said.clone());
        said
    }

    /// The grant and the price of a question that has no stored answer.
    fn price(&mut self, case: &Case<'_>, day: Date) -> Option<(String, Loss)> {
        let key = case.key(day, None);
        if let Some(price) = self.prices.get(&key) {
            return price.clone();
        }
        let price = match case.policy.judge(&case.asked(day, None), &case.query) {
            Judged::Permitted { granted, loss } => Some((granted.grant.id.clone(), loss)),
            Judged::Unplanned { .. } | Judged::Denied { .. } => None,
        };
        forget(&mut self.prices);
        self.prices.insert(key, price.clone());
        price
    }
}

impl Case<'_> {
    fn key(&self, day: Date, epsilon_nano: Option<u64>) -> DecisionKey {
        DecisionKey {
            policy: self.policy_digest,
            question: self.question,
            principal: self.principal.to_string(),
            purpose: self.purpose().map(str::to_owned),
            day,
            epsilon_nano,
        }
    }

    fn asked(&self, day: Date, epsilon_nano: Option<u64>) -> AccessRequest<'_> {
        AccessRequest { principal: &self.principal, purpose: self.purpose(), on: Some(day), epsilon_nano }
    }

    /// For what; a release that is fetched again is for no purpose, and fits every one.
    fn purpose(&self) -> Option<&str> {
        let purpose = self.request.purpose.as_str();
        (!purpose.is_empty() || self.request.decision == RequestDecision::Refused).then_some(purpose)
    }

    /// The epsilons at which it may have been decided: the one that the question names; of one that names a precision, what its
    /// loss guarantees, and before that is known any.
    fn epsilons(&self, cost: Option<&LoggedLoss>) -> Vec<Option<u64>> {
        let account = self.policy.budget(&self.query.dataset).map(|budget| budget.account);
        let of = |cost: &LoggedLoss| {
            let account = account?;
            account.epsilon_of(loss(cost).amount(&account)?)
        };
        match (&self.query.price, cost) {
            (Price::Epsilon(_), _) | (Price::Precision { .. }, None) => vec![None],
            (Price::Precision { .. }, Some(cost)) => vec![Some(of(cost).unwrap_or(u64::MAX))],
        }
    }

    /// What a rule of the policy grants.
    fn by(&self, rule: &str) -> Option<Granted<'_>> {
        let grant = self.policy.grants.iter().find(|grant| grant.id == rule)?;
        let dataset = self.policy.datasets.get(&self.query.dataset)?;
        let (pool, budget) = (self.policy.pool(&grant.dataset)?, self.policy.budget(&grant.dataset)?);
        Some(Granted { grant, dataset, pool, budget })
    }

    /// The two accounts that a grant charges at the moment of the entry, with their limits.
    fn accounts(&self, granted: &Granted<'_>) -> Option<[(Account, Limit); 2]> {
        let day = OffsetDateTime::from_unix_timestamp(self.at).ok()?.date();
        let renews = granted.budget.renews;
        let of = |holder: Holder, epsilon_nano: u64| {
            let pool = granted.pool.name.to_string();
            let account = Account { pool, holder, period: renews.period(day), since: renews.since(day) };
            Some((account, Limit::of_epsilon(granted.budget.account, epsilon_nano).ok()?))
        };
        let grant = granted.grant;
        Some([
            of(Holder::Pool, granted.budget.epsilon_nano)?,
            of(Holder::Grant(grant.id.clone()), grant.epsilon_total_nano)?,
        ])
    }

    /// Whether both accounts cover a price by the entries so far: the account that does not. Nothing where records from before
    /// the log may have charged them.
    fn covers(
        &self,
        granted: &Granted<'_>,
        price: &Loss,
        accounts: &Accounts,
    ) -> Result<Option<Result<(), AccountName>>, LogFault> {
        let mut is_known = true;
        for (account, limit) in self.accounts(granted).ok_or(LogFault::OtherAccounts)? {
            let Account { pool, holder, since, .. } = &account;
            let grant = match holder {
                Holder::Pool => None,
                Holder::Grant(grant) => Some(grant.as_str()),
            };
            let held = accounts.held(pool, grant, *since).ok_or(LogFault::Period { since: *since })?;
            // What is charged beyond what is known covers no more.
            if balance(&held.balance).charge(&account, price, &limit).is_err() {
                return Ok(Some(Err(AccountName::of(pool, grant))));
            }
            is_known &= held.is_known;
        }
        Ok(is_known.then_some(Ok(())))
    }

    /// Whether a charge was to the accounts that the policy says, and within their limits.
    fn check_charge(&self, accounts: &Accounts) -> Result<(), LogFault> {
        let Some(charge) = &self.request.charge else { return Ok(()) };
        let granted =
            self.request.rule.as_ref().and_then(|rule| self.by(rule)).ok_or(LogFault::OtherAccounts)?;
        let of = self.accounts(&granted).ok_or(LogFault::OtherAccounts)?;
        for ((account, _), logged) in of.iter().zip([&charge.pool, &charge.grant]) {
            let name = match &account.holder {
                Holder::Pool => &account.pool,
                Holder::Grant(grant) => grant,
            };
            if (name, &account.period, account.since) != (&logged.name, &logged.period, logged.since) {
                return Err(LogFault::OtherAccounts);
            }
        }
        match self.covers(&granted, &loss(&charge.loss), accounts)? {
            Some(Err(account)) => Err(LogFault::BeyondLimit { account }),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

/// What a policy may say no with.
const DENIALS: [DenialCode; 10] = [
    DenialCode::DatasetUnknown,
    DenialCode::Forbidden,
    DenialCode::PrincipalNotGranted,
    DenialCode::PurposeNotGranted,
    DenialCode::GrantNotValid,
    DenialCode::MeasureNotGranted,
    DenialCode::DimensionNotGranted,
    DenialCode::FilterNotGranted,
    DenialCode::TooManyDimensions,
    DenialCode::EpsilonPerQuery,
];

/// What a refusal is of that a policy does not decide.
fn other_refusal(code: &str) -> &'static str {
    match code {
        "unavailable" => "failures",
        "review-waiting" | "review-rejected" | "answer-held" | "answer-withheld" | "reviews-full" => {
            "reviews"
        }
        "role" | "malformed" | "not-addressed" | "time" | "request-id-reused" | "too-many-requests" => {
            "requests at fault"
        }
        "not-auditor" | "not-administrator" => "people who are not listed",
        "release-unknown" => "look-ups",
        _ => "plans",
    }
}

/// Forgets what is remembered where it is too much.
fn forget<K, V>(remembered: &mut HashMap<K, V>) {
    if remembered.len() >= REMEMBERED_MOST {
        remembered.clear();
    }
}
