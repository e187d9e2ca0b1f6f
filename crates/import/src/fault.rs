//! What may be wrong with a column's values, in words, and what to do.

/// What is wrong with a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfitValues {
    /// The unit's identifier is missing.
    NoIdentifier,
    /// They do not read as the column's type, or are no declared code.
    NotDeclared,
    /// They are days in another order than the one that the caller said.
    OtherOrder,
    /// Days are written in another way than the column's other days.
    TwoNotations,
    /// Numbers are written as thousands are, and read as a few units with three decimals.
    Thousands,
    /// Most numbers are outside of the declared bounds.
    OutOfBounds,
    /// No day is in the declared period.
    OutOfPeriod,
    /// A few identifiers have no digit, or a blank within, and all others do not.
    OddIdentifier,
    /// Identifiers hold letters that cannot be seen.
    HiddenLetter,
    /// Identifiers are numbers of which a spreadsheet lost the last digits.
    RoundedIdentifier,
    /// Some identifiers have `.0` behind a number, and others do not.
    TailedIdentifier,
    /// Identifiers are others without the zeros in front of them.
    LostZeros,
    /// Identifiers are others in letters of the same shape, in the other case, or with other blanks.
    AlikeIdentifier,
    /// One identifier stands on more rows than one unit's could be.
    CrowdedIdentifier,
    /// Identifiers are counted from the beginning again.
    CountedAgain,
    /// Rows stand in the files twice.
    CopiedRow,
    /// The last row of a file may be a total.
    LastRow,
    /// The first rows of a file may be types, units or labels of the columns, or a total.
    FirstRow,
    /// Rows hold the sum of the numbers above them.
    TotalRow,
    /// A column has no value in one of several files.
    NoValues,
    /// All days are in one month, and on its first twelve days: day and month may be exchanged.
    OneMonth,
    /// Almost all moments are at midnight of another place, so that the day may be the one before the one that is meant.
    DayBefore,
    /// Many days are one from which programs count.
    OriginDay,
    /// Numbers have decimals behind the mark that is said to set thousands apart.
    TwoMarks,
    /// Numbers are beyond any that a register holds.
    HugeNumber,
}

impl UnfitValues {
    /// Each of them once.
    pub(crate) const ALL: [Self; 25] = [
        Self::NoIdentifier,
        Self::NotDeclared,
        Self::OtherOrder,
        Self::TwoNotations,
        Self::Thousands,
        Self::OutOfBounds,
        Self::OutOfPeriod,
        Self::OddIdentifier,
        Self::HiddenLetter,
        Self::RoundedIdentifier,
        Self::TailedIdentifier,
        Self::LostZeros,
        Self::AlikeIdentifier,
        Self::CrowdedIdentifier,
        Self::CountedAgain,
        Self::CopiedRow,
        Self::LastRow,
        Self::FirstRow,
        Self::TotalRow,
        Self::NoValues,
        Self::OneMonth,
        Self::DayBefore,
        Self::OriginDay,
        Self::TwoMarks,
        Self::HugeNumber,
    ];

    /// What is wrong, in words that follow a number.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NoIdentifier => "rows have no identifier",
            Self::NotDeclared => "values are unread or undeclared",
            Self::OtherOrder => "days contradict the order of --dates",
            Self::TwoNotations => "days are written in another way than the others",
            Self::Thousands => {
                "numbers have three decimals of which not all are kept, and no other number has any or reaches 1000"
            }
            Self::OutOfBounds => "numbers are outside of the declared bounds",
            Self::OutOfPeriod => "days are outside of the declared period",
            Self::OddIdentifier => {
                "identifiers are unlike the others, without a digit or with a blank within"
            }
            Self::HiddenLetter => {
                "identifiers hold a letter that cannot be seen, or stands for one that was lost"
            }
            Self::RoundedIdentifier => {
                "identifiers are numbers without their last digits, or as floats hold them"
            }
            Self::TailedIdentifier => "identifiers have `.0` behind a number, and the others do not",
            Self::LostZeros => "identifiers are another one without its zeros in front",
            Self::AlikeIdentifier => {
                "identifiers are another one in the other case, with other blanks or marks, or in letters of the same shape"
            }
            Self::CrowdedIdentifier => {
                "rows have an identifier that stands on more rows than one unit's could be"
            }
            Self::CountedAgain => "rows begin to count identifiers anew",
            Self::CopiedRow => "rows are in all declared columns like one before them",
            Self::LastRow => {
                "rows are a file's last, and have neither a code nor a day, or the sum of the numbers above them"
            }
            Self::FirstRow => {
                "rows are among a file's first, and have no value that the policy declares, neither a code nor a day, or the sum of the \
                 numbers below them"
            }
            Self::TotalRow => "rows hold the sum of the numbers above them",
            Self::NoValues => "rows have no value, and those of the other files do",
            Self::OneMonth => "days are on the first twelve of one month, whatever the year",
            Self::DayBefore => "moments are at midnight of another place",
            Self::OriginDay => {
                "days are one from which programs count, as 1970-01-01, and a fifth as many or fewer are the same day of the year before or after"
            }
            Self::HugeNumber => "numbers are beyond any that a register holds",
            Self::TwoMarks => "numbers have decimals behind the mark of --thousands",
        }
    }

    /// What to do.
    pub(crate) fn instead(self) -> &'static str {
        match self {
            Self::NoIdentifier => "add it",
            Self::NotDeclared => "correct the file or the policy",
            Self::OtherOrder => "write all days in one order",
            Self::TwoNotations => {
                "a spreadsheet may have exchanged day and month in some; write all days of the column in one way"
            }
            Self::Thousands => {
                "if they are thousands, say --thousands and, if need be, --decimal; if they are decimals, declare a scale of 3"
            }
            Self::OutOfBounds => {
                "correct the bounds in the policy, or the unit that the values are written in, if these are not of a group that has such"
            }
            Self::OutOfPeriod => "correct the period in the policy",
            Self::OddIdentifier => "take out rows that are totals, notes or labels, and those of nobody",
            Self::HiddenLetter => "take it out, or export the file in UTF-8",
            Self::RoundedIdentifier => {
                "a program rounded them, so that one may stand for many; export them again as texts"
            }
            Self::TailedIdentifier => "write all of them in one way",
            Self::LostZeros => {
                "a program took them for numbers, so one unit has two; write all of them with their zeros"
            }
            Self::AlikeIdentifier => "write each unit's identifier in one way",
            Self::CrowdedIdentifier => {
                "it may say that there is none, be the number of something larger, or have been rounded: leave it empty in rows of nobody, name the \
                 units' own column, export the identifiers as texts; or raise `rows_at_most` in the policy if units have as many rows, as one who crosses a border every day has"
            }
            Self::CopiedRow => {
                "leave out what was exported or appended twice, or what a join has doubled, or declare the column in which such rows differ"
            }
            Self::LastRow => "remove them if they are totals or notes",
            Self::TotalRow => "remove them if they are totals of the rows above",
            Self::FirstRow => "remove them if they are types, units or labels of the columns, or totals",
            Self::NoValues => {
                "export that file again, if it is not of a group that has none, as children have no income"
            }
            Self::OneMonth => {
                "day and month may be exchanged: say --dates in the order in which they are written, or export them again"
            }
            Self::DayBefore => {
                "their day may be the one before the one that is meant: export days; or, if they say how far their clock is from UTC (`Z`, \
                 `+00:00`), declare the `time_zone` in which they are midnight, or none if they are days"
            }
            Self::OriginDay => {
                "a program may have written it where there is none: if so, name it in the column's `missing`"
            }
            Self::HugeNumber => {
                "a program writes such for a number that is missing: name them in the column's `missing`, or leave them empty"
            }
            Self::TwoMarks => {
                "if the mark stands before decimals, say so with --decimal and leave --thousands out; else write all numbers in one way"
            }
            Self::CountedAgain => {
                "if these are other units, put a mark of their file or district in front of their identifiers; if they are the same units in \
                 an older copy, leave that out"
            }
        }
    }

    /// The word by which it is accepted; none for what `COLUMN=SHARE` alone accepts.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::NoIdentifier | Self::NotDeclared => None,
            Self::OtherOrder => Some("order"),
            Self::TwoNotations => Some("notations"),
            Self::Thousands => Some("thousands"),
            Self::OutOfBounds => Some("bounds"),
            Self::OutOfPeriod => Some("period"),
            Self::OddIdentifier => Some("odd"),
            Self::HiddenLetter => Some("hidden"),
            Self::RoundedIdentifier => Some("rounded"),
            Self::TailedIdentifier => Some("tails"),
            Self::LostZeros => Some("zeros"),
            Self::AlikeIdentifier => Some("alike"),
            Self::CrowdedIdentifier => Some("crowded"),
            Self::CountedAgain => Some("counted-again"),
            Self::CopiedRow => Some("copies"),
            Self::LastRow => Some("last"),
            Self::FirstRow => Some("first"),
            Self::TotalRow => Some("totals"),
            Self::NoValues => Some("empty"),
            Self::OneMonth => Some("month"),
            Self::DayBefore => Some("hours"),
            Self::OriginDay => Some("origin"),
            Self::TwoMarks => Some("marks"),
            Self::HugeNumber => Some("huge"),
        }
    }
}

impl std::str::FromStr for UnfitValues {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|fault| fault.word() == Some(text));
        let words = || Self::ALL.into_iter().filter_map(Self::word).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| format!("one of {}", words()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_fault_is_accepted_by_its_own_word_and_stands_in_the_manual() {
        for (at, fault) in UnfitValues::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, at, "{fault:?}");
        }
        let words: Vec<&str> = UnfitValues::ALL.into_iter().filter_map(UnfitValues::word).collect();
        for word in &words {
            assert_eq!(word.parse::<UnfitValues>().unwrap().word(), Some(*word));
        }
        assert!("soon".parse::<UnfitValues>().unwrap_err().contains("zeros, alike, crowded"));
        let manual = include_str!("../../../docs/IMPORTING.md");
        let (_, table) = manual.split_once("| word | what stops the import |").unwrap();
        let (table, _) = table.split_once("\n\n").unwrap();
        let listed: Vec<&str> = table.lines().filter_map(|line| line.split('`').nth(1)).collect();
        assert_eq!(listed.iter().collect::<BTreeSet<_>>(), words.iter().collect(), "each has its line");
        assert_eq!(listed.len(), words.len(), "and each word one fault");
    }
}
