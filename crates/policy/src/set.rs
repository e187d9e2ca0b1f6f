//! The rules of one office, as they were found to hang together.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use lango_document::{Diagnostic, TextPlace};
use lango_privacy::{Dataset, Name};

use crate::{
    budget::{Budget, Pool},
    grant::{Grant, GrantPart, GrantPlaces},
    index::Index,
    labels::CodeLabels,
    prohibition::{Prohibition, ProhibitionPlaces},
    trial::Trial,
};

/// The rules of one office.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    /// The office's short name: ISO 3166-1 alpha-3.
    pub office: String,
    /// The datasets by name.
    pub datasets: BTreeMap<Name, Dataset>,
    /// What the codes of their columns are called, by dataset and column; of those alone whose list says so.
    pub labels: BTreeMap<Name, BTreeMap<Name, Arc<CodeLabels>>>,
    /// The step of the time grid that a dataset's answers leave on. One that is not here answers at once.
    pub answer_grids: BTreeMap<Name, Duration>,
    /// The pool that each dataset draws on.
    pub pools: BTreeMap<Name, Pool>,
    /// What everyone together may learn from each pool.
    pub budgets: BTreeMap<Name, Budget>,
    /// What each rule allows, in the files' order.
    pub grants: Vec<Grant>,
    /// What no grant allows, in the files' order.
    pub prohibitions: Vec<Prohibition>,
    /// Questions with the decision that the administrator expects.
    pub trials: Vec<Trial>,
    /// Where each grant stands, in the same order.
    pub(crate) places: Vec<GrantPlaces>,
    /// Where each prohibition stands, in the same order.
    pub(crate) prohibition_places: Vec<ProhibitionPlaces>,
    /// Where each dataset's name stands.
    pub(crate) dataset_places: BTreeMap<Name, DatasetPlaces>,
    /// What is unwise on every day and in every region.
    pub(crate) unwise: Vec<Diagnostic>,
    /// Which grants may speak of a principal.
    pub(crate) index: Index,
}

/// Where a dataset's parts stand.
#[derive(Debug, Clone)]
pub(crate) struct DatasetPlaces {
    pub name: TextPlace,
    pub source: Option<TextPlace>,
    pub unit: Option<TextPlace>,
    pub columns: BTreeMap<Name, TextPlace>,
}

impl PolicySet {
    /// The pool that a dataset draws on.
    pub fn pool(&self, dataset: &Name) -> Option<&Pool> {
        self.pools.get(dataset)
    }

    /// The budget that a dataset draws on.
    pub fn budget(&self, dataset: &Name) -> Option<&Budget> {
        self.budgets.get(&self.pool(dataset)?.name)
    }

    /// Where a part of a grant stands; nothing where the grant does not have it.
    pub fn grant_place(&self, grant: &Grant, part: GrantPart) -> Option<&TextPlace> {
        let at = self.grants.iter().position(|other| other.id == grant.id)?;
        self.places.get(at)?.of(part)
    }

    /// Where a prohibition stands: its name, and the parts that it has.
    pub fn prohibition_place(&self, prohibition: &Prohibition) -> Option<(&TextPlace, &[TextPlace])> {
        let at = self.prohibitions.iter().position(|other| other.id == prohibition.id)?;
        let places = self.prohibition_places.get(at)?;
        Some((&places.id, &places.parts))
    }

    /// Where the name of a dataset's source stands.
    pub fn source_place(&self, dataset: &Name) -> Option<&TextPlace> {
        let places = self.dataset_places.get(dataset)?;
        Some(places.source.as_ref().unwrap_or(&places.name))
    }
}
