//! SQL as PostgreSQL speaks it. The database's encoding is UTF-8, which the catalogue's check sees to.

use crate::sql::{Bind, Binds, ColumnType, DAY, Dialect, OrderField, Rendered, shifted};

pub(crate) struct PostgresDialect;

impl Dialect for PostgresDialect {
    fn quoted(&self, identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    fn render(&self, text: &str, binds: Binds) -> Rendered {
        Rendered::numbered(text, binds)
    }

    fn text(&self, column: &str, _: ColumnType) -> String {
        format!("{column}::text")
    }

    fn not_blank(&self, column: &str, kind: ColumnType) -> String {
        // The spaces at the end of padded characters do not count: the result of `btrim`, without a copy of the text.
        format!("{}::bpchar <> ''", self.text(column, kind))
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
            | ColumnType::Text { .. }
            | ColumnType::Day
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
            ColumnType::Day => format!("octet_length({text}) = 10"),
            ColumnType::Integer
            | ColumnType::Unsigned
            | ColumnType::Decimal(_)
            | ColumnType::Text { .. }
            | ColumnType::Word => format!("{text} ~ '{DAY}'"),
        }
    }

    fn day_number(&self, text: &str) -> String {
        format!("replace({text}, '-', '')::integer")
    }

    fn among_texts(&self, column: &str, kind: ColumnType, texts: &[String]) -> String {
        format!("{} IN ({})", self.text(column, kind), texts.join(", "))
    }

    fn between_days(&self, column: &str, kind: ColumnType, days: [&str; 2], binds: &mut Binds) -> String {
        match kind {
            // Of numbers, for a cast from text would not be sent to another server.
            ColumnType::Day => {
                let [first, last] = days.map(|day| {
                    let part = |part: &str| part.parse::<u32>().unwrap_or(1).to_string();
                    format!("make_date({})", day.split('-').map(part).collect::<Vec<_>>().join(", "))
                });
                format!("{column} BETWEEN {first} AND {last}")
            }
            ColumnType::Integer
            | ColumnType::Unsigned
            | ColumnType::Decimal(_)
            | ColumnType::Text { .. }
            | ColumnType::Word => {
                let [first, last] = days.map(|day| binds.text(day));
                format!("{column} COLLATE \"C\" BETWEEN {first} AND {last}")
            }
        }
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
