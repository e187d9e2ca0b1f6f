//! An answer for programs: JSON with stable field names, and CSV.

use std::collections::BTreeSet;

use lango_privacy::{Accounting, Loss, nano};
use lango_statistics::{Absent, CombinedTable, Coverage};
use lango_wire::words::Language;
use serde_json::{Map, Value, json};

use super::{AnswerReport, epsilon};
use crate::output::csv_field;

impl AnswerReport<'_> {
    /// The stable form for programs, with these tables.
    pub fn json(&self, tables: &[CombinedTable]) -> Value {
        let cells: Vec<Value> = tables.iter().flat_map(cells).collect();
        let mut query = json!({ "digest": hex::encode(self.0.query_digest), "text": self.0.text });
        if let (Some(trace), Some(query)) = (self.0.trace, query.as_object_mut()) {
            query.insert("trace".to_owned(), json!(trace.trace_id()));
        }
        json!({
            "query": query,
            "coverage": self.coverage(),
            "privacy": self.privacy(),
            "confidence": self.0.level.get(),
            "cells": cells,
        })
    }

    /// Who was asked and what became of it, with what the offices that refused have signed.
    fn coverage(&self) -> Value {
        let mut coverage = coverage(&self.0.coverage);
        for refused in coverage.get_mut("refused").and_then(Value::as_array_mut).into_iter().flatten() {
            let office = refused.get("office").and_then(Value::as_str);
            let signed = office.and_then(|office| self.0.refusals.get(office));
            if let (Some(signed), Some(fields)) = (signed, refused.as_object_mut()) {
                let words = Language::English.refusal(&signed.code, &signed.arguments);
                let arguments: Map<String, Value> =
                    signed.arguments.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
                fields.insert("arguments".to_owned(), Value::Object(arguments));
                fields.insert("message".to_owned(), json!(words));
            }
        }
        coverage
    }

    /// What each office charged, and what one person held by all of them pays.
    fn privacy(&self) -> Value {
        let offices: Vec<Value> = self
            .0
            .answers
            .iter()
            .map(|(office, answer)| {
                let split = answer.plan.margins.iter().map(|margin| {
                    json!({
                        "measure": margin.measure.to_string(),
                        "by": by(&margin.by),
                        "price": billionths(margin.price_nano),
                    })
                });
                json!({
                    "office": office,
                    "accounting": answer.account.word(),
                    "epsilon": billionths(epsilon(&answer.statement.basics.loss, &answer.account)),
                    "charged": billionths(epsilon(&answer.charged, &answer.account)),
                    "rho_nano": answer.statement.basics.loss.rho_nano,
                    "repeated": answer.repeated,
                    "release": hex::encode(answer.statement.release_id),
                    "receipt": answer.receipt.as_ref().map(|receipt| {
                        let log = receipt.proof.checkpoint.unverified();
                        json!({ "log": log.origin, "entry": receipt.proof.index, "size": log.size })
                    }),
                    "dataset_version": answer.statement.basics.dataset_version,
                    "agreement": answer.statement.agreement.as_ref().map(ToString::to_string),
                    "shown_if": answer.statement.hidden.map(|hidden| hidden.shown_if.to_string()),
                    "split": split.collect::<Vec<_>>(),
                })
            })
            .collect();
        let words: BTreeSet<&str> = self.0.answers.values().map(|answer| answer.account.word()).collect();
        let accounting = match words.iter().collect::<Vec<_>>().as_slice() {
            [] => Value::Null,
            [word] => json!(word),
            _ => json!("mixed"),
        };
        let most = |of: fn(&lango_wire::VerifiedRelease) -> Loss| {
            self.0.answers.values().map(|answer| epsilon(&of(answer), &answer.account)).max().unwrap_or(0)
        };
        let delta = self.0.answers.values().filter_map(|answer| match answer.account {
            Accounting::Pure => None,
            Accounting::Zcdp { delta_e18 } => Some(delta_e18),
        });
        json!({
            "accounting": accounting,
            "epsilon": billionths(most(|answer| answer.statement.basics.loss)),
            "delta": delta.max().map_or(json!(0), |delta_e18| json!(delta_e18 as f64 / 1e18)),
            "charged": billionths(most(|answer| answer.charged)),
            "charged_sum": billionths(self.charged()),
            "repeated": !self.0.answers.is_empty() && self.0.answers.values().all(|answer| answer.repeated),
            "offices": offices,
        })
    }
}

/// The dimensions of a margin.
pub fn by(margin: &lango_privacy::Margin) -> Vec<String> {
    margin.dimensions().map(ToString::to_string).collect()
}

/// One row a cell, a header before each table.
pub(super) fn csv(tables: &[CombinedTable]) -> String {
    let mut text = String::new();
    for table in tables {
        let chosen =
            table.cells.iter().any(|cell| cell.figure.is_some_and(|figure| figure.rank_error.is_some()));
        let names = table.axes.iter().map(|axis| csv_field(&axis.dimension));
        let header: Vec<String> = ["measure".to_owned()].into_iter().chain(names).collect();
        let rank = if chosen { ",rank_error" } else { "" };
        let hides = if table.hidden.is_empty() { "" } else { ",hidden_by" };
        text += &format!("{},value,std_err,lower,upper,status{rank}{hides}\n", header.join(","));
        let measure = table.measure.to_string();
        for (place, (key, cell)) in table.keys().zip(&table.cells).enumerate() {
            let key: Vec<String> = [measure.as_str()].into_iter().chain(key).map(csv_field).collect();
            let figure = cell.figure;
            let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
            let (value, std_err) =
                (figure.map(|figure| figure.value), figure.and_then(|figure| figure.std_err));
            let ends = figure.map_or((None, None), |figure| (figure.lower, figure.upper));
            let fields = [value, std_err, ends.0, ends.1].map(number);
            text += &format!("{},{},{}", key.join(","), fields.join(","), cell.status.code());
            if chosen {
                let rank = figure.and_then(|figure| figure.rank_error).map(|rows| rows.to_string());
                text += &format!(",{}", rank.unwrap_or_default());
            }
            if !table.hidden.is_empty() {
                let offices = table.hidden.get(&place).map(|offices| offices.join(" "));
                text += &format!(",{}", offices.unwrap_or_default());
            }
            text.push('\n');
        }
    }
    text
}

pub(super) fn cells(table: &CombinedTable) -> impl Iterator<Item = Value> {
    table.keys().zip(&table.cells).enumerate().map(|(place, (key, cell))| {
        let key: Map<String, Value> =
            table.axes.iter().zip(key).map(|(axis, code)| (axis.dimension.clone(), json!(code))).collect();
        let figure = cell.figure;
        let mut value = json!({
            "measure": table.measure.to_string(),
            "key": key,
            "value": figure.map(|figure| real(figure.value)),
            "std_err": figure.and_then(|figure| figure.std_err),
            "lower": figure.and_then(|figure| figure.lower.map(real)),
            "upper": figure.and_then(|figure| figure.upper.map(real)),
            "status": cell.status.code(),
        });
        if let (Some(rows), Some(cell)) = (figure.and_then(|figure| figure.rank_error), value.as_object_mut())
        {
            cell.insert("rank_error".to_owned(), json!(rows));
        }
        if let Some((offices, cell)) = table.hidden.get(&place).zip(value.as_object_mut()) {
            cell.insert("hidden_by".to_owned(), json!(offices));
        }
        value
    })
}

/// A number, written as a whole one where it is.
pub fn real(value: f64) -> Value {
    // Whole floats below 2^53 are whole numbers exactly.
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

fn coverage(coverage: &Coverage) -> Value {
    let absent = |absent: &[Absent]| {
        absent
            .iter()
            .map(|absent| json!({ "office": absent.office, "reason": absent.reason }))
            .collect::<Vec<_>>()
    };
    json!({
        "asked": coverage.asked,
        "answered": coverage.answered,
        "refused": absent(&coverage.refused),
        "missing": absent(&coverage.missing),
    })
}

/// Billionths as a JSON number, written as briefly as it can be.
pub fn billionths(nanos: u64) -> Value {
    nano(nanos).parse::<Value>().unwrap_or(Value::Null)
}
