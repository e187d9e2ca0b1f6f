//! `lango dataset describe`: what a source's catalogue says, or a policy's skeleton. No row is read.

use std::path::PathBuf;

use clap::Args;
use lango_policy::PolicySet;
use lango_source::{ColumnDescription, Suggested, TableDescription};
use serde_json::{Value, json};

use super::skeleton::Skeleton;
use crate::{
    commands::serving,
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{Format, csv_field, foreign, grouped, print, print_json, table},
};

#[derive(Debug, Args)]
pub struct Describe {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The source, as the configuration names it.
    #[arg(long, value_name = "NAME")]
    source: String,
    /// This table alone, as a policy would name it.
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Write a policy's skeleton (TOML) for the table.
    #[arg(long, requires = "table", conflicts_with = "format")]
    policy: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl Describe {
    pub fn run(self) -> Result<(), Failure> {
        let file: GatewayFile = read_toml(&self.config)?;
        let tables = serving::runtime()?.block_on(async {
            // First who answers: a server that cannot be reached is reported at once.
            let source = file.source(&self.config, &self.source)?;
            source.examine(&[]).await?;
            Ok::<_, Failure>(source.describe().await?)
        })?;
        let tables = self.chosen(tables)?;
        match (self.policy, tables.first(), self.format) {
            (true, Some(table), _) => print(&self.skeleton(&file, table)),
            (_, _, Format::Table) => print(&for_people(&tables)),
            (_, _, Format::Json) => print_json(&self.json(&tables)),
            (_, _, Format::Csv) => print(&csv(&tables)),
        }
    }

    fn chosen(&self, tables: Vec<TableDescription>) -> Result<Vec<TableDescription>, Failure> {
        let Some(wanted) = &self.table else { return Ok(tables) };
        let names: Vec<String> = tables.iter().map(|table| foreign(&table.name)).collect();
        let chosen: Vec<_> = tables.into_iter().filter(|table| table.name == *wanted).collect();
        if chosen.is_empty() {
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(Failure::Failed(format!(
                "source `{}` has no table `{wanted}` that the gateway may read: there is {there}",
                self.source
            )));
        }
        Ok(chosen)
    }

    fn skeleton(&self, file: &GatewayFile, table: &TableDescription) -> String {
        // The office is known where there is a policy already.
        let set = file.policies(&self.config).ok().and_then(|documents| PolicySet::read(&documents).ok());
        let office = set.map(|set| set.office);
        Skeleton { table, source: &self.source, region: file.region_name(), office: office.as_deref() }.text()
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

/// The form that a policy could declare a column in, in the words of docs/POLICIES.md; none where there is none.
fn form(suggested: &Suggested) -> Option<&'static str> {
    match suggested {
        Suggested::Codes(_) | Suggested::Text => Some("codes"),
        Suggested::Integer => Some("integer"),
        Suggested::Amount(_) => Some("amount"),
        Suggested::Date => Some("date"),
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
