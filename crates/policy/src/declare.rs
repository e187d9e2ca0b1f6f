//! Datasets and their columns, from their tables in a policy file.

use std::time::Duration;

use lango_document::DocumentError;
use lango_privacy::{Code, Column, Dataset, DatasetKind, Domain, Grid, Objective, Span, Unit};
use toml::Spanned;

use crate::{
    budget::Pool,
    file::{self, Bands, Codes, ColumnTable, Points, SpanWord, SplitWord},
    within::In,
};

/// Ten minutes: longer than anybody keeps a connection waiting.
const ANSWER_GRID_MS_MOST: u64 = 120_000;

impl In<'_> {
    pub(crate) fn dataset(
        &self,
        name: &Spanned<String>,
        table: &file::DatasetTable,
    ) -> Result<Dataset, DocumentError> {
        if table.rows_below.as_ref().is_some_and(|rows| *rows.get_ref() == 0) {
            return Err(self.error(name, "`rows_below` is at least 1"));
        }
        let columns = table.column.iter().map(|(name, column)| {
            if name.get_ref() == "office" {
                return Err(self.error(name, "no column is named `office`: it is how answers are laid out"));
            }
            Ok((self.parsed(name)?, self.column(column)?))
        });
        Ok(Dataset {
            name: self.parsed(name)?,
            title: table.title.clone(),
            kind: match table.kind {
                file::DatasetKindText::Stock => DatasetKind::Stock,
                file::DatasetKindText::Flow => DatasetKind::Flow,
            },
            source: table.source.clone(),
            table: table.table.clone(),
            version: self.parsed(&table.version)?,
            unit: self.unit(table.unit.get_ref())?,
            rows_below: table.rows_below.as_ref().map(|rows| *rows.get_ref()),
            objective: match table.split {
                None | Some(SplitWord::Total) => Objective::Sum,
                Some(SplitWord::Largest) => Objective::Largest,
            },
            bounds_drop: table.bounds_drop.clone(),
            columns: columns.collect::<Result<_, DocumentError>>()?,
        })
    }

    /// The pool that a dataset draws on: its group's, or its own.
    pub(crate) fn pool(&self, dataset: &Dataset, table: &file::DatasetTable) -> Result<Pool, DocumentError> {
        Ok(match &table.group {
            Some(group) => Pool { name: self.parsed(group)?, is_group: true },
            None => Pool { name: dataset.name.clone(), is_group: false },
        })
    }

    /// The step of the time grid that the dataset's answers leave on, if it has one.
    pub(crate) fn answer_grid(&self, table: &file::DatasetTable) -> Result<Option<Duration>, DocumentError> {
        let Some(step) = &table.answer_grid_ms else { return Ok(None) };
        if !(1..=ANSWER_GRID_MS_MOST).contains(step.get_ref()) {
            let message = format!(
                "`answer_grid_ms` is 1 to {ANSWER_GRID_MS_MOST}: above the slowest answer, and below what those who ask wait"
            );
            return Err(self.error(step, message));
        }
        Ok(Some(Duration::from_millis(*step.get_ref())))
    }

    fn unit(&self, unit: &file::UnitTable) -> Result<Unit, DocumentError> {
        let at_least_one = |bound: &Spanned<u32>| match *bound.get_ref() {
            0 => Err(self.error(bound, "a bound is at least 1")),
            bound => Ok(bound),
        };
        let rows_at_most = at_least_one(&unit.rows_at_most)?;
        let noun: lango_privacy::Name = self.parsed(&unit.noun)?;
        let plural: lango_privacy::Name = match &unit.plural {
            Some(plural) => self.parsed(plural)?,
            None => format!("{noun}s").parse().map_err(|error| self.error(&unit.noun, format!("{error}")))?,
        };
        if plural.as_str() == "rows" {
            return Err(
                self.error(&unit.noun, "`rows` are counted by the measure of that name: choose another noun")
            );
        }
        Ok(Unit {
            column: unit.column.clone(),
            noun,
            plural,
            rows_at_most,
            cells_at_most: unit.cells_at_most.as_ref().map(at_least_one).transpose()?.unwrap_or(rows_at_most),
        })
    }

    fn column(&self, at: &Spanned<ColumnTable>) -> Result<Column, DocumentError> {
        let refused = |error: lango_privacy::DatasetError| self.error(at, error.to_string());
        let table = at.get_ref();
        let mut column = Column::from(self.domain(at)?);
        if let Some(typical) = table.typical {
            column = column.with_typical(typical).map_err(refused)?;
        }
        if let Some(bins) = &table.bins {
            column = column.with_bins(grid(bins)).map_err(refused)?;
        }
        if let Some(candidates) = &table.candidates {
            column = column.with_candidates(grid(candidates)).map_err(refused)?;
        }
        Ok(column)
    }

    fn domain(&self, at: &Spanned<ColumnTable>) -> Result<Domain, DocumentError> {
        let refused = |error: lango_privacy::DatasetError| self.error(at, error.to_string());
        let ColumnTable { codes, integer, bands, amount, scale, currency, date, open, .. } = at.get_ref();
        let money = scale.is_some() || currency.is_some();
        match (codes, integer, amount, date, open, bands) {
            (Some(codes), None, None, None, None, None) if !money => {
                Domain::codes(self.codes(at, codes)?).map_err(refused)
            }
            (None, Some([low, high]), None, None, None, None | Some(Bands::Width(_))) if !money => {
                let Some(Bands::Width(width)) = bands.or(Some(Bands::Width(1))) else {
                    return Err(self.error(at, "`bands` of whole numbers is a width"));
                };
                Domain::integer(*low, *high, width).map_err(refused)
            }
            (None, None, Some([low, high]), None, None, None) => {
                let scale = scale.filter(|scale| *scale <= 18);
                let scale = scale.ok_or_else(|| self.error(at, "an amount needs a `scale` of 0 to 18 decimals"))?;
                Domain::amount(*low, *high, scale, currency.clone()).map_err(refused)
            }
            (None, None, None, Some([from, until]), None, None | Some(Bands::Span(_))) if !money => {
                let by = match bands {
                    Some(Bands::Span(SpanWord::Month)) => Span::Month,
                    Some(Bands::Span(SpanWord::Year)) => Span::Year,
                    Some(Bands::Span(SpanWord::Day) | Bands::Width(_)) | None => Span::Day,
                };
                Domain::date(from.to_string(), until.to_string(), by).map_err(refused)
            }
            (None, None, None, None, Some(true), None) if !money => Ok(Domain::Open),
            _ => Err(self.error(
                at,
                "a column is one of `codes`, `integer` (with `bands`), `amount` (with `scale`, `currency`), `date` (with \
                 `bands`) and `open = true`",
            )),
        }
    }

    fn codes(&self, at: &Spanned<ColumnTable>, codes: &Codes) -> Result<Vec<Code>, DocumentError> {
        let parsed = |text: &str| text.parse::<Code>().map_err(|error| self.error(at, error.to_string()));
        match codes {
            Codes::Listed(codes) => codes.iter().map(|code| parsed(code)).collect(),
            Codes::Named(name) if name == "iso3166-1-alpha-3" => {
                ISO_3166_1_ALPHA_3.lines().map(parsed).collect()
            }
            Codes::Named(name) => Err(self.error(
                at,
                format!("there is no code list `{name}`: there is `iso3166-1-alpha-3`, or list the codes"),
            )),
        }
    }
}

fn grid(points: &Points) -> Grid {
    match points {
        Points::Every(step) => Grid::Every(*step),
        Points::Listed(points) => Grid::Listed(points.as_slice().into()),
    }
}

/// ISO 3166-1: the officially assigned alpha-3 codes.
const ISO_3166_1_ALPHA_3: &str = include_str!("codelists/iso3166-1-alpha-3.txt");
