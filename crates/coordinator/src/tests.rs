//! A coordinator among gateways of every sort, over real sockets and certificates.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use lango_identity::{Expected, PayloadType, Role, SpiffeId, client_config, digest};
use lango_transport::{self as transport, Address, ServerLimits, ShareLimits};
use lango_wire::{
    Inquiry, Question,
    pb::{
        self, coordinator_service_client::CoordinatorServiceClient,
        coordinator_service_query_response::Event, member_answer, member_estimate,
    },
};
use tokio::net::TcpListener;
use tonic::Code;

use crate::{
    CoordinatorConfig, MemberAddress, serve,
    tests::gateway::{Behaviour, World},
};

mod gateway;

const TEXT: &str = "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 0.5\n";
const DEADLINE: Duration = Duration::from_millis(1_500);

/// A coordinator that knows these members, and where it listens.
async fn coordinator(world: &World, members: Vec<MemberAddress>) -> Address {
    coordinator_with(world, members, ServerLimits::default()).await
}

/// The same with these limits.
async fn coordinator_with(world: &World, members: Vec<MemberAddress>, limits: ServerLimits) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let config = CoordinatorConfig {
        witness: None,
        log: None,
        mailbox: None,
        region: world.region.clone(),
        tls: tokio::sync::watch::channel(world.tls(Role::Coordinator, "main")).1,
        members,
        member_deadline: DEADLINE,
        connect_timeout: Duration::from_secs(1),
        limits,
        metrics: CoordinatorConfig::metrics_of(0),
    };
    tokio::spawn(serve(config, listener, std::future::pending()));
    address
}

async fn client(world: &World, address: &Address) -> CoordinatorServiceClient<tonic::transport::Channel> {
    let own = world.tls(Role::Analyst, "awa");
    let config = client_config(&own, &world.region, Expected::Role(Role::Coordinator)).unwrap();
    CoordinatorServiceClient::new(transport::connect(address, config, DEADLINE).await.unwrap())
}

fn member(office: &str, socket: SocketAddr) -> MemberAddress {
    MemberAddress { uri: World::office(office), address: format!("https://{socket}").parse().unwrap() }
}

/// The analyst's question to these offices; each is another one.
fn asked(world: &World, kind: PayloadType, audience: &[&str]) -> pb::Envelope {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let now = u64::try_from(crate::clock::now()).unwrap();
    let number = u128::from(NUMBER.fetch_add(1, Ordering::Relaxed));
    asked_at(world, kind, audience, number.to_be_bytes(), (now, now + 3_600))
}

/// The same with this identifier and life.
fn asked_at(
    world: &World,
    kind: PayloadType,
    audience: &[&str],
    request_id: [u8; 16],
    (issued_at, expires_at): (u64, u64),
) -> pb::Envelope {
    let question = Question {
        request_id,
        blind: [2; 32],
        analyst: SpiffeId::new("lango.example", Role::Analyst, "awa").unwrap(),
        audience: audience.iter().map(|office| World::office(office)).collect(),
        query: TEXT.to_owned(),
        purpose: "official-statistics".to_owned(),
        mode: 1,
        min_members: 0,
        roster_digest: vec![],
        issued_at,
        expires_at,
    };
    world.signer(Role::Analyst, "awa").sign(kind, question.encode()).into()
}

/// One gateway of every sort, and the places of those that are members.
async fn federation(world: &World) -> Vec<MemberAddress> {
    let mut members = Vec::new();
    for (office, behaviour) in [
        ("BEN", Behaviour::Refuses),
        ("BFA", Behaviour::RefusesUnsigned),
        ("CIV", Behaviour::SignedBy("TGO")),
        ("GHA", Behaviour::Answers),
        ("GIN", Behaviour::Sleeps),
        ("GMB", Behaviour::AnswersBeside),
        ("NGA", Behaviour::RefusesAnother),
        ("SEN", Behaviour::AnswersAnother),
        ("TGO", Behaviour::Answers),
    ] {
        members.push(member(office, world.gateway(office, behaviour, "127.0.0.1:0").await.0));
    }
    // Another office answers at LBR's address; nobody at MLI's; NER is not configured.
    let other = members.last().unwrap().address.clone();
    members.push(MemberAddress { uri: World::office("LBR"), address: other });
    members.push(member("MLI", "127.0.0.1:9".parse().unwrap()));
    members
}

const EVERYONE: [&str; 12] =
    ["BEN", "BFA", "CIV", "GHA", "GIN", "GMB", "LBR", "MLI", "NER", "NGA", "SEN", "TGO"];

#[tokio::test]
async fn every_member_is_received_and_named_for_what_it_did() {
    let world = World::new();
    let coordinator = coordinator(&world, federation(&world).await).await;
    let mut client = client(&world, &coordinator).await;
    let query = Some(asked(&world, PayloadType::Query, &EVERYONE));
    let request_digest = digest(PayloadType::Query, &query.as_ref().unwrap().payload);
    let request = pb::CoordinatorServiceQueryRequest {
        query,
        by_office: false,
        confidence: String::new(),
        members_only: false,
    };
    let mut stream = client.query(request).await.unwrap().into_inner();
    let (mut said, mut order, mut result) = (BTreeMap::new(), Vec::new(), None);
    while let Some(response) = stream.message().await.unwrap() {
        assert!(result.is_none(), "the result is the last");
        match response.event.unwrap() {
            Event::Result(last) => result = Some(last),
            Event::Member(pb::MemberAnswer { office, outcome }) => {
                order.push(office.clone());
                said.insert(office, outcome.unwrap());
            }
        }
    }
    assert_eq!(order.last().unwrap(), "GIN", "a slow member delays nobody's progress: {order:?}");
    for (office, expected) in [
        ("BEN", "refused budget-exceeded"),
        ("BFA", "missing unsigned"),
        ("CIV", "missing unverified"),
        ("GHA", "answered"),
        ("GIN", "missing deadline"),
        ("GMB", "missing unverified"),
        ("LBR", "missing unreachable"),
        ("MLI", "missing unreachable"),
        ("NER", "missing not-a-member"),
        ("NGA", "missing unverified"),
        ("SEN", "missing unverified"),
        ("TGO", "answered"),
    ] {
        let found = match &said[office] {
            member_answer::Outcome::Release(release) => {
                let uri = World::office(office);
                let (region, now, request_digest) = (&world.region, crate::clock::now(), &request_digest);
                let inquiry = Inquiry { region, now, request_digest, question: None };
                let verified = inquiry.release(release.clone(), &uri);
                verified.expect("the analyst can verify what the coordinator passes on");
                "answered".to_owned()
            }
            member_answer::Outcome::Refusal(refusal) => format!("refused {}", refusal.reason),
            member_answer::Outcome::Missing(missing) => format!("missing {}", missing.reason),
        };
        assert_eq!(found, expected, "{office}: {:?}", said[office]);
    }
    let member_answer::Outcome::Missing(stranger) = &said["LBR"] else { unreachable!() };
    assert!(stranger.message.contains("instead of `spiffe://lango.example/office/LBR`"), "{stranger:?}");
    let pb::Result { coverage, tables } = result.unwrap();
    let coverage = coverage.unwrap();
    assert_eq!(coverage.asked, EVERYONE);
    assert_eq!(coverage.answered, ["GHA", "TGO"]);
    assert_eq!((coverage.refused.len(), coverage.missing.len()), (1, 9));
    assert_eq!(tables[0].values, [20.0, 40.0, 0.0, -2.0]);
    assert_eq!(tables[0].statuses, ["A", "A", "U", "U"]);
}

#[tokio::test]
async fn prices_come_one_by_one_as_offices_signed_them() {
    let world = World::new();
    let coordinator = coordinator(&world, federation(&world).await).await;
    let mut client = client(&world, &coordinator).await;
    let audience = ["BEN", "BFA", "CIV", "GHA", "GIN", "GMB", "NER", "SEN", "TGO"];
    let estimate = Some(asked(&world, PayloadType::Estimate, &audience));
    let mut events =
        client.estimate(pb::CoordinatorServiceEstimateRequest { estimate }).await.unwrap().into_inner();
    let mut words = Vec::new();
    while let Some(event) = events.message().await.unwrap() {
        let member = event.member.unwrap();
        let word = match member.outcome.unwrap() {
            member_estimate::Outcome::Estimate(price) => price.office,
            member_estimate::Outcome::Refusal(refusal) => refusal.reason,
            member_estimate::Outcome::Missing(missing) => missing.reason,
        };
        words.push(format!("{} {word}", member.office));
    }
    assert_eq!(words.last().unwrap(), "GIN deadline", "a slow member delays no other's price");
    words.sort();
    assert_eq!(
        words,
        [
            "BEN budget-exceeded",
            "BFA unsigned",
            "CIV unverified",
            "GHA spiffe://lango.example/office/GHA",
            "GIN deadline",
            "GMB unverified",
            "NER not-a-member",
            "SEN unverified",
            "TGO spiffe://lango.example/office/TGO",
        ]
    );
}

#[tokio::test]
async fn members_only_leaves_the_result_out() {
    let world = World::new();
    let coordinator = coordinator(&world, federation(&world).await).await;
    let mut client = client(&world, &coordinator).await;
    let query = Some(asked(&world, PayloadType::Query, &["BEN", "GHA", "TGO"]));
    let confidence = String::new();
    let request =
        pb::CoordinatorServiceQueryRequest { query, by_office: false, confidence, members_only: true };
    let mut stream = client.query(request).await.unwrap().into_inner();
    let mut answered = 0;
    while let Some(response) = stream.message().await.unwrap() {
        let Some(Event::Member(member)) = response.event else { panic!("{response:?}") };
        answered += usize::from(matches!(member.outcome, Some(member_answer::Outcome::Release(_))));
    }
    assert_eq!(answered, 2);
}

#[tokio::test]
async fn a_gateway_that_was_started_again_answers_again() {
    let world = World::new();
    let (socket, stop) = world.gateway("GHA", Behaviour::Answers, "127.0.0.1:0").await;
    let coordinator = coordinator(&world, vec![member("GHA", socket)]).await;
    let mut client = client(&world, &coordinator).await;
    let mut answered = async || {
        let query = Some(asked(&world, PayloadType::Query, &["GHA"]));
        let request = pb::CoordinatorServiceQueryRequest {
            query,
            by_office: true,
            confidence: "0.9".into(),
            members_only: false,
        };
        let mut stream = client.query(request).await.unwrap().into_inner();
        while let Some(response) = stream.message().await.unwrap() {
            if let Some(Event::Result(result)) = response.event {
                return result.coverage.unwrap().answered.len();
            }
        }
        unreachable!("no result")
    };
    assert_eq!(answered().await, 1);
    stop.stop().await;
    assert_eq!(answered().await, 0);
    world.gateway("GHA", Behaviour::Answers, &socket.to_string()).await;
    assert_eq!(answered().await, 1);
}

#[tokio::test]
async fn what_is_not_a_question_reaches_no_member() {
    let world = World::new();
    let coordinator = coordinator(&world, vec![]).await;
    let mut client = client(&world, &coordinator).await;
    let good = || asked(&world, PayloadType::Query, &["GHA"]);
    let price = asked(&world, PayloadType::Estimate, &["GHA"]);
    let forged = pb::Envelope { signature: vec![0; 64], ..good() };
    for (query, confidence, code) in [
        (Some(price), "", Code::Unauthenticated),
        (Some(forged), "", Code::Unauthenticated),
        (None, "", Code::Unauthenticated),
        (Some(good()), "1.5", Code::InvalidArgument),
    ] {
        let confidence = confidence.to_owned();
        let request =
            pb::CoordinatorServiceQueryRequest { query, by_office: false, confidence, members_only: false };
        assert_eq!(client.query(request).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn copies_use_up_nothing_of_what_an_analyst_may_ask() {
    let world = World::new();
    let members = vec![member("GHA", world.gateway("GHA", Behaviour::Answers, "127.0.0.1:0").await.0)];
    let mut limits = ServerLimits::default();
    limits.shares.questions_per_minute = 2;
    let coordinator = coordinator_with(&world, members, limits).await;
    let mut client = client(&world, &coordinator).await;
    let mut ask = async |query: &pb::Envelope| {
        let request = pb::CoordinatorServiceQueryRequest {
            query: Some(query.clone()),
            by_office: false,
            confidence: String::new(),
            members_only: true,
        };
        let mut stream = client.query(request).await?.into_inner();
        let mut answered = 0;
        while let Some(response) = stream.message().await? {
            let Some(Event::Member(member)) = response.event else { panic!("{response:?}") };
            answered += usize::from(matches!(member.outcome, Some(member_answer::Outcome::Release(_))));
        }
        Ok::<usize, tonic::Status>(answered)
    };
    let first = asked(&world, PayloadType::Query, &["GHA"]);
    for _ in 0..6 {
        // Passed on each time: whether the office has answered it is for the office to say.
        assert_eq!(ask(&first).await.unwrap(), 1);
    }
    assert_eq!(ask(&asked(&world, PayloadType::Query, &["GHA"])).await.unwrap(), 1);
    let third = ask(&asked(&world, PayloadType::Query, &["GHA"])).await.unwrap_err();
    assert_eq!(third.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn what_no_office_would_admit_reaches_none() {
    let world = World::new();
    let coordinator = coordinator(&world, vec![]).await;
    let mut client = client(&world, &coordinator).await;
    let (now, day) = (u64::try_from(crate::clock::now()).unwrap(), 86_400);
    for (id, kind, life, reason) in [
        (100, PayloadType::Query, (now, now + day), None),
        // The identifier stands for the one before.
        (100, PayloadType::Query, (now, now + day + 1), Some("request-id-reused")),
        (101, PayloadType::Query, (now + 400, now + 800), Some("time")),
        (102, PayloadType::Query, (now - 9, now - 1), Some("time")),
        (103, PayloadType::Query, (now, now + 32 * day), Some("time")),
        (104, PayloadType::Estimate, (now, now + day), Some("time")),
        (105, PayloadType::Estimate, (now, now + 3_600), None),
    ] {
        let envelope = Some(asked_at(&world, kind, &["GHA"], u128::to_be_bytes(id), life));
        let refused = if kind == PayloadType::Query {
            let (query, confidence) = (envelope, String::new());
            let request = pb::CoordinatorServiceQueryRequest {
                query,
                by_office: false,
                confidence,
                members_only: true,
            };
            client.query(request).await.err()
        } else {
            client.estimate(pb::CoordinatorServiceEstimateRequest { estimate: envelope }).await.err()
        };
        let found = refused.as_ref().and_then(lango_wire::status::refusal_facts).map(|(code, _)| code);
        assert_eq!(found.as_deref(), reason, "{id}");
    }
}

#[tokio::test]
async fn health_and_reflection_are_served() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };

    let world = World::new();
    let address = coordinator(&world, vec![]).await;
    let own = world.tls(Role::Auditor, "ada");
    let config = client_config(&own, &world.region, Expected::Role(Role::Coordinator)).unwrap();
    let channel = transport::channel(&address, config, DEADLINE);
    let service = "lango.v1.CoordinatorService".to_owned();
    let health =
        HealthClient::new(channel.clone()).check(HealthCheckRequest { service: service.clone() }).await;
    assert_eq!(health.unwrap().into_inner().status, 1);
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(channel);
    let responses = client.server_reflection_info(tokio_stream::iter([list])).await.unwrap();
    let response = responses.into_inner().message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = response else { unreachable!("{response:?}") };
    assert!(listed.service.iter().any(|listed| listed.name == service), "{listed:?}");
}

#[tokio::test]
async fn members_are_listed() {
    let world = World::new();
    let address = coordinator(&world, federation(&world).await).await;
    let request = pb::CoordinatorServiceListMembersRequest { page_size: 2, page_token: "BFA".into() };
    let page = client(&world, &address).await.list_members(request).await.unwrap().into_inner();
    let offices: Vec<_> = page.members.into_iter().map(|member| member.office).collect();
    assert_eq!((offices, page.next_page_token.as_str()), (vec!["CIV".into(), "GHA".into()], "GHA"));
}

#[tokio::test]
async fn lists_of_members_are_shared_out_by_address() {
    let world = World::new();
    let shares = ShareLimits { requests_per_minute: 3, questions_per_minute: 3, requests_at_once: 2 };
    let limits = ServerLimits { shares, ..ServerLimits::default() };
    let address = coordinator_with(&world, federation(&world).await, limits).await;
    let request = pb::CoordinatorServiceListMembersRequest::default;
    for expected in [Code::Ok, Code::Ok, Code::Ok, Code::ResourceExhausted] {
        // Each over a connection of its own.
        let listed = client(&world, &address).await.list_members(request()).await;
        assert_eq!(listed.err().map_or(Code::Ok, |status| status.code()), expected);
    }
    // What an analyst may ask is another account.
    let query = Some(asked(&world, PayloadType::Query, &["GHA"]));
    let request = pb::CoordinatorServiceQueryRequest { query, members_only: true, ..Default::default() };
    client(&world, &address).await.query(request).await.unwrap();
}
