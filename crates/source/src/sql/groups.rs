//! From a plan to the statements that group a table's rows: what is added up shares a pass, what needs distinct units has one
//! of its own.

use std::{collections::BTreeSet, sync::Arc};

use lango_privacy::{Column, Domain, Fetch, Grid, Name, Plan, PlannedMargin, Range, Span};

use super::{
    AccessPath, Bind, Binds, Dialect, GroupForm, Rendered,
    bounded::text_column,
    filters,
    number::{Number, is_exact},
    pass::{OutputType, Selected, pass},
    text::Stored,
};
use crate::field::measured;

/// The most cells that several margins are added up from in one pass: more would cost more than another pass.
const CELLS_SHARED_MOST: usize = 200_000;
/// Whole numbers of a narrower range are grouped as they stand.
const VALUES_GROUPED_MOST: u64 = 1_000;

/// What is added up in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Aggregate {
    /// Its rows.
    Rows,
    /// Its rows that are the first of their units.
    First,
    /// Its distinct units.
    Distinct,
    /// Its rows whose column is present.
    Present(Name),
    /// The sum of the column's values, clamped to a range.
    Sum(Name, Range),
}

impl Aggregate {
    fn is_sum(&self) -> bool {
        matches!(self, Self::Sum(..))
    }
}

/// A statement, and how its rows are read: the groups' values, the place within a cell where there is one, the aggregates.
pub(crate) struct GroupSelect {
    pub(crate) sql: Rendered,
    pub(crate) groups: Vec<(Name, GroupForm)>,
    pub(crate) place: bool,
    pub(crate) aggregates: Vec<Aggregate>,
    /// The positions in the plan of the margins that it serves.
    pub(crate) margins: Vec<usize>,
}

impl GroupSelect {
    /// For each place of its rows whether it is text; else it is a whole number.
    pub(crate) fn texts(&self) -> impl Iterator<Item = bool> + '_ {
        let groups = self.groups.iter().map(|(_, form)| matches!(form, GroupForm::Text | GroupForm::Found));
        let aggregates = self.aggregates.iter().map(Aggregate::is_sum);
        groups.chain(self.place.then_some(false)).chain(aggregates)
    }
}

/// The statements of a plan. Each margin is served by exactly one.
pub(crate) fn statements(
    dialect: &dyn Dialect,
    plan: &Plan,
    access: AccessPath<'_>,
    bounded: &Binds,
) -> Vec<GroupSelect> {
    let planner = Planner { dialect, plan, access, bounded };
    let distinct = |margin: &PlannedMargin| {
        let several = matches!(access, AccessPath::Bounded { .. }) && plan.dataset.cells_at_most() > 1;
        several && margin.fetch.counts_units()
    };
    let alone = |margin: &PlannedMargin| {
        let placed = margin.fetch.placed_by().is_some() || margin.fetch.searches();
        placed || distinct(margin)
    };
    let (mut alone_margins, mut shared) = (Vec::new(), Vec::new());
    for (position, margin) in plan.margins.iter().enumerate() {
        if alone(margin) { alone_margins.push(position) } else { shared.push(position) }
    }
    let union: BTreeSet<&Name> =
        shared.iter().filter_map(|at| plan.margins.get(*at)).flat_map(grouped_by).collect();
    let cells = |name: &&Name| {
        plan.dataset.columns.get(*name).and_then(|column| column.domain.keyset()).map_or(1, |keys| keys.len())
    };
    let product = union.iter().map(cells).fold(1usize, usize::saturating_mul);
    let shared = match product {
        ..=CELLS_SHARED_MOST => Vec::from([shared]),
        _ => shared.into_iter().map(|margin| vec![margin]).collect(),
    };
    let shared = shared.into_iter().filter(|margins| !margins.is_empty());
    let alone = alone_margins.into_iter().map(|margin| vec![margin]);
    shared.chain(alone).map(|margins| planner.statement(margins, &distinct)).collect()
}

/// The columns whose keys distinguish a margin's cells, that of a share or a search among them.
fn grouped_by(margin: &PlannedMargin) -> impl Iterator<Item = &Name> {
    let keyed = matches!(margin.fetch, Fetch::UnitsBy(_) | Fetch::Keys(_));
    margin.text.by.dimensions().chain(measured(&margin.fetch).filter(|_| keyed))
}

struct Planner<'a> {
    dialect: &'a dyn Dialect,
    plan: &'a Plan,
    access: AccessPath<'a>,
    /// The parameters that the bounded rows have.
    bounded: &'a Binds,
}

impl Planner<'_> {
    fn statement(&self, margins: Vec<usize>, distinct: &dyn Fn(&PlannedMargin) -> bool) -> GroupSelect {
        let mut binds = self.bounded.clone();
        let served: Vec<&PlannedMargin> =
            margins.iter().filter_map(|at| self.plan.margins.get(*at)).collect();
        let is_distinct = served.iter().any(|margin| distinct(margin));
        let (judged, mut conditions) = filters::conditions(self.dialect, self.plan, self.access, &mut binds);
        let names: BTreeSet<&Name> =
            served.iter().flat_map(|margin| grouped_by(margin)).chain(judged).collect();
        let mut groups = Vec::new();
        let (mut selected, mut grouped): (Vec<Selected>, Vec<String>) = (Vec::new(), Vec::new());
        for name in names {
            let (form, by) = self.group(name, is_distinct, &mut binds);
            groups.push((name.clone(), form));
            grouped.push(by.clone());
            selected.push((by, OutputType::Group(name, form)));
        }
        let place = served.first().and_then(|margin| self.place(&margin.fetch, &mut binds));
        if let Some((by, present)) = &place {
            grouped.push(by.clone());
            selected.push((by.clone(), OutputType::Number));
            conditions.push(present.clone());
        }
        if is_distinct {
            conditions.push(format!("_rank <= {}", self.plan.dataset.cells_at_most()));
        }
        let mut aggregates: Vec<Aggregate> = Vec::new();
        for aggregate in served.iter().flat_map(|margin| self.aggregates(&margin.fetch, is_distinct)) {
            if !aggregates.contains(&aggregate) {
                aggregates.push(aggregate);
            }
        }
        for aggregate in &aggregates {
            let output = if aggregate.is_sum() { OutputType::Sum } else { OutputType::Number };
            selected.push((self.aggregate(aggregate, &mut binds), output));
        }
        let text = pass(self.dialect, self.access, &selected, &conditions, &grouped);
        let sql = self.dialect.render(&text, binds);
        GroupSelect { sql, groups, place: place.is_some(), aggregates, margins }
    }

    /// How a column is grouped by: the form of its group, and the expression that it is grouped by.
    ///
    /// Where rows are ranked, looking up the position of every code costs as much as the rest: it is left to the reader of the
    /// groups, except where units are distinct within a key and not within a text.
    fn group(&self, name: &Name, distinct: bool, binds: &mut Binds) -> (GroupForm, String) {
        let (dialect, column) = (self.dialect, self.dialect.quoted(name.as_str()));
        let domain = self.plan.dataset.columns.get(name).map(|column| &column.domain);
        match (self.access, domain) {
            (AccessPath::Direct(table), Some(Domain::Integer { low, high, .. }))
                if high.abs_diff(*low) < VALUES_GROUPED_MOST && is_exact(table.kind(name), 0) =>
            {
                (GroupForm::Number, table.plain(name).to_owned())
            }
            (_, Some(Domain::Integer { low, high, bands })) => {
                let number = self.number(name, binds);
                (GroupForm::Key, band(dialect, &number, [*low, *high], bands, binds))
            }
            (AccessPath::Direct(table), _) => {
                let plain = table.plain(name).to_owned();
                let plain =
                    if table.groups_long_texts(dialect) { plain } else { table.short(dialect, name, plain) };
                (GroupForm::Text, dialect.grouped(&plain, table.kind(name)))
            }
            (AccessPath::Bounded { .. }, Some(Domain::Open)) => (GroupForm::Found, column),
            (AccessPath::Bounded { ranked: true, .. }, Some(Domain::Codes(_))) if !distinct => {
                (GroupForm::Text, dialect.quoted(&text_column(&self.plan.dataset, name)))
            }
            (AccessPath::Bounded { .. }, Some(Domain::Date { by, .. })) => {
                let stretch = |divisor| {
                    let quotient = dialect.quotient(&column, divisor);
                    format!("CASE WHEN {column} >= 0 THEN {quotient} ELSE {column} END")
                };
                let key = match by {
                    Span::Day => column.clone(),
                    Span::Month => stretch(100),
                    Span::Year => stretch(10_000),
                };
                (GroupForm::Key, key)
            }
            (AccessPath::Bounded { .. }, _) => (GroupForm::Key, column),
        }
    }

    /// The integer of a cell that a row adds to, where that follows from a number of the row, and that there is one.
    fn place(&self, fetch: &Fetch, binds: &mut Binds) -> Option<(String, String)> {
        let (column, range, grid) = fetch.placed_by()?;
        let number = self.number(column, binds);
        let present = format!("{} IS NOT NULL", number.value);
        let clamped = number.clamped(self.dialect, range);
        let points = Bind::Numbers(Arc::new(grid.points(range)));
        let at_most = self.dialect.at_most(&clamped, &points, binds);
        // The first bin begins at the lower bound.
        let place = if matches!(fetch, Fetch::Bins { .. }) {
            format!("{at_most} - 1")
        } else {
            format!("2 * {at_most} - {}", self.dialect.among(&clamped, &points, binds))
        };
        Some((place, present))
    }

    fn aggregates(&self, fetch: &Fetch, distinct: bool) -> Vec<Aggregate> {
        let units = match self.access {
            AccessPath::Direct(_) => Aggregate::Rows,
            AccessPath::Bounded { .. } if distinct => Aggregate::Distinct,
            AccessPath::Bounded { .. } => Aggregate::First,
        };
        match fetch {
            Fetch::Units | Fetch::UnitsBy(_) | Fetch::Keys(_) => vec![units],
            Fetch::Rows | Fetch::Bins { .. } | Fetch::Ranks { .. } => vec![Aggregate::Rows],
            Fetch::RowsOf(column) => vec![Aggregate::Present(column.clone())],
            Fetch::Sum { column, range, .. } | Fetch::Pair { column, range } => {
                vec![Aggregate::Present(column.clone()), Aggregate::Sum(column.clone(), *range)]
            }
        }
    }

    fn aggregate(&self, aggregate: &Aggregate, binds: &mut Binds) -> String {
        let counted = |condition: String| format!("count(CASE WHEN {condition} THEN 1 END)");
        match aggregate {
            Aggregate::Rows => "count(*)".to_owned(),
            Aggregate::First => counted("_rank = 1".to_owned()),
            Aggregate::Distinct => "count(DISTINCT _unit)".to_owned(),
            Aggregate::Present(name) => counted(self.present(name, binds)),
            Aggregate::Sum(name, range) => {
                format!("sum({})", self.number(name, binds).clamped(self.dialect, range))
            }
        }
    }

    /// A column's whole number.
    fn number(&self, name: &Name, binds: &mut Binds) -> Number {
        let absent = || Column::from(Domain::Open);
        let column = self.plan.dataset.columns.get(name).cloned().unwrap_or_else(absent);
        let stored = Stored { dialect: self.dialect, table: self.access.table(), name, column: &column };
        Number::of(stored, self.access, binds)
    }

    /// That `rows(C)` counts a row.
    fn present(&self, name: &Name, binds: &mut Binds) -> String {
        let column = self.plan.dataset.columns.get(name);
        match (self.access, column) {
            (_, Some(column)) if column.range().is_some() => {
                format!("{} IS NOT NULL", self.number(name, binds).value)
            }
            (AccessPath::Direct(table), Some(column)) => {
                let stored = Stored { dialect: self.dialect, table, name, column };
                stored.is_present(binds).unwrap_or_else(|| format!("{} IS NOT NULL", stored.normal_text()))
            }
            (AccessPath::Direct(_) | AccessPath::Bounded { .. }, _) => {
                format!("{} IS NOT NULL", self.dialect.quoted(name.as_str()))
            }
        }
    }
}

/// The position of a number's band; -1 outside the declared ones and of what is no number, NULL where there is nothing.
fn band(
    dialect: &dyn Dialect,
    number: &Number,
    [low, high]: [i64; 2],
    bands: &Grid,
    binds: &mut Binds,
) -> String {
    let value = &number.value;
    let inside = format!("{value} BETWEEN {} AND {}", dialect.whole(low), dialect.whole(high));
    let position = match bands {
        Grid::Every(width) => dialect.quotient(&format!("({value} - {})", dialect.whole(low)), *width),
        // The first band begins at the lower bound.
        Grid::Listed(begin) => {
            let begin = Bind::Numbers(Arc::new(begin.to_vec()));
            format!("{} - 1", dialect.at_most(value, &begin, binds))
        }
    };
    let undeclared = number.undeclared.as_ref();
    let undeclared = undeclared.map(|undeclared| format!("WHEN {undeclared} THEN -1 ")).unwrap_or_default();
    format!("CASE {undeclared}WHEN {value} IS NULL THEN NULL WHEN {inside} THEN {position} ELSE -1 END")
}
