//! What samples prove: exact confidence bounds, and from them lower bounds on epsilon, rho and delta.
//!
//! Every bound holds whatever the two laws are. What is compared (an event, thresholds) is chosen on other draws than
//! those that prove something (Ding et al., "Detecting Violations of Differential Privacy", CCS 2018, arXiv 1805.10277).

/// The orders of Renyi divergence that are tried, less 1: from almost the Kullback-Leibler divergence up.
const ORDERS: std::ops::Range<i32> = -24..17;
/// The most thresholds that cut a score into pieces; more of them lose more to confidence than they gain.
const CUTS_MOST: usize = 8;

/// Draws of a score under either of two neighbours.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    /// With the unit.
    pub with: Vec<f64>,
    /// Without it.
    pub without: Vec<f64>,
}

/// A set of scores: those at or above a threshold, or those below it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct AuditEvent {
    threshold: f64,
    above: bool,
    /// Whether it is likelier with the unit.
    with: bool,
}

/// A lower bound on epsilon, wrong with probability at most alpha: `ln(P / Q)` for the event that says most on the first
/// draws, with bounds on P and Q from the second.
pub fn epsilon(first: &Scores, second: &Scores, alpha: f64) -> f64 {
    let bound = |scores: &Scores, event: &AuditEvent| {
        let (with, without) = (Share::of(&scores.with, event), Share::of(&scores.without, event));
        let (likely, other) = if event.with { (with, without) } else { (without, with) };
        (likely.least(alpha / 2.0) / other.most(alpha / 2.0)).ln()
    };
    let events = thresholds(first, 64).into_iter().flat_map(|threshold| {
        [true, false]
            .into_iter()
            .flat_map(move |above| [true, false].map(|with| AuditEvent { threshold, above, with }))
    });
    let best = events.max_by(|a, b| bound(first, a).total_cmp(&bound(first, b)));
    best.map_or(0.0, |event| bound(second, &event).max(0.0))
}

/// A lower bound on rho at a given delta, wrong with probability at most alpha.
///
/// Under rho-zCDP the Renyi divergence of every order a of what is released is at most `a rho` in both directions (Bun and
/// Steinke, arXiv 1605.02065), and so is that of anything computed from it (van Erven and Harremoes, arXiv 1206.2459,
/// theorem 9): here of which piece between thresholds the score falls in. The probabilities of lying at or above each
/// threshold are bounded at once, from below for the law that lies higher, from above for the other. Where the ratio of the
/// laws in these corners rises from piece to piece, they are the least divergent pair within the bounds: the divergence is
/// jointly convex in the probabilities, and its slope at the corner towards any other pair within them is not negative.
/// Pieces are merged until the ratio rises. Approximately, with probability delta anything may happen (definition 8.1 there),
/// which leaves at least `(P - delta) / (1 - delta)` and at most `Q / (1 - delta)` for the rest.
pub fn rho(first: &Scores, second: &Scores, delta: f64, alpha: f64) -> f64 {
    let bound = |scores: &Scores, cuts: &[f64], with_is_higher: bool| {
        let (higher, lower) =
            if with_is_higher { (&scores.with, &scores.without) } else { (&scores.without, &scores.with) };
        let each = alpha / (2.0 * cuts.len().max(1) as f64);
        let (mut p, mut q) = (vec![1.0], vec![1.0]);
        for threshold in cuts {
            let event = AuditEvent { threshold: *threshold, above: true, with: true };
            let least = Share::of(higher, &event).least(each);
            p.push(((least - delta) / (1.0 - delta)).max(0.0));
            q.push((Share::of(lower, &event).most(each) / (1.0 - delta)).min(1.0));
        }
        divergence(&pieces(&p), &pieces(&q))
    };
    let choices = [1, 2, 3, 4, 6, CUTS_MOST].into_iter().flat_map(|count| {
        let cuts = thresholds(first, count);
        [true, false].map(|with_is_higher| (cuts.clone(), with_is_higher))
    });
    let best = choices.max_by(|(a, up), (b, other)| bound(first, a, *up).total_cmp(&bound(first, b, *other)));
    best.map_or(0.0, |(cuts, with_is_higher)| bound(second, &cuts, with_is_higher).max(0.0))
}

/// A lower bound on the probability of a score above 0 with the unit, if there never is one without it; 1 if there is.
pub fn delta(second: &Scores, alpha: f64) -> f64 {
    let above = |scores: &[f64]| scores.iter().filter(|score| **score > 0.0).count();
    match above(&second.without) {
        0 => Share::new(above(&second.with), second.with.len()).least(alpha),
        _ => 1.0,
    }
}

/// The probability of each piece from those of lying at or above its lower end.
fn pieces(above: &[f64]) -> Vec<f64> {
    let ends = above.iter().skip(1).copied().chain([0.0]);
    above.iter().zip(ends).map(|(start, end)| start - end).collect()
}

/// The largest `D_a(P || Q) / a` and `D_a(Q || P) / a` over the orders a, after pieces are merged until P / Q rises.
fn divergence(p: &[f64], q: &[f64]) -> f64 {
    let mut merged: Vec<(f64, f64)> = Vec::new();
    for mut piece in p.iter().copied().zip(q.iter().copied()) {
        while let Some(last) = merged.last().copied().filter(|last| {
            piece.0 <= 0.0 || piece.1 <= 0.0 || last.1 <= 0.0 || piece.0 * last.1 <= last.0 * piece.1
        }) {
            merged.pop();
            piece = (piece.0 + last.0, piece.1 + last.1);
        }
        merged.push(piece);
    }
    let swapped: Vec<_> = merged.iter().map(|(p, q)| (*q, *p)).collect();
    let orders = ORDERS.map(|step| 1.0 + 10f64.powf(f64::from(step) / 8.0));
    orders.map(|order| per_order(&merged, order).max(per_order(&swapped, order))).fold(0.0, f64::max)
}

/// `D_a(P || Q) / a`, that is `ln(sum of p^a q^(1 - a)) / (a (a - 1))`.
fn per_order(pieces: &[(f64, f64)], order: f64) -> f64 {
    let terms = pieces.iter().filter(|(p, _)| *p > 0.0);
    let terms: Vec<f64> = terms.map(|(p, q)| order * p.ln() + (1.0 - order) * q.ln()).collect();
    // The largest is taken out, so that nothing overflows.
    let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let rest: f64 = terms.iter().map(|term| (term - most).exp()).sum();
    (most + rest.ln()) / ((order - 1.0) * order)
}

/// At most `count` thresholds, evenly through the pooled draws.
fn thresholds(scores: &Scores, count: usize) -> Vec<f64> {
    let mut pooled: Vec<f64> = scores.with.iter().chain(&scores.without).copied().collect();
    pooled.sort_by(f64::total_cmp);
    let mut found: Vec<f64> =
        (1..=count).filter_map(|at| pooled.get(at * pooled.len() / (count + 1)).copied()).collect();
    // Nothing lies below the least, so as a threshold it says nothing; the next value does.
    let least = pooled.first().copied();
    if found.first().copied() == least {
        found.extend(pooled.iter().find(|score| Some(**score) > least));
        found.sort_by(f64::total_cmp);
    }
    found.retain(|threshold| Some(*threshold) > least);
    found.dedup();
    found
}

/// How many of how many.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    hits: u64,
    draws: u64,
}

impl Share {
    /// The number of hits.
    pub fn new(hits: usize, draws: usize) -> Self {
        Self { hits: hits as u64, draws: draws as u64 }
    }

    fn of(scores: &[f64], event: &AuditEvent) -> Self {
        let hits = scores.iter().filter(|score| (**score >= event.threshold) == event.above).count();
        Self::new(hits, scores.len())
    }

    /// Clopper and Pearson's lower bound on the probability (Biometrika 26, 1934): the largest p under which that many hits
    /// have probability at most alpha.
    pub fn least(&self, alpha: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.hits as f64 / self.draws.max(1) as f64);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.tail(middle) <= alpha { low = middle } else { high = middle }
        }
        low
    }

    /// Clopper and Pearson's upper bound.
    pub fn most(&self, alpha: f64) -> f64 {
        1.0 - Self { hits: self.draws - self.hits, ..*self }.least(alpha)
    }

    /// `P(X >= hits)` for a binomial X, where p is at most hits / draws: its terms fall from there on.
    fn tail(&self, p: f64) -> f64 {
        if self.hits == 0 {
            return 1.0;
        }
        let (hits, draws) = (self.hits as f64, self.draws as f64);
        let choose = ln_factorial(draws) - ln_factorial(hits) - ln_factorial(draws - hits);
        let mut term = (choose + hits * p.ln() + (draws - hits) * (-p).ln_1p()).exp();
        let (mut sum, mut at) = (0.0, hits);
        while term > sum * 1e-16 && at <= draws {
            sum += term;
            term *= (draws - at) / (at + 1.0) * p / (1.0 - p);
            at += 1.0;
        }
        sum
    }
}

/// Stirling's series (NIST DLMF 5.11.1), exact to 1e-12 from 16 on; below, the sum of logarithms.
fn ln_factorial(n: f64) -> f64 {
    if n < 16.0 {
        return (2..=n as u32).map(|k| f64::from(k).ln()).sum();
    }
    let series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3)) + 1.0 / (1260.0 * n.powi(5));
    (n + 0.5) * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

/// What a chi-square variable of this number of degrees of freedom exceeds with probability at most alpha (Laurent and Massart,
/// Annals of Statistics 28, 2000, lemma 1).
pub fn chi_square_most(degrees: usize, alpha: f64) -> f64 {
    let (degrees, x) = (degrees as f64, -alpha.ln());
    degrees + 2.0 * (degrees * x).sqrt() + 2.0 * x
}

/// Pearson's statistic of counts against probabilities, and its degrees: neighbouring values are pooled until each class
/// expects 100 draws: far more than the 5 that are usually asked for (Cochran, Biometrics 10, 1954), for alpha is far less.
pub fn chi_square(counts: &[u64], probabilities: &[f64]) -> (f64, usize) {
    let draws = counts.iter().sum::<u64>() as f64;
    let mut classes: Vec<(f64, f64)> = Vec::new();
    let mut pool = (0.0, 0.0);
    for (count, probability) in counts.iter().zip(probabilities) {
        pool = (pool.0 + *count as f64, pool.1 + probability * draws);
        if pool.1 >= 100.0 {
            classes.push(std::mem::take(&mut pool));
        }
    }
    // What is left, and whatever lies outside the values counted, goes with the last class.
    let expected: f64 = classes.iter().map(|class| class.1).sum();
    if let Some(last) = classes.last_mut() {
        *last = (last.0 + pool.0, last.1 + draws - expected);
    }
    let statistic = classes.iter().map(|(count, expected)| (count - expected).powi(2) / expected).sum();
    (statistic, classes.len().saturating_sub(1))
}

#[test]
fn confidence_bounds_are_exact() {
    for (hits, draws, alpha, least, most) in [
        // 1 - alpha^(1/n) where nothing is hit.
        (0, 10, 0.025, 0.0, 1.0 - 0.025f64.powf(0.1)),
        (10, 10, 0.025, 0.025f64.powf(0.1), 1.0),
        // By summing binomial coefficients in 60 digits.
        (5, 10, 0.025, 0.187_086_028_447, 0.812_913_971_553),
        (81, 263, 0.025, 0.252_736_745_585, 0.367_621_922_601),
        (3, 1_000, 5e-7, 1.448_915_096e-5, 0.021_937_562_897),
    ] {
        let share = Share::new(hits, draws);
        assert!((share.least(alpha) - least).abs() < 1e-9, "{hits} {draws} {}", share.least(alpha));
        assert!((share.most(alpha) - most).abs() < 1e-9, "{hits} {draws} {}", share.most(alpha));
    }
    // At a million draws the binomial is nearly normal: half of them within 4.892 standard errors at 5e-7.
    let share = Share::new(500_000, 1_000_000);
    assert!((share.least(5e-7) - (0.5 - 4.892e-3 / 2.0)).abs() < 2e-6, "{}", share.least(5e-7));
}

#[test]
fn a_divergence_is_that_of_the_best_order_and_never_above_rho() {
    // Randomised response at epsilon has a bounded range of 2 epsilon: rho is at most (2 epsilon)^2 / 8, and little less.
    let epsilon = 0.5f64;
    let p = 1.0 / (1.0 + (-epsilon).exp());
    let found = divergence(&[1.0 - p, p], &[p, 1.0 - p]);
    assert!((0.11..=0.125).contains(&found), "{found}");
    // Pieces whose ratio falls are merged: nothing is left that distinguishes the two.
    assert_eq!(divergence(&[0.6, 0.4], &[0.4, 0.6]), 0.0);
    // A cut Gaussian shift of 1 keeps most of rho = 1/2 and gains nothing.
    let normal = |x: f64| 0.5 * erfc(-x / std::f64::consts::SQRT_2);
    let law = |mean: f64| {
        let cuts: Vec<f64> = (-3..=4).map(|cut| normal(mean - f64::from(cut))).collect();
        pieces(&std::iter::once(1.0).chain(cuts).collect::<Vec<_>>())
    };
    let found = divergence(&law(1.0), &law(0.0));
    assert!((0.45..=0.5).contains(&found), "{found}");
}

/// The complementary error function, as a sum of its integral by steps.
fn erfc(x: f64) -> f64 {
    let steps = 20_000;
    let width = (8.0 - x) / f64::from(steps);
    let at = |step: i32| (-(x + (f64::from(step) + 0.5) * width).powi(2)).exp();
    2.0 / std::f64::consts::PI.sqrt() * width * (0..steps).map(at).sum::<f64>()
}
