use super::*;
use crate::authority::Lifetime;
use crate::described::{CertificateUse, Described};
use crate::fixture::{NOW, World, day, id};
use crate::key::KeyKind;
use crate::renewal::{RenewalError, SignedRenewal};
use crate::request::NewRequest;

const GHA: &str = "spiffe://lango.example/office/GHA";
const TGO: &str = "spiffe://lango.example/office/TGO";
const REGION: &str = "spiffe://lango.example/coordinator/region";

fn made(world: &World, uri: &str) -> NewRequest {
    let hosts = ["gateway.example".to_owned()];
    IdentityRequest::make(&world.region, &id(uri), &hosts, KeyKind::P256).unwrap()
}

/// The certificates for a request, as one PEM text.
fn certified(world: &World, request: &IdentityRequest, lifetime: Lifetime) -> String {
    let issued = world.authority.certify(request, lifetime, world.region.signing_eku()).unwrap();
    issued.tls_pem + &issued.signing_pem.unwrap_or_default()
}

fn check(world: &World, bundle: &Bundle, keys: &NewRequest) -> Result<(), String> {
    let signing = Some(keys.signing_key_pem.as_bytes());
    let checked = bundle.check(keys.tls_key_pem.as_bytes(), signing, &world.region, NOW);
    checked.map_err(|fault| fault.to_string())
}

#[test]
fn what_is_issued_for_a_request_is_good_for_its_keys_and_no_others() {
    let world = World::new();
    for uri in [GHA, REGION] {
        let keys = made(&world, uri);
        let text = certified(&world, &keys.request, day());
        let bundle = Bundle::read(format!("for {uri}\n{text}").as_bytes(), &world.region).unwrap();
        assert_eq!(bundle.principal(), &id(uri));
        assert_eq!(check(&world, &bundle, &keys), Ok(()));
        assert!(bundle.answers(&keys.request));
        let other = made(&world, uri);
        assert!(!bundle.answers(&other.request));
        assert!(
            bundle.fits_tls(keys.tls_key_pem.as_bytes()) && !bundle.fits_tls(other.tls_key_pem.as_bytes())
        );
        assert!(check(&world, &bundle, &other).unwrap_err().contains("own key does not fit its certificate"));
        let facts = bundle.tls_facts().unwrap();
        assert_eq!(facts.serial.len(), 32, "{}", facts.serial);
        let described = Described::read(&bundle.tls[0]).unwrap();
        assert_eq!(
            (described.hosts.as_slice(), described.uris.as_slice()),
            (&["gateway.example".to_owned()][..], &[uri.to_owned()][..])
        );
        assert_eq!((described.key.as_str(), described.is_authority), ("ECDSA on P-256", false));
        assert_eq!(CertificateUse::of(&bundle.tls, &world.region, NOW), Ok(CertificateUse::Tls));
        // Again for the same keys: certificates of their own.
        let again = Bundle::read(certified(&world, &keys.request, day()).as_bytes(), &world.region).unwrap();
        assert_ne!(again.tls_facts().unwrap().serial, facts.serial);
    }
}

#[test]
fn certificates_that_are_not_one_principals_are_no_bundle() {
    let (world, stranger) = (World::new(), World::new());
    let (gha, tgo) = (made(&world, GHA), made(&world, TGO));
    let of = |keys: &NewRequest| {
        world.authority.certify(&keys.request, day(), world.region.signing_eku()).unwrap()
    };
    let (ghas, tgos) = (of(&gha), of(&tgo));
    let (tls, signing) = (ghas.tls_pem, ghas.signing_pem.unwrap());
    for (what, text, expected) in [
        ("none", "no certificate here".to_owned(), "no certificate in the PEM text"),
        (
            "of two",
            format!("{tls}{}", tgos.signing_pem.unwrap()),
            "are of `spiffe://lango.example/office/GHA` and of",
        ),
        ("TLS alone", tls.clone(), "no certificate for signing, which principals of role `office` need"),
        ("signing alone", signing.clone(), "no certificate for TLS"),
        ("two for TLS", format!("{tls}{signing}{}", of(&gha).tls_pem), "two certificates for TLS"),
        ("an authority first", world.region.authorities_pem() + &tls, "the certificate has 1 URI names"),
    ] {
        match Bundle::read(text.as_bytes(), &world.region) {
            Ok(bundle) => panic!("{what}: {bundle:?}"),
            Err(fault) if what == "an authority first" => {
                assert!(matches!(fault, BundleFault::Certificate(_)), "{fault}")
            }
            Err(fault) => assert!(fault.to_string().contains(expected), "{what}: {fault}"),
        }
    }
    // The region's own authority may stand above each.
    let with_authority = format!("{signing}{0}{tls}{0}", world.region.authorities_pem());
    let bundle = Bundle::read(with_authority.as_bytes(), &world.region).unwrap();
    assert_eq!(check(&world, &bundle, &gha), Ok(()));
    let past = Lifetime { not_before: NOW - 7200, not_after: NOW - 3600 };
    let foreign = certified(&stranger, &gha.request, day());
    for (what, text, expected) in [
        ("expired", certified(&world, &gha.request, past), "expired at 2026-01-30T23:00:00Z"),
        ("another authority's", foreign, "not from the region's authority"),
    ] {
        let bundle = Bundle::read(text.as_bytes(), &world.region).unwrap();
        let fault = check(&world, &bundle, &gha).unwrap_err();
        assert!(fault.contains(expected), "{what}: {fault}");
    }
}

#[test]
fn an_authority_issues_nothing_that_outlives_it() {
    let world = World::new();
    let keys = made(&world, GHA);
    let refused =
        world.authority.certify(&keys.request, Lifetime::days(NOW, 3651), world.region.signing_eku());
    let error = refused.unwrap_err().to_string();
    assert!(error.starts_with("the authority's own certificate ends at 2036-01-29T00:00:00Z"), "{error}");
}

#[test]
fn only_the_present_key_of_the_principal_renews() {
    let world = World::new();
    let region = &world.region;
    let signer = |keys: &NewRequest, bundle: &Bundle| {
        let key = keys.signing_key_pem.as_bytes();
        Signer::from_pem(bundle.signing_pem().unwrap().as_bytes(), key).unwrap()
    };
    let issued =
        |keys: &NewRequest| Bundle::read(certified(&world, &keys.request, day()).as_bytes(), region).unwrap();
    let (first, second, tgo) = (made(&world, GHA), made(&world, GHA), made(&world, TGO));
    let (old, present, tgos) = (issued(&first), issued(&second), issued(&tgo));
    let next = made(&world, GHA).request;
    let by = |signer: &Signer| {
        let renewal = SignedRenewal::sign(&next, region, signer);
        SignedRenewal::read(&renewal.signature(), &renewal.certificates_pem()).unwrap()
    };
    let good = by(&signer(&second, &present));
    assert_eq!(good.check(&next, &present, region, NOW).unwrap().spiffe, id(GHA));
    let older = by(&signer(&first, &old)).check(&next, &present, region, NOW).unwrap_err();
    assert!(matches!(older, RenewalError::NotPresent { .. }), "{older}");
    let others = by(&signer(&tgo, &tgos)).check(&next, &present, region, NOW).unwrap_err();
    assert!(matches!(others, RenewalError::Principal { .. }), "{others}");
    let another = made(&world, GHA).request;
    let moved = good.check(&another, &present, region, NOW).unwrap_err();
    assert!(moved.to_string().contains("proves nothing: the signature is not"), "{moved}");
    let late = good.check(&next, &present, region, NOW + 3 * 86_400).unwrap_err();
    assert!(late.to_string().contains("expired"), "{late}");
    assert!(matches!(SignedRenewal::read("xyz", &good.certificates_pem()), Err(RenewalError::Signature)));
}
