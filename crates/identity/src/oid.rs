//! Object identifiers, written as dotted numbers.

use std::fmt;
use std::str::FromStr;

use x509_parser::asn1_rs;

use lango_words::printable;

/// An object identifier such as `1.3.6.1.4.1.32473.1.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    arcs: Vec<u64>,
    der: Vec<u8>,
}

impl Oid {
    /// The numbers between the dots; two at least.
    #[must_use]
    pub fn arcs(&self) -> &[u64] {
        &self.arcs
    }

    /// The content octets of its DER encoding, without tag and length.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, arc) in self.arcs.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{arc}")?;
        }
        Ok(())
    }
}

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || OidError(printable(text));
        let arcs = text.split('.').map(arc).collect::<Option<Vec<u64>>>().ok_or_else(refused)?;
        // X.660 allows more below 2; the libraries that read certificates do not agree on it.
        match arcs.as_slice() {
            [0..=2, 0..=39, ..] => {}
            _ => return Err(refused()),
        }
        let der = asn1_rs::Oid::from(&arcs).map_err(|_| refused())?.as_bytes().to_vec();
        Ok(Self { arcs, der })
    }
}

/// One number: decimal, without sign and leading zeros, below 2^32 so that every library reads it alike.
fn arc(text: &str) -> Option<u64> {
    let minimal = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (minimal && digits).then(|| text.parse::<u32>().ok().map(u64::from)).flatten()
}

/// The text is not an object identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an object identifier such as `1.3.6.1.4.1.32473.1.1`")]
pub struct OidError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_prints_as_it_was_written() {
        for (text, der) in [
            ("1.3.6.1.4.1.32473.1.1", "2b0601040181fd590101"),
            ("2.5.29.37.0", "551d2500"),
            ("1.3.101.112", "2b6570"),
        ] {
            let oid: Oid = text.parse().unwrap();
            assert_eq!((oid.to_string(), hex::encode(oid.der())), (text.to_owned(), der.to_owned()));
        }
    }

    #[test]
    fn any_other_text_is_refused() {
        for text in [
            "",
            "1",
            "1.",
            ".1",
            "3.1",
            "1.40",
            "2.40",
            "1.3.06",
            "1.3.-6",
            "1.3.6.x",
            "1.3.4294967296",
            " 1.3",
        ] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
    }
}
