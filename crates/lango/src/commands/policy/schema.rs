//! `lango policy schema`: what may stand in a policy file, for editors and as a manual.

use clap::{Args, ValueEnum};
use lango_document::{DocumentShape, KeyShape, TableShape};
use lango_policy::PolicySet;
use serde_json::{Map, Value, json};

use crate::{
    failure::Failure,
    output::{self, wrapped},
};

#[derive(Debug, Args)]
pub struct PolicySchema {
    /// What to print.
    #[arg(long, value_enum, default_value = "json")]
    format: SchemaFormat,
}

/// For whom the keys are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemaFormat {
    /// A JSON Schema, for editors that know TOML, such as Taplo and Even Better TOML.
    Json,
    /// A manual of every key, in Markdown.
    Markdown,
}

impl PolicySchema {
    pub fn run(&self) -> Result<(), Failure> {
        let shape = PolicySet::file_shape();
        match self.format {
            SchemaFormat::Json => output::print_json(&schema(&shape)),
            SchemaFormat::Markdown => output::print(&manual(&shape)),
        }
    }
}

/// The JSON Schema of a document.
fn schema(shape: &DocumentShape) -> Value {
    let mut schema = of_value(shape);
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        fields.insert("title".to_owned(), json!("A policy of Lango"));
    }
    schema
}

fn of_value(shape: &DocumentShape) -> Value {
    match shape {
        DocumentShape::Text => json!({ "type": "string" }),
        DocumentShape::Words(words) => json!({ "type": "string", "enum": words }),
        DocumentShape::Whole => json!({ "type": "integer" }),
        DocumentShape::Number => json!({ "type": "number" }),
        DocumentShape::Day => json!({ "type": "string", "format": "date" }),
        DocumentShape::Truth => json!({ "type": "boolean" }),
        DocumentShape::List(of) => json!({ "type": "array", "items": of_value(of) }),
        DocumentShape::Pair(of) => {
            json!({ "type": "array", "items": of_value(of), "minItems": 2, "maxItems": 2 })
        }
        DocumentShape::Named(of) => json!({ "type": "object", "additionalProperties": of_value(of) }),
        DocumentShape::Table(TableShape { keys, .. }) => {
            let properties: Map<String, Value> =
                keys.iter().map(|key| (key.name.to_owned(), of_key(key))).collect();
            let required: Vec<&str> = keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
            json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            })
        }
        DocumentShape::OneOf(shapes) => json!({ "anyOf": shapes.iter().map(of_value).collect::<Vec<_>>() }),
        DocumentShape::Unsaid => json!({}),
    }
}

fn of_key(key: &KeyShape) -> Value {
    let mut value = of_value(&key.shape);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("description".to_owned(), json!(key.about));
    }
    value
}

/// What the manual begins with.
const HEAD: &str = "\
# The keys of a policy

Every key that a policy file may have, with what it takes. [POLICIES.md](POLICIES.md) explains what they are for. This page is
printed by `lango policy schema --format markdown`, from the types that read the files.

`lango policy schema` prints the same as a JSON Schema, for editors that complete keys and mark mistakes while a policy is
written. Save it, and name it in the first line of a policy: `#:schema ./policy.schema.json`. It knows the form of values and no
more; what hangs together is what [`lango policy check`](POLICIES.md#checking-a-policy) says.
";

/// A manual of a document's keys: a section for each table.
fn manual(shape: &DocumentShape) -> String {
    let mut text = HEAD.to_owned();
    if let DocumentShape::Table(table) = shape {
        sections("", table, &mut text);
    }
    text
}

/// A table's section, and those of the tables in it.
fn sections(path: &str, table: &TableShape, text: &mut String) {
    let title = match path {
        "" => "The file".to_owned(),
        path => format!("`{path}`"),
    };
    *text += &format!("\n## {title}\n\n");
    *text += &(wrapped(&format!("Keys of {}.", table.what), 130).join("\n") + "\n\n");
    *text += "| key | needed | takes | meaning |\n| --- | --- | --- | --- |\n";
    for key in &table.keys {
        let needed = if key.is_required { "yes" } else { "" };
        *text += &format!("| `{}` | {needed} | {} | {} |\n", key.name, takes(&key.shape), key.about);
    }
    for key in &table.keys {
        let name = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        match &key.shape {
            DocumentShape::Table(table) => sections(&name, table, text),
            DocumentShape::Named(of) => {
                if let DocumentShape::Table(table) = of.as_ref() {
                    sections(&format!("{name}.NAME"), table, text);
                }
            }
            DocumentShape::List(of) => {
                if let DocumentShape::Table(table) = of.as_ref() {
                    sections(&name, table, text);
                }
            }
            DocumentShape::Text
            | DocumentShape::Words(_)
            | DocumentShape::Whole
            | DocumentShape::Number
            | DocumentShape::Day
            | DocumentShape::Truth
            | DocumentShape::Pair(_)
            | DocumentShape::OneOf(_)
            | DocumentShape::Unsaid => {}
        }
    }
}

/// What a key takes, in words.
fn takes(shape: &DocumentShape) -> String {
    match shape {
        DocumentShape::Text => "text".to_owned(),
        DocumentShape::Words(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        DocumentShape::Whole => "a whole number".to_owned(),
        DocumentShape::Number => "a number".to_owned(),
        DocumentShape::Day => "a day".to_owned(),
        DocumentShape::Truth => "`true` or `false`".to_owned(),
        DocumentShape::List(of) => match of.as_ref() {
            DocumentShape::Table(_) => "tables, `[[..]]`".to_owned(),
            of => format!("a list of {}", several(of)),
        },
        DocumentShape::Pair(of) => format!("two {}, `[LOW, HIGH]`", several(of)),
        DocumentShape::Named(of) => format!("a table of names, each with {}", takes(of)),
        DocumentShape::Table(_) => "a table".to_owned(),
        DocumentShape::OneOf(shapes) => shapes.iter().map(takes).collect::<Vec<_>>().join("; or "),
        DocumentShape::Unsaid => "a value".to_owned(),
    }
}

fn several(shape: &DocumentShape) -> String {
    match shape {
        DocumentShape::Text => "texts".to_owned(),
        DocumentShape::Whole => "whole numbers".to_owned(),
        DocumentShape::Number => "numbers".to_owned(),
        DocumentShape::Day => "days".to_owned(),
        DocumentShape::Words(_)
        | DocumentShape::Truth
        | DocumentShape::List(_)
        | DocumentShape::Pair(_)
        | DocumentShape::Named(_)
        | DocumentShape::Table(_)
        | DocumentShape::OneOf(_)
        | DocumentShape::Unsaid => format!("values, each {}", takes(shape)),
    }
}
