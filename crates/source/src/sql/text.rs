//! A column of texts as SQL reads it: trimmed, the day alone where it is of days, NULL where it is missing.

use std::collections::BTreeSet;

use lango_privacy::{Column, Domain, Name};

use super::{Binds, CatalogueTable, ColumnType, Dialect, OrderField};

/// A column's text on the table itself, without blanks around it, and the day alone where it is of days; as it is where it is
/// missing.
pub(super) fn normal_text(
    dialect: &dyn Dialect,
    table: &CatalogueTable,
    name: &Name,
    column: &Column,
) -> String {
    let kind = table.kind(name);
    let text = dialect.text(table.plain(name), kind);
    match (kind.is_text(), &column.domain) {
        (false, _) => text,
        (true, Domain::Date { .. }) => table.short(dialect, name, dialect.day_of(&dialect.trimmed(&text))),
        (true, Domain::Codes(_) | Domain::Open | Domain::Integer { .. } | Domain::Amount { .. }) => {
            table.short(dialect, name, dialect.trimmed(&text))
        }
    }
}

/// That a column's text is neither blank nor said to be missing; `None` where NULL alone is missing.
pub(super) fn is_present(
    dialect: &dyn Dialect,
    table: &CatalogueTable,
    name: &Name,
    column: &Column,
    binds: &mut Binds,
) -> Option<String> {
    let kind = table.kind(name);
    let not_blank = kind
        .is_text()
        .then(|| table.unless_long(dialect, name, dialect.not_blank(table.plain(name), kind), "TRUE"));
    let missing = missing_among(dialect, &normal_text(dialect, table, name, column), column, binds);
    let conditions = not_blank.into_iter().chain(missing.map(|missing| format!("NOT ({missing})")));
    let conditions: Vec<String> = conditions.collect();
    (!conditions.is_empty()).then(|| conditions.join(" AND "))
}

/// A column's text where there is any, else NULL.
pub(super) fn present_text(
    dialect: &dyn Dialect,
    table: &CatalogueTable,
    name: &Name,
    column: &Column,
    binds: &mut Binds,
) -> String {
    let OrderField { text, present } = ordered_text(dialect, table, name, column, binds);
    match present {
        Some(present) => format!("CASE WHEN {present} THEN {text} END"),
        None => text,
    }
}

/// A column's text in the row order: NULL by itself where that spares asking whether there is one.
pub(super) fn ordered_text(
    dialect: &dyn Dialect,
    table: &CatalogueTable,
    name: &Name,
    column: &Column,
    binds: &mut Binds,
) -> OrderField {
    let text = normal_text(dialect, table, name, column);
    let present = is_present(dialect, table, name, column, binds);
    match (stands_as_declared(dialect, table, name, column, binds), present) {
        (Some((plain, declared)), Some(present)) => OrderField {
            text: format!("CASE WHEN {declared} THEN {plain} ELSE CASE WHEN {present} THEN {text} END END"),
            present: None,
        },
        (_, present) => OrderField { text, present },
    }
}

/// A column's text as it stands, and that it is one of those that mean a code, which have no blanks around them and are never
/// missing; `None` where that says nothing, or costs more than reading the text.
fn stands_as_declared(
    dialect: &dyn Dialect,
    table: &CatalogueTable,
    name: &Name,
    column: &Column,
    binds: &mut Binds,
) -> Option<(String, String)> {
    let kind = table.kind(name);
    if !(matches!(kind, ColumnType::Text { .. }) && matches!(column.domain, Domain::Codes(_))) {
        return None;
    }
    let plain = dialect.text(table.plain(name), kind);
    let texts: Vec<String> = column.texts().keys().map(|text| binds.text(text)).collect();
    dialect.is_among(&plain, &texts).map(|declared| (plain, declared))
}

/// That a trimmed text says that the value is missing; `None` where no text does.
pub(super) fn missing_among(
    dialect: &dyn Dialect,
    text: &str,
    column: &Column,
    binds: &mut Binds,
) -> Option<String> {
    let missing = column.missing_texts();
    let folded = folded(dialect, text, column, missing.iter());
    let same = missing.iter().map(|missing| dialect.same(&folded, &binds.text(missing)));
    let same: Vec<String> = same.collect();
    (!same.is_empty()).then(|| same.join(" OR "))
}

/// A text as it is compared with others: in small letters where the case of letters does not matter.
pub(super) fn folded<'a>(
    dialect: &dyn Dialect,
    text: &str,
    column: &Column,
    others: impl Iterator<Item = &'a String>,
) -> String {
    if !column.reading.ignores_case {
        return text.to_owned();
    }
    let letters: BTreeSet<char> =
        others.flat_map(|other| other.chars()).filter(char::is_ascii_lowercase).collect();
    dialect.folded(text, &letters.into_iter().collect::<String>())
}
