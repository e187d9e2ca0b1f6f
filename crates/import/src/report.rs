//! The result of an import, and what it reports on the way.

use std::path::PathBuf;

/// Places that are named for each finding.
pub(crate) const FIRST: usize = 10;

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows imported, those of an interrupted run included.
    pub rows: u64,
    /// The columns of the table; the unit's is the first.
    pub columns: Vec<ImportedColumn>,
    /// The files' other columns, which were left out.
    pub left_out: Vec<String>,
    /// The files, in the order of their rows.
    pub files: Vec<NamedFile>,
    /// Whether the unit is a key of the table; unknown where the import failed before.
    pub key: Option<UnitKey>,
}

/// A file that places are named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// Its path.
    pub path: PathBuf,
    /// Whether places are lines, as in a text file, or rows.
    pub by_line: bool,
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedColumn {
    /// Its name.
    pub name: String,
    /// The type of its values, in a word.
    pub type_name: &'static str,
    /// What was found among its values.
    pub findings: Findings,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowPlace {
    /// The position of its file among those that are imported.
    pub file: usize,
    /// The line on which it begins, counted from 1; of a Parquet file the row.
    pub line: u64,
}

/// Values, counted, with the places of the first ten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundValues {
    /// How many there are.
    pub count: u64,
    /// Where the first ten are.
    pub first: Vec<RowPlace>,
}

/// What is noted of a value. It is a fact of one value and its column's declaration, and no value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// There is none.
    Missing,
    /// No number, but one if `,` stands before the decimals.
    DecimalComma,
    /// No number, but one if `.` stands before the decimals.
    DecimalPoint,
    /// No number, but one if its groups of three digits are set apart by a mark.
    Thousands,
    /// No day, but one in another order or with other marks.
    DayOrder,
    /// No value of the column's type in any way that is known.
    Unreadable,
    /// No declared code, but one without the `.0` behind it.
    FloatTail,
    /// No declared code.
    Undeclared,
    /// A day outside of the declared period.
    OutsidePeriod,
    /// A number below the lower bound.
    Below,
    /// A number above the upper bound.
    Above,
    /// An identifier without a digit, or with a blank within: nearly all others have a digit and no blank.
    OddIdentifier,
    /// An identifier with a letter that cannot be seen.
    HiddenLetter,
    /// An identifier with zeros alone behind a number's point; one zero is left out with the point.
    TailedIdentifier,
    /// An identifier that is a number with an exponent, as spreadsheets write one of many digits.
    RoundedIdentifier,
    /// An identifier of digits that begins with 0. It is usual; another may be the same without the zero.
    LeadingZero,
    /// An identifier that another one is with more zeros in front.
    LostZeros,
    /// A day as `2024-07-01` where another notation is said.
    OtherDays,
}

/// For each [`Finding`], the values of a column of which it is true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings([FoundValues; Finding::ALL.len()]);

/// Whether the catalogue vouches for one row of each unit. The policy decides it, never the rows: a file whose rows do not allow
/// the key that the policy asks for is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKey {
    /// It does: the unit is a unique key.
    Unique,
    /// The policy allows several rows.
    NotWanted,
}

/// What an import reports on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportEvent {
    /// An interrupted import goes on after this number of rows.
    Resumed(u64),
    /// An interrupted import cannot go on, because this differs; it starts afresh.
    Afresh(&'static str),
    /// Rows were put in.
    Read {
        /// Bytes of the files that were read.
        bytes: u64,
        /// The files' size.
        of: u64,
        /// Rows so far.
        rows: u64,
    },
    /// All rows are in; the unit's key is made.
    Keying,
}

impl Finding {
    /// Each of them once, in the order of reports.
    pub const ALL: [Self; 18] = [
        Self::Missing,
        Self::DecimalComma,
        Self::DecimalPoint,
        Self::Thousands,
        Self::DayOrder,
        Self::Unreadable,
        Self::FloatTail,
        Self::Undeclared,
        Self::OutsidePeriod,
        Self::Below,
        Self::Above,
        Self::OddIdentifier,
        Self::HiddenLetter,
        Self::TailedIdentifier,
        Self::RoundedIdentifier,
        Self::LeadingZero,
        Self::LostZeros,
        Self::OtherDays,
    ];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::DecimalComma => "decimal comma",
            Self::DecimalPoint => "decimal point",
            Self::Thousands => "thousands separator",
            Self::DayOrder => "date order",
            Self::Unreadable => "other",
            Self::FloatTail => "a float's tail",
            Self::Undeclared => "not in the code list",
            Self::OutsidePeriod => "outside of the period",
            Self::Below => "below the lower bound",
            Self::Above => "above the upper bound",
            Self::OddIdentifier => "without a digit or with a blank within",
            Self::HiddenLetter => "with a letter that cannot be seen",
            Self::TailedIdentifier => "with `.0` behind a number, which is left out if it is one zero",
            Self::RoundedIdentifier => "a number with an exponent",
            Self::LeadingZero => "with a zero in front",
            Self::LostZeros => "another's without its zeros in front",
            Self::OtherDays => "written as 2024-07-01",
        }
    }

    /// The option that reads such values, if there is one.
    pub(crate) fn remedy(self) -> Option<&'static str> {
        match self {
            Self::DecimalComma => Some("--decimal comma"),
            Self::Thousands => Some("--thousands"),
            Self::DayOrder => Some("--dates"),
            Self::DecimalPoint
            | Self::Missing
            | Self::Unreadable
            | Self::FloatTail
            | Self::Undeclared
            | Self::OutsidePeriod
            | Self::Below
            | Self::Above
            | Self::OddIdentifier
            | Self::HiddenLetter
            | Self::TailedIdentifier
            | Self::RoundedIdentifier
            | Self::LeadingZero
            | Self::LostZeros
            | Self::OtherDays => None,
        }
    }

    /// Whether such a value does not read as its column's type. It is kept as it stands.
    pub fn is_unread(self) -> bool {
        match self {
            Self::DecimalComma | Self::DecimalPoint | Self::Thousands | Self::DayOrder | Self::Unreadable => {
                true
            }
            Self::Missing
            | Self::FloatTail
            | Self::Undeclared
            | Self::OutsidePeriod
            | Self::Below
            | Self::Above
            | Self::OddIdentifier
            | Self::HiddenLetter
            | Self::TailedIdentifier
            | Self::RoundedIdentifier
            | Self::LeadingZero
            | Self::LostZeros
            | Self::OtherDays => false,
        }
    }

    /// Whether it sets an identifier apart from others.
    pub fn is_of_identifiers(self) -> bool {
        matches!(
            self,
            Self::OddIdentifier
                | Self::HiddenLetter
                | Self::TailedIdentifier
                | Self::RoundedIdentifier
                | Self::LostZeros
        )
    }

    /// Whether such a value is no declared code.
    pub fn is_undeclared(self) -> bool {
        match self {
            Self::FloatTail | Self::Undeclared => true,
            Self::Missing
            | Self::DecimalComma
            | Self::DecimalPoint
            | Self::Thousands
            | Self::DayOrder
            | Self::Unreadable
            | Self::OutsidePeriod
            | Self::Below
            | Self::Above
            | Self::OddIdentifier
            | Self::HiddenLetter
            | Self::TailedIdentifier
            | Self::RoundedIdentifier
            | Self::LeadingZero
            | Self::LostZeros
            | Self::OtherDays => false,
        }
    }
}

impl Findings {
    /// Those values of which this is true.
    pub fn of(&self, finding: Finding) -> &FoundValues {
        static NONE: FoundValues = FoundValues { count: 0, first: Vec::new() };
        self.0.get(finding as usize).unwrap_or(&NONE)
    }

    /// What was found at all, in the order of reports.
    pub fn found(&self) -> impl Iterator<Item = (Finding, &FoundValues)> {
        Finding::ALL.into_iter().zip(&self.0).filter(|(_, counted)| counted.count > 0)
    }

    /// How many values do not read as the column's type, or are no declared code.
    pub fn unfit(&self) -> u64 {
        let unfit = self.found().filter(|(finding, _)| finding.is_unread() || finding.is_undeclared());
        unfit.map(|(_, counted)| counted.count).sum()
    }

    pub(crate) fn add(&mut self, finding: Finding, place: RowPlace) {
        if let Some(counted) = self.0.get_mut(finding as usize) {
            counted.add(place);
        }
    }

    /// Puts what was found at last in place of what was found so far.
    pub(crate) fn put(&mut self, finding: Finding, found: FoundValues) {
        if let Some(counted) = self.0.get_mut(finding as usize) {
            *counted = found;
        }
    }

    pub(crate) fn absorb(&mut self, later: &Self) {
        for (counted, later) in self.0.iter_mut().zip(&later.0) {
            counted.absorb(later);
        }
    }

    /// As text: for each finding, how many and the places.
    pub(crate) fn encoded(&self) -> String {
        let counted = |counted: &FoundValues| {
            let places = counted.first.iter().map(|place| format!(" {}:{}", place.file, place.line));
            format!("{}{}", counted.count, places.collect::<String>())
        };
        self.0.iter().map(counted).collect::<Vec<_>>().join(";")
    }

    /// What [`Findings::encoded`] wrote; `None` if it did not.
    pub(crate) fn decoded(text: &str) -> Option<Self> {
        let counted = |text: &str| {
            let mut parts = text.split(' ');
            let count = parts.next()?.parse().ok()?;
            let place = |text: &str| {
                let (file, line) = text.split_once(':')?;
                Some(RowPlace { file: file.parse().ok()?, line: line.parse().ok()? })
            };
            Some(FoundValues { count, first: parts.map(place).collect::<Option<_>>()? })
        };
        let all: Vec<FoundValues> = text.split(';').map(counted).collect::<Option<_>>()?;
        Some(Self(all.try_into().ok()?))
    }
}

impl FoundValues {
    pub(crate) fn add(&mut self, place: RowPlace) {
        self.count += 1;
        if self.first.len() < FIRST {
            self.first.push(place);
        }
    }

    fn absorb(&mut self, later: &Self) {
        self.count += later.count;
        let room = FIRST.saturating_sub(self.first.len());
        self.first.extend(later.first.iter().take(room));
    }
}

impl ImportReport {
    /// The places of some values in words: `lines 2, 4, ..`.
    pub fn places(&self, counted: &FoundValues) -> String {
        places(&self.files, &counted.first, counted.count)
    }
}

/// Places in words: `lines 2, 4, ..`, `row 3`, or of several files `a.csv line 2, b.parquet row 4`; dots follow where there are
/// more than are named.
pub(crate) fn places(files: &[NamedFile], places: &[RowPlace], count: u64) -> String {
    let by_line = |place: &RowPlace| files.get(place.file).is_none_or(|file| file.by_line);
    let numbers: Vec<String> = match files {
        [_, _, ..] => places
            .iter()
            .map(|place| {
                let name = files.get(place.file).and_then(|file| file.path.file_name()).unwrap_or_default();
                let word = if by_line(place) { "line" } else { "row" };
                format!("{} {word} {}", name.to_string_lossy(), place.line)
            })
            .collect(),
        [] | [_] => places.iter().map(|place| place.line.to_string()).collect(),
    };
    let word = match (places, files) {
        (_, [_, _, ..]) | ([], _) => "",
        ([only], _) => {
            if by_line(only) {
                "line "
            } else {
                "row "
            }
        }
        ([first, ..], _) => {
            if by_line(first) {
                "lines "
            } else {
                "rows "
            }
        }
    };
    let more = if count > places.len() as u64 { ", .." } else { "" };
    format!("{word}{}{more}", numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_written_as_text_and_read_again() {
        let mut findings = Findings::default();
        for line in 2..20 {
            findings.add(Finding::DecimalComma, RowPlace { file: 1, line });
        }
        findings.add(Finding::Above, RowPlace { file: 0, line: 7 });
        assert_eq!(Findings::decoded(&findings.encoded()), Some(findings.clone()));
        for text in ["", "1", "x;0;0;0;0;0;0;0;0;0;0", "1 2;0;0;0;0;0;0;0;0;0;0"] {
            assert_eq!(Findings::decoded(text), None, "{text}");
        }
        for (at, finding) in Finding::ALL.into_iter().enumerate() {
            assert_eq!(finding as usize, at);
        }
        assert_eq!((findings.unfit(), findings.of(Finding::DecimalComma).first.len()), (18, 10));
    }

    #[test]
    fn places_are_named_by_line_or_row_and_by_file_where_there_are_several() {
        let file = |name: &str, by_line| NamedFile { path: name.into(), by_line };
        let at = |file, line| RowPlace { file, line };
        let (one, rows) = (vec![file("a.csv", true)], vec![file("a.parquet", false)]);
        let two = vec![file("x/a.csv", true), file("x/b.parquet", false)];
        for (files, list, count, expected) in [
            (&one, vec![at(0, 2)], 1, "line 2"),
            (&one, vec![at(0, 2), at(0, 4)], 2, "lines 2, 4"),
            (&one, vec![at(0, 2), at(0, 4)], 3, "lines 2, 4, .."),
            (&rows, vec![at(0, 2)], 1, "row 2"),
            (&two, vec![at(0, 2), at(1, 4)], 9, "a.csv line 2, b.parquet row 4, .."),
        ] {
            assert_eq!(places(files, &list, count), expected);
        }
    }
}
