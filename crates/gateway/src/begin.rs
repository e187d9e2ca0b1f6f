//! By which policy a gateway begins: the one in its folder if it may come into force, else the one that was activated last.

use std::{collections::HashMap, sync::Arc};

use lango_document::{Diagnostic, Diagnostics, Document};
use lango_source::Source;
use lango_store::{KeptPolicy, Store, StoreError};

use crate::{
    administrators::Activation,
    in_force::{Circumstances, PolicyError, PolicyInForce, policy_digest},
    open_error::OpenError,
    two::{Signing, Waiting, standing_files},
};

/// A policy in a folder that could come into force.
pub(crate) struct FolderPolicy {
    policy: PolicyInForce,
    unwise: Vec<Diagnostic>,
    documents: Vec<Document>,
}

/// Why the policy in a folder cannot come into force, and its digest where it can be read.
pub(crate) struct FolderFault {
    pub error: PolicyError,
    held: Option<[u8; 32]>,
}

impl FolderPolicy {
    /// Checks a folder's files, and that their datasets can be served.
    pub(crate) async fn read(
        files: Result<Vec<Document>, Diagnostics>,
        circumstances: &Circumstances,
        sources: &HashMap<String, Arc<dyn Source>>,
    ) -> Result<Self, FolderFault> {
        let unread = |wrong| FolderFault { error: PolicyError::Wrong(wrong), held: None };
        let documents = files.map_err(unread)?;
        let wrong = |error| FolderFault { error, held: Some(policy_digest(&documents)) };
        let (policy, unwise) = PolicyInForce::read(&documents, circumstances).map_err(wrong)?;
        policy.check_sources(sources).await.map_err(wrong)?;
        Ok(Self { policy, unwise, documents })
    }
}

/// What a gateway begins with.
pub(crate) struct Begun {
    /// What decides.
    pub policy: PolicyInForce,
    /// What is unwise in it.
    pub unwise: Vec<Diagnostic>,
    /// Digest of what the folder holds, where it can be read.
    pub held: Option<[u8; 32]>,
    /// What of the folder waits for signatures.
    pub waiting: Option<Waiting>,
    /// What is wrong with the folder.
    pub refused: Vec<String>,
}

impl Begun {
    /// Decides by the folder's policy if it may come into force, else by what was activated last. A folder that is wrong keeps no
    /// gateway from what was activated last, and ends the signatures of what it held before.
    pub(crate) async fn of(
        found: Result<FolderPolicy, FolderFault>,
        store: &Store,
        signing: &Signing<'_>,
        circumstances: &Circumstances,
        sources: &HashMap<String, Arc<dyn Source>>,
    ) -> Result<Self, OpenError> {
        let held = match &found {
            Ok(found) => Some(found.policy.digest),
            Err(fault) => fault.held,
        };
        let signed_of = held.as_ref().filter(|_| signing.administrators.activation == Activation::Two);
        signing.forget_others(store, signed_of).await?;
        let kept = store.kept_policy().await?;
        let (waiting, refused) = match found {
            Ok(FolderPolicy { policy, unwise, documents }) => {
                if signing.may_activate(store, &policy.digest).await? {
                    return Ok(Self { policy, unwise, held, waiting: None, refused: Vec::new() });
                }
                tracing::warn!(policy = %hex::encode(policy.digest), "the policy in the folder waits for signatures");
                (Some(Waiting { digest: policy.digest, documents: documents.into() }), Vec::new())
            }
            // There is no other one to begin with.
            Err(FolderFault { error, .. }) if kept.as_ref().is_none_or(|kept| held == Some(kept.digest)) => {
                return Err(error.into());
            }
            Err(FolderFault { error, .. }) => {
                tracing::error!("{error}");
                tracing::error!(
                    "the policy in the folder is refused: the one that was activated last decides"
                );
                (None, error.texts())
            }
        };
        let (policy, unwise) = standing(kept.as_ref(), circumstances, sources).await?;
        Ok(Self { policy, unwise, held, waiting, refused })
    }
}

/// What an office decides by while the policy in its folder does not.
async fn standing(
    kept: Option<&KeptPolicy>,
    circumstances: &Circumstances,
    sources: &HashMap<String, Arc<dyn Source>>,
) -> Result<(PolicyInForce, Vec<Diagnostic>), OpenError> {
    let files = standing_files(kept, circumstances.office.name()).ok_or(StoreError::Damaged("policy"))?;
    let (mut policy, unwise) = PolicyInForce::read(&files, circumstances).map_err(OpenError::Kept)?;
    policy.is_stopgap = kept.is_none();
    policy.check_sources(sources).await.map_err(OpenError::Kept)?;
    match kept {
        Some(_) => tracing::info!(policy = %hex::encode(policy.digest), "what was activated last decides"),
        None => tracing::warn!("no policy has come into force yet: nothing is granted"),
    }
    Ok((policy, unwise))
}
