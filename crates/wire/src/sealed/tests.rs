//! Bytes stay bytes until they are asked for.

use super::*;

#[test]
fn integers_are_read_as_protobuf_packs_them() {
    let cells = vec![0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN];
    let sealed: SealedRelease = pb::Release { cells: cells.clone(), ..pb::Release::default() }.into();
    assert_eq!(unpacked(&sealed.cells, cells.len()), Ok(cells));
    assert_eq!(unpacked(&[], 0), Ok(vec![]));
    for (bytes, count) in [(&[0x80][..], 0), (&[1, 0x80], 1), (&[1, 1], 1), (&[], 1)] {
        assert_eq!(unpacked(bytes, count), Err(AnswerError::Differs("number of cells")), "{bytes:?}");
    }
}

#[test]
fn what_is_passed_on_is_what_came() {
    let envelope = Some(pb::Envelope { payload: vec![1], certificates: vec![vec![2]], ..Default::default() });
    let release = pb::Release {
        envelope: envelope.clone(),
        plan: "p".into(),
        layout: "l".into(),
        cells: vec![5, -6],
        charged: Some(crate::FREE.into()),
        repeated: true,
        account: Some(pb::Account { accounting: 1, delta_e18: 0 }),
        earlier: vec![9, 9],
        hidden: vec![2],
        receipt: None,
    };
    let sealed: SealedRelease = release.clone().into();
    assert_eq!(sealed.passed_on(vec![5, -6]), Ok(release));
    let price = pb::Estimate { envelope, office: "o".into(), queries_left: 3, ..Default::default() };
    let sealed: SealedPrice = price.clone().into();
    assert_eq!(sealed.passed_on(), Ok(price));
}

#[test]
fn a_member_says_one_thing() {
    let release = pb::member_answer::Outcome::Release(pb::Release { repeated: true, ..Default::default() });
    let missing = pb::Missing { reason: "deadline".into(), ..Default::default() };
    let member = |outcome| pb::MemberAnswer { office: "GHA".into(), outcome }.encode_to_vec();
    let read = |bytes: &[u8]| SealedMemberAnswer::decode(bytes).unwrap();
    let said = member(Some(pb::member_answer::Outcome::Missing(missing.clone())));
    assert_eq!(read(&said).outcome(), Some(SealedOutcome::Missing(missing)));
    assert!(matches!(read(&member(Some(release.clone()))).outcome(), Some(SealedOutcome::Answer(_))));
    assert_eq!(read(&member(None)).outcome(), None);
    let both = [said, member(Some(release))].concat();
    assert_eq!(read(&both).outcome(), None);
}
