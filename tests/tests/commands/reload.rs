//! A gateway that runs takes what is saved in its policy folder, as the program does.

use std::{fs, path::PathBuf, time::Duration};

use lango_testkit::{Caller, Office, Policy, Register, TestGrant, TestRegion, persons};
use tokio::time::{Instant, sleep};

use crate::{doctor::doctor, process::Process};

/// A gateway of its own, with its policy's file, and awa, who may ask.
struct Running {
    office: Office,
    config: PathBuf,
    policy: PathBuf,
    gateway: Process,
    awa: Caller,
}

impl Running {
    fn start() -> Self {
        let world = TestRegion::new();
        let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
        let config = office.write_config(&world);
        let gateway = Process::start(&config);
        office.listens_at(gateway.address);
        let policy = office.folder().join("policies/policy.toml");
        Self { policy, config, gateway, awa: world.analyst(), office }
    }

    /// What a question comes to: `answered`, or the refusal's code.
    async fn asks(&self) -> String {
        match self.awa.ask(&self.office, &persons("by sex", "0.5")).await {
            Ok(_) => "answered".to_owned(),
            Err(failed) => failed.refusal().to_owned(),
        }
    }

    /// Asks until it comes to this.
    async fn comes_to(&self, expected: &str) {
        let begun = Instant::now();
        while self.asks().await != expected {
            assert!(begun.elapsed() < Duration::from_secs(20), "not {expected}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Asks for a time, and expects the same each time.
    async fn stays(&self, expected: &str, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            assert_eq!(self.asks().await, expected);
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The policy with everything granted to somebody else.
fn revoked() -> String {
    let kofi = TestGrant { to: "spiffe://ecowas.example/analyst/kofi".to_owned(), ..TestGrant::default() };
    Policy::of("GHA").grants([kofi]).text()
}

/// Longer than a changed folder is left alone.
const TAKEN: Duration = Duration::from_millis(2_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_grant_that_is_saved_is_refused_without_a_restart() {
    let running = Running::start();
    running.comes_to("answered").await;
    fs::write(&running.policy, revoked()).unwrap();
    running.comes_to("principal-not-granted").await;
    doctor(&running.config).expect("policy in force", "ok", "");
    // Written beside and renamed, as careful editors do.
    let beside = running.policy.with_extension("new");
    fs::write(&beside, Policy::of("GHA").text()).unwrap();
    fs::rename(&beside, &running.policy).unwrap();
    running.comes_to("answered").await;
    let decisions: Vec<String> = running.office.records().into_iter().map(|record| record.decision).collect();
    assert_eq!(decisions.iter().filter(|decision| *decision == "activated").count(), 2, "{decisions:?}");
    let (_, ended, log) = running.gateway.stop();
    assert!(ended && log.matches("another policy is in force").count() == 2, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_in_pieces_or_broken_changes_nothing() {
    let running = Running::start();
    running.comes_to("answered").await;
    // Each piece reads as a policy: the first grants nothing.
    let whole = Policy::of("GHA").text();
    let (first, _) = whole.split_once("[[grant]]").unwrap();
    for piece in [first, &whole[..whole.len() - 200], &whole] {
        fs::write(&running.policy, piece).unwrap();
        running.stays("answered", Duration::from_millis(500)).await;
    }
    running.stays("answered", TAKEN).await;

    fs::write(&running.policy, whole.replace("epsilon_total", "epsilon_totl")).unwrap();
    running.stays("answered", TAKEN).await;
    doctor(&running.config).expect("policy", "failed", "a grant has no key `epsilon_totl`");
    let visits = "[dataset.visits]\ntitle = \"Visits\"\nkind = \"flow\"\nsource = \"register\"\ntable = \"visits\"\n\
                  version = \"1\"\nunit = { column = \"person_id\", noun = \"person\", rows_at_most = 1 }\n\
                  [dataset.visits.column]\nsex = { codes = [\"F\", \"M\"] }\n\
                  [budget.visits]\naccounting = \"pure\"\nepsilon = 1\nrenews = \"never\"\n";
    fs::write(
        running.policy.with_file_name("visits.toml"),
        format!("policy = 2\noffice = \"GHA\"\n{visits}"),
    )
    .unwrap();
    fs::write(&running.policy, &whole).unwrap();
    running.stays("answered", TAKEN).await;
    doctor(&running.config).expect("dataset visits", "failed", "no table `visits`");
    doctor(&running.config).expect(
        "policy in force",
        "warning",
        "if the gateway runs, it has refused this one",
    );
    let (_, _, log) = running.gateway.stop();
    for words in [
        "policy.toml:36:1: a grant has no key `epsilon_totl`: did you mean `epsilon_total`?",
        "dataset `visits` cannot be served: the source has no table `visits`",
        "the policy in the folder is refused: the one before stays in force",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    assert!(!log.contains("another policy is in force"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_has_the_folder_read_at_once() {
    let running = Running::start();
    running.comes_to("answered").await;
    let activated = || running.office.records().iter().any(|record| record.decision == "activated");
    running.gateway.signal("HUP");
    running.stays("answered", Duration::from_millis(500)).await;
    fs::write(&running.policy, revoked()).unwrap();
    // A folder that is never at rest is not read by itself.
    let restless = running.policy.with_file_name("restless.csv");
    for number in 0..8 {
        fs::write(&restless, number.to_string()).unwrap();
        running.stays("answered", Duration::from_millis(200)).await;
    }
    assert!(!activated());
    running.gateway.signal("HUP");
    running.comes_to("principal-not-granted").await;
    assert!(activated());
    fs::write(&running.policy, "policy = 2\n").unwrap();
    running.gateway.signal("HUP");
    running.stays("principal-not-granted", TAKEN).await;
    let (_, ended, log) = running.gateway.stop();
    assert!(ended && log.contains("the policy in the folder is in force already"), "{log}");
    let refused = "the policy in the folder is refused";
    assert_eq!(
        log.matches(refused).count(),
        1,
        "what is refused again for the same reason is said once: {log}"
    );
}
