//! Another policy comes into force between two questions.

use std::sync::{Arc, PoisonError};

use lango_document::Document;

use crate::{
    Gateway,
    in_force::{Circumstances, PolicyError, PolicyInForce, log, policy_digest},
    lapse::lapse_reviews,
};

/// What became of policy files that a gateway was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyChange {
    /// They are in force already.
    Same,
    /// They are from now on.
    Activated {
        /// Their digest.
        digest: [u8; 32],
    },
}

impl Gateway {
    /// Puts other policy files in force, all of them or none. They are checked as at the start, while questions go on; a question
    /// that has begun ends under the policy that it began with.
    ///
    /// INVARIANT (a policy decides only if it is recorded): what the ledger keeps of a policy, and the record that it came into
    /// force, are durable before the first question is decided by it; and nothing that comes after that can fail.
    pub async fn change_policy(&self, documents: Vec<Document>) -> Result<PolicyChange, PolicyError> {
        let _alone = self.changing.lock().await;
        let digest = policy_digest(&documents);
        if digest == self.policy().digest {
            return Ok(PolicyChange::Same);
        }
        let (office, region) = (self.office.clone(), self.region.trust_domain().to_owned());
        let circumstances = Circumstances { office, region, today: self.today() };
        let read = move || PolicyInForce::read(&documents, &circumstances);
        let (policy, unwise) = lango_transport::aside((), read).await??;
        policy.check_sources(&self.sources).await?;
        let bounded = policy.bounded(&self.store, &self.sources).await;
        policy.declare(&self.store, &self.sources, (&self.office, Some(self.now()))).await?;
        let (datasets, grants) = (policy.set.datasets.len(), policy.set.grants.len());
        let before = std::mem::replace(
            &mut *self.in_force.write().unwrap_or_else(PoisonError::into_inner),
            Arc::new(policy),
        );
        // Large as it may be, it is taken apart when nobody waits for the lock any more.
        drop(before);
        tracing::info!(policy = %hex::encode(digest), datasets, grants, "another policy is in force");
        log(&unwise, &bounded);
        lapse_reviews(&self.store, &self.policy(), (&self.office, self.now(), self.today())).await;
        Ok(PolicyChange::Activated { digest })
    }

    /// The policy that a question which comes now is decided by.
    pub(crate) fn policy(&self) -> Arc<PolicyInForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }
}
