//! The facts of a refusal, as they are signed and travel.

use std::collections::BTreeMap;

/// The most arguments of a refusal.
const ARGUMENTS_MOST: usize = 8;
/// The most bytes of a name.
const NAME_BYTES_MOST: usize = 32;
/// The most bytes of a value: what is longer is cut. A refusal travels in a header.
const VALUE_BYTES_MOST: usize = 200;

/// The facts of a refusal by their names; few, and small.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// These facts; a value that is too long is cut.
    pub(crate) fn new<'a>(facts: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let cut = |(name, mut value): (&str, String)| {
            value.truncate(value.floor_char_boundary(VALUE_BYTES_MOST));
            (name.to_owned(), value)
        };
        Self(facts.into_iter().map(cut).collect())
    }

    /// Facts as they were received, if they are as this protocol writes them: sorted, unique, few and small.
    pub(crate) fn received(facts: impl IntoIterator<Item = (String, String)>) -> Option<Self> {
        let mut received = Self::default();
        for (name, value) in facts {
            let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            let good = (1..=NAME_BYTES_MOST).contains(&name.len())
                && name.bytes().all(letter)
                && value.len() <= VALUE_BYTES_MOST
                && received.0.len() < ARGUMENTS_MOST
                && received.0.last_key_value().is_none_or(|(last, _)| *last < name);
            if !good {
                return None;
            }
            received.0.insert(name, value);
        }
        Some(received)
    }

    /// The facts in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a fact.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_that_are_received_are_sorted_unique_few_and_small() {
        let long = "x".repeat(201);
        let many: Vec<String> = (0..9).map(|n| format!("n{n}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
        for (facts, good) in [
            (vec![], true),
            (vec![("a", "1"), ("b", "é")], true),
            (vec![("b", "1"), ("a", "2")], false),
            (vec![("a", "1"), ("a", "1")], false),
            (vec![("", "1")], false),
            (vec![("A", "1")], false),
            (vec![("a b", "1")], false),
            (vec![("a", &long[..200])], true),
            (vec![("a", &long)], false),
            (vec![(&long[..33], "1")], false),
            (many[..8].to_vec(), true),
            (many, false),
        ] {
            let owned = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(Arguments::received(owned).is_some(), good, "{facts:?}");
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_cut_between_characters() {
        let arguments = Arguments::new([("found", format!("x{}", "é".repeat(200)))]);
        assert_eq!(arguments.get("found").map(str::len), Some(199));
    }
}
