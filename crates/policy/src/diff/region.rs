//! What a grant allows of a question, not counting who asks it: sets of columns and measures, and two bounds. A question that is
//! within a region in each part is allowed, and every part of it is too.

use std::collections::{BTreeMap, BTreeSet};

use lango_privacy::{Code, Decimal, Measure, Name};

use super::work::Work;
use crate::{explain::covers, grant::Grant, prohibition::Prohibition};

/// A set of small numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub fn none(of: usize) -> Self {
        Self(vec![0; of.div_ceil(64)])
    }

    pub fn of(size: usize, members: impl Iterator<Item = usize>) -> Self {
        let mut bits = Self::none(size);
        members.for_each(|member| bits.insert(member));
        bits
    }

    pub fn insert(&mut self, member: usize) {
        if let Some(word) = self.0.get_mut(member / 64) {
            *word |= 1 << (member % 64);
        }
    }

    pub fn remove(&mut self, member: usize) {
        if let Some(word) = self.0.get_mut(member / 64) {
            *word &= !(1 << (member % 64));
        }
    }

    pub fn contains(&self, member: usize) -> bool {
        self.0.get(member / 64).is_some_and(|word| word & (1 << (member % 64)) != 0)
    }

    pub fn within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, other)| one & !other == 0)
    }

    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one & other).collect())
    }

    pub fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one | other).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub fn minus(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one & !other).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let rest = std::iter::successors(Some(*word), |word| Some(word & word.wrapping_sub(1)));
            rest.take_while(|word| *word != 0).map(move |word| at * 64 + word.trailing_zeros() as usize)
        })
    }
}

/// The columns and the measures of a dataset that grants speak of.
#[derive(Debug)]
pub(super) struct Universe {
    pub columns: Vec<Name>,
    pub measures: Vec<Written>,
}

/// A measure as a question has it, and the places of its columns.
#[derive(Debug)]
pub(super) struct Written {
    pub measure: Measure,
    /// What it reads.
    pub column: Option<usize>,
    /// What it groups by beside its margin.
    pub dimension: Option<usize>,
    /// Of what it reveals as much as grouping does.
    pub reveals: Option<usize>,
}

impl Universe {
    /// None where there are more measures than the work allows.
    pub fn of<'a>(grants: impl Iterator<Item = &'a Grant> + Clone, work: &Work) -> Option<Self> {
        let measured = grants.clone().flat_map(|grant| grant.measures.iter().filter_map(Measure::column));
        let columns = grants.clone().flat_map(|grant| grant.by.iter().chain(&grant.filters)).chain(measured);
        let columns: BTreeSet<Name> = columns.cloned().collect();
        let columns: Vec<Name> = columns.into_iter().collect();
        let place = |name: Option<&Name>| columns.binary_search(name?).ok();
        let measures = asked(grants.flat_map(|grant| &grant.measures), work)?;
        let written = measures.into_iter().map(|measure| Written {
            column: place(measure.column()),
            dimension: place(measure.dimension()),
            reveals: place(measure.reveals()),
            measure,
        });
        let measures = written.collect();
        Some(Self { columns, measures })
    }

    pub fn place(&self, column: &Name) -> Option<usize> {
        self.columns.binary_search(column).ok()
    }

    /// What a prohibition refuses; none where it speaks of a column that no grant does.
    pub fn barrier(&self, rule: &Prohibition) -> Option<Barrier> {
        let mut columns = Bits::none(self.columns.len());
        for column in &rule.columns {
            columns.insert(self.place(column)?);
        }
        let codes = rule.codes.iter().map(|(column, codes)| Some((self.place(column)?, codes.clone())));
        Some(Barrier { columns, codes: codes.collect::<Option<_>>()? })
    }

    /// The steps of a comparison of all columns and measures.
    pub fn width(&self) -> usize {
        1 + (self.columns.len() + self.measures.len()) / 64
    }
}

/// A prohibition as far as it matters to an asker: columns, and codes by column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Barrier {
    pub columns: Bits,
    pub codes: BTreeMap<usize, BTreeSet<Code>>,
}

/// The measures that questions may have so that no difference between the granted ones escapes: of quantiles each set of shares
/// that is granted, each that two of them have in common, and of those that leave the shares open one that nobody names.
fn asked<'a>(granted: impl Iterator<Item = &'a Measure>, work: &Work) -> Option<BTreeSet<Measure>> {
    let granted: BTreeSet<&Measure> = granted.collect();
    let named: BTreeSet<&Decimal> = granted
        .iter()
        .filter_map(|measure| match measure {
            Measure::Quantile(_, shares) => Some(shares),
            Measure::Units(_) | Measure::Rows | Measure::RowsOf(_) | Measure::Sum(_) | Measure::Mean(_) => {
                None
            }
            Measure::Share(_) | Measure::Histogram(_) | Measure::Keys(_) => None,
        })
        .flatten()
        .collect();
    let each = granted.iter().map(|measure| match measure {
        Measure::Quantile(_, shares) => shares.len(),
        Measure::Units(_) | Measure::Rows | Measure::RowsOf(_) | Measure::Sum(_) | Measure::Mean(_) => 0,
        Measure::Share(_) | Measure::Histogram(_) | Measure::Keys(_) => 0,
    });
    let shares: usize = each.sum();
    work.take(granted.len().saturating_add(shares.saturating_mul(shares)))?;
    let unnamed = ["0.5"].into_iter().map(str::to_owned).chain((1..).map(|at| format!("0.{at:06}")));
    let unnamed = unnamed.filter_map(|text| Decimal::minimal(&text)).find(|share| !named.contains(share));
    let mut asked = BTreeSet::new();
    for measure in &granted {
        let Measure::Quantile(column, shares) = measure else {
            asked.insert((*measure).clone());
            continue;
        };
        if shares.is_empty() {
            asked.extend(unnamed.iter().map(|share| Measure::Quantile(column.clone(), vec![share.clone()])));
            continue;
        }
        for other in &granted {
            let Measure::Quantile(of, others) = other else { continue };
            let common: Vec<Decimal> =
                shares.iter().filter(|share| others.contains(share)).cloned().collect();
            if of == column && !common.is_empty() {
                asked.insert(Measure::Quantile(column.clone(), common));
            }
        }
    }
    Some(asked)
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Region {
    pub measures: Bits,
    /// What may be grouped by.
    pub by: Bits,
    /// What conditions may be on.
    pub filters: Bits,
    pub at_most: usize,
    pub epsilon_nano: u64,
}

impl Region {
    /// None where there are more measures than the work allows.
    pub fn of(grant: &Grant, universe: &Universe, work: &Work) -> Option<Self> {
        let columns = grant.by.len() + grant.filters.len();
        work.take(columns + universe.width() + universe.measures.len() * grant.measures.len().max(1))?;
        let names = |names: &[Name]| {
            let places = names.iter().filter_map(|name| universe.place(name));
            Bits::of(universe.columns.len(), places)
        };
        let by = names(&grant.by);
        let measures = universe.measures.iter().enumerate().filter(|(_, written)| {
            let is_grouped = written.dimension.is_none_or(|dimension| by.contains(dimension));
            is_grouped && grant.measures.iter().any(|granted| covers(granted, &written.measure))
        });
        Some(Self {
            measures: Bits::of(universe.measures.len(), measures.map(|(at, _)| at)),
            filters: by.or(&names(&grant.filters)),
            by,
            at_most: grant.by_at_most as usize,
            epsilon_nano: grant.epsilon_per_query_nano,
        })
    }

    /// What both allow.
    pub fn and(&self, other: &Self) -> Self {
        Self {
            measures: self.measures.and(&other.measures),
            by: self.by.and(&other.by),
            filters: self.filters.and(&other.filters),
            at_most: self.at_most.min(other.at_most),
            epsilon_nano: self.epsilon_nano.min(other.epsilon_nano),
        }
    }

    /// The columns that a question within may use, measured ones included.
    pub fn usable(&self, universe: &Universe) -> Bits {
        let mut usable = self.by.or(&self.filters);
        let measures = self.measures.iter().filter_map(|at| universe.measures.get(at));
        measures.filter_map(|measure| measure.column).for_each(|column| usable.insert(column));
        usable
    }

    /// Whether the other allows all that this one does.
    pub fn within(&self, other: &Self) -> bool {
        self.epsilon_nano <= other.epsilon_nano
            && self.at_most <= other.at_most
            && self.measures.within(&other.measures)
            && self.by.within(&other.by)
            && self.filters.within(&other.filters)
    }
}
