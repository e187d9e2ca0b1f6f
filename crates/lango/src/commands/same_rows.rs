//! What is said of datasets that read rows of another one and are charged to another pool.

use std::{collections::BTreeMap, path::Path};

use lango_policy::{PolicySet, Pool};
use lango_privacy::Dataset;
use lango_source::{Behind, ReachedTable, Source};

use crate::config::GatewayFile;

/// What to do about two pools.
const SAY_GROUP: &str = "write `group = \"NAME\"` in each of these datasets, the same name if they hold the same persons, and different \
                         names only if they hold different persons: docs/POLICIES.md, Groups";

/// Which rows a dataset is drawn from, and the pool that its questions are charged to.
pub struct Rows {
    pub dataset: String,
    table: String,
    pool: Pool,
    itself: ReachedTable,
    /// None where it reads its own rows alone.
    behind: Option<Behind>,
}

/// What stands against a dataset, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct PoolWarning {
    pub found: String,
    pub advice: String,
}

/// The rows of the policy's datasets, as far as their sources can be reached.
pub async fn of_policy(file: &GatewayFile, config: &Path, policy: &PolicySet) -> Vec<Rows> {
    let mut rows = Vec::new();
    for (name, datasets) in by_source(policy) {
        let Ok(source) = file.source(config, name) else { continue };
        let tables: Vec<&str> = datasets.iter().map(|dataset| dataset.table.as_str()).collect();
        if let Ok(found) = source.examine(&tables).await {
            rows.extend(of_source(policy, source.as_ref(), &datasets, &found.behind).await);
        }
    }
    rows
}

fn by_source(policy: &PolicySet) -> BTreeMap<&str, Vec<&Dataset>> {
    let mut by_source: BTreeMap<&str, Vec<&Dataset>> = BTreeMap::new();
    for dataset in policy.datasets.values() {
        by_source.entry(&dataset.source).or_default().push(dataset);
    }
    by_source
}

/// The rows of a source's datasets, of whose tables an examination has found what they read. What stands against a table is said
/// where it is checked.
pub async fn of_source(
    policy: &PolicySet,
    source: &dyn Source,
    datasets: &[&Dataset],
    behind: &[Behind],
) -> Vec<Rows> {
    let mut rows = Vec::new();
    for dataset in datasets {
        let (Some(pool), Ok(itself)) = (policy.pool(&dataset.name), source.identify(&dataset.table).await)
        else {
            continue;
        };
        rows.push(Rows {
            dataset: dataset.name.to_string(),
            table: dataset.table.clone(),
            pool: pool.clone(),
            itself,
            behind: behind.iter().find(|of| of.table == dataset.table).cloned(),
        });
    }
    rows
}

/// What stands against a dataset among all of a policy.
pub fn findings(own: &Rows, all: &[Rows]) -> Vec<PoolWarning> {
    let Some(behind) = &own.behind else { return Vec::new() };
    // With groups of different names in both the office has said that they hold different persons.
    let others: Vec<&Rows> = all
        .iter()
        .filter(|of| of.pool.name != own.pool.name && !(of.pool.is_group && own.pool.is_group))
        .collect();
    let shared: Vec<String> = others.iter().filter_map(|other| shared(behind, other)).collect();
    let mut findings = Vec::new();
    if !shared.is_empty() {
        findings.push(PoolWarning {
            found: format!(
                "`{}` reads {}: of the persons whose rows both read, both budgets can be spent",
                own.table,
                shared.join(", and ")
            ),
            advice: SAY_GROUP.to_owned(),
        });
    }
    if !others.is_empty() && !behind.unseen.is_empty() {
        let views = behind.unseen.iter().map(|view| format!("`{view}`")).collect::<Vec<_>>().join(", ");
        findings.push(PoolWarning {
            found: format!(
                "the server does not show the gateway's user the definition of {views}: it is not known whether `{}` reads the rows of a \
                 dataset that is charged to another pool",
                own.table
            ),
            advice: format!("grant it SHOW VIEW on {views}; or {SAY_GROUP}"),
        });
    }
    findings
}

/// What a table reads that another dataset is drawn from, in words: that one's table, or one that it reads too.
fn shared(behind: &Behind, other: &Rows) -> Option<String> {
    let is_same = |one: &ReachedTable, of: &ReachedTable| one.lasting == of.lasting || one.now == of.now;
    let Rows { dataset, table, pool, itself, behind: of_other } = other;
    if behind.reads.iter().any(|read| is_same(&read.reached, itself)) {
        return Some(format!("`{table}`, the table of dataset `{dataset}` (pool `{}`)", pool.name));
    }
    let of_other = of_other.as_ref()?;
    let read = behind
        .reads
        .iter()
        .find(|read| of_other.reads.iter().any(|also| is_same(&read.reached, &also.reached)))?;
    Some(format!("`{}`, as `{table}` of dataset `{dataset}` does (pool `{}`)", read.name, pool.name))
}

#[cfg(test)]
mod tests {
    use lango_source::ReadTable;

    use super::*;

    fn reached(table: &str) -> ReachedTable {
        ReachedTable { lasting: format!("lasting {table}"), now: format!("now {table}") }
    }

    /// `residents@group: residents < kept` is a dataset of a group whose table reads another.
    fn rows(written: &str) -> Rows {
        let (table, reads) = written.split_once(" < ").unwrap_or((written, ""));
        let (table, group) =
            table.split_once('@').map_or((table, None), |(table, group)| (table, Some(group)));
        let reads: Vec<ReadTable> = reads
            .split_whitespace()
            .map(|name| ReadTable { name: name.to_owned(), reached: reached(name) })
            .collect();
        let unseen =
            reads.iter().filter(|read| read.name.starts_with("unseen")).map(|read| read.name.clone());
        Rows {
            dataset: format!("{table}_data"),
            table: table.to_owned(),
            pool: Pool { name: group.unwrap_or(table).parse().unwrap(), is_group: group.is_some() },
            itself: reached(table),
            behind: (!reads.is_empty()).then(|| Behind {
                table: table.to_owned(),
                unseen: unseen.collect(),
                reads: reads.clone(),
            }),
        }
    }

    #[test]
    fn a_dataset_that_reads_the_rows_of_another_pool_is_found() {
        for (own, other, expected) in [
            ("a < t", "t", Some("`a` reads `t`, the table of dataset `t_data` (pool `t`): of the persons")),
            (
                "a < v t",
                "v < t",
                Some("`a` reads `v`, the table of dataset `v_data` (pool `v`): of the persons"),
            ),
            (
                "a < t u",
                "b < u",
                Some("`a` reads `u`, as `b` of dataset `b_data` does (pool `b`): of the persons"),
            ),
            // What reads nothing is spoken of where it is read.
            ("t", "a < t", None),
            ("a < t", "u", None),
            ("a@g < t", "t@g", None),
            // The name of a dataset is a pool's, too.
            ("a@t < t", "t", None),
            // One of them has not said whose rows it holds.
            ("a@g < t", "t", Some("`a` reads `t`")),
            ("a < t", "t@g", Some("(pool `g`)")),
            ("a@g < t", "t@h", None),
            ("a < unseen", "u", Some("the definition of `unseen`: it is not known whether `a` reads")),
            ("a@g < unseen", "u@g", None),
        ] {
            let all = [rows(own), rows(other)];
            let [own_rows, _] = &all;
            let found = findings(own_rows, &all);
            let found: Vec<&str> = found.iter().map(|finding| finding.found.as_str()).collect();
            match (expected, found.as_slice()) {
                (None, []) => {}
                (Some(words), [found]) => assert!(found.contains(words), "{own}, {other}: {found}"),
                (_, found) => panic!("{own}, {other}: {found:?}"),
            }
        }
    }
}
