//! PEM texts.

use pkcs8::LineEnding;
use pkcs8::der::pem::encode_string;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, CertificateSigningRequestDer, PrivateKeyDer,
};

/// Reads all certificates of a PEM text, in their order; other sections are skipped.
///
/// # Errors
/// [`PemError`] when the text is not PEM or holds no certificate.
pub fn certificates_from_pem(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let chain = some_certificates_from_pem(text)?;
    if chain.is_empty() { Err(PemError::NoCertificate) } else { Ok(chain) }
}

/// As [`certificates_from_pem`], and there may be none.
pub(crate) fn some_certificates_from_pem(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(PemError::Syntax)
}

/// Reads all revocation lists of a PEM text, in their order; other sections are skipped.
pub(crate) fn lists_from_pem(text: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    let lists = CertificateRevocationListDer::pem_slice_iter(text);
    lists.map(|list| Ok(list.map_err(PemError::Syntax)?.to_vec())).collect()
}

/// A revocation list in PEM.
pub(crate) fn list_to_pem(der: &[u8]) -> String {
    section("X509 CRL", der)
}

/// Reads all PKCS#10 requests of a PEM text, in their order; other sections are skipped.
pub(crate) fn requests_from_pem(text: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    let requests = CertificateSigningRequestDer::pem_slice_iter(text);
    requests.map(|request| Ok(request.map_err(PemError::Syntax)?.to_vec())).collect()
}

/// A certificate in PEM.
#[must_use]
pub fn certificate_to_pem(der: &[u8]) -> String {
    section("CERTIFICATE", der)
}

/// A PKCS#10 request in PEM.
pub(crate) fn request_to_pem(der: &[u8]) -> String {
    section("CERTIFICATE REQUEST", der)
}

fn section(label: &str, der: &[u8]) -> String {
    // It fails for a label that is none, and for more bytes than there are.
    encode_string(label, LineEnding::LF, der).unwrap_or_default()
}

/// Reads the first private key of a PEM text. [`Signer`](crate::Signer) and [`Authority`](crate::Authority) take
/// PKCS#8 only.
///
/// # Errors
/// [`PemError`] when the text is not PEM or holds no key that is not encrypted.
pub fn key_from_pem(text: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound => PemError::NoKey,
        other => PemError::Syntax(other),
    })
}

/// Why a PEM text could not be read. It never holds any of the text.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// Not PEM.
    #[error("not a PEM text: {}", syntax(.0))]
    Syntax(pem::Error),
    /// No `CERTIFICATE` section.
    #[error("no certificate in the PEM text")]
    NoCertificate,
    /// No `PRIVATE KEY` section.
    #[error("no private key in the PEM text, or an encrypted one")]
    NoKey,
}

/// The library's messages quote the line at fault, which may be a key's.
fn syntax(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section's first line is malformed",
        pem::Error::Base64Decode(_) => "a section is not base64",
        _ => "unreadable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_or_key_is_refused() {
        let section = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates_from_pem(section.repeat(2).as_bytes()).unwrap().len(), 2);
        for (text, expected) in [
            ("", "no certificate in the PEM text"),
            (
                "-----BEGIN CERTIFICATE-----\n*secret*\n-----END CERTIFICATE-----\n",
                "not a PEM text: a section is not base64",
            ),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "not a PEM text: a section has no end"),
        ] {
            assert_eq!(certificates_from_pem(text.as_bytes()).unwrap_err().to_string(), expected);
        }
        assert!(matches!(key_from_pem(section.as_bytes()), Err(PemError::NoKey)));
    }
}
