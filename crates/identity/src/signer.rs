//! Signing: a principal's key, with the chain that says whose it is.

use std::fmt;
use std::path::Path;

use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use lango_files::{FileError, read, read_secret};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::certificate::{CertificateFault, Facts, leaf_facts};
use crate::chain::without_roots;
use crate::dsse::{PayloadType, pae};
use crate::envelope::Envelope;
use crate::pem::{PemError, certificates_from_pem, key_from_pem};
use crate::region::Region;
use crate::revocation::RevocationRule;
use lango_principal::SpiffeId;

/// A principal's signing key. It prints its principal, never itself.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    chain: Vec<CertificateDer<'static>>,
    facts: Facts,
}

impl Signer {
    /// Reads `signing.pem` (the chain, the principal's certificate first) and `signing.key` (PKCS#8) of a directory.
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn load(dir: &Path) -> Result<Self, SignerError> {
        Self::from_pem(&read(&dir.join("signing.pem"))?, &read_secret(&dir.join("signing.key"))?)
    }

    /// Reads a chain and an Ed25519 key in PKCS#8, both PEM; an authority that signs itself is left out of the chain. Whether
    /// the certificate is valid and the region's is not asked here, see [`Signer::check`]: verifiers decide at their own time.
    ///
    /// # Errors
    /// [`SignerError`] when a text is unreadable or the key is not the certificate's.
    pub fn from_pem(chain_pem: &[u8], key_pem: &[u8]) -> Result<Self, SignerError> {
        let chain = without_roots(certificates_from_pem(chain_pem)?);
        let facts = leaf_facts(&chain).ok_or(PemError::NoCertificate)??;
        let PrivateKeyDer::Pkcs8(der) = key_from_pem(key_pem)? else {
            return Err(SignerError::KeyEncoding);
        };
        let key = SigningKey::from_pkcs8_der(der.secret_pkcs8_der()).map_err(|_| SignerError::KeyEncoding)?;
        match facts.ed25519 {
            None => Err(CertificateFault::KeyAlgorithm.into()),
            Some(public) if public != key.verifying_key().to_bytes() => Err(SignerError::KeyMismatch),
            Some(_) => Ok(Self { key, chain, facts }),
        }
    }

    /// Whether the certificate keeps the region's rules for signing, is valid at `now` (Unix seconds) and on no list that the
    /// region holds, and its chain is no longer than verifiers take.
    ///
    /// # Errors
    /// What [`verify`](crate::verify) would refuse the certificates for.
    pub fn check(&self, region: &Region, now: i64) -> Result<(), crate::Unauthenticated> {
        let rule = RevocationRule::default();
        crate::envelope::check_certificates(&self.chain, region, (rule, now)).map(|_| ())
    }

    /// Signs `PAE(payload_type, payload)`.
    #[must_use]
    pub fn sign(&self, payload_type: PayloadType, payload: Vec<u8>) -> Envelope {
        let signature = self.key.sign(&pae(payload_type.media_type(), &payload));
        Envelope {
            payload_type: payload_type.media_type().to_owned(),
            payload,
            signature: signature.to_bytes().to_vec(),
            certificates: self.chain.iter().map(|certificate| certificate.to_vec()).collect(),
        }
    }

    /// Signs a message that no envelope begins like: a checkpoint or a cosignature.
    #[must_use]
    pub fn sign_message(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// Its public key.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Its chain as it is sent: DER, its own certificate first.
    #[must_use]
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        self.chain.iter().map(|certificate| certificate.to_vec()).collect()
    }

    /// Its chain as it is sent, its own certificate first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// Whose key it is.
    #[must_use]
    pub const fn principal(&self) -> &SpiffeId {
        &self.facts.spiffe
    }

    /// What its certificate says.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("principal", &self.facts.spiffe.to_string()).finish_non_exhaustive()
    }
}

/// Why there is no such signer.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// A file could not be read, or others may read the key.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The certificate names no principal, or its key is not Ed25519.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// The key is not Ed25519 in PKCS#8.
    #[error("the private key is not an Ed25519 key in PKCS#8")]
    KeyEncoding,
    /// Key and certificate are not a pair.
    #[error("the private key is not the certificate's")]
    KeyMismatch,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{NOW, World};

    const AWA: &str = "spiffe://lango.example/analyst/awa";

    #[test]
    fn a_signer_is_its_certificates_principal() {
        let world = World::new();
        let issued = world.signing(AWA);
        let dir = tempfile::tempdir().unwrap();
        issued.save(dir.path(), "signing").unwrap();
        let signer = Signer::load(dir.path()).unwrap();
        assert_eq!(signer.principal().to_string(), AWA);
        assert_eq!(signer.check(&world.region, NOW), Ok(()));
        assert_eq!(format!("{signer:?}"), format!("Signer {{ principal: \"{AWA}\", .. }}"));
    }

    #[test]
    fn a_key_that_is_not_the_certificates_is_refused() {
        let world = World::new();
        let (one, other, tls) = (world.signing(AWA), world.signing(AWA), world.tls(AWA));
        for (chain, key, expected) in [
            (&one.certificate_pem, &other.key_pem, "the private key is not the certificate's"),
            (&one.certificate_pem, &tls.key_pem, "the private key is not an Ed25519 key in PKCS#8"),
            (&tls.certificate_pem, &one.key_pem, "the certificate's key is not an Ed25519 key"),
        ] {
            let error = Signer::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
