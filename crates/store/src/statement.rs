//! Statements: SQL whose values have names, checked when the program is built.
//!
//! A statement is declared once, with [`statement!`]. It is a struct with a field for each value, so that one left out, or one
//! too many, does not compile; nor does a text that names a value which is no field, or lacks one that is. Both databases read
//! `$1`, `$2`, .., which the names are resolved to, once.

use std::sync::OnceLock;

/// A value of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Integer(Option<i64>),
    Text(Option<&'a str>),
    Bytes(Option<&'a [u8]>),
}

/// The text of a statement, and the names of its values in order.
pub(crate) struct Text {
    sql: &'static str,
    names: &'static [&'static str],
    resolved: OnceLock<String>,
}

/// A statement with its values.
pub(crate) struct BoundStatement<'a> {
    text: &'static Text,
    pub(crate) values: Vec<Value<'a>>,
}

/// Statements that write and need nothing of one another. PostgreSQL carries them out as one, which spares the way there and
/// back; the order must not matter. A value of this type belongs to one place of the code, which has the same statements every
/// time.
pub(crate) struct Together(OnceLock<String>);

/// Declares a statement: `Name { value, .. } = "SQL with :value"`.
macro_rules! statement {
    ($(#[$meta:meta])* $name:ident = $sql:expr) => {
        $(#[$meta])*
        pub(crate) struct $name;

        impl From<$name> for $crate::statement::BoundStatement<'_> {
            fn from(_: $name) -> Self {
                static TEXT: $crate::statement::Text = $crate::statement::Text::checked($sql, &[]);
                $crate::statement::BoundStatement::new(&TEXT, Vec::new())
            }
        }
    };
    ($(#[$meta:meta])* $name:ident { $($value:ident),+ $(,)? } = $sql:expr) => {
        $(#[$meta])*
        pub(crate) struct $name<'a> {
            $(pub(crate) $value: $crate::statement::Value<'a>),+
        }

        impl<'a> From<$name<'a>> for $crate::statement::BoundStatement<'a> {
            fn from(values: $name<'a>) -> Self {
                static TEXT: $crate::statement::Text =
                    $crate::statement::Text::checked($sql, &[$(stringify!($value)),+]);
                $crate::statement::BoundStatement::new(&TEXT, vec![$(values.$value),+])
            }
        }
    };
}
pub(crate) use statement;

impl Text {
    /// A text whose names are exactly these. Evaluated by the compiler: what is wrong does not build.
    pub(crate) const fn checked(sql: &'static str, names: &'static [&'static str]) -> Self {
        let mut rest = sql.as_bytes();
        while let Some((name, after)) = next(rest) {
            assert!(is_among(name, names), "the SQL names a value that the statement has no field for");
            rest = after;
        }
        let mut left = names;
        while let [name, after @ ..] = left {
            assert!(is_named(name.as_bytes(), sql.as_bytes()), "a field of the statement is not in its SQL");
            left = after;
        }
        Self { sql, names, resolved: OnceLock::new() }
    }

    /// The text as databases read it, its values numbered from here on.
    fn numbered(&self, first: usize) -> String {
        let mut text = String::with_capacity(self.sql.len());
        let mut rest = self.sql.as_bytes();
        while let Some((name, after)) = next(rest) {
            let before = rest.len() - after.len() - name.len() - 1;
            text.push_str(&String::from_utf8_lossy(rest.get(..before).unwrap_or_default()));
            let place = self.names.iter().position(|known| known.as_bytes() == name).unwrap_or_default();
            text.push_str(&format!("${}", first + place));
            rest = after;
        }
        text.push_str(&String::from_utf8_lossy(rest));
        text
    }
}

impl<'a> BoundStatement<'a> {
    pub(crate) fn new(text: &'static Text, values: Vec<Value<'a>>) -> Self {
        Self { text, values }
    }

    /// The text as databases read it.
    pub(crate) fn sql(&self) -> &'static str {
        self.text.resolved.get_or_init(|| self.text.numbered(1))
    }
}

impl Together {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// One text that carries out all of them and returns the last one's rows; its values are theirs, one after the other.
    pub(crate) fn sql(&'static self, statements: &[BoundStatement<'_>]) -> &'static str {
        self.0.get_or_init(|| {
            let mut first = 1;
            let mut parts = Vec::with_capacity(statements.len());
            for statement in statements {
                parts.push(statement.text.numbered(first));
                first += statement.values.len();
            }
            let last = parts.pop().unwrap_or_default();
            let part = |(number, part)| format!("part{number} AS ({part})");
            let others: Vec<String> = parts.iter().enumerate().map(part).collect();
            if others.is_empty() { last } else { format!("WITH {} {last}", others.join(", ")) }
        })
    }
}

/// The next name in a text, without its colon, and what follows it. Neither what is quoted nor a cast (`::`) holds a name.
const fn next(mut text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut is_quoted = false;
    while let [first, rest @ ..] = text {
        text = rest;
        match (first, rest) {
            (b'\'', _) => is_quoted = !is_quoted,
            (b':', [b':', after @ ..]) => text = after,
            (b':', _) if !is_quoted => {
                let length = name_length(rest);
                if length > 0 {
                    return Some(rest.split_at(length));
                }
            }
            _ => {}
        }
    }
    None
}

const fn name_length(mut text: &[u8]) -> usize {
    let mut length = 0;
    while let [b'a'..=b'z' | b'_' | b'0'..=b'9', rest @ ..] = text {
        length += 1;
        text = rest;
    }
    length
}

const fn is_among(name: &[u8], names: &[&str]) -> bool {
    let mut left = names;
    while let [known, rest @ ..] = left {
        if is_same(name, known.as_bytes()) {
            return true;
        }
        left = rest;
    }
    false
}

const fn is_named(name: &[u8], mut text: &[u8]) -> bool {
    while let Some((found, rest)) = next(text) {
        if is_same(found, name) {
            return true;
        }
        text = rest;
    }
    false
}

const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([first, rest @ ..], [second, others @ ..]) = (one, other) {
        if *first != *second {
            return false;
        }
        (one, other) = (rest, others);
    }
    one.is_empty() && other.is_empty()
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Some(value))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Bytes(Some(value))
    }
}

impl<'a, const N: usize> From<Option<&'a [u8; N]>> for Value<'a> {
    fn from(value: Option<&'a [u8; N]>) -> Self {
        Self::Bytes(value.map(<[u8; N]>::as_slice))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_to_numbers_wherever_they_stand() {
        for (sql, names, numbered) in [
            ("SELECT 1", &[][..], "SELECT 1"),
            ("SELECT :a", &["a"], "SELECT $4"),
            ("a = :a AND b = :b OR c = :a", &["a", "b"], "a = $4 AND b = $5 OR c = $4"),
            ("b = :b, a=:a", &["a", "b"], "b = $5, a=$4"),
            (":long_name+:long", &["long", "long_name"], "$5+$4"),
            ("x::bigint = :a::text", &["a"], "x::bigint = $4::text"),
            ("x = ':a' || :a", &["a"], "x = ':a' || $4"),
            ("(:delta_e18, :e)", &["e", "delta_e18"], "($5, $4)"),
        ] {
            assert_eq!(Text::checked(sql, names).numbered(4), numbered, "{sql}");
        }
    }

    #[test]
    fn a_text_that_names_other_values_than_the_statement_has_is_refused() {
        for (sql, names) in [
            ("SELECT :a", &[][..]),
            ("SELECT 1", &["a"]),
            ("SELECT :ab", &["a", "ab"]),
            ("SELECT :a", &["ab"]),
        ] {
            let wrong = std::panic::catch_unwind(|| Text::checked(sql, names));
            assert!(wrong.is_err(), "{sql} {names:?}");
        }
    }
}
