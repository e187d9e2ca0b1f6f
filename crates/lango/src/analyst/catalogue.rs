//! What is open at each office, as a table, JSON and CSV: datasets side by side, and what differs from office to office.

use std::collections::{BTreeMap, BTreeSet};

use lango_analyst::MemberCatalogue;
use lango_policy::Renewal;
use lango_privacy::{Accounting, Name, nano};
use lango_wire::{
    DatasetColumn, DescribedDataset, DescribedGrant, DescribedNumbers, DescribedRefusal, VerifiedDescription,
    description::kind_word,
};
use serde_json::{Value, json};

use crate::{
    analyst::{
        offices::{alike, unanswered_alike},
        prices::reason,
        report::billionths,
    },
    failure::Failure,
    output::{self, Format, ago, counted, csv_field, foreign, grouped, number, wrapped},
};

/// The width of a line for people.
const WIDTH: usize = 100;
/// The width of a line's label.
const LABEL: usize = 12;
/// The most codes of a column that are shown unless its dataset is asked for by name.
const CODES_SHOWN: usize = 8;
/// The most characters of an office's own words that are shown to people.
const WORDS_SHOWN: usize = 300;

/// A catalogue to be shown.
pub struct CatalogueReport<'a> {
    pub catalogue: &'a MemberCatalogue,
    /// Whether every code is shown to people.
    pub is_whole: bool,
}

/// One dataset at the offices that have it, by their short names.
type Offices<'a> = Vec<(&'a str, &'a DescribedDataset)>;

/// What there is to say of a dataset, and what each office says.
struct Row<'a> {
    label: String,
    /// What stands before all that is said.
    lead: String,
    values: Vec<(&'a str, String)>,
}

fn row<'a>(label: &str, values: Vec<(&'a str, String)>) -> Row<'a> {
    Row { label: label.to_owned(), lead: String::new(), values }
}

impl<'a> CatalogueReport<'a> {
    /// Prints the catalogue.
    pub fn print(&self, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json => output::print_json(&self.json()),
            Format::Csv => {
                // The rows have no place for who is not in them.
                output::say(self.coverage().trim_end());
                output::print(&self.csv())
            }
            Format::Table => output::print(&self.for_people()),
        }
    }

    fn datasets(&self) -> BTreeMap<&'a Name, Offices<'a>> {
        let mut datasets: BTreeMap<&Name, Offices<'_>> = BTreeMap::new();
        for (office, description) in &self.catalogue.described {
            for dataset in &description.datasets {
                datasets.entry(&dataset.name).or_default().push((office, dataset));
            }
        }
        datasets
    }

    /// Who described what is open, and who did not and why, in a few lines.
    fn coverage(&self) -> String {
        let MemberCatalogue { described, undescribed } = self.catalogue;
        let all = described.len() + undescribed.len();
        let mut text = format!("coverage  {} of {all} offices said what is open to you\n", described.len());
        let each = undescribed.iter().map(|(office, why)| (office.as_str(), why));
        for (offices, why) in alike(each, |why| unanswered_alike(why)) {
            text += &lines("silent", 10, &format!("{} ({})", offices.join(", "), reason(why)));
        }
        let nothing = |description: &&VerifiedDescription| description.datasets.is_empty();
        let closed: Vec<&str> =
            described.iter().filter(|(_, found)| nothing(found)).map(|(office, _)| office.as_str()).collect();
        if !closed.is_empty() {
            text += &lines("nothing", 10, &format!("is open to you at {}", closed.join(", ")));
        }
        for (office, description) in described.iter().filter(|(_, found)| found.left_out > 0) {
            let more =
                format!("{office} has {} more: name one", counted(description.left_out as usize, "dataset"));
            text += &lines("left out", 10, &more);
        }
        let cosigned = described.iter().map(|(office, found)| (office.as_str(), log_cosigned(found)));
        let cosigned = alike(cosigned, String::clone).into_iter();
        let cosigned: Vec<String> =
            cosigned.map(|(offices, when)| format!("{when} at {}", whose(&offices))).collect();
        if !cosigned.is_empty() {
            text += &lines("witnessed", 10, &format!("logs cosigned: {}", cosigned.join("; ")));
        }
        text
    }

    fn for_people(&self) -> String {
        let mut text = String::new();
        for (name, offices) in self.datasets() {
            text += &format!("{name}\n");
            for Row { label, lead, values } in self.rows(&offices) {
                let (label, mut lead) = (format!("  {label}"), lead);
                for (at, line) in side_by_side(&values).iter().enumerate() {
                    text += &lines(if at == 0 { &label } else { "" }, LABEL + 2, &format!("{lead}{line}"));
                    lead.clear();
                }
            }
            text.push('\n');
        }
        text + &self.coverage()
    }

    /// What there is to say of a dataset.
    fn rows(&self, offices: &Offices<'a>) -> Vec<Row<'a>> {
        let each = |of: &dyn Fn(&DescribedDataset) -> String| {
            offices.iter().map(|(office, dataset)| (*office, of(dataset))).collect::<Vec<_>>()
        };
        let names: Vec<&str> = offices.iter().map(|(office, _)| *office).collect();
        let mut rows = vec![
            row("title", each(&|dataset| shown(&dataset.title))),
            row("offices", vec![("", format!("{}: {}", names.len(), names.join(" ")))]),
            row("kind", each(&kind)),
            row("version", each(&|dataset| dataset.version.to_string())),
            row("account", each(&|dataset| account(&dataset.account, dataset.renews))),
        ];
        let columns =
            offices.iter().flat_map(|(_, dataset)| dataset.columns.iter().map(|column| &column.name));
        for (at, name) in columns.collect::<BTreeSet<_>>().into_iter().enumerate() {
            let column = |dataset: &DescribedDataset| {
                dataset.column(name).map_or("none".to_owned(), |column| self.column(column))
            };
            let label = if at == 0 { "columns" } else { "" };
            rows.push(Row { lead: format!("{name}: "), ..row(label, each(&column)) });
        }
        let mut grants: Vec<&str> = Vec::new();
        for grant in offices.iter().flat_map(|(_, dataset)| &dataset.grants) {
            if !grants.contains(&grant.id.as_str()) {
                grants.push(&grant.id);
            }
        }
        for id in grants {
            let of = |say: fn(&DescribedDataset, &DescribedGrant) -> String| {
                move |dataset: &DescribedDataset| {
                    let grant = dataset.grants.iter().find(|grant| grant.id == id);
                    grant.map_or("none".to_owned(), |grant| say(dataset, grant))
                }
            };
            rows.extend([
                row("grant", vec![("", shown(id))]),
                row("  measures", each(&of(|_, grant| listed(&grant.measures)))),
                row("  by", each(&of(|_, grant| by(grant)))),
                row("  for", each(&of(|_, grant| purposes(grant)))),
                row("  price", each(&of(price))),
                row("  left", each(&of(|_, grant| left(grant)))),
            ]);
        }
        rows.extend(refusals(offices));
        rows
    }

    fn column(&self, column: &DatasetColumn) -> String {
        let mut parts = Vec::new();
        let count = column.code_count as usize;
        if count > 0 {
            let labels: BTreeMap<_, _> = column.labelled().collect();
            let named = |code: &lango_privacy::Code| match labels.get(code) {
                Some(label) => format!("{code} ({})", shown(label)),
                None => code.to_string(),
            };
            let codes: Vec<String> = column.codes.iter().map(named).collect();
            let between = if labels.is_empty() { " " } else { ", " };
            parts.push(match codes.as_slice() {
                [] => format!("{}, too many to be listed", counted(count, "code")),
                all if self.is_whole || all.len() <= CODES_SHOWN => all.join(between),
                [first, second, third, .., last] => {
                    let first = [first.as_str(), second, third].join(between);
                    format!("{}: {first} .. {last}", counted(count, "code"))
                }
                few => few.join(between),
            });
        }
        if let Some(DescribedNumbers { low, high, scale, bins, candidates }) = column.numbers {
            let decimals = scale as usize;
            let bound = |bound: i64| number(bound as f64 / 10f64.powi(decimals as i32), decimals);
            let mut words = format!("numbers from {} to {}", bound(low), bound(high));
            if bins > 0 {
                words += &format!(", {}", counted(bins as usize, "bin"));
            }
            if candidates > 0 {
                words += ", quantiles";
            }
            parts.push(words);
        }
        if parts.is_empty() { "text without declared codes".to_owned() } else { parts.join("; ") }
    }

    fn json(&self) -> Value {
        let MemberCatalogue { described, undescribed } = self.catalogue;
        let datasets = self.datasets().into_iter().map(|(name, offices)| {
            let offices = offices.into_iter().map(|(office, dataset)| dataset_json(office, dataset));
            json!({ "name": name.as_str(), "offices": offices.collect::<Vec<_>>() })
        });
        let offices = described.iter().map(|(office, description)| {
            json!({
                "office": office,
                "time": description.statement.time,
                "policy_digest": hex::encode(description.statement.policy_digest),
                "datasets": description.datasets.len(),
                "left_out": description.left_out,
                "cosigned_at": description.cosigned_at,
            })
        });
        let absent =
            undescribed.iter().map(|(office, why)| json!({ "office": office, "reason": reason(why) }));
        json!({
            "datasets": datasets.collect::<Vec<_>>(),
            "offices": offices.collect::<Vec<_>>(),
            "absent": absent.collect::<Vec<_>>(),
        })
    }

    const CSV: [&'static str; 18] = [
        "dataset",
        "office",
        "title",
        "kind",
        "version",
        "unit",
        "accounting",
        "renews",
        "columns",
        "grant",
        "purposes",
        "measures",
        "by",
        "where",
        "by_at_most",
        "epsilon_per_query",
        "epsilon_total",
        "queries_left",
    ];

    /// A row for each grant of each office.
    fn csv(&self) -> String {
        let mut text = Self::CSV.join(",") + "\n";
        for (name, offices) in self.datasets() {
            for (office, dataset) in offices {
                for grant in &dataset.grants {
                    let columns: Vec<&Name> = dataset.columns.iter().map(|column| &column.name).collect();
                    let row = [
                        name.to_string(),
                        office.to_owned(),
                        dataset.title.clone(),
                        kind_word(dataset.kind).to_owned(),
                        dataset.version.to_string(),
                        dataset.unit.to_string(),
                        dataset.account.word().to_owned(),
                        dataset.renews.word().to_owned(),
                        spaced(&columns),
                        grant.id.clone(),
                        spaced(&grant.purposes),
                        spaced(&grant.measures),
                        spaced(&grant.by),
                        spaced(&grant.filters),
                        grant.by_at_most.to_string(),
                        nano(grant.epsilon_per_query_nano),
                        nano(grant.epsilon_total_nano),
                        grant.queries_left.to_string(),
                    ];
                    text += &(row.iter().map(|field| csv_field(field)).collect::<Vec<_>>().join(",") + "\n");
                }
            }
        }
        text
    }
}

/// When a witness last cosigned an office's log, seen from the office's own clock when it described itself.
fn log_cosigned(description: &VerifiedDescription) -> String {
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    let now = seconds(description.statement.time);
    description.cosigned_at.map_or_else(|| "never".to_owned(), |at| ago(seconds(at), now))
}

fn dataset_json(office: &str, dataset: &DescribedDataset) -> Value {
    let texts = |words: &[Name]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let numbers = |numbers: &DescribedNumbers| {
        let DescribedNumbers { low, high, scale, bins, candidates } = numbers;
        json!({ "low": low, "high": high, "scale": scale, "bins": bins, "candidates": candidates })
    };
    let columns = dataset.columns.iter().map(|column| {
        json!({
            "name": column.name.as_str(),
            "code_count": column.code_count,
            "codes": column.codes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "labels": column.labelled().map(|(code, label)| (code.to_string(), json!(label))).collect::<serde_json::Map<_, _>>(),
            "numbers": column.numbers.as_ref().map(numbers),
        })
    });
    let grants = dataset.grants.iter().map(|grant| {
        json!({
            "id": grant.id,
            "purposes": grant.purposes,
            "measures": grant.measures.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "by": texts(&grant.by),
            "where": texts(&grant.filters),
            "by_at_most": grant.by_at_most,
            "from": grant.valid.as_ref().map(|(from, _)| from),
            "until": grant.valid.as_ref().map(|(_, until)| until),
            "epsilon_per_query": billionths(grant.epsilon_per_query_nano),
            "epsilon_total": billionths(grant.epsilon_total_nano),
            "queries_left": grant.queries_left,
        })
    });
    let refused = dataset.refused.iter().map(|rule| {
        let codes: BTreeMap<&str, Vec<String>> = rule
            .codes
            .iter()
            .map(|(column, codes)| (column.as_str(), codes.iter().map(ToString::to_string).collect()))
            .collect();
        json!({ "id": rule.id, "purposes": rule.purposes, "columns": texts(&rule.columns), "codes": codes })
    });
    let delta = match dataset.account {
        Accounting::Pure => 0.0,
        Accounting::Zcdp { delta_e18 } => delta_e18 as f64 / 1e18,
    };
    json!({
        "office": office,
        "title": dataset.title,
        "kind": kind_word(dataset.kind),
        "version": dataset.version.as_str(),
        "unit": dataset.unit.as_str(),
        "rows_at_most": dataset.rows_at_most,
        "cells_at_most": dataset.cells_at_most,
        "accounting": dataset.account.word(),
        "delta": delta,
        "renews": dataset.renews.word(),
        "filters_rows": dataset.filters_rows,
        "columns": columns.collect::<Vec<_>>(),
        "grants": grants.collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
    })
}

/// What offices say, once where all say the same; else what most say first, with how many they are, and the others by name.
fn side_by_side(values: &[(&str, String)]) -> Vec<String> {
    let mut groups = alike(values.iter().map(|(office, value)| (*office, value)), |value| (*value).clone());
    if let [(_, only)] = groups.as_slice() {
        return vec![(*only).clone()];
    }
    groups.sort_by_key(|(offices, _)| std::cmp::Reverse(offices.len()));
    let said = groups.iter().enumerate().map(|(at, (offices, value))| {
        format!("{value} at {}", if at == 0 { whose(offices) } else { offices.join(", ") })
    });
    let said: Vec<String> = said.collect();
    let line = said.join(", ");
    // Short ones in one line.
    if line.chars().count() <= WIDTH - LABEL { vec![line] } else { said }
}

/// A few offices by their names, more by how many they are.
fn whose(offices: &[&str]) -> String {
    if offices.len() > 3 { counted(offices.len(), "office") } else { offices.join(", ") }
}

/// A text beside its label, in lines of [`WIDTH`] at most where its words allow.
fn lines(label: &str, width: usize, text: &str) -> String {
    let mut printed = String::new();
    for (at, line) in wrapped(text, WIDTH - width).iter().enumerate() {
        printed += &format!("{:<width$}{line}\n", if at == 0 { label } else { "" });
    }
    printed
}

/// An office's own words on one line, and no longer than a few.
fn shown(words: &str) -> String {
    let words = foreign(words);
    match words.char_indices().nth(WORDS_SHOWN) {
        Some((end, _)) => format!("{} ..", words.get(..end).unwrap_or_default()),
        None => words,
    }
}

fn listed<T: ToString>(words: &[T]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn spaced<T: ToString>(words: &[T]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn kind(dataset: &DescribedDataset) -> String {
    let mut words = format!("{}, a row or more for each {}", kind_word(dataset.kind), dataset.unit);
    if dataset.rows_at_most == 1 {
        words = format!("{}, one row for each {}", kind_word(dataset.kind), dataset.unit);
    } else {
        words += &format!(
            ": {} rows of it are read at most, and {} cells counted",
            dataset.rows_at_most, dataset.cells_at_most
        );
    }
    if dataset.filters_rows {
        words += "; rules of the office's database choose which rows are read";
    }
    words
}

fn account(account: &Accounting, renews: Renewal) -> String {
    let currency = match account {
        Accounting::Pure => "pure epsilon".to_owned(),
        Accounting::Zcdp { delta_e18 } => format!("zCDP at delta {:e}", *delta_e18 as f64 / 1e18),
    };
    match renews {
        Renewal::Never => format!("{currency}, never renewed"),
        Renewal::Monthly | Renewal::Quarterly | Renewal::Yearly => {
            format!("{currency}, renewed {}", renews.word())
        }
    }
}

fn by(grant: &DescribedGrant) -> String {
    let columns = grant.by.iter().chain(&grant.filters).collect::<BTreeSet<_>>().len();
    let mut words = if grant.by.is_empty() { "the total alone".to_owned() } else { listed(&grant.by) };
    if !grant.filters.is_empty() {
        words += &format!("; conditions also on {}", listed(&grant.filters));
    }
    if (grant.by_at_most as usize) < columns {
        words += &format!("; {} at once at most", counted(grant.by_at_most as usize, "column"));
    }
    words
}

fn purposes(grant: &DescribedGrant) -> String {
    let purposes = shown(&grant.purposes.join(", "));
    match &grant.valid {
        Some((from, until)) => format!("{purposes}, from {} to {}", shown(from), shown(until)),
        None => purposes,
    }
}

fn price(dataset: &DescribedDataset, grant: &DescribedGrant) -> String {
    let period = match dataset.renews {
        Renewal::Never => "for good",
        Renewal::Monthly => "a month",
        Renewal::Quarterly => "a quarter",
        Renewal::Yearly => "a year",
    };
    let (each, all) = (nano(grant.epsilon_per_query_nano), nano(grant.epsilon_total_nano));
    format!("epsilon {each} a question at most, {all} {period}")
}

fn left(grant: &DescribedGrant) -> String {
    let left = i64::try_from(grant.queries_left).unwrap_or(i64::MAX);
    let noun = if left == 1 { "question" } else { "questions" };
    format!("{} {noun} at that price", grouped(left))
}

/// What rules refuse of a dataset, and at which offices where that is not all of them.
fn refusals<'a>(offices: &Offices<'a>) -> Vec<Row<'a>> {
    let each = offices
        .iter()
        .flat_map(|(office, dataset)| dataset.refused.iter().map(|rule| (*office, refusal(rule))));
    let groups = alike(each, |sentence| sentence.clone()).into_iter();
    let rows = groups.map(|(at, sentence)| {
        let at = if at.len() == offices.len() { String::new() } else { format!(" (at {})", at.join(", ")) };
        row("refused", vec![("", sentence + &at)])
    });
    rows.collect()
}

/// What a rule refuses, in a sentence.
fn refusal(rule: &DescribedRefusal) -> String {
    let mut parts = Vec::new();
    match rule.columns.as_slice() {
        [] => {}
        [one] => parts.push(format!("what uses {one}")),
        several => parts.push(format!("what uses {} together", listed(several))),
    }
    for (column, codes) in &rule.codes {
        parts.push(format!("what shows {} of {column}", listed(codes)));
    }
    if !rule.purposes.is_empty() {
        parts.push(format!("for {}", listed(&rule.purposes)));
    }
    shown(&format!("{}: {}", rule.id, parts.join(", ")))
}

#[cfg(test)]
pub(crate) mod tests;
