//! What offices sign, to the byte.

use lango_identity::verify_signature;

use super::*;

/// The release payload of the protocol's first published vectors: of before the charge was signed.
const OLD_RELEASE: &str = concat!(
    "08011220015fd9b695f74477a40da67795b606a0f54fc77969adfc2d0139d49d5f99446b1a20c5505dcf99cd78eef789",
    "a9db4433e0fe575d75b8f5ef43bf5ca0aad60c6b716222217370696666653a2f2f6c616e676f2e6578616d706c652f6f",
    "66666963652f4748412a06323032342e313220cf57a625d62cf49bb67b2e5b0029e36e5d75a4c9f740b7c63ab361abd2",
    "144cc03a20eac815a9dffd0fdabb4478aabc392658e63d2d82a72f83c1f129aecd6db3fc33422091b06b74a0bf3b0494",
    "a1eba99e0c205a6f73aebb9a27f61459c58431fef3b63f4a20dd16e0fe444accc772eb9ef407086f1ed7ccbedc234d0c",
    "3d5e5c8941327d55155080cab5ee0158c0b2cd3b6a101c946bbd28689a7b525206fa1f6222337080a4a7da06",
);
/// The refusal payload of the same vectors: of before arguments were signed.
const OLD_REFUSAL: &str = concat!(
    "08011220015fd9b695f74477a40da67795b606a0f54fc77969adfc2d0139d49d5f99446b1a217370696666653a2f2f6c",
    "616e676f2e6578616d706c652f6f66666963652f53454e2206726f737465722880a4a7da06",
);

fn office(name: &str) -> SpiffeId {
    format!("spiffe://lango.example/office/{name}").parse().unwrap()
}

/// The payload of a vector whose digest and signature hold.
fn vector(name: &str, kind: PayloadType) -> Vec<u8> {
    let file: serde_json::Value = serde_json::from_str(include_str!("../../testdata/signed.json")).unwrap();
    let text = |field: &str| file[name][field].as_str().unwrap();
    let payload = hex::decode(text("payload")).unwrap();
    assert_eq!(
        (kind.media_type(), hex::encode(digest(kind, &payload)).as_str()),
        (text("type"), text("pae_sha256"))
    );
    let public_key = hex::decode(text("public_key")).unwrap().try_into().unwrap();
    let signature = hex::decode(text("signature")).unwrap();
    assert!(verify_signature(&public_key, text("type"), &payload, &signature), "{name}");
    payload
}

#[test]
fn payloads_of_before_the_charge_was_signed_are_read_and_written_to_the_byte() {
    let bytes = hex::decode(OLD_RELEASE).unwrap();
    let release = SignedRelease::decode(&bytes, &office("GHA")).unwrap();
    assert_eq!((release.encode(), release.charged), (bytes, None));
    let bytes = hex::decode(OLD_REFUSAL).unwrap();
    let refusal = SignedRefusal::decode(&bytes, &office("SEN")).unwrap();
    assert_eq!((refusal.code.as_str(), refusal.arguments.iter().count()), ("roster", 0));
    assert_eq!(refusal.encode(), bytes);
}

#[test]
fn the_vectors_are_read_and_written_to_the_byte() {
    let gha = office("GHA");
    let bytes = vector("release", PayloadType::Release);
    let release = SignedRelease::decode(&bytes, &gha).unwrap();
    let loss = Loss { delta_e18: 1_000_000_000, ..Loss::rho(24_356_000) };
    let account = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };
    assert_eq!(
        (release.basics.loss, release.charged),
        (loss, Some(Charged { loss, repeated: false, account }))
    );
    assert_eq!(release.encode(), bytes);

    let bytes = vector("repeated", PayloadType::Release);
    let repeated = SignedRelease::decode(&bytes, &gha).unwrap();
    let free = Charged { loss: crate::FREE, repeated: true, account: Accounting::Pure };
    assert_eq!((repeated.charged, repeated.encode()), (Some(free), bytes));

    let bytes = vector("price", PayloadType::Price);
    let price = SignedPrice::decode(&bytes, &gha).unwrap();
    assert_eq!((price.queries_left, price.bounds_drop.as_str()), (7, "2 % of rows"));
    assert_eq!((price.charged.loss, price.basics.time), (Loss::pure(500_000_000), 1_800_000_000));
    assert_eq!(price.encode(), bytes);

    let bytes = vector("refusal", PayloadType::Refusal);
    let refusal = SignedRefusal::decode(&bytes, &gha).unwrap();
    let arguments: Vec<_> = refusal.arguments.iter().collect();
    let expected = [
        ("case", "pool-exceeded"),
        ("dataset", "residents"),
        ("left", "0.5"),
        ("limit", "2"),
        ("price", "0.75"),
    ];
    assert_eq!((refusal.code.as_str(), arguments), ("budget-exceeded", expected.to_vec()));
    assert_eq!(refusal.encode(), bytes);
}

#[test]
fn an_agreement_is_signed_after_everything_else_and_is_readable() {
    let gha = office("GHA");
    let without = vector("release", PayloadType::Release);
    let mut release = SignedRelease::decode(&without, &gha).unwrap();
    assert_eq!(release.agreement, None, "releases of before have none");
    release.agreement = Some("MoU-2026-14".parse().unwrap());
    let bytes = release.encode();
    // Field 21, of eleven bytes.
    assert_eq!(bytes, [without.as_slice(), &[0xaa, 0x01, 11], b"MoU-2026-14"].concat());
    assert_eq!(SignedRelease::decode(&bytes, &gha), Ok(release));
    for unread in [" MoU", "a\nb", "\u{202e}", &"x".repeat(101)] {
        let mut payload = pb::ReleasePayload::decode(bytes.as_slice()).unwrap();
        payload.agreement = unread.to_owned();
        let read = SignedRelease::decode(&payload.encode_to_vec(), &gha);
        assert_eq!(read.map_err(|error| error.field), Err("agreement"), "{unread:?}");
    }
}

#[test]
fn a_rule_and_what_it_hides_are_signed_together_or_not_at_all() {
    let gha = office("GHA");
    let without = vector("release", PayloadType::Release);
    let mut release = SignedRelease::decode(&without, &gha).unwrap();
    assert_eq!(release.hidden, None, "releases of before hide nothing");
    let hidden = SignedHidden { shown_if: "count 20".parse().unwrap(), digest: [7; 32] };
    release.hidden = Some(hidden);
    let bytes = release.encode();
    // Fields 22 and 23, of eight and of 32 bytes.
    let fields: [&[u8]; 4] = [&[0xb2, 0x01, 8], b"count 20", &[0xba, 0x01, 32], &[7; 32]];
    assert_eq!(bytes, [without.as_slice(), &fields.concat()].concat());
    assert_eq!(SignedRelease::decode(&bytes, &gha), Ok(release));
    for (rule, digest, field) in [
        ("count 020", vec![7; 32], "shown_if"),
        ("shown", vec![7; 32], "shown_if"),
        ("", vec![7; 32], "hidden_digest"),
        ("count 20", vec![], "hidden_digest"),
        ("count 20", vec![7; 31], "hidden_digest"),
    ] {
        let mut payload = pb::ReleasePayload::decode(bytes.as_slice()).unwrap();
        (payload.shown_if, payload.hidden_digest) = (rule.to_owned(), digest);
        let read = SignedRelease::decode(&payload.encode_to_vec(), &gha);
        assert_eq!(read.map_err(|error| error.field), Err(field), "{rule:?}");
    }
    let price = vector("price", PayloadType::Price);
    let mut price = SignedPrice::decode(&price, &gha).unwrap();
    assert_eq!(price.shown_if, None);
    price.shown_if = Some(hidden.shown_if);
    assert_eq!(SignedPrice::decode(&price.encode(), &gha), Ok(price));
}

#[test]
fn what_is_not_written_as_this_protocol_writes_it_is_refused() {
    let gha = office("GHA");
    let argument = |name: &str, value: &str| pb::Argument { name: name.into(), value: value.into() };
    let refusal = |code: &str, arguments: Vec<pb::Argument>| {
        let payload = pb::RefusalPayload {
            version: 1,
            request_digest: vec![1; 32],
            office: gha.to_string(),
            code: code.into(),
            time: 1,
            arguments,
        };
        SignedRefusal::decode(&payload.encode_to_vec(), &gha).map_err(|error| error.field)
    };
    assert!(refusal("role", vec![argument("a", "1"), argument("b", "2")]).is_ok());
    for (code, arguments, field) in [
        ("", vec![], "code"),
        ("Role", vec![], "code"),
        ("a b", vec![], "code"),
        ("role", vec![argument("b", "1"), argument("a", "2")], "arguments"),
        ("role", vec![argument("a", "1"), argument("a", "1")], "arguments"),
        ("role", vec![argument("a", &"x".repeat(201))], "arguments"),
    ] {
        assert_eq!(refusal(code, arguments), Err(field), "{code}");
    }
    // Fields in another order, padded, or another office's.
    let price = vector("price", PayloadType::Price);
    let unknown = [price.as_slice(), &[0xb8, 0x01, 1]].concat();
    let padded = [&[0x08, 0x81, 0x00], &price[2..]].concat();
    for (bytes, signer, field) in
        [(&unknown, &gha, "payload"), (&padded, &gha, "payload"), (&price, &office("TGO"), "office")]
    {
        assert_eq!(SignedPrice::decode(bytes, signer).map_err(|error| error.field), Err(field));
    }
    let altered = |alter: fn(&mut pb::PricePayload)| {
        let mut payload = pb::PricePayload::decode(price.as_slice()).unwrap();
        alter(&mut payload);
        SignedPrice::decode(&payload.encode_to_vec(), &gha).map_err(|error| error.field)
    };
    for (found, field) in [
        (altered(|p| p.accounting = 0), "account"),
        (altered(|p| p.accounting = 3), "accounting"),
        (altered(|p| p.account_delta_e18 = 1), "account"),
        (altered(|p| (p.accounting, p.account_delta_e18) = (2, 0)), "account"),
        (altered(|p| p.version = 2), "version"),
        (altered(|p| p.plan_digest.truncate(31)), "plan_digest"),
    ] {
        assert_eq!(found, Err(field));
    }
}
