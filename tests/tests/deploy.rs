//! What ships beside the program: policies, sample configurations, units. Every file is used here as its reader would use it.

// What a test needs and does not get is its failure, in its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/program.rs"]
mod program;

use std::{
    fs,
    io::Read,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use lango_document::Document;
use lango_identity::{Authority, Lifetime, Role, SpiffeId};
use lango_policy::PolicySet;
use program::{command, files, lango, project, signal};
use serde_json::Value;

const REGION: &str = "ecowas.example";
/// As in the sample configurations.
const SIGNING_EKU: &str = "1.3.6.1.4.1.32473.1.1";
const START_TIME_MAX: Duration = Duration::from_secs(30);

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_policy_loads_and_passes_its_own_tests() {
    let shipped = [project().join("policies"), project().join("deploy")];
    let paths = shipped.iter().flat_map(|folder| files(folder, ".toml"));
    let policies: Vec<PathBuf> = paths.filter(|path| read(path).contains("\npolicy = 2\n")).collect();
    assert!(policies.len() >= 3, "{policies:?}");
    for path in policies {
        let set = PolicySet::read(&[Document::new(path.display().to_string(), read(&path))]);
        let set = set.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(set.run_trials(), [], "{}", path.display());
        let expectations: Vec<&str> = set.trials.iter().map(|trial| trial.written.as_str()).collect();
        assert!(expectations.len() >= 3, "{} hardly tests itself", path.display());
    }
}

/// `/etc/lango`, `/var/lib/lango` and so on, all under one temporary folder.
struct Machine {
    root: tempfile::TempDir,
    authority: Authority,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let authority = Authority::new(REGION, "authority", Self::lifetime()).unwrap();
        for folder in ["etc", "var", "srv", "run"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("etc/authority.pem"), authority.to_pem().certificate_pem).unwrap();
        Self { root, authority }
    }

    fn lifetime() -> Lifetime {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Lifetime::days(now.as_secs().try_into().unwrap(), 1)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn issue(&self, role: Role, name: &str, signs: bool) {
        let id = SpiffeId::new(REGION, role, name).unwrap();
        let tls = self.authority.issue_tls(&id, Self::lifetime(), &["localhost"]).unwrap();
        tls.save(&self.path("run"), "tls").unwrap();
        if signs {
            let eku = SIGNING_EKU.parse().unwrap();
            let signing = self.authority.issue_signing(&id, Self::lifetime(), &eku).unwrap();
            signing.save(&self.path("run"), "signing").unwrap();
        }
    }

    /// Puts a sample configuration in place, its absolute paths moved into this machine and its port a free one.
    fn configure(&self, sample: &str) -> PathBuf {
        let mut text = read(&project().join("deploy/config").join(sample));
        let service = format!("/run/credentials/lango-{}.service", sample.trim_end_matches(".toml"));
        for (from, to) in [(service.as_str(), "run"), ("/var/lib/lango", "var"), ("/srv/lango", "srv")] {
            text = text.replace(&format!("\"{from}"), &format!("\"{}", self.path(to).display()));
        }
        let (before, port) = text.split_once("\"0.0.0.0:").unwrap();
        let rest = port.split_once('"').unwrap().1;
        let path = self.path("etc").join(sample);
        fs::write(&path, format!("{before}\"127.0.0.1:0\"{rest}")).unwrap();
        path
    }

    /// Lets the doctor examine it, by the folder that the service manager would hand over and by the one it is handed from.
    fn passes(&self, configuration: &Path) {
        for identity in [None, Some("--identity")] {
            let mut doctor = command(lango());
            doctor.args(["doctor", "--format", "json", "--config"]).arg(configuration);
            doctor.args(identity).args(identity.map(|_| self.path("run")));
            let output = doctor.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
            let report: Value = serde_json::from_str(&said).unwrap();
            assert_eq!(report["failed"], 0, "{said}");
        }
    }

    /// Runs the unit's own command line and waits for its word that it is ready; then stops it as systemd would.
    fn runs(&self, unit: &str, configuration: &Path) {
        let exec = exec_start(unit).replace("/etc/lango/", "");
        let words: Vec<&str> = exec.split(' ').collect();
        let [program, subcommand, option, file] = words.as_slice() else { panic!("{exec}") };
        assert_eq!((*program, configuration.ends_with(file)), ("/usr/bin/lango", true), "{exec}");
        let socket = self.path(&format!("{subcommand}.notify"));
        let notices = UnixDatagram::bind(&socket).unwrap();
        notices.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut child = command(lango())
            .args([subcommand, option])
            .arg(configuration)
            .env("NOTIFY_SOCKET", &socket)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let notice = await_notice(&notices, &mut child);
        if notice.is_none() {
            drop(child.kill());
        } else {
            signal("TERM", child.id());
        }
        let status = wait(&mut child);
        let mut log = String::new();
        child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!((notice.as_deref(), status), (Some("READY=1"), true), "{unit}: {log}");
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(line.get("level").is_some());
        }
    }
}

fn await_notice(notices: &UnixDatagram, child: &mut Child) -> Option<String> {
    let deadline = Instant::now() + START_TIME_MAX;
    let mut bytes = [0; 256];
    while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        if let Ok(length) = notices.recv(&mut bytes) {
            return Some(String::from_utf8_lossy(&bytes[..length]).trim().to_owned());
        }
    }
    None
}

fn wait(child: &mut Child) -> bool {
    let deadline = Instant::now() + START_TIME_MAX;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

fn exec_start(unit: &str) -> String {
    let text = read(&project().join("deploy/systemd").join(unit));
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart="));
    line.unwrap_or_else(|| panic!("{unit} starts nothing")).to_owned()
}

#[test]
fn the_sample_gateway_starts_says_so_and_stops() {
    let machine = Machine::new();
    machine.issue(Role::Office, "GHA", true);
    let policies = machine.path("etc/policies");
    fs::create_dir(&policies).unwrap();
    for policy in files(&project().join("deploy/config/policies"), ".toml") {
        fs::copy(&policy, policies.join(policy.file_name().unwrap())).unwrap();
    }
    let register = rusqlite::Connection::open(machine.path("srv/register.sqlite")).unwrap();
    let table =
        "CREATE TABLE residents (person_id TEXT PRIMARY KEY, country_of_birth TEXT, sex TEXT, age INTEGER)";
    register.execute_batch(table).unwrap();
    register.execute("INSERT INTO residents VALUES ('p1', 'TGO', 'F', 34)", []).unwrap();
    drop(register);
    let config = machine.configure("gateway.toml");
    let made = command(lango()).args(["ledger", "create", "--config"]).arg(&config).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    machine.passes(&config);
    machine.runs("lango-gateway.service", &config);
    assert!(machine.path("var/ledger.sqlite").exists());
}

#[test]
fn the_sample_coordinator_starts_says_so_and_stops() {
    let machine = Machine::new();
    machine.issue(Role::Coordinator, "region", true);
    let config = machine.configure("coordinator.toml");
    for _ in 0..2 {
        // As the unit does at each start.
        let made =
            command(lango()).args(["audit", "create", "--if-missing", "--config"]).arg(&config).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    machine.passes(&config);
    machine.runs("lango-coordinator.service", &config);
}

#[test]
fn the_units_verify_and_are_hardened() {
    if Command::new("systemd-analyze").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!(
            "SKIPPED: the units are not verified, for systemd-analyze is not installed: apt-get install systemd"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for unit in files(&project().join("deploy/systemd"), ".service") {
        let text = read(&unit);
        assert!(text.contains("\nType=notify\n") && text.contains("\nNoNewPrivileges=yes\n"), "{unit:?}");
        let copy = folder.path().join(unit.file_name().unwrap());
        fs::write(&copy, text.replace("=/usr/bin/lango", &format!("={}", lango().display()))).unwrap();
        let verified =
            Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output().unwrap();
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        let name = copy.file_name().unwrap().to_string_lossy().into_owned();
        assert!(verified.status.success() && !said.contains(&name), "{said}");
        // Tenths: 20 is an exposure of 2.0.
        let security = ["security", "--offline=true", "--no-pager", "--threshold=20"];
        let judged = Command::new("systemd-analyze").args(security).arg(&copy).output().unwrap();
        assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
    }
}
