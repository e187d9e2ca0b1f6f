//! From policy files to a set of rules that hang together, or a refusal that names the line.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
    time::Duration,
};

use lango_document::{Document, DocumentError};
use lango_principal::{PrincipalPattern, Role};
use lango_privacy::{Dataset, Measure, Name};
use time::Date;
use toml::Spanned;

use crate::{
    budget::{Budget, Pool},
    file::{self, File, Publish, Recode},
    trial::Trial,
    within::In,
};

/// The rules of one office.
#[derive(Debug, Clone)]
pub struct PolicySet {
    /// The office's short name: ISO 3166-1 alpha-3.
    pub office: String,
    /// The datasets by name.
    pub datasets: BTreeMap<Name, Dataset>,
    /// The step of the time grid that a dataset's answers leave on. One that is not here answers at once.
    pub answer_grids: BTreeMap<Name, Duration>,
    /// The pool that each dataset draws on.
    pub pools: BTreeMap<Name, Pool>,
    /// What everyone together may learn from each pool.
    pub budgets: BTreeMap<Name, Budget>,
    /// What each rule allows, in the files' order.
    pub grants: Vec<Grant>,
    /// Questions with the decision that the administrator expects.
    pub trials: Vec<Trial>,
    /// Where each principal of a grant stands in its file; the message says which.
    addressed: Vec<(PrincipalPattern, DocumentError)>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The rule's name.
    pub id: String,
    /// Whom it speaks of.
    pub to: Vec<PrincipalPattern>,
    /// For what.
    pub purposes: Vec<String>,
    /// Of which dataset.
    pub dataset: Name,
    /// What may be counted.
    pub measures: Vec<Measure>,
    /// By what.
    pub by: Vec<Name>,
    /// The most columns that it may group by at once, conditions included.
    pub by_at_most: u32,
    /// Columns that conditions may use beside those in `by`.
    pub filters: Vec<Name>,
    /// The most that one question may cost, in billionths of epsilon.
    pub epsilon_per_query_nano: u64,
    /// The most that all its questions may cost in a period, in billionths of epsilon.
    pub epsilon_total_nano: u64,
    /// What a question that searches the data for keys spends of delta, in units of 1e-18; 0 grants none.
    pub delta_per_query_e18: u64,
    /// On which days.
    pub valid: Option<Validity>,
}

/// From one day to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
}

impl PolicySet {
    /// Reads and checks the files of one office together; a document whose name ends in `.csv` is a list that the others may
    /// name. Trials are read, not run: see [`PolicySet::run_trials`].
    pub fn read(documents: &[Document]) -> Result<Self, DocumentError> {
        let mut set = Self {
            office: String::new(),
            datasets: BTreeMap::new(),
            answer_grids: BTreeMap::new(),
            pools: BTreeMap::new(),
            budgets: BTreeMap::new(),
            grants: Vec::new(),
            trials: Vec::new(),
            addressed: Vec::new(),
        };
        let (lists, policies): (Vec<&Document>, Vec<&Document>) =
            documents.iter().partition(|document| document.file.ends_with(".csv"));
        let files = policies
            .into_iter()
            .map(|document| Ok((In { document, lists: &lists }, document.read::<File>()?)))
            .collect::<Result<Vec<_>, DocumentError>>()?;
        for (at, file) in &files {
            at.version(file)?;
            set.name_office(at, &file.office)?;
            for (name, table) in &file.dataset {
                let dataset = at.dataset(name, table)?;
                if let Some(step) = at.answer_grid(table)? {
                    set.answer_grids.insert(dataset.name.clone(), step);
                }
                if set.datasets.contains_key(&dataset.name) {
                    return Err(at.error(name, format!("dataset `{}` is declared twice", name.get_ref())));
                }
                let pool = at.pool(&dataset, table)?;
                set.check_rows(at, name, &dataset, &pool)?;
                set.pools.insert(dataset.name.clone(), pool);
                set.datasets.insert(dataset.name.clone(), dataset);
            }
        }
        for (at, file) in &files {
            for (name, table) in &file.budget {
                let budget = at.budget(table)?;
                let pool = set.known_pool(at, name)?;
                if set.budgets.insert(pool, budget).is_some() {
                    return Err(at.error(name, format!("budget `{}` is declared twice", name.get_ref())));
                }
            }
        }
        for (at, file) in &files {
            for table in &file.grant {
                let grant = set.check_grant(at, table.get_ref())?;
                let named = grant.to.iter().zip(table.get_ref().to.get_ref());
                let named = named.map(|(pattern, written)| {
                    (pattern.clone(), at.error(written, format!("grant `{}` is to `{pattern}`", grant.id)))
                });
                set.addressed.extend(named);
                set.grants.push(grant);
            }
        }
        for (at, file) in &files {
            for table in &file.test {
                set.trials.push(at.trial(table, &set.datasets)?);
            }
        }
        if set.office.is_empty() {
            let message = "no policy file: an office without a policy answers nothing".to_owned();
            return Err(DocumentError { file: "policies".to_owned(), at: None, message });
        }
        Ok(set)
    }

    /// The names of the files beside them that policy files name, each once. A document that cannot be read names none.
    pub fn lists(documents: &[Document]) -> BTreeSet<String> {
        let files = documents.iter().filter_map(|document| document.read::<File>().ok());
        let named = files.flat_map(|file| file.dataset.into_values()).flat_map(|table| {
            let recodes = table.column.into_values().filter_map(|column| column.into_inner().recode);
            let recodes = recodes.filter_map(|recode| match recode.into_inner() {
                Recode::File(name) => Some(name),
                Recode::Listed(_) => None,
            });
            let maps = table.derived.into_values().map(|derived| derived.into_inner().map.into_inner());
            recodes.chain(maps).collect::<Vec<_>>()
        });
        // A file in another folder is none of the policy's.
        named.filter(|name| name.ends_with(".csv") && !name.contains(['/', '\\'])).collect()
    }

    /// Runs every trial against the policy; the errors of those that fail, in order.
    pub fn run_trials(&self) -> Vec<DocumentError> {
        self.trials
            .iter()
            .filter_map(|trial| trial.run(&|asked, query| self.authorize(asked, query)).err())
            .collect()
    }

    /// The principals of grants from whom no question can come where this is the region's trust domain: those of another region,
    /// and those whose role asks nothing. Each with its place and what to do.
    pub fn never_matching(&self, trust_domain: &str) -> Vec<DocumentError> {
        let never = |(pattern, at): &(PrincipalPattern, DocumentError)| {
            let why = match (pattern.trust_domain() == trust_domain, pattern.role()) {
                (false, _) => {
                    format!("the gateway's region is `{trust_domain}`, and nobody of another one can ask")
                }
                (true, Role::Analyst) => return None,
                (true, role @ (Role::Office | Role::Coordinator | Role::Auditor | Role::Administrator)) => {
                    format!("only analysts ask questions, and no {role} does")
                }
            };
            Some(DocumentError { message: format!("{}: {why}", at.message), ..at.clone() })
        };
        self.addressed.iter().filter_map(never).collect()
    }

    fn name_office(&mut self, at: &In<'_>, office: &Spanned<String>) -> Result<(), DocumentError> {
        let name = office.get_ref();
        if name.len() != 3 || !name.bytes().all(|c| c.is_ascii_uppercase()) {
            return Err(
                at.error(office, format!("office `{name}` is not an ISO 3166-1 alpha-3 code such as `GHA`"))
            );
        }
        if !self.office.is_empty() && self.office != *name {
            return Err(
                at.error(office, format!("this file is of office `{name}`, the others of `{}`", self.office))
            );
        }
        self.office.clone_from(name);
        Ok(())
    }

    fn known_dataset(&self, at: &In<'_>, name: &Spanned<String>) -> Result<Name, DocumentError> {
        let found = self.datasets.keys().find(|known| known.as_str() == name.get_ref());
        found.cloned().ok_or_else(|| {
            at.unknown("dataset", name, name.get_ref(), self.datasets.keys().map(Name::as_str))
        })
    }

    /// A budget is of a group, or of a dataset without one.
    fn known_pool(&self, at: &In<'_>, name: &Spanned<String>) -> Result<Name, DocumentError> {
        let pools = || self.pools.values().map(|pool| &pool.name);
        if let Some(pool) = pools().find(|pool| pool.as_str() == name.get_ref()) {
            return Ok(pool.clone());
        }
        if let Some((dataset, pool)) =
            self.pools.iter().find(|(dataset, _)| dataset.as_str() == name.get_ref())
        {
            let message = format!("dataset `{dataset}` is of group `{0}`: write `[budget.{0}]`", pool.name);
            return Err(at.error(name, message));
        }
        Err(at.unknown("dataset or group", name, name.get_ref(), pools().map(Name::as_str)))
    }

    /// Datasets over one table hold the same persons: what each of them is charged must be said.
    fn check_rows(
        &self,
        at: &In<'_>,
        name: &Spanned<String>,
        dataset: &Dataset,
        pool: &Pool,
    ) -> Result<(), DocumentError> {
        let is_same = |other: &&Dataset| {
            other.source == dataset.source && other.table.eq_ignore_ascii_case(&dataset.table)
        };
        let is_silent = |other: &&Dataset| {
            !pool.is_group || self.pools.get(&other.name).is_none_or(|pool| !pool.is_group)
        };
        let Some(other) = self.datasets.values().filter(is_same).find(is_silent) else { return Ok(()) };
        let message = format!(
            "datasets `{}` and `{}` are both drawn from `{}` of `{}`: write `group = \"NAME\"` in each, the same name if they hold the \
             same persons, which then share one budget, and different names only if they hold different persons",
            other.name, dataset.name, dataset.table, dataset.source
        );
        Err(at.error(name, message))
    }

    /// The pool that a dataset draws on.
    pub fn pool(&self, dataset: &Name) -> Option<&Pool> {
        self.pools.get(dataset)
    }

    /// The budget that a dataset draws on.
    pub fn budget(&self, dataset: &Name) -> Option<&Budget> {
        self.budgets.get(&self.pool(dataset)?.name)
    }

    fn check_grant(&self, at: &In<'_>, table: &file::GrantTable) -> Result<Grant, DocumentError> {
        let id = table.id.get_ref();
        if id.is_empty() || !id.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(at.error(&table.id, "a grant's `id` is printable ASCII without spaces"));
        }
        if self.grants.iter().any(|grant| grant.id == *id) {
            return Err(at.error(&table.id, format!("grant `{id}` is declared twice")));
        }
        let dataset_name = self.known_dataset(at, &table.dataset)?;
        let missing = || {
            let pool = self.pool(&dataset_name).map_or(&dataset_name, |pool| &pool.name);
            at.error(&table.dataset, format!("dataset `{dataset_name}` has no budget: add `[budget.{pool}]`"))
        };
        let budget = self.budget(&dataset_name).ok_or_else(missing)?;
        let dataset = self.datasets.get(&dataset_name);
        let dataset = dataset.ok_or_else(|| at.error(&table.dataset, "unknown dataset"))?;
        let columns = &dataset.columns;
        let to = table.to.get_ref().iter().map(|written| at.principal(written));
        let to = to.collect::<Result<Vec<PrincipalPattern>, DocumentError>>()?;
        if table.to.get_ref().is_empty() || table.purpose.get_ref().is_empty() {
            return Err(at.error(
                &table.id,
                format!("grant `{id}` names no principal or no purpose: it would allow nothing"),
            ));
        }
        let of_columns = |names: &Spanned<Vec<String>>| -> Result<Vec<Name>, DocumentError> {
            let known = |name: &String| columns.keys().find(|known| known.as_str() == name).cloned();
            let unknown = |name: &String| at.unknown("column", names, name, columns.keys().map(Name::as_str));
            names.get_ref().iter().map(|name| known(name).ok_or_else(|| unknown(name))).collect()
        };
        let by = of_columns(&table.by)?;
        if let Some(keyless) =
            by.iter().find(|name| columns.get(*name).is_some_and(|column| column.domain.keyset().is_none()))
        {
            return Err(at.error(
                &table.by,
                format!("column `{keyless}` has no keys to group by: it is an `amount`, or `open`"),
            ));
        }
        let delta_per_query_e18 = at.delta_per_query(table.delta_per_query.as_ref(), &budget.account)?;
        let measure = |text: &String| {
            let refused = |message: String| at.error(&table.measures, message);
            let measure = Measure::from_str(text).map_err(|error| refused(error.to_string()))?;
            // A grant of what can never be answered would promise nothing.
            dataset.admits(&measure).map_err(|refusal| refused(refusal.to_string()))?;
            if let (Measure::Keys(_), 0) = (&measure, delta_per_query_e18) {
                return Err(refused(format!(
                    "`{measure}` spends delta: say how much with `delta_per_query`"
                )));
            }
            Ok(measure)
        };
        let per_query = at.epsilon(&table.epsilon_per_query)?;
        let total = at.epsilon(&table.epsilon_total)?;
        if per_query > total {
            return Err(at.error(&table.epsilon_per_query, "`epsilon_per_query` is above `epsilon_total`"));
        }
        if total > budget.epsilon_nano {
            return Err(at.error(
                &table.epsilon_total,
                format!("`epsilon_total` is above the budget of `{dataset_name}`"),
            ));
        }
        if *table.publish.get_ref() == Publish::Region {
            return Err(at.error(
                &table.publish,
                "`publish = \"region\"` is not supported by this version: only `\"office\"` is",
            ));
        }
        let valid = match &table.valid {
            Some(valid) if valid.get_ref().from > valid.get_ref().until => {
                return Err(at.error(valid, "`valid` ends before it begins"));
            }
            Some(valid) => Some(Validity { from: valid.get_ref().from, until: valid.get_ref().until }),
            None => None,
        };
        Ok(Grant {
            id: id.clone(),
            to,
            purposes: table.purpose.get_ref().clone(),
            measures: table.measures.get_ref().iter().map(measure).collect::<Result<_, _>>()?,
            by,
            by_at_most: table.by_at_most,
            filters: table.filters.as_ref().map(of_columns).transpose()?.unwrap_or_default(),
            epsilon_per_query_nano: per_query,
            epsilon_total_nano: total,
            delta_per_query_e18,
            valid,
            dataset: dataset_name,
        })
    }
}

#[cfg(test)]
mod tests;
