//! Look-ups: which datasets there are for the asker, and a stored release again.

use std::collections::BTreeSet;

use lango_policy::{Grant, PolicySet};
use lango_privacy::{Column, Dataset, DatasetKind, Grid, Measure, Name, Query};
use lango_store::{Decision, Step};
use lango_wire::{FREE, FieldFault, Lookup, Malformed, Object, Refusal, kept, pb};

use crate::{
    Gateway,
    authenticate::Request,
    refuse::{Known, Refused},
    sign::stored_key,
};

impl Gateway {
    /// The datasets that some grant opens to the asker, no further than those grants.
    pub(crate) async fn describe(
        &self,
        request: &Request<Lookup>,
        lookup: &Lookup,
    ) -> Result<Vec<pb::Dataset>, Refused> {
        let Object::Describe(only) = &lookup.object else {
            return Err(Refusal::from(Malformed { field: "object", fault: FieldFault::DescribeOnly }).into());
        };
        self.make_answer_room(request).await;
        let principal = &request.principal;
        let open: Vec<&Grant> = request.policy.set.open_to(principal, self.today()).collect();
        let set = &request.policy.set;
        let datasets = set
            .datasets
            .values()
            .filter(|dataset| only.as_ref().is_none_or(|name| name == dataset.name.as_str()));
        let described: Vec<pb::Dataset> =
            datasets.filter_map(|dataset| self.describe_one(set, dataset, &open)).collect();
        let known = Known { dataset: only.clone(), ..Known::default() };
        if let (Some(name), true) = (only, described.is_empty()) {
            let (office, dataset) = (self.office.name().to_owned(), name.clone());
            let principal = principal.to_string();
            return Err(Refused::new(Refusal::DatasetNotOpen { office, dataset, principal }, &known));
        }
        let mut record = self.record(request, &known, Decision::Described);
        record.request = request.step(Step::Answered(kept::datasets(&described)));
        self.append(request, &record, &known).await?;
        Ok(described)
    }

    fn describe_one(&self, set: &PolicySet, dataset: &Dataset, open: &[&Grant]) -> Option<pb::Dataset> {
        let grants: Vec<&&Grant> = open.iter().filter(|grant| grant.dataset == dataset.name).collect();
        let budget = set.budget(&dataset.name)?;
        let measured = grants.iter().flat_map(|grant| grant.measures.iter().filter_map(Measure::column));
        let usable: BTreeSet<&Name> =
            grants.iter().flat_map(|grant| grant.by.iter().chain(&grant.filters)).chain(measured).collect();
        let column = |name: &&Name| {
            let column = dataset.columns.get(*name)?;
            let keyset = column.domain.keyset();
            let codes = keyset.iter().flat_map(|keyset| keyset.codes()).map(ToString::to_string).collect();
            Some(pb::Column { name: name.to_string(), codes, numbers: numbers(column) })
        };
        if grants.is_empty() {
            return None;
        }
        Some(pb::Dataset {
            name: dataset.name.to_string(),
            title: dataset.title.clone(),
            kind: match dataset.kind {
                DatasetKind::Stock => "stock".to_owned(),
                DatasetKind::Flow => "flow".to_owned(),
            },
            version: dataset.version.to_string(),
            unit: dataset.unit.noun.to_string(),
            rows_at_most: dataset.unit.rows_at_most,
            cells_at_most: dataset.unit.cells_at_most,
            columns: usable.iter().filter_map(column).collect(),
            grants: grants.iter().map(|grant| as_message(grant)).collect(),
            account: Some(budget.account.into()),
            filters_rows: self.filters_rows(dataset),
        })
    }

    /// Whether rules of the office's database choose the dataset's rows: so says the configuration.
    pub(crate) fn filters_rows(&self, dataset: &Dataset) -> bool {
        self.sources.get(&dataset.source).is_some_and(|source| source.filters_rows())
    }

    /// A stored release, for any principal that could ask its question today.
    pub(crate) async fn get_release(
        &self,
        request: &Request<Lookup>,
        lookup: &Lookup,
    ) -> Result<pb::Release, Refused> {
        let Object::Release(id) = &lookup.object else {
            return Err(Refusal::from(Malformed { field: "object", fault: FieldFault::ReleaseOnly }).into());
        };
        let known = Known::default();
        self.make_answer_room(request).await;
        let stored = self.store.release(id).await;
        let stored = stored.map_err(|error| known.unavailable("the store failed", &error))?;
        // One answer for a release that is not there and one that is not for the principal: identifiers show nothing.
        let unknown = || Refused::new(Refusal::ReleaseUnknown, &known);
        let stored = stored.ok_or_else(unknown)?;
        let query: Query = stored.query.parse().map_err(|_| unknown())?;
        let granted = self.open_to(request, &query, &known.purpose, &stored.loss).map_err(|_| unknown())?;
        let key = stored_key(&stored).ok_or_else(unknown)?;
        let shown = self.is_reviewed(request, &granted, &key, (&known.purpose, &stored.loss)).await;
        if !shown.map_err(|error| known.unavailable("the reviews cannot be read", &error))? {
            return Err(unknown());
        }
        request.pace.authorised(request.policy.set.answer_grids.get(&query.dataset));
        let query_digest =
            Some(lango_identity::digest(lango_identity::PayloadType::Text, stored.query.as_bytes()));
        let known = Known {
            query_digest,
            query: Some(stored.query.clone()),
            dataset: Some(query.dataset.to_string()),
            rule: Some(granted.grant.id.clone()),
            agreement: granted.grant.agreement.as_ref().map(ToString::to_string),
            ..known
        };
        let earlier = self.earlier_of(request, &stored, &known).await?;
        let earlier = self.sign_earlier(request, earlier);
        let mut record = self.record(request, &known, Decision::Repeated);
        record.release_id = Some(stored.release_id);
        let signed = self.sign(request, stored, FREE, true, &granted, earlier);
        record.request = request.step(Step::Answered(kept::release(query.dataset.as_str(), &signed)));
        self.append(request, &record, &known).await?;
        Ok(signed)
    }
}

/// What can be computed of a column of numbers.
fn numbers(column: &Column) -> Option<pb::Numbers> {
    let range = column.range()?;
    let count = |grid: Option<Grid>| grid.map_or(0, |grid| grid.count(&range) as u64);
    Some(pb::Numbers {
        low: range.low,
        high: range.high,
        scale: range.scale,
        bins: count(column.bin_grid()),
        candidates: count(column.candidate_grid()),
    })
}

fn as_message(grant: &Grant) -> pb::Grant {
    pb::Grant {
        id: grant.id.clone(),
        purposes: grant.purposes.clone(),
        measures: grant.measures.iter().map(ToString::to_string).collect(),
        by: grant.by.iter().map(ToString::to_string).collect(),
        by_at_most: grant.by_at_most,
        epsilon_per_query_nano: grant.epsilon_per_query_nano,
        epsilon_total_nano: grant.epsilon_total_nano,
    }
}
