//! Why a connection could not be protected, and what certificate would do.

use std::{error::Error as StdError, io};

use rustls::{CertificateError, Error as TlsError, OtherError};

/// What a server's certificate has to be.
const ACCEPTED: &str = "a certificate is accepted that is of version 3, names the address's host in its subjectAltName (DNS or IP, not \
                        the CN alone), and is issued by an authority in the file that `tls_authority` names, or of the machine; one that \
                        signs itself must be in that file and must not be an authority (CA:FALSE)";
const LOOPBACK: &str = "a server on this machine can be reached with `tls = \"off\"`";

/// Why a connection could not be protected and what would help, in words that name no library; none where something else failed.
pub fn protection_fault(error: &sqlx::Error) -> Option<String> {
    let source: Option<&(dyn StdError + 'static)> = if let sqlx::Error::Tls(source) = error {
        Some(&**source)
    } else if let sqlx::Error::Io(error) = error
        && error.kind() == io::ErrorKind::InvalidData
    {
        error.get_ref().map(|source| source as &(dyn StdError + 'static))
    } else {
        return None;
    };
    let found = source.and_then(|source| source.downcast_ref::<TlsError>()).map(of_tls);
    Some(match found {
        Some(why) => format!("{why}; {ACCEPTED}; {LOOPBACK}"),
        None => match source.map(ToString::to_string).unwrap_or_default() {
            text if text.contains("does not support TLS") => {
                format!("the server does not offer TLS: switch it on there; {LOOPBACK}")
            }
            _ => format!(
                "TLS failed: see that `tls_authority` names a PEM file of certificates; {ACCEPTED}; {LOOPBACK}"
            ),
        },
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library may add errors, and each needs no words of its own"
)]
fn of_tls(error: &TlsError) -> &'static str {
    match error {
        TlsError::InvalidCertificate(error) => of_certificate(error),
        TlsError::NoCertificatesPresented => "the server showed no certificate",
        TlsError::InvalidMessage(_) | TlsError::PeerIncompatible(_) => {
            "the server does not speak TLS 1.2 or 1.3 as this side does"
        }
        TlsError::AlertReceived(_) => "the server ended the TLS handshake",
        _ => "the TLS handshake failed",
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library may add errors, and each needs no words of its own"
)]
fn of_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate does not name the host of the address"
        }
        CertificateError::UnknownIssuer => {
            "the server's certificate is of an authority that is not configured"
        }
        CertificateError::BadSignature => {
            "the server's certificate is not signed by the authority that it names"
        }
        CertificateError::BadEncoding => "the server's certificate cannot be read",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not for servers (extendedKeyUsage)"
        }
        CertificateError::Other(OtherError(other)) => match other.downcast_ref::<webpki::Error>() {
            Some(webpki::Error::UnsupportedCertVersion) => "the server's certificate is not of version 3",
            Some(webpki::Error::CaUsedAsEndEntity) => {
                "the server's certificate is an authority's own (CA:TRUE)"
            }
            _ => "the server's certificate is not accepted",
        },
        _ => "the server's certificate is not accepted",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn words(error: CertificateError) -> String {
        let error = io::Error::new(io::ErrorKind::InvalidData, TlsError::InvalidCertificate(error));
        protection_fault(&sqlx::Error::Io(error)).unwrap()
    }

    #[test]
    fn every_fault_of_a_certificate_says_what_would_do_and_names_no_library() {
        let other = |error| CertificateError::Other(OtherError(Arc::new(error)));
        for (error, expected) in [
            (CertificateError::UnknownIssuer, "not configured"),
            (CertificateError::NotValidForName, "does not name the host"),
            (CertificateError::Expired, "has expired"),
            (other(webpki::Error::UnsupportedCertVersion), "not of version 3"),
            (other(webpki::Error::CaUsedAsEndEntity), "(CA:TRUE)"),
            (other(webpki::Error::MalformedExtensions), "is not accepted"),
        ] {
            let words = words(error);
            for part in [expected, "subjectAltName", "version 3", "`tls_authority`", "`tls = \"off\"`"] {
                assert!(words.contains(part), "{part}: {words}");
            }
            for name in ["webpki", "rustls", "Other", "UnknownIssuer", "CaUsed"] {
                assert!(!words.contains(name), "{words}");
            }
        }
    }

    #[test]
    fn what_is_not_about_protection_is_left_to_others() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(protection_fault(&sqlx::Error::Io(reset)), None);
        let plain = protection_fault(&sqlx::Error::Tls("server does not support TLS".into())).unwrap();
        assert!(plain.contains("does not offer TLS"), "{plain}");
    }
}
