//! An audit as a fold over the entries of a log: what each says is recomputed from those before it.

use std::collections::{BTreeMap, HashMap};

use lango_access_log::{ActivatedPolicy, DecidedRequest, LogEntry, LogEvent, RequestDecision};

use crate::{
    accounts::Accounts,
    balances::LedgerBalances,
    claim::ProvenClaim,
    decisions::{Around, Decisions, Verdict, WAITS_S},
    fault::LogFault,
    policies::{Digests, Policies, PolicyTexts},
    pools::FollowedPools,
    releases::Releases,
};

/// An audit that is under way. It holds accounts, policies, what has no answer yet and a few bytes of each release: not the log.
pub struct LogAudit<'t> {
    entries: u64,
    balances: Option<LedgerBalances>,
    accounts: Accounts,
    releases: Releases,
    decisions: Decisions,
    policies: Policies<'t>,
    pools: FollowedPools,
    /// The policies that came into force so far, and since when another has been in the place of one.
    in_force: HashMap<[u8; 32], Option<i64>>,
    given_back_at: Option<i64>,
    /// Whether an entry of the log itself has come: records from before it stand at its beginning.
    has_begun: bool,
    report: AuditReport,
}

/// What an audit came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// The times of the earliest and the latest entry, in Unix seconds.
    pub span: Option<(i64, i64)>,
    /// Charges, and charges that were given back or moved to another pool, that follow from the entries before.
    pub charges: ProvenClaim,
    /// Balances of the ledger that equal what the log comes to; none where it is not known what the ledger held.
    pub balances: Option<ProvenClaim>,
    /// Policies that are held under their digests.
    pub policies: ProvenClaim,
    /// Decisions that follow from their policies.
    pub decisions: ProvenClaim,
    /// Answers that were reserved before they were released, and released before they were repeated.
    pub releases: ProvenClaim,
    /// What a policy does not decide, by what does.
    pub apart: BTreeMap<&'static str, u64>,
    /// Decisions that hang on a price which the log does not have.
    pub open: u64,
    /// Records from before the log.
    pub earlier: u64,
    /// Balances that were taken from the first charge after those records: nothing vouches for them.
    pub opened: u64,
    /// Events that were not recorded because there were too many.
    pub left_out: u64,
}

impl AuditReport {
    /// Whether every claim holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.claims().all(|(_, claim)| claim.holds())
    }

    /// The claims by their names.
    pub fn claims(&self) -> impl Iterator<Item = (&'static str, &ProvenClaim)> {
        let balances = self.balances.iter().map(|claim| ("balances", claim));
        let others = [
            ("charges", &self.charges),
            ("policies", &self.policies),
            ("decisions", &self.decisions),
            ("releases", &self.releases),
        ];
        others.into_iter().chain(balances)
    }
}

impl<'t> LogAudit<'t> {
    /// An audit of a log whose policies are held as texts. `balances` is what the ledger held.
    #[must_use]
    pub fn new(texts: &'t PolicyTexts<'t>, digests: Digests, balances: Option<LedgerBalances>) -> Self {
        let mut audit = Self {
            entries: 0,
            balances,
            accounts: Accounts::default(),
            releases: Releases::default(),
            decisions: Decisions::default(),
            policies: Policies::new(texts, digests),
            pools: FollowedPools::default(),
            in_force: HashMap::new(),
            given_back_at: None,
            has_begun: false,
            report: AuditReport::default(),
        };
        audit.compare_balances();
        audit
    }

    /// Takes the next entry.
    pub fn take(&mut self, entry: &LogEntry) {
        let place = (self.entries, entry.at);
        let report = &mut self.report;
        report.left_out = report.left_out.saturating_add(entry.left_out.0);
        let (first, last) = report.span.unwrap_or((entry.at, entry.at));
        report.span = Some((first.min(entry.at), last.max(entry.at)));
        match &entry.event {
            LogEvent::Request(request) => self.request(place, entry, request),
            LogEvent::Policy(policy) => {
                self.in_force.values_mut().for_each(|replaced| *replaced = replaced.or(Some(entry.at)));
                self.in_force.insert(policy.digest.0, None);
                self.know(place, policy.digest.0);
                self.follow(place, policy);
            }
            LogEvent::Start(_) => {
                // What a gateway starts with is in force, also where the log began later.
                if let Some(policy) = entry.policy {
                    self.in_force.entry(policy.0).or_default();
                    self.know(place, policy.0);
                    if let Ok(policy) = self.policies.get(&policy.0).0 {
                        self.pools.start(policy);
                    }
                }
            }
            LogEvent::Earlier(_) if self.has_begun => {
                self.report.charges.take(Some(place), Err(LogFault::NotEarlier));
            }
            LogEvent::Earlier(record) => {
                self.report.earlier += 1;
                self.accounts.earlier(entry.at, &record.charged);
                self.releases.earlier(record);
            }
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
            | LogEvent::Answer(_) => {}
        }
        self.has_begun |= !matches!(entry.event, LogEvent::Earlier(_));
        self.entries += 1;
        self.compare_balances();
    }

    /// What the audit came to.
    #[must_use]
    pub fn finish(mut self) -> AuditReport {
        if let Some(LedgerBalances { size, .. }) = self.balances {
            let fault = LogFault::LedgerAhead { size, entries: self.entries };
            self.report.balances.get_or_insert_default().take(None, Err(fault));
        }
        self.report.apart = self.decisions.apart().clone();
        self.report.opened = self.report.opened.saturating_add(self.accounts.opened());
        self.report
    }

    fn request(&mut self, place: (u64, i64), entry: &LogEntry, request: &DecidedRequest) {
        let cost = self.answer(place, request);
        if let Some(policy) = entry.policy {
            self.know(place, policy.0);
        }
        let was_given_back =
            self.given_back_at.is_some_and(|at| at.abs_diff(entry.at) <= WAITS_S.unsigned_abs());
        let is_reserved =
            request.question.as_ref().is_some_and(|one| self.releases.is_reserved(&one.digest.0));
        let around = Around { accounts: &self.accounts, cost, is_reserved, was_given_back };
        let decided = self.decisions.check(entry, request, &mut self.policies, &around);
        let decided = decided.and_then(|verdict| match entry.policy {
            Some(policy) if verdict == Verdict::Follows => {
                self.was_in_force(policy.0, entry.at).map(|()| verdict)
            }
            Some(_) | None => Ok(verdict),
        });
        match decided {
            Ok(Verdict::Follows) => self.report.decisions.take(Some(place), Ok(())),
            Ok(Verdict::Open) => self.report.open += 1,
            Ok(Verdict::Apart(_)) => {}
            Err(fault) => self.report.decisions.take(Some(place), Err(fault)),
        }
        self.charge(place, request);
    }

    /// Whether a policy was in force at a moment, or had been shortly before: gateways of one office take another one after the
    /// other.
    fn was_in_force(&self, digest: [u8; 32], at: i64) -> Result<(), LogFault> {
        match self.in_force.get(&digest) {
            None => Err(LogFault::PolicyNotInForce { digest }),
            Some(Some(replaced)) if replaced.saturating_add(WAITS_S) < at => {
                Err(LogFault::PolicyReplaced { digest })
            }
            Some(_) => Ok(()),
        }
    }

    /// Takes an answer, and returns what it cost when it was made, where the entries say so.
    fn answer(
        &mut self,
        place: (u64, i64),
        request: &DecidedRequest,
    ) -> Option<lango_access_log::LoggedLoss> {
        let taken = match request.decision {
            RequestDecision::Released | RequestDecision::Drawn => self.releases.release(request),
            RequestDecision::Repeated => self.releases.repeat(request),
            RequestDecision::Failed => return self.releases.cost(request),
            RequestDecision::Reserved
            | RequestDecision::Estimated
            | RequestDecision::Described
            | RequestDecision::Refused => return None,
        };
        let (cost, held) = match taken {
            Ok(cost) => (cost, Ok(())),
            Err(fault) => (None, Err(fault)),
        };
        self.report.releases.take(Some(place), held);
        cost
    }

    fn charge(&mut self, place: (u64, i64), request: &DecidedRequest) {
        if let Some(charge) = &request.charge {
            let charged = self.accounts.charge(place.1, charge);
            self.report.charges.take(Some(place), charged);
        }
        if request.decision == RequestDecision::Reserved
            && let Err(fault) = self.releases.reserve(place, request)
        {
            self.report.releases.take(Some(place), Err(fault));
        }
        if let Some(charge) = &request.given_back {
            let given_back = self.releases.give_back(request, charge, &mut self.accounts);
            self.report.charges.take(Some(place), given_back);
            self.given_back_at = Some(place.1);
        }
    }

    /// Lets charges follow their rows into the pools of a policy that comes into force.
    fn follow(&mut self, place: (u64, i64), policy: &ActivatedPolicy) {
        if let Ok(set) = self.policies.get(&policy.digest.0).0.clone() {
            let followed = self.pools.follow(&set, &policy.moved, &self.accounts);
            if followed.is_err() || !policy.moved.is_empty() {
                self.report.charges.take(Some(place), followed);
            }
        }
        policy.moved.iter().for_each(|moved| self.accounts.moved(&moved.from, &moved.to));
    }

    /// Counts a policy the first time that an entry names it.
    fn know(&mut self, place: (u64, i64), digest: [u8; 32]) {
        let (found, is_new) = self.policies.get(&digest);
        if is_new {
            let known = found.as_ref().map(drop).map_err(Clone::clone);
            self.report.policies.take(Some(place), known);
        }
    }

    /// Compares the ledger with the log where that is as long as it was then.
    fn compare_balances(&mut self) {
        if let Some(balances) = self.balances.take_if(|balances| balances.size == self.entries) {
            let claim = self.report.balances.get_or_insert_default();
            self.report.opened = self.report.opened.saturating_add(balances.compare(&self.accounts, claim));
        }
    }
}

#[cfg(test)]
mod tests;
