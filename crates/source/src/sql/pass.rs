//! One pass over the rows: what is selected, under which conditions, grouped by what; at every shard where there are some.

use lango_privacy::Name;

use super::{AccessPath, Dialect, GroupForm};

/// What is selected: the expression that is grouped by or added up, and the type of its output.
pub(super) type Selected<'a> = (String, OutputType<'a>);

/// The type of a selected value.
pub(super) enum OutputType<'a> {
    Group(&'a Name, GroupForm),
    Number,
    Sum,
}

impl OutputType<'_> {
    /// The expression, cast to the type in which it is read.
    pub(super) fn of(&self, dialect: &dyn Dialect, access: AccessPath<'_>, plain: &str) -> String {
        match (self, access) {
            (OutputType::Group(name, GroupForm::Text), AccessPath::Direct(table)) => {
                let text = dialect.as_text(plain, table.kind(name));
                let is_short = !table.groups_long_texts(dialect) || table.is_short(name);
                if is_short { text } else { dialect.unless_long(plain, &text, &dialect.too_long()) }
            }
            (OutputType::Group(_, GroupForm::Text), AccessPath::Bounded { .. })
            | (OutputType::Group(_, GroupForm::Found), _) => plain.to_owned(),
            (OutputType::Group(name, GroupForm::Number), AccessPath::Direct(table)) => {
                dialect.as_number(&dialect.number(plain, table.kind(name)))
            }
            (OutputType::Sum, _) => dialect.as_sum(plain),
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
    access: AccessPath<'_>,
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
    let here =
        || selected.iter().map(|(plain, output)| output.of(dialect, access, plain)).collect::<Vec<_>>();
    match access {
        AccessPath::Bounded { from, .. } => of(&here(), from),
        AccessPath::Direct(table) if table.shards.is_empty() => of(&here(), &table.from),
        AccessPath::Direct(table) => {
            let named = selected.iter().enumerate();
            let there: Vec<String> =
                named.clone().map(|(at, (plain, _))| format!("{plain} AS _{at}")).collect();
            let parts: Vec<String> = table.shards.iter().map(|shard| of(&there, shard)).collect();
            let outputs: Vec<String> =
                named.map(|(at, (_, output))| output.of(dialect, access, &format!("_{at}"))).collect();
            format!("SELECT {} FROM ({}) AS parts", outputs.join(", "), parts.join(" UNION ALL "))
        }
    }
}
