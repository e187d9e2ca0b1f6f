//! What an answer is for: terms of a public vocabulary under short names, and an office's own words.
//!
//! The vocabulary is the Data Privacy Vocabulary of the W3C's community group, version 2: <https://w3id.org/dpv>.

use lango_document::nearest;

/// What terms begin with.
const VOCABULARY: [&str; 2] = ["https://w3id.org/dpv#", "dpv:"];

/// Short names, and the terms that they stand for.
const TERMS: &[(&str, &str)] = &[
    ("official-statistics", "ProvideOfficialStatistics"),
    ("academic-research", "AcademicResearch"),
    ("scientific-research", "ScientificResearch"),
    ("commercial-research", "CommercialResearch"),
    ("public-policy", "PublicPolicyMaking"),
    ("public-services", "ImprovePublicServices"),
    ("public-benefit", "PublicBenefit"),
    ("healthcare", "ImproveHealthcare"),
    ("transport", "ImproveTransportMobility"),
    ("climate", "CombatClimateChange"),
    ("counterterrorism", "Counterterrorism"),
    ("public-security", "ProtectionOfPublicSecurity"),
    ("national-security", "ProtectionOfNationalSecurity"),
];

/// A purpose as it is compared: of a term of the vocabulary its short name, or itself where it has none, whichever way it is
/// written; else the text.
pub fn short(purpose: &str) -> &str {
    let Some(term) = VOCABULARY.iter().find_map(|prefix| purpose.strip_prefix(prefix)) else {
        return purpose;
    };
    let known = TERMS.iter().find(|(_, known)| *known == term);
    known.map_or(term, |(short, _)| short)
}

/// What was most likely meant by a purpose that is neither a term of the vocabulary nor an office's own word.
pub(crate) fn meant(purpose: &str) -> Option<String> {
    let is_known = |word: &str| TERMS.iter().any(|(short, _)| *short == word);
    if is_known(short(purpose)) {
        return None;
    }
    if let Some(term) = VOCABULARY.iter().find_map(|prefix| purpose.strip_prefix(prefix)) {
        let near = nearest(term, TERMS.iter().map(|(_, term)| *term));
        let near = near.and_then(|near| TERMS.iter().find(|(_, term)| *term == near));
        return near.map(|(short, _)| (*short).to_owned());
    }
    nearest(purpose, TERMS.iter().map(|(short, _)| *short))
        .filter(|near| is_misspelt(purpose, near))
        .map(str::to_owned)
}

/// Whether a word has the letters of another one, but for two at most: an office's own word is no mistake because it is alike.
fn is_misspelt(word: &str, right: &str) -> bool {
    let letters = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    let (word, right) = (letters(word), letters(right));
    let begin = word.chars().zip(right.chars()).take_while(|(one, other)| one == other).count();
    let (word, right) =
        (word.chars().skip(begin).collect::<Vec<_>>(), right.chars().skip(begin).collect::<Vec<_>>());
    let end = word.iter().rev().zip(right.iter().rev()).take_while(|(one, other)| one == other).count();
    word.len().max(right.len()) - end <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_the_same_however_it_is_written() {
        for (purpose, expected) in [
            ("official-statistics", "official-statistics"),
            ("dpv:ProvideOfficialStatistics", "official-statistics"),
            ("https://w3id.org/dpv#AcademicResearch", "academic-research"),
            ("https://w3id.org/dpv#ServiceProvision", "ServiceProvision"),
            ("dpv:ServiceProvision", "ServiceProvision"),
            ("AcademicResearch", "AcademicResearch"),
            ("education-study-2026", "education-study-2026"),
        ] {
            assert_eq!(short(purpose), expected);
        }
        let (names, terms): (Vec<_>, Vec<_>) = TERMS.iter().copied().unzip();
        for list in [names, terms] {
            let distinct: std::collections::BTreeSet<_> = list.iter().collect();
            assert_eq!(distinct.len(), list.len());
        }
    }

    #[test]
    fn a_word_that_is_misspelt_is_meant_otherwise_and_an_own_word_is_not() {
        for (purpose, expected) in [
            ("official-statistics", None),
            ("offical-statistics", Some("official-statistics")),
            ("official_statistics", Some("official-statistics")),
            ("Official-Statistics", Some("official-statistics")),
            ("dpv:AcademicReserch", Some("academic-research")),
            ("https://w3id.org/dpv#AcademicResearch", None),
            ("https://w3id.org/dpv#ServiceProvision", None),
            ("education-study-2026", None),
            ("official-statistics-2026", None),
            ("marketing", None),
        ] {
            assert_eq!(meant(purpose).as_deref(), expected, "{purpose}");
        }
    }
}
