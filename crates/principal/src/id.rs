//! One principal: `spiffe://<trust-domain>/<role>/<name>`.

use std::fmt;
use std::str::FromStr;

use lango_words::printable;

const SCHEME: &str = "spiffe://";

/// What a principal does in the federation; the second part of its URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A statistics office with its gateway.
    Office,
    /// Asks many offices and combines their answers; trusted with nothing.
    Coordinator,
    /// Signs queries.
    Analyst,
    /// Reads logs and proofs.
    Auditor,
    /// Runs an office's gateway.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Office, Self::Coordinator, Self::Analyst, Self::Auditor, Self::Administrator];

    /// The role as it stands in the URI.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Coordinator => "coordinator",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = SpiffeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| SpiffeError::Role(printable(text)))
    }
}

/// A principal's name, unique in the world. It has one spelling only, so equal text and equal principals are the same
/// thing. The order is by trust domain, role, then name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    trust_domain: String,
    role: Role,
    name: String,
}

impl SpiffeId {
    /// Builds an id from its parts.
    ///
    /// # Errors
    /// [`SpiffeError`] when the trust domain or the name is empty or has a character that is not allowed.
    pub fn new(trust_domain: &str, role: Role, name: &str) -> Result<Self, SpiffeError> {
        check_trust_domain(trust_domain)?;
        if !is_name(name) {
            return Err(SpiffeError::Name(printable(name)));
        }
        Ok(Self { trust_domain: trust_domain.to_owned(), role, name: name.to_owned() })
    }

    /// The region: lower-case letters, digits, `.`, `-` and `_`.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// What the principal does.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The last part: for an office its country code, else a person's or a machine's name; `[A-Za-z0-9._-]+`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}/{}", self.trust_domain, self.role, self.name)
    }
}

impl FromStr for SpiffeId {
    type Err = SpiffeError;

    fn from_str(uri: &str) -> Result<Self, Self::Err> {
        let shape = || SpiffeError::Shape(printable(uri));
        let path = uri.strip_prefix(SCHEME).ok_or_else(shape)?;
        let mut parts = path.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(trust_domain), Some(role), Some(name), None) => {
                Self::new(trust_domain, role.parse()?, name)
            }
            _ => Err(shape()),
        }
    }
}

/// Why a text is not a principal's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpiffeError {
    /// Not three parts after the scheme.
    #[error("`{0}` is not of the form `spiffe://<trust-domain>/<role>/<name>`")]
    Shape(String),
    /// The trust domain is empty, longer than 255 bytes, or has another character than `a-z0-9._-`.
    #[error("`{0}` is not a trust domain: lower-case letters, digits, `.`, `-` and `_`")]
    TrustDomain(String),
    /// No such role.
    #[error("`{0}` is not a role: office, coordinator, analyst, auditor or administrator")]
    Role(String),
    /// The name is empty, longer than 255 bytes, a dot segment, or has another character than `A-Za-z0-9._-`.
    #[error("`{0}` is not a name: letters, digits, `.`, `-` and `_`")]
    Name(String),
}

/// Refuses what cannot be a trust domain.
///
/// # Errors
/// [`SpiffeError::TrustDomain`].
pub fn check_trust_domain(text: &str) -> Result<(), SpiffeError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    match (1..=255).contains(&text.len()) && text.bytes().all(allowed) {
        true => Ok(()),
        false => Err(SpiffeError::TrustDomain(printable(text))),
    }
}

/// The SPIFFE standard (SPIFFE-ID, 2.2) forbids the path segments `.` and `..`.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (1..=255).contains(&text.len()) && text.bytes().all(allowed) && text != "." && text != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_as_it_was_written() {
        for uri in [
            "spiffe://lango.example/office/GHA",
            "spiffe://lango.example/analyst/awa",
            "spiffe://e-c_o.1/coordinator/a.b_c-9",
            "spiffe://lango.example/auditor/x",
            "spiffe://lango.example/administrator/X",
        ] {
            assert_eq!(uri.parse::<SpiffeId>().unwrap().to_string(), uri);
        }
    }

    #[test]
    fn any_other_spelling_is_refused() {
        let shape = |uri: &str| SpiffeError::Shape(uri.to_owned());
        for (uri, expected) in [
            ("", shape("")),
            ("SPIFFE://lango.example/office/GHA", shape("SPIFFE://lango.example/office/GHA")),
            ("https://lango.example/office/GHA", shape("https://lango.example/office/GHA")),
            ("spiffe://lango.example", shape("spiffe://lango.example")),
            ("spiffe://lango.example/office", shape("spiffe://lango.example/office")),
            ("spiffe://lango.example/office/GHA/", shape("spiffe://lango.example/office/GHA/")),
            ("spiffe://lango.example/office/GHA/x", shape("spiffe://lango.example/office/GHA/x")),
            ("spiffe:///office/GHA", SpiffeError::TrustDomain(String::new())),
            ("spiffe://Lango.example/office/GHA", SpiffeError::TrustDomain("Lango.example".into())),
            ("spiffe://lango.example:443/office/GHA", SpiffeError::TrustDomain("lango.example:443".into())),
            ("spiffe://u@lango.example/office/GHA", SpiffeError::TrustDomain("u@lango.example".into())),
            ("spiffe://lango.example/Office/GHA", SpiffeError::Role("Office".into())),
            ("spiffe://lango.example//GHA", SpiffeError::Role(String::new())),
            ("spiffe://lango.example/office/", SpiffeError::Name(String::new())),
            ("spiffe://lango.example/office/..", SpiffeError::Name("..".into())),
            ("spiffe://lango.example/office/G%48A", SpiffeError::Name("G%48A".into())),
            ("spiffe://lango.example/office/GHA?x", SpiffeError::Name("GHA?x".into())),
            ("spiffe://lango.example/office/GHÄ", SpiffeError::Name("GHÄ".into())),
            ("spiffe://lango.example/office/GHA\n", SpiffeError::Name("GHA\\n".into())),
        ] {
            assert_eq!(uri.parse::<SpiffeId>(), Err(expected), "{uri}");
        }
    }
}
