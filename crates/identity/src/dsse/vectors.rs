//! Cases of others for the signatures of envelopes, in the shared data beside the repository, and the kinds of them that taught
//! something, written here.

use std::{fs, path::Path};

use serde_json::Value;

use super::verifies;

/// A file of the shared data; `None`, and a loud line, where it is not there.
fn shared(path: &str) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let found = root.join("shared/data/vectors").join(path);
    if !found.exists() {
        eprintln!("SKIPPED: {} is not there", found.display());
        return None;
    }
    Some(serde_json::from_str(&fs::read_to_string(found).unwrap()).unwrap())
}

fn verified(key: &str, message: &[u8], signature: &str) -> bool {
    let key = hex::decode(key).unwrap().try_into().unwrap();
    verifies(&key, message, &hex::decode(signature).unwrap())
}

#[test]
fn no_lenient_signature_of_the_cctv_is_taken() {
    let Some(cases) = shared("cctv_ed25519/ed25519vectors.json") else { return };
    let (mut taken, mut refused) = (0, 0);
    for case in cases.as_array().unwrap() {
        let field = |name: &str| case[name].as_str().unwrap();
        let flags = case["flags"].as_array().into_iter().flatten().map(|flag| flag.as_str().unwrap());
        let kinds = ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];
        let is_lenient = flags.into_iter().any(|flag| kinds.contains(&flag));
        let is_taken = verified(field("key"), field("msg").as_bytes(), field("sig"));
        assert!(!(is_taken && is_lenient), "{case}");
        if is_taken { taken += 1 } else { refused += 1 }
    }
    assert_eq!(taken + refused, 914);
    assert!(refused > 800, "{taken} {refused}");
}

#[test]
fn every_case_of_wycheproof_has_its_result() {
    let Some(file) = shared("wycheproof/ed25519_test.json") else { return };
    let mut ran = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = group["publicKey"]["pk"].as_str().unwrap();
        for case in group["tests"].as_array().unwrap() {
            let field = |name: &str| case[name].as_str().unwrap();
            let message = hex::decode(field("msg")).unwrap();
            assert_eq!(verified(key, &message, field("sig")), field("result") == "valid", "{case}");
            ran += 1;
        }
    }
    assert_eq!(ran, file["numberOfTests"].as_u64().unwrap());
}

/// The key and the message are those of the first test of RFC 8032.
#[test]
fn what_only_the_lenient_take_is_refused() {
    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let r = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155";
    let s = "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    // S and S + L are the same scalar, and L is the order of the group.
    let s_plus_l = "4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b";
    let zeros = |bytes: usize| "00".repeat(bytes);
    // Points of order 1 and 2, the first of them also in a form that is no canonical one: y + p for y.
    let neutral = format!("01{}", zeros(31));
    let second = format!("ec{}7f", "ff".repeat(30));
    let neutral_again = format!("ee{}7f", "ff".repeat(30));
    let no_point = format!("02{}", zeros(31));
    for (what, key, signature, is_good) in [
        ("the standard's own", key, format!("{r}{s}"), true),
        ("S + L for S", key, format!("{r}{s_plus_l}"), false),
        ("a byte less", key, format!("{r}{}", &s[2..]), false),
        ("a byte more", key, format!("{r}{s}00"), false),
        ("nothing", key, String::new(), false),
        ("R of order 1", key, format!("{neutral}{s}"), false),
        ("R of order 2", key, format!("{second}{s}"), false),
        ("a key of order 1", neutral.as_str(), format!("{neutral}{}", zeros(32)), false),
        ("a key of order 2", second.as_str(), format!("{second}{}", zeros(32)), false),
        (
            "a key of order 1 in another form",
            neutral_again.as_str(),
            format!("{neutral}{}", zeros(32)),
            false,
        ),
        ("a key that is no point", no_point.as_str(), format!("{r}{s}"), false),
    ] {
        assert_eq!(verified(key, b"", &signature), is_good, "{what}");
    }
}
