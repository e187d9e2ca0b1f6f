//! Replay: questions that were asked, decided again by the policy in force and by one that is proposed.

use std::cmp::Ordering;

use lango_privacy::Query;

use crate::{authorize::Granted, denial::AccessRequest, judge::Judged, set::PolicySet};

/// A question that two policies decided on the same day.
#[derive(Debug, Clone)]
pub struct Replayed<'a> {
    /// What the policy in force says of it.
    pub before: Judged<'a>,
    /// What the proposed one says of it.
    pub now: Judged<'a>,
    /// What becomes of it otherwise; none where it is decided and charged alike, whatever the reason of a refusal.
    pub change: Option<ReplayChange>,
}

/// What becomes of a question otherwise. One that fits several is of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplayChange {
    /// It was permitted, and is refused.
    Refused,
    /// It was refused, and is permitted.
    Allowed,
    /// It costs more.
    Dearer,
    /// It costs less.
    Cheaper,
    /// It costs the same, of another grant or pool.
    ChargedElsewhere,
    /// It costs the same, but what was answered before is of another version or other terms, so that its answer is not free.
    AnsweredAnew,
}

impl ReplayChange {
    /// Every change, in the order in which people read of them.
    pub const ALL: [Self; 6] = [
        Self::Refused,
        Self::Allowed,
        Self::Dearer,
        Self::Cheaper,
        Self::ChargedElsewhere,
        Self::AnsweredAnew,
    ];
}

impl PolicySet {
    /// Decides a question again, by this policy and by a proposed one.
    pub fn replay<'a>(
        &'a self,
        proposed: &'a Self,
        asked: &AccessRequest<'_>,
        query: &Query,
    ) -> Replayed<'a> {
        let (before, now) = (self.judge(asked, query), proposed.judge(asked, query));
        let change = change(&before, &now, query);
        Replayed { before, now, change }
    }
}

fn change(before: &Judged<'_>, now: &Judged<'_>, query: &Query) -> Option<ReplayChange> {
    let ((old, cost), (new, price)) = match (before, now) {
        (Judged::Permitted { granted: old, loss: cost }, Judged::Permitted { granted: new, loss: price }) => {
            ((old, cost), (new, price))
        }
        (Judged::Permitted { .. }, Judged::Unplanned { .. } | Judged::Denied { .. }) => {
            return Some(ReplayChange::Refused);
        }
        (Judged::Unplanned { .. } | Judged::Denied { .. }, Judged::Permitted { .. }) => {
            return Some(ReplayChange::Allowed);
        }
        (
            Judged::Unplanned { .. } | Judged::Denied { .. },
            Judged::Unplanned { .. } | Judged::Denied { .. },
        ) => {
            return None;
        }
    };
    // Amounts of one currency are compared as they are charged, others by what they guarantee.
    let amounts = match (&old.budget.account, &new.budget.account) {
        (from, to) if from.word() == to.word() => (cost.amount(from), price.amount(to)),
        _ => (old.epsilon_nano(cost), new.epsilon_nano(price)),
    };
    let of = |amount: Option<u64>| amount.unwrap_or(u64::MAX);
    let terms = |granted: &Granted<'_>| {
        (granted.dataset.version.clone(), granted.dataset.terms(query.columns(), &granted.budget.account))
    };
    match (of(amounts.1), price.delta_e18).cmp(&(of(amounts.0), cost.delta_e18)) {
        Ordering::Greater => Some(ReplayChange::Dearer),
        Ordering::Less => Some(ReplayChange::Cheaper),
        Ordering::Equal if (&old.grant.id, &old.pool.name) != (&new.grant.id, &new.pool.name) => {
            Some(ReplayChange::ChargedElsewhere)
        }
        Ordering::Equal => (terms(old) != terms(new)).then_some(ReplayChange::AnsweredAnew),
    }
}

#[cfg(test)]
mod tests;
