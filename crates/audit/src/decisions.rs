//! Decisions, made again: what the logged policy says of the logged question.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use lango_access_log::{DecidedRequest, LogEntry, LoggedCharge, LoggedLoss, RequestDecision};
use lango_policy::{AccessRequest, DenialCode, Judged, PolicySet};
use lango_principal::SpiffeId;
use lango_privacy::{Loss, Price, Query};
use time::{Date, OffsetDateTime};

use crate::{
    accounts::Accounts,
    amount::{logged, loss},
    charged::Charged,
    fault::LogFault,
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
        let is_refused = request.decision == RequestDecision::Refused;
        let question = match &request.question {
            Some(question) => question,
            // Only what was refused may be of no question: a look-up, or what was refused before it was read.
            None if is_refused => return Ok(Verdict::Apart("look-ups")),
            None => return Err(LogFault::Lacks { field: "question" }),
        };
        let digest = entry.policy.map(|digest| digest.0).ok_or(LogFault::Lacks { field: "policy" })?;
        let policy = policies.get(&digest).0.clone()?;
        if question.left_out.0 > 0 {
            if !question.is_cut_where_it_must_be() {
                return Err(LogFault::CutShort);
            }
            // Its beginning says no more than what it was charged to.
            return check_cut(request, &policy, entry.at, around.accounts).map(|()| Verdict::Open);
        }
        let question_digest = question.digest.0;
        // Of every entry: what was read before is of the digest alone.
        if (policies.digests().question)(question.text.as_bytes()) != question_digest {
            return Err(LogFault::QuestionDigest);
        }
        if !self.questions.contains_key(&question_digest) {
            forget(&mut self.questions);
            let read = Query::from_canonical(&question.text).ok().map(Arc::new);
            self.questions.insert(question_digest, read);
        }
        let query =
            self.questions.get(&question_digest).cloned().flatten().ok_or(LogFault::QuestionUnread)?;
        if request.dataset.as_deref() != Some(query.dataset.as_str()) {
            return Err(LogFault::Dataset);
        }
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
                    if let Some(charge) = charge {
                        self.check_price(case, day, (&rule, charge))?;
                        case.charged().check(&rule, charge, around.accounts)?;
                    }
                    return Ok(Verdict::Follows);
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

    /// What was charged is the price of the question, which hangs on the question and its policy alone.
    fn check_price(
        &mut self,
        case: &Case<'_>,
        day: Date,
        (rule, charge): (&str, &LoggedCharge),
    ) -> Result<(), LogFault> {
        match self.price(case, day) {
            Some((by, price)) if by == rule && price == loss(&charge.loss) => Ok(()),
            Some((by, _)) if by != rule => Err(LogFault::OtherRule { rule: rule.to_owned(), by }),
            Some((_, price)) => Err(LogFault::OtherPrice { expected: logged(&price), found: charge.loss }),
            None => Err(LogFault::NoPrice),
        }
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
            let charged = case.charged();
            let Some(granted) = charged.by(&rule) else { continue };
            match charged.covers(&granted, &price, around.accounts)? {
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
        (!purpose.is_empty() || self.request.decision != RequestDecision::Repeated).then_some(purpose)
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

    fn charged(&self) -> Charged<'_> {
        Charged { policy: &self.policy, dataset: &self.query.dataset, at: self.at }
    }
}

/// Checks what a question was charged to of which only the beginning is kept.
fn check_cut(
    request: &DecidedRequest,
    policy: &PolicySet,
    at: i64,
    accounts: &Accounts,
) -> Result<(), LogFault> {
    let Some(charge) = &request.charge else { return Ok(()) };
    let rule = request.rule.as_deref().ok_or(LogFault::Lacks { field: "rule" })?;
    let dataset = request.dataset.as_deref().and_then(|dataset| dataset.parse().ok());
    let dataset = dataset.ok_or(LogFault::Lacks { field: "dataset" })?;
    Charged { policy, dataset: &dataset, at }.check(rule, charge, accounts)
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
