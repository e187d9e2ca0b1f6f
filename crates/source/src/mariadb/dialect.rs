//! SQL as MariaDB speaks it. Texts are compared as binary strings: a collation may take letters of two cases, or a text and
//! one with spaces after it, for the same.

use crate::{
    count::UnitType,
    sql::{Bind, Binds, ColumnType, DAY, Dialect, Exact, Made, OrderField, Rendered, shifted},
};

/// Blanks at the start of a binary string, ASCII's and the no-break space; and of one whose bytes are turned round.
const BLANKS: [&str; 2] = [r"^(?:[\x09-\x0D ]|\xC2\xA0)++", r"^(?:[\x09-\x0D ]|\xA0\xC2)++"];

/// A time zone as the server names it, which knows UTC by its offset even where it has no table of time zones.
pub(super) fn place(zone: &str) -> &str {
    if ["UTC", "Etc/UTC"].contains(&zone) { "+00:00" } else { zone }
}

/// The text of a number without zeros behind its last digit after the point.
fn short(number: &str) -> String {
    format!(
        r"CAST(TRIM(TRAILING '.' FROM REGEXP_REPLACE(CAST({number} AS CHAR), '^(-?[0-9]+[.][0-9]*?)0+$', '\1')) AS BINARY)"
    )
}

pub(crate) struct MariaDbDialect;

impl Dialect for MariaDbDialect {
    fn quoted(&self, identifier: &str) -> String {
        format!("`{}`", identifier.replace('`', "``"))
    }

    fn render(&self, text: &str, binds: Binds) -> Rendered {
        Rendered::in_order(text, binds)
    }

    fn made(&self, quoted: &str, made: Made, time_zone: Option<&str>) -> String {
        match (made, time_zone) {
            (Made::AsNumber, _) => format!("({quoted} + 0)"),
            (Made::AtPlace, Some(zone)) => {
                // A day that is none is at no place.
                let zone = place(zone).replace('\'', "''");
                format!("COALESCE(CONVERT_TZ({quoted}, @@session.time_zone, '{zone}'), {quoted})")
            }
            (Made::AsIs | Made::AsText | Made::AtPlace, _) => quoted.to_owned(),
        }
    }

    fn bytes(&self, text: &str) -> String {
        format!("LENGTH({text})")
    }

    fn matches(&self, text: &str, expression: &str) -> String {
        format!("{text} REGEXP '{expression}'")
    }

    fn trimmed(&self, text: &str) -> String {
        // Blanks at the end are the first ones of the text turned round: found from the end, they take time that grows with the
        // square of the blanks within.
        let [before, behind] = BLANKS;
        let begun = format!("REGEXP_REPLACE({text}, '{before}', '')");
        let ended = format!("REVERSE(REGEXP_REPLACE(REVERSE({begun}), '{behind}', ''))");
        // Of almost every text the first and the last byte say that there is nothing to take away.
        format!(
            "CASE WHEN ASCII({text}) > 32 AND ASCII({text}) <> 194 AND ASCII(RIGHT({text}, 1)) NOT IN (9, 10, 11, 12, 13, 32, 160) \
             THEN {text} ELSE {ended} END"
        )
    }

    fn folded(&self, text: &str, letters: &str) -> String {
        // Binary strings have no small letters.
        let fold = |text: String, letter: char| {
            format!("REPLACE({text}, '{}', '{letter}')", letter.to_ascii_uppercase())
        };
        letters.chars().fold(text.to_owned(), fold)
    }

    fn loosely(&self, text: &str) -> String {
        format!("LOWER(CONVERT({} USING utf8mb4)) COLLATE utf8mb4_bin", self.trimmed(text))
    }

    fn exact(&self, column: &str, kind: ColumnType) -> Exact {
        let there =
            |decimal: String| Exact { is_there: format!("{column} IS NOT NULL"), decimal, undeclared: None };
        match kind {
            ColumnType::Integer | ColumnType::Unsigned => there(format!("CAST({column} AS DECIMAL(38, 0))")),
            ColumnType::Decimal(_) | ColumnType::Numeric => there(column.to_owned()),
            // The shortest decimal that reads back the same.
            ColumnType::Float => there(format!("CAST(CAST({column} AS CHAR) AS DECIMAL(65, 38))")),
            ColumnType::Text { .. } | ColumnType::Day | ColumnType::Moment | ColumnType::Word => {
                let text = self.trimmed(&self.text(column, kind));
                self.exact_of_text(&text, format!("CAST({text} AS DECIMAL(65, 38))"))
            }
        }
    }

    fn text(&self, column: &str, kind: ColumnType) -> String {
        match kind {
            ColumnType::Text { utf8: true, .. } => format!("CAST({column} AS BINARY)"),
            ColumnType::Text { .. } | ColumnType::Word => {
                format!("CAST(CONVERT({column} USING utf8mb4) AS BINARY)")
            }
            ColumnType::Moment => self.decimal(&format!("DATE({column})")),
            ColumnType::Decimal(1..) | ColumnType::Numeric => short(column),
            ColumnType::Float => short(&format!("{column} + 0")),
            ColumnType::Integer | ColumnType::Unsigned | ColumnType::Decimal(0) | ColumnType::Day => {
                self.decimal(column)
            }
        }
    }

    fn grouped(&self, column: &str, kind: ColumnType) -> String {
        match kind {
            ColumnType::Text { bytewise: false, .. } | ColumnType::Moment => self.text(column, kind),
            ColumnType::Integer
            | ColumnType::Unsigned
            | ColumnType::Decimal(_)
            | ColumnType::Numeric
            | ColumnType::Float
            | ColumnType::Text { .. }
            | ColumnType::Day
            | ColumnType::Word => column.to_owned(),
        }
    }

    fn as_text(&self, grouped: &str, kind: ColumnType) -> String {
        match kind {
            // It is text already.
            ColumnType::Text { bytewise: false, .. } | ColumnType::Moment => grouped.to_owned(),
            ColumnType::Integer
            | ColumnType::Unsigned
            | ColumnType::Decimal(_)
            | ColumnType::Numeric
            | ColumnType::Float
            | ColumnType::Text { .. }
            | ColumnType::Day
            | ColumnType::Word => self.text(grouped, kind),
        }
    }

    fn not_blank(&self, column: &str, kind: ColumnType) -> String {
        // For almost every text its first byte decides, without a copy of it.
        let text = self.text(column, kind);
        let trimmed = self.trimmed(&text);
        let first = if matches!(kind, ColumnType::Text { utf8: true, .. }) { column } else { text.as_str() };
        format!("((ASCII({first}) > 32 AND ASCII({first}) NOT IN (160, 194)) OR LENGTH({trimmed}) > 0)")
    }

    fn number(&self, column: &str, kind: ColumnType) -> String {
        match kind {
            ColumnType::Unsigned => format!(
                "CASE WHEN {column} > 9223372036854775807 THEN 9223372036854775807 ELSE CAST({column} AS SIGNED) END"
            ),
            ColumnType::Decimal(scale) => {
                let shifted = shifted(column, scale);
                format!("CAST({shifted} AS SIGNED)")
            }
            ColumnType::Integer
            | ColumnType::Numeric
            | ColumnType::Float
            | ColumnType::Text { .. }
            | ColumnType::Day
            | ColumnType::Moment
            | ColumnType::Word => column.to_owned(),
        }
    }

    fn whole(&self, number: i64) -> String {
        // Its digits alone are those of no signed number.
        if number == i64::MIN { "(-9223372036854775807 - 1)".to_owned() } else { number.to_string() }
    }

    fn quotient(&self, dividend: &str, divisor: i64) -> String {
        format!("{dividend} DIV {divisor}")
    }

    fn decimal(&self, number: &str) -> String {
        format!("CAST(CAST({number} AS CHAR) AS BINARY)")
    }

    fn before(&self, text: &str, other: &str) -> String {
        format!("{text} < CAST({other} AS BINARY)")
    }

    fn same(&self, text: &str, other: &str) -> String {
        format!("{text} = CAST({other} AS BINARY)")
    }

    fn is_day(&self, text: &str, _: ColumnType) -> String {
        // The dollar sign also stands before a line's end at the very end.
        format!("(LENGTH({text}) = 10 AND {})", self.matches(text, DAY))
    }

    fn day_number(&self, text: &str) -> String {
        format!("CAST(REPLACE({text}, '-', '') AS SIGNED)")
    }

    fn identifier(&self, column: &str, kind: ColumnType) -> String {
        match kind {
            // The numbers past the signed ones become the negative ones, one by one.
            ColumnType::Unsigned => format!("CAST({column} AS SIGNED)"),
            ColumnType::Integer
            | ColumnType::Decimal(_)
            | ColumnType::Numeric
            | ColumnType::Float
            | ColumnType::Text { .. }
            | ColumnType::Day
            | ColumnType::Moment
            | ColumnType::Word => self.number(column, kind),
        }
    }

    fn between_days(&self, column: &str, kind: ColumnType, days: [&str; 2], binds: &mut Binds) -> String {
        let [first, last] = days.map(|day| binds.text(day));
        let day = if kind == ColumnType::Moment { format!("DATE({column})") } else { column.to_owned() };
        format!("{day} BETWEEN CAST({first} AS DATE) AND CAST({last} AS DATE)")
    }

    fn clock(&self, moment: &str) -> String {
        format!("DATE_FORMAT({moment}, '%H:%i:%s')")
    }

    fn escaped_length(&self, text: &str) -> String {
        format!("LENGTH({text}) + 2 * LENGTH(REGEXP_REPLACE({text}, '[-!-$&-+.-~]+', ''))")
    }

    fn digest(&self, secret: &str, fields: &[OrderField]) -> String {
        let field = |OrderField { text, present }: &OrderField| {
            let prefixed = format!("CONCAT(LPAD(CHAR(LENGTH({text})), 4, X'00'), {text})");
            match present {
                Some(present) => format!("CASE WHEN {present} THEN {prefixed} ELSE X'FFFFFFFF' END"),
                None => format!("COALESCE({prefixed}, X'FFFFFFFF')"),
            }
        };
        let fields: Vec<String> = fields.iter().map(field).collect();
        // The digest's 32 bytes: its 64 digits would be sorted as letters of a collation.
        format!("UNHEX(SHA2(CONCAT(CAST({secret} AS BINARY), {}), 256))", fields.join(", "))
    }

    fn ranks_apart(&self, unit: UnitType) -> Option<&'static str> {
        // Every row that is ranked is written, sorted and read again. Units are grouped by sorting: a table that is searched for
        // every row takes many times as long once it holds millions. Texts may be too long to be searched for among the units.
        (unit == UnitType::Integer).then_some("SELECT SQL_BIG_RESULT")
    }

    fn at_most(&self, number: &str, points: &Bind, _: &mut Binds) -> String {
        format!("INTERVAL({number}, {})", self.listed(points))
    }

    fn among(&self, number: &str, points: &Bind, _: &mut Binds) -> String {
        format!("({number} IN ({}))", self.listed(points))
    }

    fn as_number(&self, expression: &str) -> String {
        format!("CAST({expression} AS SIGNED)")
    }

    fn as_sum(&self, expression: &str) -> String {
        format!("CAST({expression} AS CHAR)")
    }
}

impl MariaDbDialect {
    fn listed(&self, points: &Bind) -> String {
        match points {
            Bind::Numbers(points) => {
                points.iter().map(|point| self.whole(*point)).collect::<Vec<_>>().join(", ")
            }
            Bind::Text(_) | Bind::Secret(_) => "NULL".to_owned(),
        }
    }
}
