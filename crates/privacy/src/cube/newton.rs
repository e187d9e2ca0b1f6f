//! Newton's method for shares that sum to 1 and stay above a floor.

use super::model::{Model, Point, refill};

/// A split under way.
#[derive(Debug, Clone)]
pub(super) struct Split {
    pub(super) shares: Vec<f64>,
    /// The margins above the floor.
    pub(super) free: Vec<usize>,
    /// The model's value, after a descent.
    pub(super) value: f64,
}

impl Split {
    /// The shares of which what is above the floor is in proportion to the weights; margins that are not free are on it.
    pub(super) fn new(free: Vec<usize>, floor: f64, weights: &[f64]) -> Self {
        let weight = |margin: &usize| weights.get(*margin).copied().unwrap_or_default();
        let unit = (1.0 - floor * weights.len() as f64) / free.iter().map(weight).sum::<f64>();
        let mut shares = vec![floor; weights.len()];
        for margin in &free {
            shares.get_mut(*margin).into_iter().for_each(|share| *share += unit * weight(margin));
        }
        Self { shares, free, value: f64::INFINITY }
    }

    /// What is above the floor.
    pub(super) fn slacks(&self, floor: f64) -> Vec<f64> {
        self.shares.iter().map(|share| share - floor).collect()
    }
}

/// How far a descent goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// The logarithm of the model's power.
    pub(super) doublings: u32,
    pub(super) steps: usize,
    /// The relative gain below which no step is worth its while.
    pub(super) tolerance: f64,
}

/// Descends on a model, with room for the numbers of a step.
pub(super) struct Newton<'a> {
    pub(super) model: Model<'a>,
    pub(super) floor: f64,
    point: Point,
    /// By free margin: the share above the floor.
    slack: Vec<f64>,
    /// The derivatives by the logarithms of the slacks.
    gradient: Vec<f64>,
    matrix: Vec<f64>,
    factor: Vec<f64>,
    /// The step, relative to the slacks.
    step: Vec<f64>,
    level: Vec<f64>,
    next: Vec<f64>,
}

impl<'a> Newton<'a> {
    pub(super) fn new(model: Model<'a>, floor: f64) -> Self {
        let [slack, gradient, matrix, factor, step, level, next] = [const { Vec::new() }; 7];
        Self { model, floor, point: Point::default(), slack, gradient, matrix, factor, step, level, next }
    }

    /// Makes the split's value smaller. Margins that come down to the floor stay there.
    pub(super) fn descend(&mut self, split: &mut Split, effort: Effort) {
        let mut damping = 1e-2;
        split.value = self.model.value(&split.shares, effort.doublings, &mut self.point);
        for _ in 0..effort.steps {
            if split.free.len() < 2 || self.improve(split, effort, &mut damping).is_none() {
                return;
            }
            let above =
                |margin: &usize| split.shares.get(*margin).is_some_and(|share| *share > 1.2 * self.floor);
            if !split.free.iter().all(above) {
                let free = split.free.iter().copied().filter(above).collect();
                *split = Split::new(free, self.floor, &split.slacks(self.floor));
                split.value = self.model.value(&split.shares, effort.doublings, &mut self.point);
            }
        }
    }

    /// One step, damped until it gains something; `None` where nothing is to be gained.
    fn improve(&mut self, split: &mut Split, effort: Effort, damping: &mut f64) -> Option<()> {
        self.expand(split, effort);
        for _ in 0..12 {
            if self.solve(*damping).is_some() {
                let gain = -dot(&self.gradient, &self.step);
                if gain < effort.tolerance {
                    return None;
                }
                self.next.clone_from(&split.shares);
                for ((margin, slack), step) in split.free.iter().zip(&self.slack).zip(&self.step) {
                    self.next.get_mut(*margin).into_iter().for_each(|share| *share += slack * step);
                }
                let value = self.model.value(&self.next, effort.doublings, &mut self.point);
                if value < split.value - 0.05 * gain.min(1.0) {
                    std::mem::swap(&mut self.next, &mut split.shares);
                    split.value = value;
                    *damping = (*damping / 4.0).max(1e-9);
                    return Some(());
                }
            }
            *damping = (*damping * 8.0).max(1e-2);
        }
        None
    }

    /// Fills in the gradient and the matrix of second derivatives, by steps relative to the slacks.
    fn expand(&mut self, split: &Split, effort: Effort) {
        let Self { model, point, slack, gradient, matrix, .. } = self;
        model.differentiate(&split.free, effort.doublings, point);
        let shares = split.free.iter().filter_map(|margin| split.shares.get(*margin));
        refill(slack, shares.map(|share| share - self.floor));
        refill(gradient, point.gradient.iter().zip(slack.iter()).map(|(slope, slack)| slope * slack));
        // Steps keep the sum of shares, so what is added across them changes none, but makes the matrix definite.
        let across = 10.0 / dot(slack, slack);
        matrix.clear();
        for (row, a) in point.hessian.chunks_exact(slack.len()).zip(slack.iter()) {
            matrix.extend(row.iter().zip(slack.iter()).map(|(entry, b)| (entry + across) * a * b));
        }
    }

    /// The best step among those that keep the sum, cut where it would lose nearly all of a slack.
    fn solve(&mut self, damping: f64) -> Option<()> {
        let width = self.slack.len();
        self.factor.clone_from(&self.matrix);
        self.factor.iter_mut().step_by(width + 1).for_each(|entry| *entry += damping);
        factorize(&mut self.factor, width)?;
        self.step.clone_from(&self.gradient);
        self.level.clone_from(&self.slack);
        substitute(&self.factor, &mut self.step);
        substitute(&self.factor, &mut self.level);
        let kept = dot(&self.slack, &self.step) / dot(&self.slack, &self.level);
        self.step.iter_mut().zip(&self.level).for_each(|(step, level)| *step = kept * level - *step);
        let least = self.step.iter().copied().fold(0.0, f64::min);
        let cut = if least < -0.95 { -0.95 / least } else { 1.0 };
        self.step.iter_mut().for_each(|step| *step *= cut);
        Some(())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Puts the Cholesky factor in place of the lower half of a matrix; `None` where it is not positive definite.
fn factorize(matrix: &mut [f64], width: usize) -> Option<()> {
    for line in 0..width {
        let (done, rest) = matrix.split_at_mut(line * width);
        let row = rest.get_mut(..=line)?;
        for (at, prior) in done.chunks_exact(width).enumerate() {
            let (head, tail) = row.split_at_mut(at);
            let entry = tail.first_mut()?;
            *entry = (*entry - dot(head, prior)) / prior.get(at)?;
        }
        let (pivot, head) = row.split_last_mut()?;
        let rest = *pivot - dot(head, head);
        *pivot = (rest > 1e-12).then(|| rest.sqrt())?;
    }
    Some(())
}

/// Solves with a Cholesky factor, in place.
fn substitute(factor: &[f64], values: &mut [f64]) {
    let width = values.len();
    for (at, row) in factor.chunks_exact(width).enumerate() {
        let (head, tail) = values.split_at_mut(at);
        if let Some((value, pivot)) = tail.first_mut().zip(row.get(at)) {
            *value = (*value - dot(head, row)) / pivot;
        }
    }
    for (at, row) in factor.chunks_exact(width).enumerate().rev() {
        let (head, tail) = values.split_at_mut(at);
        if let Some((value, pivot)) = tail.first_mut().zip(row.get(at)) {
            *value /= pivot;
            head.iter_mut().zip(row).for_each(|(head, entry)| *head -= *value * entry);
        }
    }
}
