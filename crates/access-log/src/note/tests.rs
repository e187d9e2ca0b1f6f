use super::*;
use crate::{
    KeyFault, SignatureType,
    fixture::{Pair, random},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand_core::Rng as _;

const TEXT: &str = "the first line\n\nbehind an empty one\n";

fn signed(by: &[&Pair]) -> SignedNote {
    let signatures = by.iter().map(|pair| pair.key.sign(TEXT, pair.signs()).unwrap()).collect();
    SignedNote::new(TEXT.to_owned(), signatures).unwrap()
}

/// The example of the specification's own text.
#[test]
fn the_specifications_example_verifies() {
    let key: NoteKey =
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse().unwrap();
    let text = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1\
                ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let note: SignedNote = text.parse().unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.to_string(), text);
    assert_eq!(note.verify(&[&key]).unwrap()[0].key.name(), "example.com/foo");
    let other: SignedNote = text.replace("an example", "another example").parse().unwrap();
    assert_eq!(other.verify(&[&key]), Err(NoteError::Invalid { name: "example.com/foo".to_owned() }));
}

#[test]
fn a_note_is_read_as_it_is_written() {
    let (log, other) = (Pair::log("log.example/gha", 1), Pair::log("log.example/tgo", 2));
    let note = signed(&[&log, &other]);
    let text = note.to_string();
    assert_eq!(text.parse(), Ok(note.clone()));
    assert!(text.starts_with("the first line\n\nbehind an empty one\n\n— log.example/gha "));
    let names: Vec<&str> =
        note.verify(&[&other.key, &log.key]).unwrap().iter().map(|by| by.key.name()).collect();
    assert_eq!(names, ["log.example/gha", "log.example/tgo"]);
}

#[test]
fn what_is_no_note_is_refused() {
    let good = signed(&[&Pair::log("log.example", 1)]).to_string();
    let line = good.lines().last().unwrap();
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    let (_, base64) = line.rsplit_once(' ').unwrap();
    for (note, expected) in [
        (String::new(), NoteError::Parts),
        ("text\n".to_owned(), NoteError::Parts),
        (good.trim_end().to_owned(), NoteError::Parts),
        (with("behind an empty one\n\n", "behind an empty one\n"), NoteError::Line { number: 1 }),
        (format!("{good}\n"), NoteError::Parts),
        (format!("{good} \n"), NoteError::Line { number: 2 }),
        (with("first", "fir\tst"), NoteError::Text),
        (good.replace('\n', "\r\n"), NoteError::Parts),
        (with(" log.example", " log.example\r"), NoteError::Line { number: 1 }),
        (with("\n\n—", "\n\n-"), NoteError::Line { number: 1 }),
        (with("— ", "—  "), NoteError::Line { number: 1 }),
        (with("— ", "—"), NoteError::Line { number: 1 }),
        (with("— log.example", "— log+example"), NoteError::Line { number: 1 }),
        (with("— log.example", "— log\u{a0}example"), NoteError::Line { number: 1 }),
        (with(base64, &base64[..base64.len() - 1]), NoteError::Line { number: 1 }),
        (with(base64, &format!("{base64} ")), NoteError::Line { number: 1 }),
        (with(base64, "AAAAAA=="), NoteError::Line { number: 1 }),
        (with(base64, ""), NoteError::Line { number: 1 }),
        (format!("{good}{}", format!("{line}\n").repeat(64)), NoteError::Signatures { count: 65 }),
    ] {
        assert_eq!(note.parse::<SignedNote>(), Err(expected), "{note:?}");
    }
    assert_eq!(SignedNote::new("no end".to_owned(), Vec::new()), Err(NoteError::Text));
    assert_eq!(SignedNote::new("text\n".to_owned(), Vec::new()), Err(NoteError::Signatures { count: 0 }));
}

#[test]
fn signatures_of_unknown_keys_are_kept_and_prove_nothing() {
    let (log, stranger) = (Pair::log("log.example", 1), Pair::log("log.example", 2));
    // The same name and another key: another number, so another signer.
    assert_ne!(log.key.id(), stranger.key.id());
    let note = signed(&[&stranger, &log]);
    assert_eq!(note.verify(&[&log.key]).unwrap().len(), 1);
    assert_eq!(signed(&[&stranger]).verify(&[&log.key]), Err(NoteError::Unsigned));
    let parsed: SignedNote = note.to_string().parse().unwrap();
    assert_eq!(parsed.signatures().len(), 2);
    assert_eq!(note.verify(&[]), Err(NoteError::Unsigned));
    // Bytes that are no signature at all, of a key that nobody knows.
    let unknown = NoteSignature { name: "quantum.example".to_owned(), id: [9; 4], bytes: vec![7; 2_420] };
    let note = note.with(unknown).unwrap();
    assert_eq!(note.verify(&[&log.key, &stranger.key]).unwrap().len(), 2);
    assert_eq!(note.to_string().parse(), Ok(note));
}

#[test]
fn a_known_keys_false_signature_refuses_the_note() {
    let (log, other) = (Pair::log("log.example", 1), Pair::log("other.example", 2));
    let note = signed(&[&log, &other]);
    let bad = NoteError::Invalid { name: "other.example".to_owned() };
    let mut false_line = note.signatures()[1].clone();
    false_line.bytes[5] ^= 1;
    let spoilt =
        SignedNote::new(TEXT.to_owned(), vec![note.signatures()[0].clone(), false_line.clone()]).unwrap();
    assert_eq!(spoilt.verify(&[&log.key, &other.key]), Err(bad.clone()));
    assert_eq!(spoilt.verify(&[&log.key]).unwrap().len(), 1);
    // A good one before it helps no more than behind it.
    let lines = vec![note.signatures()[1].clone(), false_line];
    assert_eq!(SignedNote::new(TEXT.to_owned(), lines).unwrap().verify(&[&other.key]), Err(bad));
    let twice = SignedNote::new(TEXT.to_owned(), vec![note.signatures()[0].clone(); 2]).unwrap();
    assert_eq!(twice.verify(&[&log.key]).unwrap().len(), 1);
}

#[test]
fn a_key_is_read_as_it_is_written_and_not_otherwise() {
    let pair = Pair::log("log.example/gha", 1);
    let text = pair.key.to_string();
    assert_eq!(text.parse(), Ok(pair.key.clone()));
    let (name, rest) = text.split_once('+').unwrap();
    let (id, key) = rest.split_once('+').unwrap();
    let of_bytes = |first: u8, rest: &[u8]| STANDARD.encode([&[first], rest].concat());
    let other_algorithm = of_bytes(6, &pair.key.public());
    let small_order = of_bytes(1, &[0; 32]);
    let other_id = hex::encode(Pair::log("log.example/gha", 2).key.id());
    for (text, expected) in [
        (String::new(), KeyFault::Form),
        (name.to_owned(), KeyFault::Form),
        (format!("{name}+{id}"), KeyFault::Form),
        (format!("{name}+{id}+"), KeyFault::Form),
        (format!("{name}+{id}+AQ=="), KeyFault::Form),
        (format!("{name}+{id}+{key}A"), KeyFault::Form),
        (format!("+{id}+{key}"), KeyFault::Name),
        (format!("a b+{id}+{key}"), KeyFault::Name),
        (format!("other+{id}+{key}"), KeyFault::Id),
        (format!("{name}+{other_id}+{key}"), KeyFault::Id),
        (format!("{name}+0{id}+{key}"), KeyFault::Id),
        (format!("{name}+{id}+{other_algorithm}"), KeyFault::Unknown { byte: 6 }),
        (format!("{name}+{id}+{small_order}"), KeyFault::Point),
    ] {
        assert_eq!(text.parse::<NoteKey>(), Err(expected), "{text}");
    }
    let witness = Pair::witness("log.example/gha", 1);
    assert_ne!(witness.key.id(), pair.key.id());
    assert_eq!(
        witness.key.to_string().parse::<NoteKey>().unwrap().signature_type(),
        SignatureType::Cosignature
    );
    assert_eq!(pair.key.cosign(TEXT, 1, pair.signs()), Err(KeyFault::SignatureType));
    assert_eq!(witness.key.sign(TEXT, witness.signs()), Err(KeyFault::SignatureType));
    assert_eq!(witness.key.cosign(TEXT, 1 << 63, witness.signs()), Err(KeyFault::Time));
    assert_eq!(pair.key.sign(TEXT, Pair::log("x", 2).signs()), Err(KeyFault::Pair));
}

#[test]
fn no_changed_byte_of_a_note_passes() {
    let (log, mut random) = (Pair::log("log.example", 1), random(7));
    let good = signed(&[&log]).to_string();
    for _ in 0..4_000 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..=random.next_u64() % 3 {
            let at = (random.next_u64() % bytes.len() as u64) as usize;
            match random.next_u64() % 3 {
                0 => bytes[at] ^= 1 << (random.next_u64() % 8),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"\n+ -A\xe2\0"[(random.next_u64() % 7) as usize]),
            }
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if text != good {
            let verified = text.parse::<SignedNote>().and_then(|note| note.verify(&[&log.key]).map(|_| ()));
            assert!(verified.is_err(), "{text:?}");
        }
    }
}
