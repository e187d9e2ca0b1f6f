//! Another policy comes into force between two questions.

use std::sync::{Arc, PoisonError};

use lango_document::Document;
use lango_store::StoreError;

use crate::{
    Gateway,
    in_force::{Circumstances, PolicyError, PolicyInForce, log, policy_digest},
    lapse::lapse_reviews,
    standing::{PolicyStanding, WaitingPolicy},
    two::{Signing, Waiting},
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
    /// They are good, and wait until two administrators have signed them.
    Waits {
        /// Their digest.
        digest: [u8; 32],
    },
}

impl Gateway {
    /// Puts other policy files in force, all of them or none, or has them wait for signatures. They are checked as at the start,
    /// while questions go on; a question that has begun ends under the policy that it began with.
    ///
    /// INVARIANT (a policy decides only if it is recorded): what the ledger keeps of a policy, and the record that it came into
    /// force, are durable before the first question is decided by it; and nothing that comes after that can fail.
    pub async fn change_policy(&self, documents: Vec<Document>) -> Result<PolicyChange, PolicyError> {
        let changed = self.take_policy(documents).await;
        match &changed {
            Ok(PolicyChange::Same | PolicyChange::Activated { .. }) => self.folder(None, Vec::new()),
            // What waits was noted.
            Ok(PolicyChange::Waits { .. }) => {}
            Err(error) => self.policy_refused(error),
        }
        changed
    }

    /// Notes what became of the folder: what of it waits, and what is wrong with it.
    fn folder(&self, waiting: Option<Waiting>, refused: Vec<String>) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
        *self.refused_change.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    /// The change that waits for signatures.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whose signatures of a policy count.
    pub(crate) fn signing(&self) -> Signing<'_> {
        Signing { administrators: &self.administrators, office: &self.office, region: &self.region }
    }

    async fn take_policy(&self, documents: Vec<Document>) -> Result<PolicyChange, PolicyError> {
        let _alone = self.changing.lock().await;
        let digest = policy_digest(&documents);
        if digest == self.policy().digest {
            return Ok(PolicyChange::Same);
        }
        let (office, region) = (self.office.clone(), self.region.trust_domain().to_owned());
        let circumstances = Circumstances { office, region, today: self.today() };
        let read = move || PolicyInForce::read(&documents, &circumstances).map(|read| (read, documents));
        let ((mut policy, unwise), documents) = lango_transport::aside((), read).await??;
        policy.check_sources(&self.sources).await?;
        let may_activate = self.signing().may_activate(&self.store, &digest).await;
        if !may_activate.map_err(PolicyError::Signatures)? {
            if self.waiting().is_none_or(|waiting| waiting.digest != digest) {
                tracing::info!(policy = %hex::encode(digest), "a change of the policy waits for signatures");
            }
            self.folder(Some(Waiting { digest, documents: documents.into() }), Vec::new());
            return Ok(PolicyChange::Waits { digest });
        }
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

    /// Remembers what is wrong with the folder for those who ask how the policy stands.
    pub fn policy_refused(&self, error: &PolicyError) {
        let texts = match error.diagnostics() {
            Some(found) => found.iter().map(ToString::to_string).collect(),
            None => vec![error.to_string()],
        };
        self.folder(None, texts);
    }

    /// How the policy stands.
    pub(crate) async fn policy_standing(&self) -> Result<PolicyStanding, StoreError> {
        let refused = self.refused_change.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let waiting = match self.waiting() {
            None => None,
            Some(Waiting { digest, .. }) => {
                Some(WaitingPolicy { digest, signed: self.signing().signed_by(&self.store, &digest).await? })
            }
        };
        Ok(PolicyStanding {
            in_force: Some(self.policy().digest),
            signatures_needed: self.administrators.activation.signatures_needed(),
            administrators: self.administrators.listed.iter().map(ToString::to_string).collect(),
            waiting,
            refused,
        })
    }

    /// The policy that a question which comes now is decided by.
    pub(crate) fn policy(&self) -> Arc<PolicyInForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }
}
