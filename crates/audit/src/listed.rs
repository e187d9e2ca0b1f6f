//! An entry as it is listed, and which entries are searched for.

use lango_access_log::{LogEntry, LogEvent, LoggedLoss};
use lango_privacy::nano;
use serde::Serialize;

/// An entry with the fields that people search by; all of it is in the entry itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedEntry {
    /// Its number, from 0.
    pub entry: u64,
    /// Unix seconds.
    pub at: i64,
    /// Who brought it about.
    pub principal: String,
    /// For what, in the asker's words.
    pub purpose: String,
    /// The dataset.
    pub dataset: Option<String>,
    /// What was decided of a request; else what happened.
    pub decision: String,
    /// The code of a refusal, or what was seen, changed or decided.
    pub reason: String,
    /// The grant, or the refusal of the policy.
    pub rule: Option<String>,
    /// The agreement that the grant cites.
    pub agreement: Option<String>,
    /// What was charged, in epsilon; none where that has no pure guarantee, or nothing was charged.
    pub epsilon: Option<String>,
    /// What was charged, in rho; none where nothing was charged.
    pub rho: Option<String>,
    /// The pool that was charged.
    pub pool: Option<String>,
    /// The question's text.
    pub question: Option<String>,
    /// The release, in hexadecimal.
    pub release: Option<String>,
    /// The digest of the policy in force.
    pub policy: Option<String>,
    /// Events before this one that were not recorded, for there were too many.
    pub left_out: u64,
    /// What was charged.
    #[serde(skip)]
    pub charged: Option<LoggedLoss>,
}

impl ListedEntry {
    /// An entry of a number.
    #[must_use]
    pub fn of(number: u64, entry: &LogEntry) -> Self {
        let mut listed = Self {
            entry: number,
            at: entry.at,
            principal: entry.actor.principal.clone(),
            purpose: String::new(),
            dataset: None,
            decision: String::new(),
            reason: String::new(),
            rule: None,
            agreement: None,
            epsilon: None,
            rho: None,
            pool: None,
            question: None,
            release: None,
            policy: entry.policy.map(|digest| digest.to_string()),
            left_out: entry.left_out.0,
            charged: None,
        };
        listed.take(&entry.event);
        if let Some(charged) = &listed.charged {
            listed.epsilon = charged.pure_nano.map(|pure| nano(pure.0));
            listed.rho = Some(nano(charged.rho_nano.0));
        }
        listed
    }

    fn take(&mut self, event: &LogEvent) {
        let mut plain = |decision: &str, reason: String| {
            self.decision = decision.to_owned();
            self.reason = reason;
        };
        match event {
            LogEvent::Request(request) => {
                plain(request.decision.word(), request.reason.clone().unwrap_or_default());
                self.purpose.clone_from(&request.purpose);
                self.dataset.clone_from(&request.dataset);
                self.rule.clone_from(&request.rule);
                self.agreement.clone_from(&request.agreement);
                self.question = request.question.as_ref().map(|question| question.text.clone());
                self.release = request.release.map(|release| release.id.to_string());
                if let Some(charge) = &request.charge {
                    self.charged = Some(charge.loss);
                    self.pool = Some(charge.pool.name.clone());
                }
            }
            LogEvent::Earlier(record) => {
                plain(&record.decision, record.reason.clone());
                self.purpose.clone_from(&record.purpose);
                self.dataset.clone_from(&record.dataset);
                self.rule.clone_from(&record.rule);
                self.agreement.clone_from(&record.agreement);
                self.question = record.question.as_ref().map(|question| question.text.clone());
                self.release = record.release.map(|id| id.to_string());
                self.charged = Some(record.charged).filter(|charged| !crate::amount::is_free(charged));
            }
            LogEvent::Review(review) => {
                plain("reviewed", review.standing.clone());
                self.purpose.clone_from(&review.purpose);
                self.dataset.clone_from(&review.dataset);
                self.rule.clone_from(&review.rule);
            }
            LogEvent::Inspection(seen) => {
                plain("inspected", seen.object.clone());
                self.purpose.clone_from(&seen.purpose);
                self.dataset.clone_from(&seen.dataset);
            }
            LogEvent::Start(start) => plain("started", format!("lango {}", start.lango)),
            LogEvent::Stop(_) => plain("stopped", String::new()),
            LogEvent::Configuration(change) => plain("configured", change.changes.lines.join("; ")),
            LogEvent::Policy(policy) => plain("activated", format!("policy {}", policy.digest)),
            LogEvent::PolicySignature(approval) => plain("signed", format!("policy {}", approval.digest)),
            LogEvent::Key(change) => plain("key", change.of.clone()),
            LogEvent::Import(import) => {
                plain("imported", format!("version {}, {} files", import.version, import.files.0));
                self.dataset = Some(import.dataset.clone());
            }
            LogEvent::Preparation(made) => {
                plain("prepared", made.version.clone());
                self.dataset = Some(made.dataset.clone());
            }
            LogEvent::Version(version) => {
                plain("version", version.version.clone());
                self.dataset = Some(version.dataset.clone());
            }
            LogEvent::Relay(relayed) => {
                match &relayed.refusal {
                    None => plain("relayed", relayed.kind.word().to_owned()),
                    Some(code) => plain("refused", code.clone()),
                }
                self.purpose.clone_from(&relayed.purpose);
                self.question = relayed.question.as_ref().map(|question| question.text.clone());
            }
            LogEvent::Answer(answer) => {
                let reason = answer
                    .reason
                    .iter()
                    .fold(answer.office.clone(), |office, why| format!("{office}: {why}"));
                plain(answer.outcome.word(), reason);
            }
            LogEvent::Failure(failure) => plain("failure", format!("{} in {}", failure.code, failure.part)),
        }
    }
}

/// Which entries are searched for: those that meet all that is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// From this moment on, in Unix seconds.
    pub since: Option<i64>,
    /// Before this moment, in Unix seconds.
    pub until: Option<i64>,
    /// Of this principal: the whole URI, or its end behind a slash, such as `analyst/awa` or `awa`.
    pub principal: Option<String>,
    /// For this purpose.
    pub purpose: Option<String>,
    /// Of this dataset.
    pub dataset: Option<String>,
    /// With one of these decisions; any where none is named.
    pub decisions: Vec<String>,
    /// By this rule.
    pub rule: Option<String>,
    /// With this code or other reason.
    pub reason: Option<String>,
    /// Charged at least this, in billionths of epsilon; what has no pure guarantee is more than any.
    pub least_nano: Option<u64>,
}

impl EntryFilter {
    /// Whether an entry is one that is searched for.
    #[must_use]
    pub fn takes(&self, listed: &ListedEntry) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let by = |wanted: &str| {
            let before = listed.principal.strip_suffix(wanted);
            before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        let price = listed.charged.as_ref().map(|charged| charged.pure_nano.map_or(u64::MAX, |pure| pure.0));
        self.since.is_none_or(|since| listed.at >= since)
            && self.until.is_none_or(|until| listed.at < until)
            && self.principal.as_deref().is_none_or(by)
            && is(&self.purpose, Some(&listed.purpose))
            && is(&self.dataset, listed.dataset.as_deref())
            && (self.decisions.is_empty() || self.decisions.contains(&listed.decision))
            && is(&self.rule, listed.rule.as_deref())
            && is(&self.reason, Some(&listed.reason))
            && self.least_nano.is_none_or(|least| price.is_some_and(|price| price >= least))
    }
}

#[cfg(test)]
mod tests {
    use lango_access_log::RequestDecision;

    use super::*;
    use crate::fixture::{AT, answered, charge, loss, policy, question, refused, reserved, start};

    #[test]
    fn entries_are_found_by_what_they_say() {
        let policy = policy("sex", "1.0");
        let sex = question("sex", "0.5");
        let log = [
            start(&policy),
            reserved(&policy, (1, &sex), charge(loss(0), loss(5))),
            answered(&policy, RequestDecision::Released, (1, &sex), 1),
            refused(&policy, (2, &question("age", "0.5")), "dimension-not-granted"),
        ];
        let listed: Vec<ListedEntry> =
            log.iter().zip(0..).map(|(entry, number)| ListedEntry::of(number, entry)).collect();
        assert_eq!(listed[1].epsilon.as_deref(), Some("0.5"));
        let some = |text: &str| Some(text.to_owned());
        let all = EntryFilter::default();
        for (filter, expected) in [
            (all.clone(), &[0, 1, 2, 3][..]),
            (EntryFilter { since: Some(AT), until: Some(AT + 1), ..all.clone() }, &[0, 1, 2, 3]),
            (EntryFilter { until: Some(AT), ..all.clone() }, &[]),
            (EntryFilter { principal: some("awa"), ..all.clone() }, &[1, 2, 3]),
            (EntryFilter { principal: some("analyst/awa"), ..all.clone() }, &[1, 2, 3]),
            (EntryFilter { principal: some("spiffe://ecowas.example/office/GHA"), ..all.clone() }, &[0]),
            (EntryFilter { principal: some("wa"), ..all.clone() }, &[]),
            (EntryFilter { purpose: some("official-statistics"), ..all.clone() }, &[1, 2, 3]),
            (EntryFilter { purpose: some("research"), ..all.clone() }, &[]),
            (EntryFilter { dataset: some("residents"), rule: some("analysts"), ..all.clone() }, &[1, 2, 3]),
            (EntryFilter { decisions: vec!["refused".into(), "started".into()], ..all.clone() }, &[0, 3]),
            (EntryFilter { reason: some("dimension-not-granted"), ..all.clone() }, &[3]),
            (EntryFilter { least_nano: Some(500_000_000), ..all.clone() }, &[1]),
            (EntryFilter { least_nano: Some(500_000_001), ..all }, &[]),
        ] {
            let found: Vec<u64> =
                listed.iter().filter(|listed| filter.takes(listed)).map(|listed| listed.entry).collect();
            assert_eq!(found, expected, "{filter:?}");
        }
    }
}
