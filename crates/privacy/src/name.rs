//! Names and codes: the two shapes of word that a question may hold.

use std::{fmt, str::FromStr};

/// The most bytes of a name or a code: what is echoed in refusals must stay small.
pub const WORD_BYTES_MOST: usize = 64;

/// A word that is not of its shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not `[a-z][a-z0-9_]*`.
    #[error("`{0}` is not a name: lower-case letters, digits and `_`, a letter first, 64 at most")]
    Name(String),
    /// Not printable ASCII without space or comma.
    #[error("`{0}` is not a code: printable ASCII without space or comma, 64 characters at most")]
    Code(String),
}

impl NameError {
    /// The word that is not of its shape.
    pub fn found(&self) -> &str {
        match self {
            Self::Name(found) | Self::Code(found) => found,
        }
    }
}

macro_rules! word {
    ($(#[$doc:meta])* $type:ident, $error:ident, $shape:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The word as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                let shape: fn(&[u8]) -> bool = $shape;
                if shape(text.as_bytes()) { Ok(Self(text.to_owned())) } else { Err(NameError::$error(text.to_owned())) }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

word!(
    /// A dataset, dimension or column: `[a-z][a-z0-9_]*`.
    Name, Name,
    |text| text.len() <= WORD_BYTES_MOST && text.first().is_some_and(u8::is_ascii_lowercase)
        && text.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'_')
);

word!(
    /// A key, version or other code: printable ASCII without space or comma.
    Code, Code,
    |text| (1..=WORD_BYTES_MOST).contains(&text.len()) && text.iter().all(|c| c.is_ascii_graphic() && *c != b',')
);

impl Name {
    /// A name known at compile time.
    pub(crate) fn fixed(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl Code {
    /// The code of any text: what a code may not hold is written as `%` and two hexadecimal digits for each byte; `None`
    /// where that is too long.
    pub fn escaped(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && ![b',', b'%'].contains(&byte);
        let escaped: String = text
            .bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect();
        escaped.parse().ok()
    }

    /// The text that [`Code::escaped`] made this code of; `None` where it can have made it of none.
    pub fn unescaped(&self) -> Option<String> {
        let mut bytes = Vec::with_capacity(self.0.len());
        let mut rest = self.0.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            if byte != b'%' {
                bytes.push(byte);
                rest = after;
                continue;
            }
            let (digits, after) = after.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        }
        let text = String::from_utf8(bytes).ok()?;
        (Self::escaped(&text).as_ref() == Some(self)).then_some(text)
    }

    /// The code of a whole number.
    pub fn of_integer(value: i64) -> Self {
        Self(value.to_string())
    }

    /// The code of a band of whole numbers, both ends included: `0-4`; `-5..-1` where an end is negative.
    pub(crate) fn of_band(low: i64, high: i64) -> Self {
        match (low == high, low < 0) {
            (true, _) => Self::of_integer(low),
            (false, true) => Self(format!("{low}..{high}")),
            (false, false) => Self(format!("{low}-{high}")),
        }
    }

    /// A code known at compile time.
    pub(crate) fn fixed(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

/// Words with commas between them.
pub(crate) fn join<'a, T: AsRef<str> + 'a>(words: impl IntoIterator<Item = &'a T>) -> String {
    words.into_iter().map(AsRef::as_ref).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_any_text_becomes_that_text_again() {
        for text in ["Kumasi", "Cape Coast", "Côte d'Ivoire", "Ho,1", "50%", "%41", "a\tb", "é\u{202e}", "+F"]
        {
            assert_eq!(Code::escaped(text).unwrap().unescaped().as_deref(), Some(text));
        }
        // What no text is written as stays as it is.
        for code in ["50%", "%", "%4", "%41", "%e9", "%C3", "%+1", "%FF"] {
            assert_eq!(code.parse::<Code>().unwrap().unescaped(), None, "{code}");
        }
    }
}
