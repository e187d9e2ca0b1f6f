//! Look-ups: what is open to the asker, and a stored release again.

use std::sync::Arc;

use lango_identity::{PayloadType, digest};
use lango_ledger::{Account, Balance};
use lango_policy::{CodeLabels, Granted, OpenDataset, OpenGrant, OpenRefusal};
use lango_privacy::{Accounting, Column, Dataset, Grid, Loss, Query};
use lango_store::{Decision, Step};
use lango_wire::{
    DatasetColumn, DescribedDataset, DescribedGrant, DescribedNumbers, DescribedRefusal, FREE, FieldFault,
    Lookup, Malformed, Object, OnWire, Refusal, SignedDescription, description, kept,
    limits::{DATASET_PARTS_MOST, DATASETS_BYTES_MAX, DATASETS_MOST},
    pb,
};

use crate::{
    Gateway,
    authenticate::Request,
    refuse::{Known, Refused},
    release_key::stored_key,
    sign::envelope_digest,
};

impl Gateway {
    /// What is open to the asker today, signed: the policy and the ledger say so, and no row is read for it.
    pub(crate) async fn describe(
        &self,
        request: &Request<Lookup>,
        lookup: &Lookup,
    ) -> Result<pb::Description, Refused> {
        let Object::Describe(only) = &lookup.object else {
            return Err(Refusal::from(Malformed { field: "object", fault: FieldFault::DescribeOnly }).into());
        };
        self.make_answer_room(request).await;
        let known = Known { dataset: only.clone(), ..Known::default() };
        let mut open = request.policy.set.open(&request.principal, self.today());
        open.retain(|open| only.as_ref().is_none_or(|name| name == open.dataset.name.as_str()));
        if let (Some(name), true) = (only, open.is_empty()) {
            let (office, dataset) = (self.office.name().to_owned(), name.clone());
            let principal = request.principal.to_string();
            return Err(Refused::new(Refusal::DatasetNotOpen { office, dataset, principal }, &known));
        }
        let mut datasets = Vec::new();
        for open in &open {
            datasets.push(self.describe_one(request, open, &known).await?);
        }
        let (datasets, left_out) = within_bounds(datasets);
        let cosigned_at = self
            .log_cosigned()
            .await
            .map_err(|error| known.unavailable("the log's standing could not be read", &error))?;
        let cosigned_at = cosigned_at.and_then(|(_, seconds)| u64::try_from(seconds).ok());
        let datasets = description::datasets(&datasets, left_out, cosigned_at);
        let signed = SignedDescription {
            request_digest: request.digest,
            office: self.office.clone(),
            policy_digest: request.policy.digest,
            datasets_digest: digest(PayloadType::Datasets, &datasets),
            time: u64::try_from(request.came_at).unwrap_or_default(),
        };
        let envelope = Some(self.signer.sign(PayloadType::Description, signed.encode()).into());
        let described = pb::Description { envelope, datasets };
        let mut record = self.record(request, &known, Decision::Described);
        record.request = request.step(Step::Answered(kept::description(&described)));
        self.append(request, &record, &known).await?;
        Ok(described)
    }

    async fn describe_one(
        &self,
        request: &Request<Lookup>,
        open: &OpenDataset<'_>,
        known: &Known,
    ) -> Result<DescribedDataset, Refused> {
        let dataset = open.dataset;
        // Every grant draws on the same pool.
        let mut pool: Option<(Account, Balance)> = None;
        let mut grants = Vec::new();
        for grant in &open.grants {
            grants.push(self.describe_grant(request, open, grant, (&mut pool, known)).await?);
        }
        let labels = request.policy.set.labels.get(&dataset.name);
        let column = |name| {
            let labels = labels.and_then(|labels| labels.get(name));
            Some(described_column(name, dataset.columns.get(name)?, labels.map(Arc::as_ref)))
        };
        Ok(DescribedDataset {
            name: dataset.name.clone(),
            title: dataset.title.clone(),
            kind: dataset.kind,
            version: dataset.version.clone(),
            unit: dataset.unit.noun.clone(),
            rows_at_most: dataset.unit.rows_at_most,
            cells_at_most: dataset.unit.cells_at_most,
            account: open.budget.account,
            renews: open.budget.renews,
            filters_rows: self.filters_rows(dataset),
            columns: open.columns().into_iter().filter_map(column).collect(),
            grants,
            refused: open.refused.iter().map(described_refusal).collect(),
        })
    }

    async fn describe_grant(
        &self,
        request: &Request<Lookup>,
        open: &OpenDataset<'_>,
        described: &OpenGrant<'_>,
        (pool, known): (&mut Option<(Account, Balance)>, &Known),
    ) -> Result<DescribedGrant, Refused> {
        let grant = described.grant;
        let granted = Granted { grant, dataset: open.dataset, pool: open.pool, budget: open.budget };
        let loss = loss_of(open.budget.account, grant.epsilon_per_query_nano);
        let mut queries_left = u64::MAX;
        for charge in self.accounts(request, &granted, known)? {
            let balance = match pool {
                Some((account, balance)) if *account == charge.account => *balance,
                _ => {
                    let balance = self.store.balance(&charge.account).await;
                    balance.map_err(|error| known.unavailable("the store failed", &error))?
                }
            };
            queries_left = queries_left.min(balance.queries_left(&loss, &charge.limit));
            pool.get_or_insert((charge.account, balance));
        }
        Ok(DescribedGrant {
            id: grant.id.clone(),
            purposes: described.purposes.iter().map(|purpose| (*purpose).to_owned()).collect(),
            measures: described.measures.iter().copied().cloned().collect(),
            by: described.by.iter().copied().cloned().collect(),
            filters: described.filters.iter().copied().cloned().collect(),
            by_at_most: grant.by_at_most,
            epsilon_per_query_nano: grant.epsilon_per_query_nano,
            epsilon_total_nano: grant.epsilon_total_nano,
            valid: grant.valid.map(|valid| (valid.from.to_string(), valid.until.to_string())),
            queries_left,
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
        if !self.is_reviewed(request, &granted, (&key, &stored.loss), &known).await? {
            return Err(unknown());
        }
        request.pace.authorised(request.policy.set.answer_grids.get(&query.dataset));
        let mut known = Known {
            query_digest: Some(key.query_digest),
            query: Some(stored.query.clone()),
            dataset: Some(query.dataset.to_string()),
            ..known
        };
        known.allowed_by(granted.grant);
        let earlier = self.earlier_of(request, &stored, &known).await?;
        let earlier = self.sign_earlier(request, earlier, &known)?;
        let mut record = self.record(request, &known, Decision::Repeated);
        (record.release_id, record.version) = (Some(stored.release_id), Some(stored.dataset_version.clone()));
        let signed = self.sign(request, stored, (FREE, true), &granted, earlier, &known)?;
        record.release_envelope = envelope_digest(&signed);
        record.request = request.step(Step::Answered(kept::release(query.dataset.as_str(), &signed)));
        self.append(request, &record, &known).await?;
        Ok(signed)
    }
}

/// What a question at the most epsilon of a grant costs.
fn loss_of(account: Accounting, epsilon_nano: u64) -> Loss {
    match account {
        Accounting::Pure => Loss::pure(epsilon_nano),
        // No question is left at a price that no amount of the currency is.
        Accounting::Zcdp { .. } => Loss::rho(account.amount_of(epsilon_nano).unwrap_or(u64::MAX)),
    }
}

fn described_column(
    name: &lango_privacy::Name,
    column: &Column,
    labels: Option<&CodeLabels>,
) -> DatasetColumn {
    let keyset = column.domain.keyset();
    let codes: Vec<_> = keyset.iter().flat_map(|keyset| keyset.codes()).cloned().collect();
    let label = |code| labels.and_then(|labels| labels.get(code)).cloned().unwrap_or_default();
    let labels = if labels.is_some() { codes.iter().map(label).collect() } else { Vec::new() };
    DatasetColumn {
        name: name.clone(),
        labels,
        code_count: u32::try_from(codes.len()).unwrap_or(u32::MAX),
        codes,
        numbers: numbers(column),
    }
}

fn described_refusal(refused: &OpenRefusal<'_>) -> DescribedRefusal {
    let codes = refused.codes.iter().map(|(column, codes)| {
        let codes = codes.iter().copied().cloned().collect();
        ((*column).clone(), codes)
    });
    DescribedRefusal {
        id: refused.id.to_owned(),
        purposes: refused.purposes.iter().map(|purpose| (*purpose).to_owned()).collect(),
        columns: refused.columns.iter().copied().cloned().collect(),
        codes: codes.collect(),
    }
}

/// What can be computed of a column of numbers.
fn numbers(column: &Column) -> Option<DescribedNumbers> {
    let range = column.range()?;
    let count = |grid: Option<Grid>| grid.map_or(0, |grid| grid.count(&range) as u64);
    Some(DescribedNumbers {
        low: range.low,
        high: range.high,
        scale: range.scale,
        bins: count(column.bin_grid()),
        candidates: count(column.candidate_grid()),
    })
}

/// Datasets of a description, and how many are left out, so that it is no larger than one may be. What codes are called goes
/// first. The codes of the columns that
/// have most are counted and not listed where they make it too large; if it is too large without codes, the last datasets are
/// counted and not described.
fn within_bounds(mut datasets: Vec<DescribedDataset>) -> (Vec<DescribedDataset>, u32) {
    let bytes = |dataset: &DescribedDataset| dataset.to_message().wire_bytes() + FRAME_BYTES;
    let mut size: usize = datasets.iter().map(bytes).sum::<usize>() + FRAME_BYTES;
    let mut columns: Vec<_> = datasets.iter_mut().flat_map(|dataset| &mut dataset.columns).collect();
    let label_bytes =
        |column: &DatasetColumn| column.labels.iter().map(|label| label.len() + 2).sum::<usize>();
    columns.sort_by_key(|column| std::cmp::Reverse(label_bytes(column)));
    for column in &mut columns {
        if size <= DATASETS_BYTES_MAX {
            break;
        }
        size = size.saturating_sub(label_bytes(column));
        column.labels.clear();
    }
    columns.sort_by_key(|column| std::cmp::Reverse(column.codes.len()));
    for column in columns {
        if size <= DATASETS_BYTES_MAX {
            break;
        }
        let codes = column.codes.iter().map(|code| code.as_str().len() + 2).sum::<usize>();
        size = size.saturating_sub(codes);
        column.codes.clear();
    }
    let parts =
        |dataset: &DescribedDataset| dataset.columns.len() + dataset.grants.len() + dataset.refused.len();
    let (mut left_out, mut count) = (0, datasets.iter().map(parts).sum::<usize>());
    while size > DATASETS_BYTES_MAX || datasets.len() > DATASETS_MOST || count > DATASET_PARTS_MOST {
        let Some(last) = datasets.pop() else { break };
        (size, count) = (size.saturating_sub(bytes(&last)), count - parts(&last));
        left_out += 1;
    }
    (datasets, left_out)
}

/// What the frame of a message in another one takes at most, in bytes.
const FRAME_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use lango_policy::Renewal;
    use lango_privacy::{Code, DatasetKind};

    use super::*;

    fn dataset(name: &str, title: usize, codes: &[usize]) -> DescribedDataset {
        let code = |number: usize| format!("{number:06}").parse::<Code>().unwrap();
        let column = |(at, count): (usize, &usize)| DatasetColumn {
            name: format!("c{at}").parse().unwrap(),
            code_count: u32::try_from(*count).unwrap(),
            codes: (0..*count).map(code).collect(),
            labels: Vec::new(),
            numbers: None,
        };
        DescribedDataset {
            name: name.parse().unwrap(),
            title: "t".repeat(title),
            kind: DatasetKind::Stock,
            version: code(1),
            unit: "person".parse().unwrap(),
            rows_at_most: 1,
            cells_at_most: 1,
            account: Accounting::Pure,
            renews: Renewal::Never,
            filters_rows: false,
            columns: codes.iter().enumerate().map(column).collect(),
            grants: Vec::new(),
            refused: Vec::new(),
        }
    }

    #[test]
    fn what_codes_are_called_goes_before_the_codes() {
        let mut one = dataset("a", 9, &[2_000, 20]);
        for column in &mut one.columns {
            column.labels = column.codes.iter().map(|_| "x".repeat(400)).collect();
        }
        let (described, left_out) = within_bounds(vec![one]);
        let kept: Vec<_> =
            described[0].columns.iter().map(|column| (column.codes.len(), column.labels.len())).collect();
        assert_eq!((kept, left_out), (vec![(2_000, 0), (20, 20)], 0));
        assert!(description::datasets(&described, 0, Some(u64::MAX)).len() <= DATASETS_BYTES_MAX);
    }

    #[test]
    fn a_description_is_never_too_large() {
        let half = DATASETS_BYTES_MAX / 2;
        for (datasets, listed, left_out) in [
            (vec![dataset("a", 9, &[300, 20])], vec![vec![300, 20]], 0),
            // The longest list goes first.
            (vec![dataset("a", 9, &[20, 70_000])], vec![vec![20, 0]], 0),
            (vec![dataset("a", 9, &[60_000]), dataset("b", 9, &[9_000])], vec![vec![0], vec![9_000]], 0),
            (vec![dataset("a", 9, &[0; 19_000]), dataset("b", 9, &[0; 1_001])], vec![vec![0; 19_000]], 1),
            (vec![dataset("a", half, &[9]), dataset("b", half, &[]), dataset("c", 9, &[])], vec![vec![0]], 2),
        ] {
            let counts: Vec<Vec<u32>> = datasets
                .iter()
                .map(|one| one.columns.iter().map(|column| column.code_count).collect())
                .collect();
            let (described, found_left_out) = within_bounds(datasets);
            let bytes = description::datasets(&described, found_left_out, Some(u64::MAX));
            assert!(bytes.len() <= DATASETS_BYTES_MAX, "{}", bytes.len());
            let found: Vec<Vec<usize>> = described
                .iter()
                .map(|one| one.columns.iter().map(|column| column.codes.len()).collect())
                .collect();
            assert_eq!((found, found_left_out), (listed, left_out));
            for (one, counts) in described.iter().zip(counts) {
                assert_eq!(one.columns.iter().map(|column| column.code_count).collect::<Vec<_>>(), counts);
            }
        }
    }
}
