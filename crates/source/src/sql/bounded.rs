//! The rows that survive the contribution bounds, with their rank within the unit and their columns in normal form: what a
//! preparation holds, and what is ranked at query time where there is none. One piece of SQL makes both.

use lango_privacy::{Dataset, Domain, Name};

use super::{Bind, Binds, CatalogueTable, ColumnType, Dialect, OrderField, number::Number, text::Stored};
use crate::{Secret, count::UnitType};

/// The type of a column in normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NormalType {
    /// A position among the declared keys, `YYYYMMDD`, or the number itself.
    Number,
    /// Text.
    Text,
}

/// The type of a column in normal form.
pub(crate) fn normal_type(domain: &Domain) -> NormalType {
    if *domain == Domain::Open { NormalType::Text } else { NormalType::Number }
}

/// The name of a column of codes that is not in normal form: the text as it stands, unless it is too long to be read. No
/// declared name begins so, and engines cut none that is so short.
pub(super) fn text_column(dataset: &Dataset, name: &Name) -> String {
    let position = dataset.columns.keys().position(|declared| declared == name);
    format!("_text_{}", position.unwrap_or(usize::MAX))
}

/// The rows whose ranks matter to a reader of bounded rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ranks {
    /// Every one's.
    All,
    /// Those of units with more rows than this: all rows of another unit count, whatever rank they are given.
    Beyond(u32),
}

/// A `SELECT` of the first `rows_at_most` rows of every unit in row order (decision 10): `_unit`, `_rank` and these columns in
/// normal form under their own names; of codes, also their texts, under the names of [`text_column`].
///
/// In normal form a missing value is NULL. A code is its position in the list, a day the number `YYYYMMDD`, and -1 what is not
/// declared; a number is itself, and the lowest of 64 bits what is none, where a column may hold such a thing; an open text is
/// itself, and `_O` where no code can name it.
pub(crate) fn bounded(
    dialect: &dyn Dialect,
    dataset: &Dataset,
    table: &CatalogueTable,
    used: &[&Name],
    ranks: Ranks,
    secret: &Secret,
    binds: &mut Binds,
) -> String {
    let unit = unit(dialect, table);
    let digest = digest(dialect, dataset, table, &unit, secret, binds);
    let (mut inner, mut outer) = (String::new(), String::new());
    for (name, column) in used.iter().filter_map(|name| dataset.columns.get_key_value(*name)) {
        let quoted = dialect.quoted(name.as_str());
        let stored = Stored { dialect, table, name, column };
        inner += &format!(", {} AS {quoted}", normal_input(stored, binds));
        outer += &format!(", {} AS {quoted}", normal(stored, binds));
        if matches!(column.domain, Domain::Codes(_)) {
            let text = stored.short(stored.text());
            let column = dialect.quoted(&text_column(dataset, name));
            inner += &format!(", {text} AS {column}");
            outer += &format!(", {column}");
        }
    }
    let there = has_unit(dialect, table).unwrap_or_else(|| "1 = 1".to_owned());
    let rows = |rank: &str, and: &str| {
        format!("SELECT {unit} AS _unit{inner}, {rank} AS _rank FROM {} WHERE {there}{and}", table.from)
    };
    let ranked = format!("row_number() OVER (PARTITION BY {unit} ORDER BY {digest})");
    let apart = match ranks {
        Ranks::Beyond(most) if most > 1 => dialect.ranks_apart(table.unit_type).map(|select| (most, select)),
        Ranks::All | Ranks::Beyond(_) => None,
    };
    let rows = match apart {
        Some((most, select)) => {
            let crowded = format!(
                "({select} {unit} FROM {} WHERE {there} GROUP BY {unit} HAVING count(*) > {most})",
                table.from
            );
            let others = rows("1", &format!(" AND {unit} NOT IN {crowded}"));
            format!("{others} UNION ALL {}", rows(&ranked, &format!(" AND {unit} IN {crowded}")))
        }
        None => rows(&ranked, ""),
    };
    format!("SELECT _unit, _rank{outer} FROM ({rows}) AS ranked WHERE _rank <= {}", dataset.unit.rows_at_most)
}

/// What a unit's rows are put in order by.
fn digest(
    dialect: &dyn Dialect,
    dataset: &Dataset,
    table: &CatalogueTable,
    unit: &str,
    secret: &Secret,
    binds: &mut Binds,
) -> String {
    let secret = binds.add(Bind::Secret(secret.clone()));
    let fields = dataset.ordered_columns();
    let fields = fields.map(|(name, column)| order_field(Stored { dialect, table, name, column }, binds));
    let fields: Vec<OrderField> = fields.collect();
    let own = match table.unit_type {
        UnitType::Integer => dialect.decimal(unit),
        UnitType::Text => unit.to_owned(),
    };
    let fields: Vec<OrderField> =
        [OrderField { text: own, present: None }].into_iter().chain(fields).collect();
    dialect.digest(&secret, &fields)
}

/// The identifier: a whole number, or text as it stands.
pub(super) fn unit(dialect: &dyn Dialect, table: &CatalogueTable) -> String {
    let unit = &table.unit;
    match table.unit_type {
        UnitType::Integer => dialect.identifier(&unit.plain, unit.kind),
        UnitType::Text => dialect.text(&unit.plain, unit.kind),
    }
}

/// That a row has an identifier; `None` where the catalogue says so of every row.
pub(super) fn has_unit(dialect: &dyn Dialect, table: &CatalogueTable) -> Option<String> {
    let unit = &table.unit;
    match (table.unit_type, table.unit_not_null) {
        // A decimal may be present and still be no number.
        (UnitType::Integer, _) if matches!(unit.kind, ColumnType::Decimal(_)) => {
            Some(format!("{} IS NOT NULL", dialect.identifier(&unit.plain, unit.kind)))
        }
        (UnitType::Integer, true) => None,
        (UnitType::Integer, false) => Some(format!("{} IS NOT NULL", unit.plain)),
        (UnitType::Text, _) => {
            let not_blank = dialect.not_blank(&unit.plain, unit.kind);
            if unit.is_short {
                return Some(not_blank);
            }
            // Nothing is no unit either.
            let text = dialect.text(&unit.plain, unit.kind);
            Some(dialect.unless_long(&text, &not_blank, "FALSE"))
        }
    }
}

/// A column's value before it is matched with its declared keys: the number, or the text that is there; else NULL.
fn normal_input(stored: Stored<'_>, binds: &mut Binds) -> String {
    match stored.column.domain {
        Domain::Integer { .. } | Domain::Amount { .. } => {
            Number::on_table(stored, binds).normal(stored.dialect)
        }
        Domain::Codes(_) | Domain::Date { .. } | Domain::Open => stored.present_text(binds),
    }
}

/// A column's part in the row order.
fn order_field(stored: Stored<'_>, binds: &mut Binds) -> OrderField {
    match stored.column.domain {
        Domain::Integer { .. } | Domain::Amount { .. } => {
            let number = Number::on_table(stored, binds);
            OrderField { text: number.ordered(stored.dialect), present: None }
        }
        Domain::Codes(_) | Domain::Date { .. } | Domain::Open => stored.ordered_text(binds),
    }
}

/// A column in normal form, made of what [`normal_input`] named like the column.
fn normal(stored: Stored<'_>, binds: &mut Binds) -> String {
    let Stored { dialect, name, column, .. } = stored;
    let value = dialect.quoted(name.as_str());
    let declared = match &column.domain {
        Domain::Integer { .. } | Domain::Amount { .. } => return value,
        Domain::Codes(_) => {
            let texts = column.texts();
            let value = stored.folded(&value, texts.keys());
            let sorted: Vec<(&str, usize)> = texts.iter().map(|(text, at)| (text.as_str(), *at)).collect();
            position(dialect, &value, &sorted, binds)
        }
        Domain::Date { from, until, .. } => {
            let kind = stored.kind();
            let (first, last) = (binds.text(from), binds.text(until));
            let outside = format!("{} OR {}", dialect.before(&value, &first), dialect.before(&last, &value));
            let is_day = dialect.is_day(&value, kind);
            format!("CASE WHEN NOT ({is_day}) OR {outside} THEN -1 ELSE {} END", dialect.day_number(&value))
        }
        Domain::Open => {
            let gaps = ["_U", "_T"].map(|gap| dialect.same(&value, &binds.text(gap)));
            let other = binds.text("_O");
            let long = format!("{} > 64", dialect.escaped_length(&value));
            format!("CASE WHEN {long} OR {} THEN {other} ELSE {value} END", gaps.join(" OR "))
        }
    };
    format!("CASE WHEN {value} IS NULL THEN NULL ELSE {declared} END")
}

/// The position of a text in a list, -1 where it is not in it: by halves, so that long lists cost little.
fn position(dialect: &dyn Dialect, value: &str, sorted: &[(&str, usize)], binds: &mut Binds) -> String {
    match sorted {
        [] => "-1".to_owned(),
        [(text, at)] => {
            let same = dialect.same(value, &binds.text(text));
            format!("CASE WHEN {same} THEN {at} ELSE -1 END")
        }
        _ => {
            let (low, high) = sorted.split_at(sorted.len() / 2);
            let first = high.first().map_or("", |(text, _)| text);
            let before = dialect.before(value, &binds.text(first));
            let (low, high) = (position(dialect, value, low, binds), position(dialect, value, high, binds));
            format!("CASE WHEN {before} THEN {low} ELSE {high} END")
        }
    }
}
