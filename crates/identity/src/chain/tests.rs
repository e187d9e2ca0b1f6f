use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair};

use super::*;
use crate::explain::check_own;
use crate::fixture::{NOW, World, day, id};
use crate::key::KeyKind;
use crate::tls::tests::{clock, handshake, tls as peer_tls, today};
use crate::{
    EnvelopeLimits, Expected, Issued, Lifetime, OwnFault, PayloadType, Signer, TlsIdentity, Unauthenticated,
    client_config, server_config, verify,
};

const HUB: &str = "spiffe://lango.example/coordinator/hub";
const GHA: &str = "spiffe://lango.example/office/GHA";

/// The certificates for TLS and for signing below this number of authorities under the region's, each with this number of bytes
/// that nobody reads.
fn below(world: &World, authorities: usize, bytes: usize) -> [Issued; 2] {
    below_at(world, day(), authorities, bytes)
}

/// The same of another lifetime.
fn below_at(world: &World, lifetime: Lifetime, authorities: usize, bytes: usize) -> [Issued; 2] {
    let padding = CustomExtension::from_oid_content(&[2, 16, 840, 1, 113_730, 1, 13], vec![0; bytes]);
    let region = world.authority.to_pem();
    let key = KeyPair::from_pem(&region.key_pem).unwrap();
    let mut issuer = Issuer::from_ca_cert_pem(&region.certificate_pem, key).unwrap();
    let mut above = String::new();
    for number in 0..authorities {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, format!("authority {number}"));
        params.custom_extensions.push(padding.clone());
        let key = KeyPair::generate().unwrap();
        above = params.signed_by(&key, &issuer).unwrap().pem() + &above;
        issuer = Issuer::new(params, key);
    }
    let signing = rcgen::ExtendedKeyUsagePurpose::Other(world.region.signing_eku().arcs().to_vec());
    let tls = [rcgen::ExtendedKeyUsagePurpose::ServerAuth, rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    [(tls.to_vec(), KeyPair::generate().unwrap()), (vec![signing], KeyKind::Ed25519.generate().unwrap())].map(
        |(purposes, key)| {
            let mut params = world.authority.principal(&id(GHA), lifetime).unwrap();
            params.extended_key_usages = purposes;
            params.custom_extensions.push(padding.clone());
            let certificate_pem = params.signed_by(&key, &issuer).unwrap().pem() + &above;
            Issued { certificate_pem, key_pem: key.serialize_pem().into() }
        },
    )
}

fn signer(issued: &Issued) -> Signer {
    Signer::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap()
}

fn tls(issued: &Issued) -> TlsIdentity {
    TlsIdentity::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap()
}

#[test]
fn what_a_verifier_refuses_is_refused_before_it_is_sent() {
    let world = World::new();
    for (authorities, bytes, refused) in [
        (0, 10, None),
        (3, 10, None),
        (4, 10, Some(ChainFault::TooLong { count: 5 })),
        (3, 15_900, None),
        (0, 17_000, Some(ChainFault::TooLarge { bytes: 0, bytes_max: 16_384 })),
        (1, 17_000, Some(ChainFault::TooLarge { bytes: 0, bytes_max: 16_384 })),
    ] {
        let [_, signing] = below(&world, authorities, bytes);
        let signer = signer(&signing);
        let before = signer.check(&world.region, NOW).err();
        let envelope = signer.sign(PayloadType::Refusal, vec![1]);
        let after =
            verify(&envelope, PayloadType::Refusal, &world.region, NOW, EnvelopeLimits::default()).err();
        assert_eq!(before, after, "{authorities} {bytes}");
        let before = before.map(|fault| match fault {
            Unauthenticated::Chain(ChainFault::TooLarge { bytes: found, bytes_max }) => {
                assert!(found > bytes, "{found}");
                ChainFault::TooLarge { bytes: 0, bytes_max }
            }
            Unauthenticated::Chain(fault) => fault,
            other => panic!("{other}"),
        });
        assert_eq!(before, refused, "{authorities} {bytes}");
    }
}

#[test]
fn a_chain_that_tls_does_not_carry_is_refused_before_it_is_shown() {
    let world = World::new();
    for (authorities, bytes, is_good) in [
        (4, 10, true),
        (6, 10, true),
        (7, 10, false),
        (3, 14_900, true),
        (3, 15_000, false),
        (3, 16_500, false),
    ] {
        let [served, _] = below_at(&world, today(), authorities, bytes);
        let own = tls(&served);
        let checked = check_own(&own, &world.region, clock());
        assert_eq!(checked.is_ok(), is_good, "{authorities} {bytes}: {checked:?}");
        // What TLS itself does with it, at either end.
        let good = peer_tls(&world, HUB, today());
        let ends = [(&own, &good, HUB), (&good, &own, GHA)].map(|(client, server, expected)| {
            let client = client_config(client, &world.region, Expected::Id(id(expected))).unwrap();
            let shaken = handshake(client, server_config(server, &world.region).unwrap());
            shaken.client.is_none() && shaken.server.is_none()
        });
        // Between 60 and 64 KiB it depends on what else a peer's buffer holds.
        if bytes != 15_000 {
            assert_eq!(ends, [is_good; 2], "{authorities} {bytes}");
        }
        if authorities > 6 {
            assert!(matches!(checked, Err(OwnFault::Chain(ChainFault::TooDeep))), "{checked:?}");
        }
        if bytes >= 15_000 {
            assert!(matches!(
                checked,
                Err(OwnFault::Chain(ChainFault::TooLarge { bytes, bytes_max: 61_440 })) if bytes > 61_440
            ));
        }
    }
}

#[test]
fn an_authority_that_signs_itself_is_never_sent() {
    let world = World::new();
    let root = world.authority.to_pem().certificate_pem;
    for authorities in [0, 1, 3] {
        let [served, signing] = below(&world, authorities, 10).map(|issued| Issued {
            certificate_pem: issued.certificate_pem + &root,
            key_pem: issued.key_pem,
        });
        let envelope = signer(&signing).sign(PayloadType::Refusal, vec![1]);
        assert_eq!(envelope.certificates.len(), authorities + 1);
        assert_eq!(tls(&served).chain().len(), authorities + 1);
        assert_eq!(signer(&signing).check(&world.region, NOW), Ok(()));
        assert!(check_own(&tls(&served), &world.region, NOW).is_ok());
    }
    // Of the same name, and signed by another: it is needed.
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (old, new) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let self_signed = params.self_signed(&old).unwrap().der().clone();
    let renewed = params.signed_by(&new, &Issuer::new(params.clone(), old)).unwrap().der().clone();
    let chain = vec![self_signed.clone(), renewed.clone(), self_signed.clone()];
    assert_eq!(
        without_roots(chain),
        [self_signed, renewed],
        "the first is the principal's own, whatever it is"
    );
}

/// `testdata/p521.pem`: an office's certificate for signing, the authority on P-521 that issued it, and the office's key, made by
/// OpenSSL (ring makes no such key).
#[test]
fn a_chain_with_a_key_that_no_verifier_takes_is_refused_before_it_is_sent() {
    let text = include_bytes!("../../testdata/p521.pem");
    let authority = crate::certificates_from_pem(text).unwrap().remove(1);
    let region =
        Region::new(crate::fixture::DOMAIN, vec![authority], crate::fixture::EKU.parse().unwrap()).unwrap();
    let signer = Signer::from_pem(text, text).unwrap();
    // 2027-01-15.
    let now = 1_800_000_000;
    assert_eq!(signer.check(&region, now), Err(ChainFault::Algorithm.into()));
    let envelope = signer.sign(PayloadType::Refusal, vec![1]);
    let verified = verify(&envelope, PayloadType::Refusal, &region, now, EnvelopeLimits::default());
    assert_eq!(verified, Err(ChainFault::Algorithm.into()));
}
