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
    standing::SignedBy,
};

/// A good change of the policy that waits for signatures.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub digest: [u8; 32],
    pub documents: Arc<[Document]>,
}

/// Whose signatures count, and for which office.
pub(crate) struct Signing<'a> {
    pub administrators: &'a Administrators,
    pub office: &'a SpiffeId,
    pub region: &'a Region,
}

impl Signing<'_> {
    /// Who has signed a policy: administrators that are listed now, each once, whose signature holds.
    pub(crate) async fn signed_by(
        &self,
        store: &Store,
        digest: &[u8; 32],
    ) -> Result<Vec<SignedBy>, StoreError> {
        let mut signed: Vec<SignedBy> = Vec::new();
        for signature in store.policy_signatures(digest).await? {
            match self.signer(&signature, digest) {
                Some(administrator) if signed.iter().all(|one| one.administrator != administrator) => {
                    signed.push(SignedBy { administrator, at: signature.signed_at });
                }
                Some(_) => {}
                None => tracing::warn!(
                    administrator = signature.administrator, policy = %hex::encode(digest),
                    "a signature of a policy does not count: its signer is not listed any more, or it was changed"
                ),
            }
        }
        Ok(signed)
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

    /// Whose signature of a policy it is, verified as when it came.
    fn signer(&self, signature: &PolicySignature, digest: &[u8; 32]) -> Option<String> {
        let envelope = kept_envelope(&signature.envelope)?;
        let limits = EnvelopeLimits::default();
        let verified =
            verify(&envelope, PayloadType::Administration, self.region, signature.signed_at, limits).ok()?;
        let signed = Administration::decode(&verified.payload, &verified.principal).ok()?;
        let is_good = signed.act == Act::Sign { policy: *digest }
            && signed.office == *self.office
            && self.administrators.listed.contains(&verified.principal);
        is_good.then(|| verified.principal.to_string())
    }
}

/// The files that an office decides by while its folder waits: those that were activated last, or where none were, a policy that
/// grants nothing.
pub(crate) fn standing_files(kept: Option<&KeptPolicy>, office: &str) -> Option<Vec<Document>> {
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
