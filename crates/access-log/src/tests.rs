//! Cases of others, in the shared data beside the repository, and some of the same kind that are written here.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::{
    CheckedLog, Fsck, FsckError, NoteKey, NoteSignature, SignatureType, SignedCheckpoint, TileId, TileLevel,
    TreeHash, hash_bundle, prove_consistency, verify_consistency,
};

/// A folder of the shared data; `None`, and a loud line, where it is not there.
fn shared(path: &str) -> Option<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let found = root.join("shared/data/vectors").join(path);
    if !found.exists() {
        eprintln!("SKIPPED: {} is not there", found.display());
    }
    found.exists().then_some(found)
}

fn json(path: &str) -> Option<Value> {
    shared(path).map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
}

/// Whether a log's key verifies a signature of these bytes as a note's text.
fn verifies(key: &str, message: &[u8], signature: &str) -> bool {
    let bytes = |text: &str| hex::decode(text).unwrap();
    let Ok(text) = std::str::from_utf8(message) else { return false };
    let Ok(key) = NoteKey::new("k", SignatureType::Ed25519, bytes(key).try_into().unwrap()) else {
        return false;
    };
    let signature = NoteSignature { name: "k".to_owned(), id: key.id(), bytes: bytes(signature) };
    key.verify(text, &signature).is_some()
}

#[test]
fn no_lenient_signature_of_the_cctv_passes() {
    let Some(cases) = json("cctv_ed25519/ed25519vectors.json") else { return };
    let (mut passed, mut refused) = (0, 0);
    for case in cases.as_array().unwrap() {
        let field = |name: &str| case[name].as_str().unwrap();
        let flags: Vec<&str> =
            case["flags"].as_array().into_iter().flatten().map(|flag| flag.as_str().unwrap()).collect();
        let lenient =
            ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];
        let is_lenient = flags.iter().any(|flag| lenient.contains(flag));
        let verified = verifies(field("key"), field("msg").as_bytes(), field("sig"));
        assert!(!(verified && is_lenient), "{case}");
        if verified { passed += 1 } else { refused += 1 }
    }
    assert_eq!(passed + refused, 914);
    assert!(refused > 800, "{passed} {refused}");
}

#[test]
fn the_wycheproof_cases_have_their_results() {
    let Some(file) = json("wycheproof/ed25519_test.json") else { return };
    let mut ran = 0;
    for group in file["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            let field = |name: &str| case[name].as_str().unwrap();
            let message = hex::decode(field("msg")).unwrap();
            // A note's text is UTF-8: other messages cannot be signed here.
            if std::str::from_utf8(&message).is_ok() {
                let verified = verifies(group["publicKey"]["pk"].as_str().unwrap(), &message, field("sig"));
                assert_eq!(verified, field("result") == "valid", "{case}");
                ran += 1;
            }
        }
    }
    assert!(ran > 60, "{ran}");
}

#[test]
fn a_signature_that_only_the_lenient_take_does_not_hold() {
    // S and S + L are the same scalar: RFC 8032 takes the smaller one only. The key and the message are the RFC's first test.
    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let r = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155";
    let s = "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    let s_plus_l = "4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b";
    assert!(verifies(key, b"", &format!("{r}{s}")));
    assert!(!verifies(key, b"", &format!("{r}{s_plus_l}")));
    assert!(!verifies(key, b"", &format!("{r}{}", &s[2..])));
    assert!(!verifies(key, b"", &format!("{r}{s}00")));
    // The neutral element as key and as R satisfies the plain equation for every message.
    let neutral = format!("01{}", "00".repeat(31));
    assert!(!verifies(&neutral, b"any", &format!("{neutral}{}", "00".repeat(32))));
}

#[test]
fn a_log_of_tesseras_is_read_checked_and_proven() {
    let Some(folder) = shared("tessera_log/testdata/log") else { return };
    let key: NoteKey =
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx".parse().unwrap();
    let mut known: BTreeMap<u64, TreeHash> = BTreeMap::new();
    let read = |id: TileId| fs::read(folder.join(id.to_string())).map(Some);
    for size in 0..=15_u64 {
        let Ok(text) = fs::read_to_string(folder.join(format!("checkpoint.{size}"))) else { continue };
        let signed: SignedCheckpoint = text.parse().unwrap();
        assert_eq!(signed.to_string(), text);
        let checkpoint = signed.verify(&key).unwrap();
        assert_eq!(checkpoint.size, size);
        let mut fsck = Fsck::default();
        for id in TileId::of_tree(size).filter(|id| id.level() == TileLevel::Entries) {
            fsck.take(&hash_bundle(id, &read(id).unwrap().unwrap()).unwrap(), read).unwrap();
        }
        let checked = fsck.finish(checkpoint, read);
        let tiles = u64::from(size > 0);
        assert!(
            matches!(checked, Ok(CheckedLog { entries, tiles: kept }) if (entries, kept) == (size, tiles))
        );
        for (old, root) in &known {
            let proof = prove_consistency(*old, size, |id| fs::read(folder.join(id.to_string()))).unwrap();
            assert_eq!(
                verify_consistency(*old, *root, size, checkpoint.root, &proof),
                Ok(()),
                "{old} {size}"
            );
        }
        known.insert(size, checkpoint.root);
        let mut other = checkpoint.clone();
        other.root.0[0] ^= 1;
        let mut fsck = Fsck::default();
        for id in TileId::of_tree(size).filter(|id| id.level() == TileLevel::Entries) {
            fsck.take(&hash_bundle(id, &read(id).unwrap().unwrap()).unwrap(), read).unwrap();
        }
        assert!(matches!(fsck.finish(&other, read), Err(FsckError::Log(_))));
    }
    assert!(known.len() > 10, "{known:?}");
}
