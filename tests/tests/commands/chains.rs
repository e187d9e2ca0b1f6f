//! Chains of certificates that no verifier takes: who would send one is refused, and learns why.

use std::path::{Path, PathBuf};

use lango_identity::Role;
use lango_testkit::{EKU, Office, Policy, Register, TestIdentity, TestRegion};

use crate::{doctor::doctor, folder, prepare::lango, program::said, run};

/// An office with these certificates, and its configuration.
fn office(world: &TestRegion, change: impl Fn(&TestIdentity) -> TestIdentity) -> (Office, PathBuf) {
    let mut office = Office::prepare(world, "GHA", &Policy::of("GHA"), &Register::sample(1));
    office.identity = change(&office.identity);
    let config = office.write_config(world);
    (office, config)
}

const SIGNING: &str = "certificate for signing";
const TLS: &str = "certificate for TLS";

#[test]
fn a_chain_that_no_verifier_takes_is_refused_at_the_start_and_by_doctor() {
    let world = TestRegion::new();
    for (authorities, comment_bytes, check, words) in [
        (4, 10, SIGNING, "a chain of 5 certificates is too long: at most 4 are accepted"),
        (0, 17_000, SIGNING, "at most 16384 are accepted"),
        (3, 16_500, TLS, "at most 61440 are accepted"),
        (7, 10, TLS, "more authorities above one another than verifiers follow"),
    ] {
        let below =
            |identity: &TestIdentity| world.full_chain(world.below(identity, authorities, comment_bytes));
        let (_office, config) = office(&world, below);
        let found = doctor(&config);
        found.expect(check, "failed", words);
        let (code, _, stderr) = said(&lango(&["gateway"], &config, &[]));
        assert_eq!(code, Some(1), "{authorities} {comment_bytes}: {stderr}");
        if check == SIGNING {
            found.expect(SIGNING, "failed", "leave out of `signing.pem`");
            assert!(stderr.contains(words), "{authorities} {comment_bytes}: {stderr}");
        }
    }
}

#[test]
fn the_regions_own_authority_at_the_end_of_a_chain_is_left_out() {
    let world = TestRegion::new();
    for authorities in [0, 3] {
        let below = |identity: &TestIdentity| world.full_chain(world.below(identity, authorities, 10));
        let (_office, config) = office(&world, below);
        let found = doctor(&config);
        found.expect(SIGNING, "ok", "");
        found.expect(TLS, "ok", "");
    }
}

/// A coordinator's folder with this identity; returns its configuration.
fn coordinator(world: &TestRegion, identity: &TestIdentity, at: &Path) -> PathBuf {
    identity.save(at);
    std::fs::write(at.join("authority.pem"), world.authority.to_pem().certificate_pem).unwrap();
    let config = at.join("coordinator.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\nidentity = \".\"\n\n[region]\nname = \"ecowas.example\"\nauthority = \
         \"authority.pem\"\nsigning_eku = \"{EKU}\"\n\n[[member]]\noffice = \"GHA\"\naddress = \"https://127.0.0.1:9\"\n"
    );
    std::fs::write(&config, text).unwrap();
    config
}

#[test]
fn a_coordinator_whose_certificate_no_peer_takes_does_not_start() {
    let world = TestRegion::new();
    let own = world.identity(Role::Coordinator, "main");
    let id = own.id.clone();
    for (identity, words) in [
        (world.below(&own, 3, 16_500), "61440 are accepted; leave out of `tls.pem`"),
        (world.below(&own, 7, 10), "more authorities above one another than verifiers follow"),
        (world.identity_of(&id, world.past(), world.past()), "expired"),
        (world.identity(Role::Office, "GHA"), "analysts take a coordinator's alone"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = coordinator(&world, &identity, folder.path());
        let (code, _, stderr) = said(&lango(&["coordinator"], &config, &[]));
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_analysts_chain_is_checked_before_a_question_is_sent_and_a_refusal_is_read_whatever_signed_it() {
    let world = TestRegion::new();
    tokio::task::spawn_blocking(crate::program::lango).await.unwrap();
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(1));
    office.identity.signing = world.below(&office.identity, 3, 15_850).signing;
    office.up().await.unwrap();
    let federation =
        lango_testkit::Federation::start(&world, vec![office], std::time::Duration::from_secs(30)).await;
    let authority = world.authority.to_pem().certificate_pem;
    let awa = world.identity(Role::Analyst, "awa");
    let [too_long, longest] =
        [4, 3].map(|authorities| folder(&world.below(&awa, authorities, 10), &authority));

    let refused = crate::lango(&federation, too_long.path(), &run(&[])).await;
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("a chain of 5 certificates is too long"), "{}", refused.stderr);
    assert!(federation.offices[0].records().is_empty(), "nothing was sent");

    let question = |measure: &'static str| -> Vec<&'static str> {
        run(&[]).into_iter().map(|word| if word == "persons" { measure } else { word }).collect()
    };
    let answered = crate::lango(&federation, longest.path(), &question("persons")).await;
    assert_eq!(answered.code, Some(0), "{}", answered.stderr);
    let refused = crate::lango(&federation, longest.path(), &question("sum(age)")).await;
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("measure `sum(age)` is not granted"), "{said}");
}
