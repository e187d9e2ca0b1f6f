use super::*;
use crate::{
    NoteError,
    fixture::{Pair, Tree, leaf},
    prove_inclusion,
};

fn proof(index: u64, size: u64) -> (LogProof, Pair) {
    let (log, tree) = (Pair::log("log.example", 1), Tree::new(size));
    let checkpoint =
        Checkpoint::new("log.example", size, tree.edge.root()).sign(&log.key, log.signs()).unwrap();
    let hashes = prove_inclusion(index, size, |id| tree.fetch(id)).unwrap();
    (LogProof { extra: None, index, hashes, checkpoint }, log)
}

#[test]
fn a_proof_is_read_as_it_is_written_and_verifies_its_entry_alone() {
    for (index, size) in [(0, 1), (0, 2), (5, 8), (256, 300)] {
        let (mut proof, log) = proof(index, size);
        for extra in [None, Some(Vec::new()), Some(b"beside".to_vec())] {
            proof.extra = extra;
            let text = proof.to_string();
            let read: LogProof = text.parse().unwrap();
            assert_eq!((read.to_string(), &read), (text, &proof));
            let entry = format!("entry {index}");
            assert_eq!(read.verify(entry.as_bytes(), &log.key).unwrap().size, size);
            assert_eq!(read.verify(b"another", &log.key), Err(ProofError::Root.into()));
            let stranger = Pair::log("log.example", 2);
            let unsigned = CheckpointError::from(NoteError::Unsigned);
            assert_eq!(read.verify(entry.as_bytes(), &stranger.key), Err(unsigned.into()));
        }
    }
}

#[test]
fn the_file_is_that_of_the_specification() {
    let (proof, _) = proof(2, 3);
    let text = proof.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["c2sp.org/tlog-proof@v1", "index 2"]);
    let sibling = TreeHash::of_node(&leaf(0), &leaf(1)).to_string();
    assert_eq!(lines[2..6], [sibling.as_str(), "", "log.example", "3"]);
}

#[test]
fn what_is_no_proof_is_refused_by_its_line() {
    let (proof, _) = proof(2, 3);
    let good = proof.to_string();
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    for (text, expected) in [
        (String::new(), LogProofError::Parts),
        (with("@v1", "@v2"), LogProofError::Head),
        (with("index 2", "index 02"), LogProofError::Line { number: 2 }),
        (with("index 2", "index +2"), LogProofError::Line { number: 2 }),
        (with("index 2", "extra"), LogProofError::Line { number: 2 }),
        (with("index 2", "extra !\nindex 2"), LogProofError::Line { number: 2 }),
        (with("index 2", "extra AA==\nextra AA==\nindex 2"), LogProofError::Line { number: 3 }),
        (with("index 2\n", "index 2\nshort\n"), LogProofError::Line { number: 3 }),
        (
            with("index 2\n", &format!("index 2\n{}", format!("{}\n", leaf(0)).repeat(64))),
            LogProofError::Line { number: 66 },
        ),
        (with("\n\n", "\n"), LogProofError::Line { number: 4 }),
    ] {
        assert_eq!(text.parse::<LogProof>(), Err(expected), "{text}");
    }
    let cut = good.split_once("\n\n").unwrap().0.to_owned() + "\n\n";
    assert!(matches!(cut.parse::<LogProof>(), Err(LogProofError::Checkpoint(_))));
}
