//! A plan's conditions in SQL.

use lango_privacy::{Code, Domain, FilterOn, Name, Plan, PlannedFilter};

use super::{AccessPath, Binds, ColumnType, Dialect, bounded::has_unit, number::Number, text::Stored};

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
        others.extend(has_unit(dialect, table));
    }
    for filter in &plan.filters {
        let name = &filter.column;
        let Some(column) = plan.dataset.columns.get(name) else { continue };
        let stored = Stored { dialect, table: access.table(), name, column };
        match (access, is_judged(filter)) {
            (AccessPath::Direct(table), true) => {
                judged.push(name);
                if table.shards.is_empty() || is_shipped(filter, stored.kind()) {
                    others.extend(narrowed(stored, filter, binds));
                }
            }
            (AccessPath::Direct(_) | AccessPath::Bounded { .. }, _) => {
                others.push(decided(stored, access, filter, binds));
            }
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
fn narrowed(stored: Stored<'_>, filter: &PlannedFilter, binds: &mut Binds) -> Option<String> {
    let Stored { dialect, column, .. } = stored;
    let (kind, text) = (stored.kind(), stored.normal_text());
    match (&filter.on, &column.domain) {
        (FilterOn::Codes { codes, other: false, unknown: false }, Domain::Codes(declared)) => {
            let asked: Vec<i64> = positions(codes, declared).collect();
            let texts = column.texts();
            let meant =
                texts.iter().filter(|(_, at)| i64::try_from(**at).is_ok_and(|at| asked.contains(&at)));
            let meant: Vec<String> = meant.map(|(text, _)| binds.text(text)).collect();
            let folded = stored.folded(&text, texts.keys());
            // An empty list: nothing passes.
            (!meant.is_empty()).then(|| format!("{folded} IN ({})", meant.join(", ")))
        }
        (FilterOn::Days(first, last), _) if kind.is_text() => {
            let (first, last) = (binds.text(first), binds.text(last));
            Some(format!("NOT ({} OR {})", dialect.before(&text, &first), dialect.before(&last, &text)))
        }
        (FilterOn::Days(first, last), _) => {
            Some(dialect.between_days(stored.plain(), kind, [first, last], binds))
        }
        (FilterOn::Codes { .. } | FilterOn::Integers { .. } | FilterOn::Between(..), _) => None,
    }
}

/// A condition on a column in normal form, or on a number of the table.
fn decided(stored: Stored<'_>, access: AccessPath<'_>, filter: &PlannedFilter, binds: &mut Binds) -> String {
    let Stored { dialect, name, column, .. } = stored;
    let quoted = dialect.quoted(name.as_str());
    let any = |parts: Vec<String>| match parts.as_slice() {
        [] => "1 = 0".to_owned(),
        parts => format!("({})", parts.join(" OR ")),
    };
    let listed = |value: &str, numbers: Vec<i64>| {
        let numbers: Vec<String> = numbers.into_iter().map(|number| dialect.whole(number)).collect();
        (!numbers.is_empty()).then(|| format!("{value} IN ({})", numbers.join(", ")))
    };
    match (&filter.on, &column.domain) {
        (FilterOn::Codes { codes, other, unknown }, Domain::Codes(declared)) => {
            let undeclared = other.then_some(-1);
            let positions = positions(codes, declared).chain(undeclared).collect();
            let missing = unknown.then(|| format!("{quoted} IS NULL"));
            any(listed(&quoted, positions).into_iter().chain(missing).collect())
        }
        (FilterOn::Integers { values, other, unknown }, Domain::Integer { low, high, .. }) => {
            let number = Number::of(stored, access, binds);
            let outside = other.then(|| number.is_outside(&dialect.whole(*low), &dialect.whole(*high)));
            let missing = unknown.then(|| number.is_missing());
            any(listed(&number.value, values.clone()).into_iter().chain(outside).chain(missing).collect())
        }
        (FilterOn::Between(low, high), _) => {
            let value = Number::of(stored, access, binds).value;
            format!("{value} BETWEEN {} AND {}", dialect.whole(*low), dialect.whole(*high))
        }
        (FilterOn::Days(first, last), _) => {
            let number = |day: &str| day.replace('-', "").parse::<i64>().unwrap_or(0);
            format!("{quoted} BETWEEN {} AND {}", dialect.whole(number(first)), dialect.whole(number(last)))
        }
        // No plan asks so.
        (FilterOn::Codes { .. } | FilterOn::Integers { .. }, _) => "1 = 0".to_owned(),
    }
}

fn positions<'a>(codes: &'a [Code], declared: &'a [Code]) -> impl Iterator<Item = i64> + 'a {
    let position = |code: &Code| declared.iter().position(|declared| declared == code);
    codes.iter().filter_map(position).filter_map(|position| i64::try_from(position).ok())
}
