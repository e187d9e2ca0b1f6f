//! The right name for a wrong one.

/// The candidate most like `word`, if one is alike enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What is longer than any name is none misspelt, and would take long to compare.
    if word.len() > 128 {
        return None;
    }
    let alike = |candidate: &str| strsim::damerau_levenshtein(word, candidate);
    let best = candidates.into_iter().min_by_key(|candidate| alike(candidate))?;
    (alike(best) <= 1 + best.chars().count() / 3).then_some(best)
}

/// What of a text is no letter of ASCII, in words: some letters of other scripts are drawn like those.
pub fn foreign_letter(text: &str) -> Option<String> {
    let letter = text.chars().find(|c| !c.is_ascii())?;
    let code = u32::from(letter);
    Some(format!("`{letter}` is U+{code:04X}, no letter of ASCII: some of other scripts are drawn alike"))
}
