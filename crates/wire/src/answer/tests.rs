//! Releases and prices: what a holder finds out about one that was tampered with, and in what order.

use lango_identity::{Authority, Lifetime, Region, Signer};
use prost::Message;

use super::*;
use crate::sealed::in_one_field;

const NOW: i64 = 1_800_000_000;
const PLAN: &str = "lango-plan 1\nunit person rows_at_most 1 cells_at_most 1\nterms 0000000000000000000000000000000000000000000000000000000000000000\n\
                    margin persons by sex mechanism discrete-laplace scale 2 sensitivity 1 price 500000000\n";
const LAYOUT: &str = "codes sex F,M,_O,_U\nmargin persons by sex\n";
const CELLS: [i64; 4] = [5, -3, 0, 1];

fn office(name: &str) -> SpiffeId {
    format!("spiffe://lango.example/office/{name}").parse().unwrap()
}

fn margins() -> Vec<(Measure, Margin)> {
    vec![("persons".parse().unwrap(), Margin::new(["sex".parse().unwrap()]))]
}

struct Fixture {
    region: Region,
    signer: Signer,
}

/// A release as it is made: the texts, the integers and what is signed of them.
struct Made {
    statement: SignedRelease,
    plan: String,
    layout: String,
    cells: Vec<i64>,
    hidden: Vec<u8>,
    earlier: Vec<pb::Release>,
}

impl Fixture {
    fn new() -> Self {
        let authority = Authority::new("lango.example", "test", Lifetime::days(NOW, 10)).unwrap();
        let eku: lango_identity::Oid = "1.3.6.1.4.1.32473.1.1".parse().unwrap();
        let issued = authority.issue_signing(&office("GHA"), Lifetime::days(NOW, 5), &eku).unwrap();
        let signer = Signer::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap();
        Self { region: authority.region(eku).unwrap(), signer }
    }

    fn basics(plan: &str, layout: &str) -> Basics {
        Basics {
            request_digest: [1; 32],
            query_digest: [2; 32],
            office: office("GHA"),
            dataset_version: "2024-07-01".to_owned(),
            policy_digest: [3; 32],
            plan_digest: digest(PayloadType::Plan, plan.as_bytes()),
            layout_digest: digest(PayloadType::Layout, layout.as_bytes()),
            loss: Loss::pure(500_000_000),
            time: 1_800_000_000,
        }
    }

    /// A release of persons by sex under this identifier.
    fn release(&self, id: u8, alter: impl Fn(&mut Made)) -> pb::Release {
        self.release_of(id, PLAN, LAYOUT, alter)
    }

    fn release_of(&self, id: u8, plan: &str, layout: &str, alter: impl Fn(&mut Made)) -> pb::Release {
        let charged = Charged { loss: Loss::pure(500_000_000), repeated: false, account: Accounting::Pure };
        let mut made = Made {
            statement: SignedRelease {
                basics: Self::basics(plan, layout),
                cells_digest: Cells(&CELLS).digest(),
                release_id: [id; 16],
                charged: Some(charged),
                agreement: None,
                hidden: None,
            },
            plan: plan.to_owned(),
            layout: layout.to_owned(),
            cells: CELLS.to_vec(),
            hidden: Vec::new(),
            earlier: Vec::new(),
        };
        alter(&mut made);
        let Made { statement, plan, layout, cells, hidden, earlier } = made;
        pb::Release {
            envelope: Some(self.signer.sign(PayloadType::Release, statement.encode()).into()),
            plan,
            layout,
            cells,
            charged: Some(charged.loss.into()),
            repeated: false,
            account: Some(Accounting::Pure.into()),
            earlier: in_one_field(&earlier),
            hidden,
            receipt: None,
        }
    }

    fn price(&self) -> pb::Estimate {
        let charged = Charged { loss: Loss::pure(500_000_000), repeated: false, account: Accounting::Pure };
        let signed = SignedPrice {
            basics: Self::basics(PLAN, LAYOUT),
            charged,
            queries_left: 7,
            bounds_drop: "2 % of rows".to_owned(),
            reviewed: Default::default(),
            shown_if: None,
        };
        pb::Estimate {
            office: office("GHA").to_string(),
            plan: PLAN.to_owned(),
            layout: LAYOUT.to_owned(),
            loss: Some(signed.basics.loss.into()),
            charged: Some(charged.loss.into()),
            account: Some(Accounting::Pure.into()),
            queries_left: 7,
            repeated: false,
            dataset_version: "2024-07-01".to_owned(),
            bounds_drop: "2 % of rows".to_owned(),
            envelope: Some(self.signer.sign(PayloadType::Price, signed.encode()).into()),
        }
    }
}

fn ask<T>(
    region: &Region,
    (request, query): (u8, u8),
    of: impl Fn(&Inquiry<'_>) -> Result<T, AnswerError>,
) -> Result<T, AnswerError> {
    let (request_digest, query_digest, margins) = ([request; 32], [query; 32], margins());
    let question = Some(Wanted { query_digest: &query_digest, margins: &margins });
    of(&Inquiry { region, now: NOW, request_digest: &request_digest, question })
}

fn check(region: &Region, release: &pb::Release) -> Result<VerifiedRelease, AnswerError> {
    ask(region, (1, 2), |inquiry| inquiry.release(release.clone(), &office("GHA")))
}

#[test]
fn a_good_release_is_believed() {
    let fixture = Fixture::new();
    let verified = check(&fixture.region, &fixture.release(4, |_| ())).unwrap();
    assert_eq!((verified.cells.as_slice(), verified.charged), (&CELLS[..], Loss::pure(500_000_000)));
    assert_eq!(verified.side_by_side().office, "GHA");
}

#[test]
fn a_release_that_was_tampered_with_is_not() {
    let fixture = Fixture::new();
    let (region, release) = (&fixture.region, fixture.release(4, |_| ()));
    let altered = |alter: fn(&mut pb::Release)| {
        let mut release = release.clone();
        alter(&mut release);
        check(region, &release).unwrap_err()
    };
    let differs = AnswerError::Differs;
    for (found, expected) in [
        (altered(|release| release.cells[0] += 1), differs("cells")),
        (altered(|release| release.cells.push(0)), differs("number of cells")),
        (altered(|release| release.cells.truncate(release.cells.len() - 1)), differs("number of cells")),
        (altered(|release| release.plan = release.plan.replace("scale 2", "scale 1")), differs("plan")),
        (altered(|release| release.layout = release.layout.replace("F,M", "M,F")), differs("layout")),
        (altered(|release| release.envelope = None), AnswerError::Absent("envelope")),
        // What a coordinator says of the charge is what was signed, or nothing counts.
        (altered(|release| release.charged = Some(crate::FREE.into())), differs("charge")),
        (altered(|release| release.charged = None), differs("charge")),
        (altered(|release| release.repeated = true), differs("charge")),
        (altered(|release| release.account = None), differs("account")),
        (
            altered(|release| release.account = Some(Accounting::Zcdp { delta_e18: 1_000 }.into())),
            differs("account"),
        ),
        (altered(|release| release.earlier = vec![0]), differs("earlier releases")),
    ] {
        assert_eq!(found, expected);
    }
    let forged = altered(|release| release.envelope.as_mut().unwrap().payload[3] ^= 1);
    assert!(matches!(forged, AnswerError::Unauthenticated(_)), "{forged}");
    let other = Fixture::new();
    assert!(matches!(check(&other.region, &release), Err(AnswerError::Unauthenticated(_))));
    let verify = |name, request, query| {
        ask(region, (request, query), |inquiry| inquiry.release(release.clone(), &office(name)))
    };
    assert!(matches!(verify("TGO", 1, 2), Err(AnswerError::Signer(_))));
    assert_eq!(verify("GHA", 9, 2), Err(AnswerError::Differs("request")));
    assert_eq!(verify("GHA", 1, 9), Err(AnswerError::Differs("question")));
    let other = LAYOUT.replace("sex", "age");
    let other = fixture.release_of(4, &PLAN.replace("sex", "age"), &other, |_| ());
    assert_eq!(check(region, &other), Err(AnswerError::Differs("margins")));
    let other = LAYOUT.replace("margin persons", "margin rows");
    assert_eq!(check(region, &fixture.release_of(4, PLAN, &other, |_| ())), Err(differs("margins")));
}

#[test]
fn an_office_that_signs_nonsense_is_not_believed() {
    let fixture = Fixture::new();
    let charged = |loss, repeated, account| Some(Charged { loss, repeated, account });
    let pure = Loss::pure(500_000_000);
    let rho = Loss::rho(1);
    for (what, release, expected) in [
        (
            "no charge",
            fixture.release(4, |made| made.statement.charged = None),
            AnswerError::Absent("account"),
        ),
        (
            "another charge than its loss or nothing",
            fixture.release(4, |made| {
                made.statement.charged = charged(Loss::pure(1), false, Accounting::Pure);
            }),
            AnswerError::Differs("charge"),
        ),
        (
            "a pure account of a loss without a pure guarantee",
            fixture.release(4, |made| {
                made.statement.basics.loss = rho;
                made.statement.charged = charged(rho, false, Accounting::Pure);
            }),
            AnswerError::Differs("account"),
        ),
    ] {
        assert_eq!(check(&fixture.region, &release), Err(expected), "{what}");
    }
    // An absurd delta is not read at all.
    let absurd = Accounting::Zcdp { delta_e18: 1_000_000_000_000_001 };
    let absurd = fixture.release(4, |made| made.statement.charged = charged(pure, false, absurd));
    assert!(matches!(check(&fixture.region, &absurd), Err(AnswerError::Malformed(_))));
    // A key that stands twice cannot stand in a table.
    let twice = fixture.release_of(4, PLAN, &LAYOUT.replace("F,M", "F,F"), |_| ());
    assert!(matches!(check(&fixture.region, &twice), Err(AnswerError::Unusable(_))));
}

#[test]
fn what_is_larger_than_any_answer_is_not_read() {
    let fixture = Fixture::new();
    let region = &fixture.region;
    let too_large = |part| Err(AnswerError::TooLarge(part));
    let keys = |count: usize| (0..count).map(|key| format!("{key}")).collect::<Vec<_>>().join(",");
    let of = |layout: &str| check(region, &fixture.release_of(4, PLAN, layout, |_| ()));
    // A list of short keys grows twelvefold when it is read.
    assert_eq!(of(&LAYOUT.replace("F,M", &"1,".repeat(260_000))), too_large("layout"));
    assert_eq!(of(&LAYOUT.replace("F,M", &keys(200_000))), too_large("layout"), "over a megabyte");
    let square = format!("codes a {}\ncodes sex F,M\nmargin persons by a,sex\n", keys(125_001));
    let plan = PLAN.replace("by sex", "by a,sex");
    let cells = check(region, &fixture.release_of(4, &plan, &square, |_| ()));
    assert_eq!(cells, Err(AnswerError::Differs("layout")), "more cells than a layout may have");
    let long = PLAN.replace("unit person", &format!("unit {}", "p".repeat(300_000)));
    assert_eq!(check(region, &fixture.release_of(4, &long, LAYOUT, |_| ())), too_large("plan"));
    let mut certificates = fixture.release(4, |_| ());
    certificates.envelope.as_mut().unwrap().certificates = vec![Vec::new(); 100_000];
    assert_eq!(check(region, &certificates), too_large("envelope"));
    let mut payload = fixture.release(4, |_| ());
    payload.envelope = Some(fixture.signer.sign(PayloadType::Release, vec![0; 10_000]).into());
    assert!(matches!(check(region, &payload), Err(AnswerError::Unauthenticated(_))));
}

#[test]
fn integers_are_counted_before_they_are_decoded() {
    let fixture = Fixture::new();
    let mut sealed: SealedRelease = fixture.release(4, |_| ()).into();
    let verify = |sealed: &SealedRelease| {
        ask(&fixture.region, (1, 2), |inquiry| inquiry.release(sealed.clone(), &office("GHA")))
    };
    assert!(verify(&sealed).is_ok());
    for (cells, what) in [
        (vec![0; 3_000_000], "three million zeros"),
        (vec![0xff; 3_000_000], "one integer that does not end"),
        (vec![0xff; 11], "one that is too long"),
        (vec![], "none"),
    ] {
        sealed.cells = cells.into();
        assert_eq!(verify(&sealed), Err(AnswerError::Differs("number of cells")), "{what}");
    }
}

#[test]
fn earlier_releases_are_those_that_the_plan_names_each_signed_for_the_request() {
    let fixture = Fixture::new();
    let named = |ids: &[u8]| {
        let lines: String = ids.iter().map(|id| format!("earlier {}\n", hex::encode([*id; 16]))).collect();
        PLAN.replace("margin", &format!("{lines}margin"))
    };
    let earlier = |id| fixture.release(id, |made| made.statement.basics.query_digest = [9; 32]);
    let with = |ids: &[u8], earlier: &[pb::Release]| {
        let release = fixture.release_of(4, &named(ids), LAYOUT, |made| made.earlier = earlier.to_vec());
        check(&fixture.region, &release)
    };
    let verified = with(&[7, 8], &[earlier(7), earlier(8)]).unwrap();
    let ids: Vec<_> = verified.earlier.iter().map(|earlier| earlier.statement.release_id[0]).collect();
    assert_eq!(ids, [7, 8]);
    // What an earlier release was itself divided by need not be there.
    assert!(with(&[7], &[fixture.release_of(7, &named(&[6]), LAYOUT, |_| ())]).is_ok());
    let differs = |part| Err(AnswerError::Differs(part));
    let tampered = pb::Release { cells: vec![5, -3, 0, 2], ..earlier(7) };
    let another_version =
        fixture.release(7, |made| made.statement.basics.dataset_version = "2023-07-01".into());
    let of_another_request = fixture.release(7, |made| made.statement.basics.request_digest = [9; 32]);
    let nested = fixture.release_of(7, &named(&[6]), LAYOUT, |made| made.earlier = vec![earlier(6)]);
    for (found, expected) in [
        (with(&[7], &[]), differs("earlier releases")),
        (with(&[], &[earlier(7)]), differs("earlier releases")),
        (with(&[7], &[earlier(7), earlier(7)]), differs("earlier releases")),
        (with(&[7, 8], &[earlier(8), earlier(7)]), differs("earlier releases")),
        (with(&[7], &[another_version]), differs("earlier releases")),
        (with(&[7], &[nested]), differs("earlier releases")),
        (with(&[7], &[tampered]), differs("cells")),
        (with(&[7], &[of_another_request]), differs("request")),
    ] {
        assert_eq!(found, expected);
    }
    // A length that is not there.
    let mut cut = fixture.release_of(4, &named(&[7]), LAYOUT, |made| made.earlier = vec![earlier(7)]);
    cut.earlier.truncate(100);
    assert_eq!(check(&fixture.region, &cut), differs("earlier releases"));
}

#[test]
fn what_an_office_hides_is_what_it_signed_and_nothing_of_it_is_sent() {
    let fixture = Fixture::new();
    let shown_if = "count 20".parse().unwrap();
    let sent = |signed: Option<&[u8]>, bits: &[u8], cells: [i64; 4]| {
        let release = fixture.release(4, |made| {
            let digest = |bits| SignedHidden { shown_if, digest: digest(PayloadType::Hidden, bits) };
            made.statement.hidden = signed.map(digest);
            made.statement.cells_digest = Cells(&cells).digest();
            (made.cells, made.hidden) = (cells.to_vec(), bits.to_vec());
        });
        check(&fixture.region, &release).map(|verified| verified.hidden)
    };
    let hidden = sent(Some(&[0b0110]), &[0b0110], [5, 0, 0, 2]).unwrap().unwrap();
    let places: Vec<usize> = (0..4).filter(|place| hidden.contains(*place)).collect();
    assert_eq!(places, [1, 2]);
    assert_eq!(
        sent(Some(&[0]), &[0], [5, -3, 0, 1]).unwrap().unwrap().count(),
        0,
        "a rule that hides nothing"
    );
    let differs = Err(AnswerError::Differs("hidden cells"));
    for (signed, bits, cells, what) in [
        (Some(&[0b0110][..]), &[0b0010][..], [5, 0, 0, 2], "other bits"),
        (Some(&[0b0110]), &[], [5, 0, 0, 2], "no bits"),
        (None, &[0b0110], [5, 0, 0, 2], "bits that nobody signed"),
        (Some(&[0b0110]), &[0b0110], [5, 1, 0, 2], "a figure that is said to be hidden"),
        (Some(&[0b1_0000]), &[0b1_0000], [5, 0, 0, 2], "a bit of no integer"),
        (Some(&[0, 0]), &[0, 0], [5, 0, 0, 2], "bits of more integers"),
    ] {
        assert_eq!(sent(signed, bits, cells), differs, "{what}");
    }
}

#[test]
fn a_price_is_what_its_office_signed() {
    let fixture = Fixture::new();
    let check = |price: pb::Estimate, name: &str, query| {
        ask(&fixture.region, (1, query), |inquiry| inquiry.price(price.clone(), &office(name)))
    };
    let verified = check(fixture.price(), "GHA", 2).unwrap();
    assert_eq!(
        (verified.statement.queries_left, verified.statement.bounds_drop.as_str()),
        (7, "2 % of rows")
    );
    assert!(matches!(check(fixture.price(), "TGO", 2), Err(AnswerError::Signer(_))));
    assert_eq!(check(fixture.price(), "GHA", 9), Err(AnswerError::Differs("question")));
    let altered = |alter: fn(&mut pb::Estimate)| {
        let mut price = fixture.price();
        alter(&mut price);
        check(price, "GHA", 2).unwrap_err()
    };
    let differs = AnswerError::Differs;
    for (found, expected) in [
        (altered(|price| price.envelope = None), AnswerError::Absent("envelope")),
        (altered(|price| price.office.push('A')), differs("office")),
        (altered(|price| price.plan.push('\n')), differs("plan")),
        (altered(|price| price.layout.push('\n')), differs("layout")),
        (altered(|price| price.loss = Some(Loss::pure(1).into())), differs("loss")),
        (altered(|price| price.charged = Some(Loss::pure(1).into())), differs("charge")),
        (altered(|price| price.account = Some(Accounting::Zcdp { delta_e18: 1 }.into())), differs("account")),
        (altered(|price| price.queries_left += 1), differs("number of questions left")),
        (altered(|price| price.repeated = true), differs("charge")),
        (altered(|price| price.dataset_version.push('x')), differs("version")),
        (altered(|price| price.bounds_drop.clear()), differs("note on its bounds")),
    ] {
        assert_eq!(found, expected);
    }
    // The envelope of a release is none of a price.
    let release = fixture.release(4, |_| ()).envelope;
    let relabelled = check(pb::Estimate { envelope: release, ..fixture.price() }, "GHA", 2);
    assert!(matches!(relabelled, Err(AnswerError::Unauthenticated(_))));
}

#[test]
fn a_refusal_is_of_its_office_and_request() {
    let fixture = Fixture::new();
    let signed = SignedRefusal {
        request_digest: [1; 32],
        office: office("GHA"),
        code: "purpose-not-granted".to_owned(),
        time: 7,
        arguments: crate::Arguments::new([("purpose", "marketing".to_owned())]),
    };
    let envelope = |kind, signed: &SignedRefusal| {
        Bytes::from(pb::Envelope::from(fixture.signer.sign(kind, signed.encode())).encode_to_vec())
    };
    let check = |bytes: Bytes, name: &str| {
        ask(&fixture.region, (1, 2), |inquiry| inquiry.refusal(&bytes, &office(name)))
    };
    assert_eq!(check(envelope(PayloadType::Refusal, &signed), "GHA"), Ok(signed.clone()));
    assert!(matches!(check(envelope(PayloadType::Refusal, &signed), "TGO"), Err(AnswerError::Signer(_))));
    assert!(matches!(
        check(envelope(PayloadType::Release, &signed), "GHA"),
        Err(AnswerError::Unauthenticated(_))
    ));
    let other = SignedRefusal { request_digest: [9; 32], ..signed };
    assert_eq!(check(envelope(PayloadType::Refusal, &other), "GHA"), Err(AnswerError::Differs("request")));
    assert_eq!(check(Bytes::new(), "GHA"), Err(AnswerError::Absent("envelope")));
    assert_eq!(check(vec![0; 100_000].into(), "GHA"), Err(AnswerError::TooLarge("envelope")));
}
