//! An answer and a price as tables, JSON and CSV.

use std::collections::BTreeSet;

use lango_privacy::{Accounting, Loss, NoiseSum, nano};
use lango_statistics::{Absent, Coverage, Table};
use serde_json::{Map, Value, json};

use crate::{
    analyst::client::{Answered, Priced, Prices},
    failure::Failure,
    output::{self, Format, csv_field, grouped},
};

/// The most cells that a table for people shows unless asked for more.
pub const ROWS_SHOWN: usize = 60;

impl Answered {
    /// Prints the answer; `rows` limits the table for people, 0 shows all.
    pub fn print(&self, format: Format, rows: usize) -> Result<(), Failure> {
        match format {
            Format::Json => output::print(&serde_json::to_string_pretty(&self.json())?),
            Format::Csv => output::print(&self.csv()),
            Format::Table => output::print(&self.for_people(rows)),
        }
    }

    /// The stable form for programs.
    pub fn json(&self) -> Value {
        let cells: Vec<Value> = self.tables.iter().flat_map(cells).collect();
        json!({
            "query": { "digest": hex::encode(self.query_digest), "text": self.text },
            "coverage": coverage(&self.coverage),
            "privacy": self.privacy(),
            "confidence": self.level.get(),
            "cells": cells,
        })
    }

    /// What each office charged, and what one person held by all of them pays.
    fn privacy(&self) -> Value {
        let offices: Vec<Value> = self
            .answers
            .iter()
            .map(|(office, answer)| {
                let account = answer.account.unwrap_or(Accounting::Pure);
                json!({
                    "office": office,
                    "accounting": account.word(),
                    "epsilon": number(epsilon(&answer.statement.loss, &account)),
                    "charged": number(epsilon(&answer.charged, &account)),
                    "rho_nano": answer.statement.loss.rho_nano,
                    "repeated": answer.repeated,
                    "release": hex::encode(answer.statement.release_id),
                    "dataset_version": answer.statement.dataset_version,
                })
            })
            .collect();
        let words: BTreeSet<&str> =
            self.answers.values().filter_map(|answer| Some(answer.account?.word())).collect();
        let accounting = match words.iter().collect::<Vec<_>>().as_slice() {
            [] => Value::Null,
            [word] => json!(word),
            _ => json!("mixed"),
        };
        let most = |of: fn(&lango_wire::Answer) -> Loss| {
            let each = self
                .answers
                .values()
                .map(|answer| epsilon(&of(answer), &answer.account.unwrap_or(Accounting::Pure)));
            each.max().unwrap_or(0)
        };
        let delta = self.answers.values().filter_map(|answer| match answer.account? {
            Accounting::Pure => None,
            Accounting::Zcdp { delta_e18 } => Some(delta_e18),
        });
        let charged = self.charged();
        json!({
            "accounting": accounting,
            "epsilon": number(most(|answer| answer.statement.loss)),
            "delta": delta.max().map_or(json!(0), |delta_e18| json!(delta_e18 as f64 / 1e18)),
            "charged": number(most(|answer| answer.charged)),
            "charged_sum": number(charged),
            "repeated": !self.answers.is_empty() && self.answers.values().all(|answer| answer.repeated),
            "offices": offices,
        })
    }

    /// The sum over offices of what this request was charged, in billionths of epsilon.
    pub fn charged(&self) -> u64 {
        let each = self
            .answers
            .values()
            .map(|answer| epsilon(&answer.charged, &answer.account.unwrap_or(Accounting::Pure)));
        each.fold(0, u64::saturating_add)
    }

    fn csv(&self) -> String {
        let mut text = String::new();
        for table in &self.tables {
            let names = table.axes.iter().map(|axis| csv_field(&axis.dimension));
            let header: Vec<String> = ["measure".to_owned()].into_iter().chain(names).collect();
            text += &format!("{},value,std_err,lower,upper,status\n", header.join(","));
            for (key, cell) in table.keys().zip(&table.cells) {
                let key: Vec<String> =
                    [table.measure.as_str()].into_iter().chain(key).map(csv_field).collect();
                let figure = cell.figure.map_or_else(
                    || ",,,".to_owned(),
                    |figure| {
                        format!("{},{:.3},{},{}", figure.value, figure.std_err, figure.lower, figure.upper)
                    },
                );
                text += &format!("{},{figure},{}\n", key.join(","), cell.status.code());
            }
        }
        text
    }

    fn for_people(&self, rows: usize) -> String {
        let mut text = String::new();
        for table in &self.tables {
            text += &one_table(table, self.level.get(), rows);
            text.push('\n');
        }
        text += &told(&self.coverage);
        let charged = self.answers.values().filter(|answer| !answer.repeated).count();
        let one = self
            .answers
            .values()
            .map(|answer| epsilon(&answer.charged, &answer.account.unwrap_or(Accounting::Pure)))
            .max();
        text += &match (charged, one) {
            (_, None) => String::new(),
            (0, _) => "cost      nothing: every answer had been released before\n".to_owned(),
            (charged, one) => format!(
                "cost      epsilon {} at each of {charged} offices; {} for a person held by all of them\n",
                nano(one.unwrap_or(0)),
                nano(self.charged())
            ),
        };
        text
    }
}

/// Who answered, in a few lines.
pub fn told(coverage: &Coverage) -> String {
    let list = |absent: &[Absent]| {
        absent
            .iter()
            .map(|absent| format!("{} ({})", absent.office, absent.reason))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut text =
        format!("coverage  {} of {} offices answered\n", coverage.answered.len(), coverage.asked.len());
    if !coverage.refused.is_empty() {
        text += &format!("refused   {}\n", list(&coverage.refused));
    }
    if !coverage.missing.is_empty() {
        text += &format!("missing   {}\n", list(&coverage.missing));
    }
    text
}

fn one_table(table: &Table, confidence: f64, rows: usize) -> String {
    let interval = format!("{} % interval", (confidence * 1e6).round() / 1e4);
    let names = table.axes.iter().map(|axis| axis.dimension.as_str());
    let header: Vec<&str> =
        names.chain([table.measure.as_str(), interval.as_str(), "std err", "status"]).collect();
    let keys = table.axes.len();
    let mut cells: Vec<_> = table.keys().zip(&table.cells).collect();
    let shown = if rows == 0 { cells.len() } else { rows.min(cells.len()) };
    let hidden = cells.len() - shown;
    if hidden > 0 {
        cells.sort_by_key(|(_, cell)| std::cmp::Reverse(cell.figure.map(|figure| figure.value)));
        cells.truncate(shown);
    }
    let rows = cells.iter().map(|(key, cell)| {
        let figure = cell.figure.map_or_else(
            || ["-".to_owned(), String::new(), String::new()],
            |figure| {
                [
                    grouped(figure.value),
                    format!("{} to {}", grouped(figure.lower), grouped(figure.upper)),
                    format!("{:.2}", figure.std_err),
                ]
            },
        );
        key.iter()
            .map(|code| (*code).to_owned())
            .chain(figure)
            .chain([cell.status.code().to_owned()])
            .collect()
    });
    let mut text = output::table(&header, &[keys, keys + 1, keys + 2], rows);
    text.push('\n');
    if hidden > 0 {
        text += &format!(
            "the {shown} largest cells; {} more with --rows 0, --format csv or --format json\n",
            grouped(hidden as i64)
        );
    }
    text
}

fn cells(table: &Table) -> impl Iterator<Item = Value> {
    table.keys().zip(&table.cells).map(|(key, cell)| {
        let key: Map<String, Value> =
            table.axes.iter().zip(key).map(|(axis, code)| (axis.dimension.clone(), json!(code))).collect();
        let figure = cell.figure;
        json!({
            "measure": table.measure,
            "key": key,
            "value": figure.map(|figure| figure.value),
            "std_err": figure.map(|figure| figure.std_err),
            "lower": figure.map(|figure| figure.lower),
            "upper": figure.map(|figure| figure.upper),
            "status": cell.status.code(),
        })
    })
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

/// A loss as billionths of epsilon at its account's delta.
fn epsilon(loss: &Loss, account: &Accounting) -> u64 {
    loss.amount(account).and_then(|amount| account.epsilon_of(amount)).unwrap_or(0)
}

/// Billionths as a JSON number, written as briefly as it can be.
fn number(nanos: u64) -> Value {
    nano(nanos).parse::<Value>().unwrap_or(Value::Null)
}

impl Prices {
    /// Prints the prices.
    pub fn print(&self, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json => output::print(&serde_json::to_string_pretty(&self.json())?),
            Format::Csv => output::print(&self.csv()),
            Format::Table => output::print(&self.for_people()),
        }
    }

    fn json(&self) -> Value {
        let offices: Vec<Value> =
            self.priced.iter().map(|(office, priced)| self.office(office, priced)).collect();
        let absent: Vec<Value> = self
            .absent
            .iter()
            .map(|(office, reason)| json!({ "office": office, "reason": reason }))
            .collect();
        json!({
            "query": { "digest": hex::encode(self.query_digest), "text": self.text },
            "confidence": self.level.get(),
            "offices": offices,
            "absent": absent,
            "region": self.region(),
        })
    }

    fn office(&self, office: &str, priced: &Priced) -> Value {
        let margins: Vec<Value> = priced
            .plan
            .margins
            .iter()
            .map(|margin| {
                let (half_width, coverage) = margin.error().half_width(self.level);
                json!({
                    "measure": margin.measure.as_str(),
                    "by": margin.by.dimensions().map(ToString::to_string).collect::<Vec<_>>(),
                    "mechanism": margin.noise.mechanism.word(),
                    "scale": margin.noise.scale,
                    "std_err": margin.error().std_err(),
                    "half_width": half_width,
                    "coverage": coverage,
                })
            })
            .collect();
        json!({
            "office": office,
            "accounting": priced.account.word(),
            "epsilon": number(epsilon(&priced.loss, &priced.account)),
            "charged": number(epsilon(&priced.charged, &priced.account)),
            "repeated": priced.repeated,
            "queries_left": priced.queries_left,
            "margins": margins,
        })
    }

    /// The error of a sum over all offices that named a price.
    fn region(&self) -> Vec<Value> {
        let first = self.priced.values().next();
        let margins = first.map(|priced| priced.plan.margins.as_slice()).unwrap_or_default();
        let each = margins.iter().enumerate().map(|(index, margin)| {
            let noises =
                self.priced.values().filter_map(|priced| Some(priced.plan.margins.get(index)?.noise));
            let sum = NoiseSum::of(noises);
            let (half_width, coverage) = sum.half_width(self.level);
            json!({
                "measure": margin.measure.as_str(),
                "by": margin.by.dimensions().map(ToString::to_string).collect::<Vec<_>>(),
                "std_err": sum.std_err(),
                "half_width": half_width,
                "coverage": coverage,
            })
        });
        each.collect()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for (office, priced) in &self.priced {
            for margin in &priced.plan.margins {
                let (half_width, _) = margin.error().half_width(self.level);
                rows.push(vec![
                    office.clone(),
                    format!(
                        "{} by {}",
                        margin.measure,
                        if margin.by.is_empty() { "_T".to_owned() } else { margin.by.to_string() }
                    ),
                    priced.account.word().to_owned(),
                    nano(epsilon(&priced.charged, &priced.account)),
                    format!("{:.2}", margin.error().std_err()),
                    format!("± {half_width}"),
                    priced.queries_left.to_string(),
                ]);
            }
        }
        rows
    }

    const HEADER: [&'static str; 7] =
        ["office", "margin", "accounting", "epsilon", "std err", "interval", "queries left"];

    fn csv(&self) -> String {
        let mut text = Self::HEADER.join(",") + "\n";
        for row in self.rows() {
            text += &(row.iter().map(|field| csv_field(field)).collect::<Vec<_>>().join(",") + "\n");
        }
        text
    }

    fn for_people(&self) -> String {
        let mut text = output::table(&Self::HEADER, &[3, 4, 5, 6], self.rows());
        text.push('\n');
        for (index, margin) in self.region().iter().enumerate() {
            let sum = |field: &str| margin.get(field).and_then(Value::as_f64).unwrap_or_default();
            let label = if index == 0 { "added up" } else { "" };
            text += &format!(
                "{label:<9} std err {:.2}, interval ± {} a cell\n",
                sum("std_err"),
                sum("half_width")
            );
        }
        for (office, reason) in &self.absent {
            text += &format!("{office:<9} {reason}\n");
        }
        text += "nothing was charged and no data was touched\n";
        text
    }
}
