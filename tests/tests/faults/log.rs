//! A log with two faces, and what a stranger says of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lango_testkit::{Office, Policy, Register, TestRegion, persons};

use crate::{program, program::said};

fn audit(what: &str, words: &[&Path]) -> (Option<i32>, String, String) {
    let mut command = program::command(program::lango());
    said(&command.args(["audit", what]).args(words).output().unwrap())
}

/// What an auditor in the office makes of the store, whose gateway is down: fetches into a folder and verifies it.
fn fetched(config: &Path, folder: &Path) -> (Option<i32>, String, String) {
    audit("fetch", &[Path::new("--to"), folder, Path::new("--config"), config])
}

/// Has an auditor who never held the log prove it.
pub(crate) fn verified(config: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let (code, _, stderr) = fetched(config, &log);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, stdout, stderr) = audit("verify", &[&log]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
}

/// Two auditors are shown two logs that begin alike: the store of a moment goes on in two ways.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_shown_to_two_auditors_is_found_when_either_is_shown_the_others() {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let awa = world.analyst();
    let config = office.write_config(&world);
    awa.ask(&office, &persons("by sex", "0.25")).await.unwrap();
    office.down().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let [one, other]: [PathBuf; 2] = [path("one"), path("other")];
    for log in [&one, &other] {
        assert_eq!(fetched(&config, log).0, Some(0));
    }
    fs::copy(office.store(), path("common")).unwrap();
    let mut faces = Vec::new();
    for (log, questions) in
        [(&one, vec!["age", "education"]), (&other, vec!["country_of_birth", "arrival_year"])]
    {
        fs::copy(path("common"), office.store()).unwrap();
        office.up().await.unwrap();
        for by in questions {
            awa.ask(&office, &persons(&format!("by {by}"), "0.25")).await.unwrap();
        }
        office.down().await;
        let (code, _, stderr) = fetched(&config, log);
        assert_eq!(code, Some(0), "each face is consistent in itself: {stderr}");
        assert_eq!(audit("verify", &[log]).0, Some(0));
        let face = path(&format!("face-{}", faces.len()));
        fs::copy(office.store(), &face).unwrap();
        faces.push((face, fs::read_to_string(log.join("checkpoint")).unwrap()));
    }
    // The other's face is refused, and what is held stays and is proven.
    for (log, face) in [(&one, &faces[1].0), (&other, &faces[0].0)] {
        let held = fs::read(log.join("checkpoint")).unwrap();
        fs::copy(face, office.store()).unwrap();
        let (code, _, stderr) = fetched(&config, log);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains("it was changed: it is as long as what is held, and is another"), "{stderr}");
        assert_eq!(fs::read(log.join("checkpoint")).unwrap(), held);
        assert_eq!(audit("verify", &[log]).0, Some(0));
    }
    // Two checkpoints of one key and one size, and two roots: what each of them holds proves it to everybody.
    let lines = |note: &str| note.lines().take(3).map(str::to_owned).collect::<Vec<_>>();
    let [first, second] = [lines(&faces[0].1), lines(&faces[1].1)];
    assert_eq!(first[..2], second[..2]);
    assert_ne!(first[2], second[2]);
}

/// What another key signs beside the office's changes nothing, and in its place proves nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cosignature_of_a_stranger_and_a_checkpoint_of_another_log_prove_nothing() {
    let world = TestRegion::new();
    let mut gha = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let mut tgo = Office::start(&world, &Policy::of("TGO"), &Register::sample(5)).await;
    let folder = tempfile::tempdir().unwrap();
    let log = |office: &Office| folder.path().join(office.id.name());
    for office in [&mut gha, &mut tgo] {
        world.analyst().ask(office, &persons("by sex", "0.25")).await.unwrap();
        let config = office.write_config(&world);
        office.down().await;
        assert_eq!(fetched(&config, &log(office)).0, Some(0));
    }
    let checkpoint = log(&gha).join("checkpoint");
    let listed = fs::read_dir(log(&gha).join("checkpoints")).unwrap().next().unwrap().unwrap().path();
    let good = fs::read_to_string(&checkpoint).unwrap();
    let others = fs::read_to_string(log(&tgo).join("checkpoint")).unwrap();
    let signature = others.lines().last().unwrap();
    for (what, note, is_proven) in [
        ("as it is", good.clone(), true),
        ("with a stranger's signature beside its own", format!("{good}{signature}\n"), true),
        (
            "with a stranger's signature in place of its own",
            good.replace(good.lines().last().unwrap(), signature),
            false,
        ),
        ("another log's", others.clone(), false),
    ] {
        // The last checkpoint is among those that were fetched.
        [&checkpoint, &listed].iter().for_each(|file| fs::write(file, &note).unwrap());
        let (code, stdout, stderr) = audit("verify", &[&log(&gha)]);
        assert_eq!(code, Some(i32::from(!is_proven)), "{what}: {stdout}{stderr}");
    }
}
