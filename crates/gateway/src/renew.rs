//! Other keys and certificates of the office, for a gateway that runs.

use lango_identity::{Signer, TlsIdentity, server_config};

use crate::{Gateway, OpenError, config::check_tls};

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
