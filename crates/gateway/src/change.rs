//! Another policy comes into force between two questions.

use std::sync::{Arc, PoisonError};

use lango_document::Document;
use lango_store::StoreError;

use crate::{
    Gateway,
    changes::changes,
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
        let mut held = self.changing.lock().await;
        if let Err(error) = self.folder_holds(&mut held, Some(policy_digest(&documents))).await {
            let error = PolicyError::Signatures(error);
            self.folder(None, error.texts());
            return Err(error);
        }
        self.take_policy(documents).await
    }

    /// Notes that the folder cannot be read, for those who ask how the policy stands. What was signed of it has ended.
    pub async fn policy_unread(&self, error: &PolicyError) {
        let mut held = self.changing.lock().await;
        self.refused(error).await;
        if let Err(error) = self.folder_holds(&mut held, None).await {
            tracing::error!(%error, "signatures of a policy that the folder does not hold cannot be forgotten yet");
        }
    }

    /// Ends the signatures of what the folder does not hold any more. Where that fails, it is not known what it held.
    async fn folder_holds(
        &self,
        held: &mut Option<[u8; 32]>,
        found: Option<[u8; 32]>,
    ) -> Result<(), StoreError> {
        if found.is_some() && *held == found {
            return Ok(());
        }
        // What comes after a time of which nothing is known is signed anew.
        let kept = held.take().and(found);
        self.signing().forget_others(&self.store, kept.as_ref()).await?;
        *held = found;
        Ok(())
    }

    /// Takes the policy that the folder holds, or has it wait, and notes what became of it. The caller holds `changing`.
    pub(crate) async fn take_policy(&self, documents: Vec<Document>) -> Result<PolicyChange, PolicyError> {
        let changed = self.examined(documents).await;
        match &changed {
            Ok(PolicyChange::Same | PolicyChange::Activated { .. }) => self.folder(None, Vec::new()),
            // What waits was noted.
            Ok(PolicyChange::Waits { .. }) => {}
            Err(error) => self.refused(error).await,
        }
        changed
    }

    /// Notes what is wrong with the folder, and puts it on record where that is new.
    async fn refused(&self, error: &PolicyError) {
        let texts = error.texts();
        let is_new = self.refused_change.lock().is_ok_and(|before| *before != texts);
        self.folder(None, texts);
        if is_new {
            self.log_fault("policy", "refused").await;
        }
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
        let (administrators, now) = (&self.administrators, self.now());
        Signing { administrators, office: &self.office, region: &self.region, now }
    }

    async fn examined(&self, documents: Vec<Document>) -> Result<PolicyChange, PolicyError> {
        let digest = policy_digest(&documents);
        if digest == self.policy().digest {
            return Ok(PolicyChange::Same);
        }
        let (office, region) = (self.office.clone(), self.region.trust_domain().to_owned());
        let circumstances = Circumstances { office, region, today: self.today() };
        let read = move || PolicyInForce::read(&documents, &circumstances).map(|read| (read, documents));
        let ((policy, unwise), documents) = lango_transport::aside((), read).await??;
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
        let (before, today) = (self.policy(), self.today());
        let compare = move || (changes(&before.set, &policy.set, today), policy);
        let (changes, mut policy) = lango_transport::aside((), compare).await?;
        let signers =
            self.signing().signers_of(&self.store, &digest).await.map_err(PolicyError::Signatures)?;
        policy.declare(&self.store, &self.sources, (&self.office, self.now()), (&changes, &signers)).await?;
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

    /// How the policy stands.
    pub(crate) async fn policy_standing(&self) -> Result<PolicyStanding, StoreError> {
        let refused = self.refused_change.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let signed = self.signing().counted(&self.store.policy_signatures().await?);
        let waiting = self.waiting().map(|waiting| waiting.digest);
        let (waiting, signed) = WaitingPolicy::parted(waiting, signed);
        let policy = self.policy();
        Ok(PolicyStanding {
            in_force: (!policy.is_stopgap).then_some(policy.digest),
            signatures_needed: self.administrators.activation.signatures_needed(),
            administrators: self.administrators.listed.iter().map(ToString::to_string).collect(),
            waiting,
            signed,
            refused,
        })
    }

    /// The policy that a question which comes now is decided by.
    pub(crate) fn policy(&self) -> Arc<PolicyInForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }
}
