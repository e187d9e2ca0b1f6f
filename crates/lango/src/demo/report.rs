//! The corridor table: estimates beside the truth that only the demo knows.

use std::{collections::BTreeMap, fs, time::Duration};

use lango_analyst::Answered;
use lango_privacy::{NoiseSum, OTHER, nano};
use lango_registers::{OFFICES, OTHERS, Sex, country_name, published, truth};
use lango_statistics::Figure;
use serde_json::{Value, json};

use super::{ask, ask::DemoAnswer, fleet::Fleet, folder::Folder};
use crate::{
    analyst::report::{AnswerReport, places, real, who_answered},
    failure::Failure,
    output::{self, grouped, number},
};

/// One corridor and sex.
struct Row {
    origin: String,
    office: String,
    sex: &'static str,
    figure: Figure,
    register: i64,
    /// Published, divided by the scale.
    published: f64,
    holds: bool,
}

/// The demo's result.
pub struct Result {
    answered: Answered,
    took: Duration,
    scale: u32,
    seed: u64,
    rows: Vec<Row>,
    /// Cells whose interval holds the register's count, and all cells.
    held: (usize, usize),
    /// The share that the declared noise makes one expect.
    expected: f64,
}

type Counts = BTreeMap<(String, String, String), i64>;

impl Result {
    /// Sets every cell beside the register's own count.
    pub fn new(folder: &Folder, asked: DemoAnswer) -> std::result::Result<Self, Failure> {
        let DemoAnswer { answered, took } = asked;
        let counts = count(folder)?;
        let mut rows = Vec::new();
        let mut held = (0, 0);
        for table in &answered.tables {
            for (key, cell) in table.keys().zip(&table.cells) {
                let ([office, origin, sex], Some(figure)) = (key.as_slice(), cell.figure) else { continue };
                let key = ((*office).to_owned(), (*origin).to_owned(), (*sex).to_owned());
                let register = counts.get(&key).copied().unwrap_or(0);
                let holds = holds(&figure, register);
                held = (held.0 + usize::from(holds), held.1 + 1);
                let cells =
                    published(office).iter().filter(|cell| cell.origin == *origin && cell.sex.code() == *sex);
                for cell in cells.filter(|cell| OFFICES.contains(&cell.origin)) {
                    rows.push(Row {
                        origin: key.1.clone(),
                        office: key.0.clone(),
                        sex: cell.sex.code(),
                        figure,
                        register,
                        published: cell.persons as f64 / f64::from(folder.draw.scale),
                        holds,
                    });
                }
            }
        }
        let margins = answered.answers.values().flat_map(|answer| &answer.plan.margins);
        let noises = margins.filter_map(|margin| margin.measurement.noise());
        let coverages: Vec<f64> =
            noises.map(|noise| NoiseSum::of([noise]).half_width(answered.level).1).collect();
        let expected = coverages.iter().sum::<f64>() / coverages.len().max(1) as f64;
        rows.sort_by(|a, b| b.published.total_cmp(&a.published));
        Ok(Self { answered, took, scale: folder.draw.scale, seed: folder.draw.seed, rows, held, expected })
    }

    /// Prints the table and what stands below it.
    pub fn print(&self, most: usize) -> std::result::Result<(), Failure> {
        let shown = if most == 0 { self.rows.len() } else { most.min(self.rows.len()) };
        let places = self.answered.tables.iter().map(places).max().unwrap_or(0);
        let published = format!("UN / {}", grouped(i64::from(self.scale)));
        let header =
            ["born in", "living in", "sex", "estimate", "95 % interval", "register", &published, "held"];
        let rows = self.rows.iter().take(shown).map(|row| {
            let name = |code: &str| country_name(code).map_or_else(|| code.to_owned(), short);
            let end = |end: Option<f64>| end.map_or_else(String::new, |end| number(end, places));
            let Figure { value, lower, upper, .. } = row.figure;
            vec![
                name(&row.origin),
                name(&row.office),
                row.sex.to_owned(),
                number(value, places),
                format!("{} to {}", end(lower), end(upper)),
                grouped(row.register),
                tenths(row.published, self.scale),
                if row.holds { "yes" } else { "no" }.to_owned(),
            ]
        });
        let mut text = format!(
            "\nPersons born in one member of ECOWAS and living in another, mid-2024 (one drawn for {} published)\n",
            grouped(i64::from(self.scale))
        );
        text += &output::table(&header, &[3, 4, 5, 6], rows);
        text.push('\n');
        if shown < self.rows.len() {
            text += &format!(
                "the {shown} largest of {} corridors by sex; all with --rows 0, or in --json FILE\n",
                self.rows.len()
            );
        }
        text +=
            "\nregister  is what the office's register holds: only the demo knows it, because it drew it\n";
        text += "UN        is published: UN DESA, International Migrant Stock 2024 (CC BY 3.0 IGO)\n\n";
        text += &who_answered(&self.answered.coverage);
        let charged = AnswerReport(&self.answered).charged();
        text += &if charged == 0 {
            "cost      nothing: this question was answered before, and its answer is stored\n".to_owned()
        } else {
            format!(
                "cost      epsilon {} at each office; {} for a person held by all of them\n",
                ask::EPSILON,
                nano(charged)
            )
        };
        text += &format!("time      {:.2} s from question to table\n", self.took.as_secs_f64());
        let (held, cells) = self.held;
        let share = 100.0 * held as f64 / cells.max(1) as f64;
        text += &format!(
            "held      {} of {} cells hold the register's count: {share:.2} %; the noise makes one expect {:.2} %\n",
            grouped(held as i64),
            grouped(cells as i64),
            100.0 * self.expected
        );
        output::print(&text)
    }

    /// The result for programs.
    pub fn json(&self) -> Value {
        let corridors: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "origin": row.origin, "office": row.office, "sex": row.sex,
                    "value": real(row.figure.value), "std_err": row.figure.std_err,
                    "lower": row.figure.lower.map(real), "upper": row.figure.upper.map(real),
                    "register": row.register, "published_scaled": row.published, "held": row.holds,
                })
            })
            .collect();
        let mut json = AnswerReport(&self.answered).json(&self.answered.tables);
        if let Some(object) = json.as_object_mut() {
            let demo = json!({
                "scale": self.scale, "seed": self.seed, "seconds": self.took.as_secs_f64(),
                "cells": self.held.1, "cells_held": self.held.0, "share_expected": self.expected, "corridors": corridors,
            });
            object.insert("demo".to_owned(), demo);
        }
        json
    }
}

/// Whether a figure's interval holds the register's count.
fn holds(figure: &Figure, register: i64) -> bool {
    // Registers hold fewer than 2^53.
    let register = register as f64;
    figure.lower.is_some_and(|lower| lower <= register) && figure.upper.is_some_and(|upper| register <= upper)
}

/// A published figure divided by the scale: with one decimal, unless nothing was divided.
fn tenths(figure: f64, scale: u32) -> String {
    // Published figures are below 2^53, so the casts lose nothing.
    let whole = grouped(figure.trunc() as i64);
    if scale == 1 { whole } else { format!("{whole}.{}", (figure.fract() * 10.0).floor()) }
}

/// A country's name, cut to what the table has room for.
fn short(name: &str) -> String {
    if name.chars().count() <= 16 { name.to_owned() } else { name.chars().take(15).chain(['…']).collect() }
}

/// What every register holds, as a policy's keys name it: an origin that is no ISO code is `_O`.
fn count(folder: &Folder) -> std::result::Result<Counts, Failure> {
    let mut counts = Counts::new();
    for office in OFFICES {
        for ((origin, sex), persons) in truth(&folder.register(office))? {
            let origin = if origin == OTHERS { OTHER.to_owned() } else { origin };
            let sex = match sex {
                Sex::F => "F",
                Sex::M => "M",
            };
            *counts.entry((office.to_owned(), origin, sex.to_owned())).or_default() +=
                i64::try_from(persons).unwrap_or(i64::MAX);
        }
    }
    Ok(counts)
}

/// Prints where the time went and what the gateways hold in memory. The times in the databases come from the offices'
/// own logs: no gateway sends them to anybody.
pub fn timings(folder: &Folder, fleet: &Fleet, result: &Result) -> std::result::Result<(), Failure> {
    let mut sql_us = 0;
    let mut gateways_us = 0;
    for office in OFFICES {
        let log = folder.office(office).join("gateway.log");
        let text = fs::read_to_string(&log).map_err(|error| Failure::of(log.display(), error))?;
        let mut lines = text.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let last =
            lines.find(|line| line.pointer("/fields/message").is_some_and(|message| message == "released"));
        let field = |name: &str| last.as_ref()?.pointer("/fields")?.get(name)?.as_u64();
        let field = |name: &str| field(name).unwrap_or(0);
        sql_us += field("sql_us");
        gateways_us += field("total_us");
    }
    let largest = fleet.resident().into_iter().max_by_key(|(_, bytes)| *bytes);
    let largest = largest.map_or_else(
        || "unknown".to_owned(),
        |(office, bytes)| format!("{:.1} MB ({office})", bytes as f64 / 1e6),
    );
    output::print(&format!(
        "timings   {:.3} s in SQL, all offices together; {:.3} s in the gateways; {:.3} s the whole query\n\
         memory    {largest} resident in the largest gateway",
        sql_us as f64 / 1e6,
        gateways_us as f64 / 1e6,
        result.took.as_secs_f64()
    ))
}

/// What to try next.
pub fn next_steps(folder: &Folder, fleet: &Fleet) -> std::result::Result<(), Failure> {
    let analyst = folder.analyst();
    let ask = format!("--identity {} --all --dataset residents --measure persons", analyst.display());
    output::print(&format!(
        "\nthe federation is up, its coordinator at {}; Ctrl-C ends it. In another terminal, try:\n\n\
         lango query estimate {ask} --by office,country_of_birth --epsilon 0.5\n\n\
         lango query run {ask} --by office,country_of_birth --epsilon 0.5 --format json\n\n\
         lango query run {ask} --by age,sex --where \"country_of_birth = NGA\" --epsilon 0.5\n",
        fleet.coordinator
    ))
}
