//! What the log says of a record: the one place where a record becomes an entry.

use lango_access_log::{
    Actor, ActorRole, Amount, DecidedRequest, EarlierRecord, EntryFormat, Hex, LogEntry, LogEvent,
    LoggedAccount, LoggedCharge, LoggedInspection, LoggedLoss, LoggedQuestion, LoggedRelease,
    RequestDecision,
};
use lango_ledger::{Account, Balance};
use lango_privacy::Loss;

use crate::{Decision, Entry, Record, StoreError, balance::holder};

/// What a request's entry says of the accounts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Charges {
    /// What it was charged, and to what.
    pub(crate) charged: Option<LoggedCharge>,
    /// What it gets back.
    pub(crate) given_back: Option<LoggedCharge>,
}

impl Record {
    /// The leaf of its entry in the log.
    pub(crate) fn leaf(&self) -> Result<Vec<u8>, StoreError> {
        self.leaf_with(Charges::default())
    }

    /// The leaf of the entry of a request that was charged, or gets a charge back.
    pub(crate) fn leaf_with(&self, charges: Charges) -> Result<Vec<u8>, StoreError> {
        let entry = LogEntry {
            actor: Actor { certificate: self.certificate.map(Hex), ..actor(&self.principal)? },
            at: self.at,
            event: self.logged(charges)?,
            format: EntryFormat,
            left_out: Amount(self.left_out),
            policy: Some(Hex(self.policy_digest)).filter(|digest| digest.0 != Record::NO_POLICY),
            trace: self.trace.map(Hex),
        };
        Ok(entry.leaf()?)
    }

    fn logged(&self, charges: Charges) -> Result<LogEvent, StoreError> {
        if let Some(event) = &self.event {
            return Ok(event.clone());
        }
        let decision = match self.decision {
            Decision::Reserved => RequestDecision::Reserved,
            Decision::Released => RequestDecision::Released,
            Decision::Drawn => RequestDecision::Drawn,
            Decision::Repeated => RequestDecision::Repeated,
            Decision::Estimated => RequestDecision::Estimated,
            Decision::Described => RequestDecision::Described,
            Decision::Refused => RequestDecision::Refused,
            Decision::Failed => RequestDecision::Failed,
            Decision::Inspected => {
                return Ok(LogEvent::Inspection(LoggedInspection {
                    dataset: self.dataset.clone(),
                    object: self.reason.clone(),
                    purpose: self.purpose.clone(),
                    question: self.query_digest.map(Hex),
                    request: Hex(self.request_digest),
                }));
            }
            Decision::Activated
            | Decision::Reviewed
            | Decision::Signed
            | Decision::Configured
            | Decision::Started
            | Decision::Stopped
            | Decision::Keyed
            | Decision::Imported
            | Decision::Prepared
            | Decision::Faulted
            | Decision::Relayed
            | Decision::Answered => return Err(StoreError::Eventless(self.decision.word())),
        };
        let envelope = self.release_envelope.map(Hex);
        Ok(LogEvent::Request(Box::new(DecidedRequest {
            agreement: self.agreement.clone(),
            charge: charges.charged,
            dataset: self.dataset.clone(),
            decision,
            envelope: self.envelope.map(Hex),
            given_back: charges.given_back,
            purpose: self.purpose.clone(),
            question: question(self.query_digest, self.query.as_deref()),
            reason: Some(self.reason.clone()).filter(|reason| !reason.is_empty()),
            release: self.release_id.map(|id| LoggedRelease { envelope, id: Hex(id) }),
            request: Hex(self.request_digest),
            rule: self.rule.clone(),
            version: self.version.clone(),
        })))
    }
}

impl Entry {
    /// The leaf of a record from before the log was kept.
    pub(crate) fn earlier_leaf(&self, release_id: Option<[u8; 16]>) -> Result<Vec<u8>, StoreError> {
        let entry = LogEntry {
            actor: actor(&self.principal)?,
            at: self.at,
            event: LogEvent::Earlier(Box::new(EarlierRecord {
                agreement: self.agreement.clone(),
                charged: logged_loss(&self.charged),
                dataset: self.dataset.clone(),
                decision: self.decision.clone(),
                purpose: self.purpose.clone(),
                question: question(self.query_digest, self.query.as_deref()),
                reason: self.reason.clone(),
                release: release_id.map(Hex),
                request: Hex(self.request_digest),
                rule: self.rule.clone(),
                sequence: Amount(self.sequence.unsigned_abs()),
            })),
            format: EntryFormat,
            left_out: Amount(self.left_out),
            policy: Some(Hex(self.policy_digest)),
            trace: None,
        };
        Ok(entry.leaf()?)
    }
}

/// A charge of both accounts, each before and after it.
pub(crate) fn logged_charge(loss: &Loss, [pool, grant]: [(&Account, Balance, Balance); 2]) -> LoggedCharge {
    let of = |(account, before, after): (&Account, Balance, Balance), name: &str| LoggedAccount {
        after: logged_balance(&after),
        before: logged_balance(&before),
        name: name.to_owned(),
        period: account.period.clone(),
        since: account.since,
    };
    LoggedCharge { grant: of(grant, holder(grant.0)), loss: logged_loss(loss), pool: of(pool, &pool.0.pool) }
}

fn logged_loss(loss: &Loss) -> LoggedLoss {
    let Loss { pure_nano, rho_nano, delta_e18 } = *loss;
    LoggedLoss { delta_e18: Amount(delta_e18), pure_nano: pure_nano.map(Amount), rho_nano: Amount(rho_nano) }
}

fn logged_balance(balance: &Balance) -> LoggedLoss {
    let Balance { pure_nano, rho_nano, delta_e18 } = *balance;
    LoggedLoss { delta_e18: Amount(delta_e18), pure_nano: pure_nano.map(Amount), rho_nano: Amount(rho_nano) }
}

fn question(digest: Option<[u8; 32]>, text: Option<&str>) -> Option<LoggedQuestion> {
    digest.map(|digest| LoggedQuestion::of(digest, text.unwrap_or_default()))
}

/// Who a URI names, by the role in it.
fn actor(principal: &str) -> Result<Actor, StoreError> {
    let role = principal.strip_prefix("spiffe://").and_then(|rest| rest.split('/').nth(1));
    let role = role.and_then(ActorRole::of_word).ok_or(StoreError::Damaged("principal"))?;
    Ok(Actor { certificate: None, principal: principal.to_owned(), role })
}
