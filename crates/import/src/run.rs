//! Reads files in one thread, inserts their rows in another, and gives the new table its name at the end.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use lango_privacy::Dataset;

use crate::{
    FileEdge, Finding, Findings, FoundValues, ImportError, ImportEvent, ImportFile, ImportOptions,
    ImportReport, ImportedColumn, Rename, RowError, TotalRow, Tuning, UnitKey,
    batch::{Batch, FileRows},
    files::{Files, changed, undecodable},
    fingerprint,
    judge::{Judgement, rounded},
    lock::ImportLock,
    schema::TableSchema,
    staging::{EdgeRow, ImportedData, Progress, Repeated, Searches, Staging},
};

/// INVARIANT: it is raised when the program would read other values of the same files, so that what an earlier version of it read
/// is not taken for the same data.
const READING: u32 = 4;
/// Batches between the two threads: little memory, and neither waits for the other's slow moments.
const BATCHES_WAITING: usize = 4;
/// A transaction's text: what is changed stays in SQLite's cache, so that readers of the register wait for commits only.
const TRANSACTION_BYTES: usize = 12 << 20;

/// What to import where.
#[derive(Debug, Clone, Copy)]
pub struct ImportJob<'a> {
    /// The files that an office exported, in the order of their rows.
    pub files: &'a [ImportFile],
    /// The SQLite file of the dataset's source; made if it is not there.
    pub register: &'a Path,
    /// What the policy declares of it.
    pub dataset: &'a Dataset,
    /// What the caller says of the files, and what of them it accepts.
    pub options: &'a ImportOptions,
    /// The sizes of its transactions and of the register.
    pub tuning: Tuning,
}

type Report<'a> = &'a mut dyn FnMut(ImportEvent) -> ControlFlow<()>;

impl ImportJob<'_> {
    /// Imports the files. It calls `report` with each event; `report` may stop it. After that, and wherever the error says so,
    /// the next run goes on after the last transaction.
    pub fn run(&self, report: Report<'_>) -> Result<ImportReport, ImportError> {
        let schema = TableSchema::of(self.dataset, &self.options.renames)?;
        for accepted in &self.options.accepted {
            schema.column(&accepted.column)?;
        }
        let files = Files::new(self.files, &schema);
        let fingerprint = files.fingerprint()?;
        // A file that cannot be read leaves a register as it is, or not made.
        let left_out = files.check()?;
        if self.options.dry_run {
            let imported = self.imported(&schema, files)?;
            let staging = Staging::temporary(self.register, &schema, &self.tuning)?;
            return self.stage(&staging, files, &fingerprint, &imported, left_out, report);
        }
        let _lock = ImportLock::take(self.register)?;
        let imported = self.imported(&schema, files)?;
        let staging = Staging::open(self.register, &schema, &self.tuning)?;
        let done = self.stage(&staging, files, &fingerprint, &imported, left_out, report);
        if let Err(error) = &done {
            staging.roll_back();
            if !error.may_go_on() {
                // The error at hand says more than an error in clearing up would; the next run clears up again.
                drop(staging.discard());
            }
        }
        done
    }

    /// The data at hand; refused where the register holds others of the same version. What the policy declares is no part of
    /// them: a declaration has its own place in what answers are stored under.
    fn imported(&self, schema: &TableSchema, files: Files<'_>) -> Result<ImportedData, ImportError> {
        let data = data_text(&files.content()?, &files.describe(), self.options);
        let imported = ImportedData {
            dataset: self.dataset.name.to_string(),
            version: self.dataset.version.to_string(),
            data: fingerprint::digest(&data),
        };
        let others = ImportedData::of(self.register, &schema.table)?.filter(|held| {
            (&held.dataset, &held.version) == (&imported.dataset, &imported.version) && *held != imported
        });
        match others {
            Some(ImportedData { dataset, version, .. }) if !self.options.same_version => {
                Err(ImportError::SameVersion { dataset, version })
            }
            Some(_) | None => Ok(imported),
        }
    }

    fn stage(
        &self,
        staging: &Staging,
        files: Files<'_>,
        fingerprint: &str,
        imported: &ImportedData,
        left_out: Vec<String>,
        report: Report<'_>,
    ) -> Result<ImportReport, ImportError> {
        let schema = files.schema();
        let reading = format!(
            "reading {READING}\n{:?}\n{}\n{}\n{}",
            Finding::ALL,
            files.describe(),
            self.options.notation.describe(),
            schema.describe()
        );
        let (mut progress, event) =
            staging.resume(fingerprint, &reading, self.files.len(), schema.columns.len())?;
        if let Some(event) = event {
            notify(report, event)?;
        }
        let mut searches = staging.searches(&progress.parts)?;
        if !progress.complete {
            self.fill(staging, files, (&mut progress, &mut searches), report)?;
            if progress.rows == 0 {
                let first = self.files.first().map(|file| file.path.clone()).unwrap_or_default();
                return Err(ImportError::NoRows(first));
            }
            if files.fingerprint()? != fingerprint {
                return Err(changed(self.files));
            }
            progress.complete = true;
            staging.commit(&mut progress)?;
        }
        notify(report, ImportEvent::Comparing)?;
        let mut done = found(files, progress, left_out);
        count_units(staging, &mut done)?;
        compare_identifiers(staging, files, &mut done)?;
        compare_rows(staging, files, &mut done)?;
        compare_sums(staging, files, &searches, &mut done)?;
        compare_days(staging, files, &searches, &mut done)?;
        let judged = Judgement::of(&done, self.options);
        if !judged.unfit.is_empty() {
            return Err(ImportError::Unfit { columns: judged.unfit, report: Box::new(done) });
        }
        notify(report, ImportEvent::Keying)?;
        done.key = Some(self.key(staging, files)?);
        if !self.options.dry_run {
            staging.take_the_name(imported, &judged.accepted)?;
        }
        Ok(done)
    }

    fn key(&self, staging: &Staging, files: Files<'_>) -> Result<UnitKey, ImportError> {
        match staging.key()? {
            Ok(key) => Ok(key),
            Err(Repeated { units, rows }) => Err(ImportError::Repeated {
                files: files.names(),
                column: files.schema().unit().to_owned(),
                units,
                places: files.places(&rows)?,
            }),
        }
    }

    /// Reads in a thread of its own what this thread inserts, and examines how each file begins and ends.
    fn fill(
        &self,
        staging: &Staging,
        files: Files<'_>,
        (progress, searches): (&mut Progress, &mut Searches),
        report: Report<'_>,
    ) -> Result<(), ImportError> {
        let read = Arc::new(AtomicU64::new(0));
        let of = files.bytes();
        let mut on_progress = |progress: &Progress| {
            let bytes = read.load(Ordering::Relaxed).min(of);
            notify(report, ImportEvent::Read { bytes, of, rows: progress.rows })
        };
        let ends = thread::scope(|scope| {
            let (send, receive) = sync_channel(BATCHES_WAITING);
            let (skip, read) = (progress.rows, &read);
            let reader = scope.spawn(move || {
                // The inserting thread closes the channel when it fails.
                files.send(&self.options.notation, skip, read, &mut |batch| match send.send(batch) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                })
            });
            let inserted = self.insert(staging, receive, (&mut *progress, searches), &mut on_progress);
            let ends = reader.join().unwrap_or_else(|_| Err(undecodable(self.files)));
            inserted.and(ends)
        })?;
        self.check_ends(staging, files, &ends, progress)
    }

    /// Refuses files whose first or last row is no unit's, and notes those of which it may be none.
    fn check_ends(
        &self,
        staging: &Staging,
        files: Files<'_>,
        ends: &[FileRows],
        progress: &mut Progress,
    ) -> Result<(), ImportError> {
        let mut before = 0;
        for (at, (end, file)) in ends.iter().zip(files.names()).enumerate() {
            progress.settle_first_rows(at);
            let edges = [
                (FileEdge::Last, Finding::LastRow, end.last),
                (FileEdge::First, Finding::FirstRow, end.first),
            ];
            for (edge, finding, line) in edges {
                match staging.edge_row(edge, before + 1, before + end.rows)? {
                    Some(EdgeRow::Unlike) => progress.note(at, finding, line),
                    Some(EdgeRow::Total(TotalRow::Nameless)) if self.accepts_no_identifier() => {}
                    Some(EdgeRow::Total(what)) => {
                        let total = RowError::Total { line, by_line: file.by_line, edge, what }.into();
                        return Err(files.within(at, total));
                    }
                    None => {}
                }
            }
            before += end.rows;
        }
        Ok(())
    }

    /// Whether the caller accepts rows without identifier.
    fn accepts_no_identifier(&self) -> bool {
        let unit = &self.dataset.unit.column;
        let mut accepted = self.options.accepted.iter();
        accepted.any(|accepted| accepted.column.eq_ignore_ascii_case(unit) && accepted.fault.is_none())
    }

    fn insert(
        &self,
        staging: &Staging,
        batches: Receiver<Batch>,
        (progress, searches): (&mut Progress, &mut Searches),
        on_progress: &mut dyn FnMut(&Progress) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let (mut rows, mut bytes) = (0, 0);
        for batch in batches {
            staging.insert(&batch)?;
            progress.absorb(&batch);
            searches.pass(&batch);
            rows += batch.rows;
            // What a number takes on a page, or its place in a row.
            bytes += batch.heap.len() + batch.values.len() * 9;
            if rows >= self.tuning.transaction_rows || bytes >= TRANSACTION_BYTES {
                staging.commit(progress)?;
                (rows, bytes) = (0, 0);
            }
            on_progress(progress)?;
        }
        Ok(())
    }
}

/// What distinguishes data from others: the files' content, how they are read, and what the caller says of them.
fn data_text(content: &str, formats: &str, options: &ImportOptions) -> String {
    let (notation, renames) = (options.notation.describe(), Rename::describe(&options.renames));
    format!("reading {READING}\n{content}\n{formats}\n{notation}\n{renames}")
}

fn found(files: Files<'_>, progress: Progress, left_out: Vec<String>) -> ImportReport {
    let columns = files.schema().columns.iter().enumerate().map(|(at, target)| {
        let mut findings = Findings::default();
        for of_file in progress.parts.iter().filter_map(|part| part.findings.get(at)) {
            findings.absorb(of_file);
        }
        ImportedColumn { name: target.name.clone(), type_name: target.field_type.word(), findings }
    });
    let (rows, columns) = (progress.rows, columns.collect());
    ImportReport { rows, columns, left_out, files: files.names(), key: None, parts: progress.parts }
}

/// Forgets what looks like rounded identifiers for no other reason than that a few units stand on many rows, or are numbered in
/// steps: in all files, or but for those in which it is no chance.
fn count_units(staging: &Staging, report: &mut ImportReport) -> Result<(), ImportError> {
    let is_rounded = |findings: &Findings, rows| rounded(findings, rows).iter().any(|(_, is_so)| *is_so);
    let by_chance = |findings: &Findings, (before, rows)| -> Result<Vec<Finding>, ImportError> {
        if !is_rounded(findings, rows) {
            return Ok(Vec::new());
        }
        let of_units = staging.of_units(before + 1, before + rows)?;
        let counted = rounded(&of_units.findings, of_units.units).into_iter();
        Ok(counted.filter(|(_, is_so)| !is_so || of_units.are_steps()).map(|(finding, _)| finding).collect())
    };
    let mut before = 0;
    let mut in_parts = Findings::default();
    for part in &mut report.parts {
        if let Some(findings) = part.findings.first_mut() {
            for finding in by_chance(findings, (before, part.rows))? {
                findings.forget(finding);
            }
            in_parts.absorb(findings);
        }
        before += part.rows;
    }
    if let Some(ImportedColumn { findings, .. }) = report.columns.first_mut() {
        for finding in by_chance(findings, (0, report.rows))? {
            findings.put(finding, in_parts.of(finding).clone());
        }
    }
    Ok(())
}

/// Compares the identifiers, as far as what was noted of each of them gives reason to.
fn compare_identifiers(
    staging: &Staging,
    files: Files<'_>,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let rows = report.rows;
    let of_files: Vec<u64> = report.parts.iter().map(|part| part.rows).collect();
    let Some(ImportedColumn { findings, .. }) = report.columns.first_mut() else { return Ok(()) };
    let has = |finding| findings.of(finding).count > 0;
    let present = rows - findings.of(Finding::Missing).count;
    let in_some = |finding| (1..present).contains(&findings.of(finding).count);
    let (zeros, odd) = (has(Finding::LeadingZero), has(Finding::OddIdentifier));
    let shapes =
        has(Finding::OtherLetter) || odd || (has(Finding::SmallLetter) && has(Finding::CapitalLetter));
    let marks = in_some(Finding::DashIdentifier) || in_some(Finding::MarkIdentifier);
    let inner_zeros = in_some(Finding::InnerZero);
    let mut put = |finding, (count, rows): (u64, Vec<u64>)| -> Result<(), ImportError> {
        findings.put(finding, FoundValues { count, first: files.places(&rows)? });
        Ok(())
    };
    if odd {
        put(Finding::OddIdentifier, staging.unlike_others()?)?;
    }
    if zeros {
        put(Finding::LostZeros, staging.lost_zeros()?)?;
    } else if inner_zeros {
        put(Finding::LostZeros, staging.lost_inner_zeros()?)?;
    }
    if shapes || marks {
        put(Finding::AlikeIdentifier, staging.alike()?)?;
    }
    if files.schema().rows_at_most > 1 {
        let again = staging.counted_again(&of_files)?;
        // Those that begin again stand on many rows for that reason.
        if again.0 == 0 {
            put(Finding::CrowdedIdentifier, staging.crowded(rows)?)?;
        }
        put(Finding::CountedAgain, again)?;
    }
    Ok(())
}

/// Notes the rows that stand in the files twice, in each file and in all. Where each unit stands on one row, a key finds them.
fn compare_rows(staging: &Staging, files: Files<'_>, report: &mut ImportReport) -> Result<(), ImportError> {
    if files.schema().rows_at_most < 2 {
        return Ok(());
    }
    let of_files: Vec<u64> = report.parts.iter().map(|part| part.rows).collect();
    let (mut all, mut in_blocks) = (FoundValues::default(), FoundValues::default());
    for (part, copies) in report.parts.iter_mut().zip(staging.copies(&of_files)?) {
        let counted = FoundValues { count: copies.rows, first: files.places(&copies.first)? };
        let in_block = FoundValues { count: copies.in_block, first: Vec::new() };
        all.absorb(&counted);
        in_blocks.absorb(&in_block);
        if let Some(findings) = part.findings.first_mut() {
            findings.put(Finding::CopiedRow, counted);
            findings.put(Finding::CopiedBlock, in_block);
        }
    }
    if let Some(column) = report.columns.first_mut() {
        column.findings.put(Finding::CopiedRow, all);
        column.findings.put(Finding::CopiedBlock, in_blocks);
    }
    Ok(())
}

/// Notes the rows of each file that hold the sum of the numbers above them.
fn compare_sums(
    staging: &Staging,
    files: Files<'_>,
    searches: &Searches,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let (mut before, mut all) = (0, FoundValues::default());
    for part in report.parts.iter_mut().filter(|part| part.rows > 0) {
        let (count, rows) = staging.subtotals(&searches.sums, before + 1, before + part.rows)?;
        let counted = FoundValues { count, first: files.places(&rows)? };
        all.absorb(&counted);
        if let Some(findings) = part.findings.first_mut() {
            findings.put(Finding::TotalRow, counted);
        }
        before += part.rows;
    }
    if let Some(column) = report.columns.first_mut() {
        column.findings.put(Finding::TotalRow, all);
    }
    Ok(())
}

/// Notes the days that are on the first twelve of one month, in each file by itself, or else in all together.
fn compare_days(
    staging: &Staging,
    files: Files<'_>,
    searches: &Searches,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    for (at, target) in files.schema().columns.iter().enumerate().skip(1) {
        let find = |file, first, last| -> Result<FoundValues, ImportError> {
            let (count, rows) =
                staging.in_one_month(&searches.months, (at, &target.name), file, (first, last))?;
            Ok(FoundValues { count, first: files.places(&rows)? })
        };
        let (mut before, mut found) = (0, FoundValues::default());
        for (file, part) in report.parts.iter().enumerate() {
            found.absorb(&find(Some(file), before + 1, before + part.rows)?);
            before += part.rows;
        }
        if found.count == 0 && report.parts.len() > 1 {
            found = find(None, 1, before)?;
        }
        if let Some(column) = report.columns.get_mut(at) {
            column.findings.put(Finding::OneMonth, found);
        }
    }
    Ok(())
}

fn notify(report: Report<'_>, event: ImportEvent) -> Result<(), ImportError> {
    match report(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ImportError::Stopped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileFormat;

    #[test]
    fn what_a_register_remembers_of_its_data_is_the_same_in_every_version() {
        let renames = vec![Rename { from: "Nu\"m".into(), to: "person_id".into() }];
        let notation = crate::Notation { days: Some("%Y%m%d".parse().unwrap()), ..Default::default() };
        let options = ImportOptions { notation, renames, ..ImportOptions::default() };
        let formats = FileFormat::of(Path::new("a.csv.gz")).unwrap().describe();
        let text = data_text("12 bytes", &formats, &options);
        assert_eq!(
            text,
            "reading 4\n12 bytes\ngzip text in UTF-8, Usual(44), below 0 lines\n\
             Notation { decimal: Point, thousands: None, days: Some(DayFormat([Year, Month, Day])) }\n\
             [Rename { from: \"Nu\\\"m\", to: \"person_id\" }]",
            "the same files would be refused as other data under their version"
        );
        assert_eq!(
            fingerprint::digest(&text),
            "019a6408b6598416f7a9cd2c4a88791ba046b07d830912e865ba4eebc1d475e0"
        );
    }
}
