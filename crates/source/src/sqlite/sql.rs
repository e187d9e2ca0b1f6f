//! The SQL of a plan: identifiers from the policy, quoted; values bound; no operator that can fail on a value.

use lango_privacy::{Domain, FilterOn, Margin, Name, Plan, PlannedFilter};
use rusqlite::types::Value;

use super::UnitType;

/// A statement and the values bound to its placeholders, in order.
pub(super) struct Rendered {
    pub text: String,
    pub values: Vec<Value>,
}

/// Counts the units of every group of a margin. One row per unit is the catalogue's word, so rows are counted.
pub(super) fn count_units(plan: &Plan, unit_type: UnitType, by: &Margin) -> Rendered {
    let dataset = &plan.dataset;
    let keys: Vec<String> = by.dimensions().map(|name| normal(plan, name)).collect();
    let unit_type = match unit_type {
        UnitType::Integer => "integer",
        UnitType::Text => "text",
    };
    let mut values = Vec::new();
    let mut conditions = vec![format!("typeof({}) = '{unit_type}'", quoted(&dataset.unit.column))];
    conditions.extend(plan.filters.iter().map(|filter| condition(plan, filter, &mut values)));
    let select = keys.iter().map(|key| format!("{key}, ")).collect::<String>();
    let mut text =
        format!("SELECT {select}count(*) FROM {} WHERE {}", quoted(&dataset.table), conditions.join(" AND "));
    if !keys.is_empty() {
        let positions: Vec<String> = (1..=keys.len()).map(|position| position.to_string()).collect();
        text += &format!(" GROUP BY {}", positions.join(", "));
    }
    Rendered { text, values }
}

/// A column's value in its normal form: what is declared as it is, binary data and fractions as `x'00'`, which no column
/// declares. Conditions and keys use the same form, so a row is in a filter exactly if it would be in that filter's cell.
fn normal(plan: &Plan, name: &Name) -> String {
    let column = quoted(name.as_str());
    // A fraction equals the whole number beside it when SQLite groups, so it leaves the form first.
    let form = match plan.dataset.columns.get(name).map(|column| &column.domain) {
        // Text, and whole numbers as SQLite writes them: a cast to text never fails.
        Some(Domain::Codes(_)) => format!("CAST({column} AS TEXT)"),
        _ => column.clone(),
    };
    format!("CASE WHEN typeof({column}) IN ('text', 'integer', 'null') THEN {form} ELSE x'00' END")
}

fn condition(plan: &Plan, filter: &PlannedFilter, values: &mut Vec<Value>) -> String {
    let key = normal(plan, &filter.column);
    let domain = plan.dataset.columns.get(&filter.column).map(|column| &column.domain);
    match (&filter.on, domain) {
        (FilterOn::Codes { codes, other, unknown }, Some(Domain::Codes(declared))) => {
            let texts = |codes: &[lango_privacy::Code]| {
                codes.iter().map(|code| Value::Text(code.to_string())).collect::<Vec<_>>()
            };
            let listed = one_of(&key, texts(codes), values);
            let mut any = vec![listed];
            if *unknown {
                any.push(blank(&key));
            }
            if *other {
                let declared = one_of(&key, texts(declared), values);
                any.push(format!("NOT ({declared} OR {})", blank(&key)));
            }
            all(any)
        }
        (FilterOn::Integers { values: listed, other, unknown }, Some(Domain::Integer { low, high, .. })) => {
            let whole = format!("typeof({key}) = 'integer'");
            let listed = one_of(&key, listed.iter().copied().map(Value::Integer).collect(), values);
            let mut any = vec![format!("({whole} AND {listed})")];
            if *unknown {
                any.push(blank(&key));
            }
            if *other {
                values.extend([Value::Integer(*low), Value::Integer(*high)]);
                any.push(format!("NOT (({whole} AND {key} BETWEEN ? AND ?) OR {})", blank(&key)));
            }
            all(any)
        }
        (FilterOn::Between(low, high), Some(_)) => {
            values.extend([Value::Integer(*low), Value::Integer(*high)]);
            format!("(typeof({key}) = 'integer' AND {key} BETWEEN ? AND ?)")
        }
        // A plan is made from the same dataset, so this cannot be; if it were, no row would pass.
        _ => "0".to_owned(),
    }
}

fn one_of(key: &str, codes: Vec<Value>, values: &mut Vec<Value>) -> String {
    let marks = vec!["?"; codes.len()].join(", ");
    values.extend(codes);
    // NULL IN (..) is NULL; a condition is always true or false.
    format!("coalesce({key} IN ({marks}), 0)")
}

/// Missing: NULL, or text of spaces only.
fn blank(key: &str) -> String {
    format!("({key} IS NULL OR (typeof({key}) = 'text' AND trim({key}) = ''))")
}

fn all(any: Vec<String>) -> String {
    format!("({})", any.join(" OR "))
}

/// An identifier as SQL writes it.
fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
