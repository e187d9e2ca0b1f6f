//! `lango policy schema`: what editors and the manual say of policies is what the reader takes.

use std::{fs, process::Stdio};

use serde_json::{Map, Value, json};

use crate::program::{command, files, lango, project, said};

fn schema(words: &[&str]) -> String {
    let mut program = command(lango());
    let (code, stdout, stderr) =
        said(&program.args(["policy", "schema"]).args(words).stdin(Stdio::null()).output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    stdout
}

/// A TOML value as editors hold it against a schema: a day is a text.
fn as_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(truth) => json!(truth),
        toml::Value::Datetime(day) => json!(day.to_string()),
        toml::Value::Array(values) => values.iter().map(as_json).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.clone(), as_json(value))).collect())
        }
    }
}

/// What of a value is not as a schema says, by its place; of the words of JSON Schema, those that the schema uses.
fn wrong(schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let Value::Object(schema) = schema else { panic!("{place}: {schema}") };
    let is_of_type = match schema.get("type").and_then(Value::as_str) {
        None => true,
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("{place}: {other}"),
    };
    if !is_of_type {
        return vec![format!("{place}: {value}")];
    }
    let mut found = Vec::new();
    let none = Map::new();
    for (word, of) in schema {
        match word.as_str() {
            "type" | "description" | "title" | "$schema" | "additionalProperties" => {}
            "format" => assert_eq!(of, "date"),
            "enum" if !of.as_array().unwrap().contains(value) => found.push(format!("{place}: {value}")),
            "enum" => {}
            "anyOf" => {
                let each = of.as_array().unwrap().iter();
                if each.clone().all(|of| !wrong(of, value, place).is_empty()) {
                    found.push(format!("{place}: {value}"));
                }
            }
            "items" => {
                for (at, item) in value.as_array().unwrap().iter().enumerate() {
                    found.extend(wrong(of, item, &format!("{place}[{at}]")));
                }
            }
            "minItems" if value.as_array().unwrap().len() < of.as_u64().unwrap() as usize => {
                found.push(place.to_owned())
            }
            "maxItems" if value.as_array().unwrap().len() > of.as_u64().unwrap() as usize => {
                found.push(place.to_owned())
            }
            "minItems" | "maxItems" => {}
            "required" => {
                let missing =
                    of.as_array().unwrap().iter().filter(|key| value.get(key.as_str().unwrap()).is_none());
                found.extend(missing.map(|key| format!("{place} lacks {key}")));
            }
            "properties" => {}
            other => panic!("{place}: {other}"),
        }
    }
    if let Value::Object(fields) = value {
        let properties = schema.get("properties").map_or(&none, |properties| properties.as_object().unwrap());
        for (key, field) in fields {
            let place = format!("{place}.{key}");
            match (properties.get(key), schema.get("additionalProperties")) {
                (Some(of), _) => found.extend(wrong(of, field, &place)),
                (None, Some(Value::Bool(false))) => found.push(format!("{place} is unknown")),
                (None, Some(of)) => found.extend(wrong(of, field, &place)),
                // One of several shapes, each of which was held against it.
                (None, None) => {
                    assert!(schema.contains_key("anyOf"), "{place}: nothing is said of other keys")
                }
            }
        }
    }
    found
}

fn checked(schema: &Value, text: &str) -> Vec<String> {
    wrong(schema, &as_json(&text.parse::<toml::Table>().map(toml::Value::Table).unwrap()), "")
}

#[test]
fn every_shipped_policy_is_of_the_schema_and_mistakes_are_not() {
    let schema: Value = serde_json::from_str(&schema(&[])).unwrap();
    let policies: Vec<_> = files(&project().join("policies"), ".toml")
        .into_iter()
        .filter(|path| !path.components().any(|part| part.as_os_str() == "queries"))
        .collect();
    assert!(policies.len() >= 4, "{policies:?}");
    for path in &policies {
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(checked(&schema, &text), [""; 0], "{}", path.display());
    }
    let good = fs::read_to_string(project().join("policies/residents-yearly.toml")).unwrap();
    for (written, instead, expected) in [
        (
            "by_at_most = 3",
            "by_at_mots = 3",
            vec![".grant[0] lacks \"by_at_most\"", ".grant[0].by_at_mots is unknown"],
        ),
        ("by_at_most = 3", "by_at_most = 3.5", vec![".grant[0].by_at_most: 3.5"]),
        ("kind    = \"stock\"", "kind = \"stocks\"", vec![".dataset.residents.kind: \"stocks\""]),
        (
            "[0, 110], bands = 5",
            "[0, 110, 5], bands = true",
            vec![".dataset.residents.column.age.bands: true", ".dataset.residents.column.age.integer"],
        ),
        ("{ codes = [\"F\", \"M\"] }", "{ codes = 2 }", vec![".dataset.residents.column.sex.codes: 2"]),
        ("agreement  = \"MoU-2026-14\"", "agreement = 14", vec![".grant[1].agreement: 14"]),
    ] {
        assert!(good.contains(written), "{written}");
        let mut found = checked(&schema, &good.replacen(written, instead, 1));
        found.sort();
        assert_eq!(found, expected, "{instead}");
    }
}

#[test]
fn the_manual_of_keys_is_the_one_that_is_printed() {
    let (printed, path) = (schema(&["--format", "markdown"]), project().join("docs/POLICY_KEYS.md"));
    if std::env::var_os("LANGO_RENEW").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(printed, kept, "docs/POLICY_KEYS.md: LANGO_RENEW=1 writes it anew");
}
