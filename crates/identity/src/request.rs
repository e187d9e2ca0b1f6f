//! What a principal asks its authority for: its name over a PKCS#10 request for each of its keys (RFC 2986).

use std::net::IpAddr;

use lango_principal::{Role, SpiffeError, SpiffeId};
use lango_words::printable;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, SanType};
use sha2::{Digest as _, Sha256};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use crate::dsse::{PayloadType, digest};
use crate::fingerprint::Fingerprint;
use crate::key::{KeyError, KeyKind};
use crate::oid::Oid;
use crate::pem::requests_from_pem;
use crate::purposes::{CLIENT_AUTH, SERVER_AUTH, purposes};
use crate::region::Region;
use crate::spki::{ED25519, key_kind};

/// The most characters of a principal's name: role and name together are a certificate's common name, which holds 64.
pub const NAME_CHARACTERS_MOST: usize = 48;

/// A request of which everything holds that can be checked without knowing who sent it: both keys are proved to be in the
/// hands of the one who asks, are of the right kind, are two, and both name the principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRequest {
    principal: SpiffeId,
    tls: KeyRequest,
    signing: KeyRequest,
}

/// The request of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyRequest {
    der: Vec<u8>,
    /// `SubjectPublicKeyInfo`.
    public_key: Vec<u8>,
    hosts: Vec<String>,
}

/// A fresh request, and the keys that stay with the one who asks.
pub struct NewRequest {
    /// The request.
    pub request: IdentityRequest,
    /// The key for TLS, PKCS#8 in PEM.
    pub tls_key_pem: Zeroizing<String>,
    /// The key that signs, where the role signs.
    pub signing_key_pem: Zeroizing<String>,
}

impl IdentityRequest {
    /// Makes fresh keys and a request for them. `hosts` are the names and addresses under which a server is reached;
    /// verifiers of a region go by the principal, other programs by these.
    ///
    /// # Errors
    /// [`RequestError`] when the principal is another region's, a name is too long or a host is none.
    pub fn make(
        region: &Region,
        principal: &SpiffeId,
        hosts: &[String],
        kind: KeyKind,
    ) -> Result<NewRequest, RequestError> {
        check_principal(region, principal)?;
        let tls_key = kind.generate()?;
        let mut params = subject(principal)?;
        for host in hosts {
            params.subject_alt_names.push(host_name(host)?);
        }
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let tls = params.serialize_request(&tls_key)?.pem()?;
        let signing_key = KeyKind::Ed25519.generate()?;
        let mut params = subject(principal)?;
        let purpose = ExtendedKeyUsagePurpose::Other(region.signing_eku().arcs().to_vec());
        params.extended_key_usages = vec![purpose];
        let signing = params.serialize_request(&signing_key)?.pem()?;
        Ok(NewRequest {
            request: Self::read(region, principal, &tls, Some(&signing))?,
            tls_key_pem: Zeroizing::new(tls_key.serialize_pem()),
            signing_key_pem: Zeroizing::new(signing_key.serialize_pem()),
        })
    }

    /// Reads the PKCS#10 requests for both keys, in PEM, and checks all of it.
    ///
    /// # Errors
    /// [`RequestError`], the first thing that is wrong.
    pub fn read(
        region: &Region,
        principal: &SpiffeId,
        tls: &str,
        signing: Option<&str>,
    ) -> Result<Self, RequestError> {
        check_principal(region, principal)?;
        let tls_wanted = [SERVER_AUTH.to_owned(), CLIENT_AUTH.to_owned()];
        let (tls, kind) = key_request(Slot::Tls, tls, principal, &tls_wanted)?;
        if kind.is_none() {
            return Err(RequestError::TlsKeyKind);
        }
        let signing = signing.ok_or_else(|| RequestError::NoSigning(principal.role()))?;
        let wanted = [region.signing_eku().to_string()];
        let (signing, kind) = key_request(Slot::Signing, signing, principal, &wanted)?;
        if kind != Some(KeyKind::Ed25519) {
            return Err(RequestError::SigningKeyKind);
        }
        if signing.public_key == tls.public_key {
            return Err(RequestError::OneKey);
        }
        Ok(Self { principal: principal.clone(), tls, signing })
    }

    /// Who asks.
    #[must_use]
    pub const fn principal(&self) -> &SpiffeId {
        &self.principal
    }

    /// The names and addresses that the certificate for TLS shall have.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        &self.tls.hosts
    }

    /// The key for TLS, as certificates hold it (`SubjectPublicKeyInfo`).
    pub(crate) fn tls_key(&self) -> &[u8] {
        &self.tls.public_key
    }

    /// The key that signs, as certificates hold it.
    pub(crate) fn signing_key(&self) -> &[u8] {
        &self.signing.public_key
    }

    /// The PKCS#10 request for TLS, in PEM.
    #[must_use]
    pub fn tls_pem(&self) -> String {
        crate::pem::request_to_pem(&self.tls.der)
    }

    /// The PKCS#10 request for signing, in PEM.
    #[must_use]
    pub fn signing_pem(&self) -> String {
        crate::pem::request_to_pem(&self.signing.der)
    }

    /// What the fingerprint is taken of and a renewal signs: the region with its authorities, the principal, and the digest of
    /// either request. One line each, in this order.
    #[must_use]
    pub fn text(&self, region: &Region) -> String {
        let hash = |request: &KeyRequest| hex::encode(Sha256::digest(&request.der));
        format!(
            "lango-identity-request 1\nregion {}\nprincipal {}\ntls {}\nsigning {}\n",
            hex::encode(region.digest()),
            self.principal,
            hash(&self.tls),
            hash(&self.signing)
        )
    }

    /// The words that the one who asks reads to the authority. They cover the region too: where the two hold different ones, the
    /// words differ.
    #[must_use]
    pub fn fingerprint(&self, region: &Region) -> Fingerprint {
        Fingerprint::of(&digest(PayloadType::IdentityRequest, self.text(region).as_bytes()))
    }
}

/// The place of a PKCS#10 request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Tls,
    Signing,
}

impl Slot {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Signing => "signing",
        }
    }
}

fn check_principal(region: &Region, principal: &SpiffeId) -> Result<(), RequestError> {
    if principal.trust_domain() != region.trust_domain() {
        let region = region.trust_domain().to_owned();
        return Err(RequestError::Region { principal: principal.clone(), region });
    }
    if principal.name().len() > NAME_CHARACTERS_MOST {
        return Err(RequestError::LongName);
    }
    let alpha_3 = |name: &str| name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_uppercase());
    if principal.role() == Role::Office && !alpha_3(principal.name()) {
        return Err(RequestError::OfficeName(principal.name().to_owned()));
    }
    Ok(())
}

fn subject(principal: &SpiffeId) -> Result<CertificateParams, RequestError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("{} {}", principal.role(), principal.name()));
    params.subject_alt_names = vec![SanType::URI(principal.to_string().try_into()?)];
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

/// A server's name or address as a certificate holds it.
pub(crate) fn host_name(host: &str) -> Result<SanType, RequestError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let is_label = |label: &str| {
        let allowed = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && allowed && !label.starts_with('-') && !label.ends_with('-')
    };
    match host.len() <= 253 && host.split('.').all(is_label) {
        true => Ok(SanType::DnsName(host.try_into()?)),
        false => Err(RequestError::Host(printable(host))),
    }
}

/// One PKCS#10 request: a proof that its key is in the hands of the one who asks, for this principal and these purposes.
fn key_request(
    slot: Slot,
    pem: &str,
    principal: &SpiffeId,
    wanted: &[String],
) -> Result<(KeyRequest, Option<KeyKind>), RequestError> {
    let of = slot.as_str();
    let unreadable = || RequestError::Unreadable(of);
    let ders = requests_from_pem(pem.as_bytes()).map_err(|_| unreadable())?;
    let [der] = ders.as_slice() else { return Err(unreadable()) };
    let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| unreadable())?;
    if !rest.is_empty() {
        return Err(unreadable());
    }
    request.verify_signature().map_err(|_| RequestError::Possession(of))?;
    let (mut uris, mut hosts, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for extension in request.requested_extensions().into_iter().flatten() {
        match extension {
            ParsedExtension::SubjectAlternativeName(names) => {
                for name in &names.general_names {
                    match name {
                        GeneralName::URI(uri) => uris.push(*uri),
                        GeneralName::DNSName(host) if slot == Slot::Tls => hosts.push((*host).to_owned()),
                        GeneralName::IPAddress(bytes) if slot == Slot::Tls => {
                            hosts.push(address(bytes).ok_or_else(unreadable)?);
                        }
                        _ => return Err(RequestError::Names(of)),
                    }
                }
            }
            ParsedExtension::ExtendedKeyUsage(usage) => asked.extend(purposes(usage)),
            ParsedExtension::KeyUsage(_) => {}
            ParsedExtension::BasicConstraints(constraints) if !constraints.ca => {}
            // Nothing that is asked for is left out in silence.
            _ => return Err(RequestError::Extension(of)),
        }
    }
    match uris.as_slice() {
        [uri] if *uri == principal.to_string() => {}
        [uri] => {
            let (found, principal) = (printable(uri), principal.clone());
            return Err(RequestError::OtherPrincipal { of, found, principal });
        }
        _ => return Err(RequestError::Names(of)),
    }
    if asked.len() != wanted.len() || !wanted.iter().all(|purpose| asked.contains(purpose)) {
        return Err(RequestError::Purposes { of, wanted: wanted.join(" and ") });
    }
    for host in &hosts {
        host_name(host)?;
    }
    let key = &request.certification_request_info.subject_pki;
    Ok((KeyRequest { der: der.clone(), public_key: key.raw.to_vec(), hosts }, key_kind(key)))
}

/// An IP address as a certificate holds it.
pub(crate) fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(|bytes| IpAddr::from(bytes).to_string());
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::from(bytes).to_string())).ok()
}

/// What is wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Of another region.
    #[error("`{principal}` is not of the region `{region}`: ask the authority of its own region")]
    Region {
        /// Who asks.
        principal: SpiffeId,
        /// The region of the authority.
        region: String,
    },
    /// A name that a certificate's common name does not hold.
    #[error("a name has at most {NAME_CHARACTERS_MOST} characters: choose a shorter one")]
    LongName,
    /// An office is named by its country.
    #[error("`{0}` is no office's name: take the country's ISO 3166-1 alpha-3 code, as in `GHA`")]
    OfficeName(String),
    /// No host.
    #[error(
        "`{0}` is neither a host's name nor an address: write it as in `gateway.statsghana.example`, without a port"
    )]
    Host(String),
    /// Not one PKCS#10 request.
    #[error("`{0}` is not one readable PKCS#10 request in PEM: have the request made anew")]
    Unreadable(&'static str),
    /// The request is not signed by its own key, or was changed afterwards.
    #[error(
        "`{0}` proves no possession: it is not signed by its own key, or was changed. Refuse it, and ask who sent it"
    )]
    Possession(&'static str),
    /// Names of another kind, or no URI.
    #[error("`{0}` must name its principal as its one URI, and beside it hosts alone, where it is for TLS")]
    Names(&'static str),
    /// The two requests, or the request and its file, name different principals.
    #[error(
        "`{of}` is of `{found}`, and the request is of `{principal}`: keys of two requests are mixed. Refuse it"
    )]
    OtherPrincipal {
        /// Which of the two.
        of: &'static str,
        /// Whom it names.
        found: String,
        /// Whom the request names.
        principal: SpiffeId,
    },
    /// It asks for other purposes: the two were swapped, or it is of a region with another signing purpose.
    #[error(
        "`{of}` must ask for the purposes {wanted} and no others: the two keys were swapped, or the region is another"
    )]
    Purposes {
        /// Which of the two.
        of: &'static str,
        /// What it must ask for.
        wanted: String,
    },
    /// It asks for what no certificate of a region has.
    #[error(
        "`{0}` asks for an extension that certificates of a region do not have: have it made by `lango identity request`"
    )]
    Extension(&'static str),
    /// A key of another kind for TLS.
    #[error("the key for TLS is neither ECDSA on P-256 or P-384 nor Ed25519: have the request made anew")]
    TlsKeyKind,
    /// A key of another kind for signing.
    #[error("the signing key is not an Ed25519 key ({ED25519}): have the request made anew")]
    SigningKeyKind,
    /// The role signs, and there is no key for it.
    #[error("principals of role `{0}` sign, and the request has no signing key: have it made anew")]
    NoSigning(Role),
    /// One key for both.
    #[error("one key would serve TLS and sign: have the request made anew, with two keys")]
    OneKey,
    /// No keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A principal or region that is none.
    #[error(transparent)]
    Spiffe(#[from] SpiffeError),
    /// Refused by the library that writes requests.
    #[error("the request cannot be written: {0}")]
    Library(#[from] rcgen::Error),
}

/// The purposes by which a certificate for signing is known.
pub(crate) fn is_for_signing(purposes: &[String], signing_eku: &Oid) -> bool {
    purposes.contains(&signing_eku.to_string())
}

#[cfg(test)]
mod tests;
