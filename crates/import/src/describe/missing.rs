//! What may say that a value is missing: well-known words, and numbers such as 999 and 998.

use std::collections::BTreeMap;

use crate::value::is_no_value;

/// The most spellings of such words that are counted in a column.
const SPELLINGS_MOST: usize = 32;

/// Words that may say that a value is missing, as they are spelled, with the number of their rows.
#[derive(Debug, Clone, Default)]
pub(super) struct MissingWords(BTreeMap<String, u64>);

impl MissingWords {
    /// Counts a value without the blanks around it, if it is such a word.
    pub(super) fn add(&mut self, value: &[u8]) -> bool {
        if !is_no_value(value) {
            return false;
        }
        let Ok(text) = std::str::from_utf8(value) else { return false };
        if let Some(rows) = self.0.get_mut(text) {
            *rows += 1;
        } else if self.0.len() < SPELLINGS_MOST {
            self.0.insert(text.to_owned(), 1);
        } else {
            return false;
        }
        true
    }

    pub(super) fn counted(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(text, rows)| (text.as_str(), *rows))
    }
}

/// Whether a number may say that there is none, or why: nines with or without a sign (`99`, `-9`), the three numbers before them
/// (`96` to `98`, `-97`), eights and sevens alone (`888`, `-77`), -1, -7 and -8.
pub(super) fn may_be_none(number: i64) -> bool {
    let digits = number.unsigned_abs().to_string().into_bytes();
    let Some((last, before)) = digits.split_last() else { return false };
    let are_nines = before.iter().all(|digit| *digit == b'9') && (b'6'..=b'9').contains(last);
    let are_alike = before.iter().all(|digit| digit == last) && matches!(last, b'7' | b'8');
    match (number, before) {
        (-1 | 9, _) => true,
        // A digit is somebody's number of children.
        (_, []) => matches!(number, -9..=-7),
        // Nineteen digits may be past 63 bits.
        (_, before) => (are_nines || are_alike) && before.len() < 18,
    }
}

/// Those of a column's numbers that may say that there is none and stand apart from its others, which lie between `least` and
/// `greatest`: a negative one where no other number is, and a positive one of at least twice the next greatest of the others, as
/// `998` and `999` both are.
pub(super) fn apart(
    numbers: &BTreeMap<i64, u64>,
    others: Option<(i64, i64)>,
) -> impl Iterator<Item = (i64, u64)> {
    let (least, mut greatest) = others.unwrap_or((i64::MIN, i64::MAX));
    numbers.iter().map(|(number, rows)| (*number, *rows)).filter(move |(number, _)| {
        if *number < 0 {
            return least >= 0;
        }
        let stands_apart = *number / 2 >= greatest;
        if !stands_apart {
            greatest = greatest.max(*number);
        }
        stands_apart
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_either_case_and_counted_as_they_are_spelled() {
        let mut words = MissingWords::default();
        let known: Vec<bool> = ["NA", "na", "NA", "N/A", "\\N", "Non déclaré", "Nairobi", "", "0", "Ghana"]
            .map(|value| words.add(value.as_bytes()))
            .to_vec();
        assert_eq!(known, [true, true, true, true, true, true, false, false, false, false]);
        assert_eq!(
            words.counted().collect::<Vec<_>>(),
            [("N/A", 1), ("NA", 2), ("Non déclaré", 1), ("\\N", 1), ("na", 1)]
        );
        for word in
            [":", "#DIV/0!", "#NULL!", "NSP", "Sin dato", "S/D", "N/D", "(blank)", "0000-00-00", "#REF!"]
        {
            assert!(words.add(word.as_bytes()), "{word}");
        }
        let mut many = MissingWords::default();
        for bits in 0..1_u32 << 7 {
            let letter = |(at, letter): (usize, char)| {
                if bits >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
            };
            many.add("unknown".chars().enumerate().map(letter).collect::<String>().as_bytes());
        }
        assert_eq!(many.counted().count(), SPELLINGS_MOST, "any number of spellings takes little memory");
    }

    #[test]
    fn numbers_for_none_that_stand_apart_are_found() {
        let nines = [-999, -99, -9, -1, 9, 99, 999, 99_999, 999_999_999_999_999_999];
        let beside = [98, 97, 96, 998, 9_997, 999_999_998, -98, -8, -7, 888, -88, 77, 7_777];
        assert!(nines.iter().chain(&beside).all(|number| may_be_none(*number)));
        let others = [0, 1, -2, -6, 7, 8, 90, 95, 898, 989, 778, 9_990, i64::MAX, i64::MIN, i64::MIN + 1];
        assert!(!others.iter().any(|number| may_be_none(*number)));
        let of = |nines: &[i64], others| {
            let counted = nines.iter().map(|number| (*number, 20)).collect();
            apart(&counted, others).map(|(number, _)| number).collect::<Vec<_>>()
        };
        for (nines, others, expected) in [
            (&[9][..], Some((1, 4)), &[9][..]),
            (&[9], Some((1, 8)), &[]),
            (&[99, 999], Some((0, 97)), &[999]),
            (&[99, 999], Some((0, 45)), &[99, 999]),
            (&[9, 99, 999], Some((0, 97)), &[999]),
            (&[-1, -99], Some((0, 97)), &[-99, -1]),
            (&[-1, -99], Some((-5, 97)), &[]),
            (&[999], Some((-9, -5)), &[999]),
            (&[999], None, &[]),
            (&[998, 999], Some((0, 95)), &[998, 999]),
            (&[888, 999], Some((0, 95)), &[888, 999]),
            (&[77, 88, 96, 97, 98, 99, 998, 999], Some((0, 95)), &[998, 999]),
            (&[999_999_998, 999_999_999], Some((-9_999, 650_000)), &[999_999_998, 999_999_999]),
            (&[-99, -98], Some((0, 95)), &[-99, -98]),
        ] {
            assert_eq!(of(nines, others), expected, "{nines:?} {others:?}");
        }
    }
}
