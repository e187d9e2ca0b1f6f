//! What a log comes to: questions by month and purpose, refusals by their reasons, what was charged to which budget.

use std::collections::BTreeMap;

use lango_access_log::{DecidedRequest, LogEntry, LogEvent, RequestDecision};
use time::OffsetDateTime;

use crate::amount::Sum;

/// Questions by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuestionCounts {
    /// New answers, those that the office still reviews among them.
    pub answered: u64,
    /// Answers that were given before, free.
    pub repeated: u64,
    /// Refused.
    pub refused: u64,
    /// Failed.
    pub failed: u64,
}

impl QuestionCounts {
    /// All of them.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.answered + self.repeated + self.refused + self.failed
    }

    fn plus(self, other: Self) -> Self {
        Self {
            answered: self.answered + other.answered,
            repeated: self.repeated + other.repeated,
            refused: self.refused + other.refused,
            failed: self.failed + other.failed,
        }
    }
}

/// A budget by its pool and period: what it held before the log's first charge and what it came to, in the currencies'
/// billionths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpentBudget {
    /// In epsilon; none where something without a pure guarantee was charged.
    pub pure_nano: Option<u64>,
    /// In rho.
    pub rho_nano: u64,
}

/// What a log comes to. It grows with months, purposes, principals and rules, and not with entries.
#[derive(Debug, Clone, Default)]
pub struct LogSummary {
    /// The times of the earliest and the latest entry, in Unix seconds.
    pub span: Option<(i64, i64)>,
    /// The number of entries.
    pub entries: u64,
    /// By month (`2026-05`, UTC) and purpose.
    pub questions: BTreeMap<(String, String), QuestionCounts>,
    /// By principal and purpose.
    pub askers: BTreeMap<(String, String), QuestionCounts>,
    /// By the code.
    pub refusals: BTreeMap<String, u64>,
    /// By the grant.
    pub rules: BTreeMap<String, QuestionCounts>,
    /// The digest of the policy that came into force last.
    pub policy: Option<[u8; 32]>,
    /// How many policies came into force.
    pub policies: u64,
    /// Events that were not recorded, for there were too many.
    pub left_out: u64,
    spent: BTreeMap<(String, String), Sum>,
}

impl LogSummary {
    /// Takes the next entry.
    pub fn take(&mut self, entry: &LogEntry) {
        self.entries += 1;
        self.left_out = self.left_out.saturating_add(entry.left_out.0);
        let (first, last) = self.span.unwrap_or((entry.at, entry.at));
        self.span = Some((first.min(entry.at), last.max(entry.at)));
        match &entry.event {
            LogEvent::Request(request) => self.request(entry, request),
            LogEvent::Policy(policy) => {
                self.policy = Some(policy.digest.0);
                self.policies += 1;
                for moved in &policy.moved {
                    self.moved(&moved.from, &moved.to);
                }
            }
            LogEvent::Start(_) => self.policy = entry.policy.map(|policy| policy.0).or(self.policy),
            LogEvent::Review(_)
            | LogEvent::Inspection(_)
            | LogEvent::Stop(_)
            | LogEvent::Configuration(_)
            | LogEvent::PolicySignature(_)
            | LogEvent::Key(_)
            | LogEvent::Import(_)
            | LogEvent::Preparation(_)
            | LogEvent::Version(_)
            | LogEvent::Failure(_)
            | LogEvent::Relay(_)
            | LogEvent::Answer(_)
            | LogEvent::Earlier(_) => {}
        }
    }

    /// What was charged by the entries of the log, by pool and period.
    pub fn budgets(&self) -> impl Iterator<Item = (&str, &str, SpentBudget)> {
        self.spent.iter().map(|((pool, period), sum)| {
            let balance = sum.balance();
            let pure_nano = balance.pure_nano.map(|pure| pure.0);
            (pool.as_str(), period.as_str(), SpentBudget { pure_nano, rho_nano: balance.rho_nano.0 })
        })
    }

    /// The questions of a log in all.
    #[must_use]
    pub fn all(&self) -> QuestionCounts {
        self.questions.values().fold(QuestionCounts::default(), |all, one| all.plus(*one))
    }

    fn request(&mut self, entry: &LogEntry, request: &DecidedRequest) {
        let one = match request.decision {
            RequestDecision::Released | RequestDecision::Drawn => {
                QuestionCounts { answered: 1, ..QuestionCounts::default() }
            }
            RequestDecision::Repeated => QuestionCounts { repeated: 1, ..QuestionCounts::default() },
            RequestDecision::Refused => QuestionCounts { refused: 1, ..QuestionCounts::default() },
            RequestDecision::Failed => QuestionCounts { failed: 1, ..QuestionCounts::default() },
            RequestDecision::Reserved | RequestDecision::Estimated | RequestDecision::Described => {
                QuestionCounts::default()
            }
        };
        if let Some(charge) = &request.charge {
            let spent = self.spent.entry((charge.pool.name.clone(), charge.pool.period.clone())).or_default();
            *spent = spent.plus(Sum::from(&charge.loss));
        }
        if let Some(charge) = &request.given_back {
            let spent = self.spent.entry((charge.pool.name.clone(), charge.pool.period.clone())).or_default();
            *spent = spent.minus(Sum::from(&charge.loss)).unwrap_or_default();
        }
        if one.all() == 0 {
            return;
        }
        let purpose = if request.purpose.is_empty() { "none named" } else { &request.purpose };
        let count = |of: &mut BTreeMap<(String, String), QuestionCounts>, key: String| {
            let counted = of.entry((key, purpose.to_owned())).or_default();
            *counted = counted.plus(one);
        };
        count(&mut self.questions, month(entry.at));
        count(&mut self.askers, entry.actor.principal.clone());
        if let Some(rule) = &request.rule {
            let counted = self.rules.entry(rule.clone()).or_default();
            *counted = counted.plus(one);
        }
        if let (RequestDecision::Refused, Some(reason)) = (request.decision, &request.reason) {
            *self.refusals.entry(reason.clone()).or_default() += 1;
        }
    }

    fn moved(&mut self, from: &str, to: &str) {
        let moved: Vec<_> = self.spent.keys().filter(|(pool, _)| pool == from).cloned().collect();
        for key in moved {
            if let Some(sum) = self.spent.remove(&key) {
                let into = self.spent.entry((to.to_owned(), key.1)).or_default();
                *into = into.plus(sum);
            }
        }
    }
}

/// The month of a moment (UTC): `2026-05`.
fn month(at: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(at) {
        Ok(at) => format!("{:04}-{:02}", at.year(), u8::from(at.month())),
        Err(_) => "beyond every calendar".to_owned(),
    }
}
