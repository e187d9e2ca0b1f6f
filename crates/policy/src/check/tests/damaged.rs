//! Damaged policies: whatever is read, it is read to the end, and every diagnostic stands in the text.

use super::*;

/// How many damaged policies are read, and with `LANGO_LONG`.
const ROUNDS: u64 = 1_500;
const ROUNDS_LONG: u64 = 200_000;
/// What is put where something else stood.
const BITS: [&str; 24] = [
    "[",
    "]",
    "{",
    "}",
    "[[",
    "]]",
    "=",
    ",",
    "\"",
    "'",
    "\n",
    "#",
    "0",
    "-1",
    "1e400",
    "2026-02-30",
    "true",
    "é",
    "\u{202e}",
    "“",
    "\u{0}",
    "\"\"\"",
    "sex",
    "[a.b.c]\n",
];

/// Numbers that are the same in every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most.max(1) as u64).unwrap()
    }

    /// A text with some of its bytes left out, doubled, or replaced.
    fn damaged(&mut self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(6) {
            let at = self.below(chars.len());
            let end = (at + self.below(30)).min(chars.len());
            match self.below(4) {
                0 => drop(chars.drain(at..end)),
                1 => drop(chars.splice(at..end, BITS[self.below(BITS.len())].chars())),
                2 => drop(chars.splice(at..at, BITS[self.below(BITS.len())].chars())),
                _ => {
                    let copied = chars[at..end].to_vec();
                    drop(chars.splice(at..at, copied));
                }
            }
        }
        chars.into_iter().collect()
    }
}

#[test]
fn a_damaged_policy_is_read_to_its_end() {
    let rounds = if std::env::var_os("LANGO_LONG").is_some() { ROUNDS_LONG } else { ROUNDS };
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let list = "value,code\n1,M\n2,F\n";
    for round in 0..rounds {
        let text = numbers.damaged(GOOD);
        let documents =
            [Document::new("p.toml", text.as_str()), Document::new("sex.csv", numbers.damaged(list))];
        let (set, found) = PolicySet::check(&documents, None, Some("ecowas.example"));
        assert!(set.is_some() || found.errors() > 0, "{round}: {text}");
        for one in found.iter() {
            let span = one.place.span.clone().unwrap_or_default();
            assert!(span.start <= span.end && span.end <= one.place.document.text.len(), "{round}: {one}");
            assert!(!one.message.is_empty(), "{round}: {one:?}");
        }
        let shown = found.to_string();
        assert!(!shown.contains(['\u{202e}', '\u{0}']) && shown.len() < 200_000, "{round}: {shown}");
    }
}
