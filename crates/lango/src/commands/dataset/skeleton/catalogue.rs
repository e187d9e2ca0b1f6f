//! The skeleton of a table, from a source's catalogue.

use lango_source::{ColumnDescription, Suggested, TableDescription};

use super::{
    OPEN, Skeleton, TablePlace, dataset_name, from, listed, name_of, question_names, quoted, unknown_unit,
};
use crate::output::foreign;

/// The skeleton of a table, from the catalogue alone.
pub fn of_table(table: &TableDescription, place: TablePlace<'_>) -> String {
    let unit = sole_key(table);
    let others = table.columns.iter().filter(|column| Some(&column.name) != unit.map(|unit| &unit.name));
    let names = question_names(table.columns.iter().map(|column| column.name.as_str()));
    let skeleton = Skeleton {
        about: "from the catalogue alone: no row was read".to_owned(),
        place,
        dataset: &dataset_name(table.name.rsplit('.').next().unwrap_or_default()),
        table: &table.name,
        unit: unit.map_or_else(unknown_unit, |key| {
            format!(
                "{OPEN}unit = {{ column = {}, noun = \"<NOUN>\", rows_at_most = 1 }}  \
                 # the only key of the table; is it a person's, a household's, ..?",
                quoted(&key.name)
            )
        }),
        columns: others.map(|column| line(column, name_of(&column.name, &names))).collect(),
        then: Vec::new(),
        doubts: Vec::new(),
    };
    skeleton.text()
}

/// The sole key, where there is exactly one.
fn sole_key(table: &TableDescription) -> Option<&ColumnDescription> {
    let mut keys = table.columns.iter().filter(|column| column.unique);
    keys.next().filter(|_| keys.next().is_none())
}

/// A column as the policy could declare it by a name, or why it cannot. Where the two differ `from` says what it is called.
fn line(column: &ColumnDescription, name: &str) -> String {
    let ColumnDescription { declared, suggested, unique, .. } = column;
    let (shown, declared) = (foreign(&column.name), foreign(declared));
    if *suggested == Suggested::Nothing {
        return format!("# {shown} is `{declared}`, which no policy can declare");
    }
    if *unique {
        return format!("# {shown} is a key: it identifies, and is nothing to count by");
    }
    let from = from(&column.name, name);
    match suggested {
        Suggested::Codes(codes) => match listed(codes) {
            Some(list) => format!("{name} = {{ {from}codes = [{list}] }}  # as its type lists them"),
            None => format!(
                "{OPEN}{name} = {{ {from}codes = [<CODES>], recode = {{ {} }} }}  # a code for each label of its type",
                codes
                    .iter()
                    .map(|label| format!("{} = \"<CODE>\"", quoted(label)))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        },
        Suggested::Text => format!(
            "{OPEN}{name} = {{ {from}codes = [<CODES>] }}  # {declared}; or codes = \"iso3166-1-alpha-3\", or open = true"
        ),
        Suggested::Integer => format!(
            "{OPEN}{name} = {{ {from}integer = [<LOWEST>, <HIGHEST>], bands = <WIDTH> }}  # {declared}; or an amount, or codes"
        ),
        Suggested::Amount(scale) => format!(
            "{OPEN}{name} = {{ {from}amount = [<LOWEST>, <HIGHEST>], scale = {scale} }}  # {declared}; bounds in its own unit"
        ),
        Suggested::Date => format!(
            "{OPEN}{name} = {{ {from}date = [<FIRST>, <LAST>], bands = \"month\" }}  # {declared}; days as 2024-01-31"
        ),
        Suggested::Moment => format!(
            "{OPEN}{name} = {{ {from}date = [<FIRST>, <LAST>], bands = \"month\", time_zone = \"<ZONE>\" }}  \
             # {declared}; days as 2024-01-31, at a place as Africa/Accra"
        ),
        Suggested::Nothing => String::new(),
    }
}
