//! The statements that count what stands in a table: each declared column's values, and the units' rows.

use lango_privacy::Name;

use super::{
    Aggregate, Binds, CatalogueTable, Dialect, GroupForm, GroupSelect,
    bounded::{has_unit, unit},
};
use crate::count::UnitType;

/// The values of a declared column, as text, each with its rows.
pub(crate) fn values(dialect: &dyn Dialect, table: &CatalogueTable, name: &Name) -> GroupSelect {
    let kind = table.kind(name);
    let grouped = dialect.grouped(&table.short(dialect, name, table.plain(name).to_owned()), kind);
    let text = dialect.as_text(&grouped, kind);
    let count = dialect.as_number("count(*)");
    select(
        dialect,
        &format!("SELECT {text}, {count} FROM {} GROUP BY {grouped}", table.from),
        vec![(name.clone(), GroupForm::Text)],
        false,
    )
}

/// The times of the day of a declared column of moments, as text, each with its rows.
pub(crate) fn clocks(dialect: &dyn Dialect, table: &CatalogueTable, name: &Name) -> GroupSelect {
    let (clock, count) = (dialect.clock(table.plain(name)), dialect.as_number("count(*)"));
    select(
        dialect,
        &format!("SELECT {clock}, {count} FROM {} GROUP BY {clock}", table.from),
        vec![(name.clone(), GroupForm::Text)],
        false,
    )
}

/// How many units have how many rows.
pub(crate) fn units(dialect: &dyn Dialect, table: &CatalogueTable) -> GroupSelect {
    let unit = unit(dialect, table);
    let there = has_unit(dialect, table).map(|there| format!(" WHERE {there}")).unwrap_or_default();
    let (rows, count) = (dialect.as_number("n"), dialect.as_number("count(*)"));
    let text = format!(
        "SELECT {rows}, {count} FROM (SELECT count(*) AS n FROM {}{there} GROUP BY {unit}) AS units GROUP BY n",
        table.from
    );
    select(dialect, &text, Vec::new(), true)
}

/// How many rows there are.
pub(crate) fn all(dialect: &dyn Dialect, table: &CatalogueTable) -> GroupSelect {
    let count = dialect.as_number("count(*)");
    select(dialect, &format!("SELECT {count} FROM {}", table.from), Vec::new(), false)
}

/// How many identifiers differ from another in the case of letters or in blanks alone; `None` where they are numbers.
pub(crate) fn alike(dialect: &dyn Dialect, table: &CatalogueTable) -> Option<GroupSelect> {
    let unit = match table.unit_type {
        UnitType::Integer => return None,
        UnitType::Text => unit(dialect, table),
    };
    let there = has_unit(dialect, table).map(|there| format!(" WHERE {there}")).unwrap_or_default();
    let count = dialect.as_number("coalesce(sum(n), 0)");
    let text = format!(
        "SELECT {count} FROM (SELECT count(*) AS n FROM (SELECT DISTINCT {unit} AS u FROM {}{there}) AS identifiers \
         GROUP BY {} HAVING count(*) > 1) AS alike",
        table.from,
        dialect.loosely("u")
    );
    Some(select(dialect, &text, Vec::new(), false))
}

fn select(dialect: &dyn Dialect, text: &str, groups: Vec<(Name, GroupForm)>, place: bool) -> GroupSelect {
    let sql = dialect.render(text, Binds::default());
    GroupSelect { sql, groups, place, aggregates: vec![Aggregate::Rows], margins: Vec::new() }
}
