//! Who is at the other end of a connection: SPIFFE ids in place of host names.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, RootCertStore, SignatureScheme,
};

use crate::certificate::{CertificateFault, Facts, leaf_facts};
use crate::chain::{ChainFault, Use, check_chain, seconds};
use crate::region::Region;
use crate::revocation::RevocationFault;
use lango_principal::{Role, SpiffeId};

/// Whom a client expects to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// This principal.
    Id(SpiffeId),
    /// Anybody of the region with this role.
    Role(Role),
}

/// The principal of an established connection's peer, from the chain it showed. TLS has verified the chain.
///
/// # Errors
/// [`PeerFault`] when it showed none, or one that names no principal.
pub fn peer_id(certificates: &[CertificateDer<'_>]) -> Result<SpiffeId, PeerFault> {
    Ok(leaf_facts(certificates).ok_or(PeerFault::NoCertificate)??.spiffe)
}

/// Why a peer with a valid chain is not the one to talk to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerFault {
    /// It showed no certificate.
    #[error("the peer showed no certificate")]
    NoCertificate,
    /// Its certificate breaks a rule of the region.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// Its chain leads to no authority of the region.
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// Its certificate was taken back, or nothing says that it was not.
    #[error(transparent)]
    Revocation(#[from] RevocationFault),
    /// It is another principal.
    #[error("the peer is `{found}` instead of `{expected}`")]
    Id {
        /// Whom the client expected.
        expected: SpiffeId,
        /// Who answered.
        found: SpiffeId,
    },
    /// It has another role.
    #[error("the peer `{found}` is not of role `{expected}`")]
    Role {
        /// The role the client expected.
        expected: Role,
        /// Who answered.
        found: SpiffeId,
    },
}

impl From<PeerFault> for rustls::Error {
    fn from(fault: PeerFault) -> Self {
        // For which TLS has an alert of its own.
        if matches!(fault, PeerFault::Revocation(RevocationFault::Revoked { .. })) {
            return Self::InvalidCertificate(CertificateError::Revoked);
        }
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(fault))))
    }
}

fn check_peer(certificate: &[u8], region: &Region) -> Result<SpiffeId, PeerFault> {
    let facts = Facts::read(certificate)?;
    facts.check_tls(region)?;
    Ok(facts.spiffe)
}

/// A3, where a list or the region has anything to say: whether the chain stands at `now`.
fn check_revocation(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    region: &Region,
    now: UnixTime,
) -> Result<(), PeerFault> {
    if !region.revocation().is_required && region.revocations().lists().is_empty() {
        return Ok(());
    }
    let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
    let now = seconds(now);
    let links = check_chain(&chain, region, now, Use::Tls)?;
    Ok(region.revocations().check(&links, region.revocation(), now)?)
}

/// Whether the peer of an established connection may stay, by the chain it showed and the lists that the region holds now.
#[must_use]
pub fn stands(shown: &[CertificateDer<'_>], region: &Region) -> bool {
    let Some((end_entity, intermediates)) = shown.split_first() else { return false };
    check_revocation(end_entity, intermediates, region, UnixTime::now()).is_ok()
}

fn check_expected(expected: &Expected, found: SpiffeId) -> Result<(), PeerFault> {
    match expected {
        Expected::Id(id) if *id != found => Err(PeerFault::Id { expected: id.clone(), found }),
        Expected::Role(role) if *role != found.role() => Err(PeerFault::Role { expected: *role, found }),
        Expected::Id(_) | Expected::Role(_) => Ok(()),
    }
}

/// Verifies a client: webpki's checks, then the region's rules.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    pub(crate) webpki: Arc<dyn ClientCertVerifier>,
    pub(crate) region: Region,
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.webpki.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.webpki.verify_client_cert(end_entity, intermediates, now)?;
        check_peer(end_entity, &self.region)?;
        check_revocation(end_entity, intermediates, &self.region, now)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Verifies a server: webpki's checks, then the region's rules and the principal in place of the host name.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    pub(crate) roots: RootCertStore,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) region: Region,
    pub(crate) expected: Expected,
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        check_expected(&self.expected, check_peer(end_entity, &self.region)?)?;
        check_revocation(end_entity, intermediates, &self.region, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
