//! What is open to a principal on a day: the grants that are to it, less what prohibitions take out of them whatever is asked.
//! What else prohibitions refuse stands beside it.

use std::collections::{BTreeMap, BTreeSet};

use lango_principal::SpiffeId;
use lango_privacy::{Code, Dataset, Measure, Name};
use time::Date;

use crate::{
    budget::{Budget, Pool},
    grant::Grant,
    prohibition::Prohibition,
    set::PolicySet,
};

/// What is open of a dataset.
#[derive(Debug, Clone)]
pub struct OpenDataset<'a> {
    /// The dataset.
    pub dataset: &'a Dataset,
    /// The pool that it draws on.
    pub pool: &'a Pool,
    /// What may be learned from that pool.
    pub budget: &'a Budget,
    /// The grants, in the files' order; one at least.
    pub grants: Vec<OpenGrant<'a>>,
    /// What is refused of it, in the files' order.
    pub refused: Vec<OpenRefusal<'a>>,
}

/// What is open of a grant; a measure and a purpose at least.
#[derive(Debug, Clone)]
pub struct OpenGrant<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// For what.
    pub purposes: Vec<&'a str>,
    /// What may be counted.
    pub measures: Vec<&'a Measure>,
    /// By what.
    pub by: Vec<&'a Name>,
    /// Columns that conditions may use beside those.
    pub filters: Vec<&'a Name>,
}

/// What a prohibition refuses of what is open. All of its parts must be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRefusal<'a> {
    /// The prohibition's name.
    pub id: &'a str,
    /// For which purposes; empty: for all.
    pub purposes: Vec<&'a str>,
    /// Columns that are not used together in one margin, conditions included.
    pub columns: Vec<&'a Name>,
    /// Codes that are not shown, by column.
    pub codes: BTreeMap<&'a Name, Vec<&'a Code>>,
}

impl PolicySet {
    /// The prohibitions that may refuse a principal, in the files' order.
    pub fn prohibitions_to<'a>(&'a self, principal: &'a SpiffeId) -> impl Iterator<Item = &'a Prohibition> {
        self.prohibitions.iter().filter(move |rule| rule.is_to(principal))
    }

    /// What is open to a principal on a day, in the order of the datasets' names.
    ///
    /// Nothing is left out that some question could use, and nothing of a dataset is shown that the principal's own grants do not
    /// name.
    pub fn open<'a>(&'a self, principal: &'a SpiffeId, on: Date) -> Vec<OpenDataset<'a>> {
        let grants: Vec<&Grant> = self.open_to(principal, on).collect();
        let open = self.datasets.values().filter_map(|dataset| {
            let rules: Vec<&Prohibition> =
                self.prohibitions_to(principal).filter(|rule| rule.is_on(&dataset.name)).collect();
            let taken = TakenOut::by(&rules)?;
            let on_it = grants.iter().filter(|grant| grant.dataset == dataset.name);
            let grants: Vec<_> = on_it.filter_map(|grant| taken.out_of(grant)).collect();
            let (pool, budget) = self.pool(&dataset.name).zip(self.budget(&dataset.name))?;
            let is_open = !grants.is_empty();
            let mut open = OpenDataset { dataset, pool, budget, grants, refused: Vec::new() };
            open.refused = rules.iter().filter_map(|rule| open.refused_by(rule)).collect();
            is_open.then_some(open)
        });
        open.collect()
    }
}

impl<'a> OpenDataset<'a> {
    /// The columns that questions may use, in name order.
    pub fn columns(&self) -> BTreeSet<&'a Name> {
        let of_grant = |grant: &OpenGrant<'a>| {
            let measured = grant.measures.iter().filter_map(|measure| measure.column());
            grant.by.iter().chain(&grant.filters).copied().chain(measured).collect::<Vec<_>>()
        };
        self.grants.iter().flat_map(of_grant).collect()
    }

    /// What a prohibition refuses beside what it takes out; nothing where no question can meet all of its parts.
    fn refused_by(&self, rule: &'a Prohibition) -> Option<OpenRefusal<'a>> {
        if TakenOut::is_by(rule) {
            return None;
        }
        let (columns, granted) = (self.columns(), self.grants.iter().flat_map(|grant| &grant.purposes));
        let granted: BTreeSet<&str> = granted.copied().collect();
        let purposes: Vec<&str> =
            rule.purposes.iter().map(String::as_str).filter(|purpose| granted.contains(purpose)).collect();
        let codes = rule.codes.iter().map(|(column, codes)| {
            let keyset = self.dataset.columns.get(column)?.domain.keyset()?;
            let codes: Vec<&Code> = codes.iter().filter(|code| keyset.codes().contains(code)).collect();
            (columns.contains(column) && !codes.is_empty()).then_some((column, codes))
        });
        let codes: BTreeMap<&Name, Vec<&Code>> = codes.collect::<Option<_>>()?;
        let can_be_met = rule.columns.iter().all(|column| columns.contains(column))
            && (rule.purposes.is_empty() || !purposes.is_empty());
        let columns = rule.columns.iter().collect();
        can_be_met.then_some(OpenRefusal { id: &rule.id, purposes, columns, codes })
    }
}

/// What prohibitions of one part refuse, whatever is asked.
#[derive(Debug, Default)]
struct TakenOut<'a> {
    purposes: BTreeSet<&'a str>,
    columns: BTreeSet<&'a Name>,
}

impl<'a> TakenOut<'a> {
    /// Whether a prohibition refuses a whole dataset, or all of a purpose or of a column of it.
    fn is_by(rule: &Prohibition) -> bool {
        let parts = (rule.purposes.is_empty(), rule.columns.len(), rule.codes.is_empty());
        matches!(parts, (true, 0 | 1, true) | (false, 0, true))
    }

    /// What the prohibitions on a dataset take out of its grants; nothing where one refuses every question.
    fn by(rules: &[&'a Prohibition]) -> Option<Self> {
        let mut taken = Self::default();
        for rule in rules.iter().filter(|rule| Self::is_by(rule)) {
            if rule.purposes.is_empty() && rule.columns.is_empty() {
                return None;
            }
            taken.purposes.extend(rule.purposes.iter().map(String::as_str));
            taken.columns.extend(&rule.columns);
        }
        Some(taken)
    }

    /// What is left of a grant; nothing where that is no measure or no purpose.
    fn out_of<'g>(&self, grant: &'g Grant) -> Option<OpenGrant<'g>> {
        let is_left = |name: &&Name| !self.columns.contains(name);
        let measure = |measure: &&Measure| measure.column().is_none_or(|column| is_left(&column));
        let purposes = grant.purposes.iter().map(String::as_str);
        let open = OpenGrant {
            grant,
            purposes: purposes.filter(|purpose| !self.purposes.contains(purpose)).collect(),
            measures: grant.measures.iter().filter(measure).collect(),
            by: grant.by.iter().filter(is_left).collect(),
            filters: grant.filters.iter().filter(is_left).collect(),
        };
        (!open.purposes.is_empty() && !open.measures.is_empty()).then_some(open)
    }
}

impl Budget {
    /// How many questions at a price, in billionths of epsilon, a grant's share pays for, if nobody else asks.
    pub fn questions_of(&self, grant: &Grant, epsilon_nano: u64) -> Option<u64> {
        let share = self.account.amount_of(grant.epsilon_total_nano).ok()?;
        share.checked_div(self.account.amount_of(epsilon_nano).ok()?)
    }
}
