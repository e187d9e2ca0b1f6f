//! One column of the row at hand: which of the column's keys its value has, which number it is, and whether it passes.

use std::collections::{BTreeSet, HashMap, HashSet};

use lango_privacy::{
    Code, Column, Domain, Fetch, FilterOn, Name, OTHER, Plan, PlannedFilter, Span, TOTAL, UNKNOWN,
};

use crate::value::{Raw, Reader, Value};

/// A column that a plan uses, and what stands in it in the row at hand.
pub(crate) struct Field<'a> {
    domain: &'a Domain,
    reader: Reader,
    /// The positions of the keys that texts mean, folded; of days, those of the stretches.
    positions: HashMap<String, usize>,
    /// How many keys there are, `_O` and `_U` included.
    keys: usize,
    conditions: Vec<Passing<'a>>,
    /// The position of the value's key.
    pub(crate) position: usize,
    /// The whole number, in a column of numbers.
    pub(crate) number: Option<i64>,
    /// Whether there is anything that the column can hold.
    pub(crate) present: bool,
    /// The key of an open column's value, unless it is missing.
    pub(crate) found: Option<String>,
}

/// A condition, in terms of the keys where there are any: so a row passes exactly if it would be in that key's cell.
enum Passing<'a> {
    Positions(Vec<bool>),
    Integers { values: HashSet<i64>, other: bool, unknown: bool },
    Between(i64, i64),
    Days(&'a str, &'a str),
}

/// The column whose values a fetch takes beside those it is grouped by.
pub(crate) fn measured(fetch: &Fetch) -> Option<&Name> {
    match fetch {
        Fetch::Units | Fetch::Rows => None,
        Fetch::UnitsBy(column) | Fetch::RowsOf(column) | Fetch::Keys(column) => Some(column),
        Fetch::Sum { column, .. } | Fetch::Pair { column, .. } => Some(column),
        Fetch::Bins { column, .. } | Fetch::Ranks { column, .. } => Some(column),
    }
}

/// The columns that a plan uses, in name order.
pub(crate) fn used(plan: &Plan) -> Vec<&Name> {
    let dimensions = plan.margins.iter().flat_map(|margin| margin.text.by.dimensions());
    let others = plan.margins.iter().filter_map(|margin| measured(&margin.fetch));
    let conditions = plan.filters.iter().map(|filter| &filter.column);
    dimensions.chain(others).chain(conditions).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The columns that a plan uses, in name order, and their fields; of the conditions, those that `judged` selects. `stored` says
/// in which units the engine hands a column's whole numbers over.
pub(crate) fn fields(
    plan: &Plan,
    judged: impl Fn(&PlannedFilter) -> bool,
    stored: impl Fn(&Name, &Column) -> u32,
) -> (Vec<&Name>, Vec<Field<'_>>) {
    let columns = used(plan).into_iter().filter_map(|name| plan.dataset.columns.get_key_value(name));
    let mut fields = (Vec::new(), Vec::new());
    for (name, column) in columns {
        let filters = plan.filters.iter().filter(|filter| filter.column == *name && judged(filter));
        fields.0.push(name);
        let reader = Reader::new(column, stored(name, column));
        fields.1.push(Field::new(column, reader, filters.map(|filter| &filter.on)));
    }
    fields
}

impl<'a> Field<'a> {
    /// A column under these conditions; no row is at hand yet.
    pub(crate) fn new(
        column: &'a Column,
        reader: Reader,
        conditions: impl Iterator<Item = &'a FilterOn>,
    ) -> Self {
        let domain = &column.domain;
        let keyset = domain.keyset();
        let keys = keyset.as_ref().map_or(0, |keyset| keyset.len());
        let positions = match domain {
            Domain::Codes(_) => column.texts().into_iter().collect(),
            // The last two keys are `_O` and `_U`.
            Domain::Date { .. } => {
                let codes = keyset.as_ref().map(|keyset| keyset.codes()).unwrap_or_default();
                let declared = codes.iter().take(keys.saturating_sub(2)).enumerate();
                declared.map(|(position, code)| (code.to_string(), position)).collect()
            }
            Domain::Integer { .. } | Domain::Amount { .. } | Domain::Open => HashMap::new(),
        };
        let mut field = Self {
            domain,
            reader,
            positions,
            keys,
            conditions: Vec::new(),
            position: 0,
            number: None,
            present: false,
            found: None,
        };
        field.conditions = conditions.map(|on| field.passing(on)).collect();
        field
    }

    fn passing(&self, on: &'a FilterOn) -> Passing<'a> {
        match on {
            FilterOn::Codes { codes, other, unknown } => {
                let mut passing = vec![false; self.keys];
                let declared = match self.domain {
                    Domain::Codes(declared) => declared.as_ref(),
                    Domain::Integer { .. } | Domain::Amount { .. } | Domain::Date { .. } | Domain::Open => {
                        &[]
                    }
                };
                let listed = codes.iter().filter_map(|code| declared.iter().position(|other| other == code));
                let gaps = [(*other, self.other()), (*unknown, self.unknown())];
                let gaps = gaps.into_iter().filter_map(|(passes, position)| passes.then_some(position));
                for position in listed.chain(gaps) {
                    if let Some(passes) = passing.get_mut(position) {
                        *passes = true;
                    }
                }
                Passing::Positions(passing)
            }
            FilterOn::Integers { values, other, unknown } => Passing::Integers {
                values: values.iter().copied().collect(),
                other: *other,
                unknown: *unknown,
            },
            FilterOn::Between(low, high) => Passing::Between(*low, *high),
            FilterOn::Days(first, last) => Passing::Days(first, last),
        }
    }

    /// Takes in the value of the row at hand; whether the row passes the column's conditions.
    pub(crate) fn read(&mut self, raw: Raw<'_>) -> bool {
        let value = self.reader.read(raw);
        self.present = self.reader.is_present(&value);
        self.number = match value {
            Value::Integer(number) => Some(number),
            Value::Missing | Value::Text(_) | Value::Undeclared => None,
        };
        self.position = match &value {
            Value::Missing => self.unknown(),
            Value::Integer(number) => self.domain.band_of(*number).unwrap_or(self.other()),
            Value::Text(text) => {
                let position = match self.domain {
                    Domain::Date { .. } => {
                        self.domain.key_of(text).and_then(|key| self.positions.get(key).copied())
                    }
                    Domain::Codes(_) => self.positions.get(&*self.reader.folded(text)).copied(),
                    Domain::Integer { .. } | Domain::Amount { .. } | Domain::Open => None,
                };
                position.unwrap_or(self.other())
            }
            Value::Undeclared => self.other(),
        };
        self.found = match &value {
            _ if *self.domain != Domain::Open => None,
            Value::Missing => None,
            Value::Text(text) => Some(found(text)),
            Value::Integer(_) | Value::Undeclared => Some(OTHER.to_owned()),
        };
        self.conditions.iter().all(|condition| match (condition, &value) {
            (Passing::Positions(passing), _) => passing.get(self.position).copied().unwrap_or(false),
            (Passing::Integers { values, other, unknown }, _) => {
                self.number.is_some_and(|number| values.contains(&number))
                    || (*other && self.position == self.other())
                    || (*unknown && self.position == self.unknown())
            }
            (Passing::Between(low, high), _) => {
                self.number.is_some_and(|number| (*low..=*high).contains(&number))
            }
            (Passing::Days(first, last), Value::Text(text)) => {
                self.domain.key_of(text).is_some() && (*first..=*last).contains(&text.as_ref())
            }
            (Passing::Days(..), _) => false,
        })
    }

    /// Takes in the key of a group in normal form: its position, or the stretch of days as a number; -1 what is not declared,
    /// `None` what is missing. The row passes, for its conditions were decided where the rows are.
    pub(crate) fn read_key(&mut self, key: Option<i64>) -> bool {
        let declared = |key: i64| match self.domain {
            Domain::Date { by, .. } => self.positions.get(&stretch(key, *by)).copied(),
            Domain::Codes(_) | Domain::Integer { .. } | Domain::Amount { .. } | Domain::Open => {
                usize::try_from(key).ok().filter(|position| *position < self.other())
            }
        };
        self.position = match key {
            None => self.unknown(),
            Some(key) => declared(key).unwrap_or(self.other()),
        };
        self.present = key.is_some();
        true
    }

    /// Takes in the text of a group of an open column in normal form; `None` what is missing. The row passes, for no condition is
    /// on such a column.
    pub(crate) fn read_found(&mut self, text: Option<&[u8]>) -> bool {
        self.found = text.map(|text| std::str::from_utf8(text).map_or_else(|_| OTHER.to_owned(), found));
        self.position = if text.is_some() { self.other() } else { self.unknown() };
        self.present = text.is_some();
        true
    }

    fn other(&self) -> usize {
        self.keys.saturating_sub(2)
    }

    fn unknown(&self) -> usize {
        self.keys.saturating_sub(1)
    }
}

/// The key of an open column's text. One that reads like a gap or a total is no key.
fn found(text: &str) -> String {
    let code = Code::escaped(text).filter(|code| ![UNKNOWN, TOTAL].contains(&code.as_str()));
    code.map_or_else(|| OTHER.to_owned(), |code| code.to_string())
}

/// The name of a stretch of days, which a statement returns as a number: `20240701`, `202407` or `2024`.
fn stretch(key: i64, by: Span) -> String {
    match by {
        Span::Day => format!("{:04}-{:02}-{:02}", key / 10_000, key / 100 % 100, key % 100),
        Span::Month => format!("{:04}-{:02}", key / 100, key % 100),
        Span::Year => format!("{key:04}"),
    }
}
