//! A coordinator that witnesses the logs of offices: each goes on where it ended before, or its office stops.

use std::{fs, time::Duration};

use lango_access_log::{
    Checkpoint, LogEntry, LogEvent, NoteKey, SignatureType, SignedCheckpoint, TreeHash, log_origin,
};
use lango_gateway::{LogError, OpenError};
use lango_identity::{Envelope, PayloadType, Role};
use lango_testkit::{Office, Policy, Register, TestCoordinator, TestRegion, persons};
use lango_wire::{Act, ShownLog, Witness, WitnessAct, client::WitnessClient, pb};

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

#[tokio::test(flavor = "multi_thread")]
async fn an_office_cosigns_no_other_log_of_its_coordinator_than_it_has_seen() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let main = world.identity(Role::Coordinator, "main");
    let (caller, signer) = (world.caller_with(&main), main.signer());
    let client = WitnessClient::new(caller.connect(&office).await);
    let origin = log_origin(&main.id.to_string()).unwrap();
    let key = NoteKey::new(&origin, SignatureType::Ed25519, signer.public_key()).unwrap();
    let send = async |shown: Option<ShownLog>| {
        let act = Witness {
            request_id: caller.act(&office.id, Act::Policy).request_id,
            coordinator: main.id.clone(),
            office: office.id.clone(),
            act: WitnessAct::Shown(shown),
            issued_at: caller.now(),
            expires_at: caller.now() + 60,
        };
        client.witness(caller.sign(PayloadType::Witness, act.encode())).await
    };
    let leaves: Vec<TreeHash> = (0..3_u8).map(|byte| TreeHash::of_leaf(&[byte])).collect();
    let pair = TreeHash::of_node(&leaves[0], &leaves[1]);
    let three = TreeHash::of_node(&pair, &leaves[2]);
    let shown = |size, root, proof: &[TreeHash]| {
        let signed = Checkpoint::new(&origin, size, root).sign(&key, |message| signer.sign_message(message));
        let proof = proof.iter().map(|hash| hash.0).collect();
        Some(ShownLog { checkpoint: signed.unwrap().to_string(), proof })
    };
    let head = |answer: pb::WitnessServiceWitnessResponse| -> Option<SignedCheckpoint> {
        let envelope: Envelope = answer.head?.into();
        Some(String::from_utf8(envelope.payload).unwrap().parse().unwrap())
    };
    assert_eq!(head(send(None).await.unwrap()), None);
    let cosigned = head(send(shown(2, pair, &[])).await.unwrap()).unwrap();
    let name = log_origin(&office.id.to_string()).unwrap();
    let witness =
        NoteKey::new(&name, SignatureType::Cosignature, office.identity.signer().public_key()).unwrap();
    assert_eq!(cosigned.cosigned(&[&witness]).unwrap().len(), 1);
    assert_eq!(head(send(None).await.unwrap()), Some(cosigned));

    let other = TreeHash::of_node(&leaves[0], &leaves[2]);
    for (what, forged) in [
        ("cut back", shown(1, leaves[0], &[])),
        ("another root", shown(2, other, &[])),
        ("another past", shown(3, TreeHash::of_node(&other, &leaves[1]), &[leaves[1]])),
        ("no proof", shown(3, three, &[])),
    ] {
        let refused = send(forged).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::FailedPrecondition, "{what}");
        assert!(refused.message().contains("does not go on"), "{what}: {}", refused.message());
    }
    let faults = |leaf: &Vec<u8>| match LogEntry::read(leaf).unwrap().event {
        LogEvent::Failure(failure) => Some((failure.part, failure.code)),
        _ => None,
    };
    let location = lango_store::Location::File(office.store());
    let mut store = lango_store::Examined::readable(&location).await.unwrap();
    let found: Vec<_> = store.leaves(0, 100).await.unwrap().iter().filter_map(faults).collect();
    assert_eq!(
        found,
        [("witness".to_owned(), "coordinator-fork".to_owned())],
        "once, however often it comes"
    );
    let gone_on = head(send(shown(3, three, &[leaves[2]])).await.unwrap()).unwrap();
    assert_eq!(gone_on.unverified().size, 3);
}
