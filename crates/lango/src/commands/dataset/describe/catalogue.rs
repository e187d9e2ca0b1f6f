//! What a source's catalogue says. No row is read.

use std::path::Path;

use lango_policy::PolicySet;
use lango_source::{ColumnDescription, Suggested, TableDescription};
use serde_json::{Value, json};

use crate::{
    commands::{
        dataset::skeleton::{self, TablePlace},
        serving,
    },
    config::GatewayFile,
    failure::Failure,
    output::{Format, csv_field, foreign, grouped, print, print_json, table},
};

/// A source, or one table of it.
pub struct Catalogue<'a> {
    pub config: &'a Path,
    pub file: &'a GatewayFile,
    pub source: &'a str,
    pub table: Option<&'a str>,
}

impl Catalogue<'_> {
    pub fn print(&self, policy: bool, format: Format) -> Result<(), Failure> {
        let tables = serving::runtime()?.block_on(async {
            // First who answers: a server that cannot be reached is reported at once.
            let source = self.file.source(self.config, self.source)?;
            source.examine(&[]).await?;
            Ok::<_, Failure>(source.describe().await?)
        })?;
        let tables = self.chosen(tables)?;
        match (policy, tables.first(), format) {
            (true, Some(table), _) => print(&self.skeleton(table)),
            (_, _, Format::Table) => print(&for_people(&tables)),
            (_, _, Format::Json) => print_json(&self.json(&tables)),
            (_, _, Format::Csv) => print(&csv(&tables)),
        }
    }

    fn chosen(&self, tables: Vec<TableDescription>) -> Result<Vec<TableDescription>, Failure> {
        let Some(wanted) = self.table else { return Ok(tables) };
        let names: Vec<String> = tables.iter().map(|table| foreign(&table.name)).collect();
        let chosen: Vec<_> = tables.into_iter().filter(|table| table.name == wanted).collect();
        if chosen.is_empty() {
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(Failure::Failed(format!(
                "source `{}` has no table `{wanted}` that the gateway may read: there is {there}",
                self.source
            )));
        }
        Ok(chosen)
    }

    fn skeleton(&self, table: &TableDescription) -> String {
        let office = office(self.config, self.file);
        let (source, region) = (Some(self.source), Some(self.file.region_name()));
        skeleton::of_table(table, TablePlace { source, region, office: office.as_deref() })
    }

    fn json(&self, tables: &[TableDescription]) -> Value {
        let column = |column: &ColumnDescription| {
            json!({
                "name": column.name,
                "type": column.declared,
                "unique": column.unique,
                "declare": form(&column.suggested),
                "codes": match &column.suggested {
                    Suggested::Codes(codes) => json!(codes),
                    _ => Value::Null,
                },
            })
        };
        let table = |table: &TableDescription| {
            let columns: Vec<Value> = table.columns.iter().map(column).collect();
            json!({ "name": table.name, "rows_about": table.rows, "columns": columns })
        };
        json!({ "source": self.source, "tables": tables.iter().map(table).collect::<Vec<_>>() })
    }
}

/// The office, which is known where there is a policy already.
pub fn office(config: &Path, file: &GatewayFile) -> Option<String> {
    let set = file.policies(config).ok().and_then(|documents| PolicySet::read(&documents).ok());
    set.map(|set| set.office)
}

/// The form that a policy could declare a column in, in the words of docs/POLICIES.md; none where there is none.
fn form(suggested: &Suggested) -> Option<&'static str> {
    match suggested {
        Suggested::Codes(_) | Suggested::Text => Some("codes"),
        Suggested::Integer => Some("integer"),
        Suggested::Amount(_) => Some("amount"),
        Suggested::Date | Suggested::Moment => Some("date"),
        Suggested::Nothing => None,
    }
}

fn key(column: &ColumnDescription) -> &'static str {
    if column.unique { "unique" } else { "" }
}

fn for_people(tables: &[TableDescription]) -> String {
    let mut text = String::new();
    for described in tables {
        let rows = match described.rows {
            Some(rows) => format!("about {} rows", grouped(rows.cast_signed())),
            None => "rows unknown: the catalogue keeps no estimate".to_owned(),
        };
        let columns = described.columns.iter().map(|column| {
            let declare = match &column.suggested {
                Suggested::Codes(codes) => format!("codes: {}", foreign(&codes.join(" "))),
                Suggested::Moment => "date, with a time_zone".to_owned(),
                other => form(other).unwrap_or("nothing").to_owned(),
            };
            vec![foreign(&column.name), foreign(&column.declared), key(column).to_owned(), declare]
        });
        let columns = table(&["column", "type", "key", "a policy could declare"], &[], columns);
        text += &format!("{}  {rows}\n{columns}\n\n", foreign(&described.name));
    }
    if text.is_empty() { "there is no table that the gateway may read".to_owned() } else { text }
}

fn csv(tables: &[TableDescription]) -> String {
    let mut text = "table,rows_about,column,type,unique,declare\n".to_owned();
    for table in tables {
        let rows = table.rows.map(|rows| rows.to_string()).unwrap_or_default();
        for column in &table.columns {
            let declare = form(&column.suggested).unwrap_or_default();
            let fields = [&table.name, &rows, &column.name, &column.declared].map(|field| csv_field(field));
            text += &format!("{},{},{declare}\n", fields.join(","), column.unique);
        }
    }
    text
}
