use std::sync::Arc;

use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint, Issuer, KeyIdMethod,
    KeyPair, SerialNumber,
};
use time::OffsetDateTime;

use super::*;
use crate::fixture::{DOMAIN, EKU, NOW, World, day};
use crate::pem::certificates_from_pem;
use crate::{
    Authority, EnvelopeLimits, Facts, Lifetime, PayloadType, Region, Revocation, RevocationFault,
    RevocationRule, Signer, Unauthenticated, verify,
};

const AWA: &str = "spiffe://lango.example/analyst/awa";
const MONTH_S: i64 = 30 * 86_400;

fn life() -> Lifetime {
    Lifetime { not_before: NOW, not_after: NOW + MONTH_S }
}

fn taken_back(serial: &[u8], at: i64) -> Revocation {
    let reason = RevocationReason::KeyCompromise;
    Revocation { serial: serial.to_vec(), revoked: Revoked { at, since: at, reason } }
}

fn serial_of(pem: &str) -> Vec<u8> {
    let der = certificates_from_pem(pem.as_bytes()).unwrap().remove(0);
    hex::decode(Facts::read(&der).unwrap().serial).unwrap()
}

/// A list that its authority would never write.
fn odd(authority: &Authority, change: impl FnOnce(&mut CertificateRevocationListParams)) -> String {
    let at = |unix| OffsetDateTime::from_unix_timestamp(unix).unwrap();
    let mut list = CertificateRevocationListParams {
        this_update: at(NOW),
        next_update: at(NOW + MONTH_S),
        crl_number: SerialNumber::from(7),
        issuing_distribution_point: None,
        revoked_certs: vec![],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    change(&mut list);
    list.signed_by(authority.issuer()).unwrap().pem().unwrap()
}

#[test]
fn a_list_says_what_its_authority_took_back_and_goes_on_from_the_one_before() {
    let world = World::new();
    let read =
        |pem: &str| RevocationList::read(pem.as_bytes(), world.region.authorities(), NOW).unwrap().remove(0);
    let first = world.authority.revocation_list(None, &[], life()).unwrap();
    let first = read(&first);
    assert_eq!((first.number(), first.revoked().count()), (1, 0));
    assert_eq!((first.this_update(), first.next_update()), (NOW, NOW + MONTH_S));
    assert_eq!(first.issuer(), "CN=authority of lango.example");
    let early = Revoked { at: NOW, since: NOW - 5_000, reason: RevocationReason::CessationOfOperation };
    let early = Revocation { serial: vec![9, 0, 1], revoked: early };
    let second = [early, taken_back(&[0, 0x80, 2], NOW)];
    let second = read(&world.authority.revocation_list(Some(&first), &second, life()).unwrap());
    let third = [taken_back(&[9, 0, 1], NOW + 60), taken_back(&[3], NOW)];
    let third = read(&world.authority.revocation_list(Some(&second), &third, life()).unwrap());
    assert_eq!((second.number(), third.number()), (2, 3));
    let said: Vec<String> = third.revoked().map(|(serial, revoked)| format!("{serial} {revoked}")).collect();
    assert_eq!(
        said,
        [
            "03 at 2026-01-31T00:00:00Z (key-compromise)",
            "090001 at 2026-01-31T00:00:00Z (cessation-of-operation)",
            "8002 at 2026-01-31T00:00:00Z (key-compromise)",
        ]
    );
    assert_eq!(third.of(&[9, 0, 1]).unwrap().since, NOW - 5_000, "what was said first stays");
    assert!(third.of(&[0, 0x80, 2]).is_some() && third.of(&[0x80, 2]).is_some() && third.of(&[2]).is_none());
}

#[test]
fn what_is_no_list_of_the_region_is_refused() {
    let (world, stranger, other) = (World::new(), World::of("other.example"), World::new());
    let good = world.authority.revocation_list(None, &[taken_back(&[5], NOW)], life()).unwrap();
    let of = |authority: &Authority| authority.revocation_list(None, &[], life()).unwrap();
    // An authority of the region by its certificate, whose key never signed it.
    let own = KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "authority of lango.example");
    let own = Issuer::new(params, own);
    let at = |unix| OffsetDateTime::from_unix_timestamp(unix).unwrap();
    let self_signed = CertificateRevocationListParams {
        this_update: at(NOW),
        next_update: at(NOW + MONTH_S),
        crl_number: SerialNumber::from(7),
        issuing_distribution_point: None,
        revoked_certs: vec![],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let self_signed = self_signed.signed_by(&own).unwrap().pem().unwrap();
    let mut flipped = lists_from_pem(good.as_bytes()).unwrap().remove(0);
    let place = flipped.len() / 2;
    flipped[place] ^= 1;
    let mut longer = lists_from_pem(good.as_bytes()).unwrap().remove(0);
    longer.push(0);
    let part = |scope| {
        odd(&world.authority, |list| {
            let distribution_point = CrlDistributionPoint { uris: vec!["https://x.example".to_owned()] };
            list.issuing_distribution_point = Some(CrlIssuingDistributionPoint { distribution_point, scope });
        })
    };
    for (what, text, expected) in [
        ("good", good.clone(), ""),
        ("nothing", String::new(), "no revocation list in the PEM text"),
        ("a certificate", world.region.authorities_pem(), "no revocation list in the PEM text"),
        ("half written", good[..good.len() / 2].to_owned(), "not a PEM text: a section has no end"),
        (
            "another authority's",
            of(&stranger.authority),
            "the revocation list is from `CN=authority of other.example`",
        ),
        ("a namesake's", of(&other.authority), "the revocation list is not signed by the region's authority"),
        ("self-signed", self_signed, "the revocation list is not signed by the region's authority"),
        ("a flipped bit", list_to_pem(&flipped), "the revocation list is"),
        ("a byte more", list_to_pem(&longer), "the revocation list is unreadable: bytes after its end"),
        ("twice", format!("{good}{}", of(&world.authority)), "there are two revocation lists of"),
        ("of some alone", part(None), "the revocation list is not of all"),
        (
            "of tomorrow",
            odd(&world.authority, |list| list.this_update = at(NOW + 86_400)),
            "the revocation list was signed at 2026-02-01T00:00:00Z, which is yet to come",
        ),
        (
            "of a large number",
            odd(&world.authority, |list| list.crl_number = SerialNumber::from_slice(&[1; 17])),
            "the revocation list has no number",
        ),
        ("too large", format!("{good}{}", " ".repeat(REVOCATION_BYTES_MOST)), "78"),
    ] {
        match RevocationList::read(text.as_bytes(), world.region.authorities(), NOW) {
            Ok(lists) => assert!(expected.is_empty() && lists.len() == 1, "{what}"),
            Err(error) => {
                assert!(!expected.is_empty() && error.to_string().starts_with(expected), "{what}: {error}");
            }
        }
    }
}

#[test]
fn an_older_list_and_another_of_the_same_number_are_refused_and_the_one_in_use_stays() {
    let world = World::new();
    let list = |number: u64, revoked: &[u8]| {
        odd(&world.authority, |list| {
            list.crl_number = SerialNumber::from(number);
            list.revoked_certs = vec![rcgen::RevokedCertParams {
                serial_number: SerialNumber::from_slice(revoked),
                revocation_time: OffsetDateTime::from_unix_timestamp(NOW).unwrap(),
                reason_code: None,
                invalidity_date: None,
            }];
        })
    };
    let noticed = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&noticed);
    world
        .region
        .revocations()
        .on_change(Box::new(move || count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 1));
    let same = list(300, &[1]);
    for (text, expected, number, times) in [
        (same.clone(), Ok(1), 300, 1),
        (same, Ok(0), 300, 1),
        (list(300, &[2]), Err("another revocation list of"), 300, 1),
        (list(299, &[1, 2]), Err("the revocation list of"), 300, 1),
        (list(1_000, &[1]), Ok(1), 1_000, 2),
        (list(1_001, &[1]), Ok(1), 1_001, 2),
        ("x".to_owned(), Err("no revocation list"), 1_001, 2),
    ] {
        // A clone has what the other has.
        let taken = world.region.clone().take_revocations(text.as_bytes(), NOW).map(|taken| taken.len());
        match (taken, expected) {
            (Ok(taken), Ok(expected)) => assert_eq!(taken, expected),
            (Err(error), Err(expected)) => assert!(error.to_string().starts_with(expected), "{error}"),
            (taken, expected) => panic!("{taken:?} {expected:?}"),
        }
        assert_eq!(world.region.revocations().lists()[0].number(), number);
        assert_eq!(noticed.load(std::sync::atomic::Ordering::SeqCst), times, "{number}");
    }
    let copy = Region::new(DOMAIN, world.region.authorities().to_vec(), EKU.parse().unwrap()).unwrap();
    copy.take_revocations(world.region.revocations().to_pem().as_bytes(), NOW).unwrap();
    assert_eq!(copy.revocations().lists(), world.region.revocations().lists());
}

#[test]
fn an_envelope_of_a_revoked_key_proves_nothing_from_then_on_and_what_was_signed_before_stands() {
    let world = World::new();
    let issued = world.signing(AWA);
    let signer = Signer::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap();
    let envelope = signer.sign(PayloadType::Query, b"what".to_vec());
    let at = |region: &Region, now| {
        verify(&envelope, PayloadType::Query, region, now, EnvelopeLimits::default()).map(|_| ())
    };
    let required = |age_max_s| {
        let region = Region::new(DOMAIN, world.region.authorities().to_vec(), EKU.parse().unwrap()).unwrap();
        region.with_revocation(RevocationRule { is_required: true, age_max_s })
    };
    let refused = |region: &Region, now| match at(region, now) {
        Err(Unauthenticated::Revocation(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let strict = required(None);
    assert_eq!(at(&world.region, NOW), Ok(()), "no list is none that is asked for");
    assert!(matches!(refused(&strict, NOW), RevocationFault::Absent { .. }));
    assert!(refused(&strict, NOW).to_string().contains("`authority of lango.example`"));
    assert_eq!(signer.check(&strict, NOW), Ok(()), "one's own certificate is not at fault");

    let clear = world.authority.revocation_list(None, &[], life()).unwrap();
    let aged = required(Some(3_600));
    for region in [&world.region, &strict, &aged] {
        region.take_revocations(clear.as_bytes(), NOW).unwrap();
        assert_eq!(at(region, NOW + 3_600), Ok(()));
    }
    assert!(matches!(refused(&aged, NOW + 3_601), RevocationFault::TooOld { .. }));

    let serial = serial_of(&issued.certificate_pem);
    let first = world.region.revocations().lists();
    let list = world.authority.revocation_list(
        Some(&first[0]),
        &[taken_back(&serial, NOW + 10_000)],
        Lifetime { not_before: NOW + 10_000, not_after: NOW + 20_000 },
    );
    for region in [&world.region, &strict] {
        region.take_revocations(list.as_ref().unwrap().as_bytes(), NOW + 10_000).unwrap();
        assert_eq!(at(region, NOW + 9_000), Ok(()), "before it was taken back");
        for now in [NOW + 9_700, NOW + 10_000, NOW + 50_000] {
            assert!(matches!(refused(region, now), RevocationFault::Revoked { .. }), "{now}");
        }
        assert!(signer.check(region, NOW + 10_000).is_err());
    }
    let words = "was revoked at 2026-01-31T02:46:40Z (key-compromise)";
    assert!(refused(&strict, NOW + 10_000).to_string().ends_with(words));

    // A list that is past its end says what it says, and is enough only where none is required.
    let other = world.signing("spiffe://lango.example/analyst/kofi");
    let other = Signer::from_pem(other.certificate_pem.as_bytes(), other.key_pem.as_bytes()).unwrap();
    let envelope = other.sign(PayloadType::Query, b"what".to_vec());
    let at = |region: &Region, now| {
        verify(&envelope, PayloadType::Query, region, now, EnvelopeLimits::default()).map(|_| ())
    };
    assert!(day().not_after > NOW + 20_400);
    assert_eq!(at(&world.region, NOW + 20_400), Ok(()));
    assert_eq!(at(&strict, NOW + 20_000), Ok(()));
    let stale = at(&strict, NOW + 20_400).unwrap_err();
    assert!(matches!(stale, Unauthenticated::Revocation(RevocationFault::Stale { .. })), "{stale}");
}
