//! Refusals as statuses, and read back.

use super::*;

/// The refusal payload of the protocol's published vectors.
const VECTOR: &str = concat!(
    "08011220015fd9b695f74477a40da67795b606a0f54fc77969adfc2d0139d49d5f99446b1a217370696666653a2f2f6c",
    "616e676f2e6578616d706c652f6f66666963652f53454e2206726f737465722880a4a7da06",
);

#[test]
fn the_published_vector_is_read_and_written_to_the_byte() {
    let bytes = hex::decode(VECTOR).unwrap();
    let payload: pb::RefusalPayload = strict(&bytes).unwrap();
    assert_eq!(
        (payload.code.as_str(), payload.office.as_str()),
        ("roster", "spiffe://lango.example/office/SEN")
    );
    let office = payload.office.parse().unwrap();
    let request_digest = sized("request_digest", &payload.request_digest).unwrap();
    let refusal = SignedRefusal { request_digest, office, code: payload.code, time: payload.time };
    assert_eq!(refusal.encode(), bytes);
}

#[test]
fn a_refusal_becomes_a_status_with_its_reason() {
    for (refusal, code) in [
        (Refusal::new("budget-exceeded", "x"), Code::ResourceExhausted),
        (Refusal::new("dimension-not-granted", "x"), Code::PermissionDenied),
        (Refusal::new("role", "x"), Code::PermissionDenied),
        (Refusal::new("dataset-unknown", "x"), Code::NotFound),
        (Refusal::new("time", "x"), Code::InvalidArgument),
        (Refusal::unavailable(), Code::Unavailable),
        (Malformed { field: "mode", message: "1 or 2".into() }.into(), Code::InvalidArgument),
    ] {
        let (word, field) = (refusal.code, refusal.field);
        let envelope =
            Envelope { payload_type: "k".into(), payload: vec![1], signature: vec![2], certificates: vec![] };
        let status = refusal.into_status(Some(envelope.clone()));
        assert_eq!((status.code(), reason(&status).as_deref()), (code, Some(word)));
        assert_eq!(refusal_envelope(&status), Some(envelope));
        let named = status.get_error_details().bad_request().map(|bad| bad.field_violations[0].field.clone());
        assert_eq!(named.as_deref(), field);
    }
    let wait = Duration::from_millis(1_500);
    let envelope =
        Envelope { payload_type: "k".into(), payload: vec![1], signature: vec![2], certificates: vec![] };
    let later = Refusal::too_many_requests(wait).into_status_after(Some(envelope.clone()), Some(wait));
    assert_eq!((later.code(), retry_after(&later)), (Code::ResourceExhausted, Some(wait)));
    assert_eq!(
        (reason(&later).as_deref(), refusal_envelope(&later)),
        (Some("too-many-requests"), Some(envelope))
    );
    assert!(later.message().ends_with("again in 2 s"), "{}", later.message());
    assert_eq!(retry_after(&unauthenticated()), None);
    let long = Refusal::new("measure-not-granted", "é".repeat(200_000)).into_status(None);
    assert!(long.message().len() <= 1_024 && long.details().len() <= 2_048, "it would not fit a header");
    assert_eq!((unauthenticated().details(), reason(&unauthenticated())), (&[][..], None));
}
