//! What of a line is never shown: passwords in addresses, and values of keys that are called so.

use std::ops::Range;

/// Beginnings of keys whose values are secret, also where they are spelt wrong. Keys that end in `_file` or `_env` say where one
/// is, and are none.
const SECRET: [&str; 6] = ["passw", "pasw", "passphrase", "pwd", "secret", "token"];

/// The bytes of a line that are secret.
pub(crate) fn secret_parts(line: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> =
        in_addresses(line).chain(at_keys(line)).filter(|part| !part.is_empty()).collect();
    found.sort_by_key(|part| part.start);
    found
}

/// `scheme://user:PASSWORD@host`: from the first colon to the last `@` of the address.
fn in_addresses(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices("://").filter_map(|(at, _)| {
        let begin = at + "://".len();
        let rest = line.get(begin..)?;
        let end = rest.find(['"', '\'']).unwrap_or(rest.len());
        let address = rest.get(..end)?;
        let colon = address.find(':')?;
        let host = address.rfind('@').filter(|host| colon < *host)?;
        Some(begin + colon + 1..begin + host)
    })
}

fn at_keys(line: &str) -> impl Iterator<Item = Range<usize>> {
    let lower = line.to_ascii_lowercase();
    SECRET.into_iter().flat_map(move |word| {
        let found: Vec<usize> = lower.match_indices(word).map(|(at, _)| at).collect();
        let line = lower.clone();
        found.into_iter().filter_map(move |at| {
            let rest = line.get(at..)?;
            let name = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
                .unwrap_or(rest.len());
            if ["_file", "_env"].iter().any(|end| rest.get(..name).is_some_and(|name| name.ends_with(end))) {
                return None;
            }
            let behind = rest.get(name..)?;
            let sign = behind.find(['=', ':']).filter(|sign| {
                behind
                    .get(..*sign)
                    .is_some_and(|between| between.trim_matches(['"', '\'', ' ', '\t']).is_empty())
            })?;
            let value = behind.get(sign + 1..)?;
            let blanks = value.len() - value.trim_start_matches([' ', '\t']).len();
            let begin = at + name + sign + 1 + blanks;
            let value = value.trim_start_matches([' ', '\t']);
            // A text to its closing quote, which stays; else to the end of the word.
            let (open, end) = match value.chars().next()? {
                quote @ ('"' | '\'') => {
                    let inner = value.get(1..)?;
                    (1, 1 + inner.rfind(quote).unwrap_or(inner.len()))
                }
                _ => (0, value.find([' ', '"', '\'', '&', ',', '}']).unwrap_or(value.len())),
            };
            Some(begin + open..begin + end)
        })
    })
}
