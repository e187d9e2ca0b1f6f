//! Payloads: the published vector, and every way of writing one badly.

use super::*;

/// The query payload of the protocol's published vectors.
const VECTOR: &str = concat!(
    "08011210e106f95a654fb955d90ba35781ea3ad21a2006e541222e92a4daa969f877b9a672412354e54605d9b74f817f",
    "7ae793a68f8b22227370696666653a2f2f6c616e676f2e6578616d706c652f616e616c7973742f6177612a0d6c616e67",
    "6f2e6578616d706c6532217370696666653a2f2f6c616e676f2e6578616d706c652f6f66666963652f42464132217370",
    "696666653a2f2f6c616e676f2e6578616d706c652f6f66666963652f43505632217370696666653a2f2f6c616e676f2e",
    "6578616d706c652f6f66666963652f47484132217370696666653a2f2f6c616e676f2e6578616d706c652f6f66666963",
    "652f53454e3a626c616e676f2d717565727920310a646174617365742068680a76657273696f6e20323032342e310a6d",
    "65617375726520706572736f6e730a627920616765350a776865726520757262616e203d20310a707269636520657073",
    "696c6f6e20302e350a420b7465737420766563746f72480250045a20baaaf05690762fc9c33c3899d54bd6612e5d6852",
    "76ddba07f71407f435ec50166080a4a7da066890c0a7da06",
);

fn awa() -> SpiffeId {
    "spiffe://lango.example/analyst/awa".parse().unwrap()
}

fn question() -> Question {
    Question {
        request_id: [1; 16],
        blind: [2; 32],
        analyst: awa(),
        audience: ["GHA", "TGO"]
            .map(|office| format!("spiffe://lango.example/office/{office}").parse().unwrap())
            .to_vec(),
        query: "lango-query 1\n".into(),
        purpose: "official-statistics".into(),
        mode: 1,
        min_members: 0,
        roster_digest: vec![],
        issued_at: 1_800_000_000,
        expires_at: 1_800_003_600,
    }
}

#[test]
fn the_published_vector_is_read_and_written_to_the_byte() {
    let bytes = hex::decode(VECTOR).unwrap();
    let question = Question::decode(&bytes, &awa()).unwrap();
    assert_eq!(question.encode(), bytes);
    assert_eq!((question.mode, question.audience.len()), (2, 4));
    assert_eq!(
        hex::encode(lango_identity::digest(lango_identity::PayloadType::Query, &bytes)),
        "015fd9b695f74477a40da67795b606a0f54fc77969adfc2d0139d49d5f99446b"
    );
    assert_eq!(
        hex::encode(lango_identity::digest(lango_identity::PayloadType::Text, question.query.as_bytes())),
        "c5505dcf99cd78eef789a9db4433e0fe575d75b8f5ef43bf5ca0aad60c6b7162"
    );
}

#[test]
fn a_question_is_read_as_it_was_written() {
    assert_eq!(Question::decode(&question().encode(), &awa()), Ok(question()));
}

#[test]
fn another_encoding_of_the_same_fields_is_refused() {
    let bytes = question().encode();
    let unknown = [bytes.as_slice(), &[0x78, 1]].concat();
    let repeated = [&[0x08, 1], bytes.as_slice()].concat();
    let padded = [&[0x08, 0x81, 0x00], &bytes[2..]].concat();
    let reordered = [&bytes[2..], &bytes[..2]].concat();
    let default_written = {
        let at = bytes.len() - 12; // before issued_at: min_members = 0, written out
        [&bytes[..at], &[0x50, 0], &bytes[at..]].concat()
    };
    for (name, bytes) in [
        ("unknown", unknown),
        ("repeated", repeated),
        ("padded", padded),
        ("reordered", reordered),
        ("default", default_written),
        ("cut", bytes[..19].to_vec()),
    ] {
        assert_eq!(Question::decode(&bytes, &awa()).map_err(|error| error.field), Err("payload"), "{name}");
    }
}

#[test]
fn every_field_is_held_to_its_rule() {
    let change = |change: fn(&mut pb::QueryPayload)| {
        let mut payload = pb::QueryPayload::decode(question().encode().as_slice()).unwrap();
        change(&mut payload);
        Question::decode(&payload.encode_to_vec(), &awa()).map(|_| ()).map_err(|error| error.field)
    };
    for (name, result) in [
        ("version", change(|p| p.version = 2)),
        ("request_id", change(|p| p.request_id.truncate(15))),
        ("blind", change(|p| p.blind.push(0))),
        ("analyst", change(|p| p.analyst = "spiffe://lango.example/analyst/eve".into())),
        ("region", change(|p| p.region = "other.example".into())),
        ("audience", change(|p| p.audience.reverse())),
        ("audience", change(|p| p.audience.push("spiffe://lango.example/office/TGO".into()))),
        ("audience", change(|p| p.audience = vec![])),
        ("audience", change(|p| p.audience = vec!["spiffe://lango.example/analyst/TGO".into()])),
        ("audience", change(|p| p.audience = vec!["spiffe://other.example/office/TGO".into()])),
        (
            "audience",
            change(|p| {
                p.audience = (0..1_001).map(|i| format!("spiffe://lango.example/office/A{i:04}")).collect()
            }),
        ),
        ("query", change(|p| p.query.clear())),
        ("purpose", change(|p| p.purpose.clear())),
        ("purpose", change(|p| p.purpose = "x".repeat(201))),
        ("mode", change(|p| p.mode = 0)),
        ("mode", change(|p| p.mode = 3)),
        ("roster_digest", change(|p| p.roster_digest = vec![1])),
    ] {
        assert_eq!(result, Err(name));
    }
}

#[test]
fn a_lookup_is_read_as_it_was_written_and_nothing_else_is() {
    for object in
        [Object::Describe(None), Object::Describe(Some("residents".into())), Object::Release([7; 16])]
    {
        let Question { request_id, audience, issued_at, expires_at, .. } = question();
        let lookup = Lookup { request_id, principal: awa(), audience, object, issued_at, expires_at };
        assert_eq!(Lookup::decode(&lookup.encode(), &awa()), Ok(lookup.clone()));
        for object in ["", "describe ", "describe a b", "release", "release 12", "log", "Describe"] {
            let mut payload = pb::LookupPayload::decode(lookup.encode().as_slice()).unwrap();
            payload.object = object.into();
            assert_eq!(
                Lookup::decode(&payload.encode_to_vec(), &awa()).map_err(|error| error.field),
                Err("object"),
                "{object}"
            );
        }
        assert!(Question::decode(&lookup.encode(), &awa()).is_err());
    }
}
