//! One pass over the rows: what is selected, under which conditions, grouped by what; at every shard where there are some.

use lango_privacy::Name;

use super::{Dialect, Form, Road};

/// What is selected: as it is grouped by or added up, and how it is told.
pub(super) type Selected<'a> = (String, Told<'a>);

/// What is selected.
pub(super) enum Told<'a> {
    Group(&'a Name, Form),
    Number,
    Sum,
}

impl Told<'_> {
    /// It as it is to be read.
    pub(super) fn of(&self, dialect: &dyn Dialect, road: Road<'_>, plain: &str) -> String {
        match (self, road) {
            (Told::Group(name, Form::Text), Road::Direct(table)) => dialect.told(plain, table.kind(name)),
            (Told::Group(_, Form::Text), Road::Bounded { .. }) => plain.to_owned(),
            (Told::Group(name, Form::Number), Road::Direct(table)) => {
                dialect.as_number(&dialect.number(plain, table.kind(name)))
            }
            (Told::Sum, _) => dialect.as_sum(plain),
            _ => dialect.as_number(plain),
        }
    }
}

/// The text of a pass over the table, or over each of its shards: what is added up is added up of the parts too.
///
/// Of a shard nothing is selected but what is grouped by and added up there: so it can be sent there whole, and all shards are
/// at work at once. What is selected is cast here.
pub(super) fn pass(
    dialect: &dyn Dialect,
    road: Road<'_>,
    selected: &[Selected<'_>],
    conditions: &[String],
    grouped: &[String],
) -> String {
    let of = |selected: &[String], from: &str| {
        let mut text = format!("SELECT {} FROM {from}", selected.join(", "));
        if !conditions.is_empty() {
            text += &format!(" WHERE {}", conditions.join(" AND "));
        }
        if !grouped.is_empty() {
            text += &format!(" GROUP BY {}", grouped.join(", "));
        }
        text
    };
    let here = || selected.iter().map(|(plain, told)| told.of(dialect, road, plain)).collect::<Vec<_>>();
    match road {
        Road::Bounded { from, .. } => of(&here(), from),
        Road::Direct(table) if table.shards.is_empty() => of(&here(), &table.from),
        Road::Direct(table) => {
            let named = selected.iter().enumerate();
            let there: Vec<String> =
                named.clone().map(|(at, (plain, _))| format!("{plain} AS _{at}")).collect();
            let parts: Vec<String> = table.shards.iter().map(|shard| of(&there, shard)).collect();
            let told: Vec<String> =
                named.map(|(at, (_, told))| told.of(dialect, road, &format!("_{at}"))).collect();
            format!("SELECT {} FROM ({}) AS parts", told.join(", "), parts.join(" UNION ALL "))
        }
    }
}
