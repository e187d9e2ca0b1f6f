//! One trace from the analyst to every office's log; and what a peer says of it changes nothing but a label.

use std::{collections::BTreeSet, time::Duration};

use lango_analyst::{Client, Credentials, Enquiry};
use lango_identity::Role;
use lango_privacy::Level;
use lango_testkit::{Federation, Office, Policy, Register, TestRegion, persons};
use lango_wire::pb;
use rusqlite::Connection;
use serde_json::Value;

use crate::log::Log;

const PATIENCE: Duration = Duration::from_secs(20);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The entries of an office's log.
fn entries(office: &Office) -> Vec<Value> {
    let store = Connection::open(office.store()).unwrap();
    let mut leaves = store.prepare("SELECT leaf FROM access_record ORDER BY sequence").unwrap();
    let leaves = leaves.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    leaves.map(|leaf| serde_json::from_slice(&leaf.unwrap()).unwrap()).collect()
}

/// The traces of its entries, where they have one.
fn traces(office: &Office) -> Vec<String> {
    entries(office).iter().filter_map(|entry| Some(entry["trace"].as_str()?.to_owned())).collect()
}

/// The traces and the pieces of work that lines of a log are marked with.
fn marked(log: &str) -> BTreeSet<(String, String)> {
    let value = |line: &str, key: &str| {
        let (_, rest) = line.split_once(&format!("{key}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    log.lines().filter_map(|line| Some((value(line, "trace_id")?, value(line, "span_id")?))).collect()
}

#[tokio::test]
async fn a_question_has_one_trace_in_the_logs_of_all_who_worked_on_it() {
    let log = Log::new();
    let world = TestRegion::new();
    let mut offices = Vec::new();
    for name in ["GHA", "TGO"] {
        offices.push(Office::start(&world, &Policy::of(name), &Register::sample(5)).await);
    }
    let federation = Federation::start(&world, offices, PATIENCE).await;
    let awa = world.identity(Role::Analyst, "awa");
    let credentials = Credentials { region: world.region.clone(), tls: awa.tls(), signer: awa.signer() };
    let address = format!("https://{}", federation.coordinator.address()).parse().unwrap();
    let client = Client::connect(credentials, &address, PATIENCE).await.unwrap();
    let enquiry = Enquiry {
        query: persons("by sex", "0.5").parse().unwrap(),
        by_office: false,
        purpose: "official-statistics".to_owned(),
        at_least: 2,
        level: Level::USUAL,
        members: Vec::new(),
    };
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        log.take();
        let mut asking = client.ask(&enquiry).await.unwrap();
        let trace = asking.trace().unwrap().trace_id();
        while asking.next().await.unwrap().is_some() {}
        assert_eq!(asking.finish().unwrap().answers.len(), 2);
        for office in &federation.offices {
            let found = traces(office).into_iter().filter(|found| *found == trace).count();
            assert!(found >= 1, "{}: {:?}", office.id, traces(office));
        }
        // The coordinator and both gateways, each by a number of its own.
        let marked = marked(&log.take());
        let work = marked.iter().filter(|(found, _)| *found == trace).count();
        assert_eq!(work, 3, "{marked:?}");
        assert!(seen.insert(trace), "each question has a trace of its own");
    }
}

#[tokio::test]
async fn what_is_said_of_a_trace_is_a_label_and_nothing_else() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let analyst = world.analyst();
    let send = async |envelope: &pb::Envelope, said: &[&str]| {
        let mut request =
            tonic::Request::new(pb::GatewayServiceQueryRequest { query: Some(envelope.clone()) });
        for said in said {
            request.metadata_mut().append("traceparent", said.parse().unwrap());
        }
        request.metadata_mut().append("tracestate", "awa=sex:F".parse().unwrap());
        analyst.gateway(&office).await.query(request).await.unwrap().into_inner()
    };
    let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let long = format!("{good}-{}", "x".repeat(4_000));
    let cases = [
        (vec![good.as_str()], true),
        (vec![], false),
        (vec!["00-*/; DROP TABLE residents; --"], false),
        (vec![good.as_str(), good.as_str()], false),
        (vec![long.as_str()], false),
        (vec!["01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"], false),
        (vec!["00-00000000000000000000000000000000-00f067aa0ba902b7-01"], false),
    ];
    // Each at a price of its own, so that none is a repetition.
    for (price, (said, is_taken)) in (1..).zip(cases) {
        let question = analyst.question(&[&office.id], &persons("by sex", &format!("0.0{price}")));
        let envelope = analyst.sign(lango_identity::PayloadType::Query, question.encode());
        let before = entries(&office).len();
        let first = send(&envelope, &said).await;
        let made = entries(&office).split_off(before);
        let of: BTreeSet<&str> = made.iter().filter_map(|entry| entry["trace"].as_str()).collect();
        // Where none was said, one was begun.
        assert!(made.len() == 2 && of.len() == 1 && of.iter().all(|trace| trace.len() == 32), "{made:?}");
        assert_eq!(of.contains(TRACE), is_taken, "{said:?}: {of:?}");
        let text = made.iter().map(Value::to_string).collect::<String>();
        assert!(!text.contains("DROP") && !text.contains("awa=sex") && !text.contains("00f067aa0ba902b7"));

        // Sent again in the name of another trace, it has the same answer, receipt included, and no entry more.
        let other = format!("00-{}-{}-00", "ab".repeat(16), "cd".repeat(8));
        for said in [vec![other.as_str()], vec![]] {
            assert_eq!(send(&envelope, &said).await, first);
        }
        assert_eq!(entries(&office).len(), before + 2);
    }
}
