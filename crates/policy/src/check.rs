//! From policy files to a set of rules that hang together, or everything that is wrong with them: a fold over the files that
//! keeps each mistake and goes on, and says nothing of what follows from an earlier one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use lango_document::{
    Diagnostic, DiagnosticCode, Diagnostics, Document, DocumentShape, FromDocument, Mistakes, Reader,
    TextPlace,
};
use lango_privacy::{Code, Dataset, DatasetKind, Name, Objective, Unit};
use time::Date;
use toml::Spanned;

use crate::{
    budget::Pool,
    declare::{CodeLists, Columns},
    file::{CodeListTable, DatasetTable, File, Recode},
    index::Index,
    set::{DatasetPlaces, PolicySet},
    within::In,
};

impl PolicySet {
    /// What may stand in a policy file, for editors and manuals.
    pub fn file_shape() -> DocumentShape {
        File::shape()
    }

    /// Reads and checks the files of one office together; a document whose name ends in `.csv` is a list that the others may
    /// name. Trials are read, not run: see [`PolicySet::run_trials`].
    pub fn read(documents: &[Document]) -> Result<Self, Diagnostics> {
        let findings = Mistakes::default();
        let set = fold(documents, &findings);
        findings.outcome(Some(set))
    }

    /// Everything that is to be said of policy files: what is wrong, what is unwise on a day and in a region where they are
    /// known, and where nothing is wrong, the trials that fail. The set, if nothing is wrong with it.
    pub fn check(
        documents: &[Document],
        today: Option<Date>,
        region: Option<&str>,
    ) -> (Option<Self>, Diagnostics) {
        let findings = Mistakes::default();
        let set = fold(documents, &findings);
        let warnings = set.warnings(today, region);
        if findings.is_empty() {
            let failed = set.run_trials();
            return (Some(set), warnings.into_iter().chain(failed).collect());
        }
        (None, findings.into_diagnostics().and(warnings))
    }

    /// The names of the files beside them that policy files name, each once. A document that cannot be read names none.
    pub fn lists(documents: &[Document]) -> BTreeSet<String> {
        // Reading is long for a large policy, and most name no list. Behind a `\\` a name may be written otherwise.
        let may_name = |document: &Document| document.text.contains(".csv") || document.text.contains('\\');
        if !documents.iter().any(may_name) {
            return BTreeSet::new();
        }
        let findings = Mistakes::default();
        let read = |document| Reader::new(document, &findings).read::<File>();
        let mut named = BTreeSet::new();
        let files: Vec<File> = documents.iter().filter_map(read).collect();
        let lists = files.iter().flat_map(|file| file.code_list.values()).flatten();
        named.extend(lists.filter_map(|list| list.file.as_ref()).map(|file| file.get_ref().clone()));
        for table in files.into_iter().flat_map(|file| file.dataset.into_values()).flatten() {
            for column in table.column.into_iter().flatten().filter_map(|(_, column)| column) {
                if let Some(Recode::File(name)) = column.into_inner().recode.map(Spanned::into_inner) {
                    named.insert(name);
                }
            }
            let derived = table.derived.into_iter().flatten().filter_map(|(_, derived)| derived);
            named.extend(derived.map(|derived| derived.into_inner().map.into_inner()));
        }
        // A file in another folder is none of the policy's.
        named.retain(|name| name.ends_with(".csv") && !name.contains(['/', '\\', '\0']));
        named
    }
}

/// Reads policy files. Those of a second office are held against one another, and not against the first one's.
fn fold(documents: &[Document], findings: &Mistakes) -> PolicySet {
    let (lists, policies): (Vec<&Document>, Vec<&Document>) =
        documents.iter().partition(|document| document.file.ends_with(".csv"));
    if policies.is_empty() {
        let words = (
            "there is no policy: an office without one answers nothing",
            "write one as docs/POLICIES.md shows, in a file that ends in `.toml`",
        );
        findings.add(Diagnostic::error(DiagnosticCode::NoPolicy, TextPlace::of_file("policies"), words));
    }
    let mut drafts: Vec<(Draft, Vec<(In<'_>, File)>)> = Vec::new();
    for document in policies {
        let reader = Reader::new(document, findings);
        let Some(file) = reader.read::<File>() else { continue };
        let at = In { reader, lists: &lists };
        at.version(&file);
        let office = file.office.as_ref().and_then(|office| at.office(office));
        let first = drafts.first().map(|(draft, _)| draft.set.office.clone()).unwrap_or_default();
        if let (Some(written), Some(name)) = (&file.office, &office)
            && !first.is_empty()
            && first != *name
        {
            let message = format!("this file is of office `{name}`, and an earlier one of `{first}`");
            let help = "keep the files of each office in a folder of their own";
            at.refuse::<(), _>(DiagnosticCode::Office, written, (message, help));
        }
        let office = office.unwrap_or(first);
        match drafts.iter_mut().find(|(draft, _)| draft.set.office == office || draft.set.office.is_empty()) {
            Some((draft, files)) => {
                draft.set.office = office;
                files.push((at, file));
            }
            None => {
                let set = PolicySet { office, ..PolicySet::default() };
                drafts.push((Draft { set, ..Draft::default() }, vec![(at, file)]));
            }
        }
    }
    let mut sets =
        drafts.into_iter().map(|(draft, files)| draft.read(&files)).collect::<Vec<_>>().into_iter();
    sets.next().unwrap_or_default()
}

/// A policy while it is read: what hangs together so far, and what is declared and wrong, of which nothing more is said.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) set: PolicySet,
    /// The `id`s of its rules.
    pub(crate) rule_names: HashSet<String>,
    /// The lists of codes that datasets may name.
    code_lists: CodeLists,
    /// Datasets of which too little is right.
    pub(crate) wrong_datasets: BTreeSet<String>,
    /// Columns that are declared and wrong.
    pub(crate) wrong_columns: BTreeMap<Name, BTreeSet<String>>,
    /// Datasets whose unit is wrong, or not there.
    pub(crate) without_unit: BTreeSet<Name>,
    /// Datasets whose pool is not known, or whose budget is wrong.
    pub(crate) without_budget: BTreeSet<Name>,
}

impl Draft {
    /// Reads the files of one office.
    fn read(mut self, files: &[(In<'_>, File)]) -> PolicySet {
        for (at, file) in files {
            for (name, table) in &file.code_list {
                self.list(at, name, table.as_ref());
            }
        }
        for (at, file) in files {
            for (name, table) in &file.dataset {
                self.declare(at, name, table.as_ref());
            }
        }
        for (at, file) in files {
            for (name, table) in &file.budget {
                let budget = table.as_ref().and_then(|table| at.budget(table));
                self.fill(at, name, budget);
            }
        }
        for (at, file) in files {
            for table in &file.grant {
                self.grant(at, table);
            }
        }
        for (at, file) in files {
            for table in &file.refusal {
                self.prohibition(at, table);
            }
        }
        for (at, file) in files {
            for table in &file.test {
                self.set.trials.extend(at.trial(table, &self.set.datasets));
            }
        }
        let mut set = self.set;
        set.index = Index::of(&set.grants);
        set.unwise = set.unwise();
        set
    }

    fn list(&mut self, at: &In<'_>, name: &Spanned<String>, table: Option<&CodeListTable>) {
        if self.code_lists.contains_key(name.get_ref()) {
            let message = format!("code list `{}` is declared twice", name.get_ref());
            at.refuse::<(), _>(DiagnosticCode::DeclaredTwice, name, (message, "keep one of them"));
            return;
        }
        self.code_lists.insert(name.get_ref().clone(), at.code_list(name, table));
    }

    fn declare(&mut self, at: &In<'_>, written: &Spanned<String>, table: Option<&DatasetTable>) {
        let parts = table.map(|table| (table, at.columns(table, &self.code_lists)));
        let Some((name, (table, columns))) = at.name(written).zip(parts) else {
            self.wrong_datasets.insert(written.get_ref().clone());
            return;
        };
        if self.set.datasets.contains_key(&name) {
            let message = format!("dataset `{name}` is declared twice");
            at.refuse::<(), _>(
                DiagnosticCode::DeclaredTwice,
                written,
                (message, "give one of them another name"),
            );
            return;
        }
        if let Some(rows) = table.rows_below.iter().flatten().find(|rows| *rows.get_ref() == 0) {
            at.refuse::<(), _>(DiagnosticCode::OutOfRange, rows, "`rows_below` is at least 1");
        }
        let unit = table.unit.as_ref().and_then(|unit| at.unit(unit.get_ref()));
        if unit.is_none() {
            self.without_unit.insert(name.clone());
        }
        if let Some(step) = at.answer_grid(table) {
            self.set.answer_grids.insert(name.clone(), step);
        }
        self.set.dataset_places.insert(name.clone(), places(at, written, table, &columns));
        self.wrong_columns.insert(name.clone(), columns.wrong);
        self.set.labels.insert(name.clone(), columns.labels);
        let dataset = dataset(at, name.clone(), table, unit, columns.declared);
        match &table.group {
            Some(Some(group)) => match at.name(group) {
                Some(group) => self.draw(at, written, &dataset, Pool { name: group, is_group: true }),
                None => drop(self.without_budget.insert(name.clone())),
            },
            Some(None) => self.draw(at, written, &dataset, Pool { name: name.clone(), is_group: false }),
            None => drop(self.without_budget.insert(name.clone())),
        }
        self.set.datasets.insert(name, dataset);
    }

    /// A dataset draws on a pool. Datasets over one table hold the same persons: what each of them is charged must be said.
    fn draw(&mut self, at: &In<'_>, written: &Spanned<String>, dataset: &Dataset, pool: Pool) {
        let is_same = |other: &&Dataset| {
            !dataset.table.is_empty()
                && other.source == dataset.source
                && other.table.eq_ignore_ascii_case(&dataset.table)
        };
        let is_silent = |other: &&Dataset| {
            !pool.is_group || self.set.pools.get(&other.name).is_none_or(|pool| !pool.is_group)
        };
        if let Some(other) = self.set.datasets.values().filter(is_same).find(is_silent) {
            let message = format!(
                "datasets `{}` and `{}` are both drawn from `{}` of `{}`",
                other.name, dataset.name, dataset.table, dataset.source
            );
            let help = "write `group = \"NAME\"` in each, the same name if they hold the same persons, which then share one \
                        budget, and different names only if they hold different persons";
            at.refuse::<(), _>(DiagnosticCode::OneTable, written, (message, help));
            self.without_budget.extend([other.name.clone(), dataset.name.clone()]);
        }
        self.set.pools.insert(dataset.name.clone(), pool);
    }

    /// A budget is of a group, or of a dataset without one.
    fn fill(&mut self, at: &In<'_>, written: &Spanned<String>, budget: Option<crate::budget::Budget>) {
        let name = written.get_ref();
        let pools = || self.set.pools.values().map(|pool| &pool.name);
        let Some(pool) = pools().find(|pool| pool.as_str() == name).cloned() else {
            let of_group = self.set.pools.iter().find(|(dataset, _)| dataset.as_str() == name);
            if let Some((dataset, pool)) = of_group {
                let message = format!("dataset `{dataset}` is of group `{}`", pool.name);
                let help = format!("write `[budget.{}]`", pool.name);
                at.refuse::<(), _>(DiagnosticCode::NoBudget, written, (message, help));
                self.without_budget.insert(dataset.clone());
            } else if !self.wrong_datasets.contains(name)
                && !self.without_budget.iter().any(|of| of.as_str() == name)
            {
                at.unknown::<()>("dataset or group", written.span(), name, pools().map(Name::as_str));
                // The dataset that is meant has no budget for that reason alone.
                let meant = lango_document::nearest(name, pools().map(Name::as_str)).map(str::to_owned);
                let of_pool =
                    self.set.pools.iter().filter(|(_, pool)| Some(pool.name.as_str()) == meant.as_deref());
                let meant: Vec<Name> = of_pool.map(|(dataset, _)| dataset.clone()).collect();
                self.without_budget.extend(meant);
            }
            return;
        };
        if self.set.budgets.contains_key(&pool) {
            let message = format!("budget `{name}` is declared twice");
            at.refuse::<(), _>(DiagnosticCode::DeclaredTwice, written, (message, "keep one of them"));
            return;
        }
        match budget {
            Some(budget) => drop(self.set.budgets.insert(pool, budget)),
            None => {
                let of_pool = self.set.pools.iter().filter(|(_, of)| of.name == pool);
                self.without_budget.extend(of_pool.map(|(dataset, _)| dataset.clone()));
            }
        }
    }
}

/// A dataset, with nothing in the place of what is wrong: then no set is made of it.
fn dataset(
    at: &In<'_>,
    name: Name,
    table: &DatasetTable,
    unit: Option<Unit>,
    columns: BTreeMap<Name, lango_privacy::Column>,
) -> Dataset {
    let version: Option<Code> =
        table.version.as_ref().and_then(|version| at.code(version.span(), version.get_ref()));
    let no_unit = || Unit {
        column: String::new(),
        noun: name.clone(),
        plural: name.clone(),
        rows_at_most: 1,
        cells_at_most: 1,
    };
    Dataset {
        title: table.title.clone().unwrap_or_default(),
        kind: table.kind.map_or(DatasetKind::Stock, |kind| kind.0),
        source: table.source.as_ref().map(|source| source.get_ref().clone()).unwrap_or_default(),
        table: table.table.clone().unwrap_or_default(),
        version: version.unwrap_or_else(|| Code::of_integer(0)),
        unit: unit.unwrap_or_else(no_unit),
        rows_below: table.rows_below.iter().flatten().next().map(|rows| *rows.get_ref()),
        objective: table.split.flatten().map_or(Objective::Sum, |split| split.0),
        bounds_drop: table.bounds_drop.clone().flatten(),
        columns,
        name,
    }
}

fn places(at: &In<'_>, written: &Spanned<String>, table: &DatasetTable, columns: &Columns) -> DatasetPlaces {
    let tables = table.column.iter().flatten().map(|(name, _)| name);
    let place = |name: &Spanned<String>| {
        let declared = columns.declared.keys().find(|declared| declared.as_str() == name.get_ref())?;
        Some((declared.clone(), at.reader.place(name.span())))
    };
    DatasetPlaces {
        name: at.reader.place(written.span()),
        source: table.source.as_ref().map(|source| at.reader.place(source.span())),
        unit: table.unit.as_ref().map(|unit| at.reader.place(unit.span())),
        columns: tables.filter_map(place).collect(),
    }
}

#[cfg(test)]
mod tests;
