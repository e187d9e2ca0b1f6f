//! The key that signs what a server says.

use std::sync::{Arc, PoisonError, RwLock};

use lango_identity::{Envelope, PayloadType, Signer};

/// The key that signs, which may be replaced: what is signed at a moment is signed by that moment's.
#[derive(Debug)]
pub struct SignerInUse(RwLock<Arc<Signer>>);

impl SignerInUse {
    /// Signs with this key from now on.
    pub fn new(signer: Signer) -> Self {
        Self(RwLock::new(Arc::new(signer)))
    }

    /// The key of this moment.
    pub fn now(&self) -> Arc<Signer> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Signs with the key of this moment.
    pub fn sign(&self, kind: PayloadType, payload: Vec<u8>) -> Envelope {
        self.now().sign(kind, payload)
    }

    /// Signs with this key from now on.
    pub fn replace(&self, signer: Signer) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(signer);
    }
}
