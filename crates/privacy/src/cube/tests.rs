//! Against dense linear algebra, slow searches and simulation, on cubes small enough for them.

use proptest::prelude::*;

use super::{Cube, Objective, Weight};

/// A stream of numbers for cases (SplitMix64).
struct Stream(u64);

impl Stream {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, count: u64) -> u64 {
        self.bits() % count
    }

    /// Mean 0, variance 1.
    fn noise(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// Random dimensions with random margins of them.
fn cubes(sizes: std::ops::Range<usize>, dimensions: usize) -> impl Strategy<Value = Cube> {
    let margins = move |sizes: Vec<usize>| {
        let margins = proptest::collection::btree_set(0..1u32 << sizes.len(), 1..=8.min(1 << sizes.len()));
        (Just(sizes), margins)
    };
    proptest::collection::vec(sizes, 1..=dimensions)
        .prop_flat_map(margins)
        .prop_map(|(sizes, margins)| Cube::new(sizes, margins.into_iter().collect()).unwrap())
}

/// As many values as the cube has margins.
fn variances(cube: &Cube, stream: &mut Stream) -> Vec<f64> {
    cube.margins().iter().map(|_| (8.0 * stream.uniform() - 4.0).exp()).collect()
}

fn noisy(cube: &Cube, variances: &[f64], stream: &mut Stream) -> Vec<Vec<f64>> {
    let table = |(margin, variance): (&u32, &f64)| {
        (0..cube.cells(*margin).unwrap()).map(|_| variance.sqrt() * stream.noise()).collect()
    };
    cube.margins().iter().zip(variances).map(table).collect()
}

fn summed(cube: &Cube, from: u32, to: u32, table: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; cube.cells(to).unwrap()];
    table.iter().zip(cube.places(from, to)).for_each(|(cell, place)| sums[place] += cell);
    sums
}

fn laplace(epsilon: f64) -> impl Fn(usize, f64) -> f64 {
    move |_, share| 0.5 / (0.5 * epsilon * share).sinh().powi(2)
}

fn gaussian(rho: f64) -> impl Fn(usize, f64) -> f64 {
    move |_, share| 1.0 / (2.0 * rho * share)
}

/// What a split comes to.
fn objective(cube: &Cube, variance: &dyn Fn(usize, f64) -> f64, objective: Objective, shares: &[f64]) -> f64 {
    let variances: Vec<f64> =
        shares.iter().enumerate().map(|(margin, share)| variance(margin, *share)).collect();
    let cells = cube.margins().iter().map(|margin| cube.cells(*margin).unwrap() as f64);
    let each = cube.cell_variances(&variances).into_iter();
    match objective {
        Objective::Sum => each.zip(cells).map(|(variance, cells)| variance * cells).sum(),
        Objective::Largest => each.fold(0.0, f64::max),
    }
}

fn published() -> Cube {
    Cube::new(vec![50, 2, 18], vec![0b000, 0b001, 0b010, 0b011, 0b111]).unwrap()
}

#[test]
fn the_totals_of_the_planner_are_reached() {
    let cube = published();
    // The optima, by sequential quadratic programming from hundreds of starts.
    type Case<'a> = (&'a dyn Fn(usize, f64) -> f64, Objective, f64);
    let (gaussian, laplace) = (gaussian(0.024_356), laplace(1.0));
    let cases: [Case; 4] = [
        (&gaussian, Objective::Sum, 63_509.05),
        (&laplace, Objective::Sum, 12_791.24),
        (&gaussian, Objective::Largest, 72.038),
        (&laplace, Objective::Largest, 27.911),
    ];
    for (variance, goal, optimum) in cases {
        let shares = cube.shares(variance, goal);
        let reached = objective(&cube, variance, goal, &shares);
        assert!((0.9999..1.001).contains(&(reached / optimum)), "{goal:?} {reached} {optimum} {shares:?}");
        let even = objective(&cube, variance, goal, &[0.2; 5]);
        assert!(even > 1.05 * reached, "{goal:?} {even} {reached}");
    }
    assert!((objective(&cube, &gaussian, Objective::Sum, &[0.2; 5]) / 184_760.0 - 1.0).abs() < 1e-4);
    assert!((objective(&cube, &laplace, Objective::Sum, &[0.2; 5]) / 89_700.0 - 1.0).abs() < 1e-4);
}

/// The best of many starts, each improved one logarithm of a share at a time.
fn slow_search(value: &dyn Fn(&[f64]) -> f64, count: usize, stream: &mut Stream) -> f64 {
    let shares = |logs: &[f64]| {
        let total: f64 = logs.iter().map(|log| log.exp()).sum();
        logs.iter().map(|log| log.exp() / total).collect::<Vec<f64>>()
    };
    let mut best = f64::INFINITY;
    for _ in 0..30 {
        let mut logs: Vec<f64> = (0..count).map(|_| 3.0 * stream.noise()).collect();
        let (mut reached, mut step) = (value(&shares(&logs)), 1.0);
        while step > 1e-3 {
            let before = reached;
            for (at, by) in (0..count).flat_map(|at| [(at, step), (at, -step)]) {
                logs[at] += by;
                let tried = value(&shares(&logs));
                if tried < reached { reached = tried } else { logs[at] -= by }
            }
            if reached == before {
                step /= 2.0;
            }
        }
        best = best.min(reached);
    }
    best
}

#[test]
fn a_slow_search_from_many_starts_finds_no_better_split() {
    let mut stream = Stream(1);
    for case in 0..40 {
        let dimensions = 2 + case % 3;
        let sizes = (0..dimensions).map(|_| 2 + (30f64.powf(stream.uniform())) as usize).collect();
        let count = 3 + stream.below((1 << dimensions) - 2).min(4) as usize;
        let mut margins = std::collections::BTreeSet::new();
        while margins.len() < count {
            margins.insert(stream.below(1 << dimensions) as u32);
        }
        let cube = Cube::new(sizes, margins.into_iter().collect()).unwrap();
        let price = 10f64.powf(3.0 * stream.uniform() - 2.0);
        let (gaussian, laplace) = (gaussian(price), laplace(price));
        let noises: [&dyn Fn(usize, f64) -> f64; 2] = [&gaussian, &laplace];
        for (variance, goal) in
            noises.into_iter().flat_map(|v| [(v, Objective::Sum), (v, Objective::Largest)])
        {
            let reached = objective(&cube, variance, goal, &cube.shares(variance, goal));
            let slow = slow_search(&|shares| objective(&cube, variance, goal, shares), count, &mut stream);
            assert!(reached < 1.005 * slow, "{cube:?} {goal:?} {price} {reached} {slow}");
        }
    }
}

#[test]
fn a_split_is_found_whatever_the_variances() {
    let cube = published();
    let constant = |_: usize, _: f64| 4.0;
    let none = |_: usize, _: f64| 0.0;
    let infinite = |_: usize, share: f64| if share < 0.1 { f64::INFINITY } else { 1.0 / share };
    let wide = |margin: usize, share: f64| 1e30 * 10f64.powi(10 * margin as i32) / share;
    let stepped = |_: usize, share: f64| 1.0 / (share * 1e4).ceil().powi(2);
    let (huge, tiny) = (laplace(2_000.0), laplace(1e-9));
    let all: [&dyn Fn(usize, f64) -> f64; 7] = [&constant, &none, &infinite, &wide, &stepped, &huge, &tiny];
    for variance in all {
        for goal in [Objective::Sum, Objective::Largest] {
            let shares = cube.shares(variance, goal);
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
            assert!(shares.iter().all(|share| *share > 1e-5), "{shares:?}");
            assert_eq!(shares, cube.shares(variance, goal));
        }
    }
}

/// Solves a system of equations that may have many solutions, for several right sides, by full elimination.
fn solve(mut rows: Vec<Vec<f64>>, width: usize) -> Vec<Vec<f64>> {
    let mut pivots = Vec::new();
    for _ in 0..width {
        let free = (0..rows.len()).filter(|row| pivots.iter().all(|(used, _)| used != row));
        let entries = free.flat_map(|row| (0..width).map(move |column| (row, column)));
        let largest = entries.max_by(|(r, c), (s, d)| rows[*r][*c].abs().total_cmp(&rows[*s][*d].abs()));
        let Some((row, column)) = largest.filter(|(row, column)| rows[*row][*column].abs() > 1e-9) else {
            break;
        };
        let pivot: Vec<f64> = rows[row].iter().map(|entry| entry / rows[row][column]).collect();
        for (at, other) in rows.iter_mut().enumerate() {
            let factor = other[column];
            if at != row {
                other.iter_mut().zip(&pivot).for_each(|(entry, pivot)| *entry -= factor * pivot);
            }
        }
        rows[row] = pivot;
        pivots.push((row, column));
    }
    let mut solutions = vec![vec![0.0; rows[0].len() - width]; width];
    pivots.iter().for_each(|(row, column)| solutions[*column] = rows[*row][width..].to_vec());
    solutions
}

/// The hat matrix by margin and cell: how each estimated cell depends on each measured one, by the normal equations for
/// the table of all dimensions.
fn hat(cube: &Cube, variances: &[f64]) -> Vec<Vec<Vec<f64>>> {
    let all = (1u32 << cube.sizes().len()) - 1;
    let count = cube.cells(all).unwrap();
    let places: Vec<Vec<usize>> = cube.margins().iter().map(|margin| cube.places(all, *margin)).collect();
    let measured: Vec<(usize, usize)> = (cube.margins().iter().enumerate())
        .flat_map(|(at, margin)| (0..cube.cells(*margin).unwrap()).map(move |cell| (at, cell)))
        .collect();
    let row = |i: usize| {
        let information = |j: usize| {
            let same = places.iter().zip(variances).filter(|(places, _)| places[i] == places[j]);
            same.map(|(_, variance)| 1.0 / variance).sum::<f64>()
        };
        let right = measured
            .iter()
            .map(|(at, cell)| if places[*at][i] == *cell { 1.0 / variances[*at] } else { 0.0 });
        (0..count).map(information).chain(right).collect()
    };
    let solutions = solve((0..count).map(row).collect(), count);
    let estimate = |(at, cell): (usize, usize)| {
        let rows = solutions.iter().zip(&places[at]).filter(|(_, place)| **place == cell);
        rows.fold(vec![0.0; measured.len()], |sum, (row, _)| {
            sum.iter().zip(row).map(|(a, b)| a + b).collect()
        })
    };
    let cells = |(at, margin): (usize, &u32)| {
        (0..cube.cells(*margin).unwrap()).map(|cell| estimate((at, cell))).collect()
    };
    cube.margins().iter().enumerate().map(cells).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn estimates_variances_and_weights_are_those_of_dense_least_squares(cube in cubes(1..4, 3), seed: u64) {
        let mut stream = Stream(seed);
        let variances = variances(&cube, &mut stream);
        let tables = noisy(&cube, &variances, &mut stream);
        let flat: Vec<f64> = tables.concat();
        let by_cell: Vec<(usize, f64)> = tables.iter().enumerate()
            .flat_map(|(at, table)| table.iter().map(move |_| at)).map(|at| (at, variances[at])).collect();
        let (estimates, expected) = (cube.consistent(&variances, &tables), hat(&cube, &variances));
        for (at, variance) in cube.cell_variances(&variances).into_iter().enumerate() {
            for (row, estimate) in expected[at].iter().zip(&estimates[at]) {
                let dense: f64 = row.iter().zip(&flat).map(|(a, b)| a * b).sum();
                prop_assert!((dense - estimate).abs() < 1e-6 * (1.0 + dense.abs()), "{dense} {estimate}");
                let dense: f64 = row.iter().zip(&by_cell).map(|(a, (_, variance))| a * a * variance).sum();
                prop_assert!((dense / variance - 1.0).abs() < 1e-6, "{dense} {variance}");
                let mut dense: Vec<(usize, f64)> = row.iter().zip(&by_cell).map(|(a, (at, _))| (*at, *a)).collect();
                let repeated = |weight: Weight| std::iter::repeat_n((weight.margin, weight.weight), weight.times as usize);
                let mut ours: Vec<(usize, f64)> = cube.weights(&variances, at).into_iter().flat_map(repeated).collect();
                // Weights of 0 are left out, and stand first among the dense ones.
                dense.retain(|(_, weight)| weight.abs() > 1e-9);
                ours.retain(|(_, weight)| weight.abs() > 1e-9);
                dense.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap());
                ours.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap());
                prop_assert_eq!(dense.len(), ours.len());
                for (a, b) in dense.iter().zip(&ours) {
                    prop_assert!(a.0 == b.0 && (a.1 - b.1).abs() < 1e-6, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn estimates_add_up_and_are_no_worse_than_what_was_measured(cube in cubes(1..9, 4), seed: u64) {
        let mut stream = Stream(seed);
        let variances = variances(&cube, &mut stream);
        let mut tables = noisy(&cube, &variances, &mut stream);
        tables.iter_mut().flatten().for_each(|cell| *cell += 1e6 * stream.uniform());
        let estimates = cube.consistent(&variances, &tables);
        let each = || cube.margins().iter().zip(&estimates);
        for ((a, coarse), (b, fine)) in each().flat_map(|coarse| each().map(move |fine| (coarse, fine))) {
            // Margins agree on what they have in common.
            let (coarse, fine) = (summed(&cube, *a, a & b, coarse), summed(&cube, *b, a & b, fine));
            let size = fine.iter().chain(&coarse).fold(1.0f64, |size, cell| size.max(cell.abs()));
            prop_assert!(coarse.iter().zip(&fine).all(|(a, b)| (a - b).abs() < 1e-9 * size), "{coarse:?} {fine:?}");
        }
        for (at, (estimated, measured)) in cube.cell_variances(&variances).iter().zip(&variances).enumerate() {
            prop_assert!(*estimated < measured * (1.0 + 1e-9));
            let weights = cube.weights(&variances, at);
            let sum: f64 = weights.iter().map(|w| w.times as f64 * w.weight * w.weight * variances[w.margin]).sum();
            prop_assert!((sum / estimated - 1.0).abs() < 1e-9, "{sum} {estimated}");
        }
    }

    #[test]
    fn tables_that_add_up_are_left_as_they_are(cube in cubes(1..6, 4), seed: u64) {
        let mut stream = Stream(seed);
        let all = (1u32 << cube.sizes().len()) - 1;
        let truth: Vec<f64> = (0..cube.cells(all).unwrap()).map(|_| 100.0 * stream.uniform()).collect();
        let tables: Vec<Vec<f64>> = cube.margins().iter().map(|margin| summed(&cube, all, *margin, &truth)).collect();
        let estimates = cube.consistent(&variances(&cube, &mut stream), &tables);
        for (a, b) in estimates.iter().flatten().zip(tables.iter().flatten()) {
            prop_assert!((a - b).abs() < 1e-9 * (1.0 + b));
        }
    }
}

#[test]
fn simulated_errors_have_the_variances_that_are_foretold() {
    let cube = Cube::new(vec![3, 2, 4], vec![0b000, 0b001, 0b011, 0b110, 0b101]).unwrap();
    let mut stream = Stream(7);
    let variances = [30.0, 9.0, 4.0, 1.0, 2.0];
    let (runs, mut squares) = (4_000, [0.0; 5]);
    for _ in 0..runs {
        let estimates = cube.consistent(&variances, &noisy(&cube, &variances, &mut stream));
        for (sum, table) in squares.iter_mut().zip(&estimates) {
            *sum += table.iter().map(|cell| cell * cell).sum::<f64>() / table.len() as f64;
        }
    }
    for (sum, foretold) in squares.iter().zip(cube.cell_variances(&variances)) {
        let simulated = sum / f64::from(runs);
        assert!((simulated / foretold - 1.0).abs() < 0.08, "{simulated} {foretold}");
    }
}

#[test]
fn a_margin_that_was_not_measured_is_added_up() {
    let cube = Cube::new(vec![2, 2], vec![0b01, 0b11]).unwrap();
    let fine = vec![1.0, 2.0, 3.0, 4.0];
    for (variances, coarse) in [([f64::INFINITY, 1.0], vec![9.0, 9.0]), ([1.0, 1.0], vec![9.0])] {
        let estimates = cube.consistent(&variances, &[coarse, fine.clone()]);
        assert_eq!(estimates, [vec![3.0, 7.0], fine.clone()]);
    }
    assert_eq!(cube.cell_variances(&[f64::INFINITY, 1.0]), [2.0, 1.0]);
    // What no margin measured is estimated as nothing, and has no bound.
    let spread = cube.consistent(&[1.0, f64::INFINITY], &[vec![3.0, 7.0], fine]);
    assert_eq!(spread, [vec![3.0, 7.0], vec![1.5, 1.5, 3.5, 3.5]]);
    assert_eq!(cube.cell_variances(&[1.0, f64::INFINITY]), [1.0, f64::INFINITY]);
}

#[test]
fn noise_too_small_for_a_float_is_almost_none() {
    let cube = Cube::new(vec![2, 2], vec![0b00, 0b11]).unwrap();
    let estimates = cube.consistent(&[0.0, 1.0], &[vec![14.0], vec![1.0, 2.0, 3.0, 4.0]]);
    assert_eq!(estimates, [vec![14.0], vec![2.0, 3.0, 4.0, 5.0]]);
    let estimated = cube.cell_variances(&[0.0, 1.0]);
    assert!(estimated[0] < 1e-100 && estimated[1] == 0.75, "{estimated:?}");
}

#[test]
fn what_is_no_cube_is_refused() {
    let all_but_one: Vec<u32> = (0..16).map(|at| 0xffff & !(1 << at)).collect();
    for (sizes, margins, cube) in [
        (vec![], vec![0], true),
        (vec![5, 1], vec![0b11, 0b00], true),
        (vec![2; 16], vec![0xffff], true),
        (vec![2; 8], (0..64).collect(), true),
        (vec![2; 17], vec![0], false),
        (vec![2; 8], (0..65).collect(), false),
        (vec![2; 16], all_but_one, false),
        (vec![5, 2], vec![], false),
        (vec![5, 2], vec![0b01, 0b01], false),
        (vec![5, 2], vec![0b100], false),
        (vec![5, 0], vec![0b01], false),
        (vec![usize::MAX, 2], vec![0b11], false),
    ] {
        assert_eq!(Cube::new(sizes.clone(), margins.clone()).is_some(), cube, "{sizes:?} {margins:?}");
    }
}

#[test]
fn places_are_row_major_in_the_order_of_positions() {
    let cube = Cube::new(vec![2, 3, 2], vec![0b111]).unwrap();
    assert_eq!(cube.places(0b111, 0b101), [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3]);
    assert_eq!(cube.places(0b110, 0b010), [0, 0, 1, 1, 2, 2]);
    assert_eq!(cube.places(0b011, 0b000), [0; 6]);
}
