//! A list of certificates that an authority has taken back: an X.509 certificate revocation list (RFC 5280, 5), version 2.

use std::collections::BTreeMap;
use std::fmt;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::oid_registry::{OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER, OID_X509_EXT_CRL_NUMBER};
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};
use x509_parser::x509::X509Version;

use crate::pem::{PemError, certificate_to_pem, list_to_pem, lists_from_pem, some_certificates_from_pem};
use crate::revocation_reason::RevocationReason;
use crate::text::utc;
use lango_words::printable;

/// The most bytes of a PEM text of lists: some ten thousand certificates.
pub const REVOCATION_BYTES_MOST: usize = 768 << 10;
/// How far two clocks may be apart, in seconds.
pub(crate) const SKEW_S: i64 = 300;

/// What an authority has taken back, as it signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    der: Vec<u8>,
    /// The certificates of the authorities that its signer stands below, as far as they came with it.
    above: Vec<CertificateDer<'static>>,
    /// The key that signed it: the contents of its `SubjectPublicKeyInfo`.
    authority_key: Vec<u8>,
    issuer: String,
    number: u128,
    this_update: i64,
    next_update: i64,
    /// By serial number, without leading zeros.
    revoked: BTreeMap<Vec<u8>, Revoked>,
}

/// One certificate that was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// When the authority took it back, Unix time.
    pub at: i64,
    /// Since when it is not to be believed: not later than `at`.
    pub since: i64,
    /// Why.
    pub reason: RevocationReason,
}

impl RevocationList {
    /// Reads a PEM text of lists, one for each authority at most, each signed by an authority of these, or by one that stands
    /// below them and whose certificate is in the text too. `now` is in Unix seconds.
    ///
    /// # Errors
    /// [`RevocationListFault`], the first thing wrong: then none of them counts.
    pub fn read(
        pem: &[u8],
        authorities: &[CertificateDer<'static>],
        now: i64,
    ) -> Result<Vec<Self>, RevocationListFault> {
        if pem.len() > REVOCATION_BYTES_MOST {
            return Err(RevocationListFault::TooLarge { bytes: pem.len() });
        }
        let above = above(authorities, some_certificates_from_pem(pem)?);
        let mut lists: Vec<Self> = Vec::new();
        for der in lists_from_pem(pem)? {
            let list = Self::verified(der, authorities, &above, now)?;
            if lists.iter().any(|other| other.authority_key == list.authority_key) {
                return Err(RevocationListFault::Twice { issuer: list.issuer });
            }
            lists.push(list);
        }
        if lists.is_empty() { Err(RevocationListFault::None) } else { Ok(lists) }
    }

    /// The lists of a PEM text, with the certificates that their signers need, as one PEM text.
    pub(crate) fn to_pem(lists: &[Self]) -> String {
        let mut certificates: Vec<&CertificateDer<'_>> = Vec::new();
        for certificate in lists.iter().flat_map(|list| &list.above) {
            if !certificates.contains(&certificate) {
                certificates.push(certificate);
            }
        }
        let lists = lists.iter().map(|list| list_to_pem(&list.der));
        lists.chain(certificates.into_iter().map(|der| certificate_to_pem(der))).collect()
    }

    fn verified(
        der: Vec<u8>,
        authorities: &[CertificateDer<'static>],
        above: &[CertificateDer<'static>],
        now: i64,
    ) -> Result<Self, RevocationListFault> {
        let (rest, list) = CertificateRevocationList::from_der(&der)
            .map_err(|error| RevocationListFault::Encoding(error.to_string()))?;
        if !rest.is_empty() {
            return Err(RevocationListFault::Encoding("bytes after its end".to_owned()));
        }
        let issuer = printable(&list.issuer().to_string());
        let authority_key = signer(&list, authorities, above, &issuer)?;
        check_whole(&list)?;
        let number = number(&list).ok_or(RevocationListFault::Number)?;
        let this_update = list.last_update().timestamp();
        let next_update = list.next_update().map(|next| next.timestamp()).filter(|next| *next > this_update);
        let next_update = next_update.ok_or(RevocationListFault::NoEnd)?;
        if this_update > now.saturating_add(SKEW_S) {
            return Err(RevocationListFault::Future { this_update });
        }
        let mut revoked = BTreeMap::new();
        for entry in list.iter_revoked_certificates() {
            revoked.insert(trimmed(entry.raw_serial()).to_vec(), taken_back(entry, this_update)?);
        }
        let above = if authorities.iter().any(|one| key_of(one).as_deref() == Some(&authority_key)) {
            Vec::new()
        } else {
            above.to_vec()
        };
        Ok(Self { above, authority_key, issuer, number, this_update, next_update, revoked, der })
    }

    /// Who signed it, as X.509 names them.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its number: a later list of the same authority has a higher one.
    #[must_use]
    pub const fn number(&self) -> u128 {
        self.number
    }

    /// SHA-256 of the list.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        crate::sha256(&self.der)
    }

    /// When it was signed, Unix time.
    #[must_use]
    pub const fn this_update(&self) -> i64 {
        self.this_update
    }

    /// When the next one is signed at the latest.
    #[must_use]
    pub const fn next_update(&self) -> i64 {
        self.next_update
    }

    /// What was taken back: serial numbers in lower-case hexadecimal, without leading zeros.
    pub fn revoked(&self) -> impl Iterator<Item = (String, Revoked)> {
        self.revoked.iter().map(|(serial, revoked)| (hex::encode(serial), *revoked))
    }

    /// What was taken back, by serial number.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], Revoked)> {
        self.revoked.iter().map(|(serial, revoked)| (serial.as_slice(), *revoked))
    }

    /// The list itself, in DER.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// The key that signed it, as [`contents`] of a `SubjectPublicKeyInfo`.
    pub(crate) fn authority_key(&self) -> &[u8] {
        &self.authority_key
    }

    /// What it says of a certificate with this serial number, as certificates encode it.
    pub(crate) fn of(&self, serial: &[u8]) -> Option<&Revoked> {
        self.revoked.get(trimmed(serial))
    }
}

/// The certificates among these of authorities that stand below the region's, each after the one above it.
fn above(
    authorities: &[CertificateDer<'static>],
    others: Vec<CertificateDer<'static>>,
) -> Vec<CertificateDer<'static>> {
    let (mut found, mut left): (Vec<CertificateDer<'static>>, _) = (Vec::new(), others);
    loop {
        let before = left.len();
        left.retain(|der| {
            let is_below = authorities.iter().chain(&found).any(|above| is_issuer(above, der));
            if is_below {
                found.push(der.clone());
            }
            !is_below
        });
        if left.len() == before {
            return found;
        }
    }
}

/// Whether one certificate is of an authority that issued the other, itself an authority's.
fn is_issuer(above: &CertificateDer<'_>, der: &CertificateDer<'_>) -> bool {
    let read = |der| x509_parser::parse_x509_certificate(der).ok().map(|(_, certificate)| certificate);
    let (Some(above), Some(certificate)) = (read(above), read(der)) else { return false };
    certificate.is_ca()
        && above.is_ca()
        && certificate.issuer().as_raw() == above.subject().as_raw()
        && certificate.verify_signature(Some(above.public_key())).is_ok()
}

/// The key of the authority that signed a list.
fn signer(
    list: &CertificateRevocationList<'_>,
    authorities: &[CertificateDer<'static>],
    above: &[CertificateDer<'static>],
    issuer: &str,
) -> Result<Vec<u8>, RevocationListFault> {
    let mut fault = RevocationListFault::Stranger { issuer: issuer.to_owned() };
    for der in authorities.iter().chain(above) {
        let Ok((_, authority)) = x509_parser::parse_x509_certificate(der) else { continue };
        if authority.subject().as_raw() != list.issuer().as_raw() {
            continue;
        }
        if !signs_lists(&authority) {
            fault = RevocationListFault::NoListSigner { issuer: issuer.to_owned() };
        } else if is_signed(list, &authority) {
            return Ok(contents(authority.public_key().raw).to_vec());
        } else {
            fault = RevocationListFault::Signature { issuer: issuer.to_owned() };
        }
    }
    Err(fault)
}

/// Whether an authority's certificate lets its key sign lists (RFC 5280, 4.2.1.3).
fn signs_lists(authority: &X509Certificate<'_>) -> bool {
    authority.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| usage.value.crl_sign()))
}

/// Whether a list is signed by an authority's key, in a way that TLS takes too.
fn is_signed(list: &CertificateRevocationList<'_>, authority: &X509Certificate<'_>) -> bool {
    let key = authority.public_key().subject_public_key.data.as_ref();
    let named = list.signature_algorithm.algorithm.as_bytes();
    list.tbs_cert_list.signature == list.signature_algorithm
        && ring::default_provider().signature_verification_algorithms.all.iter().any(|algorithm| {
            // Its contents begin with the object identifier: a tag, a length, and these bytes.
            let identifier = algorithm.signature_alg_id();
            let is_named = identifier.get(2..).is_some_and(|rest| rest.starts_with(named))
                && identifier.get(1).copied().map(usize::from) == Some(named.len());
            let (message, signature) = (list.tbs_cert_list.as_ref(), &list.signature_value.data);
            is_named && algorithm.verify_signature(key, message, signature).is_ok()
        })
}

/// Refuses a list that says less than all: of an older version, of some certificates alone, or with rules that are not known
/// here.
fn check_whole(list: &CertificateRevocationList<'_>) -> Result<(), RevocationListFault> {
    if list.version() != Some(X509Version::V2) {
        return Err(RevocationListFault::Version);
    }
    let known = [OID_X509_EXT_CRL_NUMBER, OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER];
    let entries = list.iter_revoked_certificates().flat_map(|entry| entry.iter_extensions());
    let strange = list.tbs_cert_list.iter_extensions().filter(|extension| !known.contains(&extension.oid));
    match strange.chain(entries).find(|extension| extension.critical) {
        Some(extension) => Err(RevocationListFault::Partial(extension.oid.to_id_string())),
        None => Ok(()),
    }
}

fn number(list: &CertificateRevocationList<'_>) -> Option<u128> {
    list.crl_number().and_then(|number| number.try_into().ok())
}

fn taken_back(entry: &RevokedCertificate<'_>, this_update: i64) -> Result<Revoked, RevocationListFault> {
    for extension in entry.iter_extensions() {
        if matches!(extension.parsed_extension(), ParsedExtension::ParseError { .. }) {
            return Err(RevocationListFault::Encoding("an entry is malformed".to_owned()));
        }
    }
    // A list says what has been, whatever its clock said of an entry.
    let at = entry.revocation_date.timestamp().min(this_update);
    let since = entry.invalidity_date().map_or(at, |(_, since)| since.timestamp().min(at));
    let reason = entry.reason_code().map_or(0, |(_, code)| code.0);
    Ok(Revoked { at, since, reason: RevocationReason::of_code(reason) })
}

/// The contents of a sequence in DER: what is left without its tag and length.
pub(crate) fn contents(der: &[u8]) -> &[u8] {
    let header = match der.get(1) {
        Some(length) if *length >= 0x80 => 2 + usize::from(length & 0x7f),
        _ => 2,
    };
    der.get(header..).unwrap_or_default()
}

fn key_of(der: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    Some(contents(certificate.public_key().raw).to_vec())
}

/// A whole number without leading zeros, as one encoding has them and another does not.
fn trimmed(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    serial.get(zeros..).unwrap_or_default()
}

/// Why a text is no revocation list of the region.
#[derive(Debug, thiserror::Error)]
pub enum RevocationListFault {
    /// Not PEM, or cut short.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// No list.
    #[error("no revocation list in the PEM text: a section `X509 CRL` is wanted")]
    None,
    /// Too large.
    #[error("{bytes} bytes of revocation lists are too large: at most {REVOCATION_BYTES_MOST} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not a list in DER.
    #[error("the revocation list is unreadable: {0}")]
    Encoding(String),
    /// Of another version.
    #[error("the revocation list is not of version 2: have the authority write one with a number")]
    Version,
    /// It has no number that lists can be compared by.
    #[error(
        "the revocation list has no number of 16 bytes at most: have the authority number its lists (`crlnumber`)"
    )]
    Number,
    /// It does not say when the next one comes.
    #[error(
        "the revocation list does not say when the next one is signed: have the authority say it (`nextUpdate`)"
    )]
    NoEnd,
    /// It was signed in the future.
    #[error("the revocation list was signed at {}, which is yet to come: check this machine's clock and the authority's", utc(*.this_update))]
    Future {
        /// When, Unix time.
        this_update: i64,
    },
    /// It is of some certificates alone.
    #[error(
        "the revocation list is not of all that its authority issued, or has rules that are not known (extension {0})"
    )]
    Partial(String),
    /// Another authority's.
    #[error("the revocation list is from `{issuer}`, which is no authority of the region")]
    Stranger {
        /// Who signed it.
        issuer: String,
    },
    /// An authority that may not sign lists.
    #[error("the certificate of `{issuer}` does not let it sign revocation lists (`cRLSign`)")]
    NoListSigner {
        /// Who signed it.
        issuer: String,
    },
    /// Not as it was signed, or by another authority of the same name.
    #[error(
        "the revocation list is not signed by the region's authority `{issuer}`, or it was changed since"
    )]
    Signature {
        /// Who is said to have signed it.
        issuer: String,
    },
    /// Two lists of one authority.
    #[error("there are two revocation lists of `{issuer}`: keep the one with the higher number")]
    Twice {
        /// Who signed both.
        issuer: String,
    },
    /// Older than the one in use.
    #[error(
        "the revocation list of `{issuer}` has number {number}, and number {held} is in use: an older list is not taken"
    )]
    Older {
        /// Who signed both.
        issuer: String,
        /// The number of the one that came.
        number: u128,
        /// The number of the one in use.
        held: u128,
    },
    /// Another list with the number of the one in use.
    #[error(
        "another revocation list of `{issuer}` with the number {number} is in use: have the authority sign one with a higher number"
    )]
    SameNumber {
        /// Who signed both.
        issuer: String,
        /// The number of both.
        number: u128,
    },
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {} ({})", utc(self.at), self.reason)
    }
}

#[cfg(test)]
mod tests;
