//! What stands in a dataset's table, as the policy reads it: counted for the office's own eyes, exactly. Nothing of it leaves the
//! office: no answer, price, refusal or log holds any of it.

use std::collections::{BTreeMap, HashMap};

use lango_privacy::{Column, Dataset, DaysOfMonths, Domain, Name, number, trimmed_bytes};

use crate::{
    moments::SurveyedMoments,
    value::{Raw, Reader, STORED_TEXT_BYTES_MOST, Value},
};

/// The undeclared values of a column that are listed, the most frequent first.
const FREQUENT_MOST: usize = 20;
/// The different undeclared values of a column that are counted each by itself.
const DISTINCT_MOST: usize = 10_000;

/// The letters of an undeclared value that are kept.
const LETTERS_MOST: usize = 200;

/// What stands in a dataset's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// All rows of the table.
    pub rows: u64,
    /// Of the rows that have an identifier, how many units have how many: the key is the number of rows.
    pub units: BTreeMap<u64, u64>,
    /// Identifiers that another one differs from only in the case of letters or in the blanks around it.
    pub alike: u64,
    /// The declared columns.
    pub columns: BTreeMap<Name, ColumnSurvey>,
}

/// What stands in a column, in rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnSurvey {
    /// With a declared value.
    pub declared: u64,
    /// Without any, or with one that the policy says is missing.
    pub missing: u64,
    /// With a value that is not declared: another code, a day outside the period, a number that is none.
    pub undeclared: u64,
    /// Numbers below the lower bound, which sums take for it.
    pub below: u64,
    /// Numbers above the upper bound.
    pub above: u64,
    /// The undeclared values by why they are, as far as that can be seen.
    pub reasons: BTreeMap<UndeclaredReason, u64>,
    /// The most frequent undeclared values, most frequent first.
    pub frequent: Vec<(String, u64)>,
    /// Of days that have a time, the times.
    pub moments: SurveyedMoments,
    /// The days of the period, by their months.
    pub months: DaysOfMonths,
}

/// Why a value is not declared, as far as its shape shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UndeclaredReason {
    /// It is a number if `,` stands before the decimals.
    DecimalComma,
    /// It is a number if its thousands are set apart by a mark.
    Thousands,
    /// It is a declared code with `.0` behind it.
    FloatTail,
    /// It is a day in another order or with other marks.
    DayOrder,
    /// It is a day, and not one of the period.
    OutsidePeriod,
    /// It differs from a declared code in the case of ASCII letters alone.
    Case,
    /// None of these.
    Other,
}

impl Survey {
    /// The rows that have an identifier.
    pub fn identified(&self) -> u64 {
        self.units.iter().map(|(rows, units)| rows * units).sum()
    }

    /// Of those, the rows that are read where at most this number of a unit's are.
    pub fn kept(&self, rows_at_most: u64) -> u64 {
        self.units.iter().map(|(rows, units)| rows.min(&rows_at_most) * units).sum()
    }

    /// The units that have more rows than this.
    pub fn beyond(&self, rows_at_most: u64) -> u64 {
        self.units.iter().filter(|(rows, _)| **rows > rows_at_most).map(|(_, units)| units).sum()
    }

    /// The most rows that one unit has.
    pub fn largest(&self) -> u64 {
        self.units.keys().next_back().copied().unwrap_or(0)
    }
}

/// Counts what stands in one column.
pub(crate) struct SurveyTally<'a> {
    domain: &'a Domain,
    reader: Reader,
    texts: BTreeMap<String, usize>,
    counted: ColumnSurvey,
    found: HashMap<String, u64>,
}

impl<'a> SurveyTally<'a> {
    /// Of a column whose whole numbers are stored as units of `10^-stored`.
    pub(crate) fn new(column: &'a Column, stored: u32) -> Self {
        Self {
            domain: &column.domain,
            reader: Reader::new(column, stored),
            texts: column.texts(),
            counted: ColumnSurvey::default(),
            found: HashMap::new(),
        }
    }

    /// Adds a value that stands in this number of rows.
    pub(crate) fn add(&mut self, raw: Raw<'_>, rows: u64) {
        if let (Raw::Text(text), Domain::Date { .. }) = (raw, self.domain)
            && let Some(clock) = trimmed_bytes(text).get("2024-07-01T".len()..)
        {
            self.add_clock(clock, rows);
        }
        let value = self.reader.read(raw);
        let counted = &mut self.counted;
        match (&value, self.domain) {
            (Value::Missing, _) => counted.missing += rows,
            (Value::Integer(value), Domain::Integer { low, high, .. } | Domain::Amount { low, high, .. }) => {
                match (value < low, value > high) {
                    (true, _) => counted.below += rows,
                    (_, true) => counted.above += rows,
                    (false, false) => counted.declared += rows,
                }
            }
            (Value::Text(text), Domain::Codes(_)) if self.texts.contains_key(&*self.reader.folded(text)) => {
                counted.declared += rows;
            }
            (Value::Text(text), Domain::Date { .. }) if self.domain.key_of(text).is_some() => {
                counted.declared += rows;
                counted.months.add(lango_privacy::day(text).unwrap_or_default().as_bytes(), rows);
            }
            (Value::Text(_) | Value::Undeclared, Domain::Open) => counted.declared += rows,
            (Value::Integer(_) | Value::Text(_) | Value::Undeclared, _) => self.note(raw, &value, rows),
        }
    }

    /// Adds the time of the day of a value that was added without it.
    pub(crate) fn add_clock(&mut self, clock: &[u8], rows: u64) {
        self.counted.moments.add(clock, rows);
    }

    fn note(&mut self, raw: Raw<'_>, value: &Value<'_>, rows: u64) {
        let shown = match (raw, value) {
            (_, Value::Text(text)) => text.to_string(),
            // Of servers it is another text, which stands for it.
            (Raw::Text(text), _) if text.len() > STORED_TEXT_BYTES_MOST => {
                format!("a text of more than {STORED_TEXT_BYTES_MOST} bytes")
            }
            (Raw::Text(text), _) => String::from_utf8_lossy(text).trim().to_owned(),
            (Raw::Real(value), _) => value.to_string(),
            (Raw::Integer(value), _) => value.to_string(),
            // What an import could not read as a number is kept as the bytes of its text.
            (Raw::Other(bytes), _) => std::str::from_utf8(bytes).unwrap_or("binary data").to_owned(),
            (Raw::Null, _) => String::new(),
        };
        self.counted.undeclared += rows;
        *self.counted.reasons.entry(self.reason(&shown)).or_default() += rows;
        let shown = match shown.char_indices().nth(LETTERS_MOST) {
            Some((end, _)) => format!("{}..", shown.get(..end).unwrap_or_default()),
            None => shown,
        };
        // Beyond that number of different ones, values count in the total alone.
        let is_room = self.found.len() < DISTINCT_MOST;
        if let Some(found) = self.found.get_mut(&shown) {
            *found += rows;
        } else if is_room {
            self.found.insert(shown, rows);
        }
    }

    fn reason(&self, shown: &str) -> UndeclaredReason {
        use UndeclaredReason::{Case, DayOrder, DecimalComma, FloatTail, Other, OutsidePeriod, Thousands};
        let reads = |text: &str| number(text.as_bytes(), 0).is_some();
        match self.domain {
            Domain::Integer { .. } | Domain::Amount { .. } => {
                let bare: String = shown
                    .chars()
                    .filter(|letter| !matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}'))
                    .collect();
                let marks = |mark: char| bare.matches(mark).count();
                match (marks(','), marks('.')) {
                    (1, 0) if bare == shown && reads(&bare.replace(',', ".")) => DecimalComma,
                    (0, 0) if bare != shown && reads(&bare) => Thousands,
                    (1, 0) if bare != shown && reads(&bare.replace(',', ".")) => DecimalComma,
                    _ if bare.find(',') < bare.find('.') && reads(&bare.replace(',', "")) => Thousands,
                    _ if bare.find('.') < bare.find(',')
                        && reads(&bare.replace('.', "").replacen(',', ".", 1)) =>
                    {
                        DecimalComma
                    }
                    _ => Other,
                }
            }
            Domain::Codes(codes) => {
                let known = |text: &str| self.texts.contains_key(text);
                let is_alike = |code: &str| code.eq_ignore_ascii_case(shown);
                match shown.trim_end_matches('0').strip_suffix('.') {
                    Some(whole) if known(whole) => FloatTail,
                    _ if codes.iter().any(|code| is_alike(code.as_str()))
                        || self.texts.keys().any(|text| is_alike(text)) =>
                    {
                        Case
                    }
                    _ => Other,
                }
            }
            Domain::Date { .. } => {
                let parts: Vec<&str> = shown.split(['/', '.', '-', ' ']).take(3).collect();
                let digits =
                    parts.len() == 3 && parts.iter().all(|part| part.bytes().all(|c| c.is_ascii_digit()));
                match lango_privacy::day(shown) {
                    Some(_) => OutsidePeriod,
                    None if digits && parts.iter().any(|part| !part.is_empty()) => DayOrder,
                    None => Other,
                }
            }
            Domain::Open => Other,
        }
    }

    /// What was counted.
    pub(crate) fn finish(mut self) -> ColumnSurvey {
        let mut frequent: Vec<(String, u64)> = self.found.into_iter().collect();
        frequent.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        frequent.truncate(FREQUENT_MOST);
        self.counted.frequent = frequent;
        self.counted
    }
}

/// A tally for each declared column that is not made of another one.
pub(crate) fn tallies<'a>(
    dataset: &'a Dataset,
    stored: impl Fn(&Name) -> u32,
) -> Vec<(&'a Name, SurveyTally<'a>)> {
    let columns = dataset.ordered_columns();
    columns.map(|(name, column)| (name, SurveyTally::new(column, stored(name)))).collect()
}

#[cfg(test)]
mod tests {
    use lango_privacy::{Reading, Span};

    use super::*;

    fn counted(column: &Column, texts: &[&str]) -> ColumnSurvey {
        let mut tally = SurveyTally::new(column, 0);
        texts.iter().for_each(|text| tally.add(Raw::Text(text.as_bytes()), 1));
        tally.finish()
    }

    #[test]
    fn values_are_counted_as_questions_read_them_with_why_some_are_not_declared() {
        use UndeclaredReason::{Case, DayOrder, DecimalComma, FloatTail, Other, OutsidePeriod, Thousands};
        let code = |text: &str| text.parse().unwrap();
        let reading = Reading { missing: ["NA".to_owned()].into(), ..Reading::default() };
        let sex =
            Column::from(Domain::codes(vec![code("1"), code("F")]).unwrap()).with_reading(reading).unwrap();
        let found = counted(&sex, &["F", " F", "1", "1.0", "f", "f", "x", "NA", "", "  "]);
        assert_eq!((found.declared, found.missing, found.undeclared), (3, 3, 4));
        assert_eq!(found.reasons, BTreeMap::from([(FloatTail, 1), (Case, 2), (Other, 1)]));
        assert_eq!(found.frequent, [("f".to_owned(), 2), ("1.0".to_owned(), 1), ("x".to_owned(), 1)]);
        let income = Column::from(Domain::amount(0, 100_000, 2, None).unwrap());
        let texts =
            ["12.5", "1e9", "-1", "12,5", "1 200", "1,200.50", "1.200,50", "1 200,5", "1,200,300", "x"];
        let found = counted(&income, &texts);
        assert_eq!((found.declared, found.below, found.above, found.undeclared), (1, 1, 1, 7));
        // Of `1,200,300` and the like no decimals are left.
        assert_eq!(found.reasons, BTreeMap::from([(DecimalComma, 3), (Thousands, 2), (Other, 2)]));
        let long = ["F".repeat(STORED_TEXT_BYTES_MOST + 1), "_".repeat(STORED_TEXT_BYTES_MOST + 1)];
        let found = counted(&sex, &long.each_ref().map(String::as_str));
        assert_eq!((found.undeclared, &found.reasons), (2, &BTreeMap::from([(Other, 2)])));
        assert_eq!(found.frequent, [("a text of more than 8192 bytes".to_owned(), 2)]);
        let days = Column::from(Domain::date("2020-01-01".into(), "2020-12-31".into(), Span::Month).unwrap());
        let found = counted(&days, &["2020-05-01 00:00", "2019-12-31", "31/12/2020", "2020-02-30", "soon"]);
        assert_eq!(found.declared, 1);
        assert_eq!(found.reasons, BTreeMap::from([(DayOrder, 2), (OutsidePeriod, 1), (Other, 1)]));
        assert_eq!(found.months.in_one_month(), None);
        let exchanged: Vec<String> = (0..30).map(|n| format!("2020-03-{:02} 00:00", n % 12 + 1)).collect();
        let found = counted(&days, &exchanged.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found.months.in_one_month(), Some((3, 30)));
    }

    #[test]
    fn bounds_are_weighed_by_how_many_rows_units_have() {
        let units = BTreeMap::from([(1, 90), (2, 5), (10, 1)]);
        let survey = Survey { rows: 120, units, alike: 0, columns: BTreeMap::new() };
        assert_eq!(
            (survey.identified(), survey.kept(1), survey.kept(2), survey.kept(10)),
            (110, 96, 102, 110)
        );
        assert_eq!((survey.beyond(1), survey.beyond(2), survey.beyond(10), survey.largest()), (6, 1, 0, 10));
    }
}
