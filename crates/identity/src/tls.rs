//! TLS settings: version 1.3, HTTP/2, certificates at both ends, ring named explicitly.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use lango_files::{FileError, read, read_secret};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{ClientConfig, ServerConfig};

use crate::chain::without_roots;
use crate::peer::{ClientVerifier, Expected, PeerFault, ServerVerifier, peer_id};
use crate::pem::{PemError, certificates_from_pem, key_from_pem};
use crate::region::Region;
use lango_principal::SpiffeId;

/// A principal's chain and key for TLS. It prints its chain's length, never its key.
pub struct TlsIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl TlsIdentity {
    /// Reads `tls.pem` (the chain, the principal's certificate first) and `tls.key` of a directory.
    ///
    /// # Errors
    /// [`TlsError`] `File` or `Pem`.
    pub fn load(dir: &Path) -> Result<Self, TlsError> {
        Self::from_pem(&read(&dir.join("tls.pem"))?, &read_secret(&dir.join("tls.key"))?)
    }

    /// Reads a chain and a key, both PEM; an authority that signs itself is left out of the chain. Use
    /// [`check_own`](crate::check_own) to learn whether they are any good.
    ///
    /// # Errors
    /// [`TlsError`] `Pem`.
    pub fn from_pem(chain_pem: &[u8], key_pem: &[u8]) -> Result<Self, TlsError> {
        Ok(Self { chain: without_roots(certificates_from_pem(chain_pem)?), key: key_from_pem(key_pem)? })
    }

    /// Its chain as it is sent, its own certificate first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    pub(crate) const fn key(&self) -> &PrivateKeyDer<'static> {
        &self.key
    }

    /// Whom its certificate names.
    ///
    /// # Errors
    /// [`PeerFault`] when it names no principal.
    pub fn id(&self) -> Result<SpiffeId, PeerFault> {
        peer_id(&self.chain)
    }

    /// Whether the key is the certificate's, as far as rustls can check.
    pub(crate) fn check_key(&self) -> Result<(), rustls::Error> {
        rustls::sign::CertifiedKey::from_der(self.chain.clone(), self.key.clone_key(), &provider())
            .map(|_| ())
    }
}

impl Clone for TlsIdentity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

/// Settings of a server that talks to principals of the region only. Sessions are not resumed, so that every
/// connection's certificates are verified.
///
/// # Errors
/// [`TlsError`] when identity or region cannot be used for TLS.
pub fn server_config(own: &TlsIdentity, region: &Region) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let roots = Arc::new(region.roots()?);
    let webpki = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build()?;
    let verifier = ClientVerifier { webpki, region: region.clone() };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(own.chain.clone(), own.key.clone_key())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// Settings of a client that shows its certificate and accepts the expected principal only; the server's host name or
/// address plays no part. Sessions are not resumed.
///
/// # Errors
/// [`TlsError`] when identity or region cannot be used for TLS.
pub fn client_config(
    own: &TlsIdentity,
    region: &Region,
    expected: Expected,
) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = provider();
    let verifier = ServerVerifier {
        roots: region.roots()?,
        provider: provider.clone(),
        region: region.clone(),
        expected,
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(own.chain.clone(), own.key.clone_key())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Why there are no TLS settings.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read, or others may read the key.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Certificate or key cannot be used.
    #[error("the TLS certificate or key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
    /// The region's authorities cannot be used.
    #[error("the region's authorities cannot be used: {0}")]
    Verifier(#[from] VerifierBuilderError),
}

#[cfg(test)]
pub(crate) mod tests;
