//! The two-person rule: a change of the policy comes into force when two administrators of the office have signed it.
//!
//! The first who signs proposes it, and another one activates it. What each signs is an act: for this office, of this digest, as
//! [`Act::Sign`], over the bytes that came, so that it is good for no other office, no other policy and nothing else.

use std::sync::Arc;

use lango_document::Document;
use lango_identity::{EnvelopeLimits, PayloadType, Region, SpiffeId, verify};
use lango_policy::canonical_documents;
use lango_store::{KeptPolicy, PolicySignature, Store, StoreError};
use lango_wire::{Act, Administration, kept_envelope};

use crate::{
    administrators::{Activation, Administrators},
    in_force::policy_digest,
    standing::{SignedBy, WaitingPolicy},
};

/// How long a signature of a policy counts, in seconds: seven days.
const SIGNATURE_LIFE_S: i64 = 7 * 86_400;

/// A good change of the policy that waits for signatures.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub digest: [u8; 32],
    pub documents: Arc<[Document]>,
}

/// Whose signatures count, for which office, and when.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    /// The office's administrators.
    pub administrators: &'a Administrators,
    /// The office.
    pub office: &'a SpiffeId,
    /// Its region.
    pub region: &'a Region,
    /// The moment, in Unix seconds.
    pub now: i64,
}

impl Signing<'_> {
    /// Which policies were signed, and by whom: by administrators that are listed now, each once, within the last seven days,
    /// whose signature holds.
    pub fn counted(&self, signatures: &[PolicySignature]) -> Vec<WaitingPolicy> {
        let mut found: Vec<WaitingPolicy> = Vec::new();
        for signature in signatures {
            let Some(administrator) = self.signer(signature) else { continue };
            let (digest, at) = (signature.policy_digest, signature.signed_at);
            let signed = SignedBy { administrator, at };
            match found.iter_mut().find(|policy| policy.digest == digest) {
                None => found.push(WaitingPolicy { digest, signed: vec![signed] }),
                Some(policy) => {
                    if policy.signed.iter().all(|one| one.administrator != signed.administrator) {
                        policy.signed.push(signed);
                    }
                }
            }
        }
        found
    }

    /// Who has signed a policy.
    pub(crate) async fn signed_by(
        &self,
        store: &Store,
        digest: &[u8; 32],
    ) -> Result<Vec<SignedBy>, StoreError> {
        let found = self.counted(&store.policy_signatures().await?).into_iter();
        Ok(found.filter(|policy| policy.digest == *digest).flat_map(|policy| policy.signed).collect())
    }

    /// The names of those who have signed a policy.
    pub(crate) async fn signers_of(
        &self,
        store: &Store,
        digest: &[u8; 32],
    ) -> Result<Vec<String>, StoreError> {
        let signed = self.signed_by(store, digest).await?;
        Ok(signed.into_iter().map(|signed| signed.administrator).collect())
    }

    /// INVARIANT (a signature lasts as long as the folder holds what it signs): forgets all signatures but those that count and
    /// are of the policy that the folder holds, where it can be read.
    pub(crate) async fn forget_others(
        &self,
        store: &Store,
        held: Option<&[u8; 32]>,
    ) -> Result<(), StoreError> {
        let mut ended = store.policy_signatures().await?;
        ended.retain(|one| Some(&one.policy_digest) != held || self.signer(one).is_none());
        for PolicySignature { policy_digest, administrator, .. } in &ended {
            tracing::warn!(
                administrator, policy = %hex::encode(policy_digest),
                "a signature of a policy has ended: the folder holds another one, the signer is not listed, or it is too old"
            );
        }
        if ended.is_empty() { Ok(()) } else { store.forget_signatures(ended).await }
    }

    /// INVARIANT (nothing unsigned decides): a policy may come into force where one person changes it, where it was activated
    /// last, or where as many administrators as it takes have signed it.
    pub(crate) async fn may_activate(&self, store: &Store, digest: &[u8; 32]) -> Result<bool, StoreError> {
        match self.administrators.activation {
            Activation::One => Ok(true),
            Activation::Two => {
                let is_kept = store.kept_policy().await?.is_some_and(|kept| kept.digest == *digest);
                let needed = self.administrators.activation.signatures_needed();
                Ok(is_kept || self.signed_by(store, digest).await?.len() >= needed)
            }
        }
    }

    /// Whose signature it is, verified as when it came, if it counts now.
    fn signer(&self, signature: &PolicySignature) -> Option<String> {
        if self.now.saturating_sub(signature.signed_at) >= SIGNATURE_LIFE_S {
            return None;
        }
        let envelope = kept_envelope(&signature.envelope)?;
        let limits = EnvelopeLimits::default();
        let verified =
            verify(&envelope, PayloadType::Administration, self.region, signature.signed_at, limits).ok()?;
        let signed = Administration::decode(&verified.payload, &verified.principal).ok()?;
        let is_good = signed.act == Act::Sign { policy: signature.policy_digest }
            && signed.office == *self.office
            && self.administrators.listed.contains(&verified.principal);
        is_good.then(|| verified.principal.to_string())
    }
}

/// The files that an office decides by while its folder waits: those that were activated last, or where none were, a policy that
/// grants nothing. Nothing where those that were activated are damaged.
pub fn standing_files(kept: Option<&KeptPolicy>, office: &str) -> Option<Vec<Document>> {
    let Some(kept) = kept else {
        let nothing = format!("policy = 2\noffice = \"{office}\"\n");
        return Some(vec![Document::new("nothing.toml", nothing)]);
    };
    canonical_documents(&kept.files).filter(|documents| policy_digest(documents) == kept.digest)
}

#[cfg(test)]
mod tests {
    use lango_policy::{PolicySet, canonical_bytes};

    use super::*;

    #[test]
    fn what_is_kept_is_read_back_whole_or_not_at_all_and_where_nothing_is_nothing_is_granted() {
        let nothing = standing_files(None, "GHA").unwrap();
        let set = PolicySet::read(&nothing).unwrap();
        assert_eq!((set.office.as_str(), set.datasets.len(), set.grants.len()), ("GHA", 0, 0));
        let documents = vec![Document::new("a.toml", "x\n"), Document::new("b.csv", "y\n")];
        let kept = KeptPolicy { digest: policy_digest(&documents), files: canonical_bytes(&documents) };
        let found = standing_files(Some(&kept), "GHA").unwrap();
        assert_eq!(policy_digest(&found), kept.digest);
        assert!(standing_files(Some(&KeptPolicy { digest: [0; 32], ..kept.clone() }), "GHA").is_none());
        assert!(
            standing_files(Some(&KeptPolicy { files: kept.files[1..].to_vec(), ..kept }), "GHA").is_none()
        );
    }
}
