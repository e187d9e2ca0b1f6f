//! From the groups that a server tells to the integers of a plan: the groups' values are read as single rows' values are.

use lango_privacy::{Counted, Exact, Name, Plan, PlannedFilter};

use crate::{
    field::{Field, fields},
    sql::{Aggregate, Form, Road, Statement, is_judged},
    tally::{Group, Tally},
    value::Raw,
};

/// What stands in a place of a statement's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Number(i64),
    Text(Vec<u8>),
}

/// Adds up a plan's integers.
pub(crate) struct Grouped<'a> {
    names: Vec<&'a Name>,
    fields: Vec<Field<'a>>,
    tallies: Vec<Tally<'a>>,
}

impl<'a> Grouped<'a> {
    /// Of a plan, before any group; `road` says which conditions are left to decide here.
    pub(crate) fn new(plan: &'a Plan, road: Road<'_>) -> Self {
        let judged = |filter: &PlannedFilter| matches!(road, Road::Direct(_)) && is_judged(filter);
        let (names, fields) = fields(plan, judged);
        let field = |name: &Name| names.iter().position(|column| *column == name);
        let tallies = plan.margins.iter().map(|margin| Tally::new(plan, margin, true, field)).collect();
        Self { names, fields, tallies }
    }

    /// Reads a statement's rows from here on.
    pub(crate) fn reader<'s>(&mut self, statement: &'s Statement) -> Reader<'_, 'a, 's> {
        let position = |name: &Name| self.names.iter().position(|column| *column == name);
        let groups = statement.groups.iter().map(|(name, form)| (position(name), *form)).collect();
        Reader { grouped: self, statement, groups }
    }

    /// What was added up, margin by margin.
    pub(crate) fn finish(self) -> Exact<Vec<Counted>> {
        Exact::new(self.tallies.into_iter().map(Tally::into_counted).collect())
    }
}

/// Reads the rows of one statement.
pub(crate) struct Reader<'g, 'a, 's> {
    grouped: &'g mut Grouped<'a>,
    statement: &'s Statement,
    groups: Vec<(Option<usize>, Form)>,
}

impl Reader<'_, '_, '_> {
    /// Adds a group: a row of the statement, place by place.
    pub(crate) fn add(&mut self, row: &[Cell]) {
        let Grouped { fields, tallies, .. } = &mut *self.grouped;
        // INVARIANT: every group is read, so that no field keeps what another statement or row put there.
        let mut passes = true;
        for ((field, form), cell) in self.groups.iter().zip(row) {
            if let Some(field) = field.and_then(|field| fields.get_mut(field)) {
                passes &= match (form, cell) {
                    (Form::Key, Cell::Number(key)) => field.read_key(Some(*key)),
                    (Form::Key, _) => field.read_key(None),
                    (_, Cell::Null) => field.read(Raw::Null),
                    (_, Cell::Number(number)) => field.read(Raw::Integer(*number)),
                    (_, Cell::Text(text)) => field.read(Raw::Text(text)),
                };
            }
        }
        if !passes {
            return;
        }
        let mut rest = row.iter().skip(self.groups.len());
        let place = if self.statement.place { rest.next().map_or(0, whole) } else { 0 };
        let told: Vec<i128> = rest.map(whole).collect();
        let of = |wanted: &Aggregate| {
            let position = self.statement.aggregates.iter().position(|aggregate| aggregate == wanted);
            position.and_then(|position| told.get(position).copied())
        };
        let units = [Aggregate::Distinct, Aggregate::First, Aggregate::Rows].iter().find_map(of).unwrap_or(0);
        let group = Group {
            units,
            rows: of(&Aggregate::Rows).unwrap_or(0),
            place: usize::try_from(place).unwrap_or(0),
            present: &|name| of(&Aggregate::Present(name.clone())).unwrap_or(0),
            sum: &|name, range| of(&Aggregate::Sum(name.clone(), *range)).unwrap_or(0),
        };
        for margin in &self.statement.margins {
            if let Some(tally) = tallies.get_mut(*margin) {
                tally.add_group(fields, &group);
            }
        }
    }
}

/// A whole number; a sum of nothing is none.
fn whole(cell: &Cell) -> i128 {
    match cell {
        Cell::Null => 0,
        Cell::Number(number) => (*number).into(),
        Cell::Text(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0),
    }
}
