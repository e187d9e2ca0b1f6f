//! What servers show of themselves: the same for two neighbouring registers, with labels of closed sets.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lango_identity::PayloadType;
use lango_testkit::{Caller, Federation, Office, Policy, Register, TestCoordinator, TestRegion, persons};
use lango_wire::pb;
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
};

use crate::neighbours::{measure, offices};

/// The values that a label may have.
const CODES: [&str; 9] = [
    "OK",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "FAILED_PRECONDITION",
    "RESOURCE_EXHAUSTED",
    "UNAVAILABLE",
    "UNIMPLEMENTED",
];

/// Each number of a text by its name and labels.
fn numbers(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').map(|(of, value)| (of.to_owned(), value.to_owned())).unwrap())
        .collect()
}

/// All but times: when, and how long.
fn without_times(text: &str) -> BTreeMap<String, String> {
    let is_time = |of: &str| {
        let name = of.split('{').next().unwrap();
        let ends = ["_timestamp_seconds", "_start_time_seconds", "_seconds_bucket", "_seconds_sum"];
        ends.iter().any(|end| name.ends_with(end))
    };
    numbers(text).into_iter().filter(|(of, _)| !is_time(of)).collect()
}

/// Asks all that one may, and much that one may not.
async fn ask(analyst: &Caller, office: &Office) {
    for text in [
        persons("by sex", "0.5"),
        persons("by sex", "0.5"),
        persons("by age,country_of_birth,sex", "1"),
        measure("mean(income)", "by sex"),
        measure("quantile(income,0.5)", "by sex"),
        measure("keys(sex)", "by"),
        persons("by village", "0.5"),
        persons("by sex\nwhere sex in F", "0.25"),
        persons("by sex", "100.5"),
        persons("by sex", "0.5").replace("residents", "awa_s_household"),
    ] {
        drop(analyst.estimate(office, &text).await);
        drop(analyst.ask(office, &text).await);
    }
    drop(analyst.describe(office, Some("residents")).await);
    drop(analyst.fetch(office, [7; 16]).await);
    // What nobody signed, and what is no method.
    let mut gateway = analyst.gateway(office).await;
    drop(gateway.query(pb::GatewayServiceQueryRequest::default()).await);
    let question = analyst.question(&[&office.id], &persons("by sex", "0.5"));
    let mut envelope = analyst.sign(PayloadType::Query, question.encode());
    envelope.payload.push(0);
    drop(gateway.query(pb::GatewayServiceQueryRequest { query: Some(envelope) }).await);
    let client = lango_wire::client::AuditClient::new(analyst.connect(office).await);
    drop(client.audit(pb::Envelope::default()).await);
}

/// The text once every call has ended: the last bytes of an answer leave a moment before its end is known.
async fn settled(office: &Office) -> String {
    for _ in 0..200 {
        let text = office.metrics();
        let under_way = numbers(&text).into_iter().filter(|(of, _)| of.starts_with("lango_calls_under_way"));
        if under_way.into_iter().all(|(_, value)| value == "0") {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a call does not end: {}", office.metrics());
}

#[tokio::test]
async fn two_neighbours_show_the_same_but_for_times() {
    for key in [true, false] {
        let world = TestRegion::new();
        let [mut without, mut with] = offices(&world, key);
        let analyst = world.analyst();
        let mut shown = Vec::new();
        for office in [&mut without, &mut with] {
            office.up().await.unwrap();
            ask(&analyst, office).await;
            let text = settled(office).await;
            // How long a question took is in no number at all.
            let times =
                numbers(&text).into_keys().filter(|of| of.starts_with("rpc_server_call_duration_seconds"));
            let timed: BTreeSet<String> = times.filter(|of| of.contains("GatewayService/Query")).collect();
            assert!(timed.is_empty(), "{timed:?}");
            shown.push(without_times(&text));
        }
        let query = |code: &str| {
            let found = shown[0].iter().find(|(of, _)| {
                of.starts_with("lango_calls_total{") && of.contains("/Query\"") && of.contains(code)
            });
            found.map(|(_, value)| value.as_str())
        };
        assert!(query("\"OK\"").is_some() && query("\"UNAUTHENTICATED\"") == Some("2"), "{:?}", shown[0]);
        assert_eq!(shown[0], shown[1], "key: {key}");
    }
}

#[tokio::test]
async fn a_label_is_of_a_closed_set() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    ask(&world.analyst(), &office).await;
    let text = settled(&office).await;
    let mut found = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (of, _) in text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '))
    {
        let Some((_, labels)) = of.split_once('{') else { continue };
        for label in labels.strip_suffix('}').unwrap().split(',') {
            let (name, value) = label.split_once('=').unwrap();
            found.entry(name).or_default().insert(value.trim_matches('"'));
        }
    }
    for (name, values) in found {
        let is_known = |value: &&str| match name {
            "service_name" => *value == "lango-gateway",
            "service_version" => *value == env!("CARGO_PKG_VERSION"),
            "rpc_system_name" => *value == "grpc",
            "rpc_method" => {
                let (service, method) = value.split_once('/').unwrap();
                let services = ["lango.v1.GatewayService", "lango.v1.AuditService"];
                services.contains(&service)
                    && ["Query", "Estimate", "Describe", "GetRelease", "Audit"].contains(&method)
            }
            "rpc_response_status_code" | "error_type" => CODES.contains(value),
            "lango_reason" => ["silent", "full", "handshake", "revoked", "requests"].contains(value),
            "le" => *value == "+Inf" || value.parse::<f64>().is_ok_and(|bound| bound <= 10.0),
            _ => false,
        };
        let unknown: Vec<_> = values.iter().filter(|value| !is_known(value)).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
    for word in
        ["analyst", "household", "residents", "GHA", "ecowas", "spiffe", "village", "official", "\"F\""]
    {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

/// From the start on: the store keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn when_a_witness_cosigned_last_is_shown() {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let shown = |office: &Office| {
        let found = numbers(&office.metrics());
        let number = |of: &str| found.get(of).map(|value| value.parse::<i64>().unwrap());
        (number("lango_log_cosigned_entries"), number("lango_log_cosigned_timestamp_seconds"))
    };
    assert_eq!(shown(&office), (None, None));
    let folder = tempfile::tempdir().unwrap();
    let members = vec![(office.id.clone(), office.address())];
    let every = Duration::from_millis(100);
    let coordinator = TestCoordinator::start_witness(&world, members, folder.path(), every).await;
    let store = lango_store::Location::File(office.store());
    let begun = std::time::Instant::now();
    let kept = loop {
        let mut examined = lango_store::Examined::readable(&store).await.unwrap();
        let kept = examined.checkpoint(lango_store::CheckpointKind::Witnessed).await.unwrap();
        if let Some((size, note)) = kept {
            break (i64::try_from(size).unwrap(), note);
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no witness comes");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    coordinator.stop().await;
    office.down().await;
    office.up().await.unwrap();
    while shown(&office).0.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not shown: {}", office.metrics());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (size, at) = shown(&office);
    let now = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    assert!(size.unwrap() >= kept.0 && (now - 120..=now).contains(&at.unwrap()), "{size:?} {at:?} {now}");
}

/// The methods of the protocol, as its files declare them.
fn methods() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/lango/v1");
    let mut methods = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let mut service = "";
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            if let Some(rest) = line.strip_prefix("service ") {
                service = rest.split(' ').next().unwrap().to_owned().leak();
            }
            if let Some(rest) = line.trim_start().strip_prefix("rpc ") {
                methods.push(format!("lango.v1.{service}/{}", rest.split('(').next().unwrap()));
            }
        }
    }
    methods
}

/// Empty messages, which are of every type.
#[derive(Clone, Copy)]
struct Nothing;

impl Codec for Nothing {
    type Encode = ();
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Nothing {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

impl Decoder for Nothing {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, read: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        bytes::Buf::advance(read, bytes::Buf::remaining(read));
        Ok(Some(()))
    }
}

/// Every method of the protocol has its number, so that none is lost among the others.
#[tokio::test]
async fn every_method_has_its_own_number() {
    let world = TestRegion::new();
    let federation = {
        let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
        Federation::start(&world, vec![office], Duration::from_secs(10)).await
    };
    let (office, coordinator) = (&federation.offices[0], &federation.coordinator);
    let analyst = world.analyst();
    let methods = methods();
    assert!(methods.len() >= 11, "{methods:?}");
    for method in methods {
        let of_coordinator = method.contains(".CoordinatorService/");
        let shown = || if of_coordinator { coordinator.metrics.text() } else { office.metrics() };
        let channel = match of_coordinator {
            true => analyst.coordinator_channel(coordinator).await,
            false => analyst.connect(office).await,
        };
        // Nothing that anybody signed: it is refused, and counted as what it was.
        let mut grpc = tonic::client::Grpc::new(channel);
        grpc.ready().await.unwrap();
        let path: PathAndQuery = format!("/{method}").parse().unwrap();
        drop(grpc.unary(tonic::Request::new(()), path, Nothing).await);
        let label = format!("rpc_method=\"{method}\"");
        let begun = std::time::Instant::now();
        while !shown().lines().any(|line| line.starts_with("lango_calls_total") && line.contains(&label)) {
            assert!(begun.elapsed() < Duration::from_secs(10), "{method}: {}", shown());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(!office.metrics().contains("_OTHER") && !coordinator.metrics.text().contains("_OTHER"));
}

#[tokio::test]
async fn a_coordinator_shows_how_many_members_answer() {
    let world = TestRegion::new();
    let mut offices = Vec::new();
    for name in ["BEN", "GHA", "TGO"] {
        offices.push(Office::start(&world, &Policy::of(name), &Register::sample(3)).await);
    }
    let mut federation = Federation::start(&world, offices, Duration::from_secs(10)).await;
    let state = |federation: &Federation, of: &str| {
        let found = numbers(&federation.coordinator.metrics.text());
        found.get(&format!("lango_{of}\"}}")).cloned().unwrap_or_default()
    };
    assert_eq!(state(&federation, "members{lango_state=\"unasked"), "3");
    federation.offices[2].down().await;
    let analyst = world.analyst();
    let ask = async |federation: &Federation, price: &str| {
        let question = analyst.question(&federation.audience(), &persons("by sex", price));
        let envelope = analyst.sign(PayloadType::Query, question.encode());
        analyst.relay(&federation.coordinator, &envelope, false).await.unwrap()
    };
    ask(&federation, "0.25").await;
    for (of, value) in [
        ("members{lango_state=\"unasked", "0"),
        ("members{lango_state=\"answering", "2"),
        ("members{lango_state=\"silent", "1"),
        ("member_answers_total{lango_outcome=\"answered", "2"),
        ("member_answers_total{lango_outcome=\"missing", "1"),
    ] {
        assert_eq!(state(&federation, of), value, "{of}");
    }
    // One that refuses answers too.
    ask(&federation, "100.5").await;
    assert_eq!(state(&federation, "member_answers_total{lango_outcome=\"refused"), "2");
    assert_eq!(state(&federation, "members{lango_state=\"answering"), "2");
}
