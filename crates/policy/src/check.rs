//! From policy files to a set of rules that hang together, or a refusal that names the line.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use lango_privacy::{Accounting, Dataset, Measure, Name};
use time::{Date, Month};
use toml::Spanned;

use crate::{
    DocumentError, Trial,
    document::{Document, nearest},
    file::{self, AccountingWord, File, Publish, Quantity, RenewsWord},
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
}

/// What a dataset's questions are charged to: the datasets of one group share a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The group's name, or the dataset's own.
    pub name: Name,
    /// Whether the dataset names its group.
    pub is_group: bool,
}

/// What may be learned from a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The currency.
    pub account: Accounting,
    /// How much, in billionths of epsilon.
    pub epsilon_nano: u64,
    /// When it is full again.
    pub renews: Renewal,
}

/// When an account is full again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Never.
    Never,
    /// On the first of every month.
    Monthly,
    /// On the first of January, April, July and October.
    Quarterly,
    /// On the first of January.
    Yearly,
}

impl Renewal {
    /// When the calendar period (UTC) that a day lies in began, in Unix seconds; 0 where nothing renews.
    pub fn since(self, day: Date) -> i64 {
        let month = match self {
            Self::Never => return 0,
            Self::Monthly => day.month(),
            Self::Quarterly => [Month::January, Month::April, Month::July, Month::October]
                .into_iter()
                .rfind(|first| u8::from(*first) <= u8::from(day.month()))
                .unwrap_or(Month::January),
            Self::Yearly => Month::January,
        };
        Date::from_calendar_date(day.year(), month, 1)
            .map_or(0, |first| first.midnight().assume_utc().unix_timestamp())
    }

    /// The name of the calendar period (UTC) that a day lies in: ``, `2026-11`, `2026-Q4`, `2026`.
    pub fn period(self, day: Date) -> String {
        let (year, month) = (day.year(), u8::from(day.month()));
        match self {
            Self::Never => String::new(),
            Self::Monthly => format!("{year:04}-{month:02}"),
            Self::Quarterly => format!("{year:04}-Q{}", month.div_ceil(3)),
            Self::Yearly => format!("{year:04}"),
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The rule's name.
    pub id: String,
    /// Whom it speaks of: SPIFFE URIs, the last segment possibly `*`.
    pub to: Vec<String>,
    /// For what.
    pub purposes: Vec<String>,
    /// Of which dataset.
    pub dataset: Name,
    /// What may be counted.
    pub measures: Vec<Measure>,
    /// By what.
    pub by: Vec<Name>,
    /// By at most so many columns at once, conditions included.
    pub by_at_most: u32,
    /// Columns that conditions may use beside those in `by`.
    pub filters: Vec<Name>,
    /// The most that one question may cost, in billionths of epsilon.
    pub epsilon_per_query_nano: u64,
    /// The most that all its questions may cost in a period, in billionths of epsilon.
    pub epsilon_total_nano: u64,
    /// What a question that looks for keys in the data spends of delta, in units of 1e-18; 0 grants none.
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
    /// Reads and checks the files of one office together. Trials are read, not run: see [`PolicySet::run_trials`].
    pub fn read(documents: &[Document]) -> Result<Self, DocumentError> {
        let mut set = Self {
            office: String::new(),
            datasets: BTreeMap::new(),
            answer_grids: BTreeMap::new(),
            pools: BTreeMap::new(),
            budgets: BTreeMap::new(),
            grants: Vec::new(),
            trials: Vec::new(),
        };
        let files = documents
            .iter()
            .map(|document| Ok((In(document), document.read::<File>()?)))
            .collect::<Result<Vec<_>, DocumentError>>()?;
        for (at, file) in &files {
            at.version(&file.policy)?;
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
                set.grants.push(grant);
            }
        }
        for (at, file) in &files {
            for table in &file.test {
                let trial = set.check_trial(at, table)?;
                set.trials.push(trial);
            }
        }
        if set.office.is_empty() {
            let message = "no policy file: an office without a policy answers nothing".to_owned();
            return Err(DocumentError { file: "policies".to_owned(), at: None, message });
        }
        Ok(set)
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
        for principal in table.to.get_ref() {
            if !is_principal(principal) {
                let message = format!(
                    "`{principal}` is not `spiffe://region/role/name`; a role is `analyst` or the like, the name may be `*`"
                );
                return Err(at.error(&table.to, message));
            }
        }
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
            to: table.to.get_ref().clone(),
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

/// The roles that a principal may have.
const ROLES: [&str; 5] = ["office", "coordinator", "analyst", "auditor", "administrator"];

/// `spiffe://region/role/name`, where the name may be `*`.
fn is_principal(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("spiffe://") else { return false };
    let segments: Vec<&str> = rest.split('/').collect();
    let plain = |segment: &&str| {
        !segment.is_empty() && !segment.contains('*') && segment.bytes().all(|c| c.is_ascii_graphic())
    };
    match segments.as_slice() {
        [region, role, name] => plain(region) && ROLES.contains(role) && (*name == "*" || plain(name)),
        _ => false,
    }
}

/// A document whose errors are being made.
pub(crate) struct In<'a>(&'a Document);

impl In<'_> {
    pub(crate) fn error<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> DocumentError {
        self.0.error(at.span().start, message)
    }

    fn unknown<'a, T>(
        &self,
        what: &str,
        at: &Spanned<T>,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> DocumentError {
        let meant =
            nearest(name, known).map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
        self.error(at, format!("{what} `{name}` is not declared{meant}"))
    }

    fn version(&self, version: &Spanned<u32>) -> Result<(), DocumentError> {
        if *version.get_ref() == 1 {
            Ok(())
        } else {
            Err(self.error(version, "this version reads `policy = 1` only"))
        }
    }

    pub(crate) fn parsed<T: FromStr>(&self, text: &Spanned<String>) -> Result<T, DocumentError>
    where
        T::Err: std::fmt::Display,
    {
        text.get_ref().parse().map_err(|error: T::Err| self.error(text, error.to_string()))
    }

    fn epsilon(&self, epsilon: &Spanned<Quantity>) -> Result<u64, DocumentError> {
        let nano =
            epsilon.get_ref().0.scaled(9).and_then(|nano| u64::try_from(nano).ok()).filter(|nano| *nano > 0);
        nano.ok_or_else(|| self.error(epsilon, "an epsilon is above 0 and no finer than a billionth"))
    }

    fn delta_per_query(
        &self,
        delta: Option<&Spanned<Quantity>>,
        account: &Accounting,
    ) -> Result<u64, DocumentError> {
        let Some(delta) = delta else { return Ok(0) };
        let Accounting::Zcdp { delta_e18: most } = account else {
            return Err(self.error(
                delta,
                "`delta_per_query` needs `accounting = \"zcdp\"`: a pure account has no delta",
            ));
        };
        let units = delta.get_ref().0.scaled(18).and_then(|units| u64::try_from(units).ok());
        units.filter(|units| (1..=*most).contains(units)).ok_or_else(|| {
            self.error(delta, "`delta_per_query` is above 0 and at most the `delta` of the budget")
        })
    }

    fn budget(&self, table: &file::BudgetTable) -> Result<Budget, DocumentError> {
        let account = match (table.accounting.get_ref(), &table.delta) {
            (AccountingWord::Pure, None) => Accounting::Pure,
            (AccountingWord::Pure, Some(delta)) => {
                return Err(self.error(
                    delta,
                    "a pure account has no `delta`: remove it, or set `accounting = \"zcdp\"`",
                ));
            }
            (AccountingWord::Zcdp, None) => {
                return Err(self.error(&table.accounting, "a zCDP account needs a `delta`, such as 1e-6"));
            }
            (AccountingWord::Zcdp, Some(delta)) => {
                let units = delta.get_ref().0.scaled(18).and_then(|units| u64::try_from(units).ok());
                // Above a thousandth, delta says that one person in a thousand may be exposed outright.
                let units = units.filter(|units| (1..=1_000_000_000_000_000).contains(units));
                Accounting::Zcdp {
                    delta_e18: units
                        .ok_or_else(|| self.error(delta, "`delta` is above 0 and at most 0.001"))?,
                }
            }
        };
        let epsilon_nano = self.epsilon(&table.epsilon)?;
        account.amount_of(epsilon_nano).map_err(|error| self.error(&table.epsilon, error.to_string()))?;
        let renews = match table.renews {
            RenewsWord::Never => Renewal::Never,
            RenewsWord::Monthly => Renewal::Monthly,
            RenewsWord::Quarterly => Renewal::Quarterly,
            RenewsWord::Yearly => Renewal::Yearly,
        };
        Ok(Budget { account, epsilon_nano, renews })
    }
}

#[cfg(test)]
mod tests;
