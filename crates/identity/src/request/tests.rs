use super::*;
use crate::fixture::{EKU, World, id};

const GHA: &str = "spiffe://lango.example/office/GHA";
const TGO: &str = "spiffe://lango.example/office/TGO";
const REGION: &str = "spiffe://lango.example/coordinator/region";

fn made(world: &World, uri: &str) -> NewRequest {
    IdentityRequest::make(&world.region, &id(uri), &[], KeyKind::P256).unwrap()
}

/// What reading both requests as those of a principal comes to.
fn read(world: &World, uri: &str, tls: &str, signing: Option<&str>) -> Result<IdentityRequest, String> {
    IdentityRequest::read(&world.region, &id(uri), tls, signing).map_err(|error| error.to_string())
}

/// A PKCS#10 request with another choice than Lango's.
fn other(principal: &str, key: KeyKind, change: impl Fn(&mut CertificateParams)) -> String {
    let mut params = subject(&id(principal)).unwrap();
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut params);
    params.serialize_request(&key.generate().unwrap()).unwrap().pem().unwrap()
}

fn to_sign(params: &mut CertificateParams) {
    let eku: Oid = EKU.parse().unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(eku.arcs().to_vec())];
}

#[test]
fn a_request_that_was_made_is_read_back() {
    let world = World::new();
    let hosts = ["gateway.statsghana.example", "192.0.2.7", "2001:db8::7"].map(str::to_owned);
    for (uri, kind) in [(GHA, KeyKind::P256), (REGION, KeyKind::P384), (GHA, KeyKind::Ed25519)] {
        let made = IdentityRequest::make(&world.region, &id(uri), &hosts, kind).unwrap();
        let request = made.request;
        assert_eq!((request.principal(), request.hosts()), (&id(uri), &hosts[..]));
        let (tls, signing) = (request.tls_pem(), request.signing_pem());
        assert_eq!(read(&world, uri, &tls, Some(&signing)), Ok(request));
    }
}

#[test]
fn what_is_wrong_with_a_request_is_named() {
    let world = World::new();
    let (gha, tgo) = (made(&world, GHA).request, made(&world, TGO).request);
    let (tls, signing) = (gha.tls_pem(), gha.signing_pem());
    let forged = {
        let mut der = requests_from_pem(tls.as_bytes()).unwrap().remove(0);
        *der.last_mut().unwrap() ^= 1;
        crate::pem::request_to_pem(&der)
    };
    let one_key = {
        let key = KeyKind::Ed25519.generate().unwrap();
        let mut params = subject(&id(GHA)).unwrap();
        to_sign(&mut params);
        let signing = params.serialize_request(&key).unwrap().pem().unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        (params.serialize_request(&key).unwrap().pem().unwrap(), signing)
    };
    let with_host = |host: &'static str| {
        other(GHA, KeyKind::P256, |params| {
            params.subject_alt_names.push(SanType::DnsName(host.try_into().unwrap()));
        })
    };
    for (what, principal, tls, signing, expected) in [
        ("a forged signature", GHA, forged, Some(&signing), "`tls` proves no possession"),
        (
            "keys swapped",
            GHA,
            signing.clone(),
            Some(&tls),
            "`tls` must ask for the purposes 1.3.6.1.5.5.7.3.1 and",
        ),
        ("another's key for TLS", GHA, tgo.tls_pem(), Some(&signing), "keys of two requests are mixed"),
        (
            "another's key that signs",
            GHA,
            tls.clone(),
            Some(&tgo.signing_pem()),
            "keys of two requests are mixed",
        ),
        (
            "another's name",
            TGO,
            tls.clone(),
            Some(&signing),
            "`tls` is of `spiffe://lango.example/office/GHA`",
        ),
        ("no signing key", GHA, tls.clone(), None, "sign, and the request has no signing key"),
        ("one key", GHA, one_key.0.clone(), Some(&one_key.1), "one key would serve TLS and sign"),
        ("text", GHA, "text".to_owned(), Some(&signing), "`tls` is not one readable PKCS#10 request"),
        ("two in one place", GHA, tls.repeat(2), Some(&signing), "`tls` is not one readable PKCS#10 request"),
        (
            "a signing key of another kind",
            GHA,
            tls.clone(),
            Some(&other(GHA, KeyKind::P256, to_sign)),
            "the signing key is not an Ed25519 key",
        ),
        (
            "a host beside the key that signs",
            GHA,
            tls.clone(),
            Some(&other(GHA, KeyKind::Ed25519, |params| {
                to_sign(params);
                params.subject_alt_names.push(SanType::DnsName("a.example".try_into().unwrap()));
            })),
            "`signing` must name its principal as its one URI",
        ),
        (
            "any purpose",
            GHA,
            other(GHA, KeyKind::P256, |params| {
                params.extended_key_usages.push(ExtendedKeyUsagePurpose::Any);
            }),
            Some(&signing),
            "`tls` must ask for the purposes",
        ),
        (
            "an authority",
            GHA,
            other(GHA, KeyKind::P256, |params| {
                params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            }),
            Some(&signing),
            "`tls` asks for an extension",
        ),
        (
            "two URIs",
            GHA,
            other(GHA, KeyKind::P256, |params| {
                params.subject_alt_names.push(SanType::URI(TGO.try_into().unwrap()));
            }),
            Some(&signing),
            "`tls` must name its principal as its one URI",
        ),
        (
            "any host of a domain",
            GHA,
            with_host("*.statsghana.example"),
            Some(&signing),
            "`*.statsghana.example` is neither",
        ),
        ("a path", GHA, with_host("../../etc"), Some(&signing), "`../../etc` is neither"),
    ] {
        let error = read(&world, principal, &tls, signing.map(String::as_str)).unwrap_err();
        assert!(error.contains(expected), "{what}: {error}");
    }
    let elsewhere = World::of("other.example");
    let error = read(&elsewhere, GHA, &tls, Some(&signing)).unwrap_err();
    assert!(error.contains("is not of the region `other.example`"), "{error}");
}

#[test]
fn names_that_certificates_of_a_region_do_not_have_are_refused() {
    let world = World::new();
    let long = format!("spiffe://lango.example/analyst/{}", "a".repeat(NAME_CHARACTERS_MOST + 1));
    for (uri, hosts, expected) in [
        ("spiffe://lango.example/office/gha", &[][..], "`gha` is no office's name"),
        ("spiffe://lango.example/office/Ghana", &[], "`Ghana` is no office's name"),
        (long.as_str(), &[], "at most 48 characters"),
        ("spiffe://other.example/office/GHA", &[], "is not of the region `lango.example`"),
        (GHA, &["https://gateway.example"], "`https://gateway.example` is neither"),
        (GHA, &["gateway.example:7443"], "`gateway.example:7443` is neither"),
        (GHA, &[""], "`` is neither"),
        (GHA, &["-a.example"], "is neither"),
    ] {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let made = IdentityRequest::make(&world.region, &id(uri), &hosts, KeyKind::P256);
        let error = made.err().unwrap().to_string();
        assert!(error.contains(expected), "{uri}: {error}");
    }
}

#[test]
fn the_fingerprint_covers_the_region_the_principal_and_both_keys() {
    let (world, impostor) = (World::new(), World::new());
    let gha = made(&world, GHA).request;
    let fingerprint = gha.fingerprint(&world.region);
    assert_eq!(fingerprint, gha.fingerprint(&world.region));
    // The same name, and another authority: the office was given another region than it thinks.
    assert_ne!(fingerprint, gha.fingerprint(&impostor.region));
    let again = made(&world, GHA).request;
    assert_ne!(fingerprint, again.fingerprint(&world.region));
    let swapped = read(&world, GHA, &gha.tls_pem(), Some(&again.signing_pem())).unwrap();
    assert_ne!(fingerprint, swapped.fingerprint(&world.region));
    assert!(gha.text(&world.region).contains("\nprincipal spiffe://lango.example/office/GHA\n"));
}
