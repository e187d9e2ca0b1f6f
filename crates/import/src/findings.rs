//! What is noted of the values of a column: how often, and where the first are.

/// Places that are named for each finding.
pub(crate) const FIRST: usize = 10;

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
    /// A number as thousands are written, where its column keeps no three decimals: `2.874`.
    GroupedNumber,
    /// A number as no thousands are written: with another count of decimals, or with four digits before them.
    UngroupedNumber,
    /// An identifier without a digit, or with a blank within: nearly all others have a digit and no blank.
    OddIdentifier,
    /// An identifier with a letter that cannot be seen.
    HiddenLetter,
    /// An identifier that a spreadsheet marked as a text; the marks are left out.
    MarkedIdentifier,
    /// An identifier with zeros alone behind a number's point; one zero is left out with the point.
    TailedIdentifier,
    /// An identifier as spreadsheets show a number of many digits: with an exponent, or as `####`.
    RoundedIdentifier,
    /// An identifier of more than 15 digits.
    LongNumber,
    /// One of which all digits behind the 15th are 0.
    LostDigits,
    /// An identifier of digits that begins with 0. It is usual; another may be the same without the zero.
    LeadingZero,
    /// An identifier that another one is with more zeros in front.
    LostZeros,
    /// An identifier with a small letter of ASCII.
    SmallLetter,
    /// An identifier with a capital letter of ASCII.
    CapitalLetter,
    /// An identifier with a letter that is none of ASCII, or a mark at one of its ends.
    OtherLetter,
    /// An identifier that another one is in other letters of the same shape, in the other case, or with other blanks.
    AlikeIdentifier,
    /// An identifier that stands on more rows than one unit's could be.
    CrowdedIdentifier,
    /// The first of identifiers that are counted from the beginning again.
    CountedAgain,
    /// An identifier on a row that stands in the files once more.
    CopiedRow,
    /// The identifier of a file's last row, which alone has neither a code nor a day, or holds the sum of the numbers above it.
    LastRow,
    /// An identifier that is a number too large for each one to have its own 32-bit float, and is one that has.
    SingleFloat,
    /// One that has none.
    BeyondSingle,
    /// An identifier of digits with a mark of decimals that are not all 0, as a household's number and a member's.
    PointedIdentifier,
    /// A number with more decimals than its column keeps; it is rounded.
    RoundedNumber,
    /// A moment at which it is midnight at another place, so that the day that is read may be the one before the one that is
    /// meant.
    OtherMidnight,
    /// A moment at midnight.
    Midnight,
    /// An identifier that is a word for nobody or for all: `NULL`, `unknown`, `Total`.
    NobodyIdentifier,
    /// A day as `2024-07-01` where another notation is said.
    OtherDays,
    /// The identifier of a row in which no value is what the policy declares, and some are not.
    LabelRow,
    /// The identifier of one of a file's first rows, which hardly another row is like.
    FirstRow,
    /// The identifier of a row with a number and without one of its codes and days.
    GapRow,
    /// The same, where it is unlike the others too.
    OddGapRow,
    /// The identifier of a row that holds the sum of the numbers above it.
    TotalRow,
    /// An identifier with a hyphen.
    DashIdentifier,
    /// One with another mark.
    MarkIdentifier,
    /// A moment at which it is midnight neither here nor at another place.
    OtherTime,
    /// An identifier that is a number too large for each one to have its own 64-bit float, and is one that has.
    DoubleFloat,
    /// One that has none.
    BeyondDouble,
    /// Two numbers with a point between them, of which the second ends in 0 behind another digit.
    PointedZero,
    /// Two such numbers, of which the second ends in 1 behind another digit.
    PointedOne,
    /// An identifier of digits with an `e` between them.
    ExponentIdentifier,
    /// An identifier of digits alone.
    DigitIdentifier,
    /// A day from which programs count, or which they write for none: 1970-01-01.
    OriginDay,
    /// The same day of the year before or after, or of that ten years before or after.
    BesideOrigin,
    /// Two numbers with a point between them, of which the second ends in 2 behind another digit.
    PointedTwo,
    /// Two such numbers, of which the second has one digit.
    PointedDigit,
    /// A number that is beyond all that a register holds, as some programs write one that is missing.
    HugeNumber,
    /// The identifier of a copied row that stands as far behind its like as most copies do.
    CopiedBlock,
    /// An identifier of digits behind something else, which begin with 0.
    InnerZero,
    /// One that a float holds, with more zeros at the end of its bits than a rounding leaves.
    RoundNumber,
    /// A day on the first twelve of a month, in which nearly all days of its file or of all are.
    OneMonth,
    /// No day that is read: its year has two digits, its month is in letters, or it is a count of days.
    OtherDayForm,
    /// No number and no day, but a word that says that there is none.
    NoValueWord,
}

/// What a finding says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FindingKind {
    /// That there is none.
    Missing,
    /// That it does not read as its column's type.
    Unread,
    /// That it is no declared code.
    Undeclared,
    /// That it is outside of the declared bounds or period.
    Outside,
    /// That it is written in another way than is said.
    Written,
    /// That it sets an identifier apart from others.
    Identifier,
    /// Nothing by itself: others are compared with it.
    Compared,
}

/// For each [`Finding`], the values of a column of which it is true.
#[derive(Clone, PartialEq, Eq)]
pub struct Findings([FoundValues; Finding::ALL.len()]);

impl std::fmt::Debug for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = Finding::ALL.into_iter().zip(&self.0);
        f.debug_map().entries(all.filter(|(_, counted)| counted.count > 0)).finish()
    }
}

impl Default for Findings {
    fn default() -> Self {
        Self(std::array::from_fn(|_| FoundValues::default()))
    }
}

impl Finding {
    /// Each of them once, in the order of reports.
    pub const ALL: [Self; 63] = [
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
        Self::GroupedNumber,
        Self::UngroupedNumber,
        Self::OddIdentifier,
        Self::HiddenLetter,
        Self::MarkedIdentifier,
        Self::TailedIdentifier,
        Self::RoundedIdentifier,
        Self::LongNumber,
        Self::LostDigits,
        Self::LeadingZero,
        Self::LostZeros,
        Self::SmallLetter,
        Self::CapitalLetter,
        Self::OtherLetter,
        Self::AlikeIdentifier,
        Self::CrowdedIdentifier,
        Self::CountedAgain,
        Self::CopiedRow,
        Self::LastRow,
        Self::SingleFloat,
        Self::BeyondSingle,
        Self::PointedIdentifier,
        Self::RoundedNumber,
        Self::OtherMidnight,
        Self::Midnight,
        Self::NobodyIdentifier,
        Self::OtherDays,
        Self::LabelRow,
        Self::FirstRow,
        Self::GapRow,
        Self::OddGapRow,
        Self::TotalRow,
        Self::DashIdentifier,
        Self::MarkIdentifier,
        Self::OtherTime,
        Self::DoubleFloat,
        Self::BeyondDouble,
        Self::PointedZero,
        Self::PointedOne,
        Self::ExponentIdentifier,
        Self::DigitIdentifier,
        Self::OriginDay,
        Self::BesideOrigin,
        Self::PointedTwo,
        Self::PointedDigit,
        Self::HugeNumber,
        Self::CopiedBlock,
        Self::InnerZero,
        Self::RoundNumber,
        Self::OneMonth,
        Self::OtherDayForm,
        Self::NoValueWord,
    ];

    fn facts(self) -> (FindingKind, &'static str) {
        use FindingKind::{Compared, Identifier, Missing, Outside, Undeclared, Unread, Written};
        match self {
            Self::Missing => (Missing, "missing"),
            Self::DecimalComma => (Unread, "decimal comma"),
            Self::DecimalPoint => (Unread, "decimal point"),
            Self::Thousands => (Unread, "thousands separator"),
            Self::DayOrder => (Unread, "date order"),
            Self::Unreadable => (Unread, "other"),
            Self::FloatTail => (Undeclared, "a float's tail"),
            Self::Undeclared => (Undeclared, "not in the code list"),
            Self::OutsidePeriod => (Outside, "outside of the period"),
            Self::Below => (Outside, "below the lower bound"),
            Self::Above => (Outside, "above the upper bound"),
            Self::GroupedNumber => (Compared, "written as thousands are"),
            Self::UngroupedNumber => (Compared, "written as no thousands are"),
            Self::OddIdentifier => (Identifier, "without a digit or with a blank within"),
            Self::HiddenLetter => (Identifier, "with a letter that cannot be seen"),
            Self::MarkedIdentifier => (Identifier, "with a spreadsheet's mark of a text, which is left out"),
            Self::TailedIdentifier => {
                (Identifier, "with `.0` behind a number, which is left out if it is one zero")
            }
            Self::RoundedIdentifier => (Identifier, "a number with an exponent, or `####`"),
            Self::LongNumber => (Compared, "of more than 15 digits"),
            Self::LostDigits => (Compared, "with zeros alone behind the 15th digit"),
            Self::LeadingZero => (Compared, "with a zero in front"),
            Self::LostZeros => (Identifier, "another's without its zeros in front"),
            Self::SmallLetter => (Compared, "with a small letter"),
            Self::CapitalLetter => (Compared, "with a capital letter"),
            Self::OtherLetter => (Compared, "with a letter that is none of ASCII, or a mark at an end"),
            Self::AlikeIdentifier => (Identifier, "another's in letters of the same shape"),
            Self::CrowdedIdentifier => (Identifier, "on more rows than a unit's could be"),
            Self::CountedAgain => (Identifier, "counted from the beginning again"),
            Self::CopiedRow => (Identifier, "on a row that is like one before it"),
            Self::LastRow => (Identifier, "on a last row that is unlike the others"),
            Self::SingleFloat => (Compared, "a number that a 32-bit float holds"),
            Self::BeyondSingle => (Compared, "a number that no 32-bit float holds"),
            Self::PointedIdentifier => (Compared, "two numbers with a point between them"),
            Self::RoundedNumber => (Written, "rounded to the declared decimals"),
            Self::OtherMidnight => (Compared, "at which it is midnight elsewhere"),
            Self::Midnight => (Compared, "at midnight"),
            Self::NobodyIdentifier => (Identifier, "a word for nobody, or for all"),
            Self::OtherDays => (Written, "written as 2024-07-01"),
            Self::LabelRow => (Compared, "on a row without a value that is declared"),
            Self::FirstRow => (Identifier, "on one of the first rows, which is unlike the others"),
            Self::GapRow => (Compared, "on a row that lacks a code or a day"),
            Self::OddGapRow => (Compared, "on such a row, and unlike the others"),
            Self::TotalRow => (Identifier, "on a row that holds the sum of the numbers above it"),
            Self::DashIdentifier => (Compared, "with a hyphen"),
            Self::MarkIdentifier => (Compared, "with a mark that is no hyphen"),
            Self::OtherTime => (Compared, "at another time of the day"),
            Self::DoubleFloat => (Compared, "a number that a 64-bit float holds"),
            Self::BeyondDouble => (Compared, "a number that no 64-bit float holds"),
            Self::PointedZero => (Compared, "ending in 0 behind a point"),
            Self::PointedOne => (Compared, "ending in 1 behind a point"),
            Self::ExponentIdentifier => (Compared, "digits with an `e` between them"),
            Self::DigitIdentifier => (Compared, "of digits alone"),
            Self::OriginDay => (Compared, "a day from which programs count"),
            Self::BesideOrigin => (Compared, "that day a year or ten years before or after"),
            Self::PointedTwo => (Compared, "ending in 2 behind a point"),
            Self::PointedDigit => (Compared, "of one digit behind a point"),
            Self::HugeNumber => (Written, "beyond any number of a register"),
            Self::CopiedBlock => (Compared, "on a copied row as far behind as most"),
            Self::RoundNumber => (Compared, "a number that a smaller float holds"),
            Self::OneMonth => (Written, "on the first twelve days of one month"),
            Self::OtherDayForm => (Unread, "a day in a form that is not read"),
            Self::NoValueWord => (Unread, "a word for none"),
            Self::InnerZero => (Compared, "with a zero in front of a number within"),
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        self.facts().1
    }

    /// The option that reads such values, if there is one.
    pub(crate) fn remedy(self) -> Option<&'static str> {
        let remedies = [
            (Self::DecimalComma, "--decimal comma"),
            (Self::DecimalPoint, "--decimal point"),
            (Self::Thousands, "--thousands"),
            (
                Self::DayOrder,
                "--dates with how they are written (\"%d/%m/%Y\" or \"%m/%d/%Y\" reads 7/4/2024, \"%Y%m%d\" 20160422)",
            ),
        ];
        remedies.into_iter().find(|(finding, _)| *finding == self).map(|(_, remedy)| remedy)
    }

    /// What to do where no option reads such values.
    pub(crate) fn instead(self) -> Option<&'static str> {
        let instead = [
            (
                Self::OtherDayForm,
                "export the days as 2024-01-31, for years of two digits (31/01/24), months in letters (31-Jan-2024, 31JAN2024) and counts of \
                 days (45321) are not read",
            ),
            (Self::NoValueWord, "name the words that stand for no value in the column's `missing`"),
        ];
        instead.into_iter().find(|(finding, _)| *finding == self).map(|(_, instead)| instead)
    }

    /// Whether such a value does not read as its column's type. It is kept as it stands.
    pub fn is_unread(self) -> bool {
        self.facts().0 == FindingKind::Unread
    }

    /// Whether it sets an identifier apart from others.
    pub fn is_of_identifiers(self) -> bool {
        self.facts().0 == FindingKind::Identifier
    }

    /// Whether a row with such a code or day lacks one: it is missing, unread or not declared. A day outside of the period is
    /// one.
    pub(crate) fn is_lacking(self) -> bool {
        self == Self::Missing || self.is_unread() || self.is_undeclared()
    }

    /// Whether such a value is no declared code.
    pub fn is_undeclared(self) -> bool {
        self.facts().0 == FindingKind::Undeclared
    }
}

impl Findings {
    /// Those values of which this is true.
    pub fn of(&self, finding: Finding) -> &FoundValues {
        static NONE: FoundValues = FoundValues { count: 0, first: Vec::new() };
        self.0.get(finding as usize).unwrap_or(&NONE)
    }

    /// Forgets some values, which are what is usual.
    pub(crate) fn forget(&mut self, finding: Finding) {
        self.put(finding, FoundValues::default());
    }

    /// What was found at all, in the order of reports, but for what says nothing by itself.
    pub fn found(&self) -> impl Iterator<Item = (Finding, &FoundValues)> {
        let all = Finding::ALL.into_iter().zip(&self.0);
        all.filter(|(finding, counted)| counted.count > 0 && finding.facts().0 != FindingKind::Compared)
    }

    /// How many values do not read as the column's type, or are no declared code.
    pub fn not_declared(&self) -> u64 {
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

    /// As text: for each finding of some value its position, how many and the places.
    pub(crate) fn encoded(&self) -> String {
        let counted = |(at, counted): (usize, &FoundValues)| {
            let places = counted.first.iter().map(|place| format!(" {}:{}", place.file, place.line));
            format!("{at} {}{}", counted.count, places.collect::<String>())
        };
        let found = self.0.iter().enumerate().filter(|(_, counted)| counted.count > 0);
        found.map(counted).collect::<Vec<_>>().join(";")
    }

    /// What [`Findings::encoded`] wrote; `None` if it did not.
    pub(crate) fn decoded(text: &str) -> Option<Self> {
        let mut this = Self::default();
        for text in text.split(';').filter(|text| !text.is_empty()) {
            let mut parts = text.split(' ');
            let at: usize = parts.next()?.parse().ok()?;
            let count = parts.next()?.parse().ok()?;
            let place = |text: &str| {
                let (file, line) = text.split_once(':')?;
                Some(RowPlace { file: file.parse().ok()?, line: line.parse().ok()? })
            };
            *this.0.get_mut(at)? = FoundValues { count, first: parts.map(place).collect::<Option<_>>()? };
        }
        Some(this)
    }
}

impl FoundValues {
    pub(crate) fn add(&mut self, place: RowPlace) {
        self.count += 1;
        if self.first.len() < FIRST {
            self.first.push(place);
        }
    }

    pub(crate) fn absorb(&mut self, later: &Self) {
        self.count += later.count;
        let room = FIRST.saturating_sub(self.first.len());
        self.first.extend(later.first.iter().take(room));
    }
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
        assert_eq!(Findings::decoded(""), Some(Findings::default()));
        for text in ["1", "x 1", "1 2 3", "99 1", "1 2 0:2 3"] {
            assert_eq!(Findings::decoded(text), None, "{text}");
        }
        for (at, finding) in Finding::ALL.into_iter().enumerate() {
            assert_eq!(finding as usize, at);
        }
        assert_eq!((findings.not_declared(), findings.of(Finding::DecimalComma).first.len()), (18, 10));
    }
}
