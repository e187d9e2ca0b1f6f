//! What a policy could declare of a file's column, as far as its values say.

use std::collections::{BTreeMap, BTreeSet};

use lango_import::{DescribedColumn, FileDescription, ValueShape};
use lango_policy::CountryCodes;

/// The most distinct values of a column that are taken for codes: of texts, and of whole numbers.
const CODES_MOST: usize = 50;
const NUMBERS_AS_CODES_MOST: usize = 20;
/// The share of a column's values that must stand for countries.
const COUNTRIES_PER_CENT: u64 = 95;
/// The fewest distinct countries of a column whose name says nothing of them, and of one with `NA` and nothing but countries.
const COUNTRIES_LEAST: usize = 5;
const COUNTRIES_WITH_NA_LEAST: usize = 3;
/// The decimals that a policy can keep.
const SCALE_MOST: u32 = 18;
/// A column that could be a unit's has a value for each number of rows like this, or more.
const ROWS_OF_UNIT: u64 = 20;

/// What a policy could declare of a column, and what is known of its values.
#[derive(Debug)]
pub struct Suggestion<'a> {
    pub column: &'a DescribedColumn,
    pub form: ColumnForm<'a>,
    /// What may say that a value is missing.
    pub missing: Vec<&'a str>,
    /// Codes that may say it too, for they are a category of some columns: `None` beside `Primary`.
    pub either: Vec<&'a str>,
}

/// The form of a column in a policy.
#[derive(Debug, PartialEq, Eq)]
pub enum ColumnForm<'a> {
    /// The header has no name for it, or has it twice, or it cannot be read.
    Nothing,
    /// The built-in list; `others` are values beside it that many rows have, and `rare` is how many more there are.
    Countries {
        written: CountryCodes,
        others: Vec<&'a str>,
        rare: usize,
    },
    /// A list of values that many rows have; `rare` is how many more there are. Some of them may differ in case alone, of which
    /// the most frequent one is listed.
    Codes {
        values: Vec<&'a str>,
        rare: usize,
        ignores_case: bool,
    },
    /// Codes or open text, with values of which there are too many to list.
    Text,
    Integer,
    Amount {
        scale: u32,
    },
    Date,
}

impl<'a> Suggestion<'a> {
    pub fn of(column: &'a DescribedColumn) -> Self {
        let words: Vec<&str> = column.missing.iter().map(|(word, _)| word.as_str()).collect();
        let is_text = matches!(column.shape, ValueShape::Text);
        let (form, words) = match form(column, &words) {
            ColumnForm::Codes { .. } if is_text => {
                let words: Vec<&str> = words.into_iter().filter(|word| !is_either(word)).collect();
                (form(column, &words), words)
            }
            form => (form, words),
        };
        let either = match &form {
            ColumnForm::Codes { values, .. } if is_text => {
                values.iter().copied().filter(|value| is_either(value)).collect()
            }
            ColumnForm::Codes { .. }
            | ColumnForm::Nothing
            | ColumnForm::Countries { .. }
            | ColumnForm::Text
            | ColumnForm::Integer
            | ColumnForm::Amount { .. }
            | ColumnForm::Date => Vec::new(),
        };
        // `NA` is Namibia where it is a country.
        let is_country = |word: &&str| match &form {
            ColumnForm::Countries { written, .. } => written.texts().contains(*word),
            ColumnForm::Nothing
            | ColumnForm::Codes { .. }
            | ColumnForm::Text
            | ColumnForm::Integer
            | ColumnForm::Amount { .. }
            | ColumnForm::Date => false,
        };
        let missing = words.into_iter().filter(|word| !is_country(word)).collect();
        Self { column, form, missing, either }
    }

    /// The form in a word, as a policy says it; none where there is none.
    pub fn word(&self) -> Option<&'static str> {
        match self.form {
            ColumnForm::Nothing => None,
            ColumnForm::Countries { .. } | ColumnForm::Codes { .. } | ColumnForm::Text => Some("codes"),
            ColumnForm::Integer => Some("integer"),
            ColumnForm::Amount { .. } => Some("amount"),
            ColumnForm::Date => Some("date"),
        }
    }
}

/// Whether a word is a category of some columns and stands for no value in others.
fn is_either(word: &str) -> bool {
    const WORDS: &[&str] =
        &["none", "nil", "aucun", "aucune", "nenhum", "nenhuma", "ninguno", "ninguna", "hakuna"];
    WORDS.iter().any(|either| either.eq_ignore_ascii_case(word))
}

fn form<'a>(column: &'a DescribedColumn, words: &[&str]) -> ColumnForm<'a> {
    if column.is_twice || column.name.trim().is_empty() {
        return ColumnForm::Nothing;
    }
    match column.shape {
        ValueShape::Nested => ColumnForm::Nothing,
        ValueShape::Nothing => ColumnForm::Text,
        ValueShape::Day { .. } => ColumnForm::Date,
        ValueShape::Decimal { decimals } => ColumnForm::Amount { scale: decimals.min(SCALE_MOST) },
        ValueShape::Whole { has_zeros_in_front } => {
            let most = if has_zeros_in_front { CODES_MOST } else { NUMBERS_AS_CODES_MOST };
            countries(column, words).or_else(|| codes(column, words, most)).unwrap_or(ColumnForm::Integer)
        }
        ValueShape::Truth | ValueShape::Text => {
            countries(column, words).or_else(|| codes(column, words, CODES_MOST)).unwrap_or(ColumnForm::Text)
        }
    }
}

/// The built-in list, if nearly all values are of it.
fn countries<'a>(column: &'a DescribedColumn, words: &[&str]) -> Option<ColumnForm<'a>> {
    let least = if speaks_of_countries(&column.name) { 1 } else { COUNTRIES_LEAST };
    let found = CountryCodes::ALL.into_iter().filter_map(|written| {
        let texts = written.texts();
        let is_value = |text: &str| texts.contains(text) || !words.contains(&text);
        let (count, rows) = column.values.among(is_value)?;
        let (countries, of_countries) = column.values.among(|text| texts.contains(text))?;
        // `NA` among countries, and nothing else, is Namibia.
        let has_na = || column.values.among(|text| text == "NA" && texts.contains(text)) != Some((0, 0));
        let are_all = countries >= COUNTRIES_WITH_NA_LEAST && countries == count && has_na();
        let enough = (countries >= least || are_all) && of_countries * 100 >= rows * COUNTRIES_PER_CENT;
        let others = column.values.shown().into_iter().map(|(text, _)| text);
        let others: Vec<&str> =
            others.filter(|text| !texts.contains(*text) && !words.contains(text)).collect();
        let rare = count.saturating_sub(countries + others.len());
        enough.then_some((of_countries, ColumnForm::Countries { written, others, rare }))
    });
    // The first of those that are as good.
    found.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, form)| form)
}

/// A list, if the values are few enough.
fn codes<'a>(column: &'a DescribedColumn, words: &[&str], most: usize) -> Option<ColumnForm<'a>> {
    let (count, _) =
        column.values.among(|text| !words.contains(&text)).filter(|(count, _)| *count <= most)?;
    let shown: Vec<(&str, u64)> =
        column.values.shown().into_iter().filter(|(text, _)| !words.contains(text)).collect();
    let mut by_letters: BTreeMap<String, (&str, u64)> = BTreeMap::new();
    for (text, rows) in &shown {
        let kept = by_letters.entry(text.to_ascii_lowercase()).or_insert((*text, *rows));
        if *rows > kept.1 {
            *kept = (*text, *rows);
        }
    }
    let mut values: Vec<&str> = by_letters.values().map(|(text, _)| *text).collect();
    values.sort_unstable();
    let ignores_case = values.len() < shown.len();
    Some(ColumnForm::Codes { values, rare: count.saturating_sub(shown.len()), ignores_case })
}

/// The words of a column's name, in small letters: `CountryOfBirth` and `country_of_birth` are the same.
fn words_of(name: &str) -> BTreeSet<String> {
    let (mut words, mut before) = (BTreeSet::new(), ' ');
    let mut word = String::new();
    for letter in name.chars() {
        let begins = letter.is_uppercase() && before.is_lowercase();
        if begins || !letter.is_alphanumeric() {
            words.insert(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.insert(word);
    words.remove("");
    words
}

fn names_one_of(name: &str, known: &[&str]) -> bool {
    words_of(name).iter().any(|word| known.contains(&word.as_str()))
}

fn speaks_of_countries(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "country",
        "countries",
        "nationality",
        "citizenship",
        "birth",
        "origin",
        "destination",
        "residence",
        "iso",
        "iso2",
        "iso3",
        "m49",
        "pays",
        "nationalité",
        "nationalite",
        "citoyenneté",
        "naissance",
        "origine",
        "país",
        "pais",
        "nacionalidade",
        "nascimento",
    ];
    names_one_of(name, WORDS)
}

/// How much a column's name speaks of a unit: of its identifier, and of what it is.
fn speaks_of_units(name: &str) -> u8 {
    const IDENTIFIERS: &[&str] = &[
        "id",
        "ids",
        "uid",
        "uuid",
        "guid",
        "identifier",
        "number",
        "no",
        "nr",
        "num",
        "code",
        "key",
        "pin",
        "nin",
        "pid",
        "hid",
        "hhid",
        "personid",
        "matricule",
        "identifiant",
        "numéro",
        "numero",
        "nummer",
    ];
    const UNITS: &[&str] = &[
        "person",
        "persons",
        "personid",
        "pid",
        "pin",
        "nin",
        "individual",
        "resident",
        "citizen",
        "migrant",
        "household",
        "hid",
        "hhid",
        "unit",
        "personne",
        "individu",
        "ménage",
        "menage",
        "pessoa",
        "passport",
    ];
    u8::from(names_one_of(name, IDENTIFIERS)) + 2 * u8::from(names_one_of(name, UNITS))
}

/// The column that may identify the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitColumn<'a> {
    /// The only one with another value on each row; `beside` is one that speaks of a unit and has values on several rows.
    Sole { key: &'a DescribedColumn, beside: Option<&'a DescribedColumn> },
    /// One of several with another value on each row, by its name.
    OneOf(&'a DescribedColumn),
    /// One with values on several rows, by its name.
    Repeated(&'a DescribedColumn),
    /// Nothing speaks for any.
    Unknown,
}

impl<'a> UnitColumn<'a> {
    pub fn of(file: &'a FileDescription) -> Self {
        let may_be = |column: &&DescribedColumn| {
            let identifies = matches!(column.shape, ValueShape::Whole { .. } | ValueShape::Text);
            identifies && !column.is_twice && !column.name.trim().is_empty()
        };
        let columns: Vec<&DescribedColumn> = file.columns.iter().filter(may_be).collect();
        let likeliest = |columns: &mut dyn Iterator<Item = &'a DescribedColumn>| {
            let named: Vec<_> = columns.filter(|column| speaks_of_units(&column.name) > 0).collect();
            let about = |column: &DescribedColumn| {
                if column.unique.is_some() { file.rows } else { column.values.about() }
            };
            let most = named.iter().map(|column| about(column)).max().unwrap_or(0);
            // Units are more than what they stand in, such as households; what is about as many may be the same.
            let named = named.into_iter().filter(|column| about(column) >= most - most / 3);
            let order = |column: &DescribedColumn| speaks_of_units(&column.name);
            named.reduce(|best, next| if order(next) > order(best) { next } else { best })
        };
        let is_spread = |column: &&DescribedColumn| {
            column.unique.is_none()
                && column
                    .values
                    .count()
                    .map_or(true, |count| count as u64 >= file.rows / ROWS_OF_UNIT && count > 1)
        };
        let repeated = likeliest(&mut columns.iter().copied().filter(is_spread));
        let keys: Vec<&DescribedColumn> =
            columns.iter().copied().filter(|column| column.unique.is_some()).collect();
        match (keys.as_slice(), likeliest(&mut keys.iter().copied()), repeated) {
            ([_], None, Some(column)) => Self::Repeated(column),
            ([key], _, beside) => Self::Sole { key, beside },
            (_, Some(key), _) => Self::OneOf(key),
            (_, None, Some(column)) => Self::Repeated(column),
            (_, None, None) => Self::Unknown,
        }
    }

    /// The column of a unit that may have several rows, if there is one.
    pub fn with_several_rows(self) -> Option<&'a DescribedColumn> {
        match self {
            Self::Repeated(column) => Some(column),
            Self::Sole { beside, .. } => beside,
            Self::OneOf(_) | Self::Unknown => None,
        }
    }

    /// The column, if there is one.
    pub fn column(self) -> Option<&'a DescribedColumn> {
        match self {
            Self::Sole { key, .. } | Self::OneOf(key) | Self::Repeated(key) => Some(key),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_name_are_found_however_it_is_written() {
        for (name, countries, units) in [
            ("person_id", false, 3),
            ("PersonId", false, 3),
            ("Code of person", false, 3),
            ("ID", false, 1),
            ("paid", false, 0),
            ("Country of birth", true, 0),
            ("CountryOfBirth", true, 0),
            ("Pays de naissance", true, 0),
            ("county", false, 0),
            ("", false, 0),
        ] {
            assert_eq!((speaks_of_countries(name), speaks_of_units(name)), (countries, units), "{name}");
        }
    }
}
