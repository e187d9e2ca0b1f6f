//! From the groups that a server returns to the integers of a plan: the groups' values are read as single rows' values are.

use lango_privacy::{Counted, Exact, Name, Plan, PlannedFilter};

use crate::{
    field::{Field, fields},
    sql::{AccessPath, Aggregate, GroupForm, GroupSelect, is_judged},
    tally::{RowGroup, Tally},
    value::Raw,
};

/// A value in a statement's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerValue {
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
    /// Of a plan, before any group; `access` says which conditions are left to decide here.
    pub(crate) fn new(plan: &'a Plan, access: AccessPath<'_>) -> Self {
        let judged = |filter: &PlannedFilter| matches!(access, AccessPath::Direct(_)) && is_judged(filter);
        // Numbers are grouped as whole numbers of the column's scale.
        let (names, fields) = fields(plan, judged, |_, column| column.range().map_or(0, |range| range.scale));
        let field = |name: &Name| names.iter().position(|column| *column == name);
        let tallies = plan.margins.iter().map(|margin| Tally::new(plan, margin, true, field)).collect();
        Self { names, fields, tallies }
    }

    /// Reads a statement's rows from here on.
    pub(crate) fn reader<'s>(&mut self, statement: &'s GroupSelect) -> Reader<'_, 'a, 's> {
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
    statement: &'s GroupSelect,
    groups: Vec<(Option<usize>, GroupForm)>,
}

impl Reader<'_, '_, '_> {
    /// Adds a group: a row of the statement, place by place.
    pub(crate) fn add(&mut self, row: &[ServerValue]) {
        let Grouped { fields, tallies, .. } = &mut *self.grouped;
        // INVARIANT: every group is read, so that no field keeps what another statement or row put there.
        let mut passes = true;
        for ((field, form), value) in self.groups.iter().zip(row) {
            if let Some(field) = field.and_then(|field| fields.get_mut(field)) {
                passes &= match (form, value) {
                    (GroupForm::Key, ServerValue::Number(key)) => field.read_key(Some(*key)),
                    (GroupForm::Key, _) => field.read_key(None),
                    (GroupForm::Found, ServerValue::Text(text)) => field.read_found(Some(text)),
                    (GroupForm::Found, _) => field.read_found(None),
                    (_, ServerValue::Null) => field.read(Raw::Null),
                    (_, ServerValue::Number(number)) => field.read(Raw::Integer(*number)),
                    (_, ServerValue::Text(text)) => field.read(Raw::Text(text)),
                };
            }
        }
        if !passes {
            return;
        }
        let mut rest = row.iter().skip(self.groups.len());
        let place = if self.statement.place { rest.next().map_or(0, whole) } else { 0 };
        let values: Vec<i128> = rest.map(whole).collect();
        let of = |wanted: &Aggregate| {
            let position = self.statement.aggregates.iter().position(|aggregate| aggregate == wanted);
            position.and_then(|position| values.get(position).copied())
        };
        let units = [Aggregate::Distinct, Aggregate::First, Aggregate::Rows].iter().find_map(of).unwrap_or(0);
        let group = RowGroup {
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
fn whole(value: &ServerValue) -> i128 {
    match value {
        ServerValue::Null => 0,
        ServerValue::Number(number) => (*number).into(),
        ServerValue::Text(text) => {
            std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
        }
    }
}
