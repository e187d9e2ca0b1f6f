//! What a question pays, and how its price is shared among measures and margins.

use std::{collections::BTreeSet, str::FromStr};

use super::{Basis, Bounds, Fetch, MarginText, PlanRefusal, QuestionShape, Sensitivity, fetch::score_change};
use crate::{
    Accounting, Discovery, Level, LossError, Margin, Measure, Measurement, Noise, Objective, Price, Query,
    Range, ReleasedTable, Selection, SelectionLaw, WeightedSum, loss::EPSILON_NANO_MOST, mechanism::SCALES,
};

/// A shape with its means centred, the texts of its margins, and the releases it divides by.
type Centred = (QuestionShape, Vec<MarginText>, Vec<[u8; 16]>);

/// How a part of the price is split among a measure's margins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Split {
    /// Alike.
    Even,
    /// As makes their errors smallest.
    Best,
}

/// How often a price is raised until all margins can share it.
const SHARINGS_MOST: usize = 3;

impl QuestionShape {
    /// The whole price in billionths of the account's currency.
    pub(super) fn amount(&self, price: &Price, basis: &Basis<'_>) -> Result<u64, PlanRefusal> {
        match price {
            Price::Epsilon(epsilon) => {
                let nano = epsilon.scaled(9).and_then(|nano| u64::try_from(nano).ok());
                basis.account.amount_of(nano.ok_or(PlanRefusal::Epsilon)?).map_err(|error| match error {
                    LossError::Range => PlanRefusal::Epsilon,
                    error @ LossError::Conversion(_) => PlanRefusal::Loss(error),
                })
            }
            Price::Precision { half_width, confidence, measure, by } => {
                let level = Level::from_str(confidence.as_str()).map_err(|_| PlanRefusal::Precision)?;
                let place = self
                    .layout
                    .margins()
                    .iter()
                    .position(|margin| margin.measure == *measure && margin.by == *by);
                let place = place.ok_or(PlanRefusal::Precision)?;
                self.cheapest(place, half_width, level, basis)
            }
        }
    }

    /// The least amount at which the interval of a margin's cells, after least squares over the measure's margins, has at most
    /// the half-width that is asked for.
    fn cheapest(
        &self,
        place: usize,
        half_width: &crate::Decimal,
        level: Level,
        basis: &Basis<'_>,
    ) -> Result<u64, PlanRefusal> {
        let margin = self.layout.margins().get(place).ok_or(PlanRefusal::Precision)?;
        let scale = match (&margin.measure, self.fetches.get(place)) {
            (Measure::Sum(_), Some((Fetch::Sum { range, .. }, _))) => range.scale,
            (Measure::Units(_) | Measure::Rows | Measure::RowsOf(_) | Measure::Histogram(_), _) => 0,
            (measure, _) => return Err(PlanRefusal::PrecisionNot(measure.clone())),
        };
        // Finer than the column's scale means no more than the next whole unit below.
        let most = half_width.floor_scaled(scale).filter(|most| *most > 0).ok_or(PlanRefusal::Precision)?;
        let groups = self.groups()?;
        let group =
            groups.iter().find(|group| group.margins.contains(&place)).ok_or(PlanRefusal::Precision)?;
        let at = place - group.margins.start;
        // Above 0 where an amount buys too little. Half a unit more, for half-widths of whole numbers come in steps.
        let most = most as f64 + 0.5;
        let excess = |amount: u64, split: Split| -> Result<f64, PlanRefusal> {
            let margins = match self.priced_group(group, amount / groups.len() as u64, split, basis) {
                Ok(margins) => margins,
                Err(PlanRefusal::TooThin(_) | PlanRefusal::TooNoisy(_)) => return Ok(f64::INFINITY),
                Err(refusal) => return Err(refusal),
            };
            let terms = group.terms_of(&margins, at).unwrap_or_default();
            Ok((WeightedSum::of(terms).half_width(level) / most).ln())
        };
        let highest = basis.account.amount_of(EPSILON_NANO_MOST).map_err(PlanRefusal::Loss)?;
        let search =
            |start, split| search::least(start, highest, basis.account, &|amount| excess(amount, split));
        // From where an even split would do, which costs next to nothing to try.
        let start = search(highest, Split::Even)?.unwrap_or(highest);
        let least = search(start, Split::Best)?.ok_or(PlanRefusal::PrecisionOutOfReach)?;
        let others: Vec<&crate::Group> =
            groups.iter().filter(|other| other.margins != group.margins).collect();
        self.shareable(least, highest, &others, basis)
    }

    /// The amount, or where it is too small to be shared with the other measures' margins, about the least that is not.
    fn shareable(
        &self,
        mut amount: u64,
        highest: u64,
        others: &[&crate::Group],
        basis: &Basis<'_>,
    ) -> Result<u64, PlanRefusal> {
        for _ in 0..SHARINGS_MOST {
            let part = amount / (others.len() as u64 + 1);
            let times = others.iter().map(|group| self.times_too_thin(group, part, basis)).max();
            let times = times.unwrap_or(1);
            if times == 1 || amount == highest {
                return Ok(amount);
            }
            amount = amount.saturating_mul(times).min(highest);
        }
        Ok(amount)
    }

    /// By which power of 2 a part is too small for a group's margins to be measured at all.
    fn times_too_thin(&self, group: &crate::Group, part: u64, basis: &Basis<'_>) -> u64 {
        let shares = self.shares(group, part, Split::Best, basis.account);
        let margins = self.layout.margins().iter().zip(&self.fetches).skip(group.margins.start);
        let times = margins.zip(shared_out(part, &shares)).map(|((margin, (fetch, sensitivity)), price)| {
            let measured = |times: &u64| {
                let price = price.max(1).saturating_mul(*times).min(EPSILON_NANO_MOST);
                measurement(&margin.measure, fetch, sensitivity, basis.account, price, basis.delta_e18)
                    .is_some()
            };
            // Nothing at all is too little, too.
            let least = if price == 0 { 2 } else { 1 };
            (0..48).map(|doublings| least << doublings).find(measured).unwrap_or(1)
        });
        times.max().unwrap_or(1)
    }

    fn groups(&self) -> Result<Vec<crate::Group>, PlanRefusal> {
        let first = self.layout.margins().first().map_or(Measure::Rows, |margin| margin.measure.clone());
        self.layout.groups(&Bounds::of(&self.dataset)).ok_or(PlanRefusal::Margins(first))
    }

    /// What each margin gets for its part of the price: measures share it equally, margins of a measure as makes their errors
    /// smallest.
    pub(super) fn priced(&self, amount: u64, basis: &Basis<'_>) -> Result<Vec<MarginText>, PlanRefusal> {
        let groups = self.groups()?;
        let part = amount / groups.len().max(1) as u64;
        let priced = groups.iter().map(|group| self.priced_group(group, part, Split::Best, basis));
        Ok(priced.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// What the margins of one measure get for its part of the price.
    fn priced_group(
        &self,
        group: &crate::Group,
        part: u64,
        split: Split,
        basis: &Basis<'_>,
    ) -> Result<Vec<MarginText>, PlanRefusal> {
        let discoveries = self.fetches.iter().filter(|(fetch, _)| fetch.searches()).count();
        let delta_e18 = basis.delta_e18 / discoveries.max(1) as u64;
        let shares = self.shares(group, part, split, basis.account);
        let margins = self.layout.margins().iter().zip(&self.fetches).skip(group.margins.start);
        let priced =
            margins.zip(shared_out(part, &shares)).map(|((margin, (fetch, sensitivity)), price_nano)| {
                if let (Measure::Keys(column), true) =
                    (&margin.measure, delta_e18 == 0 || *basis.account == Accounting::Pure)
                {
                    return Err(PlanRefusal::DeltaNotGranted(column.clone()));
                }
                let measurement =
                    measurement(&margin.measure, fetch, sensitivity, basis.account, price_nano, delta_e18);
                let measurement = measurement.ok_or_else(|| match price_nano {
                    0 => PlanRefusal::TooThin(self.fetches.len()),
                    _ => PlanRefusal::TooNoisy(margin.measure.clone()),
                })?;
                Ok(MarginText {
                    measure: margin.measure.clone(),
                    by: margin.by.clone(),
                    measurement,
                    sensitivity: claimed(&margin.measure, &measurement, sensitivity),
                    price_nano,
                })
            });
        priced.collect()
    }

    /// The shares of a measure's margins.
    fn shares(&self, group: &crate::Group, part: u64, split: Split, account: &Accounting) -> Vec<f64> {
        let fetches = self.fetches.get(group.margins.clone()).unwrap_or_default();
        let count = fetches.len();
        if count == 1 || split == Split::Even {
            return vec![1.0 / count.max(1) as f64; count];
        }
        let sensitivity = |margin: usize| fetches.get(margin).map(|(_, sensitivity)| *sensitivity);
        let price = part as f64 / 1e9;
        if let Some(cube) = &group.cube {
            let variance = |margin: usize, share: f64| {
                sensitivity(margin)
                    .map_or(f64::INFINITY, |sensitivity| variance(&sensitivity, account, price * share))
            };
            return cube.shares(&variance, self.dataset.objective);
        }
        // Without least squares the errors only add up: K L^2 / epsilon^2 over the margins is least where epsilon is as the cube
        // root of K L^2, and K S / rho where rho is as the square root of K S; the largest is least where all are equal.
        let weight = |at: usize| {
            let margin = self.layout.margins().get(group.margins.start + at);
            let integers = margin.map_or(1, |margin| self.layout.integers_of(margin)) as f64;
            let Some(Sensitivity { l1, l2_squared, .. }) = sensitivity(at) else { return 1.0 };
            match (account, self.dataset.objective) {
                _ if fetches.iter().all(|(fetch, _)| fetch.chooses()) => 1.0,
                (Accounting::Pure, Objective::Sum) => (integers * (l1 as f64).powi(2)).cbrt(),
                (Accounting::Pure, Objective::Largest) => l1 as f64,
                (Accounting::Zcdp { .. }, Objective::Sum) => (integers * l2_squared as f64).sqrt(),
                (Accounting::Zcdp { .. }, Objective::Largest) => l2_squared as f64,
            }
        };
        let weights: Vec<f64> = (0..count).map(weight).collect();
        let whole: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / whole).collect()
    }

    /// The shape with those means centred that have released counts to be divided by, where that is the cheaper estimator at
    /// the same price; `None` where none has.
    pub(super) fn centred(
        &self,
        query: &Query,
        amount: u64,
        pairs: &[MarginText],
        basis: &Basis<'_>,
    ) -> Result<Option<Centred>, PlanRefusal> {
        let released = |measure: &Measure, by: &Margin| {
            let column = measure.column();
            basis.released.iter().filter(|table| column == Some(&table.column) && table.by == *by).min_by(
                |a, b| {
                    (a.noise.variance(), a.release_id)
                        .partial_cmp(&(b.noise.variance(), b.release_id))
                        .unwrap_or(std::cmp::Ordering::Equal)
                },
            )
        };
        let divisible = |measure: &Measure| {
            let margins = query.measures.get(measure).into_iter().flatten();
            measure.is_mean() && margins.into_iter().all(|by| released(measure, by).is_some())
        };
        let mut chosen: BTreeSet<&Measure> =
            query.measures.keys().filter(|measure| divisible(measure)).collect();
        if chosen.is_empty() {
            return Ok(None);
        }
        let shaped = |chosen: &BTreeSet<&Measure>| {
            QuestionShape::of(query, &self.dataset, &|measure, _| chosen.contains(measure))
        };
        let sums = shaped(&chosen)?.priced(amount, basis)?;
        chosen.retain(|measure| {
            let of = |texts: &[MarginText], error: &dyn Fn(&MarginText) -> f64| -> f64 {
                texts.iter().filter(|text| text.measure == **measure).map(error).sum()
            };
            let noise =
                |text: &MarginText| text.measurement.noise().map_or(f64::INFINITY, |noise| noise.variance());
            let column = measure.column().and_then(|column| self.dataset.columns.get(column));
            let Some((range, centre)) = column.and_then(|column| column.range().zip(column.centre())) else {
                return false;
            };
            let by_pair = of(pairs, &|text| 2.0 / 3.0 * noise(text));
            let by_count = of(&sums, &|text| {
                let count = released(measure, &text.by).map_or(f64::INFINITY, |table| table.noise.variance());
                noise(text) + mean_square(&range, centre) * count
            });
            by_count < by_pair
        });
        if chosen.is_empty() {
            return Ok(None);
        }
        let shape = shaped(&chosen)?;
        let texts = shape.priced(amount, basis)?;
        let mut earlier = Vec::new();
        for text in texts.iter().filter(|text| chosen.contains(&text.measure)) {
            let id = released(&text.measure, &text.by).map(|table: &ReleasedTable| table.release_id);
            earlier.extend(id.filter(|id| !earlier.contains(id)));
        }
        Ok(Some((shape, texts, earlier)))
    }
}

/// The parts of an amount for shares of it.
///
/// INVARIANT (no more is drawn than is charged): however a search in floats has rounded the shares, the parts sum to the amount
/// at most. Casts of shares of an amount far below 2^53 lose nothing that matters: what is lost is not spent.
fn shared_out(amount: u64, shares: &[f64]) -> Vec<u64> {
    let part = |left: &mut u64, share: &f64| {
        let part = ((amount as f64 * share) as u64).min(*left);
        *left -= part;
        Some(part)
    };
    shares.iter().scan(amount, part).collect()
}

/// The mean of `(m - centre)^2` over all means m between the bounds, which is all that is known of them.
fn mean_square(range: &Range, centre: i64) -> f64 {
    let (above, below) = (range.high.abs_diff(centre) as f64, range.low.abs_diff(centre) as f64);
    if range.width() == 0 { 0.0 } else { (above.powi(3) + below.powi(3)) / (3.0 * range.width() as f64) }
}

/// About the variance of the noise that a price buys: enough to share it out by.
fn variance(sensitivity: &Sensitivity, account: &Accounting, price: f64) -> f64 {
    let laplace = |epsilon: f64| {
        let half = (0.5 * epsilon / sensitivity.l1 as f64).sinh();
        0.5 / (half * half)
    };
    match account {
        Accounting::Pure => laplace(price),
        Accounting::Zcdp { .. } => {
            (sensitivity.l2_squared as f64 / (2.0 * price)).min(laplace((2.0 * price).sqrt()))
        }
    }
}

/// What the account's currency buys for `price` billionths.
fn measurement(
    measure: &Measure,
    fetch: &Fetch,
    sensitivity: &Sensitivity,
    account: &Accounting,
    price: u64,
    delta_e18: u64,
) -> Option<Measurement> {
    match (fetch, measure) {
        (Fetch::Ranks { .. }, Measure::Quantile(_, shares)) => {
            let linf = score_change(shares)?;
            let each = price / shares.len() as u64;
            let law = match account {
                Accounting::Pure => SelectionLaw::PermuteAndFlip,
                Accounting::Zcdp { .. } => SelectionLaw::Exponential,
            };
            let linf = linf.checked_mul(sensitivity.linf)?;
            let selection = (each > 0).then(|| Selection::calibrated(law, linf, each))??;
            SCALES.contains(&selection.scale).then_some(Measurement::Selection(selection))
        }
        (Fetch::Ranks { .. }, _) => None,
        (Fetch::Keys(_), _) => {
            let discovery =
                (price > 0).then(|| Discovery::calibrated(sensitivity.l0, price, delta_e18))??;
            Some(Measurement::Discovery(discovery))
        }
        (Fetch::Units | Fetch::UnitsBy(_) | Fetch::Rows | Fetch::RowsOf(_) | Fetch::Sum { .. }, _)
        | (Fetch::Pair { .. } | Fetch::Bins { .. }, _) => {
            calibrate(sensitivity, account, price).map(Measurement::Noise)
        }
    }
}

/// The noise that the account's currency buys for `price` billionths; under zCDP the one with the smaller variance.
pub(super) fn calibrate(sensitivity: &Sensitivity, account: &Accounting, price: u64) -> Option<Noise> {
    if price == 0 {
        return None;
    }
    let noise = match account {
        Accounting::Pure => Noise::laplace(sensitivity.l1, price)?,
        Accounting::Zcdp { .. } => {
            let gaussian = Noise::gaussian(sensitivity.l2_squared, price)?;
            // epsilon^2 / 2 = rho: the largest epsilon whose rho, rounded up, is within the price.
            let epsilon = (u128::from(price) * 2_000_000_000).isqrt();
            let laplace = Noise::laplace(sensitivity.l1, u64::try_from(epsilon).ok()?)?;
            if laplace.variance() < gaussian.variance() { laplace } else { gaussian }
        }
    };
    SCALES.contains(&noise.scale).then_some(noise)
}

/// The sensitivity that a measurement was calibrated to.
fn claimed(measure: &Measure, measurement: &Measurement, sensitivity: &Sensitivity) -> u128 {
    match measurement {
        Measurement::Noise(Noise { mechanism: crate::Mechanism::DiscreteLaplace, .. }) => {
            sensitivity.l1.into()
        }
        Measurement::Noise(_) | Measurement::Discovery(_) => sensitivity.l2_squared,
        Measurement::Selection(_) => {
            let change = match measure {
                Measure::Quantile(_, shares) => score_change(shares).unwrap_or(1),
                Measure::Units(_) | Measure::Rows | Measure::RowsOf(_) | Measure::Sum(_) => 1,
                Measure::Mean(_) | Measure::Share(_) | Measure::Histogram(_) | Measure::Keys(_) => 1,
            };
            u128::from(sensitivity.linf) * u128::from(change)
        }
    }
}

mod search;

#[cfg(test)]
mod tests {
    use super::shared_out;

    #[test]
    fn parts_sum_to_no_more_than_the_amount_whatever_the_shares() {
        for (amount, shares, expected) in [
            (10, vec![0.5, 0.25, 0.25], vec![5, 2, 2]),
            (10, vec![0.7, 0.7, 0.7], vec![7, 3, 0]),
            (10, vec![1.5, 0.1], vec![10, 0]),
            (10, vec![f64::NAN, -1.0, f64::INFINITY], vec![0, 0, 10]),
            (100_000_000_000, vec![1.0 / 3.0; 3], vec![33_333_333_333; 3]),
        ] {
            assert_eq!(shared_out(amount, &shares), expected, "{shares:?}");
        }
    }
}
