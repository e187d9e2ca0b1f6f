//! Cubes.
/// Which margins of which dimensions are measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Cube {
    sizes: Vec<usize>,
    margins: Vec<u32>,
}
/// What a split is to make small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// The sum of variances.
    Sum,
    /// The largest.
    Largest,
}
/// A weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    /// Margin.
    pub margin: usize,
    /// Weight.
    pub weight: f64,
    /// Times.
    pub times: u64,
}
impl Cube {
    /// A cube.
    pub fn new(sizes: Vec<usize>, margins: Vec<u32>) -> Option<Self> {
        Some(Self { sizes, margins })
    }
    /// Shares.
    pub fn shares(&self, _v: &dyn Fn(usize, f64) -> f64, _o: Objective) -> Vec<f64> {
        self.margins.iter().map(|_| 1.0 / self.margins.len() as f64).collect()
    }
    /// Variances.
    pub fn cell_variances(&self, v: &[f64]) -> Vec<f64> {
        v.to_vec()
    }
    /// Weights.
    pub fn weights(&self, _v: &[f64], margin: usize) -> Vec<Weight> {
        vec![Weight { margin, weight: 1.0, times: 1 }]
    }
    /// Consistent.
    pub fn consistent(&self, _v: &[f64], tables: &[Vec<f64>]) -> Vec<Vec<f64>> {
        tables.to_vec()
    }
}
