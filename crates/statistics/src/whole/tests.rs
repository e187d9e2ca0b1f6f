//! Whole tables: that they add up, what they keep, and what is refused.

use lango_privacy::Cube;
use proptest::prelude::*;

use super::whole;

/// A stream of numbers for cases (SplitMix64).
struct Stream(u64);

impl Stream {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Mean 0, variance 1.
    fn noise(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

fn summed(cube: &Cube, from: u32, to: u32, table: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; cube.cells(to).unwrap()];
    table.iter().zip(cube.places(from, to)).for_each(|(cell, place)| sums[place] += cell);
    sums
}

fn reals(table: &[i64]) -> Vec<f64> {
    table.iter().map(|cell| *cell as f64).collect()
}

/// The cube's margins of a joint table.
fn margins(cube: &Cube, joint: &[f64]) -> Vec<Vec<f64>> {
    let all = (1u32 << cube.sizes().len()) - 1;
    cube.margins().iter().map(|margin| summed(cube, all, *margin, joint)).collect()
}

/// Estimates of a skewed table, many of whose cells are 0, with noise of this size.
fn estimates(cube: &Cube, noise: f64, stream: &mut Stream) -> Vec<Vec<f64>> {
    let all = (1u32 << cube.sizes().len()) - 1;
    let skewed = |stream: &mut Stream| (30.0 * (stream.uniform() - 0.8).max(0.0)).exp() - 1.0;
    let truth: Vec<f64> = (0..cube.cells(all).unwrap()).map(|_| skewed(stream).round()).collect();
    let mut tables = margins(cube, &truth);
    tables.iter_mut().flatten().for_each(|cell| *cell += noise * stream.noise());
    cube.consistent(&vec![noise * noise; tables.len()], &tables)
}

fn add_up(cube: &Cube, tables: &[Vec<i64>]) -> bool {
    let each = || cube.margins().iter().zip(tables);
    each().all(|(a, one)| {
        each()
            .all(|(b, other)| summed(cube, *a, a & b, &reals(one)) == summed(cube, *b, a & b, &reals(other)))
    })
}

fn cubes() -> impl Strategy<Value = Cube> {
    proptest::collection::vec(1usize..8, 1..=4)
        .prop_flat_map(|sizes| {
            let margins =
                proptest::collection::btree_set(0..1u32 << sizes.len(), 1..=6.min(1 << sizes.len()));
            (Just(sizes), margins)
        })
        .prop_map(|(sizes, margins)| Cube::new(sizes, margins.into_iter().collect()).unwrap())
}

fn chains() -> impl Strategy<Value = Cube> {
    proptest::collection::vec(1usize..8, 1..=4).prop_map(|sizes| {
        let margins = (0..=sizes.len()).map(|dimensions| (1u32 << dimensions) - 1).collect();
        Cube::new(sizes, margins).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn whole_tables_add_up_and_keep_the_grand_total(cube in cubes(), seed: u64, noise in 0.0..40.0) {
        let tables = estimates(&cube, noise, &mut Stream(seed));
        let wholes = whole(&cube, &tables).unwrap();
        prop_assert!(wholes.iter().flatten().all(|cell| *cell >= 0));
        prop_assert!(add_up(&cube, &wholes), "{wholes:?}");
        let total: f64 = tables[0].iter().sum();
        let kept = wholes[0].iter().sum::<i64>() as f64;
        prop_assert!((kept - total.max(0.0)).abs() < 0.5 + 1e-6, "{kept} {total}");
    }

    #[test]
    fn cells_of_a_chain_are_rounded_up_or_down(cube in chains(), seed: u64) {
        let mut stream = Stream(seed);
        let all = (1u32 << cube.sizes().len()) - 1;
        let joint: Vec<f64> = (0..cube.cells(all).unwrap()).map(|_| 9.0 * stream.uniform()).collect();
        let tables = margins(&cube, &joint);
        for (cell, real) in whole(&cube, &tables).unwrap().iter().flatten().zip(tables.iter().flatten()) {
            prop_assert!((*cell as f64 - real).abs() < 1.0, "{cell} {real}");
        }
    }

    #[test]
    fn a_cell_of_a_chain_moves_by_what_negative_cells_beside_it_lack(cube in chains(), seed: u64, noise in 0.0..40.0) {
        let tables = estimates(&cube, noise, &mut Stream(seed));
        let wholes = whole(&cube, &tables).unwrap();
        // A cell's bound: what its parent moved by, and all that is below zero among the cells of the parent.
        let mut bounds: Vec<f64> = vec![(-tables[0][0]).max(0.0)];
        for at in 1..tables.len() {
            let (fine, coarse) = (cube.margins()[at], cube.margins()[at - 1]);
            let below: Vec<f64> = tables[at].iter().map(|cell| (-cell).max(0.0)).collect();
            let below = summed(&cube, fine, coarse, &below);
            bounds = cube.places(fine, coarse).iter().map(|place| bounds[*place] + below[*place]).collect();
            for ((cell, real), bound) in wholes[at].iter().zip(&tables[at]).zip(&bounds) {
                prop_assert!((*cell as f64 - real).abs() < bound + 1.0 + 1e-6, "{cell} {real} {bound}");
            }
        }
    }

    #[test]
    fn whole_tables_that_add_up_are_left_as_they_are(cube in cubes(), seed: u64) {
        let mut stream = Stream(seed);
        let all = (1u32 << cube.sizes().len()) - 1;
        let joint: Vec<f64> = (0..cube.cells(all).unwrap()).map(|_| (9.0 * stream.uniform()).floor()).collect();
        let tables = margins(&cube, &joint);
        let held = cube.margins().contains(&cube.margins().iter().fold(0, |joint, margin| joint | margin));
        let wholes = whole(&cube, &tables).unwrap();
        prop_assert!(!held || wholes.iter().map(|table| reals(table)).eq(tables), "{wholes:?}");
    }
}

/// Where a table has many cells, of which noise makes some negative, cutting them off at zero adds to every total.
#[test]
fn cutting_at_zero_adds_to_no_total() {
    // Total, origin, sex, age, origin by sex, all: a chain with two margins beside it.
    let cube = Cube::new(vec![50, 2, 18], vec![0b000, 0b001, 0b010, 0b100, 0b011, 0b111]).unwrap();
    let noise = 20.0;
    let tables = estimates(&cube, noise, &mut Stream(3));
    let wholes = whole(&cube, &tables).unwrap();
    assert!(add_up(&cube, &wholes));
    let cut = tables[5].iter().map(|cell| cell.max(0.0)).collect::<Vec<f64>>();
    for (at, most) in [(0, 0.5), (1, 60.0), (2, 2.0), (3, 2.0), (4, 60.0)] {
        let far = |table: &[f64]| {
            let each = table.iter().zip(&tables[at]).map(|(cell, real)| (cell - real).abs());
            each.fold(0.0, f64::max)
        };
        let cut = summed(&cube, 0b111, cube.margins()[at], &cut);
        assert!(
            far(&reals(&wholes[at])) < most && far(&cut) > most,
            "{at} {} {}",
            far(&reals(&wholes[at])),
            far(&cut)
        );
    }
}

#[test]
fn margins_without_a_common_one_are_met_nearly() {
    let cube = Cube::new(vec![40, 30, 5], vec![0b001, 0b010, 0b100]).unwrap();
    let mut stream = Stream(5);
    let joint: Vec<f64> = (0..6_000).map(|_| 9.0 * stream.uniform().powi(8)).collect();
    let tables = margins(&cube, &joint);
    let wholes = whole(&cube, &tables).unwrap();
    assert!(add_up(&cube, &wholes));
    for (cell, real) in wholes.iter().flatten().zip(tables.iter().flatten()) {
        assert!((*cell as f64 - real).abs() < 3.0, "{cell} {real}");
    }
}

#[test]
fn what_cannot_be_made_whole_is_refused() {
    let cube = |sizes: &[usize], margins: &[u32]| Cube::new(sizes.to_vec(), margins.to_vec()).unwrap();
    let (flat, wide) = (cube(&[2], &[0b0, 0b1]), cube(&[1_500, 1_500], &[0b01, 0b10]));
    let held = cube(&[1_500, 1_500], &[0b11]);
    for (cube, tables, made) in [
        (&flat, vec![vec![3.2], vec![1.2, 2.0]], true),
        (&flat, vec![vec![-3.0], vec![-1.0, -2.0]], true),
        (&flat, vec![vec![3e15], vec![1e15, 2e15]], true),
        (&flat, vec![vec![9e15], vec![1e15, 8e15]], false),
        (&flat, vec![vec![f64::NAN], vec![1.0, 2.0]], false),
        (&flat, vec![vec![f64::INFINITY], vec![1.0, 2.0]], false),
        (&flat, vec![vec![3.0]], false),
        (&flat, vec![vec![3.0], vec![1.0, 1.0, 1.0]], false),
        (&wide, vec![vec![1.0; 1_500], vec![1.0; 1_500]], false),
        (&held, vec![vec![0.3; 2_250_000]], true),
    ] {
        assert_eq!(whole(cube, &tables).is_some(), made, "{:?}", cube.sizes());
    }
    assert_eq!(whole(&flat, &[vec![3.2], vec![1.2, 2.0]]).unwrap(), [vec![3], vec![1, 2]]);
    assert_eq!(whole(&flat, &[vec![-3.0], vec![-1.0, -2.0]]).unwrap(), [vec![0], vec![0, 0]]);
    assert_eq!(whole(&flat, &[vec![3.0], vec![-1.0, 4.0]]).unwrap(), [vec![3], vec![0, 3]]);
}
