//! SQL as PostgreSQL speaks it. The database's encoding is UTF-8, which the catalogue's check sees to.

use crate::sql::{Bind, Binds, ColumnType, DAY, Dialect, Exact, Made, OrderField, Rendered, shifted};

/// The decimals of a column that may hold what is no number: only of a finite number the difference from itself is 0.
fn finite(column: &str, decimal: String) -> Exact {
    let undeclared = Some(format!("{column} <> 'NaN' AND {column} - {column} = 'NaN'"));
    Exact { is_there: format!("{column} - {column} = 0"), decimal, undeclared }
}

/// Blanks: ASCII's and the no-break space.
const BLANKS: &str = r"E' \t\n\013\f\r\u00A0'";

/// That a text begins with a letter that is no blank.
fn begins(text: &str) -> String {
    format!("ascii({text}) > 32 AND ascii({text}) <> 160")
}

pub(crate) struct PostgresDialect;

impl Dialect for PostgresDialect {
    fn quoted(&self, identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    fn render(&self, text: &str, binds: Binds) -> Rendered {
        Rendered::numbered(text, binds)
    }

    fn made(&self, quoted: &str, made: Made, time_zone: Option<&str>) -> String {
        match (made, time_zone) {
            (Made::AsText, _) => format!("{quoted}::text"),
            (Made::AsNumber, _) => format!("{quoted}::bigint"),
            // A moment near the ends of what a server can hold may have no day at a place.
            (Made::AtPlace, Some(zone)) => format!(
                "(CASE WHEN {quoted} BETWEEN '4713-01-03 00:00:00+00 BC'::timestamptz AND '294276-12-29 00:00:00+00'::timestamptz \
                 OR {quoted} IN ('infinity', '-infinity') THEN {quoted} AT TIME ZONE '{}' WHEN {quoted} IS NOT NULL THEN 'infinity'::timestamp END)",
                zone.replace('\'', "''")
            ),
            (Made::AsIs | Made::AtPlace, _) => quoted.to_owned(),
        }
    }

    fn bytes(&self, text: &str) -> String {
        format!("octet_length({text})")
    }

    fn groups_long_texts(&self) -> bool {
        true
    }

    fn matches(&self, text: &str, expression: &str) -> String {
        format!("{text} ~ '{expression}'")
    }

    fn trimmed(&self, text: &str) -> String {
        // Trimming goes by letters, several times the price of all else that a value costs: almost every text shows by its first
        // and its last letter that there is nothing to take away. `abs` of a difference, so that the last is looked up once.
        let last = format!("ascii(right({text}, 1))");
        format!(
            "CASE WHEN {} AND (abs({last} - 80) < 47 OR {last} > 160) THEN {text} ELSE btrim({text}, {BLANKS}) END",
            begins(text)
        )
    }

    fn is_among(&self, text: &str, texts: &[String]) -> Option<String> {
        // Of a list of more than eight the server makes a hash table.
        (!texts.is_empty()).then(|| format!("{text} COLLATE \"C\" IN ({})", texts.join(", ")))
    }

    fn folded(&self, text: &str, _: &str) -> String {
        // Of this collation only the letters of ASCII have small ones.
        format!("lower({text} COLLATE \"C\")")
    }

    fn loosely(&self, text: &str) -> String {
        format!("lower({})", self.trimmed(text))
    }

    fn exact(&self, column: &str, kind: ColumnType) -> Exact {
        match kind {
            ColumnType::Integer | ColumnType::Unsigned => Exact {
                is_there: format!("{column} IS NOT NULL"),
                decimal: format!("{column}::numeric"),
                undeclared: None,
            },
            ColumnType::Decimal(_) | ColumnType::Numeric => finite(column, column.to_owned()),
            // The shortest decimal that reads back the same.
            ColumnType::Float => finite(column, format!("{column}::text::numeric")),
            ColumnType::Text { .. } | ColumnType::Day | ColumnType::Moment | ColumnType::Word => {
                let text = self.trimmed(&self.text(column, kind));
                self.exact_of_text(&text, format!("{text}::numeric"))
            }
        }
    }

    fn text(&self, column: &str, kind: ColumnType) -> String {
        match kind {
            ColumnType::Moment => format!("{column}::date::text"),
            ColumnType::Decimal(_) | ColumnType::Numeric => format!("trim_scale({column})::text"),
            // Of the narrowest type, so that the sum is of the column's own.
            ColumnType::Float => format!("({column} + 0::float4)::text"),
            ColumnType::Integer
            | ColumnType::Unsigned
            | ColumnType::Text { .. }
            | ColumnType::Day
            | ColumnType::Word => format!("{column}::text"),
        }
    }

    fn grouped(&self, column: &str, kind: ColumnType) -> String {
        if kind == ColumnType::Moment { format!("{column}::date") } else { column.to_owned() }
    }

    fn as_text(&self, grouped: &str, kind: ColumnType) -> String {
        // Of a moment the day alone was grouped.
        if kind == ColumnType::Moment { format!("{grouped}::text") } else { self.text(grouped, kind) }
    }

    fn not_blank(&self, column: &str, kind: ColumnType) -> String {
        let text = self.text(column, kind);
        format!("({} OR ltrim({text}, {BLANKS}) <> '')", begins(&text))
    }

    fn number(&self, column: &str, kind: ColumnType) -> String {
        match kind {
            // A decimal may be no number at all, which no cast takes.
            ColumnType::Decimal(scale) => {
                let shifted = shifted(column, scale);
                format!("CASE WHEN {column} <> 'NaN' THEN ({shifted})::bigint END")
            }
            ColumnType::Integer
            | ColumnType::Unsigned
            | ColumnType::Numeric
            | ColumnType::Float
            | ColumnType::Text { .. }
            | ColumnType::Day
            | ColumnType::Moment
            | ColumnType::Word => format!("{column}::bigint"),
        }
    }

    fn whole(&self, number: i64) -> String {
        if i32::try_from(number).is_ok() { number.to_string() } else { format!("'{number}'::bigint") }
    }

    fn quotient(&self, dividend: &str, divisor: i64) -> String {
        format!("{dividend} / {}", self.whole(divisor))
    }

    fn decimal(&self, number: &str) -> String {
        format!("({number})::text")
    }

    fn before(&self, text: &str, other: &str) -> String {
        format!("{text} COLLATE \"C\" < {other}")
    }

    fn same(&self, text: &str, other: &str) -> String {
        format!("{text} COLLATE \"C\" = {other}")
    }

    fn is_day(&self, text: &str, kind: ColumnType) -> String {
        match kind {
            // Days before Christ and after 9999 have longer texts.
            ColumnType::Day | ColumnType::Moment => format!("octet_length({text}) = 10"),
            ColumnType::Integer
            | ColumnType::Unsigned
            | ColumnType::Decimal(_)
            | ColumnType::Numeric
            | ColumnType::Float
            | ColumnType::Text { .. }
            | ColumnType::Word => self.matches(text, DAY),
        }
    }

    fn day_number(&self, text: &str) -> String {
        format!("replace({text}, '-', '')::integer")
    }

    fn between_days(&self, column: &str, kind: ColumnType, days: [&str; 2], _: &mut Binds) -> String {
        // Of numbers, for a cast from text would not be sent to another server.
        let [first, last] = days.map(|day| {
            let part = |part: &str| part.parse::<u32>().unwrap_or(1).to_string();
            format!("make_date({})", day.split('-').map(part).collect::<Vec<_>>().join(", "))
        });
        format!("{} BETWEEN {first} AND {last}", self.grouped(column, kind))
    }

    fn clock(&self, moment: &str) -> String {
        format!("to_char({moment}, 'HH24:MI:SS')")
    }

    fn escaped_length(&self, text: &str) -> String {
        format!(
            "octet_length({text}) + 2 * octet_length(regexp_replace({text} COLLATE \"C\", '[-!-$&-+.-~]+', '', 'g'))"
        )
    }

    fn digest(&self, secret: &str, fields: &[OrderField]) -> String {
        let field = |field: &OrderField| match &field.present {
            Some(present) => format!("CASE WHEN {present} THEN {} END", field.text),
            None => field.text.clone(),
        };
        let fields: Vec<String> = fields.iter().map(field).collect();
        // An array of texts is sent as 20 bytes about itself and then each text in the connection's encoding, UTF-8, behind its
        // length of four bytes, which is -1 for NULL: decision 10's fields, made at a third of the price of making them singly.
        format!(
            "sha256({secret}::bytea || substring(array_send(ARRAY[{}]::text[]) FROM 21))",
            fields.join(", ")
        )
    }

    fn at_most(&self, number: &str, points: &Bind, binds: &mut Binds) -> String {
        format!("width_bucket({number}, {}::bigint[])", binds.add(points.clone()))
    }

    fn among(&self, number: &str, points: &Bind, binds: &mut Binds) -> String {
        let points = binds.add(points.clone());
        let below = format!("width_bucket({number}, {points}::bigint[])");
        format!("CASE WHEN ({points}::bigint[])[{below}] = {number} THEN 1 ELSE 0 END")
    }

    fn as_number(&self, expression: &str) -> String {
        format!("({expression})::bigint")
    }

    fn as_sum(&self, expression: &str) -> String {
        format!("({expression})::text")
    }
}
