//! Signed questions and look-ups, read strictly: the bytes must be exactly what this version would write.

use lango_identity::{Role, SpiffeId};
use prost::Message;

use crate::{
    limits::{AUDIENCE_MOST, PAGE_MOST},
    pb,
};

/// The most bytes of a purpose.
const PURPOSE_BYTES_MOST: usize = 200;

/// Why a payload or a call is not of this protocol. Names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {fault}")]
pub struct Malformed {
    /// The field.
    pub field: &'static str,
    /// What is wrong.
    pub fault: FieldFault,
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// The bytes are no such message.
    #[error("not this message")]
    NotThisMessage,
    /// The bytes are not those that this protocol writes.
    #[error("not encoded as this protocol does")]
    Encoding,
    /// Another version.
    #[error("this gateway speaks version 1")]
    Version,
    /// Another number of bytes.
    #[error("{expected} bytes, found {found}")]
    Bytes {
        /// As it should be.
        expected: usize,
        /// As it is.
        found: usize,
    },
    /// Nothing is there.
    #[error("is missing")]
    Missing,
    /// Neither mode.
    #[error("1 or 2")]
    Mode,
    /// A roster in mode 1.
    #[error("stands in mode 2 only")]
    ModeTwoOnly,
    /// No purpose, or too long a one.
    #[error("between 1 and {PURPOSE_BYTES_MOST} bytes")]
    Purpose,
    /// Another region.
    #[error("is not the certificate's trust domain")]
    NotTheRegion,
    /// Another principal.
    #[error("is not the certificate's URI")]
    NotTheCertificates,
    /// No audience.
    #[error("office URIs of the region, sorted, unique, between 1 and {AUDIENCE_MOST}")]
    Audience,
    /// No object of a look-up.
    #[error("`describe`, `describe NAME` or `release HEX`")]
    Object,
    /// A release is asked of the call that describes.
    #[error("this call describes; a release is fetched by GetRelease")]
    DescribeOnly,
    /// A description is asked of the call that fetches releases.
    #[error("this call fetches a release; datasets are described by Describe")]
    ReleaseOnly,
    /// No account.
    #[error("is no account")]
    Account,
    /// No number of a page.
    #[error("between 1 and {PAGE_MOST}")]
    Page,
    /// No word of its kind.
    #[error("is not written in the letters or the length of such a word")]
    Word,
}

impl FieldFault {
    /// The stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotThisMessage => "not-this-message",
            Self::Encoding => "encoding",
            Self::Version => "version",
            Self::Bytes { .. } => "bytes",
            Self::Missing => "missing",
            Self::Mode => "mode",
            Self::ModeTwoOnly => "mode-two-only",
            Self::Purpose => "purpose",
            Self::NotTheRegion => "region",
            Self::NotTheCertificates => "certificate",
            Self::Audience => "audience",
            Self::Object => "object",
            Self::DescribeOnly => "describe-only",
            Self::ReleaseOnly => "release-only",
            Self::Account => "account",
            Self::Page => "page",
            Self::Word => "word",
        }
    }
}

/// A question, or a price enquiry, as its analyst signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Random.
    pub request_id: [u8; 16],
    /// Random: logged request digests cannot be guessed.
    pub blind: [u8; 32],
    /// The one who asks; equals the certificate's.
    pub analyst: SpiffeId,
    /// Whom the question is addressed to: offices, sorted and unique.
    pub audience: Vec<SpiffeId>,
    /// The question's text, not yet parsed.
    pub query: String,
    /// What the answer is for.
    pub purpose: String,
    /// 1 or 2.
    pub mode: u32,
    /// Fewer answers are insufficient.
    pub min_members: u32,
    /// Mode 2 only, else empty.
    pub roster_digest: Vec<u8>,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

/// A look-up as its asker signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Random.
    pub request_id: [u8; 16],
    /// The one who asks; equals the certificate's.
    pub principal: SpiffeId,
    /// Whom it is addressed to: offices, sorted and unique.
    pub audience: Vec<SpiffeId>,
    /// What is looked up.
    pub object: Object,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

/// What a look-up is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// Every dataset, or one.
    Describe(Option<String>),
    /// A stored release.
    Release([u8; 16]),
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Describe(None) => f.write_str("describe"),
            Self::Describe(Some(name)) => write!(f, "describe {name}"),
            Self::Release(id) => write!(f, "release {}", hex::encode(id)),
        }
    }
}

impl Question {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        pb::QueryPayload {
            version: 1,
            request_id: self.request_id.to_vec(),
            blind: self.blind.to_vec(),
            analyst: self.analyst.to_string(),
            region: self.analyst.trust_domain().to_owned(),
            audience: self.audience.iter().map(SpiffeId::to_string).collect(),
            query: self.query.clone(),
            purpose: self.purpose.clone(),
            mode: self.mode,
            min_members: self.min_members,
            roster_digest: self.roster_digest.clone(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    pub fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let payload: pb::QueryPayload = strict(bytes)?;
        version(payload.version)?;
        region(&payload.region, signer)?;
        if !payload.roster_digest.is_empty() && payload.mode != 2 {
            return Err(malformed("roster_digest", FieldFault::ModeTwoOnly));
        }
        if !(1..=2).contains(&payload.mode) {
            return Err(malformed("mode", FieldFault::Mode));
        }
        if payload.purpose.is_empty() || payload.purpose.len() > PURPOSE_BYTES_MOST {
            return Err(malformed("purpose", FieldFault::Purpose));
        }
        if payload.query.is_empty() {
            return Err(malformed("query", FieldFault::Missing));
        }
        Ok(Self {
            request_id: sized("request_id", &payload.request_id)?,
            blind: sized("blind", &payload.blind)?,
            analyst: own("analyst", &payload.analyst, signer)?,
            audience: audience(&payload.audience, signer)?,
            query: payload.query,
            purpose: payload.purpose,
            mode: payload.mode,
            min_members: payload.min_members,
            roster_digest: payload.roster_digest,
            issued_at: payload.issued_at,
            expires_at: payload.expires_at,
        })
    }
}

impl Lookup {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        pb::LookupPayload {
            version: 1,
            request_id: self.request_id.to_vec(),
            principal: self.principal.to_string(),
            region: self.principal.trust_domain().to_owned(),
            audience: self.audience.iter().map(SpiffeId::to_string).collect(),
            object: self.object.to_string(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    pub fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let payload: pb::LookupPayload = strict(bytes)?;
        version(payload.version)?;
        region(&payload.region, signer)?;
        let unread = || malformed("object", FieldFault::Object);
        let object = match payload.object.split(' ').collect::<Vec<_>>().as_slice() {
            ["describe"] => Object::Describe(None),
            ["describe", name] if !name.is_empty() => Object::Describe(Some((*name).to_owned())),
            ["release", id] => {
                let mut bytes = [0; 16];
                hex::decode_to_slice(id, &mut bytes).map_err(|_| unread())?;
                Object::Release(bytes)
            }
            _ => return Err(unread()),
        };
        Ok(Self {
            request_id: sized("request_id", &payload.request_id)?,
            principal: own("principal", &payload.principal, signer)?,
            audience: audience(&payload.audience, signer)?,
            object,
            issued_at: payload.issued_at,
            expires_at: payload.expires_at,
        })
    }
}

/// Decodes, encodes again and requires equal bytes: what is unknown, repeated, out of order or padded is refused.
pub(crate) fn strict<M: Message + Default>(bytes: &[u8]) -> Result<M, Malformed> {
    let message = M::decode(bytes).map_err(|_| malformed("payload", FieldFault::NotThisMessage))?;
    let canonical = message.encode_to_vec() == bytes;
    canonical.then_some(message).ok_or_else(|| malformed("payload", FieldFault::Encoding))
}

fn malformed(field: &'static str, fault: FieldFault) -> Malformed {
    Malformed { field, fault }
}

pub(crate) fn version(version: u32) -> Result<(), Malformed> {
    if version == 1 { Ok(()) } else { Err(malformed("version", FieldFault::Version)) }
}

pub(crate) fn sized<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| malformed(field, FieldFault::Bytes { expected: N, found: bytes.len() }))
}

pub(crate) fn region(region: &str, signer: &SpiffeId) -> Result<(), Malformed> {
    if region == signer.trust_domain() { Ok(()) } else { Err(malformed("region", FieldFault::NotTheRegion)) }
}

/// The office or coordinator, of the signer's region, that a URI names.
pub(crate) fn server(
    field: &'static str,
    uri: &str,
    roles: &[Role],
    signer: &SpiffeId,
) -> Result<SpiffeId, Malformed> {
    let id: Option<SpiffeId> = uri.parse().ok();
    id.filter(|id| roles.contains(&id.role()) && id.trust_domain() == signer.trust_domain())
        .ok_or_else(|| malformed(field, FieldFault::Word))
}

pub(crate) fn own(field: &'static str, uri: &str, signer: &SpiffeId) -> Result<SpiffeId, Malformed> {
    if uri == signer.to_string() {
        Ok(signer.clone())
    } else {
        Err(malformed(field, FieldFault::NotTheCertificates))
    }
}

fn audience(uris: &[String], signer: &SpiffeId) -> Result<Vec<SpiffeId>, Malformed> {
    let refused = || malformed("audience", FieldFault::Audience);
    let offices: Vec<SpiffeId> =
        uris.iter().map(|uri| uri.parse().map_err(|_| refused())).collect::<Result<_, _>>()?;
    let all_offices =
        offices.iter().all(|id| id.role() == Role::Office && id.trust_domain() == signer.trust_domain());
    let sorted = uris.is_sorted_by(|a, b| a < b);
    if all_offices && sorted && (1..=AUDIENCE_MOST).contains(&uris.len()) {
        Ok(offices)
    } else {
        Err(refused())
    }
}

#[cfg(test)]
mod tests;
