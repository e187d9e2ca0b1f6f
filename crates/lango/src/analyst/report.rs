//! An answer as tables for people.

use std::collections::{BTreeMap, BTreeSet};

use lango_analyst::Answered;
use lango_policy::Agreement;
use lango_privacy::{Accounting, Code, Decimal, Loss, Measure, PlanText, ShownIf, nano};
use lango_statistics::{
    Absent, Cell, CombineError, CombinedTable, Coverage, Figure, Status, in_whole_numbers,
    quantile_from_histogram,
};
use serde_json::Value;

use crate::{
    analyst::{names::CodeNames, offices::alike},
    failure::Failure,
    output::{self, Format, brief, counted, decimals, foreign, grouped, number},
};

mod data;
#[cfg(test)]
mod tests;

pub use data::{billionths, by, real};

/// The most cells that a table for people shows unless asked for more.
pub const ROWS_SHOWN: usize = 60;

/// How an answer is to be shown. None of it costs anything: it comes after the noise.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The most rows of a table for people; 0 shows all.
    pub rows: usize,
    /// Counts as whole numbers that are not negative and add up.
    pub whole: bool,
    /// Below histograms, the quantiles of these shares.
    pub quantiles: Vec<Decimal>,
    /// What the codes of columns are called.
    pub labels: CodeNames,
    /// What else there is to say.
    pub remark: Option<Remark>,
}

/// Something to say of an answer or of prices beside their tables.
#[derive(Debug, Clone)]
pub struct Remark {
    /// Its name for programs.
    pub name: &'static str,
    /// For people, in lines.
    pub text: String,
    /// For programs.
    pub value: Value,
}

/// An answer to be shown.
pub struct AnswerReport<'a>(pub &'a Answered);

impl AnswerReport<'_> {
    /// Prints the answer.
    pub fn print(&self, format: Format, shown: &Shown) -> Result<(), Failure> {
        let tables = self.shown(shown)?;
        match format {
            Format::Json => output::print_json(&self.with_remark(self.json(&tables), shown)),
            Format::Csv => {
                // The rows have no place for who is not in them.
                output::say(who_answered(&self.0.coverage).trim_end());
                output::print(&data::csv(&tables))
            }
            Format::Table => output::print(&self.for_people(&tables, shown)),
        }
    }

    fn with_remark(&self, mut answer: Value, shown: &Shown) -> Value {
        if let Some((fields, remark)) = answer.as_object_mut().zip(shown.remark.as_ref()) {
            fields.insert(remark.name.to_owned(), remark.value.clone());
        }
        answer
    }

    /// The answer as tables for people.
    pub fn text(&self, shown: &Shown) -> Result<String, Failure> {
        Ok(self.for_people(&self.shown(shown)?, shown))
    }

    /// The answer in the stable form for programs.
    pub fn value(&self, shown: &Shown) -> Result<Value, Failure> {
        Ok(self.json(&self.shown(shown)?))
    }

    /// The tables as they are to be shown.
    fn shown(&self, shown: &Shown) -> Result<Vec<CombinedTable>, Failure> {
        let mut tables = if shown.whole {
            in_whole_numbers(&self.0.tables, &self.0.side_by_side())?
        } else {
            self.0.tables.clone()
        };
        for table in &mut tables {
            found_keys_in_words(table);
        }
        if shown.quantiles.is_empty() {
            return Ok(tables);
        }
        let found =
            quantile_from_histogram(&self.0.side_by_side(), &shown.quantiles, self.0.by_office, self.0.level);
        let quantiles = match found {
            Err(error @ CombineError::Bins { .. }) => {
                output::say(&format!("lango: {error}"));
                Vec::new()
            }
            quantiles => quantiles?,
        };
        let mut quantiles = quantiles.into_iter();
        let mut below = Vec::new();
        for table in tables {
            let histogram = matches!(table.measure, Measure::Histogram(_));
            below.push(table);
            if histogram {
                below.extend(quantiles.next());
            }
        }
        Ok(below)
    }

    /// The sum over offices of what this request was charged, in billionths of epsilon.
    pub fn charged(&self) -> u64 {
        self.0
            .answers
            .values()
            .map(|answer| epsilon(&answer.charged, &answer.account))
            .fold(0, u64::saturating_add)
    }

    /// The offices that did not prove that their logs have an entry of their answers.
    fn without_receipt(&self) -> String {
        let without = self.0.answers.iter().filter(|(_, answer)| answer.receipt.is_none());
        let names: Vec<&str> = without.map(|(office, _)| office.as_str()).collect();
        if names.is_empty() {
            return String::new();
        }
        format!(
            "receipts  none of {}: ask again, or have an auditor find the answer in the log\n",
            names.join(", ")
        )
    }

    fn for_people(&self, tables: &[CombinedTable], shown: &Shown) -> String {
        let mut text = String::new();
        for table in tables {
            text += &one_table(table, self.0.level.get(), shown.rows, &shown.labels);
            text.push('\n');
        }
        text += &who_answered(&self.0.coverage);
        text += &self.without_receipt();
        // An answer may have been charged before another gateway of the office was found to have it.
        let charges = |answer: &&lango_wire::VerifiedRelease| {
            !answer.repeated || epsilon(&answer.charged, &answer.account) > 0
        };
        let charged = self.0.answers.values().filter(charges).count();
        let one = self.0.answers.values().map(|answer| epsilon(&answer.charged, &answer.account)).max();
        text += &match (charged, one) {
            (_, None) => String::new(),
            (0, _) => "cost      nothing: every answer had been released before\n".to_owned(),
            (charged, one) => format!(
                "cost      epsilon {} at each of {}; {} for a person held by all of them\n",
                nano(one.unwrap_or(0)),
                counted(charged, "office"),
                nano(self.charged())
            ),
        };
        // What keys that are searched for in the data cost beside epsilon.
        let delta_e18 = self.0.answers.values().map(|answer| answer.charged.delta_e18).max().unwrap_or(0);
        if delta_e18 > 0 {
            text += &format!("          and delta {:e} at each\n", delta_e18 as f64 / 1e18);
        }
        text += &(self.split() + &self.agreements() + &self.hidden());
        text.extend(shown.remark.as_ref().map(|remark| remark.text.as_str()));
        text
    }

    /// The agreements under which offices answered, each with them; nothing where none is cited.
    fn agreements(&self) -> String {
        let mut cited: BTreeMap<&Agreement, Vec<&str>> = BTreeMap::new();
        for (office, answer) in &self.0.answers {
            if let Some(agreement) = &answer.statement.agreement {
                cited.entry(agreement).or_default().push(office);
            }
        }
        let lines = cited
            .iter()
            .map(|(agreement, offices)| format!("agreement {agreement} ({})\n", offices.join(", ")));
        lines.collect()
    }

    /// What offices hide of their figures, and by which rule; nothing where all is shown.
    fn hidden(&self) -> String {
        let mut rules: BTreeMap<ShownIf, Vec<String>> = BTreeMap::new();
        for (office, answer) in &self.0.answers {
            let hides = |offices: &&Vec<String>| offices.contains(office);
            let figures = self.0.tables.iter().map(|table| table.hidden.values().filter(hides).count());
            let figures: usize = figures.sum();
            if let Some(signed) = answer.statement.hidden.filter(|_| figures > 0) {
                let of_all = format!("{office} {}", grouped(figures as i64));
                rules.entry(signed.shown_if).or_default().push(of_all);
            }
        }
        let line = |(rule, offices): (&ShownIf, &Vec<String>)| {
            format!("hidden    {} figures: shown if {}\n", offices.join(", "), rule.in_words())
        };
        rules.iter().map(line).collect()
    }

    /// How the price was shared among margins, where there are several and all offices shared it alike.
    fn split(&self) -> String {
        let accounts: BTreeSet<&str> = self.0.answers.values().map(|answer| answer.account.word()).collect();
        let splits: BTreeSet<Vec<String>> =
            self.0.answers.values().map(|answer| split(&answer.plan)).collect();
        let (Some(account), Some(split), 1, 1) =
            (accounts.first(), splits.first(), accounts.len(), splits.len())
        else {
            return String::new();
        };
        if split.len() < 2 {
            return String::new();
        }
        let unit = if *account == Accounting::Pure.word() { "epsilon" } else { "rho" };
        format!("split     {unit} {}\n", split.join(&format!("\n          {unit} ")))
    }
}

/// Keys that were found in the registers, as they stand there: they travel as codes.
fn found_keys_in_words(table: &mut CombinedTable) {
    let Measure::Keys(column) = &table.measure else { return };
    let codes = table.axes.iter_mut().filter(|axis| axis.dimension == column.as_str());
    for code in codes.flat_map(|axis| &mut axis.codes) {
        if let Some(text) = code.parse::<Code>().ok().and_then(|code| code.unescaped()) {
            *code = text;
        }
    }
}

/// Each margin's part of the price: `0.25 persons by sex`.
fn split(plan: &PlanText) -> Vec<String> {
    let part = |margin: &lango_privacy::MarginText| {
        format!("{} {}", nano(margin.price_nano), named(&margin.measure.to_string(), &margin.by))
    };
    plan.margins.iter().map(part).collect()
}

/// `persons by sex`; the total is `persons by _T`.
pub(super) fn named(measure: &str, by: &lango_privacy::Margin) -> String {
    let by = if by.is_empty() { lango_privacy::TOTAL.to_owned() } else { by.to_string() };
    format!("{measure} by {by}")
}

/// Who answered, in a few lines.
pub fn who_answered(coverage: &Coverage) -> String {
    let list = |absent: &[Absent]| {
        let each = absent.iter().map(|absent| (absent.office.as_str(), absent.reason.as_str()));
        let groups = alike(each, |reason| *reason).into_iter();
        let groups = groups.map(|(offices, reason)| format!("{} ({reason})", offices.join(", ")));
        groups.collect::<Vec<_>>().join(", ")
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

/// A confidence as a percentage: `95 %`.
pub(super) fn percent(confidence: f64) -> String {
    format!("{} %", (confidence * 1e6).round() / 1e4)
}

/// The most letters of a line with labels in it.
const WIDTH: usize = 100;

/// A table for people, with this number of rows at most; 0 shows all. Labels stand beside codes where that leaves it narrow
/// enough.
pub fn one_table(table: &CombinedTable, confidence: f64, rows: usize, labels: &CodeNames) -> String {
    let labelled = laid_out(table, confidence, rows, labels);
    let is_narrow = || labelled.lines().all(|line| line.chars().count() <= WIDTH);
    if labels.is_empty() || is_narrow() {
        labelled
    } else {
        laid_out(table, confidence, rows, &CodeNames::new())
    }
}

fn laid_out(table: &CombinedTable, confidence: f64, rows: usize, labels: &CodeNames) -> String {
    let chosen = table.cells.iter().any(|cell| cell.figure.is_some_and(|figure| figure.rank_error.is_some()));
    let error = format!("{} {}", percent(confidence), if chosen { "rank error" } else { "interval" });
    // The axis of quantiles names the shares.
    let measure = match &table.measure {
        Measure::Quantile(column, _) => format!("quantile({column})"),
        measure => measure.to_string(),
    };
    let names = table.axes.iter().map(|axis| axis.dimension.as_str());
    let last = if chosen { None } else { Some("std err") };
    let header: Vec<&str> =
        names.chain([measure.as_str(), error.as_str()]).chain(last).chain(["status"]).collect();
    let keys = table.axes.len();
    let mut cells: Vec<(Vec<&str>, &Cell)> = table.keys().zip(&table.cells).collect();
    let shown = if rows == 0 { cells.len() } else { rows.min(cells.len()) };
    let hidden = cells.len() - shown;
    if hidden > 0 {
        let value = |cell: &Cell| cell.figure.map_or(f64::NEG_INFINITY, |figure| figure.value);
        cells.sort_by(|(_, a), (_, b)| value(b).total_cmp(&value(a)));
        cells.truncate(shown);
    }
    let places = places(table);
    let rows = cells.iter().map(|(key, cell)| {
        let figure = cell.figure.map_or_else(
            || vec![absent(cell.status).to_owned(), String::new()],
            |figure| printed_as(&figure, places),
        );
        let figure =
            figure.into_iter().chain(std::iter::repeat(String::new())).take(if chosen { 2 } else { 3 });
        let key = key.iter().zip(&table.axes).map(|(code, axis)| {
            match labels.get(&axis.dimension).and_then(|labels| labels.get(*code)) {
                Some(label) => format!("{code} {}", foreign(label)),
                None => (*code).to_owned(),
            }
        });
        key.chain(figure).chain([cell.status.code().to_owned()]).collect()
    });
    let right: Vec<usize> = (keys..keys + if chosen { 2 } else { 3 }).collect();
    let mut text = output::table(&header, &right, rows);
    text.push('\n');
    if hidden > 0 {
        text += &format!(
            "the {shown} largest cells; {} more with --rows 0, --format csv or --format json\n",
            grouped(hidden as i64)
        );
    }
    text
}

/// What stands in place of a figure.
fn absent(status: Status) -> &'static str {
    match status {
        Status::Unreliable => "not estimable",
        Status::Normal
        | Status::DefinitionDiffers
        | Status::NotCollected
        | Status::Suppressed
        | Status::Missing => "-",
    }
}

/// How many decimals a table's figures are shown with: none where they are whole, else two digits of the least error.
pub fn places(table: &CombinedTable) -> usize {
    let figures = || table.cells.iter().filter_map(|cell| cell.figure);
    let whole = |number: Option<f64>| number.is_none_or(|number| number.fract() == 0.0);
    if figures().all(|Figure { value, lower, upper, .. }| whole(Some(value)) && whole(lower) && whole(upper))
    {
        return 0;
    }
    // About two standard errors lie between an estimate and the end of its interval.
    let error = |figure: Figure| figure.std_err.or(Some((figure.upper? - figure.lower?) / 4.0));
    let least = figures().filter_map(error).filter(|error| *error > 0.0).fold(f64::INFINITY, f64::min);
    // A chosen quantile is a declared value, at its column's scale.
    let shortest =
        |figure: Figure| figure.value.to_string().split_once('.').map_or(0, |(_, part)| part.len());
    let declared = || figures().map(shortest).max().unwrap_or(0).min(9);
    if least.is_finite() { decimals(least, 2) } else { declared() }
}

/// Value, interval and error of a figure; of a chosen quantile, value and the rows by which its rank may be off.
fn printed_as(figure: &Figure, places: usize) -> Vec<String> {
    let value = number(figure.value, places);
    match figure {
        Figure { rank_error: Some(rows), .. } => {
            vec![value, format!("{} rows", grouped(i64::try_from(*rows).unwrap_or(i64::MAX)))]
        }
        Figure { lower: Some(lower), upper: Some(upper), std_err, .. } => {
            let interval = format!("{} to {}", number(*lower, places), number(*upper, places));
            vec![value, interval, std_err.map(brief).unwrap_or_default()]
        }
        _ => vec![value],
    }
}

/// A loss as billionths of epsilon at its account's delta.
pub(super) fn epsilon(loss: &Loss, account: &Accounting) -> u64 {
    loss.amount(account).and_then(|amount| account.epsilon_of(amount)).unwrap_or(0)
}
