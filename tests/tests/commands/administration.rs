//! The office's ledger, reviews and policy from an administrator's own machine.

use std::path::{Path, PathBuf};

use lango_gateway::Activation;
use lango_identity::Role;
use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion, persons};
use tempfile::TempDir;

use crate::{folder, process::Process, program, program::said};

/// A command at a gateway, with the keys of a folder.
pub struct AtGateway {
    pub address: String,
    pub identity: TempDir,
}

impl AtGateway {
    pub fn of(world: &TestRegion, address: &str, role: Role, name: &str) -> Self {
        let authority = world.authority.to_pem().certificate_pem;
        let identity = folder(&world.identity(role, name), &authority);
        Self { address: address.to_owned(), identity }
    }

    pub fn run(&self, words: &[&str], more: &[&str]) -> (Option<i32>, String, String) {
        let mut command = program::command(program::lango());
        command.args(words).args(["--gateway", &self.address]).arg("--identity").arg(self.identity.path());
        said(&command.args(more).output().unwrap())
    }

    /// The same where it is done.
    pub fn done(&self, words: &[&str], more: &[&str]) -> (String, String) {
        let (code, stdout, stderr) = self.run(words, more);
        assert_eq!(code, Some(0), "{words:?}: {stderr}");
        (stdout, stderr)
    }
}

/// An office with two administrators, whose gateway runs; its configuration.
fn office(world: &TestRegion) -> (Office, Process, PathBuf) {
    let grant =
        TestGrant { more: "review = \"required\"\nhold = true".to_owned(), ..TestGrant::of("1", "4") };
    let policy = Policy::of("GHA").grants([grant]);
    let mut office = Office::prepare(world, "GHA", &policy, &Register::sample(5));
    office.administrators.listed = ["ama", "kofi"].map(|name| world.id(Role::Administrator, name)).into();
    let config = office.write_config(world);
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    (office, gateway, config)
}

fn in_office(words: &[&str], config: &Path, more: &[&str]) -> String {
    let (code, stdout, stderr) = said(&crate::prepare::lango(words, config, more));
    assert_eq!(code, Some(0), "{words:?}: {stderr}");
    stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_elsewhere_sees_what_the_office_sees_and_decides() {
    let world = TestRegion::new();
    let (office, gateway, config) = office(&world);
    let address = format!("https://{}", gateway.address);
    let at = |role, name: &str| AtGateway::of(&world, &address, role, name);
    let (ama, awa) = (at(Role::Administrator, "ama"), world.analyst());
    let question = persons("by sex", "0.5");
    let failed = awa.ask(&office, &question).await.unwrap_err();
    let name = failed.signed.unwrap().arguments.get("review").unwrap().to_owned();

    let same = |words: &[&str], more: &[&str]| {
        let (there, here) = (ama.done(words, more).0, in_office(words, &config, more));
        assert_eq!(there, here, "{words:?} {more:?}");
        there
    };
    assert!(same(&["review", "list"], &[]).starts_with(&format!("{name}  waiting  ")));
    assert!(same(&["review", "show", &name], &[]).contains("state     waiting: "));
    let (_, said) = ama.done(&["review", "approve", &name[..4]], &["--why", "as agreed"]);
    assert!(said.contains(" is approved: the question is answered when it is asked again"), "{said}");
    assert_eq!(awa.ask(&office, &question).await.unwrap_err().refusal(), "answer-held");
    let shown = same(&["review", "show", &name], &[]);
    assert!(shown.contains("state     held: ") && shown.contains("std err"), "{shown}");
    let kofi = at(Role::Administrator, "kofi");
    kofi.done(&["review", "reject", &name], &["--why", "not in this form"]);
    let decided = same(&["review", "list"], &["--all", "--format", "csv"]);
    assert!(decided.contains("administrator/kofi,not in this form"), "{decided}");
    for format in ["table", "json", "csv"] {
        same(&["ledger", "show"], &["--format", format]);
        let dataset = ["--dataset", "residents", "--format", format];
        let history = same(&["ledger", "history"], &dataset);
        assert!(history.contains("withheld"), "{history}");
    }
    let history = in_office(&["ledger", "history"], &config, &["--most", "3"]);
    assert!(history.contains("administrator/ama    inspected\n      records"), "{history}");
    let standing = same(&["policy", "status"], &[]);
    assert!(standing.contains("listed    administrator/ama, administrator/kofi\n"), "{standing}");

    // What cannot be is refused in words, with the code that is signed.
    let (code, _, stderr) = kofi.run(&["review", "reject", &name], &["--why", "again"]);
    assert!(
        code == Some(1) && stderr.contains("review-step: a review that is withheld cannot be"),
        "{stderr}"
    );
    let (code, _, stderr) = at(Role::Administrator, "yaw").run(&["ledger", "show"], &[]);
    assert!(code == Some(1) && stderr.contains("GHA refuses: not-administrator: "), "{stderr}");
    // An office that is not the one that is meant is sent nothing.
    let before = office.records().len();
    let (code, _, stderr) = ama.run(&["ledger", "show"], &["--office", "TGO"]);
    assert!(code == Some(1) && stderr.contains("is of the office GHA, not of TGO"), "{stderr}");
    assert_eq!(office.records().len(), before);
    let (_, named) = ama.done(&["ledger", "show"], &["--office", "GHA"]);
    assert!(named.contains("the gateway of spiffe://ecowas.example/office/GHA"), "{named}");
    let (code, _, stderr) = at(Role::Analyst, "awa").run(&["ledger", "show"], &[]);
    assert!(code == Some(1) && stderr.contains("name the folder of an administrator"), "{stderr}");
    let (code, _, stderr) =
        AtGateway { address: "https://127.0.0.1:1".to_owned(), ..at(Role::Administrator, "ama") }
            .run(&["ledger", "show"], &[]);
    assert!(
        code == Some(1) && stderr.contains("cannot reach the gateway at https://127.0.0.1:1"),
        "{stderr}"
    );
    let (_, ended, log) = gateway.stop();
    assert!(ended, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_saved_policy_is_seen_from_afar() {
    let world = TestRegion::new();
    let (office, gateway, _) = office(&world);
    let ama = AtGateway::of(&world, &format!("https://{}", gateway.address), Role::Administrator, "ama");
    let saved = office.folder().join("policies/policy.toml");
    let good = std::fs::read_to_string(&saved).unwrap();
    std::fs::write(&saved, good.replace("epsilon_total", "epsilon_totl")).unwrap();
    gateway.signal("HUP");
    let until = |said: &str| {
        let begun = std::time::Instant::now();
        loop {
            let (status, _) = ama.done(&["policy", "status"], &[]);
            if status.contains(said) {
                break status;
            }
            assert!(begun.elapsed().as_secs() < 30, "{status}");
        }
    };
    let status = until("the folder is refused");
    assert!(status.contains("epsilon_totl") && status.contains("policy.toml:"), "{status}");
    std::fs::write(&saved, good).unwrap();
    gateway.signal("HUP");
    until("waiting   nothing\n");
    let (_, ended, log) = gateway.stop();
    assert!(ended, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_signature_that_puts_nothing_in_force_fails_and_counts() {
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    office.administrators.listed = ["ama", "kofi"].map(|name| world.id(Role::Administrator, name)).into();
    office.administrators.activation = Activation::Two;
    let config = office.write_config(&world);
    let gateway = Process::start(&config);
    let at = |name| AtGateway::of(&world, &format!("https://{}", gateway.address), Role::Administrator, name);
    let (ama, kofi) = (at("ama"), at("kofi"));
    let status = || ama.done(&["policy", "status"], &[]).0;
    let waiting = status();
    let digest = waiting.lines().find_map(|line| line.strip_prefix("waiting   ")).unwrap();
    ama.done(&["policy", "sign", digest], &[]);
    office.database.away();
    let (code, shown, stderr) = kofi.run(&["policy", "sign", digest], &[]);
    office.database.back();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("but the policy cannot come into force yet: see above why"), "{stderr}");
    assert!(shown.contains("in force  no policy yet") && shown.contains("the folder is refused"), "{shown}");
    for line in [&format!("besides   {digest}\n"), "by administrator/ama, ", "by administrator/kofi, "] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    // Both signatures stand: it comes into force when the folder is read again.
    gateway.signal("HUP");
    let begun = std::time::Instant::now();
    while !status().contains(&format!("in force  {digest}\n")) {
        assert!(begun.elapsed().as_secs() < 30, "{}", status());
    }
    let (_, ended, log) = gateway.stop();
    assert!(ended, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sign_their_copies_of_a_folder_and_it_comes_into_force() {
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    office.administrators.listed = ["ama", "kofi"].map(|name| world.id(Role::Administrator, name)).into();
    office.administrators.activation = Activation::Two;
    let config = office.write_config(&world);
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    let at = |name| AtGateway::of(&world, &format!("https://{}", gateway.address), Role::Administrator, name);
    let (ama, kofi) = (at("ama"), at("kofi"));
    let question = persons("by sex", "0.5");
    let awa = world.analyst();
    assert!(awa.ask(&office, &question).await.is_err(), "nothing is signed yet");
    let same = || {
        let (there, here) =
            (ama.done(&["policy", "status"], &[]).0, in_office(&["policy", "status"], &config, &[]));
        assert_eq!(there, here);
        there
    };
    let status = same();
    assert!(status.contains("changes   wait until 2 administrators have signed them\n"), "{status}");
    assert!(status.contains("signed    by nobody yet\n"), "{status}");
    assert!(status.lines().all(|line| line.chars().count() <= 100), "{status}");

    // A copy that is another than what waits is not signed.
    let copy = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(office.folder().join("policies/policy.toml")).unwrap();
    let save = |text: &str| std::fs::write(copy.path().join("policy.toml"), text).unwrap();
    let folder = copy.path().to_str().unwrap();
    save(&format!("{text}# another\n"));
    let (code, _, stderr) = ama.run(&["policy", "sign", folder], &[]);
    assert!(code == Some(1) && stderr.contains("policy-not-waiting: another change"), "{stderr}");
    save(&text);
    let (_, kept) = ama.done(&["policy", "sign", folder], &[]);
    assert!(kept.contains("comes into force when one administrator more has signed it"), "{kept}");
    let (code, _, stderr) = ama.run(&["policy", "sign", folder], &[]);
    assert!(code == Some(1) && stderr.contains("policy-signed-already: "), "{stderr}");
    let status = same();
    assert!(status.contains("signed    by administrator/ama, "), "{status}");
    let (_, report, _) = said(&crate::prepare::lango(&["doctor"], &config, &["--format", "json"]));
    assert!(report.contains("until two have signed one, and administrator/ama has"), "{report}");
    let digest = status.lines().find_map(|line| line.strip_prefix("waiting   ")).unwrap().to_owned();
    let (code, _, stderr) = kofi.run(&["policy", "sign", &digest[..12]], &[]);
    assert!(code == Some(1) && stderr.contains("a digest has 64 letters"), "{stderr}");
    // What does not decide yet is not what the office's commands read.
    let (_, report, _) = said(&crate::prepare::lango(&["doctor"], &config, &["--format", "json"]));
    assert!(report.contains("none: no policy is kept"), "{report}");
    assert!(!in_office(&["ledger", "show"], &config, &[]).contains("residents"));
    let (_, done) = kofi.done(&["policy", "sign", &digest], &[]);
    assert!(done.contains("in force now, signed by administrator/ama and administrator/kofi"), "{done}");
    assert!(in_office(&["ledger", "show"], &config, &[]).contains("residents"));
    assert!(same().contains(&format!("in force  {digest}\n")));
    assert!(awa.ask(&office, &question).await.is_ok());
    let history = in_office(&["ledger", "history"], &config, &[]);
    for by in ["ama", "kofi"] {
        let line = format!("administrator/{by}");
        let signed = format!("signed      policy {}", &digest[..16]);
        assert!(history.lines().any(|one| one.contains(&line) && one.contains(&signed)), "{history}");
    }
    let first = "activation two, administrators ama, kofi; before: none on record";
    assert!(
        history.contains(&format!("office/GHA                               configured\n      {first}")),
        "{history}"
    );
    let (_, ended, log) = gateway.stop();
    assert!(ended, "{log}");
    // A folder with other limits changes nothing for them, nor does a wrong one.
    let saved = office.folder().join("policies/policy.toml");
    for other in [text.replace("epsilon_total", "epsilon_totl"), format!("{text}# another\n")] {
        let before = in_office(&["ledger", "show"], &config, &[]);
        std::fs::write(&saved, other).unwrap();
        assert_eq!(in_office(&["ledger", "show"], &config, &[]), before);
    }
}
