//! Pools: which charges follow their rows when a policy comes into force, decided again from the policies.

use std::collections::BTreeSet;

use lango_access_log::MovedCharges;
use lango_ledger::{DeclaredMember, KnownMember, PoolMember, PoolsError, follow};
use lango_policy::PolicySet;

use crate::{accounts::Accounts, fault::LogFault};

/// The members of the pools by the policies that came into force so far, as they name their tables. A gateway also knows what
/// its sources reach, which no policy says: it may move more, and refuse more, but nothing that is decided here otherwise.
#[derive(Debug, Default)]
pub(crate) struct FollowedPools {
    known: BTreeSet<PoolMember>,
}

impl FollowedPools {
    /// Takes the policy that a gateway started with. It is new only where the log began with it.
    pub(crate) fn start(&mut self, policy: &PolicySet) {
        if self.known.is_empty() {
            self.known = declared(policy).into_iter().map(|declared| declared.member).collect();
        }
    }

    /// Takes a policy that comes into force and the moves that its entry names: whether they are those that follow.
    pub(crate) fn follow(
        &mut self,
        policy: &PolicySet,
        moved: &[MovedCharges],
        accounts: &Accounts,
    ) -> Result<(), LogFault> {
        let declared = declared(policy);
        let known = |member: &PoolMember| KnownMember {
            member: member.clone(),
            is_charged: accounts.is_charged(&member.pool),
        };
        let known: Vec<KnownMember> = self.known.iter().map(known).collect();
        let followed = follow(&known, &declared);
        let target = |pool: &str| moved.iter().find(|moved| moved.from == pool).map(|moved| moved.to.clone());
        let kept = known.into_iter().filter(|known| known.is_charged).map(|known| PoolMember {
            pool: target(&known.member.pool).unwrap_or(known.member.pool),
            ..known.member
        });
        self.known = declared.iter().map(|declared| declared.member.clone()).chain(kept).collect();
        let is_declared = |pool: &str| declared.iter().any(|declared| declared.member.pool == pool);
        for MovedCharges { from, to } in moved {
            let is_only = target(from).as_ref() == Some(to);
            if is_declared(from) || !is_declared(to) || !is_only {
                return Err(LogFault::Moved { from: from.clone(), to: to.clone() });
            }
        }
        // Datasets from before the log are not all known, nor is what was charged to them.
        if accounts.has_earlier() {
            return Ok(());
        }
        match followed {
            Ok(pools) => {
                let left = pools.moves.into_iter().find(|(from, to)| target(from).as_ref() != Some(to));
                left.map_or(Ok(()), |(from, to)| Err(LogFault::NotMoved { from, to }))
            }
            // What its tables reach may have said.
            Err(PoolsError::Unclear { .. }) => Ok(()),
            Err(error @ (PoolsError::Leaves { .. } | PoolsError::Split { .. })) => {
                Err(LogFault::Parted { error })
            }
        }
    }
}

fn declared(policy: &PolicySet) -> Vec<DeclaredMember> {
    let member = |dataset: &lango_privacy::Dataset| {
        let pool = policy.pool(&dataset.name)?;
        let member = PoolMember {
            pool: pool.name.to_string(),
            dataset: dataset.name.to_string(),
            rows_from: dataset.rows_from(),
        };
        Some(DeclaredMember { member, has_group: pool.is_group })
    };
    policy.datasets.values().filter_map(member).collect()
}
