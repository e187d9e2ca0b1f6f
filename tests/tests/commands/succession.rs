//! `lango identity authority --succeeds`: a region goes over from one authority to another while it is in use.

use std::fs;

use crate::{
    init::{Place, free_port},
    process::Process,
};

#[test]
fn a_region_goes_over_to_a_second_authority_while_it_is_in_use() {
    let port = free_port();
    let place = Place::with_region(port);
    for words in [
        format!("coordinator --listen 127.0.0.1:{port} --member GHA=https://127.0.0.1:{}", free_port()),
        "analyst --name awa --dir awa".to_owned(),
        "analyst --name kofi --dir kofi".to_owned(),
    ] {
        place.done(&format!("init {words} --region authority/region.toml"));
    }
    ["coordinator", "awa", "kofi"].iter().for_each(|dir| place.certified(dir));
    place.done("audit create --config coordinator/coordinator.toml");
    place.refused(
        "identity authority --succeeds nothing --no-passphrase --dir authority-2",
        "holds no authority",
    );
    place.refused("identity authority --no-passphrase --dir authority-2", "--region");
    place.refused(
        "identity authority --succeeds authority --region x.example --no-passphrase --dir authority-2",
        "cannot be used with",
    );
    let said = place.done("identity authority --succeeds authority --no-passphrase --dir authority-2");
    assert!(said.contains("names both authorities"), "{said}");

    // One that knows the first alone is met no more once its peers are the second's.
    let region = |dir: &str, file: &str| {
        let certificates = format!("{dir}/identity/tls.pem {dir}/identity/signing.pem");
        place.done(&format!("identity install {certificates} --region {file} --dir {dir}/identity"));
    };
    let renewed = |dir: &str| {
        place.done(&format!("identity renew --dir {dir}/identity"));
        let request = format!("{dir}/identity/renewal/request.toml");
        place.done(&format!("identity issue {request} --dir authority-2 --out {dir}-2.pem"));
        place.done(&format!("identity install {dir}-2.pem --dir {dir}/identity"));
    };
    let meets = |dir: &str| {
        let (_, found) = place.doctor(&format!("--identity {dir}/identity"));
        found.iter().any(|[name, is, _]| name == "way to the coordinator" && is == "ok")
    };
    ["coordinator", "awa"].iter().for_each(|dir| region(dir, "authority-2/region.toml"));
    let coordinator = Process::start_coordinator(&place.path("coordinator/coordinator.toml"));
    assert_eq!(["awa", "kofi"].map(meets), [true, true], "the first's certificates");
    ["coordinator", "awa"].iter().for_each(|dir| renewed(dir));
    assert!(coordinator.stop().1);
    let coordinator = Process::start_coordinator(&place.path("coordinator/coordinator.toml"));
    assert_eq!(["awa", "kofi"].map(meets), [true, false], "the second's certificates");
    region("kofi", "authority-2/region.toml");
    assert_eq!(["awa", "kofi"].map(meets), [true, true], "one of each");

    // Each takes back what it issued.
    place.refused(
        "identity revoke --name analyst/kofi --why superseded --dir authority-2",
        "this authority has issued nothing to this principal",
    );
    let first = place.done("identity revoke --name analyst/kofi --why superseded");
    assert_eq!(first.matches("superseded").count(), 2, "{first}");
    place.done("identity revoke --renew --dir authority-2");
    let lists = place.text("authority/region.crl") + &place.text("authority-2/region.crl");
    fs::write(place.path("coordinator/identity/new.crl"), lists).unwrap();
    fs::rename(place.path("coordinator/identity/new.crl"), place.path("coordinator/identity/region.crl"))
        .unwrap();
    let begun = std::time::Instant::now();
    while meets("kofi") {
        assert!(begun.elapsed().as_secs() < 20, "one who is revoked is met");
    }
    assert!(meets("awa"));
    fs::copy(place.path("authority/region.crl"), place.path("authority-2/predecessor.crl")).unwrap();
    place.done("identity renew --dir kofi/identity");
    place.refused(
        "identity issue kofi/identity/renewal/request.toml --dir authority-2 --out kofi-2.pem",
        "was revoked",
    );

    // The first is left out.
    place.done(&format!(
        "identity authority --region ecowas.example --certificates authority-2/authority.pem --coordinator https://127.0.0.1:{port} \
         --dir region-2"
    ));
    region("awa", "region-2/region.toml");
    assert_eq!(place.text("awa/identity/authority.pem").matches("BEGIN CERTIFICATE").count(), 1);
    assert!(meets("awa"));
    assert!(coordinator.stop().1);
}
