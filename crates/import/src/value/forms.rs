//! Days in forms that nothing reads.

/// The letters with which a month begins in English, French, Portuguese, Spanish or Swahili.
const MONTHS: [&str; 24] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "fév", "fev", "avr",
    "mai", "jui", "aoû", "aou", "déc", "ene", "ago", "set", "dez",
];

/// Whether a text is a day in a form that nothing reads: with a year of two digits, with a month in letters, or as a count of
/// days, as spreadsheets keep them.
pub(super) fn is_other_form(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let whole = text.split_once(['.', ',']).map_or(text, |(whole, _)| whole);
    if whole.len() == 5 && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split(['/', '-', '.']).collect();
    let is_number =
        |part: &&str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() == 3 && parts.iter().all(is_number) {
        return true;
    }
    let letters: String = text.chars().skip_while(|letter| !letter.is_alphabetic()).take(3).collect();
    let letters = letters.to_lowercase();
    text.bytes().any(|byte| byte.is_ascii_digit()) && MONTHS.contains(&letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_forms_that_nothing_reads_are_known() {
        for text in [
            "31/12/23",
            "1-2-24",
            "31.12.23 10:30",
            "31-Dec-2023",
            "31DEC2023",
            "31DEC2023:10:30:00",
            "Dec 31, 2023",
            "31 d\u{e9}cembre 2023",
            "31-ago-23",
            "45321",
            "45321.5",
            "45321,25",
        ] {
            assert!(is_other_form(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "soon",
            "2023",
            "20231231",
            "2023-13-01",
            "31/13/2023",
            "December",
            "1/2",
            "453210",
            "7 x 2023",
        ] {
            assert!(!is_other_form(text.as_bytes()), "{text}");
        }
    }
}
