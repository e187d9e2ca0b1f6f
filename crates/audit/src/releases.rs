//! Answers: each was reserved before it was released, and released before it was repeated.

use std::collections::HashMap;

use lango_access_log::{DecidedRequest, EarlierRecord, LoggedCharge, LoggedLoss};

use crate::{accounts::Accounts, fault::LogFault};

/// A price that is set aside and has no answer yet.
#[derive(Debug)]
struct Reserved {
    request: [u8; 32],
    /// The entry, when it was, and the charge; nothing of one from before the log.
    charged: Option<(u64, i64, Box<LoggedCharge>)>,
}

/// A release by what is remembered of it.
#[derive(Debug, Clone, Copy)]
struct Release {
    /// The beginning of its question's digest.
    question: [u8; 8],
    /// The place of what it cost.
    loss: u32,
}

/// What was reserved and released so far. It holds what has no answer yet, and some thirty bytes of each release.
#[derive(Debug, Default)]
pub(crate) struct Releases {
    reserved: HashMap<[u8; 32], Vec<Reserved>>,
    released: HashMap<[u8; 16], Release>,
    /// What releases cost: few prices, many releases.
    losses: Vec<Option<LoggedLoss>>,
}

/// What an answer cost when it was made, where the entries say so.
pub(crate) type Cost = Option<LoggedLoss>;

impl Releases {
    /// Takes a record from before the log.
    pub(crate) fn earlier(&mut self, record: &EarlierRecord) {
        let Some(question) = &record.question else { return };
        match record.decision.as_str() {
            "reserved" => {
                self.set_aside(question.digest.0, Reserved { request: record.request.0, charged: None })
            }
            "released" | "drawn" => {
                if let Some(reserved) = self.reserved.get_mut(&question.digest.0) {
                    reserved.pop();
                }
                if let Some(id) = record.release {
                    let loss = self.loss(None);
                    self.released.insert(id.0, Release { question: beginning(&question.digest.0), loss });
                }
            }
            _ => {}
        }
    }

    /// Takes a price that was set aside by an entry.
    pub(crate) fn reserve(
        &mut self,
        (number, at): (u64, i64),
        request: &DecidedRequest,
    ) -> Result<(), LogFault> {
        let question = request.question.as_ref().ok_or(LogFault::Lacks { field: "question" })?;
        let charge = request.charge.as_ref().ok_or(LogFault::Lacks { field: "charge" })?;
        let charged = Some((number, at, Box::new(charge.clone())));
        self.set_aside(question.digest.0, Reserved { request: request.request.0, charged });
        Ok(())
    }

    fn set_aside(&mut self, question: [u8; 32], reserved: Reserved) {
        self.reserved.entry(question).or_default().push(reserved);
    }

    /// Whether a question's price is set aside for which there is no answer yet.
    pub(crate) fn is_reserved(&self, question: &[u8; 32]) -> bool {
        self.reserved.contains_key(question)
    }

    /// What a question costs whose answer is still to come, where an entry says so.
    pub(crate) fn cost(&self, request: &DecidedRequest) -> Cost {
        let all = self.reserved.get(&request.question.as_ref()?.digest.0)?;
        let reserved = all.iter().rfind(|one| one.is_of(request)).or(all.last())?;
        Some(reserved.charged.as_ref()?.2.loss)
    }

    /// Takes a new answer: of the request's own reservation, else of the last one of its question, which it resumed.
    pub(crate) fn release(&mut self, request: &DecidedRequest) -> Result<Cost, LogFault> {
        let question = request.question.as_ref().ok_or(LogFault::Lacks { field: "question" })?.digest.0;
        let id = request.release.as_ref().ok_or(LogFault::Lacks { field: "release" })?.id.0;
        let reserved = self.take(&question, request);
        let cost = reserved.as_ref().and_then(|reserved| Some(reserved.charged.as_ref()?.2.loss));
        let loss = self.loss(cost);
        let release = Release { question: beginning(&question), loss };
        if self.released.insert(id, release).is_some() {
            return Err(LogFault::ReleasedTwice { id });
        }
        reserved.map(|_| cost).ok_or(LogFault::NotReserved)
    }

    /// Takes a stored answer that was handed out again.
    pub(crate) fn repeat(&self, request: &DecidedRequest) -> Result<Cost, LogFault> {
        let id = request.release.as_ref().ok_or(LogFault::Lacks { field: "release" })?.id.0;
        let release = self.released.get(&id).ok_or(LogFault::NotReleased { id })?;
        let of_another = |question: &[u8; 32]| release.question != beginning(question);
        if request.question.as_ref().is_some_and(|question| of_another(&question.digest.0)) {
            return Err(LogFault::OtherRelease { id });
        }
        Ok(usize::try_from(release.loss).ok().and_then(|place| self.losses.get(place).copied().flatten()))
    }

    /// Takes a charge that is given back, which some entry before made.
    pub(crate) fn give_back(
        &mut self,
        request: &DecidedRequest,
        charge: &LoggedCharge,
        accounts: &mut Accounts,
    ) -> Result<(), LogFault> {
        let question = request.question.as_ref().ok_or(LogFault::Lacks { field: "question" })?.digest.0;
        let is_own = self.reserved.get(&question).is_some_and(|all| all.iter().any(|one| one.is_of(request)));
        let reserved = if is_own { self.take(&question, request) } else { None };
        match reserved.ok_or(LogFault::NoCharge)?.charged {
            None => accounts.give_back(None, charge),
            Some((charged_in, at, charged)) => {
                let names = |of: &LoggedCharge| [of.pool.name.clone(), of.grant.name.clone()];
                if charged.loss != charge.loss || names(&charged) != names(charge) {
                    return Err(LogFault::OtherCharge { charged_in });
                }
                accounts.give_back(Some(at), charge)
            }
        }
    }

    /// The reservation that a request's answer is of, which has its answer with that.
    fn take(&mut self, question: &[u8; 32], request: &DecidedRequest) -> Option<Reserved> {
        let all = self.reserved.get_mut(question)?;
        let own = all.iter().rposition(|one| one.is_of(request));
        let at = own.unwrap_or(all.len().saturating_sub(1));
        let reserved = (at < all.len()).then(|| all.remove(at));
        if all.is_empty() {
            self.reserved.remove(question);
        }
        reserved
    }

    /// The place of a loss among those that are remembered.
    fn loss(&mut self, loss: Cost) -> u32 {
        let known = self.losses.iter().position(|known| *known == loss);
        let place = known.or_else(|| {
            let place = self.losses.len();
            // Prices are few. Where they are many, what a release beyond the first ones cost is not remembered.
            (place < LOSSES_MOST).then(|| self.losses.push(loss)).map(|()| place)
        });
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX)
    }
}

/// The most prices of releases that are remembered.
const LOSSES_MOST: usize = 4_096;

impl Reserved {
    fn is_of(&self, request: &DecidedRequest) -> bool {
        self.request == request.request.0
    }
}

fn beginning(digest: &[u8; 32]) -> [u8; 8] {
    std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default())
}
