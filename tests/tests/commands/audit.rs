//! An office's log from an auditor's own machine: fetched, verified, and what is made of one that was changed.

use std::path::{Path, PathBuf};

use lango_identity::Role;
use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion, persons};
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
    a_week(&mut audited).await;
    let second = audited.fetched();
    println!("{first}\n{second}");
    let lines = proven(&audited.log());
    println!("{}", lines.join("\n"));
    panic!();
}
