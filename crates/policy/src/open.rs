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

    /// What prohibitions leave to a principal of a grant, on whatever day; nothing where they forbid all of it.
    pub fn left_of<'a>(&'a self, principal: &'a SpiffeId, grant: &'a Grant) -> Option<OpenGrant<'a>> {
        let rules: Vec<&Prohibition> =
            self.prohibitions_to(principal).filter(|rule| rule.is_on(&grant.dataset)).collect();
        left_of(grant, self.datasets.get(&grant.dataset)?, &rules)
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
            let on_it = grants.iter().filter(|grant| grant.dataset == dataset.name);
            let grants: Vec<_> = on_it.filter_map(|grant| left_of(grant, dataset, &rules)).collect();
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
        if rule.purposes.is_empty() && whole(rule, self.dataset).is_some() {
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

/// What a prohibition refuses of each of its purposes, whatever else is asked.
enum Whole<'a> {
    /// Every question.
    Dataset,
    /// Every question that uses this column.
    Column(&'a Name),
    /// Every question that groups by this column or has a condition on it: each of its keys is refused.
    Keys(&'a Name),
}

/// What a prohibition refuses as a whole; nothing where it refuses combinations, or some codes of a column alone.
fn whole<'a>(rule: &'a Prohibition, dataset: &Dataset) -> Option<Whole<'a>> {
    let (mut columns, mut codes) = (rule.columns.iter(), rule.codes.iter());
    match (columns.next(), codes.next(), columns.next(), codes.next()) {
        (None, None, ..) => Some(Whole::Dataset),
        (Some(column), None, None, _) => Some(Whole::Column(column)),
        (None, Some((column, codes)), _, None) => {
            let keyset = dataset.columns.get(column)?.domain.keyset()?;
            keyset.codes().iter().all(|code| codes.contains(code)).then_some(Whole::Keys(column))
        }
        _ => None,
    }
}

/// What prohibitions leave of a grant; nothing where that is no measure for any purpose.
fn left_of<'a>(grant: &'a Grant, dataset: &Dataset, rules: &[&Prohibition]) -> Option<OpenGrant<'a>> {
    let mut open =
        OpenGrant { grant, purposes: Vec::new(), measures: Vec::new(), by: Vec::new(), filters: Vec::new() };
    let (mut measures, mut by, mut filters) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for purpose in &grant.purposes {
        let of_it = rules.iter().filter(|rule| rule.is_for(Some(purpose)));
        let refused: Vec<Whole<'_>> = of_it.filter_map(|rule| whole(rule, dataset)).collect();
        let is_closed = refused.iter().any(|refused| matches!(refused, Whole::Dataset));
        let is_measured = |name: &Name| {
            !refused.iter().any(|refused| matches!(refused, Whole::Column(column) if *column == name))
        };
        let is_grouped = |name: &Name| {
            let is_it = |refused: &Whole<'_>| matches!(refused, Whole::Keys(column) if *column == name);
            is_measured(name) && !refused.iter().any(is_it)
        };
        let is_left = |measure: &&Measure| {
            measure.column().is_none_or(is_measured) && measure.dimension().is_none_or(is_grouped)
        };
        let left: Vec<&Measure> = grant.measures.iter().filter(is_left).collect();
        if is_closed || left.is_empty() {
            continue;
        }
        open.purposes.push(purpose);
        measures.extend(left);
        by.extend(grant.by.iter().filter(|name| is_grouped(name)));
        filters.extend(grant.filters.iter().filter(|name| is_grouped(name)));
    }
    open.measures = grant.measures.iter().filter(|measure| measures.contains(measure)).collect();
    open.by = grant.by.iter().filter(|name| by.contains(name)).collect();
    open.filters = grant.filters.iter().filter(|name| filters.contains(name)).collect();
    (!open.purposes.is_empty()).then_some(open)
}

impl Budget {
    /// How many questions at a price, in billionths of epsilon, a grant's share pays for, if nobody else asks.
    pub fn questions_of(&self, grant: &Grant, epsilon_nano: u64) -> Option<u64> {
        let share = self.account.amount_of(grant.epsilon_total_nano).ok()?;
        share.checked_div(self.account.amount_of(epsilon_nano).ok()?)
    }
}
