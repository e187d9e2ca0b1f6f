//! Datasets and their columns, from their tables in a policy file.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use lango_document::DiagnosticCode;
use lango_privacy::{Column, DatasetError, Domain, Name, Unit};
use toml::Spanned;

use self::domain::ALPHA_3;
use crate::{
    file::{self, CodeListTable, Codes, ColumnTable, DatasetTable},
    labels::CodeLabels,
    lists::{self, CodeList},
    within::{In, each},
};

mod derived;
mod domain;
mod reading;

/// Two minutes: longer than anybody keeps a connection waiting.
const ANSWER_GRID_MS_MOST: u64 = 120_000;

/// The code lists that an office declares, by name; nothing in the place of one that is wrong.
pub(crate) type CodeLists = BTreeMap<String, Option<CodeList>>;

/// The columns of a dataset: those that hang together, and the names of the others.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub declared: BTreeMap<Name, Column>,
    /// What the codes of columns are called.
    pub labels: BTreeMap<Name, Arc<CodeLabels>>,
    pub wrong: BTreeSet<String>,
}

impl In<'_> {
    pub(crate) fn columns(&self, table: &DatasetTable, lists: &CodeLists) -> Columns {
        let mut columns = Columns::default();
        let everywhere = table.missing.as_deref().unwrap_or_default();
        for (name, column) in table.column.iter().flatten() {
            let read = column.as_ref().and_then(|column| self.column(column, everywhere, lists));
            match self.column_name(name).zip(read) {
                Some((name, read)) => {
                    let labels = column.as_ref().and_then(|column| labels_of(column.get_ref(), lists));
                    columns.labels.extend(labels.map(|labels| (name.clone(), labels)));
                    columns.declared.insert(name, read);
                }
                None => drop(columns.wrong.insert(name.get_ref().clone())),
            }
        }
        for (name, derived) in table.derived.iter().flatten() {
            let read = derived.as_ref().and_then(|derived| self.derived(derived, &columns));
            let made = self.column_name(name);
            if made.as_ref().is_some_and(|made| columns.declared.contains_key(made)) {
                let message = format!("column `{}` is declared twice", name.get_ref());
                self.refuse::<(), _>(DiagnosticCode::DeclaredTwice, name, message);
                continue;
            }
            match made.zip(read) {
                Some((name, column)) => drop(columns.declared.insert(name, column)),
                None => drop(columns.wrong.insert(name.get_ref().clone())),
            }
        }
        columns
    }

    /// The codes of a list that the office declares.
    pub(crate) fn code_list(
        &self,
        name: &Spanned<String>,
        table: Option<&CodeListTable>,
    ) -> Option<CodeList> {
        let written = name.get_ref();
        let is_built_in = written == ALPHA_3 || lists::written_as(written).is_some();
        if is_built_in || written.is_empty() || !written.bytes().all(|c| c.is_ascii_graphic()) {
            let message = match is_built_in {
                true => format!("the code list `{written}` is built in"),
                false => "the name of a code list is printable ASCII without spaces".to_owned(),
            };
            return self.refuse(DiagnosticCode::CodeList, name, (message, "choose another name"));
        }
        let table = table?;
        let list = match (&table.codes, &table.file) {
            (Some(codes), None) => {
                let codes = each(codes.get_ref().iter().map(|code| self.code(code.span(), code.get_ref())))?;
                CodeList { codes: codes.into(), labels: Arc::default() }
            }
            (None, Some(file)) => lists::codes(&self.list(file.span(), file.get_ref())?)?,
            (Some(_), Some(_)) | (None, None) => {
                let message = format!("code list `{written}` says either `codes` or `file`");
                let help = "write `codes = [\"F\", \"M\"]`, or `file = \"sex.csv\"` with a column `code`";
                return self.refuse(DiagnosticCode::CodeList, name, (message, help));
            }
        };
        let refused = |error: DatasetError| {
            let at = table.codes.as_ref().map(Spanned::span).or(table.file.as_ref().map(Spanned::span));
            self.reader.refuse(DiagnosticCode::CodeList, at.unwrap_or(name.span()), error.to_string())
        };
        // What a column of these codes would refuse is wrong once, here.
        Domain::code_list(Arc::clone(&list.codes)).map_or_else(refused, |_| Some(list))
    }

    /// The step of the time grid that the dataset's answers leave on, if it has one.
    pub(crate) fn answer_grid(&self, table: &DatasetTable) -> Option<Duration> {
        let step = table.answer_grid_ms.as_ref()?.as_ref()?;
        if !(1..=ANSWER_GRID_MS_MOST).contains(step.get_ref()) {
            let message = format!("`answer_grid_ms` is 1 to {ANSWER_GRID_MS_MOST}");
            let help = "choose it above the slowest answer, and below what those who ask wait";
            return self.refuse(DiagnosticCode::OutOfRange, step, (message, help));
        }
        Some(Duration::from_millis(*step.get_ref()))
    }

    pub(crate) fn unit(&self, unit: &file::UnitTable) -> Option<Unit> {
        let at_least_one = |bound: &Spanned<u32>| match *bound.get_ref() {
            0 => self.refuse(DiagnosticCode::OutOfRange, bound, "a bound is at least 1"),
            bound => Some(bound),
        };
        let rows_at_most = at_least_one(&unit.rows_at_most);
        let cells_at_most = unit.cells_at_most.as_ref().map_or(rows_at_most, at_least_one);
        let noun: Option<Name> = self.name(&unit.noun);
        let plural: Option<Name> = match &unit.plural {
            Some(plural) => self.name(plural),
            None => format!("{}s", noun.as_ref()?).parse().ok(),
        };
        if plural.as_ref().is_some_and(|plural| plural.as_str() == "rows") {
            let words = ("`rows` are counted by the measure of that name", "choose another noun");
            return self.refuse(DiagnosticCode::NotAName, unit.plural.as_ref().unwrap_or(&unit.noun), words);
        }
        Some(Unit {
            column: unit.from.as_ref().unwrap_or(&unit.column).clone(),
            noun: noun?,
            plural: plural?,
            rows_at_most: rows_at_most?,
            cells_at_most: cells_at_most?,
        })
    }

    fn column_name(&self, name: &Spanned<String>) -> Option<Name> {
        if name.get_ref() == "office" {
            let words = (
                "no column is named `office`: it is how answers are laid out",
                "choose another name, with `from`",
            );
            return self.refuse(DiagnosticCode::NotAName, name, words);
        }
        self.name(name)
    }

    fn column(
        &self,
        at: &Spanned<ColumnTable>,
        everywhere: &[Spanned<String>],
        lists: &CodeLists,
    ) -> Option<Column> {
        let table = at.get_ref();
        let refused = |error: DatasetError| self.refused(at, &error);
        let mut column = Column::from(self.domain(at, lists)?);
        let scale = column.range().map_or(0, |range| range.scale);
        if let Some(typical) = &table.typical {
            let units = self.units(typical.span(), typical.get_ref(), scale)?;
            column = column.with_typical(units).map_err(refused).ok()?;
        }
        if let Some(bins) = &table.bins {
            column = column.with_bins(self.grid(bins, scale)?).map_err(refused).ok()?;
        }
        if let Some(candidates) = &table.candidates {
            column = column.with_candidates(self.grid(candidates, scale)?).map_err(refused).ok()?;
        }
        let reading = self.reading(at, &column, everywhere)?;
        column.with_reading(reading).map_err(refused).ok()
    }

    /// Keeps why a column cannot be, at the key that says so.
    fn refused(&self, at: &Spanned<ColumnTable>, error: &DatasetError) {
        let table = at.get_ref();
        let (code, span) = match error {
            DatasetError::Reserved(code) | DatasetError::Twice(code) => {
                (DiagnosticCode::CodeList, listed_code(table, code))
            }
            DatasetError::Empty => (DiagnosticCode::CodeList, table.codes.as_ref().map(Spanned::span)),
            DatasetError::Inverted(..) => {
                let bounds = table.integer.as_ref().map(Spanned::span);
                (DiagnosticCode::Bounds, bounds.or(table.amount.as_ref().map(Spanned::span)))
            }
            DatasetError::Days => (DiagnosticCode::Bounds, table.date.as_ref().map(Spanned::span)),
            DatasetError::Bands | DatasetError::FirstBand(_) | DatasetError::ListedBands => {
                (DiagnosticCode::Bounds, table.bands.as_ref().map(Spanned::span))
            }
            DatasetError::Keys(_) => {
                let bounds =
                    table.integer.as_ref().map(Spanned::span).or(table.date.as_ref().map(Spanned::span));
                (DiagnosticCode::Bounds, table.bands.as_ref().map(Spanned::span).or(bounds))
            }
            DatasetError::FirstBin(_) => (DiagnosticCode::Bounds, table.bins.as_ref().map(Spanned::span)),
            DatasetError::Outside(key, _)
            | DatasetError::Grid(key)
            | DatasetError::Points(key)
            | DatasetError::NotNumbers(key) => (DiagnosticCode::Bounds, key_of(table, key)),
            DatasetError::OnlyCodes(key) | DatasetError::OnlyDays(key) => {
                (DiagnosticCode::Reading, key_of(table, key))
            }
            DatasetError::RecodedToUnknown { .. } | DatasetError::RecodedTwice { .. } => {
                (DiagnosticCode::Reading, key_of(table, "recode"))
            }
            DatasetError::SameFolded(..) => (DiagnosticCode::Reading, key_of(table, "case")),
            DatasetError::MissingIsCode(_) | DatasetError::FinerMissing(_) => {
                (DiagnosticCode::Reading, key_of(table, "missing"))
            }
            DatasetError::Untrimmed(_) | DatasetError::LongText(_) => {
                (DiagnosticCode::Reading, key_of(table, "recode").or(key_of(table, "missing")))
            }
        };
        self.reader.refuse::<()>(code, span.unwrap_or(at.span()), error.to_string());
    }
}

/// What the codes of a column are called, where it names a list that says so.
fn labels_of(table: &ColumnTable, lists: &CodeLists) -> Option<Arc<CodeLabels>> {
    let Codes::Named(name) = table.codes.as_ref()?.get_ref() else { return None };
    let list = lists.get(name)?.as_ref()?;
    (!list.labels.is_empty()).then(|| Arc::clone(&list.labels))
}

/// Where a code stands in a column's list, the last time.
fn listed_code(table: &ColumnTable, code: &str) -> Option<Range<usize>> {
    match table.codes.as_ref()?.get_ref() {
        Codes::Listed(codes) => codes.iter().rfind(|listed| listed.get_ref() == code).map(Spanned::span),
        Codes::Named(_) => None,
    }
}

/// Where the value of a column's key stands.
fn key_of(table: &ColumnTable, key: &str) -> Option<Range<usize>> {
    match key {
        "bands" => table.bands.as_ref().map(Spanned::span),
        "typical" => table.typical.as_ref().map(Spanned::span),
        "bins" => table.bins.as_ref().map(Spanned::span),
        "candidates" => table.candidates.as_ref().map(Spanned::span),
        "recode" => table.recode.as_ref().map(Spanned::span),
        "missing" => table.missing.as_ref().map(Spanned::span),
        "case" => table.case.as_ref().map(Spanned::span),
        "time_zone" => table.time_zone.as_ref().map(Spanned::span),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
