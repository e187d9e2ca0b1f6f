//! The sources: whether they can be reached and what may be done there, and each dataset with its preparation.

use std::{collections::HashMap, path::Path, sync::Arc};

use lango_policy::PolicySet;
use lango_privacy::Dataset;
use lango_source::{Behind, Bounding, Examination, OutdatedIndex, Secret, Source, SourceError};
use lango_store::Examined;

use super::report::DoctorReport;
use crate::{
    commands::{same_rows, views},
    config::GatewayFile,
};

/// Examines each source of the configuration, and the policy's datasets in it; returns the sources that can be reached.
pub async fn examine(
    file: &GatewayFile,
    config: &Path,
    policy: Option<&PolicySet>,
    mut store: Option<&mut Examined>,
    report: &mut DoctorReport,
) -> HashMap<String, Arc<dyn Source>> {
    let (mut reached, mut rows) = (HashMap::new(), Vec::new());
    let datasets: Vec<&Dataset> = policy.map(|set| set.datasets.values().collect()).unwrap_or_default();
    for name in file.sources() {
        let own: Vec<&Dataset> = datasets.iter().filter(|of| of.source == name).copied().collect();
        let found = reach(file, config, name, &own, report).await;
        if let (Some((source, behind)), Some(policy)) = (&found, policy) {
            rows.extend(same_rows::of_source(policy, source.as_ref(), &own, behind).await);
        }
        let source = found.map(|(source, _)| source);
        let estimates = estimates(source.as_deref(), &own).await;
        for dataset in own {
            let subject = format!("dataset {}", dataset.name);
            let Some(source) = &source else {
                report.failed(subject, "not examined: its source cannot be reached", "see its source");
                continue;
            };
            if let Err(error) = source.check(dataset).await {
                report.failed(subject, &error, advice(&error));
                continue;
            }
            report.ok(subject, format!("table `{}` is as the policy declares it", dataset.table));
            bounded(dataset, estimates.get(dataset.table.as_str()).copied(), report);
            identifiers(source.as_ref(), dataset, report).await;
            data(source.as_ref(), dataset, store.as_deref_mut(), report).await;
            let place = Place { file, config };
            place.preparation(source.as_ref(), dataset, store.as_deref_mut(), report).await;
        }
        reached.extend(source.map(|source| (name.to_owned(), source)));
    }
    for own in &rows {
        for same_rows::PoolWarning { found, advice } in same_rows::findings(own, &rows) {
            report.warning(format!("dataset {}, pool", own.dataset), found, advice);
        }
    }
    for dataset in datasets.iter().filter(|dataset| file.sources().all(|name| name != dataset.source)) {
        let found =
            format!("it names the source `{}`, which the configuration does not have", dataset.source);
        report.failed(
            format!("dataset {}", dataset.name),
            found,
            format!("add `[source.{}]`", dataset.source),
        );
    }
    reached
}

/// About how many rows the catalogue says that each table has, by its name; those of which it says nothing are left out.
async fn estimates(source: Option<&dyn Source>, datasets: &[&Dataset]) -> HashMap<String, u64> {
    let Some(source) = source.filter(|_| !datasets.is_empty()) else { return HashMap::new() };
    // What stands against the source is said of it already.
    let tables = source.describe().await.unwrap_or_default();
    tables.into_iter().filter_map(|table| Some((table.name, table.rows?))).collect()
}

/// Holds the rows that a table is estimated to have against the policy's bound, which nobody else does: a gateway would have to
/// count, and what it did then would show the count.
fn bounded(dataset: &Dataset, estimate: Option<u64>, report: &mut DoctorReport) {
    let (Some(rows), rows_below) = (estimate, dataset.rows_below()) else { return };
    if rows < rows_below {
        return;
    }
    report.warning(
        format!("dataset {}, rows_below", dataset.name),
        format!("the catalogue reckons with {rows} rows, and the policy with fewer than {rows_below}"),
        "raise `rows_below` in the policy: a sum over more rows may be cut off",
    );
}

/// Asks who answers; returns the source, if a server does, with what the tables of its datasets read.
async fn reach(
    file: &GatewayFile,
    config: &Path,
    name: &str,
    datasets: &[&Dataset],
    report: &mut DoctorReport,
) -> Option<(Arc<dyn Source>, Vec<Behind>)> {
    let subject = format!("source {name}");
    if let Some(path) = file.source_file(config, name) {
        report.kept(format!("{subject}, file"), &path);
    }
    let source = match file.source(config, name) {
        Ok(source) => source,
        Err(failure) => {
            report.failed(subject, failure, format!("fix `[source.{name}]`: docs/DATABASES.md"));
            return None;
        }
    };
    let tables: Vec<&str> = datasets.iter().map(|dataset| dataset.table.as_str()).collect();
    match source.examine(&tables).await {
        Ok(found) => {
            examined(&subject, &found, report);
            for dataset in datasets {
                if let Some(finding) = views::finding(dataset, &found.mixing) {
                    report.warning(format!("dataset {}, view", dataset.name), finding, views::ADVICE);
                }
            }
            imported(datasets, &found, report);
            Some((source, found.behind))
        }
        Err(error) => {
            report.failed(subject, &error, advice(&error));
            None
        }
    }
}

/// Reports what an import noted of the tables: what was accepted of them.
fn imported(datasets: &[&Dataset], found: &Examination, report: &mut DoctorReport) {
    for dataset in datasets {
        let Some(noted) = found.imported.iter().find(|noted| noted.table == dataset.table) else { continue };
        for (column, fault, share) in &noted.accepted {
            let what = match fault.as_str() {
                "" => "unread, undeclared or missing".to_owned(),
                fault => format!("`{fault}`"),
            };
            report.warning(
                format!("dataset {}, column {column}", dataset.name),
                format!(
                    "up to {:.2} % of its values were accepted as {what} when it was imported",
                    share * 100.0
                ),
match fault.is_empty() {
                    true => "`lango dataset check` shows them; say what they mean with `recode`, `case` or `missing`",
                    false => "correct them where they come from, and import the files again",
                },
            );
        }
    }
}

/// Reports identifiers that are much alike: each is a unit of its own, as a unique key compares them.
async fn identifiers(source: &dyn Source, dataset: &Dataset, report: &mut DoctorReport) {
    let subject = format!("dataset {}, identifiers", dataset.name);
    match source.alike(dataset).await {
        Ok(None) => {}
        Ok(Some(0)) => report.ok(subject, "no two differ in the case of letters or in blanks alone"),
        Ok(Some(alike)) => report.warning(
            subject,
            format!(
                "{alike} identifiers in `{}` differ from another one in the case of letters or in blanks alone, and each is a {} of \
                 its own",
                dataset.unit.column, dataset.unit.noun
            ),
            "where two of them are one, write them in one way in the table",
        ),
        Err(error) => report.warning(subject, error, "count them with `lango dataset check`"),
    }
}

/// Compares the data that a register holds with the data that the answers of the policy's version are made from.
async fn data(
    source: &dyn Source,
    dataset: &Dataset,
    store: Option<&mut Examined>,
    report: &mut DoctorReport,
) {
    let Some(store) = store else { return };
    let (subject, version) = (format!("dataset {}, data", dataset.name), dataset.version.as_str());
    let answered = match store.answered_data(dataset.name.as_str(), version).await {
        Ok(Some(answered)) => answered,
        Ok(None) => return,
        Err(error) => return report.failed(subject, error, "see the store"),
    };
    match source.data(&dataset.table).await {
        Ok(Some(held)) if held == answered => {
            report.ok(subject, format!("the data that the answers of version `{version}` are made from"));
        }
        Ok(_) => report.warning(
            subject,
            format!("the answers of version `{version}` were first made from other data: stored ones stay as they are"),
            "import these data under a version of their own, or those of this version again",
        ),
        Err(error) => report.failed(subject, &error, advice(&error)),
    }
}

/// Reports what a source answered of itself.
fn examined(subject: &str, found: &Examination, report: &mut DoctorReport) {
    let mut summary = format!("{} answers", found.engine);
    if let Some(tls) = &found.tls {
        summary += &format!(", by {tls}");
    }
    match found.statement_timeout_ms {
        Some(0) => report.warning(
            subject,
            format!("{summary}, and lets a statement run for ever"),
            "set `statement_timeout_s`",
        ),
        Some(milliseconds) => {
            summary += &format!(", and stops a statement after {} s", milliseconds as f64 / 1_000.0);
            report.ok(subject, summary);
        }
        None => report.ok(subject, summary),
    }
    let rights = format!("{subject}, rights");
    if !found.may_change.is_empty() {
        let finding = format!("the gateway's user may change {}", quoted(&found.may_change));
        report.warning(rights, finding, "grant it SELECT alone, and take the rest away");
    } else if found.statement_timeout_ms.is_some() {
        report.ok(rights, "the gateway's user may not change what it reads");
    }
    for OutdatedIndex { index, collation, recorded, actual } in &found.outdated {
        let now = if actual.is_empty() { "none".to_owned() } else { format!("`{actual}`") };
        let finding = format!(
            "index `{index}` was built under version `{recorded}` of the collation `{collation}`, and the server has {now} now: it may \
             hold a text twice, so it vouches for nothing"
        );
        let remedy = format!(
            "REINDEX INDEX {index}; and when all indexes of that collation are done, ALTER COLLATION \"{collation}\" REFRESH VERSION, or \
             ALTER DATABASE .. REFRESH COLLATION VERSION where it is the database's own"
        );
        report.warning(format!("{subject}, collation"), finding, remedy);
    }
    if !found.called.is_empty() {
        let finding = format!(
            "views call {}: which rows such functions leave out, the catalogue does not say",
            quoted(&found.called)
        );
        report.warning(
            format!("{subject}, views"),
            finding,
            "run `lango dataset check`, which reads every row through them",
        );
    }
    match found.may_prepare {
        Some(true) => {
            report.ok(format!("{subject}, schema"), "preparations may be kept in `prepared_schema`")
        }
        Some(false) => report.failed(
            format!("{subject}, schema"),
            "`prepared_schema` is not there, or the gateway's user may not make tables in it",
            "make it and grant it: docs/DATABASES.md; or leave `prepared_schema` out",
        ),
        None => {}
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Where the command to run is of.
struct Place<'a> {
    file: &'a GatewayFile,
    config: &'a Path,
}

impl Place<'_> {
    async fn preparation(
        &self,
        source: &dyn Source,
        dataset: &Dataset,
        store: Option<&mut Examined>,
        report: &mut DoctorReport,
    ) {
        let subject = format!("dataset {}, rows", dataset.name);
        let (name, version) = (dataset.name.as_str(), dataset.version.as_str());
        let known = match store {
            Some(store) => store.bounding_secret(name, version).await,
            None => Ok(None),
        };
        let mut secret = [0; 32];
        match known {
            Ok(Some(known)) => secret = known,
            // Nothing fits what nobody has.
            Ok(None) => drop(getrandom::fill(&mut secret)),
            Err(error) => {
                report.failed(subject, error, "see the store");
                return;
            }
        }
        match source.bounding(dataset, &Secret::new(secret)).await {
            Ok(Bounding::Vouched) => report.ok(subject, Bounding::Vouched),
            Ok(Bounding::Prepared { rows }) => {
                report.ok(
                    subject,
                    format!("prepared: {rows} rows. Rows changed under the same version are not seen"),
                );
            }
            Ok(bounding @ (Bounding::Unprepared | Bounding::Stale(_))) => {
                report.warning(subject, found(&bounding, dataset), self.command(dataset));
            }
            Err(error) => report.failed(subject, &error, advice(&error)),
        }
    }

    fn command(&self, dataset: &Dataset) -> String {
        let command =
            format!("lango dataset prepare --config {} --dataset {}", self.config.display(), dataset.name);
        if self.file.can_prepare(&dataset.source) {
            return command;
        }
        format!(
            "name a `prepared_schema` in `[source.{}]`: docs/DATABASES.md. Then {command}",
            dataset.source
        )
    }
}

fn found(bounding: &Bounding, dataset: &Dataset) -> String {
    let unit = &dataset.unit;
    match bounding {
        Bounding::Stale(why) => {
            format!("the preparation is stale: {why}. It is not used, and every question ranks the rows")
        }
        _ if unit.rows_at_most == 1 => format!(
            "no primary or unique key on `{}` vouches for one row of a {}, so every question ranks the rows",
            unit.column, unit.noun
        ),
        _ => "not prepared: every question ranks the rows".to_owned(),
    }
}

/// What to do about a source, where its own words do not say it.
fn advice(error: &SourceError) -> &'static str {
    match error {
        SourceError::Unavailable(_) => {
            "check that it is there and runs, its address, the user, the password and `tls_authority`"
        }
        SourceError::Unprotected(_) => {
            "give the server such a certificate, or name its authority with `tls_authority = FILE`; on loopback `tls = \"off\"`"
        }
        SourceError::NoTable(_) => {
            "fix `table` in the policy, grant SELECT on it, or import it with `lango dataset import`"
        }
        SourceError::NoTableShown(_) => {
            "fix `table` in the policy, or grant the gateway's user SELECT on the table"
        }
        SourceError::NoColumn { .. } => "fix the column's name in the policy, or take it out",
        SourceError::NoColumnShown { .. } => {
            "fix the column's name in the policy, or grant the gateway's user SELECT on the column"
        }
        SourceError::NoSelect { .. } => "grant the gateway's user SELECT",
        SourceError::RowSecurity { .. } => {
            "ALTER ROLE .. BYPASSRLS, or `row_security = \"filters\"`: docs/DATABASES.md, Row-level security"
        }
        SourceError::RowSecurityBehind(_) => {
            "ALTER ROLE .. BYPASSRLS for who owns the view or the function, or `row_security = \"filters\"`: docs/OPERATIONS.md, \
             Row-level security"
        }
        SourceError::ForeignRows { .. } => {
            "ALTER SERVER .. OPTIONS (ADD options '-c row_security=off'), or `row_security = \"filters\"`: docs/OPERATIONS.md, \
             Row-level security"
        }
        SourceError::RowPolicy { .. } => "ALTER POLICY .. USING an expression without a query",
        SourceError::Setting { .. } => "docs/DATABASES.md, Poolers",
        SourceError::ColumnType { .. } | SourceError::UnitType { .. } => {
            "fix the column's declaration in the policy, or its type in the table"
        }
        SourceError::NotATable(_) | SourceError::Collation { .. } | SourceError::UnitLength { .. } => {
            "fix the table, or name another one in the policy"
        }
        SourceError::Version { .. } => "lango dataset import, or the policy's `version`",
        SourceError::Codes { .. } => "declare shorter code lists",
        _ => "see docs/DATABASES.md",
    }
}
