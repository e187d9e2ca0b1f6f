//! Which certificate is at fault when a connection fails, and what to do about it.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::certificate::{CertificateFault, leaf_facts};
use crate::chain::{ChainFault, Use, check_chain, seconds};
use crate::peer::PeerFault;
use crate::region::Region;
use crate::revocation::{RevocationFault, RevocationRule};
use crate::text::utc;
use crate::tls::TlsIdentity;

/// Checks one's own TLS chain and key as a peer in the region would that has the lists of this side, at `now` (Unix seconds).
///
/// # Errors
/// [`OwnFault`], the first thing that a peer would refuse.
pub fn check_own(own: &TlsIdentity, region: &Region, now: i64) -> Result<(), OwnFault> {
    let facts = leaf_facts(own.chain()).ok_or(ChainFault::Empty)??;
    facts.check_tls(region)?;
    let links = check_chain(own.chain(), region, now, Use::Tls)?;
    region.revocations().check(&links, RevocationRule::default(), now)?;
    own.check_key().map_err(OwnFault::Key)
}

/// What is wrong with one's own TLS certificate. It prints the fact; [`OwnFault::advice`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OwnFault {
    /// It breaks a rule of the region.
    #[error("this side's own certificate: {0}")]
    Certificate(#[from] CertificateFault),
    /// It is not valid now, or not from the region's authority.
    #[error("this side's own certificate: {0}")]
    Chain(#[from] ChainFault),
    /// It was taken back.
    #[error("this side's own certificate: {0}")]
    Revocation(#[from] RevocationFault),
    /// The key is not the certificate's.
    #[error("this side's own key does not fit its certificate: {0}")]
    Key(rustls::Error),
}

impl OwnFault {
    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Chain(ChainFault::Expired { .. }) => {
                "have the authority issue a new one, replace `tls.pem` and `tls.key`"
            }
            Self::Chain(ChainFault::NotYetValid { .. }) => "check this machine's clock, or wait",
            Self::Chain(ChainFault::UnknownAuthority) => {
                "check that `tls.pem` and the configured authority are of the same region"
            }
            Self::Chain(ChainFault::TooLong { .. } | ChainFault::TooLarge { .. } | ChainFault::TooDeep) => {
                "leave out of `tls.pem` what is no authority between its first certificate and the region's, or have it issued \
                 with a shorter chain"
            }
            Self::Chain(ChainFault::Algorithm) => {
                "have it issued by authorities whose keys are of a kind that verifiers take"
            }
            Self::Revocation(_) => {
                "have the authority issue new ones for new keys: `lango identity renew --by-telephone`"
            }
            Self::Key(_) => "put the key that `tls.pem` was issued for into `tls.key`",
            Self::Certificate(_) | Self::Chain(_) => {
                "have the region's authority issue a certificate with one SPIFFE URI"
            }
        }
    }
}

/// Says in plain words why a TLS connection failed: whose certificate is at fault and what to do. `err` is what the
/// connection failed with, at any depth of its sources; `own` is checked against `region` at `now` (Unix seconds).
#[must_use]
pub fn explain_handshake(
    err: &(dyn Error + 'static),
    own: &TlsIdentity,
    region: &Region,
    now: i64,
) -> String {
    let own_fault = check_own(own, region, now).err();
    let own_words = own_fault.map(|fault| format!("{fault}; {}", fault.advice()));
    match (tls_error(err), own_words) {
        (Some(rustls::Error::InvalidCertificate(fault)), None) => peer_words(fault),
        (Some(rustls::Error::InvalidCertificate(fault)), Some(own)) => format!("{}; also, {own}", peer_words(fault)),
        (_, Some(own)) => own,
        (Some(rustls::Error::NoCertificatesPresented), None) => {
            "the peer showed no certificate; it must be configured with one that the region's authority issued".to_owned()
        }
        (Some(rustls::Error::AlertReceived(alert)), None) => alert_words(*alert),
        (Some(rustls::Error::InvalidMessage(_)), None) => {
            "the peer does not speak TLS on this port; check address and port".to_owned()
        }
        (Some(other), None) => format!("the TLS connection failed: {other}"),
        (None, None) => sources(err),
    }
}

/// The rustls error among an error's sources. `io::Error` hides what it wraps from `source`.
fn tls_error<'a>(err: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut current = Some(err);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        current = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn peer_words(fault: &CertificateError) -> String {
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the peer's certificate expired at {}; its operator must have a new one issued (or check this machine's clock)",
            utc(seconds(*not_after))
        ),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the peer's certificate is not valid before {}; check the clocks of both machines",
            utc(seconds(*not_before))
        ),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the peer's certificate is not from the region's authority; check the address, and that both sides are \
             configured with the same authority"
                .to_owned()
        }
        CertificateError::Revoked => {
            "the peer's certificate was revoked by the region's authority; its operator must have a new one issued".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the peer's certificate is not for TLS; it must show its `tls.pem`, not its `signing.pem`".to_owned()
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<PeerFault>() {
            Some(fault @ (PeerFault::Id { .. } | PeerFault::Role { .. })) => {
                format!("{fault}; check the address, and who is expected there")
            }
            Some(PeerFault::Revocation(fault)) => {
                format!("{fault}; put the authority's present `region.crl` in place on this side")
            }
            Some(PeerFault::Certificate(fault)) => {
                format!("the peer's certificate breaks a rule of the region: {fault}; its operator must have a new one issued")
            }
            _ => format!("the peer's certificate is unacceptable: {other}"),
        },
        other => format!("the peer's certificate is unacceptable: {other}"),
    }
}

/// Alerts of RFC 8446, 6.2, when nothing is found wrong on this side.
fn alert_words(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::CertificateRequired => {
            "the peer wants a certificate and was shown none; configure `tls.pem` and `tls.key`"
        }
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "the peer does not know the authority of this side's certificate; its operator must configure the region's"
        }
        AlertDescription::CertificateExpired => {
            "the peer takes this side's certificate for expired or not yet valid, which it is not here; check both clocks"
        }
        AlertDescription::CertificateRevoked => {
            "the peer has this side's certificate on its revocation list; have the authority issue a new one"
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => {
            "the peer refuses this side's certificate; is it of the peer's region? its operator's log says why"
        }
        AlertDescription::ProtocolVersion => "the peer does not speak TLS 1.3; is it a gateway?",
        AlertDescription::NoApplicationProtocol => "the peer does not speak HTTP/2 (`h2`); is it a gateway?",
        _ => return format!("the peer ended the TLS connection with the alert {alert:?}"),
    };
    words.to_owned()
}

/// An error and its sources on one line.
fn sources(err: &(dyn Error + 'static)) -> String {
    let mut line = err.to_string();
    let mut current = err.source();
    while let Some(error) = current {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        current = error.source();
    }
    line
}

#[cfg(test)]
mod tests;
