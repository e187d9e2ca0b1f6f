use super::*;
use crate::{
    KeyFault,
    fixture::{Pair, leaf},
};

const ORIGIN: &str = "ecowas.example/office/GHA";

/// Witnesses `w1` to `w5`, with other names in their keys.
fn witnesses() -> Vec<Pair> {
    (1..=5).map(|number| Pair::witness(&format!("witness.example/{number}"), 10 + number)).collect()
}

fn lines(more: &str) -> String {
    let mut text = format!("# known\n\nlog {} https://gha.example\n", Pair::log(ORIGIN, 1).key);
    for (witness, number) in witnesses().iter().zip(1..) {
        text += &format!(" witness\tw{number}  {} \n", witness.key);
    }
    text + more
}

fn cosigned(by: &[usize]) -> SignedCheckpoint {
    let log = Pair::log(ORIGIN, 1);
    let mut signed = Checkpoint::new(ORIGIN, 7, leaf(7)).sign(&log.key, log.signs()).unwrap();
    for number in by {
        let witness = &witnesses()[number - 1];
        signed = signed.cosign(&witness.key, 1_000 * *number as u64, witness.signs()).unwrap();
    }
    signed
}

#[test]
fn the_quorum_decides_and_says_when_it_was_reached() {
    let nested = "group x 2 w1 w2 w3\ngroup y any w4 w5\ngroup both all x y\nquorum both\n";
    for (more, by, expected) in [
        ("quorum none\n", &[][..], Ok(None)),
        ("quorum none\n", &[2], Ok(None)),
        ("quorum w2\n", &[2], Ok(Some(2_000))),
        ("quorum w2\n", &[1, 3], Err(2)),
        ("group g any w1 w2\nquorum g\n", &[2, 1], Ok(Some(1_000))),
        ("group g all w1 w2\nquorum g\n", &[2, 1], Ok(Some(2_000))),
        ("group g all w1 w2\nquorum g\n", &[2], Err(1)),
        ("group g 2 w1 w2 w3\nquorum w1\n", &[1], Ok(Some(1_000))),
        (nested, &[1, 2, 4], Ok(Some(4_000))),
        (nested, &[1, 3, 4, 5], Ok(Some(4_000))),
        (nested, &[1, 2, 3], Err(3)),
        (nested, &[1, 4, 5], Err(3)),
        (nested, &[], Err(0)),
    ] {
        let text = lines(more);
        let policy = WitnessPolicy::read(&text).unwrap();
        let signed = cosigned(by);
        let found = policy.verify(&signed);
        let found = match found {
            Ok(witnessed) => {
                assert_eq!(witnessed.cosigned.len(), by.len());
                Ok(witnessed.quorum_at)
            }
            Err(Unwitnessed::Quorum { cosigned, witnesses: 5 }) => Err(cosigned),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, expected, "{more} {by:?}");
    }
}

#[test]
fn who_cosigned_is_named_as_the_policy_names_them() {
    let text = lines("quorum w1\n");
    let policy = WitnessPolicy::read(&text).unwrap();
    let signed = cosigned(&[3, 1]);
    assert_eq!(policy.verify(&signed).unwrap().cosigned, [("w1", 1_000), ("w3", 3_000)]);
    assert_eq!(policy.logs()[0].url.as_deref(), Some("https://gha.example"));
    assert_eq!(
        policy.witnesses().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["w1", "w2", "w3", "w4", "w5"]
    );
}

#[test]
fn strangers_and_other_logs_count_for_nothing() {
    let text = lines("quorum w1\n");
    let policy = WitnessPolicy::read(&text).unwrap();
    let stranger = Pair::witness("witness.example/1", 99);
    let signed = cosigned(&[]).cosign(&stranger.key, 5, stranger.signs()).unwrap();
    assert_eq!(policy.verify(&signed), Err(Unwitnessed::Quorum { cosigned: 0, witnesses: 5 }));
    let other = Pair::log("ecowas.example/office/TGO", 2);
    let signed =
        Checkpoint::new("ecowas.example/office/TGO", 7, leaf(7)).sign(&other.key, other.signs()).unwrap();
    let unknown = Unwitnessed::Log { origin: "ecowas.example/office/TGO".to_owned() };
    assert_eq!(policy.verify(&signed), Err(unknown));
    let forger = Pair::log(ORIGIN, 3);
    let signed = Checkpoint::new(ORIGIN, 7, leaf(7)).sign(&forger.key, forger.signs()).unwrap();
    assert_eq!(policy.verify(&signed), Err(Unwitnessed::Checkpoint(NoteError::Unsigned.into())));
}

#[test]
fn a_log_that_changes_its_key_has_two() {
    let new = Pair::log(ORIGIN, 2);
    let text = lines(&format!("log {}\nquorum none\n", new.key));
    let policy = WitnessPolicy::read(&text).unwrap();
    let by_new = Checkpoint::new(ORIGIN, 7, leaf(7)).sign(&new.key, new.signs()).unwrap();
    assert!(policy.verify(&by_new).is_ok() && policy.verify(&cosigned(&[])).is_ok());
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let key = |seed| Pair::witness("another", seed).key.to_string();
    let name = |name: &str| name.to_owned();
    // The eight lines before take the numbers 1 to 8.
    for (more, line, fault) in [
        ("", 9, WitnessPolicyFault::NoQuorum),
        ("quorum none", 9, WitnessPolicyFault::Unfinished),
        ("quorum none\r\n", 9, WitnessPolicyFault::Control),
        ("quorum none\nquorum none\n", 10, WitnessPolicyFault::SecondQuorum),
        ("quorum w9\n", 9, WitnessPolicyFault::Undefined { name: name("w9") }),
        ("quorum g\ngroup g any w1\n", 9, WitnessPolicyFault::Undefined { name: name("g") }),
        ("quorum w1 w2\n", 9, WitnessPolicyFault::Words),
        ("quorum\n", 9, WitnessPolicyFault::Words),
        ("group g\n", 9, WitnessPolicyFault::Words),
        ("group g all\n", 9, WitnessPolicyFault::Words),
        ("group g 0 w1\n", 9, WitnessPolicyFault::Least { count: 1 }),
        ("group g 2 w1\n", 9, WitnessPolicyFault::Least { count: 1 }),
        ("group g 01 w1\n", 9, WitnessPolicyFault::Least { count: 1 }),
        ("group g most w1 w2\n", 9, WitnessPolicyFault::Least { count: 2 }),
        ("group g any w1 w1\n", 9, WitnessPolicyFault::SecondGroup { name: name("w1") }),
        ("group g any w1\ngroup h any w1\n", 10, WitnessPolicyFault::SecondGroup { name: name("w1") }),
        ("group g any g\n", 9, WitnessPolicyFault::Undefined { name: name("g") }),
        ("group g any none\n", 9, WitnessPolicyFault::Undefined { name: name("none") }),
        ("group w1 any w2\n", 9, WitnessPolicyFault::Defined { name: name("w1") }),
        ("group none any w2\n", 9, WitnessPolicyFault::Defined { name: name("none") }),
        (&format!("witness w1 {}\n", key(30)), 9, WitnessPolicyFault::Defined { name: name("w1") }),
        (&format!("witness w6 {}\n", key(11)), 9, WitnessPolicyFault::SameKey),
        (&format!("log {}\n", Pair::log("x", 1).key), 9, WitnessPolicyFault::SameKey),
        (&format!("log {}\n", key(30)), 9, WitnessPolicyFault::Key(KeyFault::SignatureType)),
        ("witness w6 key\n", 9, WitnessPolicyFault::Key(KeyFault::Form)),
        ("witnesses w1\n", 9, WitnessPolicyFault::Keyword { word: name("witnesses") }),
        ("Quorum none\n", 9, WitnessPolicyFault::Keyword { word: name("Quorum") }),
    ] {
        assert_eq!(WitnessPolicy::read(&lines(more)), Err(WitnessPolicyError { line, fault }), "{more}");
    }
    let error = WitnessPolicy::read(&lines("quorum w9\n")).unwrap_err().to_string();
    assert_eq!(error, "line 9: `w9` is no witness and no group of a line before");
    let many: String =
        (0..600).map(|n| format!("witness v{n} {}\n", Pair::witness(&n.to_string(), 0).key)).collect();
    assert!(WitnessPolicy::read(&many).is_err());
}
