use rcgen::{ExtendedKeyUsagePurpose as Purpose, KeyPair, SanType};

use super::*;
use crate::authority::{Issued, Lifetime};
use crate::fixture::{EKU, NOW, World, day, id};
use crate::key::KeyKind;
use crate::signer::Signer;

const AWA: &str = "spiffe://lango.example/analyst/awa";

fn signer(issued: &Issued) -> Signer {
    Signer::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap()
}

fn query(issued: &Issued) -> Envelope {
    signer(issued).sign(PayloadType::Query, b"a question".to_vec())
}

/// A signing certificate for [`AWA`] that is as it should be, save for what `spoil` changes.
fn odd(world: &World, lifetime: Lifetime, spoil: impl FnOnce(&mut rcgen::CertificateParams)) -> Issued {
    let mut params = world.authority.principal(&id(AWA), lifetime).unwrap();
    params.extended_key_usages = vec![Purpose::Other(EKU.parse::<crate::Oid>().unwrap().arcs().to_vec())];
    spoil(&mut params);
    world.authority.issue(&params, &KeyKind::Ed25519.generate().unwrap()).unwrap()
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

#[test]
fn a_signed_query_proves_its_principal() {
    let world = World::new();
    let verified = verify(
        &query(&world.signing(AWA)),
        PayloadType::Query,
        &world.region,
        NOW,
        EnvelopeLimits::default(),
    )
    .unwrap();
    assert_eq!(verified.principal, id(AWA));
    assert_eq!(verified.payload, b"a question");
    assert_eq!(verified.certificate.not_after, NOW + 86_400);
}

#[test]
fn the_largest_envelope_that_is_allowed_verifies() {
    let world = World::new();
    let mut envelope = signer(&world.signing(AWA)).sign(PayloadType::Release, vec![7; 256 * 1024]);
    let authority = world.authority.certificate().to_vec();
    envelope.certificates.extend([authority.clone(), authority.clone(), authority]);
    let verified =
        verify(&envelope, PayloadType::Release, &world.region, NOW, EnvelopeLimits::default()).unwrap();
    assert_eq!(verified.payload.len(), 256 * 1024);
}

#[test]
fn an_intermediate_authority_may_leave_the_purpose_open() {
    let world = World::new();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    params.distinguished_name.push(rcgen::DnType::CommonName, "office authority");
    let key = KeyPair::generate().unwrap();
    let middle = world.authority.issue(&params, &key).unwrap();
    let issuer = rcgen::Issuer::new(params, key);
    let mut leaf = world.authority.principal(&id(AWA), day()).unwrap();
    leaf.extended_key_usages = vec![Purpose::Other(world.region.signing_eku().arcs().to_vec())];
    let leaf_key = KeyKind::Ed25519.generate().unwrap();
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    let chain = leaf.pem() + &middle.certificate_pem;
    let signer = Signer::from_pem(chain.as_bytes(), leaf_key.serialize_pem().as_bytes()).unwrap();
    let mut envelope = signer.sign(PayloadType::Query, vec![]);
    assert!(verify(&envelope, PayloadType::Query, &world.region, NOW, EnvelopeLimits::default()).is_ok());
    envelope.certificates.truncate(1);
    assert_eq!(
        verify(&envelope, PayloadType::Query, &world.region, NOW, EnvelopeLimits::default()),
        Err(ChainFault::UnknownAuthority.into())
    );
}

#[test]
fn an_envelope_that_was_changed_is_refused() {
    let world = World::new();
    let good = query(&world.signing(AWA));
    let other = query(&world.signing(AWA));
    type Change = fn(&mut Envelope, &Envelope);
    let cases: [(&str, Change, Unauthenticated); 11] = [
        ("payload", |e, _| e.payload = b"another question".to_vec(), Unauthenticated::Signature),
        ("payload bit", |e, _| e.payload[0] ^= 1, Unauthenticated::Signature),
        ("signature bit", |e, _| e.signature[40] ^= 1, Unauthenticated::Signature),
        ("signature cut", |e, _| e.signature.truncate(63), Unauthenticated::Signature),
        ("no signature", |e, _| e.signature.clear(), Unauthenticated::Signature),
        (
            "other key's certificate",
            |e, o| e.certificates = o.certificates.clone(),
            Unauthenticated::Signature,
        ),
        ("no certificate", |e, _| e.certificates.clear(), ChainFault::Empty.into()),
        (
            "label",
            |e, _| e.payload_type = PayloadType::Estimate.media_type().to_owned(),
            Unauthenticated::PayloadType {
                expected: PayloadType::Query,
                found: "application/vnd.lango.estimate.v1".into(),
            },
        ),
        ("size", |e, _| e.payload = vec![0; 262_145], Unauthenticated::PayloadSize { bytes: 262_145 }),
        (
            "five certificates",
            |e, _| e.certificates = vec![e.certificates[0].clone(); 5],
            ChainFault::TooLong { count: 5 }.into(),
        ),
        (
            "huge certificate",
            |e, _| e.certificates.push(vec![0; 16_385]),
            ChainFault::TooLarge { bytes: 16_385, bytes_max: 16_384 }.into(),
        ),
    ];
    for (name, change, expected) in cases {
        let mut envelope = good.clone();
        change(&mut envelope, &other);
        let refused = verify(&envelope, PayloadType::Query, &world.region, NOW, EnvelopeLimits::default());
        assert_eq!(refused, Err(expected), "{name}");
    }
}

#[test]
fn an_envelope_of_one_kind_is_never_one_of_another() {
    let world = World::new();
    let signer = signer(&world.signing(AWA));
    let kinds = [
        PayloadType::Query,
        PayloadType::Estimate,
        PayloadType::Lookup,
        PayloadType::Release,
        PayloadType::Refusal,
    ];
    for signed in kinds {
        for expected in kinds {
            let mut envelope = signer.sign(signed, b"x".to_vec());
            let honest = verify(&envelope, expected, &world.region, NOW, EnvelopeLimits::default());
            assert_eq!(honest.is_ok(), signed == expected);
            envelope.payload_type = expected.media_type().to_owned();
            let relabelled = verify(&envelope, expected, &world.region, NOW, EnvelopeLimits::default());
            assert_eq!(relabelled.is_ok(), signed == expected);
        }
    }
}

#[test]
fn a_certificate_that_breaks_a_rule_signs_nothing() {
    let world = World::new();
    let past = Lifetime { not_before: NOW - 100, not_after: NOW - 1 };
    let future = Lifetime { not_before: NOW + 1, not_after: NOW + 100 };
    let foreign = id("spiffe://other.example/analyst/awa");
    let region = || world.region.trust_domain().to_owned();
    let tls = |purpose: &str| CertificateFault::TlsPurpose(purpose.to_owned());
    let cases: Vec<(&str, Issued, Unauthenticated)> = vec![
        ("expired", odd(&world, past, |_| {}), ChainFault::Expired { not_after: NOW - 1 }.into()),
        (
            "not yet valid",
            odd(&world, future, |_| {}),
            ChainFault::NotYetValid { not_before: NOW + 1 }.into(),
        ),
        ("another authority's", World::new().signing(AWA), ChainFault::UnknownAuthority.into()),
        (
            "clientAuth too",
            odd(&world, day(), |p| p.extended_key_usages.push(Purpose::ClientAuth)),
            tls("1.3.6.1.5.5.7.3.2").into(),
        ),
        (
            "serverAuth too",
            odd(&world, day(), |p| p.extended_key_usages.push(Purpose::ServerAuth)),
            tls("1.3.6.1.5.5.7.3.1").into(),
        ),
        (
            "any purpose too",
            odd(&world, day(), |p| p.extended_key_usages.push(Purpose::Any)),
            tls("2.5.29.37.0").into(),
        ),
        (
            "no purpose",
            odd(&world, day(), |p| p.extended_key_usages.clear()),
            CertificateFault::NoSigningPurpose(EKU.parse().unwrap()).into(),
        ),
        (
            "another private purpose",
            odd(&world, day(), |p| {
                p.extended_key_usages = vec![Purpose::Other(vec![1, 3, 6, 1, 4, 1, 32473, 1, 2])]
            }),
            CertificateFault::NoSigningPurpose(EKU.parse().unwrap()).into(),
        ),
        (
            "no digitalSignature",
            odd(&world, day(), |p| p.key_usages = vec![rcgen::KeyUsagePurpose::ContentCommitment]),
            CertificateFault::NoDigitalSignature.into(),
        ),
        (
            "foreign trust domain",
            odd(&world, day(), |p| p.subject_alt_names = vec![uri(&foreign.to_string())]),
            CertificateFault::TrustDomain { principal: foreign.clone(), region: region() }.into(),
        ),
        (
            "an authority's",
            odd(&world, day(), |p| p.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
            ChainFault::Other(webpki::Error::CaUsedAsEndEntity).into(),
        ),
    ];
    for (name, issued, expected) in cases {
        let refused =
            verify(&query(&issued), PayloadType::Query, &world.region, NOW, EnvelopeLimits::default());
        assert_eq!(refused, Err(expected), "{name}");
    }
}

/// No [`Signer`] can be made of these certificates, so another's envelope carries them.
#[test]
fn a_certificate_that_no_signer_takes_is_refused_too() {
    let world = World::new();
    let names = |names: Vec<SanType>| odd(&world, day(), |p| p.subject_alt_names = names);
    let p256 = {
        let mut params = world.authority.principal(&id(AWA), day()).unwrap();
        params.extended_key_usages = vec![Purpose::Other(world.region.signing_eku().arcs().to_vec())];
        world.authority.issue(&params, &KeyPair::generate().unwrap()).unwrap()
    };
    let dns = SanType::DnsName("localhost".try_into().unwrap());
    let cases: Vec<(&str, Issued, CertificateFault)> = vec![
        ("a TLS certificate", world.tls(AWA), CertificateFault::TlsPurpose("1.3.6.1.5.5.7.3.1".into())),
        ("a P-256 key", p256, CertificateFault::KeyAlgorithm),
        ("two URI names", names(vec![uri(AWA), uri(AWA)]), CertificateFault::UriNames { count: 2 }),
        ("no URI name", names(vec![dns]), CertificateFault::UriNames { count: 0 }),
        ("no name", names(vec![]), CertificateFault::UriNames { count: 0 }),
        (
            "an https name",
            names(vec![uri("https://lango.example/analyst/awa")]),
            crate::SpiffeError::Shape("https://lango.example/analyst/awa".into()).into(),
        ),
    ];
    for (name, issued, expected) in cases {
        let mut envelope = query(&world.signing(AWA));
        let chain = crate::certificates_from_pem(issued.certificate_pem.as_bytes()).unwrap();
        envelope.certificates = chain.iter().map(|der| der.to_vec()).collect();
        let refused = verify(&envelope, PayloadType::Query, &world.region, NOW, EnvelopeLimits::default());
        assert_eq!(refused, Err(expected.into()), "{name}");
    }
}
