//! `lango init` for every role, from an authority to an analyst's answer, and `lango doctor` on the way.

use std::{fs, io::Write, net::TcpListener, path::PathBuf, process::Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::{process::Process, program};

/// A folder in which somebody runs the program.
pub(crate) struct Place(TempDir);

impl Place {
    /// A place with a region's authority, whose coordinator is to listen on this port.
    pub(crate) fn with_region(port: u16) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.done(&format!(
            "identity authority --region ecowas.example --no-passphrase --coordinator https://127.0.0.1:{port}"
        ));
        place
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn run(&self, words: &str) -> (Option<i32>, String, String) {
        let mut command = program::command(program::lango());
        command.args(words.split(' ')).current_dir(self.0.path()).stdin(Stdio::null());
        program::said(&command.output().unwrap())
    }

    /// Runs what must be done, and returns what it prints.
    pub(crate) fn done(&self, words: &str) -> String {
        let (code, stdout, stderr) = self.run(words);
        assert_eq!(code, Some(0), "{words}: {stdout}{stderr}");
        stdout
    }

    /// Runs what must be done on a terminal, which `script` of util-linux makes, while somebody types; returns what it shows.
    fn typed(&self, words: &str, lines: &str) -> String {
        let command = format!("{} {words}", program::lango().display());
        let mut script = program::command("script");
        script.args(["-qec", &command, "/dev/null"]).current_dir(self.0.path());
        let mut process = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let (code, shown, _) = program::said(&process.wait_with_output().unwrap());
        assert_eq!(code, Some(0), "{words}: {shown}");
        shown
    }

    /// Runs what must be refused with these words, and makes nothing.
    pub(crate) fn refused(&self, words: &str, expected: &str) {
        let before = program::files(self.0.path(), "");
        let (code, stdout, stderr) = self.run(words);
        assert!(matches!(code, Some(1 | 2)), "{words}: {code:?} {stdout}");
        assert!(stderr.contains(expected), "{words}: {stderr}");
        assert_eq!(program::files(self.0.path(), ""), before, "{words}");
    }

    /// Has the certificates for a folder issued, and installs them. The words are what its owner reads out.
    pub(crate) fn certified(&self, dir: &str) {
        let words = self.done(&format!("identity show {dir}/identity --words")).trim().replace(' ', "-");
        self.done(&format!(
            "identity issue {dir}/identity/request.toml --fingerprint {words} --out {dir}.pem"
        ));
        self.done(&format!("identity install {dir}.pem --dir {dir}/identity"));
    }

    /// What the doctor finds: the exit code, and each check with its status and words.
    pub(crate) fn doctor(&self, words: &str) -> (Option<i32>, Vec<[String; 3]>) {
        let (code, stdout, stderr) = self.run(&format!("doctor {words} --format json"));
        let report: Value =
            serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
        let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let checks = report["checks"].as_array().unwrap().iter();
        (code, checks.map(|check| ["check", "status", "found"].map(|name| text(check, name))).collect())
    }
}

fn expect(found: &(Option<i32>, Vec<[String; 3]>), check: &str, status: &str, words: &str) {
    let is = |[name, is, found]: &&[String; 3]| name == check && is == status && found.contains(words);
    assert!(found.1.iter().any(|line| is(&line)), "{check} {status} {words}: {:#?}", found.1);
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn every_role_begins_with_a_folder_and_a_question_is_answered() {
    let (gateway_port, coordinator_port) = (free_port(), free_port());
    let place = Place::with_region(coordinator_port);
    let init = |words: &str| place.done(&format!("init {words} --region authority/region.toml"));
    let said = init(&format!("office --name GHA --host localhost --listen 127.0.0.1:{gateway_port}"));
    for words in [
        "made the folder office",
        "1. Send office/identity/request.toml to the authority",
        "in digits:",
        "lango identity install BUNDLE --dir office/identity",
        "4. Make the ledger, once:\n   lango ledger create --config office/gateway.toml\n",
        "systemctl daemon-reload && systemctl enable --now lango-gateway\n",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let unit = place.text("office/lango-gateway.service.d/folder.conf");
    let config = place.path("office/gateway.toml").canonicalize().unwrap();
    assert!(unit.contains(&format!("gateway --config \"{}\"\n", config.display())), "{unit}");
    init(&format!(
        "coordinator --listen 127.0.0.1:{coordinator_port} --member GHA=https://127.0.0.1:{gateway_port}"
    ));
    init("analyst --name awa");
    init("auditor --name zainab --dir people/zainab");
    init("administrator --name kofi");
    for (dir, files) in
        [("office", 8), ("coordinator", 7), ("analyst", 6), ("people/zainab", 5), ("administrator", 5)]
    {
        assert_eq!(program::files(&place.path(dir), "").len(), files, "{dir}");
        if dir != "people/zainab" {
            place.certified(dir);
        }
    }
    // What has no certificates yet is said to have none.
    let found = place.doctor("--identity people/zainab/identity");
    assert_eq!(found.0, Some(1));
    expect(&found, "certificate for TLS", "failed", "tls.pem");

    place.done("ledger create --config office/gateway.toml");
    let register = rusqlite::Connection::open(place.path("office/register.sqlite")).unwrap();
    register
        .execute_batch(
            "CREATE TABLE residents (person_id TEXT PRIMARY KEY, country_of_birth TEXT, sex TEXT, age INTEGER);
             INSERT INTO residents VALUES ('p1', 'TGO', 'F', 34), ('p2', 'TGO', 'M', 35), ('p3', 'BEN', 'F', 36)",
        )
        .unwrap();
    drop(register);
    let found = place.doctor("--config office/gateway.toml");
    assert_eq!(found.0, Some(0), "{:#?}", found.1);
    expect(&found, "policy", "ok", "0 datasets, 0 grants");
    expect(&found, "store's folder", "ok", "files may be made in office");
    expect(&found, "listen", "ok", "is free");
    expect(&found, "way to the coordinator", "warning", &format!("https://127.0.0.1:{coordinator_port}: "));
    let found = place.doctor("--config coordinator/coordinator.toml");
    expect(&found, "log", "failed", "there is none at coordinator/log.sqlite");
    place.done("audit create --config coordinator/coordinator.toml");
    let found = place.doctor("--config coordinator/coordinator.toml");
    assert_eq!(found.0, Some(0), "{:#?}", found.1);
    expect(&found, "log", "ok", "coordinator/log.sqlite");
    expect(&found, "member GHA", "warning", &format!("https://127.0.0.1:{gateway_port}: "));
    let found = place.doctor("--identity analyst/identity");
    assert_eq!(found.0, Some(1));
    expect(&found, "way to the coordinator", "failed", "");

    // A gateway that grants nothing runs, and takes the policy that is saved while it does.
    let gateway = Process::start(&place.path("office/gateway.toml"));
    let coordinator = Process::start_coordinator(&place.path("coordinator/coordinator.toml"));
    let found = place.doctor("--config office/gateway.toml");
    expect(&found, "listen", "ok", "answers as spiffe://ecowas.example/office/GHA");
    expect(&found, "way to the coordinator", "ok", "1 members, this office among them");
    let found = place.doctor("--config coordinator/coordinator.toml");
    expect(&found, "member GHA", "ok", "is spiffe://ecowas.example/office/GHA");
    let found = place.doctor("--identity analyst/identity");
    assert_eq!(found.0, Some(0), "{:#?}", found.1);
    expect(&found, "way to the coordinator", "ok", "answers");
    expect(&found, "office GHA", "ok", "it answers, and signs it");
    expect(&place.doctor("--identity administrator/identity"), "way to the coordinator", "ok", "1 members");

    let sample = program::project().join("deploy/config/policies/residents.toml");
    fs::copy(sample, place.path("office/policies/gha.toml")).unwrap();
    gateway.signal("HUP");
    let question = "query run analyst/question.toml --all --identity analyst/identity --format json";
    let begun = std::time::Instant::now();
    let answer = loop {
        let (code, stdout, stderr) = place.run(question);
        if code == Some(0) {
            break stdout;
        }
        assert!(begun.elapsed().as_secs() < 30, "{stdout}{stderr}");
    };
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["coverage"]["answered"], serde_json::json!(["GHA"]));
    let (_, ended, log) = gateway.stop();
    assert!(ended, "{log}");
    assert!(coordinator.stop().1);
}

#[test]
fn on_a_terminal_what_is_missing_is_asked_for_and_what_is_wrong_is_asked_for_again() {
    let place = Place::with_region(7444);
    let shows = |said: &str, expected: &[&str]| {
        expected.iter().for_each(|words| assert!(said.contains(words), "{words}: {said}"));
    };
    let members = "\n\nGHA\nGHA=https://gateway.statsghana.example:7443\n\n";
    shows(
        &place.typed("init coordinator --region authority/region.toml", members),
        &[
            "A name for the coordinator [region]: ",
            "reach it [127.0.0.1]: ",
            "  a member is named as OFFICE=URL",
            "Another member, or nothing: ",
            "made the folder coordinator",
        ],
    );
    shows(
        &place.typed("init analyst --region authority/region.toml", "Awa Diallo\nawa\n"),
        &["`Awa Diallo` is not a name", "made the folder analyst"],
    );
    let words = place.done("identity show analyst/identity --words");
    shows(
        &place.typed("identity issue analyst/identity/request.toml", &format!("qqq\n\n{words}")),
        &["word 1, `qqq`, is no word", "Type all of them again", "issued: send analyst-awa.bundle.pem"],
    );
}

#[test]
fn what_is_missing_or_there_already_is_refused_and_nothing_is_made() {
    let place = Place::with_region(7444);
    let region = "--region authority/region.toml";
    fs::create_dir(place.path("there")).unwrap();
    fs::write(place.path("there/file"), "mine").unwrap();
    for (words, expected) in [
        ("office --host localhost", "--name is missing: The office: its country's ISO 3166-1 alpha-3 code"),
        ("office --name Ghana --host localhost", "--name Ghana: "),
        ("office --name GHA", "--host is missing"),
        ("office --name GHA --host https://localhost", "--host https://localhost: a host's name or address"),
        (
            "office --name GHA --host localhost --postgres db/census",
            "an address for --postgres is such as postgres://",
        ),
        (
            "office --name GHA --host localhost --mariadb postgres://db/census",
            "an address for --mariadb is such as",
        ),
        (
            "office --name GHA --host localhost --sqlite http://db/census",
            "begins with postgresql:// or mariadb://",
        ),
        ("office --name GHA --host localhost --sqlite a --postgres b", "cannot be used with"),
        ("office --name GHA --host localhost --dir there", "there: is there already"),
        ("coordinator", "--member is missing"),
        ("coordinator --member GHA", "--member GHA: a member is named as OFFICE=URL"),
        ("coordinator --member GHA=https://a:1 --member GHA=https://b:1", "GHA is named twice"),
        ("analyst", "--name is missing"),
        ("auditor --name ../x", "--name ../x: "),
        ("administrator --name kofi --dir authority", "authority: is there already"),
    ] {
        place.refused(&format!("init {words} {region}"), expected);
    }
    place.refused("init analyst --name awa --region nowhere.toml", "nowhere.toml");
    // A register on a server, and an empty folder that is there.
    fs::create_dir(place.path("empty")).unwrap();
    place.done(&format!(
        "init office --name GHA --host 127.0.0.1 --postgres postgresql://lango@db.example/census --dir empty {region}"
    ));
    let text = place.text("empty/gateway.toml");
    assert!(text.contains("postgres = \"postgresql://lango@db.example/census\"\n"), "{text}");
}
