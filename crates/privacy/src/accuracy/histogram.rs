//! Quantiles from noisy histograms, whose bins are sums over offices.

use super::{Level, Term, WeightedSum};

/// A quantile with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistogramQuantile {
    /// The estimate, inside the interval.
    pub value: f64,
    /// The lower end of the interval.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
    /// The standard error by the delta method, where the bin of the estimate holds enough to say so.
    pub std_err: Option<f64>,
}

/// The noise of a quantile of a histogram whose bins all carry the same independent noises, prepared for the many groups
/// that are asked for it.
///
/// A value `x` is a `q` quantile of `N` values where `#(< x) <= q N <= #(<= x)`. If it lies in a bin, then at the bin's lower
/// end `(1-q) #below - q #above` is at most 0, and at its upper end at least 0. The same form of noisy counts differs
/// from it by a sum of independent noises with weights `1-q` and `-q`; a bin stays possible while both its ends are
/// within the half-width of that sum. Each of the two fails on one side only, so that together they fail at most as often
/// as one does on both: the true bin stays possible at the level, whatever the data are.
#[derive(Debug, Clone)]
pub struct QuantileNoise {
    q: f64,
    /// Of one bin's count.
    bin_std_err: f64,
    /// Standard error and half-width of the form at each bin's lower end, and at the end of all.
    edges: Vec<(f64, f64)>,
    /// The half-width of the total.
    total: f64,
}

impl QuantileNoise {
    /// Prepares for the quantile `q`, between 0 and 1, of histograms of `bins` bins, each carrying these noises.
    pub fn new(bins: usize, noise: &[Term], q: f64, level: Level) -> Self {
        let scaled = |weight: f64, bins: usize| {
            noise.iter().map(move |term| Term {
                weight: weight * term.weight,
                times: term.times.saturating_mul(bins as u64),
                ..*term
            })
        };
        let edge = |below: usize| {
            let sum = WeightedSum::of(scaled(1.0 - q, below).chain(scaled(q, bins - below)));
            // What lies below all is no more than nothing, and above all no less: known without a test.
            (sum.std_err(), if below == 0 || below == bins { f64::INFINITY } else { sum.half_width(level) })
        };
        Self {
            q,
            bin_std_err: WeightedSum::of(scaled(1.0, 1)).std_err(),
            edges: (0..=bins).map(edge).collect(),
            total: WeightedSum::of(scaled(1.0, bins)).half_width(level),
        }
    }

    /// The quantile of one histogram: its bins' lower ends and the last one's upper end, ascending, with the noisy counts.
    /// `None` where there are not as many of each as was prepared for.
    pub fn figure(&self, ends: &[i64], counts: &[f64]) -> Option<HistogramQuantile> {
        let (first, last) = (*ends.first()? as f64, *ends.last()? as f64);
        if ends.len() != self.edges.len() || counts.len() + 1 != ends.len() || counts.is_empty() {
            return None;
        }
        let total: f64 = counts.iter().sum();
        if total <= self.total {
            let value = 0.5 * (first + last);
            return Some(HistogramQuantile { value, lower: first, upper: last, std_err: None });
        }
        let forms = self.forms(counts);
        let (value, std_err) = self.estimate(ends, &forms);
        let (lower, upper) = self.possible(ends, &forms).unwrap_or((first, last));
        Some(HistogramQuantile { value, lower: lower.min(value), upper: upper.max(value), std_err })
    }

    /// `(1-q) #below - q #above` at each end: the counts below less the rank that is sought.
    fn forms(&self, counts: &[f64]) -> Vec<f64> {
        let sought = self.q * counts.iter().sum::<f64>();
        let below = counts.iter().scan(0.0, |below, count| {
            *below += count;
            Some(*below)
        });
        std::iter::once(0.0).chain(below).map(|below| below - sought).collect()
    }

    /// The hull of the bins that are not excluded.
    fn possible(&self, ends: &[i64], forms: &[f64]) -> Option<(f64, f64)> {
        let starts = || ends.iter().zip(forms).zip(&self.edges);
        let bins = starts().zip(starts().skip(1));
        let mut open = bins.filter_map(|(((start, from), (_, a)), ((end, to), (_, b)))| {
            (*from <= *a && *to >= -*b).then_some((*start as f64, *end as f64))
        });
        let (lower, upper) = open.next()?;
        Some((lower, open.next_back().map_or(upper, |(_, upper)| upper)))
    }

    /// Where the forms, made ascending, pass 0, by a straight line within the bin; with the standard error of that.
    fn estimate(&self, ends: &[i64], forms: &[f64]) -> (f64, Option<f64>) {
        let ascending = isotonic(forms);
        let rising = |((_, form), _): &((&i64, &f64), &(f64, f64))| **form > 0.0;
        let points = || ends.iter().zip(&ascending).zip(&self.edges);
        let after = points().find(rising);
        let before = points().take_while(|point| !rising(point)).last();
        match (before, after) {
            (Some(((start, from), (a, _))), Some(((end, to), (b, _)))) => {
                let (start, end, rise) = (*start as f64, *end as f64, to - from);
                let width = end - start;
                let is_rising = rise > 2.0 * self.bin_std_err;
                (start - width * from / rise, is_rising.then(|| a.max(*b) * width / rise))
            }
            // Noise has turned the whole histogram over.
            (None, point) | (point, None) => (point.map_or(0.0, |((end, _), _)| *end as f64), None),
        }
    }
}

/// The ascending sequence nearest to these by least squares: neighbours that descend are pooled (M. Ayer and others, An
/// empirical distribution function for sampling with incomplete information, Ann. Math. Statist. 26, 1955).
fn isotonic(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::with_capacity(values.len());
    for value in values {
        let (mut mean, mut size) = (*value, 1);
        while let Some((before, many)) = pools.pop_if(|(before, _)| *before > mean) {
            mean = (mean * size as f64 + before * many as f64) / (size + many) as f64;
            size += many;
        }
        pools.push((mean, size));
    }
    pools.into_iter().flat_map(|(mean, size)| std::iter::repeat_n(mean, size)).collect()
}

#[cfg(test)]
mod tests;
