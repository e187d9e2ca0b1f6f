//! Coordinators that send whatever costs most, to the analyst's side.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lango_analyst::{AskError, AskEvent, BrokenOff, Client, Credentials, Discarded, Enquiry, NoAnswer};
use lango_identity::Role;
use lango_privacy::Level;
use lango_testkit::{TestRegion, persons};
use lango_wire::Absence;

use crate::{
    memory::Measured,
    raw::{Script, Step, field, send, serve, varint},
};

const PATIENCE: Duration = Duration::from_secs(3);
const MIB: usize = 1024 * 1024;

fn enquiry(members: &[&str]) -> Enquiry {
    Enquiry {
        query: persons("by sex", "1").parse().unwrap(),
        by_office: false,
        purpose: "official-statistics".to_owned(),
        at_least: 0,
        level: Level::USUAL,
        members: members.iter().map(|member| (*member).to_owned()).collect(),
    }
}

async fn client(script: Script) -> Client {
    let world = TestRegion::new();
    let socket = serve(&world, Role::Coordinator, "main", script).await;
    let awa = world.identity(Role::Analyst, "awa");
    let credentials = Credentials { region: world.region.clone(), tls: awa.tls(), signer: awa.signer() };
    let address = format!("https://{socket}").parse().unwrap();
    Client::connect(credentials, &address, PATIENCE).await.unwrap()
}

fn always(steps: Vec<Step>) -> Script {
    Arc::new(move |_: &str, _: &[u8]| steps.clone())
}

/// What happens when GHA and TGO are asked, and what the coverage says of them; to a question, then to a price enquiry,
/// then to a look-up of what is open.
async fn asked(script: Script) -> [Result<(Vec<AskEvent>, Vec<String>), AskError>; 3] {
    let client = client(script).await;
    let question = async {
        let mut asking = client.ask(&enquiry(&["GHA", "TGO"])).await?;
        let mut events = Vec::new();
        while let Some(event) = asking.next().await? {
            events.push(event);
        }
        let coverage = asking.finish()?.coverage;
        assert!(coverage.answered.is_empty() && coverage.refused.is_empty());
        let missing = coverage.missing.iter().map(|absent| format!("{} {}", absent.office, absent.reason));
        Ok((events, missing.collect()))
    };
    let question = question.await;
    let price = async {
        let mut pricing = client.price(&enquiry(&["GHA", "TGO"])).await?;
        let mut events = Vec::new();
        while let Some(event) = pricing.next().await? {
            events.push(event);
        }
        let prices = pricing.finish();
        assert!(prices.priced.is_empty());
        Ok((events, prices.unpriced.iter().map(in_words).collect()))
    };
    let price = price.await;
    let described = async {
        let mut describing = client.describe(&["GHA", "TGO"].map(str::to_owned), None, PATIENCE).await?;
        let mut events = Vec::new();
        while let Some(event) = describing.next().await? {
            events.push(event);
        }
        let catalogue = describing.finish();
        assert!(catalogue.described.is_empty());
        Ok((events, catalogue.undescribed.iter().map(in_words).collect()))
    };
    [question, price, described.await]
}

fn in_words((office, why): &(String, NoAnswer)) -> String {
    match why {
        NoAnswer::Refused(refusal) => format!("{office} {}", refusal.code),
        NoAnswer::Missing(absence) => format!("{office} {absence}"),
    }
}

/// A member's answer in every stream: an event of a question's or a description's stream is field 1, of a price's field 2.
fn member(office: &str, number: u32, inner: &[u8]) -> Vec<u8> {
    let member = [field(1, office.as_bytes()), field(number, inner)].concat();
    [field(1, &member), field(2, &member)].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_and_figures_that_no_office_signed_count_for_nothing() {
    let measured = Measured::begin().await;
    let words = [field(1, b"budget-exceeded"), field(2, "\u{202e}pay me".as_bytes())].concat();
    let steps = [
        send(member("GHA", 3, &words)),
        send(member("GHA", 4, &field(1, b"deadline"))),
        send(member("NGA", 4, &field(1, b"deadline"))),
        send(member("TGO", 4, &field(1, "\u{202e}anything".as_bytes()))),
    ];
    for asked in asked(always(steps.concat())).await {
        let (events, said) = asked.unwrap();
        assert_eq!(said, ["GHA unsigned", "TGO silent"]);
        let [first, again, stranger, silent] = events.as_slice() else { panic!("{events:?}") };
        assert!(
            matches!(first, AskEvent::Discarded { office, why: Discarded::Unverified(_) } if office == "GHA")
        );
        assert!(matches!(again, AskEvent::Discarded { office, why: Discarded::Again } if office == "GHA"));
        assert!(
            matches!(stranger, AskEvent::Discarded { office, why: Discarded::Stranger } if office == "NGA")
        );
        assert!(matches!(silent, AskEvent::MemberMissing { absence: Absence::Silent, .. }));
    }
    measured.check("words");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_grow_when_they_are_decoded_are_not_decoded() {
    let measured = Measured::begin().await;
    for (what, number, inner) in [
        ("certificates", 2, field(1, &[0x22, 0].repeat(600_000))),
        ("zeros", 2, field(4, &vec![0; MIB])),
        ("earlier releases", 2, field(9, &vec![0; MIB])),
        ("a refusal's certificates", 3, field(3, &[0x22, 0].repeat(600_000))),
        ("a name of a megabyte", 4, field(1, &vec![b'x'; MIB])),
    ] {
        // Each stream reads its own field, and the other is of no message that it knows.
        for both in [false, true] {
            let message = member("GHA", number, &inner);
            let message = if both { message } else { message[..message.len() / 2].to_vec() };
            for asked in asked(always(send(message))).await {
                let (_, said) = asked.unwrap();
                assert_eq!(said[1], "TGO silent", "{what}");
                assert_ne!(said[0], "GHA answered", "{what}");
            }
        }
    }
    measured.check("messages that grow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_larger_than_any_answer_ends_the_stream() {
    let measured = Measured::begin().await;
    let large = member("GHA", 2, &field(4, &vec![0; 8 * MIB]));
    for asked in asked(always(send(large))).await {
        let (events, said) = asked.unwrap();
        assert!(matches!(events.as_slice(), [AskEvent::CoordinatorBrokeOff { why: BrokenOff::Failed(_) }]));
        assert_eq!(said, ["GHA silent", "TGO silent"]);
    }
    measured.check("a large message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_without_end_are_cut_off_whatever_they_are() {
    let measured = Measured::begin().await;
    for (what, message) in [
        ("strangers", member("NGA", 4, &field(1, b"deadline"))),
        ("nothing", Vec::new()),
        ("results", field(2, &field(9, &[0; 64]))),
        ("one member", member("GHA", 4, &field(1, b"deadline"))),
    ] {
        let begun = Instant::now();
        for asked in asked(always(vec![Step::Repeat(Arc::new(message.clone()))])).await {
            let (events, _) = asked.unwrap();
            assert!(events.len() <= 11, "{what}: {}", events.len());
            let last = events.last().unwrap();
            assert!(
                matches!(last, AskEvent::CoordinatorBrokeOff { why: BrokenOff::Endless(10) }),
                "{what}: {last:?}"
            );
        }
        assert!(begun.elapsed() < 2 * PATIENCE, "{what}");
    }
    measured.check("events without end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_says_nothing_is_given_up() {
    let measured = Measured::begin().await;
    let begun = Instant::now();
    let steps = [send(member("GHA", 4, &field(1, b"deadline"))), vec![Step::Wait]].concat();
    for asked in asked(always(steps)).await {
        let (events, said) = asked.unwrap();
        assert!(matches!(events.last(), Some(AskEvent::CoordinatorBrokeOff { why: BrokenOff::Late(_) })));
        assert_eq!(said, ["GHA deadline", "TGO silent"]);
    }
    assert!(begun.elapsed() < 4 * PATIENCE);
    measured.check("silence");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_members_that_does_not_end_is_refused() {
    let measured = Measured::begin().await;
    let uri = b"spiffe://ecowas.example/office/GHA";
    let page =
        |members: usize, token: &[u8]| [field(1, &field(2, uri)).repeat(members), field(2, token)].concat();
    let tokens = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let growing: Script = Arc::new(move |_: &str, _: &[u8]| {
        let token = tokens.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        send(field(2, token.to_string().as_bytes()))
    });
    for (what, script, expected) in [
        ("the same page", always(send(page(1, b"x"))), "does not end"),
        ("too many", always(send(page(1_001, b"x"))), "does not end"),
        ("no page ends", growing, "does not end"),
        ("empty members", always(send([0x0a, 0].repeat(200_000))), "no office of the region"),
        ("a page of a megabyte", always(send(field(2, &vec![b'x'; MIB]))), "OutOfRange"),
        ("no page", always(vec![Step::Wait]), "has not answered within"),
        ("garbage", always(send(varint(u64::MAX))), "Internal"),
    ] {
        let client = client(script).await;
        let error = client.ask(&enquiry(&[])).await.err().unwrap_or_else(|| panic!("{what}"));
        assert!(error.to_string().contains(expected), "{what}: {error}");
    }
    measured.check("members");
}
