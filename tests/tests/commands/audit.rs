//! An office's log from an auditor's own machine: fetched, verified, and what is made of one that was changed.

#[path = "../support/log_verifier.rs"]
mod verifier;

use std::{
    fs,
    path::{Path, PathBuf},
};

use lango_identity::{Lifetime, PayloadType, Role};
use lango_store::{Decision, Location, Record, Store};
use lango_testkit::{Office, Policy, Register, TestCoordinator, TestGrant, TestRegion, persons};
use tempfile::TempDir;

use crate::{administration::AtGateway, program, program::said};

/// An office whose auditor is ina, with her folder for its log.
struct Audited {
    world: TestRegion,
    office: Office,
    ina: AtGateway,
    folder: TempDir,
}

impl Audited {
    async fn start(policy: &Policy) -> Self {
        tokio::task::spawn_blocking(program::lango).await.unwrap();
        let world = TestRegion::new();
        let mut office = Office::prepare(&world, "GHA", policy, &Register::sample(5));
        office.auditors = vec![world.id(Role::Auditor, "ina")];
        office.up().await.unwrap();
        let ina = AtGateway::of(&world, &office.address().to_string(), Role::Auditor, "ina");
        Self { world, office, ina, folder: tempfile::tempdir().unwrap() }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("gha")
    }

    fn fetch(&self) -> (Option<i32>, String, String) {
        self.ina.run(&["audit", "fetch"], &["--to", self.log().to_str().unwrap()])
    }

    fn fetched(&self) -> String {
        let (code, stdout, stderr) = self.fetch();
        assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
        stderr
    }
}

/// `lango audit` on a folder.
fn audit(words: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let mut command = program::command(program::lango());
    command.arg("audit").arg(words[0]).arg(folder).args(&words[1..]);
    said(&command.output().unwrap())
}

/// The lines of a verification that is to succeed.
fn proven(folder: &Path) -> Vec<String> {
    let (code, stdout, stderr) = audit(&["verify"], folder);
    assert_eq!(code, Some(0), "{stdout}\n{stderr}");
    stdout.lines().map(str::to_owned).collect()
}

/// What a verification says that is to fail.
fn unproven(folder: &Path) -> String {
    let (code, stdout, stderr) = audit(&["verify"], folder);
    assert_eq!(code, Some(1), "{stdout}");
    format!("{stdout}{stderr}")
}

fn grant() -> TestGrant {
    TestGrant { by: r#"["sex", "age"]"#.to_owned(), ..TestGrant::of("1", "2") }
}

/// Answers, repeats, prices, refusals of every kind, a restart and another policy.
async fn a_week(audited: &mut Audited) {
    let Audited { world, office, .. } = audited;
    let awa = world.analyst();
    let answer = awa.ask(office, &persons("by sex", "0.5")).await.unwrap();
    awa.ask(office, &persons("by sex", "0.5")).await.unwrap();
    awa.fetch(office, answer.statement.release_id).await.unwrap();
    awa.estimate(office, &persons("by age", "0.25")).await.unwrap();
    awa.describe(office, None).await.unwrap();
    let refused = awa.ask(office, &persons("by education", "0.5")).await.unwrap_err();
    assert_eq!(refused.refusal(), "dimension-not-granted");
    let refused = awa.ask(office, &persons("by sex", "1.5")).await.unwrap_err();
    assert_eq!(refused.refusal(), "epsilon-per-query-exceeded");
    awa.ask(office, &persons("by age", "1")).await.unwrap();
    let refused = awa.ask(office, &persons("by age,sex", "1")).await.unwrap_err();
    assert_eq!(refused.refusal(), "budget-exceeded");
    awa.fetch(office, [9; 16]).await.unwrap_err();
    let other = Policy::of("GHA").grants([TestGrant { id: "others".to_owned(), ..grant() }]);
    office.restart(&other).await;
    awa.ask(office, &persons("by sex", "0.75")).await.unwrap();
    office
        .change(&Policy::of("GHA").grants([TestGrant { by: r#"["sex"]"#.into(), ..grant() }]).text())
        .await
        .unwrap();
    let refused = awa.ask(office, &persons("by age", "0.5")).await.unwrap_err();
    assert_eq!(refused.refusal(), "dimension-not-granted");
    audited.ina.address = audited.office.address().to_string();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_is_fetched_over_the_wire_and_proven_without_it() {
    let mut audited = Audited::start(&Policy::of("GHA").grants([grant()])).await;
    let first = audited.fetched();
    assert!(first.ends_with("1 policy came\n"), "{first}");
    a_week(&mut audited).await;
    let second = audited.fetched();
    assert!(second.ends_with("2 policies came\n"), "{second}");
    let log = audited.log();
    let lines = proven(&log);
    let expected = [
        "hashes {n} of {n}; 1 tile and the root derived again",
        "checkpoints 2 of 2 signed",
        "witnesses: no policy of witnesses is given: --witnesses FILE",
        "consistent with what I held on {day}",
        "charges 3 of 3 recomputed",
        "balances 3 of 3 equal the ledger's",
        "policies 3 of 3 known by digest",
        "decisions 13 of 13 follow from their policies; no policy decides 1 descriptions, 1 look-ups",
        "releases 5 of 5 were reserved before, or released before",
    ];
    let count = lines[0].split(": ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let today = time::OffsetDateTime::now_utc().date().to_string();
    let expected: Vec<String> =
        expected.iter().map(|line| line.replace("{n}", &count).replace("{day}", &today)).collect();
    assert!(lines[1].starts_with("region ecowas.example of this folder; authority "), "{}", lines[1]);
    assert_eq!(lines[2..], expected, "{}", lines.join("\n"));

    // What is held needs neither the office nor its partial tiles of before.
    audited.office.down().await;
    assert_eq!(proven(&log), lines);
    let bundles = fs::read_dir(log.join("tile/entries/000.p")).unwrap().count();
    assert_eq!(bundles, 1);
    let (code, stdout, stderr) = audit(&["list", "--principal", "awa", "--decision", "refused"], &log);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout.matches(" analyst/awa  official-statistics  refused").count(), 4, "{stdout}");
    assert!(stdout.contains("      dimension-not-granted, by regional-analysts\n"), "{stdout}");
    assert!(stdout.lines().all(|line| line.chars().count() <= 100), "{stdout}");
    let (_, stdout, stderr) = audit(&["list", "--most", "2", "--format", "json"], &log);
    let listed: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((listed[0]["decision"].as_str(), listed[1]["entry"].as_u64()), (Some("started"), Some(1)));
    assert!(stderr.contains("there are more entries of GHA: --from 2"), "{stderr}");
    let (_, stdout, _) = audit(&["list", "--least", "0.5", "--format", "csv"], &log);
    assert_eq!(stdout.lines().count(), 4, "{stdout}");
    audited.exports();
}

impl Audited {
    /// Every form that others read.
    fn exports(&self) {
        let export = |format: &str| {
            let (code, stdout, stderr) = audit(&["export", "--format", format], &self.log());
            assert_eq!(code, Some(0), "{format}: {stderr}");
            stdout
        };
        let entries: Vec<serde_json::Value> =
            export("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let events: Vec<serde_json::Value> =
            export("ocsf").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(entries.len(), events.len());
        for (entry, event) in entries.iter().zip(&events) {
            assert_eq!((event["class_uid"].as_u64(), event["category_uid"].as_u64()), (Some(6003), Some(6)));
            assert_eq!(event["type_uid"].as_u64(), event["activity_id"].as_u64().map(|id| 600_300 + id));
            assert_eq!(event["time"].as_i64(), entry["at"].as_i64().map(|at| at * 1_000));
            assert_eq!(event["actor"]["user"]["uid"], entry["actor"]["principal"]);
        }
        assert_eq!(export("csv").lines().count(), entries.len() + 1);
        let register = export("article-30");
        for said in [
            "## Residents by country of birth (residents)",
            "- Purposes (b): official-statistics",
            "epsilon 100 (pure)",
        ] {
            assert!(register.contains(said), "{register}");
        }
        let entry: serde_json::Value = serde_json::from_str(&export("dp-registry")).unwrap();
        assert_eq!(entry["deployment"]["basic"]["name"], "Residents by country of birth");
        assert_eq!(entry["deployment"]["privacy_loss"]["privacy_parameters"]["epsilon"], 100.0);
        let unknown = audit(&["export", "--format", "dp-registry", "--dataset", "x"], &self.log());
        assert!(
            unknown.0 == Some(2) && unknown.2.contains("no dataset `x`: it has `residents`"),
            "{unknown:?}"
        );
        let page = export("html");
        assert!(
            page.contains("<svg") && page.contains("every claim holds") && !page.contains("http"),
            "{page}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_entry_is_proven_to_somebody_with_a_program_of_others() {
    let mut audited = Audited::start(&Policy::of("GHA").grants([grant()])).await;
    a_week(&mut audited).await;
    audited.fetched();
    let log = audited.log();
    let given = tempfile::tempdir().unwrap();
    let proof = given.path().join("entry.tlog-proof");
    let (code, _, stderr) = audit(&["prove", "4", "--out", proof.to_str().unwrap()], &log);
    assert_eq!(code, Some(0), "{stderr}");
    let paired = |said: &str| {
        let (code, stdout, _) = audit(&["verify", "--answers", given.path().to_str().unwrap()], &log);
        assert!(code == Some(i32::from(said.starts_with("receipts 0"))) && stdout.contains(said), "{stdout}");
    };
    paired("receipts 1 of 1 are of this log");
    let good = fs::read(given.path().join("entry.json")).unwrap();
    fs::write(given.path().join("entry.json"), [&good[..good.len() - 1], b" }"].concat()).unwrap();
    paired("receipts 0 of 1 are of this log");
    fs::write(given.path().join("entry.json"), good).unwrap();
    fs::rename(given.path().join("entry.json"), given.path().join("entry")).unwrap();
    fs::rename(given.path().join("entry.key"), given.path().join("key")).unwrap();
    for name in ["checkpoint", "older"] {
        fs::copy(log.join("checkpoint"), given.path().join(name)).unwrap();
    }
    fs::write(given.path().join("consistency"), "").unwrap();
    std::os::unix::fs::symlink(log.join("tile"), given.path().join("tile")).unwrap();
    let output = program::command(verifier::verifier()).arg(given.path()).output().unwrap();
    let (code, stdout, stderr) = said(&output);
    assert!(code == Some(0) && stdout.contains("entry 4 is in it"), "{stdout}{stderr}");
    let (code, _, stderr) = audit(&["prove", "4000"], &log);
    assert!(code == Some(2) && stderr.contains("there is no entry 4000"), "{stderr}");
}

/// Appends records to a store whose office is down.
async fn append(office: &Office, count: i64) {
    let store = Store::open(&Location::File(office.store())).await.unwrap();
    let policy = store.kept_policy().await.unwrap().unwrap().digest;
    for number in 0..count {
        let mut record =
            Record::of(office.id.to_string(), (1_780_000_000 + number, policy), Decision::Inspected);
        record.reason = format!("test {number}");
        store.append(&record, None).await.unwrap();
    }
    store.close().await;
}

/// Changes the leaf of an entry in a store whose office is down.
fn change(office: &Office, entry: u64, from: &str, to: &str) {
    let store = rusqlite::Connection::open(office.store()).unwrap();
    let sequence = i64::try_from(entry).unwrap() + 1;
    let of = |sql: &str| store.query_row(sql, [sequence], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let leaf = String::from_utf8(of("SELECT leaf FROM access_record WHERE sequence = ?1")).unwrap();
    assert!(leaf.contains(from), "{leaf}");
    let leaf = leaf.replacen(from, to, 1).into_bytes();
    let set = "UPDATE access_record SET leaf = ?1 WHERE sequence = ?2";
    assert_eq!(store.execute(set, rusqlite::params![leaf, sequence]).unwrap(), 1);
}

/// The entry, from 0, of the first record with a decision.
fn entry_of(office: &Office, decision: &str) -> u64 {
    let store = rusqlite::Connection::open(office.store()).unwrap();
    let first = "SELECT min(sequence) FROM access_record WHERE decision = ?1";
    let sequence: i64 = store.query_row(first, [decision], |row| row.get(0)).unwrap();
    u64::try_from(sequence - 1).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_changed_entry_is_refused_and_named() {
    let mut audited = Audited::start(&Policy::of("GHA").grants([grant()])).await;
    a_week(&mut audited).await;
    audited.fetched();
    let held = fs::read(audited.log().join("checkpoint")).unwrap();
    let config = audited.office.write_config(&audited.world);
    audited.office.down().await;
    append(&audited.office, 600).await;
    audited.office.up().await.unwrap();
    audited.office.down().await;
    let fresh = |name: &str| {
        let folder = audited.folder.path().join(name);
        let mut command = program::command(program::lango());
        command.args(["audit", "fetch", "--to"]).arg(&folder).arg("--config").arg(&config);
        (said(&command.output().unwrap()), folder)
    };
    let ((code, _, stderr), folder) = fresh("good");
    assert_eq!(code, Some(0), "{stderr}");
    let lines = proven(&folder);
    assert!(lines.iter().any(|line| line.starts_with("balances 3 of 3")), "{}", lines.join("\n"));

    // Of an entry in a full tile, the hash that the office keeps names it; of one at the end, what follows from the log does.
    let reserved = entry_of(&audited.office, "reserved");
    change(&audited.office, reserved, "official-statistics", "official-statistica");
    let ((code, _, stderr), folder) = fresh("changed");
    assert!(code == Some(1) && stderr.contains("do not lead to the root that it signed"), "{stderr}");
    let found = unproven(&folder.join("refused"));
    let named = format!("  entry {reserved} of ");
    let why = format!("entry {reserved} does not have the hash that `tile/0/000` keeps of it");
    assert!(found.contains(&named) && found.contains(&why), "{found}");
    assert!(found.contains(&format!("hashes {reserved} of ")), "{found}");

    // What was held stays.
    let (code, _, stderr) = {
        let mut command = program::command(program::lango());
        command
            .args(["audit", "fetch", "--to"])
            .arg(audited.folder.path().join("good"))
            .arg("--config")
            .arg(&config);
        said(&command.output().unwrap())
    };
    assert_eq!(code, Some(0), "what is fetched already is not fetched again: {stderr}");
    assert_eq!(fs::read(audited.log().join("checkpoint")).unwrap(), held);
    proven(&audited.log());
}

/// A proof made now is signed by the key of now, and so is a receipt that is made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_entered_before_a_renewal_is_proven_by_the_key_that_came_with_it() {
    let mut audited = Audited::start(&Policy::of("GHA").grants([grant()])).await;
    let awa = audited.world.analyst();
    let question = awa.question(&[&audited.office.id], &persons("by sex", "0.5"));
    let envelope = awa.sign(PayloadType::Query, question.encode());
    awa.send(&audited.office, &envelope).await.unwrap();
    audited.fetched();

    let begins = audited.world.clock.get() + 1;
    let later = Lifetime { not_before: begins, ..audited.world.lifetime() };
    audited.office.down().await;
    audited.office.identity = audited.world.identity_of(&audited.office.id, audited.world.lifetime(), later);
    audited.world.clock.advance(2);
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    audited.office.up().await.unwrap();
    audited.ina.address = audited.office.address().to_string();

    let receipt = awa.send(&audited.office, &envelope).await.unwrap().receipt.unwrap();
    let answers = tempfile::tempdir().unwrap();
    fs::write(answers.path().join("answer.tlog-proof"), receipt.proof.to_string()).unwrap();
    fs::write(answers.path().join("answer.json"), &receipt.entry).unwrap();
    audited.fetched();
    let log = audited.log();
    let proof = answers.path().join("entry.tlog-proof");
    let (code, _, stderr) = audit(&["prove", "3", "--out", proof.to_str().unwrap()], &log);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, stdout, _) = audit(&["verify", "--answers", answers.path().to_str().unwrap()], &log);
    assert!(code == Some(0) && stdout.contains("receipts 2 of 2 are of this log"), "{stdout}");
    assert!(stdout.contains("checkpoints 2 of 2 signed"), "{stdout}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_was_cut_back_is_refused() {
    let mut audited = Audited::start(&Policy::of("GHA").grants([grant()])).await;
    let copy = audited.folder.path().join("yesterday.sqlite");
    let config = audited.office.write_config(&audited.world);
    audited.office.down().await;
    fs::copy(audited.office.store(), &copy).unwrap();
    audited.office.up().await.unwrap();
    a_week(&mut audited).await;
    audited.fetched();
    audited.office.down().await;
    fs::copy(&copy, audited.office.store()).unwrap();
    let mut command = program::command(program::lango());
    command.args(["audit", "fetch", "--to"]).arg(audited.log()).arg("--config").arg(&config);
    let (code, _, stderr) = said(&command.output().unwrap());
    assert!(code == Some(1) && stderr.contains("it was cut back: it has "), "{stderr}");
    proven(&audited.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_folder_that_was_changed_is_not_proven() {
    let mut audited = Audited::start(&Policy::of("GHA").grants([grant()])).await;
    audited.fetched();
    a_week(&mut audited).await;
    audited.fetched();
    let log = audited.log();
    let size: u64 = {
        let note = fs::read_to_string(log.join("checkpoint")).unwrap();
        note.lines().nth(1).unwrap().parse().unwrap()
    };
    let bundle = format!("tile/entries/000.p/{size}");
    let policy = fs::read_dir(log.join("policies")).unwrap().next().unwrap().unwrap().path();
    let policy = policy.strip_prefix(&log).unwrap().to_str().unwrap().to_owned();
    let first = fs::read_dir(log.join("checkpoints")).unwrap().map(|file| file.unwrap().path());
    let first =
        first.min_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse::<u64>().unwrap()).unwrap();
    let first = first.strip_prefix(&log).unwrap().to_str().unwrap().to_owned();
    let flip = |bytes: &mut Vec<u8>, of: &str, to: &str| {
        let at = bytes.windows(of.len()).position(|window| window == of.as_bytes()).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    };
    type Change<'a> = &'a dyn Fn(&mut Vec<u8>);
    let cases: [(&str, Change<'_>, &str); 7] = [
        (&bundle, &|bytes| flip(bytes, "released", "releasee"), "unknown variant `releasee`"),
        (&bundle, &|bytes| flip(bytes, "official", "officiam"), "does not have the hash that `tile/0/000.p/"),
        (&bundle, &|bytes| bytes.truncate(bytes.len() - 1), "ends within its entry"),
        ("checkpoint", &|bytes| flip(bytes, &size.to_string(), "9"), "not all is proven: "),
        (
            &first,
            &|bytes| {
                // Of the office: the auditor's own stands below it.
                let line = bytes.windows(8).rposition(|window| window == "\n— eco".as_bytes());
                let at = line.unwrap() - 10;
                // Base64 still, of another signature.
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            },
            "checkpoints 1 of 2 signed",
        ),
        (&policy, &|bytes| flip(bytes, "residents", "residentz"), "has another digest"),
        (
            "balances.json",
            &|bytes| flip(bytes, "\"pure_nano\": \"", "\"pure_nano\": \"1"),
            "and the log comes to",
        ),
    ];
    for (name, change, said) in cases {
        let path = log.join(name);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        change(&mut bad);
        fs::write(&path, &bad).unwrap();
        let (code, stdout, stderr) = audit(&["verify"], &log);
        assert!(code == Some(1) && format!("{stdout}{stderr}").contains(said), "{name}: {stdout}{stderr}");
        fs::write(&path, &good).unwrap();
    }
    proven(&log);
    // A folder that somebody else gave is verified with one's own region.
    let stranger = TestRegion::new();
    let ana = AtGateway::of(&stranger, "https://127.0.0.1:1", Role::Auditor, "ana");
    let (code, stdout, _) = audit(&["verify", "--identity", ana.identity.path().to_str().unwrap()], &log);
    assert!(code == Some(1) && stdout.contains("checkpoints 0 of 2 signed"), "{stdout}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fetch_that_is_killed_goes_on() {
    let mut audited = Audited::start(&Policy::of("GHA").grants([grant()])).await;
    audited.office.down().await;
    append(&audited.office, 2_000).await;
    audited.office.up().await.unwrap();
    audited.ina.address = audited.office.address().to_string();
    for delay_ms in (0..400).step_by(25) {
        let mut command = program::command(program::lango());
        command.args(["audit", "fetch", "--to"]).arg(audited.log()).args(["--gateway", &audited.ina.address]);
        command.arg("--identity").arg(audited.ina.identity.path());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut fetching = command.spawn().unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(delay_ms)).await;
        fetching.kill().unwrap();
        fetching.wait().unwrap();
        if audited.log().join("checkpoint").exists() {
            proven(&audited.log());
        }
    }
    audited.fetched();
    proven(&audited.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_but_a_listed_auditor_sees_the_log() {
    let audited = Audited::start(&Policy::of("GHA").grants([grant()])).await;
    let at = |role, name: &str| AtGateway::of(&audited.world, &audited.ina.address, role, name);
    let to = audited.log();
    let fetch = |who: &AtGateway| who.run(&["audit", "fetch"], &["--to", to.to_str().unwrap()]);
    let (code, _, stderr) = fetch(&at(Role::Auditor, "eve"));
    assert!(code == Some(1) && stderr.contains("GHA refuses: not-auditor: "), "{stderr}");
    let (code, _, stderr) = fetch(&at(Role::Analyst, "awa"));
    assert!(code == Some(1) && stderr.contains("name the folder of an auditor"), "{stderr}");
    assert!(!to.join("checkpoint").exists());
    let refused: Vec<_> =
        audited.office.records().into_iter().filter(|record| record.decision == "refused").collect();
    assert_eq!(refused.len(), 1);
    let (code, _, stderr) =
        said(&program::command(program::lango()).args(["audit", "verify"]).arg(&to).output().unwrap());
    assert!(code == Some(1) && stderr.contains("holds no log: fetch one"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_ends_are_held_against_each_other_and_followed() {
    let audited = Audited::start(&Policy::of("GHA").grants([grant()])).await;
    let (world, office) = (&audited.world, &audited.office);
    let kept = tempfile::tempdir().unwrap();
    let members = vec![(office.id.clone(), office.address())];
    let auditors = vec![world.id(Role::Auditor, "ina")];
    let identity = world.identity(Role::Coordinator, "main");
    let often = (kept.path(), std::time::Duration::from_millis(100));
    let coordinator = TestCoordinator::start_logging(world, &identity, members, often, auditors).await;
    let address = format!("https://{}", coordinator.address());
    let awa = world.analyst();
    let relay = async |query: &str| {
        let question = awa.question(&[&office.id], &persons(query, "0.25"));
        let envelope = awa.sign(PayloadType::Query, question.encode());
        awa.relay(&coordinator, &envelope, false).await
    };
    relay("by sex").await.unwrap();
    relay("by sex").await.unwrap();
    assert!(relay("by education").await.is_ok(), "a member's refusal is passed on");
    audited.fetched();
    let log = audited.log();
    let other = audited.folder.path().join("coordinator");
    let (log, other) = (log.to_str().unwrap(), other.to_str().unwrap());
    let identity = audited.ina.identity.path().to_str().unwrap();
    let run = |words: &[&str]| {
        let mut command = program::command(program::lango());
        said(&command.arg("audit").args(words).output().unwrap())
    };
    let fetch = ["fetch", "--to", other, "--coordinator", &address, "--identity", identity];
    let (code, _, stderr) = run(&fetch);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.starts_with(&format!("the coordinator of {}\n", coordinator.id)), "{stderr}");
    let (code, stdout, stderr) = run(&["verify", log, other]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    for line in [
        "the log of ecowas.example/coordinator/main: ",
        "\nanswers 2 of 2 paired with the coordinator's; orphans 0\n",
        "\npassed on 2 of 2 by the coordinator are in this log",
    ] {
        assert!(stdout.contains(line), "{line}: {stdout}");
    }
    let (_, stdout, _) = run(&["list", other, log, "--principal", "awa"]);
    assert!(stdout.contains("relayed") && stdout.contains("released"), "{stdout}");
    // A second auditor's copy is of the same log.
    let copy = audited.folder.path().join("copy");
    let (code, _, stderr) = audited.ina.run(&["audit", "fetch"], &["--to", copy.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, stdout, _) = run(&["verify", log, copy.to_str().unwrap()]);
    assert!(code == Some(0) && stdout.contains("\nthe same log as in "), "{stdout}");

    // What is new is said, and the auditor's cosignature stands on what is held.
    relay("by age").await.unwrap();
    let monitor = ["monitor", log, other, "--identity", identity, "--once", "--rule", "regional-analysts"];
    let (code, stdout, stderr) = run(&monitor);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stderr.contains("GHA: new ") && stderr.contains("1 released"), "{stderr}");
    assert!(stderr.contains("main: new ") && stderr.contains("1 relayed"), "{stderr}");
    assert_eq!(stdout.matches("  released\n").count(), 1, "{stdout}");
    let note = fs::read_to_string(Path::new(log).join("checkpoint")).unwrap();
    assert!(note.contains("\n— ecowas.example/auditor/ina "), "{note}");
    // What was held and never said, because a run was stopped, is said by the next one, once.
    let monitored = Path::new(log).join("monitored");
    let said = || fs::read_to_string(&monitored).unwrap().trim_end().parse::<u64>().unwrap();
    let before = said();
    fs::write(&monitored, "0\n").unwrap();
    let released = || run(&monitor).1.matches("  released\n").count();
    assert!(released() > 1);
    assert!(released() == 0 && said() > before);
    fs::write(&monitored, "many\n").unwrap();
    let (code, _, stderr) = run(&monitor);
    assert!(code == Some(1) && stderr.contains("monitored: is no number of entries: remove it"), "{stderr}");
    fs::remove_file(&monitored).unwrap();
    coordinator.stop().await;
    let (code, _, stderr) = run(&monitor);
    assert!(code == Some(1) && stderr.contains("1 of 2 logs could not be followed"), "{stderr}");
}
