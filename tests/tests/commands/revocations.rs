//! Servers that run take the revocation list that comes, by file and through the coordinator, and refuse what is none.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use lango_access_log::{KeyUse, LogEntry, LogEvent};
use lango_identity::{PayloadType, RevocationRule, Role};
use lango_testkit::{Caller, EKU, Office, Policy, Register, TestIdentity, TestRegion, persons};
use lango_wire::pb::{self, gateway_service_client::GatewayServiceClient};
use tonic::{Code, Status, transport::Channel};

use crate::{doctor::doctor, process::Process};

/// A second is promised, and machines are slow.
const AT_MOST: Duration = Duration::from_secs(4);

/// A gateway of its own, whose file of lists may be put in place.
struct Running {
    world: TestRegion,
    office: Office,
    config: std::path::PathBuf,
    gateway: Process,
}

impl Running {
    fn start() -> Self {
        let world = TestRegion::new();
        let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
        let config = office.write_config(&world);
        let gateway = Process::start(&config);
        office.listens_at(gateway.address);
        Self { world, office, config, gateway }
    }

    /// Puts a list in place in one step, as a careful operator does.
    fn put(&self, list: &str) {
        put(self.office.folder(), list);
    }

    /// Waits for a line of the log.
    fn logs(&self, words: &str) {
        self.logs_within(words, AT_MOST);
    }

    fn logs_within(&self, words: &str, at_most: Duration) {
        let begun = Instant::now();
        while !self.gateway.log().contains(words) {
            assert!(begun.elapsed() < at_most, "no `{words}`: {}", self.gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn put(folder: &Path, list: &str) {
    let beside = folder.join("region.new");
    fs::write(&beside, list).unwrap();
    fs::rename(&beside, folder.join("region.crl")).unwrap();
}

async fn ask(
    client: &mut GatewayServiceClient<Channel>,
    who: &Caller,
    office: &Office,
) -> Result<(), Status> {
    let question = who.question(&[&office.id], &persons("by sex", "0.5"));
    let query = Some(who.sign(PayloadType::Query, question.encode()));
    client.query(pb::GatewayServiceQueryRequest { query }).await.map(drop)
}

/// How long it takes until an open connection answers no more.
async fn lost(
    client: &mut GatewayServiceClient<Channel>,
    who: &Caller,
    office: &Office,
) -> (Duration, Status) {
    let begun = Instant::now();
    loop {
        match ask(client, who, office).await {
            Err(status) => return (begun.elapsed(), status),
            Ok(()) => assert!(begun.elapsed() < AT_MOST, "still answered"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The caller, whose own region knows no list, so that nothing is stopped on this side.
fn innocent(world: &TestRegion, identity: &TestIdentity) -> Caller {
    let mut caller = world.caller_with(identity);
    caller.region = world.elsewhere(RevocationRule::default());
    caller
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_comes_by_file_is_enforced_on_an_open_connection_within_a_second() {
    let running = Running::start();
    let Running { world, office, .. } = &running;
    let (awa, ama) = (world.identity(Role::Analyst, "awa"), world.identity(Role::Analyst, "awa"));
    let (caller, renewed) = (innocent(world, &awa), innocent(world, &ama));
    let (mut open, mut others) = (caller.gateway(office).await, renewed.gateway(office).await);
    ask(&mut open, &caller, office).await.unwrap();
    doctor(&running.config).expect("revocation list", "ok", "");
    running.put(&world.revoke(&[&awa.tls, &awa.signing]));
    let (took, status) = lost(&mut open, &caller, office).await;
    println!("refused {} ms after the list came: {:?}", took.as_millis(), status.code());
    assert!(took < AT_MOST, "{took:?}");
    ask(&mut others, &renewed, office).await.unwrap();
    running.logs("a revocation list is in use");
    running.logs("a connection was cut: its peer's certificate was revoked");
    let found = doctor(&running.config);
    found.expect("revocation list", "ok", "");
    let found = found.found("revocation list");
    assert!(
        found.starts_with("number 1 of `CN=authority of ecowas.example`, 2 certificates are revoked"),
        "{found}"
    );
    // Its signature alone, over another's connection.
    let status = ask(&mut others, &caller, office).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_older_damaged_half_written_or_of_another_is_refused_and_the_one_before_stays() {
    let running = Running::start();
    let Running { world, office, config, .. } = &running;
    let (awa, kofi) = (world.identity(Role::Analyst, "awa"), world.identity(Role::Analyst, "kofi"));
    let caller = innocent(world, &kofi);
    let mut open = caller.gateway(office).await;
    let believed = async |open: &mut GatewayServiceClient<Channel>| {
        ask(open, &caller, office).await.expect("kofi is believed");
    };
    believed(&mut open).await;
    let first = world.revoke(&[]);
    let second = world.revoke(&[&awa.tls]);
    running.put(&second);
    running.logs("number=2");
    let other = TestRegion::new();
    let stranger = TestRegion::of("other.example");
    let day = world.lifetime();
    let third = world.revocation_list(&[&kofi.tls], day);
    let changed = {
        let place = third.len() / 2;
        let letter = if &third[place..=place] == "A" { "B" } else { "A" };
        format!("{}{letter}{}", &third[..place], &third[place + 1..])
    };
    for (what, text, said) in [
        ("older", first, "an older list is not taken"),
        ("half written", third[..third.len() / 2].to_owned(), "a section has no end"),
        ("changed", changed, "the revocation list is"),
        (
            "a namesake's, self-signed",
            other.revocation_list(&[], day),
            "is not signed by the region's authority",
        ),
        ("another authority's", stranger.revocation_list(&[], day), "which is no authority of the region"),
        ("none", "nothing".to_owned(), "no revocation list in the PEM text"),
    ] {
        let refused = "the revocation list in the file is refused: what was in use stays";
        let before = running.gateway.log().matches(refused).count();
        running.put(&text);
        let begun = Instant::now();
        while running.gateway.log().matches(refused).count() == before {
            assert!(begun.elapsed() < AT_MOST, "{what}: {}", running.gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = running.gateway.log();
        let line = log.lines().rfind(|line| line.contains(refused)).unwrap();
        assert!(line.contains(said), "{what}: {line}");
        // The doctor knows the file alone: what it cannot compare is a list like another.
        if what != "older" {
            let found = doctor(config);
            found.expect("revocation list", "failed", "put the authority's present `region.crl` there");
            assert!(found.found("revocation list").contains(said), "{what}");
        }
        believed(&mut open).await;
    }
    running.put(&third);
    let begun = Instant::now();
    while ask(&mut open, &caller, office).await.is_ok() {
        assert!(begun.elapsed() < AT_MOST, "still believed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_on_no_list_that_is_refused() {
    let world = TestRegion::new();
    let office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(1));
    let config = office.write_config(&world);
    fs::write(office.folder().join("region.crl"), TestRegion::new().revocation_list(&[], world.lifetime()))
        .unwrap();
    let (code, _, stderr) = crate::program::said(&crate::prepare::lango(&["gateway"], &config, &[]));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("region.crl: the revocation list is not signed by the region's authority"),
        "{stderr}"
    );
    // Its own certificate was taken back.
    put(office.folder(), &world.revocation_list(&[&office.identity.signing], world.lifetime()));
    let (code, _, stderr) = crate::program::said(&crate::prepare::lango(&["gateway"], &config, &[]));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("was revoked at"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_requires_a_list_fetches_it_from_the_coordinator_it_cannot_believe_yet() {
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    let config = office.write_config(&world);
    let awa = world.identity(Role::Analyst, "awa");
    let kofi = world.identity(Role::Analyst, "kofi");
    // The coordinator, with the list.
    let seat = tempfile::tempdir().unwrap();
    world.identity(Role::Coordinator, "main").save(&seat.path().join("identity"));
    fs::write(seat.path().join("authority.pem"), world.authority.to_pem().certificate_pem).unwrap();
    put(seat.path(), &world.revoke(&[&kofi.tls]));
    let table = format!(
        "[region]\nname = \"ecowas.example\"\nauthority = \"authority.pem\"\nsigning_eku = \"{EKU}\"\n\
         revocation = \"required\"\nrevocation_age_max_s = 86400\n"
    );
    let file = seat.path().join("coordinator.toml");
    let members = "\n[[member]]\noffice = \"GHA\"\naddress = \"https://127.0.0.1:1\"\n";
    fs::write(&file, format!("listen = \"127.0.0.1:0\"\nidentity = \"identity\"\n\n{table}{members}"))
        .unwrap();
    let coordinator = Process::start_coordinator(&file);
    // The office, which requires one and has none.
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\n[source", "revocation = \"required\"\n\n[source")).unwrap();
    let identity = office.folder().join("identity");
    let at = |address: &str| format!("coordinator = \"{address}\"\n\n{table}");
    fs::write(identity.join("authority.pem"), world.authority.to_pem().certificate_pem).unwrap();
    fs::write(identity.join("identity.toml"), at(&format!("https://{}", coordinator.address))).unwrap();
    doctor(&config).expect("revocation list", "failed", "put the authority's present `region.crl` there");
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    let begun = Instant::now();
    while !gateway.log().contains("from=\"the coordinator\"") {
        assert!(begun.elapsed() < AT_MOST, "{}", gateway.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    innocent(&world, &awa).ask(&office, &persons("by sex", "0.5")).await.unwrap();
    let config_of = |who: &TestIdentity| {
        let expected = lango_identity::Expected::Id(office.id.clone());
        lango_identity::client_config(&who.tls(), &world.elsewhere(RevocationRule::default()), expected)
            .unwrap()
    };
    let refused = lango_transport::connect(&office.address(), config_of(&kofi), Duration::from_secs(5)).await;
    assert!(refused.is_err(), "kofi was taken back");
    // It is kept for the next start.
    let begun = Instant::now();
    while !office.folder().join("region.crl").exists() {
        assert!(begun.elapsed() < AT_MOST, "not kept");
        std::thread::sleep(Duration::from_millis(50));
    }
    doctor(&config).expect("revocation list", "ok", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_replaced_in_the_folder_are_in_use_without_a_restart() {
    let running = Running::start();
    let Running { world, office, .. } = &running;
    let awa = innocent(world, &world.identity(Role::Analyst, "awa"));
    let mut open = awa.gateway(office).await;
    ask(&mut open, &awa, office).await.unwrap();
    let folder = office.folder().join("identity");
    // Those of another office are refused.
    world.identity(Role::Office, "TGO").save(&folder);
    let long = Duration::from_secs(10);
    running.logs_within("other keys and certificates are refused", long);
    let next = world.identity(Role::Office, "GHA");
    next.save(&folder);
    running.logs_within("other keys and certificates were found", long);
    ask(&mut open, &awa, office).await.expect("connections that are open stay");
    let store = rusqlite::Connection::open(office.store()).unwrap();
    let mut keys = store.prepare("SELECT leaf FROM access_record WHERE decision = 'key'").unwrap();
    let keys: Vec<Vec<u8>> = keys.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let uses: Vec<KeyUse> = keys
        .iter()
        .map(|leaf| match LogEntry::read(leaf).unwrap().event {
            LogEvent::Key(change) => change.used_for,
            event => panic!("{event:?}"),
        })
        .collect();
    assert_eq!(uses, [KeyUse::Signing, KeyUse::Tls], "those that were refused are not on record");
    // Nobody believes those of before any more, and all is well.
    world.revoke(&[&office.identity.tls, &office.identity.signing]);
    let caller = world.caller_with(&world.identity(Role::Analyst, "awa"));
    caller.ask(office, &persons("by sex", "0.25")).await.unwrap();
}
