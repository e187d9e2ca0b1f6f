//! `lango identity renew --mailbox`: a renewal is carried through the coordinator while the authority stays offline.

use std::{fs, path::Path};

use lango_identity::{Expected, Region, Role, TlsIdentity, client_config};
use lango_transport::channel;
use lango_wire::client::CoordinatorClient;
use tonic::Code;

use crate::{
    init::{Place, free_port},
    process::Process,
    program,
};

/// A region with a running coordinator, and two analysts with certificates.
fn begun() -> (Place, u16, Process) {
    let port = free_port();
    let place = Place::with_region(port);
    let member = format!("GHA=https://127.0.0.1:{}", free_port());
    for words in [
        format!("coordinator --listen 127.0.0.1:{port} --member {member}"),
        "analyst --name awa --dir awa".to_owned(),
        "analyst --name kofi --dir kofi".to_owned(),
    ] {
        place.done(&format!("init {words} --region authority/region.toml"));
    }
    ["coordinator", "awa", "kofi"].iter().for_each(|dir| place.certified(dir));
    place.done("audit create --config coordinator/coordinator.toml");
    let coordinator = Process::start_coordinator(&place.path("coordinator/coordinator.toml"));
    (place, port, coordinator)
}

fn client(folder: &Path, port: u16) -> CoordinatorClient {
    let authority = fs::read(folder.join("authority.pem")).unwrap();
    let identity = fs::read_to_string(folder.join("identity.toml")).unwrap();
    let eku = identity.split("signing_eku").nth(1).unwrap().split('"').nth(1).unwrap();
    let region = Region::from_pem("ecowas.example", &authority, eku.parse().unwrap()).unwrap();
    let tls = TlsIdentity::load(folder).unwrap();
    let config = client_config(&tls, &region, Expected::Role(Role::Coordinator)).unwrap();
    let address = format!("https://127.0.0.1:{port}").parse().unwrap();
    CoordinatorClient::new(channel(&address, config, std::time::Duration::from_secs(30)))
}

#[test]
fn keys_are_renewed_through_the_coordinator_while_the_authority_is_offline() {
    let (place, _, coordinator) = begun();
    // The coordinator's log grows meanwhile.
    let refused = |words: &str, expected: &str| {
        let before = place.text("awa/identity/tls.pem");
        let (code, _, stderr) = place.run(words);
        assert!(code == Some(1) && stderr.contains(expected), "{code:?}: {stderr}");
        assert_eq!(place.text("awa/identity/tls.pem"), before);
    };
    let not_installed = |expected: &str| refused("identity install --mailbox --dir awa/identity", expected);
    let before = place.text("awa/identity/tls.pem");
    let said = place.done("identity renew --mailbox --dir awa/identity");
    assert!(said.contains("lies in the coordinator's mailbox"), "{said}");
    not_installed("is not in its mailbox yet");
    let asked = "coordinator/mailbox/requests/analyst-awa.toml";
    assert_eq!(place.text(asked), place.text("awa/identity/renewal/request.toml"));
    // What is left again changes nothing, and stays what the authority has issued.
    let issued = "coordinator/mailbox/issued/analyst-awa.bundle.pem";
    place.done(&format!("identity issue {asked} --out {issued}"));
    place.done("identity renew --mailbox --dir awa/identity");
    place.done("identity install --mailbox --dir awa/identity");
    assert_ne!(place.text("awa/identity/tls.pem"), before);
    let (code, found) = place.doctor("--identity awa/identity");
    assert!(
        found.iter().any(|[name, is, _]| name == "way to the coordinator" && is == "ok"),
        "{code:?} {found:?}"
    );
    // The next renewal: what answered the one before is of other keys.
    place.done("identity renew --mailbox --dir awa/identity");
    not_installed("is not in its mailbox yet");
    // Certificates of other keys are not installed, wherever they come from.
    // A coordinator's address in the environment is of others' commands.
    let mut renew = program::command(program::lango());
    renew.args(["identity", "renew", "--dir", "kofi/identity"]).current_dir(place.path(""));
    let (code, _, stderr) =
        program::said(&renew.env("LANGO_COORDINATOR", "https://127.0.0.1:1").output().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    place.done("identity issue kofi/identity/renewal/request.toml --out kofi-2.pem");
    fs::copy(place.path("kofi-2.pem"), place.path(issued)).unwrap();
    not_installed("the certificates are of");
    // One without a mailbox says so.
    assert!(coordinator.stop().1);
    let config = place.text("coordinator/coordinator.toml");
    let without = config.replace("[mailbox]\nfolder = \"mailbox\"\n", "");
    assert_ne!(without, config);
    fs::write(place.path("coordinator/coordinator.toml"), without).unwrap();
    let coordinator = Process::start_coordinator(&place.path("coordinator/coordinator.toml"));
    let not_left = |expected: &str| refused("identity renew --mailbox --dir kofi/identity", expected);
    not_left("it keeps no mailbox");
    assert!(coordinator.stop().1);
    not_left("it cannot be reached");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_takes_what_a_present_key_signed_and_nothing_else() {
    let (place, port, coordinator) = tokio::task::spawn_blocking(begun).await.unwrap();
    let client = client(&place.path("kofi/identity"), port);
    for who in ["awa", "kofi"] {
        place.done(&format!("identity renew --dir {who}/identity"));
    }
    let request = |who: &str| place.text(&format!("{who}/identity/renewal/request.toml"));
    let (awa, kofi) = (request("awa"), request("kofi"));
    let [unsigned, signature] =
        [awa.split("[renewal]").next().unwrap(), kofi.split("[renewal]").nth(1).unwrap()];
    let first = place.text("awa/identity/request.toml");
    for (what, letter, said) in [
        ("nothing", String::new(), "the request"),
        ("no request", "[region]\n".to_owned(), "the request"),
        ("too large", "#".repeat((64 << 10) + 1), "a request has at most 64 KiB"),
        ("unsigned", unsigned.to_owned(), "no present key signed it"),
        ("of before certificates", first, "no present key signed it"),
        ("signed by another", format!("{unsigned}[renewal]{signature}"), "proves nothing"),
        (
            "for another",
            awa.replace("spiffe://ecowas.example/analyst/awa", "spiffe://ecowas.example/analyst/kofi"),
            "the request",
        ),
    ] {
        let status = client.leave_renewal(letter).await.unwrap_err();
        let message = status.message();
        assert!(status.code() == Code::InvalidArgument && message.contains(said), "{what}: {status:?}");
    }
    assert!(!place.path("coordinator/mailbox").exists());
    // Who carries it is not asked: the signature says whose it is.
    client.leave_renewal(awa).await.unwrap();
    assert!(place.path("coordinator/mailbox/requests/analyst-awa.toml").exists());
    let awa = "spiffe://ecowas.example/analyst/awa".parse().unwrap();
    assert_eq!(client.collect_certificates(&awa).await.unwrap(), None);
    for (text, passed_on) in
        [(Vec::from(*b"\xff\xfe"), false), (vec![b'a'; (64 << 10) + 1], false), (b"a".to_vec(), true)]
    {
        fs::write(place.path("coordinator/mailbox/issued/analyst-awa.bundle.pem"), text).unwrap();
        let found = client.collect_certificates(&awa).await;
        assert_eq!(
            found.map_err(|status| status.code()),
            if passed_on { Ok(Some("a".to_owned())) } else { Err(Code::Unavailable) }
        );
    }
    assert!(coordinator.stop().1);
}
