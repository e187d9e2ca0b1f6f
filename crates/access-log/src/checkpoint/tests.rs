use super::*;
use crate::fixture::{Pair, leaf};

const ORIGIN: &str = "ecowas.example/office/GHA";

fn checkpoint() -> Checkpoint {
    Checkpoint::new(ORIGIN, 7, leaf(7))
}

#[test]
fn a_checkpoint_is_signed_read_and_verified() {
    let log = Pair::log(ORIGIN, 1);
    let signed = checkpoint().sign(&log.key, log.signs()).unwrap();
    let text = signed.to_string();
    assert!(text.starts_with(&format!("{ORIGIN}\n7\n{}\n\n— {ORIGIN} ", leaf(7))), "{text}");
    let read: SignedCheckpoint = text.parse().unwrap();
    assert_eq!((&read, read.verify(&log.key)), (&signed, Ok(&checkpoint())));
    assert_eq!(read.unverified(), &checkpoint());
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let root = leaf(7);
    for (text, expected) in [
        (String::new(), CheckpointError::Text),
        (format!("o\n7\n{root}"), CheckpointError::Text),
        ("o\n7\n".to_owned(), CheckpointError::Text),
        (format!("\n7\n{root}\n"), CheckpointError::Text),
        (format!("o\n7\n{root}\n\nmore\n"), CheckpointError::Text),
        (format!("o\n07\n{root}\n"), CheckpointError::Size),
        (format!("o\n+7\n{root}\n"), CheckpointError::Size),
        (format!("o\n-7\n{root}\n"), CheckpointError::Size),
        (format!("o\n 7\n{root}\n"), CheckpointError::Size),
        (format!("o\n9223372036854775808\n{root}\n"), CheckpointError::Size),
        ("o\n7\nAAAA\n".to_owned(), CheckpointError::Root),
        (format!("o\n7\n{root} \n"), CheckpointError::Root),
    ] {
        assert_eq!(text.parse::<Checkpoint>(), Err(expected), "{text:?}");
    }
    let more = format!("o\n9223372036854775807\n{root}\nsaid beside it\n");
    let read: Checkpoint = more.parse().unwrap();
    assert_eq!((read.to_string(), read.extensions.len()), (more, 1));
    let log = Pair::log("o", 1);
    let two_lines = Checkpoint::new("o\n9", 7, root);
    assert_eq!(two_lines.sign(&log.key, log.signs()), Err(CheckpointError::Text));
}

#[test]
fn another_logs_checkpoint_proves_nothing() {
    let (log, other) = (Pair::log(ORIGIN, 1), Pair::log("ecowas.example/office/TGO", 2));
    let signed = checkpoint().sign(&log.key, log.signs()).unwrap();
    let origin = CheckpointError::Origin { expected: other.key.name().to_owned(), found: ORIGIN.to_owned() };
    assert_eq!(signed.verify(&other.key), Err(origin.clone()));
    assert_eq!(checkpoint().sign(&other.key, other.signs()), Err(origin));
    // The same name with another key: a stranger.
    let stranger = Pair::log(ORIGIN, 3);
    assert_eq!(signed.verify(&stranger.key), Err(NoteError::Unsigned.into()));
    let witness = Pair::witness(ORIGIN, 1);
    assert_eq!(signed.verify(&witness.key), Err(KeyFault::SignatureType.into()));
}

#[test]
fn a_witness_signs_the_checkpoint_and_its_time() {
    let (log, witness) = (Pair::log(ORIGIN, 1), Pair::witness("ecowas.example/coordinator", 2));
    let signed = checkpoint().sign(&log.key, log.signs()).unwrap();
    assert_eq!((signed.cosigned(&[&witness.key]), signed.cosigned_at()), (Ok(Vec::new()), None));
    let mut message = Vec::new();
    let cosigned = signed.clone().cosign(&witness.key, 1_679_315_147, |bytes| {
        message = bytes.to_vec();
        witness.signs()(bytes)
    });
    let cosigned = cosigned.unwrap();
    let expected = format!("cosignature/v1\ntime 1679315147\n{ORIGIN}\n7\n{}\n", leaf(7));
    assert_eq!(String::from_utf8(message).unwrap(), expected);
    let read: SignedCheckpoint = cosigned.to_string().parse().unwrap();
    let by = read.cosigned(&[&witness.key]).unwrap();
    assert_eq!((by.len(), by[0].seconds), (1, Some(1_679_315_147)));
    assert_eq!(read.verify(&log.key), Ok(&checkpoint()));
    // A later one takes the place of the first.
    let later = cosigned.cosign(&witness.key, 1_700_000_000, witness.signs()).unwrap();
    let by = later.cosigned(&[&witness.key]).unwrap();
    assert_eq!((by.len(), by[0].seconds, later.note().signatures().len()), (1, Some(1_700_000_000), 2));
    assert_eq!((read.cosigned_at(), later.cosigned_at()), (Some(1_679_315_147), Some(1_700_000_000)));
    let stranger = Pair::witness("ecowas.example/coordinator", 9);
    assert_eq!(later.cosigned(&[&stranger.key]), Ok(Vec::new()));
}

#[test]
fn every_bit_of_a_cosignature_counts() {
    let (log, witness) = (Pair::log(ORIGIN, 1), Pair::witness("w", 2));
    let signed = checkpoint().sign(&log.key, log.signs()).unwrap();
    let good = witness.key.cosign(signed.note().text(), 1_000, witness.signs()).unwrap();
    assert_eq!(good.bytes.len(), 72);
    for bit in 0..72 * 8 {
        let mut spoilt = good.clone();
        spoilt.bytes[bit / 8] ^= 1 << (bit % 8);
        let note = signed.note().clone().with(spoilt).unwrap();
        let read: SignedCheckpoint = note.to_string().parse().unwrap();
        assert_eq!(read.cosigned(&[&witness.key]), Err(NoteError::Invalid { name: "w".to_owned() }), "{bit}");
    }
}
