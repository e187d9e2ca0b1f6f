//! The policy that was activated last, kept whole, and who signed one that is to be activated.

use async_trait::async_trait;

use crate::{
    Record, Store, StoreError,
    engine::{Connection, Row, Run},
    rows,
    statement::statement,
    writer::Write,
};

/// A policy's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPolicy {
    /// Their digest.
    pub digest: [u8; 32],
    /// Their names and texts, as the digest takes them.
    pub files: Vec<u8>,
}

/// An administrator's signature of a policy that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySignature {
    /// The policy's digest.
    pub policy_digest: [u8; 32],
    /// Who signed, as a SPIFFE URI.
    pub administrator: String,
    /// When it came, in Unix seconds.
    pub signed_at: i64,
    /// The signed act with its signature and certificates, so that anybody can verify it.
    pub envelope: Vec<u8>,
}

statement! {
    /// The policy that was activated last.
    Kept = "SELECT policy_digest, files FROM policy_kept"
}

statement! {
    /// Keeps one in its place.
    Keep { digest, files } =
        "INSERT INTO policy_kept (one, policy_digest, files) VALUES (1, :digest, :files) \
         ON CONFLICT (one) DO UPDATE SET policy_digest = excluded.policy_digest, files = excluded.files"
}

statement! {
    /// Keeps one for good.
    KeepText { digest, files } =
        "INSERT INTO policy_text (policy_digest, files) VALUES (:digest, :files) ON CONFLICT (policy_digest) DO NOTHING"
}

statement! {
    /// One that came into force at some time.
    TextOf { digest } = "SELECT files FROM policy_text WHERE policy_digest = :digest"
}

statement! {
    /// Forgets all signatures where another policy than this one was activated last.
    ForgetSignatures { digest } =
        "DELETE FROM policy_signature WHERE NOT EXISTS (SELECT 1 FROM policy_kept WHERE policy_digest = :digest)"
}

statement! {
    /// All signatures, oldest first.
    Signatures = "SELECT policy_digest, administrator, signed_at, envelope FROM policy_signature ORDER BY signed_at, administrator"
}

statement! {
    /// Forgets one.
    ForgetSignature { digest, administrator } =
        "DELETE FROM policy_signature WHERE policy_digest = :digest AND administrator = :administrator"
}

statement! {
    /// Keeps one, and a row if the administrator had not signed that policy.
    InsertSignature { digest, administrator, signed_at, envelope } =
        "INSERT INTO policy_signature (policy_digest, administrator, signed_at, envelope) \
         VALUES (:digest, :administrator, :signed_at, :envelope) \
         ON CONFLICT (policy_digest, administrator) DO NOTHING RETURNING signed_at"
}

struct Sign {
    signature: PolicySignature,
    record: Record,
}

#[async_trait]
impl Write for Sign {
    const NAME: &'static str = "sign-policy";

    type Outcome = bool;

    async fn apply(&self, transaction: &mut Connection) -> Result<bool, StoreError> {
        let Self { signature: PolicySignature { policy_digest, administrator, signed_at, envelope }, record } =
            self;
        let insert = InsertSignature {
            digest: policy_digest.into(),
            administrator: administrator.into(),
            signed_at: (*signed_at).into(),
            envelope: envelope.as_slice().into(),
        };
        if transaction.optional(insert.into()).await?.is_none() {
            return Ok(false);
        }
        let leaf = record.leaf()?;
        for statement in record.statements(&leaf, None) {
            transaction.all(statement).await?;
        }
        Ok(true)
    }
}

struct ForgetSome(Vec<PolicySignature>);

#[async_trait]
impl Write for ForgetSome {
    const NAME: &'static str = "forget-signatures";

    type Outcome = ();

    async fn apply(&self, transaction: &mut Connection) -> Result<(), StoreError> {
        for PolicySignature { policy_digest, administrator, .. } in &self.0 {
            let forget =
                ForgetSignature { digest: policy_digest.into(), administrator: administrator.into() };
            transaction.all(forget.into()).await?;
        }
        Ok(())
    }
}

impl Store {
    /// The policy that was activated last, where one was.
    pub async fn kept_policy(&self) -> Result<Option<KeptPolicy>, StoreError> {
        kept(&mut self.reader()).await
    }

    /// The names and texts of the files of a policy that came into force at some time, as its digest takes them.
    pub async fn policy_text(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        text(&mut self.reader(), digest).await
    }

    /// The signatures of policies that are kept, oldest first.
    pub async fn policy_signatures(&self) -> Result<Vec<PolicySignature>, StoreError> {
        signatures(&mut self.reader()).await
    }

    /// Forgets signatures, all of them or none.
    pub async fn forget_signatures(&self, signatures: Vec<PolicySignature>) -> Result<(), StoreError> {
        self.write(ForgetSome(signatures)).await
    }

    /// Keeps a signature and records it, in one transaction; false where the administrator has signed that policy already, and
    /// nothing has changed.
    pub async fn sign_policy(
        &self,
        signature: &PolicySignature,
        record: &Record,
    ) -> Result<bool, StoreError> {
        self.write(Sign { signature: signature.clone(), record: record.clone() }).await
    }
}

/// INVARIANT (a signature is for one activation): when another policy comes into force than the one before, what was signed until
/// then is good for nothing any more. So a policy that was replaced comes back only if it is signed again.
pub(crate) async fn keep(transaction: &mut Connection, policy: &KeptPolicy) -> Result<(), StoreError> {
    let KeptPolicy { digest, files } = policy;
    transaction.all(ForgetSignatures { digest: digest.into() }.into()).await?;
    transaction.all(KeepText { digest: digest.into(), files: files.as_slice().into() }.into()).await?;
    transaction.all(Keep { digest: digest.into(), files: files.as_slice().into() }.into()).await?;
    Ok(())
}

pub(crate) async fn kept(run: &mut impl Run) -> Result<Option<KeptPolicy>, StoreError> {
    let kept = |row: Row| Ok(KeptPolicy { digest: rows::policy_digest(&row)?, files: row.get("files")? });
    run.optional(Kept.into()).await?.map(kept).transpose()
}

pub(crate) async fn text(run: &mut impl Run, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
    let row = run.optional(TextOf { digest: digest.into() }.into()).await?;
    row.map(|row| Ok(row.get("files")?)).transpose()
}

pub(crate) async fn signatures(run: &mut impl Run) -> Result<Vec<PolicySignature>, StoreError> {
    let signature = |row: &Row| {
        Ok(PolicySignature {
            policy_digest: rows::policy_digest(row)?,
            administrator: row.get("administrator")?,
            signed_at: row.get("signed_at")?,
            envelope: row.get("envelope")?,
        })
    };
    run.all(Signatures.into()).await?.iter().map(signature).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Decision,
        fixture::{Engine, Fixture, on_both_engines, record},
    };

    on_both_engines! {
        a_signature_is_kept_once_and_is_good_for_one_activation,
    }

    fn kept(number: u8) -> KeptPolicy {
        KeptPolicy { digest: [number; 32], files: vec![number; 3] }
    }

    fn signature(policy: u8, administrator: &str, signed_at: i64) -> PolicySignature {
        PolicySignature {
            policy_digest: [policy; 32],
            administrator: administrator.to_owned(),
            signed_at,
            envelope: vec![1],
        }
    }

    async fn a_signature_is_kept_once_and_is_good_for_one_activation(engine: Engine) {
        let Fixture { store, .. } = &Fixture::new(engine).await;
        assert_eq!(store.kept_policy().await.unwrap(), None);
        store.declare(&[], None, Some(&kept(1))).await.unwrap();
        assert_eq!(store.kept_policy().await.unwrap(), Some(kept(1)));
        let sign = async |signature: PolicySignature| {
            store.sign_policy(&signature, &record(Decision::Signed)).await.unwrap()
        };
        assert!(sign(signature(2, "kofi", 8)).await);
        assert!(sign(signature(2, "ama", 7)).await);
        assert!(!sign(signature(2, "ama", 9)).await, "signed already");
        assert!(sign(signature(3, "ama", 9)).await);
        let of = async |policy: u8| {
            let mut all = store.policy_signatures().await.unwrap();
            all.retain(|one| one.policy_digest == [policy; 32]);
            all
        };
        assert_eq!(of(2).await, [signature(2, "ama", 7), signature(2, "kofi", 8)]);
        assert_eq!(store.records(0, 9).await.unwrap().len(), 3, "each is recorded once");
        assert!(sign(signature(4, "ama", 9)).await);
        store.forget_signatures(of(4).await).await.unwrap();
        assert_eq!((of(2).await.len(), of(3).await.len(), of(4).await.len()), (2, 1, 0));
        // The same policy again, as at every start, leaves them; another one makes them void.
        store.declare(&[], None, Some(&kept(1))).await.unwrap();
        assert_eq!((of(2).await.len(), of(3).await.len()), (2, 1));
        store.declare(&[], None, Some(&kept(2))).await.unwrap();
        assert_eq!((of(2).await.len(), of(3).await.len()), (0, 0));
        assert_eq!(store.kept_policy().await.unwrap(), Some(kept(2)));
    }
}
