//! What engines say each in its own way.

use super::{Bind, Binds, ColumnType, Made, Rendered};
use crate::{count::UnitType, value::STORED_TEXT_BYTES_MOST};

/// A day of the Gregorian calendar, as both engines' regular expressions have it: what casts would be tried on without failing.
pub(crate) const DAY: &str = "^(?!0000)([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))\
|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$";

/// A day of digits, a time and perhaps an offset behind it: what [`lango_privacy::day`] takes for a day once [`DAY`] holds of its
/// first ten characters.
const TIME: &str = "^.{10}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:([0-5][0-9]|60)([.][0-9]+)?)?(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)?$";

/// A decimal number: what [`lango_privacy::number`] reads. None of them is beyond what an engine's decimals can hold, so that no
/// cast fails.
const NUMBER: &str = "^[+-]?([0-9]{1,38}([.][0-9]{1,38})?|[.][0-9]{1,38})([eE][+-]?[0-9]{1,3})?$";

/// A decimal in units of its last digit.
pub(crate) fn shifted(column: &str, scale: u32) -> String {
    if scale == 0 { column.to_owned() } else { format!("{column} * {}", 10_u64.saturating_pow(scale)) }
}

/// Finite decimals and what is none of them: what an engine makes of a column that is not of whole numbers of the right scale.
pub(crate) struct Exact {
    /// That there is a decimal.
    pub(crate) is_there: String,
    /// The decimal, where there is one.
    pub(crate) decimal: String,
    /// That something is present and is no number.
    pub(crate) undeclared: Option<String>,
}

/// A field of the row order.
pub(crate) struct OrderField {
    /// Its text.
    pub(crate) text: String,
    /// When it is present, where a NULL text does not say so.
    pub(crate) present: Option<String>,
}

/// An engine's words. Expressions go in and come out as text; columns are quoted already.
pub(crate) trait Dialect: Send + Sync {
    /// An identifier as SQL writes it.
    fn quoted(&self, identifier: &str) -> String;

    /// The statement as the engine takes it.
    fn render(&self, text: &str, binds: Binds) -> Rendered;

    /// A column's value of its [`ColumnType`], at a place for moments that need one.
    fn made(&self, quoted: &str, made: Made, time_zone: Option<&str>) -> String;

    /// The bytes of a text.
    fn bytes(&self, text: &str) -> String;

    /// What is made of a text, and something instead where the text is too long to be read: what a very long text takes is more
    /// than some servers have.
    fn unless_long(&self, text: &str, made: &str, instead: &str) -> String {
        format!("(CASE WHEN {} > {STORED_TEXT_BYTES_MOST} THEN {instead} ELSE {made} END)", self.bytes(text))
    }

    /// What stands for a text that is too long to be read: one that is too long itself, so that whatever reads it takes it
    /// for undeclared.
    ///
    /// INVARIANT (no stand-in is a policy's text): a code, a recoded text and one that is missing are all shorter, and there is
    /// no blank around this one that trimming could take away.
    fn too_long(&self) -> String {
        format!("repeat('_', {})", STORED_TEXT_BYTES_MOST + 1)
    }

    /// Whether texts of any length are grouped without harm, so that long ones are left out afterwards: that is a step for each
    /// group instead of each row.
    fn groups_long_texts(&self) -> bool {
        false
    }

    /// Whether a text matches a regular expression.
    fn matches(&self, text: &str, expression: &str) -> String;

    /// A text without the blanks around it: ASCII's and the no-break space.
    fn trimmed(&self, text: &str) -> String;

    /// That a text is one of these, where that costs a row less than trimming does.
    fn is_among(&self, _text: &str, _texts: &[String]) -> Option<String> {
        None
    }

    /// A text with these letters of ASCII in small letters, and perhaps others.
    fn folded(&self, text: &str, letters: &str) -> String;

    /// A text without blanks around it and in small letters, as the engine has them: to find identifiers that are much alike.
    fn loosely(&self, text: &str) -> String;

    /// The day alone of a trimmed text that is a day with a time behind it; any other text as it is.
    fn day_of(&self, text: &str) -> String {
        let day = format!("left({text}, 10)");
        let (has_time, is_day) = (self.matches(text, TIME), self.matches(&day, DAY));
        format!("CASE WHEN {} > 10 AND {has_time} AND {is_day} THEN {day} ELSE {text} END", self.bytes(text))
    }

    /// The decimals of a trimmed text; `decimal` is the text as one, where it is a number.
    fn exact_of_text(&self, text: &str, decimal: String) -> Exact {
        let is_there = self.matches(text, NUMBER);
        let undeclared = Some(format!("{} > 0 AND NOT ({is_there})", self.bytes(text)));
        Exact { is_there, decimal, undeclared }
    }

    /// The decimals of a column of numbers.
    fn exact(&self, column: &str, kind: ColumnType) -> Exact;

    /// A column's value as text that is compared byte by byte; NULL where it is NULL. Of a number without zeros behind its last
    /// digit after the point: 566 where the column has 566.00.
    ///
    /// INVARIANT (equal values have one text): a group has the text of any of its rows, so where the column's own equality is
    /// what groups it, two values that it takes for the same have the same text. -0 is the number 0: adding 0 makes it that.
    fn text(&self, column: &str, kind: ColumnType) -> String;

    /// What a column is grouped by, so that no two values that differ in a byte come together.
    fn grouped(&self, column: &str, _kind: ColumnType) -> String {
        column.to_owned()
    }

    /// The text of what a column was grouped by.
    fn as_text(&self, grouped: &str, kind: ColumnType) -> String {
        self.text(grouped, kind)
    }

    /// That a column's text is not empty and not of blanks only.
    fn not_blank(&self, column: &str, kind: ColumnType) -> String;

    /// A column's value as a whole number of 64 bits, in units of its own decimals.
    fn number(&self, column: &str, kind: ColumnType) -> String;

    /// A whole number as it stands in a statement.
    fn whole(&self, number: i64) -> String;

    /// The identifier of a column of whole numbers, so that no two become one; NULL where there is none.
    fn identifier(&self, column: &str, kind: ColumnType) -> String {
        self.number(column, kind)
    }

    /// The quotient of two whole numbers, neither of which is negative.
    fn quotient(&self, dividend: &str, divisor: i64) -> String;

    /// The text of a number.
    fn decimal(&self, number: &str) -> String;

    /// Whether a text comes before another, byte by byte.
    fn before(&self, text: &str, other: &str) -> String;

    /// Whether two texts are the same bytes.
    fn same(&self, text: &str, other: &str) -> String;

    /// Whether a text is a day of the calendar, if the column's type leaves it open.
    fn is_day(&self, text: &str, kind: ColumnType) -> String;

    /// The whole number that a day's text is without its dashes.
    fn day_number(&self, text: &str) -> String;

    /// Whether a column of days or moments lies between two days, both included.
    fn between_days(&self, column: &str, kind: ColumnType, days: [&str; 2], binds: &mut Binds) -> String;

    /// The time of the day of a moment, `23:00:00`.
    fn clock(&self, moment: &str) -> String;

    /// How long a text is where each byte that a code may not hold is written in three.
    fn escaped_length(&self, text: &str) -> String;

    /// What rows are put in order by: SHA-256 of the secret and the fields, as decision 10 lays them out.
    fn digest(&self, secret: &str, fields: &[OrderField]) -> String;

    /// What a `SELECT` begins with that finds the units with too many rows, so that their rows alone are ranked: where ranking a
    /// row costs several times what grouping it does.
    fn ranks_apart(&self, _unit: UnitType) -> Option<&'static str> {
        None
    }

    /// How many of these numbers, which ascend, are at most a number.
    fn at_most(&self, number: &str, points: &Bind, binds: &mut Binds) -> String;

    /// 1 where a number is one of these, else 0.
    fn among(&self, number: &str, points: &Bind, binds: &mut Binds) -> String;

    /// A whole number or a count, so that it is read as a number of 64 bits.
    fn as_number(&self, expression: &str) -> String;

    /// A sum, which may be larger than a number of 64 bits, so that it is read as text.
    fn as_sum(&self, expression: &str) -> String;
}
