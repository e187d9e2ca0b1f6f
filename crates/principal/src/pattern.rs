//! Whom a rule speaks of: one principal, or all of one role in a region.

use std::{fmt, str::FromStr};

use crate::{Role, SpiffeError, SpiffeId, check_trust_domain};

/// One principal, or every principal of a role: `spiffe://<trust-domain>/<role>/*`. Like a principal's name it has one spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalPattern {
    /// This principal.
    One(SpiffeId),
    /// Every principal of a role in a trust domain.
    Every {
        /// The region.
        trust_domain: String,
        /// The role.
        role: Role,
    },
}

impl PrincipalPattern {
    /// Whether it means this principal.
    #[must_use]
    pub fn matches(&self, principal: &SpiffeId) -> bool {
        match self {
            Self::One(one) => one == principal,
            Self::Every { trust_domain, role } => {
                principal.trust_domain() == trust_domain && principal.role() == *role
            }
        }
    }

    /// The region of those whom it means.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        match self {
            Self::One(one) => one.trust_domain(),
            Self::Every { trust_domain, .. } => trust_domain,
        }
    }

    /// The role of those whom it means.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::One(one) => one.role(),
            Self::Every { role, .. } => *role,
        }
    }
}

impl fmt::Display for PrincipalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => one.fmt(f),
            Self::Every { trust_domain, role } => write!(f, "spiffe://{trust_domain}/{role}/*"),
        }
    }
}

impl FromStr for PrincipalPattern {
    type Err = SpiffeError;

    fn from_str(text: &str) -> Result<Self, SpiffeError> {
        let folder = text.strip_suffix("/*").and_then(|text| text.strip_prefix("spiffe://"));
        match folder.map(|folder| folder.split('/').collect::<Vec<_>>()).as_deref() {
            Some([trust_domain, role]) => {
                check_trust_domain(trust_domain)?;
                Ok(Self::Every { trust_domain: (*trust_domain).to_owned(), role: role.parse()? })
            }
            Some(_) | None => text.parse().map(Self::One),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_one_principal_or_all_of_a_role() {
        let awa = "spiffe://ecowas.example/analyst/awa";
        for (pattern, principal, expected) in [
            (awa, awa, true),
            (awa, "spiffe://ecowas.example/analyst/awa2", false),
            (awa, "spiffe://ecowas.example/analyst/Awa", false),
            ("spiffe://ecowas.example/analyst/*", awa, true),
            ("spiffe://ecowas.example/analyst/*", "spiffe://ecowas.example/auditor/awa", false),
            ("spiffe://ecowas.example/analyst/*", "spiffe://sadc.example/analyst/awa", false),
            ("spiffe://ecowas.example/office/*", "spiffe://ecowas.example/office/GHA", true),
        ] {
            let pattern: PrincipalPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(&principal.parse().unwrap()), expected, "{pattern} {principal}");
        }
    }

    #[test]
    fn a_pattern_has_one_spelling() {
        for text in ["spiffe://ecowas.example/analyst/*", "spiffe://ecowas.example/analyst/awa"] {
            assert_eq!(text.parse::<PrincipalPattern>().unwrap().to_string(), text);
        }
        for (text, expected) in [
            ("*", "`*` is not of the form"),
            ("spiffe://*/analyst/awa", "`*` is not a trust domain"),
            ("spiffe://ecowas.example/*", "is not of the form"),
            ("spiffe://ecowas.example/*/awa", "`*` is not a role"),
            ("spiffe://ecowas.example/*/analyst", "`*` is not a role"),
            ("spiffe://ecowas.example/analysts/*", "`analysts` is not a role"),
            ("spiffe://ecowas.example/analyst/a*", "`a*` is not a name"),
            ("spiffe://ecowas.example/analyst/awa/*", "is not of the form"),
            ("spiffe://Ecowas.example/analyst/*", "`Ecowas.example` is not a trust domain"),
            ("spiffe:///analyst/*", "`` is not a trust domain"),
            ("spiffe://ecowas.example/analyst/", "`` is not a name"),
        ] {
            let said = text.parse::<PrincipalPattern>().unwrap_err().to_string();
            assert!(said.contains(expected), "{text}: {said}");
        }
    }
}
