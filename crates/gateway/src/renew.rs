//! Other keys and certificates of the office, for a gateway that runs.

use std::sync::{Arc, PoisonError, RwLock};

use lango_identity::{Envelope, PayloadType, Signer, TlsIdentity, server_config};

use crate::{Gateway, OpenError, config::check_tls};

/// The key that signs, which may be replaced: what is signed at a moment is signed by that moment's.
pub(crate) struct SignerInUse(RwLock<Arc<Signer>>);

impl SignerInUse {
    pub fn new(signer: Signer) -> Self {
        Self(RwLock::new(Arc::new(signer)))
    }

    /// The key of this moment.
    pub fn now(&self) -> Arc<Signer> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn sign(&self, kind: PayloadType, payload: Vec<u8>) -> Envelope {
        self.now().sign(kind, payload)
    }

    fn replace(&self, signer: Signer) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(signer);
    }
}

impl Gateway {
    /// Takes other keys and certificates into use: answers are signed by the new key from now on, and new connections are shown
    /// the new certificate. Connections that are open stay.
    ///
    /// # Errors
    /// They are not the office's, or nobody would believe them: then those of before stay.
    pub fn renew(&self, tls: &TlsIdentity, signer: Signer) -> Result<(), OpenError> {
        let now = self.now();
        signer.check(&self.region, now).map_err(OpenError::Signing)?;
        if *signer.principal() != self.office {
            return Err(OpenError::Office { found: signer.principal().clone(), office: self.office.clone() });
        }
        check_tls(tls, &signer, &self.region, now).map_err(OpenError::Tls)?;
        let config = server_config(tls, &self.region).map_err(|error| OpenError::Tls(error.to_string()))?;
        self.signer.replace(signer);
        self.tls.send_replace(config);
        Ok(())
    }
}
