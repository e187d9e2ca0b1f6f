//! What a split is judged by, with its first and second derivatives by the shares.
//!
//! With `w` the information of one cell of a margin (a function of its share) and `f` the freedom of a set, the effects of
//! the set `c` are known with information `q_c`, the sum of `w_S` over the margins `S` that contain `c`, and a cell of the
//! margin `A` has the variance `V_A`, the sum of `f_c / q_c` over the sets `c` in `A`, over the square of `A`'s cells.

use super::{
    Cube, Objective, Set,
    curve::{Curve, Jet},
};

/// The function that is minimised: `(sum of t_A V_A^p)^(1/p)` over the margins `A`.
pub(super) struct Model<'a> {
    pub(super) cube: &'a Cube,
    pub(super) curves: Vec<Curve>,
    /// `t`.
    times: Vec<f64>,
    objective: Objective,
}

/// The model at one point; what it holds beyond the value is right after [`Model::differentiate`] only.
#[derive(Default)]
pub(super) struct Point {
    /// The logarithm of the function.
    pub(super) value: f64,
    /// Its gradient over its value.
    pub(super) gradient: Vec<f64>,
    /// Its second derivatives over its value, row by row.
    pub(super) hessian: Vec<f64>,
    information: Vec<Jet>,
    /// `q`, by set.
    known: Vec<f64>,
    variances: Vec<f64>,
    /// By margin: its part of the sum of powers.
    parts: Vec<f64>,
    by_set: [Vec<f64>; 3],
    by_margin: Vec<f64>,
    slopes: Vec<f64>,
}

impl<'a> Model<'a> {
    pub(super) fn new(cube: &'a Cube, curves: Vec<Curve>, objective: Objective) -> Self {
        let times = match objective {
            Objective::Sum => cube.own_sets().map(|set| set.cells).collect(),
            Objective::Largest => vec![1.0; curves.len()],
        };
        Self { cube, curves, times, objective }
    }

    /// `p`: the sum itself, or a power of 2 that makes the norm nearly the largest.
    fn power(&self, doublings: u32) -> i32 {
        match self.objective {
            Objective::Sum => 1,
            Objective::Largest => 1 << doublings,
        }
    }

    /// The value at these shares.
    pub(super) fn value(&self, shares: &[f64], doublings: u32, point: &mut Point) -> f64 {
        let Self { cube, curves, times, .. } = self;
        let Point { information, known, variances, parts, by_set: [spread, ..], by_margin, .. } = point;
        refill(information, shares.iter().zip(curves).map(|(share, curve)| curve.at(*share)));
        refill(by_margin, information.iter().map(|[value, ..]| *value));
        refill(known, cube.sets.iter().map(|set| total(by_margin, &set.above)));
        refill(spread, cube.sets.iter().zip(known.iter()).map(|(set, known)| set.freedom / known));
        refill(variances, cube.own_sets().map(|set| set.scale * total(spread, &set.below)));

        let (power, most) =
            (self.power(doublings), variances.iter().copied().fold(f64::MIN_POSITIVE, f64::max));
        let raised = |ratio: f64| (0..power.ilog2()).fold(ratio, |power, _| power * power);
        refill(parts, variances.iter().zip(times).map(|(variance, times)| times * raised(variance / most)));
        let sum: f64 = parts.iter().sum();
        parts.iter_mut().for_each(|part| *part /= sum);
        point.value = most.ln() + sum.ln() / f64::from(power);
        point.value
    }

    /// The derivatives by the free shares, at the shares that were valued last.
    pub(super) fn differentiate(&self, free: &[usize], doublings: u32, point: &mut Point) {
        let cube = self.cube;
        let Point {
            gradient, hessian, information, known, variances, parts, by_set, by_margin, slopes, ..
        } = point;
        let [rates, first, second] = by_set;
        let each = parts.iter().zip(variances.iter()).zip(cube.own_sets());
        refill(by_margin, each.map(|((part, variance), set)| part / variance * set.scale));
        let rate = |(set, known): (&Set, &f64)| set.freedom * total(by_margin, &set.above) / (known * known);
        refill(rates, cube.sets.iter().zip(known.iter()).map(rate));
        refill(first, cube.sets.iter().map(|set| total(rates, &set.below)));
        rates.iter_mut().zip(known.iter()).for_each(|(rate, known)| *rate *= 2.0 / known);
        refill(second, cube.sets.iter().map(|set| total(rates, &set.below)));

        let jets = || free.iter().map(|margin| information.get(*margin).copied().unwrap_or_default());
        refill(slopes, jets().map(|[_, slope, _]| slope));
        gradient.clear();
        hessian.clear();
        for ((line, margin), [_, slope, bend]) in free.iter().enumerate().zip(jets()) {
            let firsts = cube.own.get(*margin).map_or(0.0, |own| at(first, *own));
            gradient.push(-slope * firsts);
            let met = cube.met(*margin, free).zip(slopes.iter()).take(line);
            hessian.extend(met.map(|(met, other)| slope * other * at(second, met)));
            let seconds = cube.own.get(*margin).map_or(0.0, |own| at(second, *own));
            hessian.push(slope * slope * seconds - bend * firsts);
            hessian.extend(free.iter().skip(line + 1).map(|_| 0.0));
        }
        if self.power(doublings) > 1 {
            self.sharpen(free, f64::from(self.power(doublings) - 1), point);
        }
    }

    /// Adds what a power above 1 adds to the second derivatives.
    fn sharpen(&self, free: &[usize], excess: f64, point: &mut Point) {
        let cube = self.cube;
        let Point { gradient, hessian, known, variances, parts, by_set, by_margin, slopes, .. } = point;
        let [squares, spread, _] = by_set;
        add_square(hessian, gradient, -excess);
        refill(squares, cube.sets.iter().zip(known.iter()).map(|(set, known)| set.freedom / (known * known)));
        refill(spread, cube.sets.iter().map(|set| total(squares, &set.below)));
        let each = parts.iter().zip(variances.iter()).zip(cube.own_sets()).enumerate();
        for (margin, ((part, variance), set)) in each.filter(|(_, ((part, _), _))| **part > 1e-3) {
            refill(
                by_margin,
                cube.met(margin, free).zip(slopes.iter()).map(|(met, slope)| slope * at(spread, met)),
            );
            let scale = set.scale / variance;
            add_square(hessian, by_margin, excess * part * scale * scale);
        }
    }
}

/// Adds `times` the product of a vector with itself to a matrix.
fn add_square(matrix: &mut [f64], vector: &[f64], times: f64) {
    for (line, (row, a)) in matrix.chunks_exact_mut(vector.len().max(1)).zip(vector).enumerate() {
        row.iter_mut().zip(vector).take(line + 1).for_each(|(entry, b)| *entry += times * a * b);
    }
}

/// Replaces what a vector holds, in the room it has.
pub(super) fn refill<T>(values: &mut Vec<T>, by: impl Iterator<Item = T>) {
    values.clear();
    values.extend(by);
}

fn at(values: &[f64], place: usize) -> f64 {
    values.get(place).copied().unwrap_or_default()
}

fn total(values: &[f64], places: &[usize]) -> f64 {
    places.iter().map(|place| at(values, *place)).sum()
}
