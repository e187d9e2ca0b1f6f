//! A plan's conditions in SQL.

use lango_privacy::{Code, Domain, FilterOn, Name, Plan, PlannedFilter};

use super::{AccessPath, Binds, ColumnType, Dialect, bounded::has_unit};

/// The conditions of a statement, and the columns whose conditions they do not decide: those are grouped by too, and decided
/// where the groups' values are read, by the same reading of a value that finds its key.
pub(super) fn conditions<'a>(
    dialect: &dyn Dialect,
    plan: &'a Plan,
    access: AccessPath<'_>,
    binds: &mut Binds,
) -> (Vec<&'a Name>, Vec<String>) {
    let (mut judged, mut others) = (Vec::new(), Vec::new());
    if let AccessPath::Direct(table) = access {
        others.extend(has_unit(dialect, &plan.dataset, table));
    }
    for filter in &plan.filters {
        let column = dialect.quoted(filter.column.as_str());
        match (access, is_judged(filter)) {
            (AccessPath::Direct(table), true) => {
                judged.push(&filter.column);
                let kind = table.kind(&filter.column);
                if table.shards.is_empty() || is_shipped(filter, kind) {
                    others.extend(narrowed(dialect, filter, &column, kind, binds));
                }
            }
            (AccessPath::Direct(table), false) => {
                let number = dialect.number(&column, table.kind(&filter.column));
                others.push(decided(dialect, plan, filter, &number));
            }
            (AccessPath::Bounded { .. }, _) => others.push(decided(dialect, plan, filter, &column)),
        }
    }
    (judged, others)
}

/// Whether a condition on the table itself is decided where groups are read: those on numbers are not.
pub(crate) fn is_judged(filter: &PlannedFilter) -> bool {
    matches!(filter.on, FilterOn::Codes { .. } | FilterOn::Days(..))
}

/// Whether a shard can be sent what would narrow its rows: with a condition that is left here all of them would be fetched.
fn is_shipped(filter: &PlannedFilter, kind: ColumnType) -> bool {
    match filter.on {
        FilterOn::Days(..) => kind == ColumnType::Day,
        FilterOn::Codes { .. } | FilterOn::Integers { .. } | FilterOn::Between(..) => {
            matches!(kind, ColumnType::Text { .. })
        }
    }
}

/// A condition that lets pass whatever might meet the filter, so that less is grouped; none where everything might.
fn narrowed(
    dialect: &dyn Dialect,
    filter: &PlannedFilter,
    column: &str,
    kind: ColumnType,
    binds: &mut Binds,
) -> Option<String> {
    match &filter.on {
        FilterOn::Codes { codes, other: false, unknown: false } => {
            let codes: Vec<String> = codes.iter().map(|code| binds.text(code.as_str())).collect();
            // An empty list: nothing passes.
            (!codes.is_empty()).then(|| dialect.among_texts(column, kind, &codes))
        }
        FilterOn::Days(first, last) => Some(dialect.between_days(column, kind, [first, last], binds)),
        FilterOn::Codes { .. } | FilterOn::Integers { .. } | FilterOn::Between(..) => None,
    }
}

/// A condition on a column in normal form.
fn decided(dialect: &dyn Dialect, plan: &Plan, filter: &PlannedFilter, column: &str) -> String {
    let domain = plan.dataset.columns.get(&filter.column).map(|column| &column.domain);
    let any = |parts: Vec<String>| match parts.as_slice() {
        [] => "1 = 0".to_owned(),
        parts => format!("({})", parts.join(" OR ")),
    };
    let listed = |numbers: Vec<i64>| {
        let numbers: Vec<String> = numbers.into_iter().map(|number| dialect.whole(number)).collect();
        (!numbers.is_empty()).then(|| format!("{column} IN ({})", numbers.join(", ")))
    };
    let missing = |unknown: bool| unknown.then(|| format!("{column} IS NULL"));
    match (&filter.on, domain) {
        (FilterOn::Codes { codes, other, unknown }, Some(Domain::Codes(declared))) => {
            let undeclared = other.then_some(-1);
            let positions = positions(codes, declared).chain(undeclared).collect();
            any(listed(positions).into_iter().chain(missing(*unknown)).collect())
        }
        (FilterOn::Integers { values, other, unknown }, Some(Domain::Integer { low, high, .. })) => {
            let (low, high) = (dialect.whole(*low), dialect.whole(*high));
            let outside = other.then(|| format!("{column} NOT BETWEEN {low} AND {high}"));
            any(listed(values.clone()).into_iter().chain(outside).chain(missing(*unknown)).collect())
        }
        (FilterOn::Between(low, high), _) => {
            format!("{column} BETWEEN {} AND {}", dialect.whole(*low), dialect.whole(*high))
        }
        (FilterOn::Days(first, last), _) => {
            let number = |day: &str| day.replace('-', "").parse::<i64>().unwrap_or(0);
            format!("{column} BETWEEN {} AND {}", dialect.whole(number(first)), dialect.whole(number(last)))
        }
        // No plan asks so.
        _ => "1 = 0".to_owned(),
    }
}

fn positions<'a>(codes: &'a [Code], declared: &'a [Code]) -> impl Iterator<Item = i64> + 'a {
    let position = |code: &Code| declared.iter().position(|declared| declared == code);
    codes.iter().filter_map(position).filter_map(|position| i64::try_from(position).ok())
}
