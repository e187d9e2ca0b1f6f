//! Releases: the published vector, and what a holder finds out about one that was tampered with.

use lango_identity::{Authority, Lifetime, Region, Signer};
use lango_privacy::Code;

use super::*;

/// The release payload of the protocol's published vectors.
const VECTOR: &str = concat!(
    "08011220015fd9b695f74477a40da67795b606a0f54fc77969adfc2d0139d49d5f99446b1a20c5505dcf99cd78eef789",
    "a9db4433e0fe575d75b8f5ef43bf5ca0aad60c6b716222217370696666653a2f2f6c616e676f2e6578616d706c652f6f",
    "66666963652f4748412a06323032342e313220cf57a625d62cf49bb67b2e5b0029e36e5d75a4c9f740b7c63ab361abd2",
    "144cc03a20eac815a9dffd0fdabb4478aabc392658e63d2d82a72f83c1f129aecd6db3fc33422091b06b74a0bf3b0494",
    "a1eba99e0c205a6f73aebb9a27f61459c58431fef3b63f4a20dd16e0fe444accc772eb9ef407086f1ed7ccbedc234d0c",
    "3d5e5c8941327d55155080cab5ee0158c0b2cd3b6a101c946bbd28689a7b525206fa1f6222337080a4a7da06",
);
const NOW: i64 = 1_800_000_000;
const PLAN: &str = "lango-plan 1\nunit person rows_at_most 1 cells_at_most 1\nterms 0000000000000000000000000000000000000000000000000000000000000000\n\
                    margin persons by sex mechanism discrete-laplace scale 2 sensitivity 1 price 500000000\n";
const LAYOUT: &str = "codes sex F,M,_O,_U\nmargin persons by sex\n";

fn office(name: &str) -> SpiffeId {
    format!("spiffe://lango.example/office/{name}").parse().unwrap()
}

struct Fixture {
    region: Region,
    signer: Signer,
}

impl Fixture {
    fn new() -> Self {
        let authority = Authority::new("lango.example", "test", Lifetime::days(NOW, 10)).unwrap();
        let eku: lango_identity::Oid = "1.3.6.1.4.1.32473.1.1".parse().unwrap();
        let issued = authority.issue_signing(&office("GHA"), Lifetime::days(NOW, 5), &eku).unwrap();
        let signer = Signer::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap();
        Self { region: authority.region(eku).unwrap(), signer }
    }

    /// A release of persons by sex under this identifier and plan.
    fn release(&self, id: u8, plan: &str, alter: impl Fn(&mut Statement)) -> pb::Release {
        let cells = vec![5, -3, 0, 1];
        let mut statement = Statement {
            request_digest: [1; 32],
            query_digest: [2; 32],
            office: office("GHA"),
            dataset_version: "2024-07-01".parse::<Code>().unwrap().to_string(),
            policy_digest: [3; 32],
            plan_digest: digest(PayloadType::Plan, plan.as_bytes()),
            layout_digest: digest(PayloadType::Layout, LAYOUT.as_bytes()),
            cells_digest: Cells(&cells).digest(),
            loss: Loss::pure(500_000_000),
            release_id: [id; 16],
            time: 1_800_000_000,
        };
        alter(&mut statement);
        pb::Release {
            envelope: Some(self.signer.sign(PayloadType::Release, statement.encode()).into()),
            plan: plan.into(),
            layout: LAYOUT.into(),
            cells,
            charged: Some(statement.loss.into()),
            repeated: false,
            account: Some(Accounting::Pure.into()),
            earlier: Vec::new(),
        }
    }
}

fn check(region: &Region, release: pb::Release) -> Result<Answer, AnswerError> {
    verify_release(release, &office("GHA"), region, NOW, &[1; 32], Some(&[2; 32]))
}

#[test]
fn the_published_vector_is_read_and_written_to_the_byte() {
    let bytes = hex::decode(VECTOR).unwrap();
    let statement = Statement::decode(&bytes, &office("GHA")).unwrap();
    assert_eq!(statement.encode(), bytes);
}

#[test]
fn a_good_release_is_believed() {
    let fixture = Fixture::new();
    let answer = check(&fixture.region, fixture.release(4, PLAN, |_| ())).unwrap();
    assert_eq!(
        (answer.cells.as_slice(), answer.charged),
        ([5, -3, 0, 1].as_slice(), Loss::pure(500_000_000))
    );
}

#[test]
fn a_release_that_was_tampered_with_is_not() {
    let fixture = Fixture::new();
    let (region, release) = (&fixture.region, fixture.release(4, PLAN, |_| ()));
    let altered = |alter: fn(&mut pb::Release)| {
        let mut release = release.clone();
        alter(&mut release);
        check(region, release).unwrap_err().to_string()
    };
    let differs = |part| format!("the release's {part} is not what was signed or asked");
    for (found, expected) in [
        (altered(|release| release.cells[0] += 1), differs("cells")),
        (altered(|release| release.cells.push(0)), differs("cells")),
        (altered(|release| release.plan = release.plan.replace("scale 2", "scale 1")), differs("plan")),
        (altered(|release| release.layout = release.layout.replace("F,M", "M,F")), differs("layout")),
        (altered(|release| release.envelope = None), "the release has no envelope".into()),
    ] {
        assert_eq!(found, expected);
    }
    assert!(
        altered(|release| release.envelope.as_mut().unwrap().payload[3] ^= 1)
            .starts_with("the release is not signed")
    );
    let other = Fixture::new();
    assert!(matches!(check(&other.region, release.clone()), Err(AnswerError::Unauthenticated(_))));
    let verify = |name, request, query| {
        verify_release(release.clone(), &office(name), region, NOW, &[request; 32], Some(&[query; 32]))
    };
    assert!(matches!(verify("TGO", 1, 2), Err(AnswerError::Signer(_))));
    assert_eq!(verify("GHA", 9, 2), Err(AnswerError::Differs("request")));
    assert_eq!(verify("GHA", 1, 9), Err(AnswerError::Differs("question")));
}

#[test]
fn earlier_releases_are_those_that_the_plan_names_each_signed_for_the_request() {
    let fixture = Fixture::new();
    let named = |ids: &[u8]| {
        let lines: String = ids.iter().map(|id| format!("earlier {}\n", hex::encode([*id; 16]))).collect();
        PLAN.replace("margin", &format!("{lines}margin"))
    };
    let earlier = |id| fixture.release(id, PLAN, |statement| statement.query_digest = [9; 32]);
    let with = |ids: &[u8], earlier: Vec<pb::Release>| {
        check(&fixture.region, pb::Release { earlier, ..fixture.release(4, &named(ids), |_| ()) })
    };
    let answer = with(&[7, 8], vec![earlier(7), earlier(8)]).unwrap();
    let ids: Vec<_> = answer.earlier.iter().map(|earlier| earlier.statement.release_id[0]).collect();
    assert_eq!(ids, [7, 8]);
    // What an earlier release was itself divided by need not be there.
    assert!(with(&[7], vec![fixture.release(7, &named(&[6]), |_| ())]).is_ok());
    let differs = |part| Err(AnswerError::Differs(part));
    let tampered = pb::Release { cells: vec![5, -3, 0, 2], ..earlier(7) };
    let another_version =
        fixture.release(7, PLAN, |statement| statement.dataset_version = "2023-07-01".into());
    let of_another_request = fixture.release(7, PLAN, |statement| statement.request_digest = [9; 32]);
    let nested = pb::Release { earlier: vec![earlier(6)], ..fixture.release(7, &named(&[6]), |_| ()) };
    for (found, expected) in [
        (with(&[7], vec![]), differs("earlier releases")),
        (with(&[], vec![earlier(7)]), differs("earlier releases")),
        (with(&[7, 8], vec![earlier(8), earlier(7)]), differs("earlier releases")),
        (with(&[7], vec![another_version]), differs("earlier releases")),
        (with(&[7], vec![nested]), differs("earlier releases")),
        (with(&[7], vec![tampered]), differs("cells")),
        (with(&[7], vec![of_another_request]), differs("request")),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn plan_and_layout_must_speak_of_the_same_margins() {
    let other = LAYOUT.replace("margin persons", "margin rows");
    assert!(read_texts(PLAN, LAYOUT).is_ok());
    assert_eq!(read_texts(PLAN, &other), Err(AnswerError::Differs("margins")));
    assert_eq!(read_texts("lango-plan 2\n", LAYOUT), Err(AnswerError::Differs("plan")));
    assert_eq!(read_texts(PLAN, "margin persons by sex\n"), Err(AnswerError::Differs("layout")));
}
