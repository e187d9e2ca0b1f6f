//! The right name for a wrong one.

/// The candidate most like `word`, if one is alike enough to be meant: the first of those that are.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_all(word, candidates).into_iter().next()
}

/// All candidates that are equally like `word`, and alike enough to be meant, in their order: `NGR` is as near to `NER` as to
/// `NGA`.
pub fn nearest_all<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // What is longer than any name is none misspelt, and would take long to compare.
    if word.len() > 128 {
        return Vec::new();
    }
    let (mut least, mut found) = (usize::MAX, Vec::new());
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(word, candidate);
        if distance < least {
            (least, found) = (distance, Vec::new());
        }
        if distance == least {
            found.push(candidate);
        }
    }
    found.retain(|best| least <= 1 + best.chars().count() / 3);
    found
}

/// What of a text is no letter of ASCII, in words: some letters of other scripts are drawn like those.
pub fn foreign_letter(text: &str) -> Option<String> {
    let letter = text.chars().find(|c| !c.is_ascii())?;
    let code = u32::from(letter);
    Some(format!("`{letter}` is U+{code:04X}, no letter of ASCII: some of other scripts are drawn alike"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_are_as_near_are_found_in_their_order() {
        let codes = ["BEN", "GHA", "NER", "NGA", "TGO"];
        assert_eq!(nearest_all("NGR", codes), ["NER", "NGA"]);
        assert_eq!(nearest("NGR", codes), Some("NER"));
        assert_eq!(nearest_all("GHA", codes), ["GHA"]);
        assert!(nearest_all("XYZ", codes).is_empty() && nearest_all(&"x".repeat(129), codes).is_empty());
    }
}
