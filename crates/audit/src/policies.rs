//! Policies by their digests, read again from the texts that are held.

use std::{collections::HashMap, sync::Arc};

use lango_policy::{PolicySet, canonical_documents};

use crate::fault::LogFault;

/// How digests are made, which names what is hashed: the caller knows.
#[derive(Debug, Clone, Copy)]
pub struct Digests {
    /// Of a question's text.
    pub question: fn(&[u8]) -> [u8; 32],
    /// Of the bytes of a policy's files.
    pub policy: fn(&[u8]) -> [u8; 32],
}

/// The bytes of a policy's files by its digest, where they are held.
pub type PolicyTexts<'t> = dyn Fn(&[u8; 32]) -> Option<Vec<u8>> + 't;

/// What was found of a policy.
type Found = Result<Arc<PolicySet>, LogFault>;

/// The policies that the log speaks of, each read once.
pub(crate) struct Policies<'t> {
    texts: &'t PolicyTexts<'t>,
    digests: Digests,
    found: HashMap<[u8; 32], Found>,
}

impl<'t> Policies<'t> {
    pub(crate) fn new(texts: &'t PolicyTexts<'t>, digests: Digests) -> Self {
        Self { texts, digests, found: HashMap::new() }
    }

    pub(crate) const fn digests(&self) -> Digests {
        self.digests
    }

    /// A policy by its digest, and whether it was asked for the first time.
    pub(crate) fn get(&mut self, digest: &[u8; 32]) -> (&Found, bool) {
        let is_new = !self.found.contains_key(digest);
        let (texts, digests) = (self.texts, self.digests);
        let found = self.found.entry(*digest).or_insert_with(|| read(texts, digests, digest));
        (found, is_new)
    }
}

fn read(texts: &PolicyTexts<'_>, digests: Digests, digest: &[u8; 32]) -> Found {
    let digest = *digest;
    let text = texts(&digest).ok_or(LogFault::PolicyUnknown { digest })?;
    if (digests.policy)(&text) != digest {
        return Err(LogFault::PolicyText { digest });
    }
    let documents = canonical_documents(&text).ok_or(LogFault::PolicyText { digest })?;
    PolicySet::read(&documents).map(Arc::new).map_err(|_| LogFault::PolicyUnread { digest })
}
