//! Other keys and certificates of the office, for a gateway that runs.

use lango_identity::{Signer, SpiffeId, TlsIdentity, Unauthenticated, server_config};
use lango_store::StoreError;

use crate::{Gateway, config::check_tls};

/// Why other keys and certificates are not taken into use.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The certificate for answers is not good.
    #[error("the signing certificate is not good: {0}")]
    Signing(Unauthenticated),
    /// The certificate for TLS is another principal's, or not good.
    #[error("the TLS certificate is not good: {0}")]
    Tls(String),
    /// They cannot be recorded.
    #[error("that they are in use cannot be recorded: {0}")]
    Store(#[from] StoreError),
    /// They are another principal's.
    #[error("the certificates are of {found}, and this is the gateway of {office}")]
    Office {
        /// Whose they are.
        found: SpiffeId,
        /// Whose gateway it is.
        office: SpiffeId,
    },
}

impl Gateway {
    /// Takes other keys and certificates into use: answers are signed by the new key from now on, and new connections are shown
    /// the new certificate. Connections that are open stay. It is on record before.
    ///
    /// # Errors
    /// They are not the office's, or nobody would believe them: then those of before stay.
    pub async fn renew(&self, tls: &TlsIdentity, signer: Signer) -> Result<(), RenewError> {
        let now = self.now();
        signer.check(&self.region, now).map_err(RenewError::Signing)?;
        if *signer.principal() != self.office {
            return Err(RenewError::Office {
                found: signer.principal().clone(),
                office: self.office.clone(),
            });
        }
        check_tls(tls, &signer, &self.region, now).map_err(RenewError::Tls)?;
        let config = server_config(tls, &self.region).map_err(|error| RenewError::Tls(error.to_string()))?;
        self.log_renewed(tls, &signer).await?;
        self.signer.replace(signer);
        self.tls.send_replace(config);
        Ok(())
    }
}
