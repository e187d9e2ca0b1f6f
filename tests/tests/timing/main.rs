//! Does the time of an answer reveal whether a person is in the register? Two neighbouring registers are asked in turn, and what
//! a client on the same machine measures must be of one law where answers leave on a grid, and is not where they do not.

mod neighbours;
mod two_sample;

use neighbours::Neighbours;

/// Answers of each neighbour in a run.
const ANSWERS: usize = 2_000;
/// A run shows a difference by chance at most so often.
const ALPHA: f64 = 1e-3;
/// Well above the slowest answer, also where the machine has other work.
const GRID_MS: u64 = 100;

/// Of three runs one may show a difference by chance. Two do with probability 3 x 1e-6 at most, so that right code fails less
/// than once in 100,000 times; wrong code, which shows it every time, is caught every time.
fn distinguishes(distances: &[f64]) -> bool {
    let most = two_sample::distance_most(ANSWERS, ALPHA);
    println!("distances {distances:.3?}, at most {most:.3}");
    distances.iter().filter(|distance| **distance > most).count() >= 2
}

async fn distances(neighbours: &Neighbours, runs: usize, askers: usize) -> Vec<f64> {
    let mut distances = Vec::new();
    for run in 0..runs {
        let (without, with) = neighbours.times(run, askers, ANSWERS).await;
        println!("without {}, with {}", neighbours::quantiles(&without), neighbours::quantiles(&with));
        distances.push(two_sample::distance(&without, &with));
    }
    distances
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cannot_distinguish_neighbours_by_time_where_answers_leave_on_a_grid() {
    let on_grid = Neighbours::start(Some(GRID_MS)).await;
    assert!(!distinguishes(&distances(&on_grid, 3, 10).await));
    drop(on_grid);
    // The same test finds the difference that the grid hides: in two runs, which decide it whatever the result of a third.
    let at_once = Neighbours::start(None).await;
    assert!(distinguishes(&distances(&at_once, 2, 2).await));
}
