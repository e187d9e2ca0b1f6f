//! A coordinator that witnesses the logs of offices: each goes on where it ended before, or its office stops.

use std::{fs, time::Duration};

use lango_access_log::{SignedCheckpoint, log_origin};
use lango_gateway::{LogError, OpenError};
use lango_testkit::{Office, Policy, Register, TestCoordinator, TestRegion, persons};

const EVERY: Duration = Duration::from_millis(100);
/// Far longer than a witness takes to come.
const PATIENCE: Duration = Duration::from_secs(60);

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the witness has cosigned last.
fn held(folder: &std::path::Path) -> Option<SignedCheckpoint> {
    fs::read_to_string(folder.join("GHA.checkpoint")).ok()?.parse().ok()
}

fn size(folder: &std::path::Path) -> u64 {
    held(folder).map_or(0, |checkpoint| checkpoint.unverified().size)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_rolled_back_does_not_serve_once_a_witness_has_come() {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let analyst = world.analyst();
    analyst.ask(&office, &persons("by sex", "0.25")).await.unwrap();
    office.down().await;
    let backup = fs::read(office.store()).unwrap();

    office.up().await.unwrap();
    analyst.ask(&office, &persons("by age", "0.25")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let start = async |office: &Office| {
        let members = vec![(office.id.clone(), office.address())];
        TestCoordinator::start_witness(&world, members, folder.path(), EVERY).await
    };
    let coordinator = start(&office).await;
    until("the log is cosigned", || size(folder.path()) >= 8).await;
    let signers: Vec<String> = held(folder.path())
        .unwrap()
        .note()
        .signatures()
        .iter()
        .map(|signature| signature.name.clone())
        .collect();
    let names = [&office.id, &coordinator.id].map(|id| log_origin(&id.to_string()).unwrap());
    assert_eq!(signers, names);

    // It grows, and the witness goes on with it.
    let before = size(folder.path());
    analyst.ask(&office, &persons("by country_of_birth", "0.25")).await.unwrap();
    until("the log is cosigned again", || size(folder.path()) > before).await;
    coordinator.stop().await;
    let signed = size(folder.path());

    // Yesterday's copy is consistent in itself.
    office.down().await;
    fs::write(office.store(), &backup).unwrap();
    office.up().await.unwrap();
    let coordinator = start(&office).await;
    until("the office stops", || office.has_stopped()).await;
    match office.up().await {
        Err(OpenError::Log(LogError::CutBack { found, signed: by_office })) => {
            assert_eq!(by_office, signed);
            assert!(found < signed);
        }
        Err(error) => panic!("{error}"),
        Ok(()) => panic!("a store that was rolled back serves"),
    }
    coordinator.stop().await;
}
