//! Values of an entry as its JSON writes them: bytes in hexadecimal digits, and amounts as decimals in quotes, since readers of
//! JSON round numbers above 2^53.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes of a fixed number, in lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Entries are read by the million, and each has a dozen of these.
        let mut digits = [0; 64];
        if let Some(digits) = digits.get_mut(..2 * N)
            && hex::encode_to_slice(self.0, digits).is_ok()
            && let Ok(digits) = std::str::from_utf8(digits)
        {
            return serializer.serialize_str(digits);
        }
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HexText::<N>)
    }
}

struct HexText<const N: usize>;

impl<const N: usize> de::Visitor<'_> for HexText<N> {
    type Value = Hex<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lower-case hexadecimal digits", 2 * N)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Hex<N>, E> {
        let mut bytes = [0; N];
        let is_upper = text.contains(|c: char| c.is_ascii_uppercase());
        let read = hex::decode_to_slice(text, &mut bytes).is_ok() && !is_upper;
        if read { Ok(Hex(bytes)) } else { Err(E::invalid_value(de::Unexpected::Str(text), &self)) }
    }
}

/// A whole number, as a decimal in quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AmountText)
    }
}

struct AmountText;

impl de::Visitor<'_> for AmountText {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number in quotes, without leading zeroes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
        let is_written_so = text == "0" || !text.starts_with(['0', '+']);
        let number = text.parse().ok().filter(|_| is_written_so).map(Amount);
        number.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// The digits of time and the version of the format: what stands as a number in JSON is below 2^53.
pub(crate) const NUMBER_MOST: i64 = (1 << 53) - 1;

/// The bytes that a character takes in JSON.
fn encoded_char(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    }
}

/// The bytes that a text takes in JSON between its quotes.
pub(crate) fn encoded(text: &str) -> usize {
    text.chars().map(encoded_char).sum()
}

/// The beginning of a text that takes at most `bytes_most` bytes of JSON, and how many bytes of the text were left out.
pub(crate) fn beginning(text: &str, bytes_most: usize) -> (&str, u64) {
    let mut taken = 0;
    let overflows = |(_, c): &(usize, char)| {
        taken += encoded_char(*c);
        taken > bytes_most
    };
    let end = text.char_indices().find(overflows).map_or(text.len(), |(at, _)| at);
    let (kept, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (kept, u64::try_from(rest.len()).unwrap_or(u64::MAX))
}
