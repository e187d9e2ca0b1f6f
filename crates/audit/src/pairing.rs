//! The logs of both ends, held against each other: each answer that an office says it gave, the coordinator says that it passed
//! on, and the other way round.

use std::collections::{BTreeMap, HashMap, HashSet};

use lango_access_log::{LogEntry, LogEvent, MemberOutcome, RelayedKind, RequestDecision};

use crate::{claim::ProvenClaim, fault::LogFault};

/// How long an answer may be on its way, in seconds.
const ON_ITS_WAY_S: i64 = 900;
/// How far the clocks of both ends may differ, in seconds.
const CLOCKS_S: i64 = 30;

/// What is remembered of a request that a coordinator passed on.
#[derive(Debug)]
struct Relayed {
    /// When it was passed on last, in Unix seconds.
    at: i64,
    is_question: bool,
}

/// What a coordinator says of one office's answer.
#[derive(Debug)]
struct Passed {
    request: [u8; 32],
    /// The entry, and its time.
    place: (u64, i64),
    outcome: MemberOutcome,
    /// The digest of the envelope that it passed on.
    envelope: Option<[u8; 32]>,
}

/// What a coordinator's log says of the answers that it passed on.
#[derive(Debug, Default)]
pub struct PassedOn {
    relayed: HashMap<[u8; 32], Relayed>,
    /// By their offices' names, in order.
    answers: BTreeMap<String, Vec<Passed>>,
    /// The times of the first and the last entry.
    span: Option<(i64, i64)>,
    /// Its starts, each with the time of the entry before: (before, start).
    starts: Vec<(i64, i64)>,
}

impl PassedOn {
    /// Takes the next entry of the coordinator's log.
    pub fn take(&mut self, number: u64, entry: &LogEntry) {
        let at = entry.at;
        let before = self.span.map_or(at, |(_, last)| last);
        self.span = Some(self.span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        match &entry.event {
            LogEvent::Relay(relayed) if relayed.refusal.is_none() => {
                let is_question = relayed.kind == RelayedKind::Query;
                self.relayed.insert(relayed.request.0, Relayed { at, is_question });
            }
            LogEvent::Answer(answer) => {
                let outcome = answer.outcome;
                let is_passed = outcome == MemberOutcome::Answered;
                let envelope = answer.envelope.filter(|_| is_passed).map(|digest| digest.0);
                let passed = Passed { request: answer.request.0, place: (number, at), outcome, envelope };
                self.answers.entry(answer.office.clone()).or_default().push(passed);
            }
            LogEvent::Start(_) => self.starts.push((before, at)),
            LogEvent::Relay(_)
            | LogEvent::Request(_)
            | LogEvent::Policy(_)
            | LogEvent::Earlier(_)
            | LogEvent::Review(_)
            | LogEvent::Inspection(_)
            | LogEvent::Stop(_)
            | LogEvent::Configuration(_)
            | LogEvent::PolicySignature(_)
            | LogEvent::Key(_)
            | LogEvent::Import(_)
            | LogEvent::Preparation(_)
            | LogEvent::Version(_)
            | LogEvent::Failure(_) => {}
        }
    }
}

/// An office's log that is held against a coordinator's.
#[derive(Debug)]
pub struct Pairing<'c> {
    passed_on: &'c PassedOn,
    answers: &'c [Passed],
    /// What the coordinator says of the office's answers to a request.
    by_request: HashMap<[u8; 32], Vec<&'c Passed>>,
    /// The answers that the office says it gave: request and envelope.
    given: HashSet<([u8; 32], [u8; 32])>,
    span: Option<(i64, i64)>,
    report: PairedAnswers,
}

/// What a pairing came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairedAnswers {
    /// Answers of the office that the coordinator passed on.
    pub answers: ProvenClaim,
    /// Answers that the coordinator passed on and the office gave.
    pub passed_on: ProvenClaim,
    /// Of the office's, those that the coordinator says did not come in time.
    pub missed: u64,
    /// Of the office's, those whose way was cut short by a start of the coordinator.
    pub cut_short: u64,
    /// Answers of times that only one of the logs reaches.
    pub beyond: u64,
}

impl PairedAnswers {
    /// Whether the logs have no time in common: nothing of what was answered is held against the other end.
    #[must_use]
    pub const fn are_apart(&self) -> bool {
        self.beyond > 0 && self.answers.of == 0 && self.passed_on.of == 0
    }
}

impl<'c> Pairing<'c> {
    /// Holds the log of the office of this name against what a coordinator says.
    #[must_use]
    pub fn new(passed_on: &'c PassedOn, office: &str) -> Self {
        let answers = passed_on.answers.get(office).map(Vec::as_slice).unwrap_or_default();
        let mut by_request: HashMap<[u8; 32], Vec<&Passed>> = HashMap::new();
        for passed in answers {
            by_request.entry(passed.request).or_default().push(passed);
        }
        Self {
            passed_on,
            answers,
            by_request,
            given: HashSet::new(),
            span: None,
            report: PairedAnswers::default(),
        }
    }

    /// Takes the next entry of the office's log.
    pub fn take(&mut self, number: u64, entry: &LogEntry) {
        let at = entry.at;
        self.span = Some(self.span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        let LogEvent::Request(request) = &entry.event else { return };
        let is_answer = matches!(request.decision, RequestDecision::Released | RequestDecision::Repeated);
        let envelope = request.release.filter(|_| is_answer).and_then(|release| release.envelope);
        let Some(envelope) = envelope else { return };
        self.given.insert((request.request.0, envelope.0));
        if let Some(held) = self.pair(at, request.request.0, envelope.0) {
            self.report.answers.take(Some((number, at)), held);
        }
    }

    /// Whether the coordinator says the same of an answer. Nothing, and it is counted apart, where that is not known: the
    /// coordinator says that the answer missed it, or its log does not reach so far.
    fn pair(&mut self, at: i64, request: [u8; 32], envelope: [u8; 32]) -> Option<Result<(), LogFault>> {
        let PassedOn { relayed, span, starts, .. } = self.passed_on;
        let reaches = |wait| span.is_some_and(|span| reaches(span, at, wait));
        let Some(relayed) = relayed.get(&request) else {
            if reaches(CLOCKS_S) {
                return Some(Err(LogFault::NotRelayed));
            }
            self.report.beyond += 1;
            return None;
        };
        let answers = self.by_request.get(&request).map(Vec::as_slice).unwrap_or_default();
        if answers.iter().any(|passed| passed.envelope == Some(envelope)) {
            return Some(Ok(()));
        }
        if answers.iter().any(|passed| passed.envelope.is_some()) {
            return Some(Err(LogFault::OtherAnswer));
        }
        if answers.iter().any(|passed| passed.outcome == MemberOutcome::Missing) {
            self.report.missed += 1;
            return None;
        }
        // It says that the office refused.
        if !answers.is_empty() {
            return Some(Err(LogFault::OtherAnswer));
        }
        // It ended before the answer had to have come, and began again later.
        let cuts =
            |(before, start): &(i64, i64)| *before <= at.saturating_add(ON_ITS_WAY_S) && *start >= relayed.at;
        if starts.iter().any(cuts) {
            self.report.cut_short += 1;
            return None;
        }
        if reaches(ON_ITS_WAY_S) {
            return Some(Err(LogFault::NotPassedOn));
        }
        self.report.beyond += 1;
        None
    }

    /// What it comes to, when the office's log has ended.
    #[must_use]
    pub fn finish(mut self) -> PairedAnswers {
        for passed in self.answers {
            let Some(envelope) = passed.envelope else { continue };
            match self.passed_on.relayed.get(&passed.request) {
                Some(relayed) if relayed.is_question => {}
                // Descriptions and the like, of which offices log no envelope.
                Some(_) => continue,
                None => {
                    if self
                        .passed_on
                        .span
                        .is_some_and(|(first, _)| first.saturating_add(ON_ITS_WAY_S) <= passed.place.1)
                    {
                        self.report.passed_on.take(Some(passed.place), Err(LogFault::NotAsked));
                    }
                    continue;
                }
            }
            if self.given.contains(&(passed.request, envelope)) {
                self.report.passed_on.take(Some(passed.place), Ok(()));
            } else if self.span.is_some_and(|span| reaches(span, passed.place.1, CLOCKS_S)) {
                self.report.passed_on.take(Some(passed.place), Err(LogFault::NotGiven));
            } else {
                self.report.beyond += 1;
            }
        }
        self.report
    }
}

/// Whether a log of this span must hold by now what happened at the other end at a time, and what followed within some seconds.
fn reaches((first, last): (i64, i64), at: i64, wait_s: i64) -> bool {
    first.saturating_add(CLOCKS_S) <= at && at.saturating_add(wait_s) <= last
}

#[cfg(test)]
mod tests {
    use lango_access_log::{
        Actor, ActorRole, Amount, EntryFormat, GatewayStart, Hex, LoggedLines, RelayedAnswer, RelayedRequest,
    };

    use super::*;
    use crate::fixture::{self, AT};

    fn entry(at: i64, event: LogEvent) -> LogEntry {
        let principal = "spiffe://ecowas.example/coordinator/main".to_owned();
        LogEntry {
            actor: Actor { certificate: None, principal, role: ActorRole::Coordinator },
            at,
            event,
            format: EntryFormat,
            left_out: Amount(0),
            policy: None,
            trace: None,
        }
    }

    fn relay(at: i64, request: u8) -> LogEntry {
        let relayed = RelayedRequest {
            audience: LoggedLines::of(&["GHA".to_owned()]),
            envelope: Hex([1; 32]),
            kind: RelayedKind::Query,
            purpose: String::new(),
            question: None,
            refusal: None,
            request: Hex([request; 32]),
        };
        entry(at, LogEvent::Relay(Box::new(relayed)))
    }

    fn passed(at: i64, request: u8, outcome: MemberOutcome, envelope: Option<u8>) -> LogEntry {
        let answer = RelayedAnswer {
            envelope: envelope.map(|byte| Hex([byte; 32])),
            office: "GHA".to_owned(),
            outcome,
            reason: None,
            request: Hex([request; 32]),
        };
        entry(at, LogEvent::Answer(answer))
    }

    fn start(at: i64) -> LogEntry {
        let start = GatewayStart {
            configuration: Hex([0; 32]),
            instance: Hex([0; 16]),
            lango: "0.1.0".to_owned(),
            store: Hex([0; 16]),
        };
        entry(at, LogEvent::Start(start))
    }

    fn given(at: i64, request: u8, envelope: u8) -> LogEntry {
        let policy = fixture::policy("sex", "1.0");
        let question = fixture::question("sex", "0.5");
        let mut entry = fixture::answered(&policy, RequestDecision::Released, (request, &question), request);
        entry.at = at;
        if let LogEvent::Request(decided) = &mut entry.event {
            decided.request = Hex([request; 32]);
            if let Some(release) = &mut decided.release {
                release.envelope = Some(Hex([envelope; 32]));
            }
        }
        entry
    }

    fn paired(coordinator: &[LogEntry], office: &[LogEntry]) -> PairedAnswers {
        let mut passed_on = PassedOn::default();
        coordinator.iter().zip(0..).for_each(|(entry, number)| passed_on.take(number, entry));
        let mut pairing = Pairing::new(&passed_on, "GHA");
        office.iter().zip(0..).for_each(|(entry, number)| pairing.take(number, entry));
        pairing.finish()
    }

    /// Counts: the office's answers that hold, of how many; the coordinator's; and what neither can say.
    fn counts(found: &PairedAnswers) -> [u64; 7] {
        let PairedAnswers { answers, passed_on, missed, cut_short, beyond } = found;
        [answers.proven, answers.of, passed_on.proven, passed_on.of, *missed, *cut_short, *beyond]
    }

    #[test]
    fn each_answer_is_at_both_ends_or_named() {
        use MemberOutcome::{Answered, Missing, Refused};
        let one = || vec![given(AT + 1_000, 1, 7)];
        let asked = |rest: Vec<LogEntry>| [vec![relay(AT + 999, 1)], rest].concat();
        let both = || asked(vec![passed(AT + 1_001, 1, Answered, Some(7))]);
        for (what, coordinator, office, expected, fault) in [
            ("both", both(), one(), [1, 1, 1, 1, 0, 0, 0], None),
            ("sent twice", [both(), both()].concat(), one(), [1, 1, 2, 2, 0, 0, 0], None),
            ("an orphan", vec![], one(), [0, 1, 0, 0, 0, 0, 0], Some(LogFault::NotRelayed)),
            (
                "another answer",
                asked(vec![passed(AT + 1_001, 1, Answered, Some(8))]),
                one(),
                [0, 1, 0, 1, 0, 0, 0],
                Some(LogFault::OtherAnswer),
            ),
            (
                "it came too late",
                asked(vec![passed(AT + 1_001, 1, Missing, None)]),
                one(),
                [0, 0, 0, 0, 1, 0, 0],
                None,
            ),
            (
                "it refused",
                asked(vec![passed(AT + 1_001, 1, Refused, Some(7))]),
                one(),
                [0, 1, 0, 0, 0, 0, 0],
                Some(LogFault::OtherAnswer),
            ),
            ("a start between", asked(vec![start(AT + 2_000)]), one(), [0, 0, 0, 0, 0, 1, 0], None),
            (
                "a start long after",
                asked(vec![relay(AT + 1_950, 98), start(AT + 2_000)]),
                one(),
                [0, 1, 0, 0, 0, 0, 0],
                Some(LogFault::NotPassedOn),
            ),
            ("withheld", asked(vec![]), one(), [0, 1, 0, 0, 0, 0, 0], Some(LogFault::NotPassedOn)),
            (
                "of no request",
                vec![passed(AT + 1_001, 1, Answered, Some(7))],
                vec![],
                [0, 0, 0, 1, 0, 0, 0],
                Some(LogFault::NotAsked),
            ),
            ("not the office's", both(), vec![], [0, 0, 0, 1, 0, 0, 0], Some(LogFault::NotGiven)),
            ("before the log", vec![], vec![given(AT + 1, 1, 7)], [0, 0, 0, 0, 0, 0, 1], None),
            ("behind its end", vec![], vec![given(AT + 4_999, 1, 7)], [0, 0, 0, 0, 0, 0, 1], None),
            (
                "on its way",
                vec![relay(AT + 4_900, 1)],
                vec![given(AT + 4_901, 1, 7)],
                [0, 0, 0, 0, 0, 0, 1],
                None,
            ),
        ] {
            // Each log reaches from AT to AT + 5000.
            let coordinator = [vec![start(AT)], coordinator, vec![relay(AT + 5_000, 99)]].concat();
            let office = [vec![start(AT)], office, vec![start(AT + 5_000)]].concat();
            let found = paired(&coordinator, &office);
            assert_eq!(found.are_apart(), expected == [0, 0, 0, 0, 0, 0, 1], "{what}");
            let first = [&found.answers, &found.passed_on].into_iter().find_map(|claim| claim.first.clone());
            assert_eq!((counts(&found), first.map(|at| at.fault)), (expected, fault), "{what}");
        }
    }
}
