//! Words and marks for none.

/// What stands for no value, and as an identifier for nobody, as programs write it and clerks of offices in English, French,
/// Portuguese and Spanish; ASCII letters of either case are the same. None of them is like an identifier that is drawn in letters
/// and digits, but for the first.
pub(crate) const NO_VALUE: &[&str] = &[
    "na",
    "nan",
    "nil",
    "none",
    "null",
    "n/a",
    "n.a.",
    "#n/a",
    "#null!",
    "#ref!",
    "#value!",
    "#name?",
    "#div/0!",
    "#num!",
    "(null)",
    "<null>",
    "<na>",
    "(blank)",
    "(vide)",
    "\\n",
    "?",
    "-",
    ".",
    "..",
    "undefined",
    "unknown",
    "not known",
    "not stated",
    "not specified",
    "not available",
    "not applicable",
    "unspecified",
    "undetermined",
    "missing",
    "no answer",
    "inconnu",
    "inconnue",
    "non d\u{e9}clar\u{e9}",
    "non renseign\u{e9}",
    "non pr\u{e9}cis\u{e9}",
    "sans objet",
    "desconhecido",
    "ignorado",
    "n\u{e3}o declarado",
    "sem resposta",
    "desconocido",
    "sin dato",
    "sin datos",
    "no responde",
];

/// What stands for no value, beside [`NO_VALUE`], where it is no identifier: some of these could be one that is drawn in letters.
const OF_VALUES: &[&str] =
    &["nd", "n.d.", "n/d", "s/d", "nsp", "dk", "??", "--", "---", "...", ":", "0000-00-00", "00/00/0000"];

/// Whether a value without the blanks around it says that there is none.
pub(crate) fn is_no_value(value: &[u8]) -> bool {
    NO_VALUE.iter().chain(OF_VALUES).any(|word| word.as_bytes().eq_ignore_ascii_case(value))
}
