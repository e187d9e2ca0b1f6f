//! What one peer or principal may take of a gateway and of a coordinator, and that others have theirs meanwhile.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Bytes, Frame};
use lango_identity::{Expected, PayloadType, Role, SpiffeId, client_config};
use lango_testkit::{
    Caller, Mode, Office, Policy, Register, TestCoordinator, TestRegion, at_once, generous, persons,
};
use lango_transport::{self as transport, Address, ServerLimits, ShareLimits};
use lango_wire::{
    pb,
    status::{reason, retry_after},
};
use tonic::{Code, Status, codegen::http::Request, transport::Channel};
use tower::ServiceExt;

use crate::log::Log;

const SOON: Duration = Duration::from_secs(10);

/// A gateway and a coordinator over it, both with these limits.
struct Both {
    world: TestRegion,
    office: Office,
    coordinator: TestCoordinator,
}

impl Both {
    async fn start(limits: ServerLimits) -> Self {
        let world = TestRegion::new();
        let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(3));
        office.limits = limits;
        office.up().await.unwrap();
        let members = vec![(office.id.clone(), office.address())];
        let coordinator = TestCoordinator::start_with(&world, members, Duration::from_secs(5), limits).await;
        Self { world, office, coordinator }
    }

    /// Where each listens, who it is, and the path of its question.
    fn servers(&self) -> [(Address, SpiffeId, &'static str); 2] {
        let coordinator = format!("https://{}", self.coordinator.address()).parse().unwrap();
        [
            (self.office.address(), self.office.id.clone(), "/lango.v1.GatewayService/Query"),
            (coordinator, self.coordinator.id.clone(), "/lango.v1.CoordinatorService/Query"),
        ]
    }

    async fn connect(&self, caller: &Caller, address: &Address, id: &SpiffeId) -> Channel {
        let config = client_config(&caller.tls, &self.world.region, Expected::Id(id.clone())).unwrap();
        transport::connect(address, config, SOON).await.unwrap()
    }
}

fn shares(requests_per_minute: u32, questions_per_minute: u32) -> ServerLimits {
    let shares = ShareLimits { requests_per_minute, questions_per_minute, requests_at_once: 16 };
    ServerLimits { shares, ..generous() }
}

/// The head of a message of 500,000 bytes and a tenth of them, then nothing.
struct Endless(Option<Bytes>);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |piece| Poll::Ready(Some(Ok(Frame::data(piece)))))
    }
}

async fn endless(channel: Channel, path: &'static str) -> Code {
    let mut head = vec![0];
    head.extend(500_000_u32.to_be_bytes());
    head.resize(50_000, b'x');
    let body = tonic::body::Body::new(Endless(Some(head.into())));
    let request = Request::post(path).header("content-type", "application/grpc").body(body).unwrap();
    let response = channel.oneshot(request).await.unwrap();
    Code::from_bytes(response.headers()["grpc-status"].as_bytes())
}

#[tokio::test]
async fn a_request_that_never_ends_is_ended_at_both_servers_while_others_are_answered() {
    let both = Both::start(ServerLimits { request_body: Duration::from_secs(1), ..generous() }).await;
    let stranger = both.world.caller(Role::Auditor, "zainab");
    for (address, id, path) in both.servers() {
        let channel = both.connect(&stranger, &address, &id).await;
        let held: Vec<_> = (0..40).map(|_| tokio::spawn(endless(channel.clone(), path))).collect();
        both.world.analyst().ask(&both.office, &persons("by sex", "1")).await.unwrap();
        for ended in held {
            let code = tokio::time::timeout(SOON, ended).await.expect("it is ended").unwrap();
            assert_eq!(code, Code::DeadlineExceeded, "{path}");
        }
    }
}

#[tokio::test]
async fn one_connection_holds_no_more_bytes_of_requests_than_it_may_at_both_servers() {
    let limits = ServerLimits { request_bytes_per_connection: 120_000, ..generous() };
    let both = Both::start(limits).await;
    let stranger = both.world.caller(Role::Auditor, "zainab");
    for (address, id, path) in both.servers() {
        let channel = both.connect(&stranger, &address, &id).await;
        let mut held: tokio::task::JoinSet<Code> = (0..3).map(|_| endless(channel.clone(), path)).collect();
        // Two fit; the third is refused at once.
        let first = tokio::time::timeout(SOON, held.join_next()).await.unwrap().unwrap().unwrap();
        assert_eq!((first, held.len()), (Code::ResourceExhausted, 2), "{path}");
    }
}

fn asks_to_wait(status: &Status, at_most: Duration) {
    assert_eq!(
        (status.code(), reason(status).as_deref()),
        (Code::ResourceExhausted, Some("too-many-requests"))
    );
    let wait = retry_after(status).unwrap();
    assert!(wait > Duration::ZERO && wait <= at_most, "{wait:?}");
}

#[tokio::test]
async fn an_analyst_who_asks_too_often_is_refused_with_the_time_to_wait_and_others_are_answered() {
    let both = Both::start(shares(5, 2)).await;
    let (world, office) = (&both.world, &both.office);
    let (awa, kofi) = (world.analyst(), world.caller(Role::Analyst, "kofi"));
    for body in ["by sex", "by age"] {
        awa.ask(office, &persons(body, "1")).await.unwrap();
    }
    let refused = awa.ask(office, &persons("by sex", "2")).await.unwrap_err();
    assert_eq!(refused.refusal(), "too-many-requests", "it is signed");
    asks_to_wait(&refused.status, Duration::from_secs(30));
    // Prices are requests too, of which three are left; refused ones count for nothing.
    for _ in 0..3 {
        awa.estimate(office, &persons("by sex", "2")).await.unwrap();
    }
    asks_to_wait(
        &awa.estimate(office, &persons("by sex", "2")).await.unwrap_err().status,
        Duration::from_secs(12),
    );
    asks_to_wait(&awa.describe(office, None).await.unwrap_err().status, Duration::from_secs(12));
    kofi.ask(office, &persons("by sex", "1")).await.unwrap();
    assert_eq!(
        office.ledger().pure_nano(""),
        2_000_000_000,
        "what is refused is not charged, what is repeated is free"
    );
}

#[tokio::test]
async fn a_question_that_is_refused_is_no_more_free_when_it_is_sent_again() {
    let both = Both::start(shares(100, 1)).await;
    let (world, office) = (&both.world, &both.office);
    let awa = world.analyst();
    awa.ask(office, &persons("by sex", "1")).await.unwrap();
    let sign = |epsilon: &str| {
        let question = awa.question(&[&office.id], &persons("by age", epsilon));
        awa.sign(PayloadType::Query, question.encode())
    };
    // At once, as a copy that comes while the first is refused; and after it, by a coordinator as well.
    let asked = sign("2");
    for refused in at_once([(); 6].map(|()| awa.send(office, &asked))).await {
        assert_eq!(refused.unwrap_err().refusal(), "too-many-requests");
    }
    assert_eq!(awa.send(office, &asked).await.unwrap_err().refusal(), "too-many-requests");
    let relayed = sign("3");
    awa.relay(&both.coordinator, &sign("1"), false).await.unwrap();
    for _ in 0..2 {
        let refused = awa.relay(&both.coordinator, &relayed, false).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("too-many-requests"));
    }
    assert_eq!(office.ledger().pure_nano(""), 1_000_000_000);
}

#[tokio::test]
async fn a_coordinator_refuses_an_analyst_who_asks_too_often_and_relays_the_others_questions() {
    let both = Both::start(shares(4, 2)).await;
    let (world, office) = (&both.world, &both.office);
    let (awa, kofi) = (world.analyst(), world.caller(Role::Analyst, "kofi"));
    let sign = |caller: &Caller, epsilon: &str| {
        let question = caller.question(&[&office.id], &persons("by sex", epsilon));
        caller.sign(PayloadType::Query, question.encode())
    };
    for epsilon in ["1", "2"] {
        awa.relay(&both.coordinator, &sign(&awa, epsilon), false).await.unwrap();
    }
    let refused = awa.relay(&both.coordinator, &sign(&awa, "3"), false).await.unwrap_err();
    asks_to_wait(&refused, Duration::from_secs(30));
    kofi.relay(&both.coordinator, &sign(&kofi, "1"), false).await.unwrap();
    let mut client = awa.coordinator(&both.coordinator).await;
    let mut estimate = async || {
        let question = awa.question(&[&office.id], &persons("by sex", "1"));
        let estimate = Some(awa.sign(PayloadType::Estimate, question.encode()));
        client.estimate(pb::CoordinatorServiceEstimateRequest { estimate }).await
    };
    estimate().await.unwrap();
    estimate().await.unwrap();
    asks_to_wait(&estimate().await.unwrap_err(), Duration::from_secs(15));
}

#[tokio::test]
async fn a_coordinator_reaches_a_gateway_again_that_closed_an_idle_or_old_connection() {
    let (soon, late) = (Duration::from_millis(300), Duration::from_secs(600));
    for (idle, connection_age) in [(soon, late), (late, soon)] {
        let both = Both::start(ServerLimits { idle, connection_age, ..generous() }).await;
        let analyst = both.world.analyst();
        for round in 0..8 {
            let question = analyst.question(&[&both.office.id], &persons("by sex", "1"));
            let envelope = analyst.sign(PayloadType::Query, question.encode());
            let relayed = analyst.relay(&both.coordinator, &envelope, false).await.unwrap();
            let answered = relayed.result.coverage.unwrap().answered;
            assert_eq!(answered, ["GHA"], "idle {idle:?}, age {connection_age:?}, round {round}");
            // Some fall into the moment of the close, some find it closed.
            tokio::time::sleep(Duration::from_millis(90 * round)).await;
        }
    }
}

#[tokio::test]
async fn a_principal_has_no_more_requests_under_way_than_it_may() {
    let mut limits = generous();
    limits.shares.requests_at_once = 2;
    let both = Both::start(limits).await;
    let (world, office) = (&both.world, &both.office);
    let (awa, kofi) = (world.analyst(), world.caller(Role::Analyst, "kofi"));
    office.gate.set(Mode::Shut);
    let held = async {
        let (one, other) = (persons("by sex", "1"), persons("by age", "1"));
        tokio::join!(awa.ask(office, &one), awa.ask(office, &other))
    };
    let meanwhile = async {
        let both_held = async {
            while office.ledger().reservations.len() < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), both_held).await.expect("both questions are set aside");
        let refused = awa.estimate(office, &persons("by sex", "2")).await.unwrap_err();
        asks_to_wait(&refused.status, Duration::from_secs(1));
        kofi.estimate(office, &persons("by sex", "2")).await.unwrap();
        office.gate.set(Mode::Open);
    };
    let ((one, other), ()) = tokio::join!(held, meanwhile);
    assert!(one.is_ok() && other.is_ok());
    awa.estimate(office, &persons("by sex", "2")).await.unwrap();
}

#[tokio::test]
async fn refusals_of_strangers_are_signed_all_and_recorded_at_a_bounded_rate_with_a_count_of_the_rest() {
    const ASKED: usize = 12;
    let both = Both::start(ServerLimits { strangers_recorded_per_minute: 18, ..generous() }).await;
    let (world, office) = (&both.world, &both.office);
    let auditor = world.caller(Role::Auditor, "zainab");
    for _ in 0..ASKED {
        let refused = auditor.ask(office, &persons("by sex", "1")).await.unwrap_err();
        assert_eq!(refused.refusal(), "role", "it is signed");
    }
    assert_eq!(office.records().len(), 3);
    // Those of one do not hide another's, which say how many were left out before them.
    let other = world.caller(Role::Auditor, "ama").ask(office, &persons("by sex", "1")).await.unwrap_err();
    assert_eq!(other.refusal(), "role");
    // The refusal of one who may ask is recorded.
    let denied = world.analyst().ask(office, &persons("by sex", "101")).await.unwrap_err();
    assert!(!["role", "too-many-requests"].contains(&denied.refusal()));
    // One that has had its turn is recorded whatever is wrong with it.
    let malformed = world.analyst().ask(office, "lango-query 2\n").await.unwrap_err();
    assert_eq!(malformed.refusal(), "malformed");
    let left_out: Vec<i64> = office.records().iter().map(|record| record.left_out).collect();
    assert_eq!(left_out, [0, 0, 0, i64::try_from(ASKED - 3).unwrap(), 0, 0]);
}

#[tokio::test]
async fn refusals_and_unauthenticated_envelopes_write_a_bounded_number_of_lines_at_both_servers() {
    const SENT: usize = 50;
    let log = Log::new();
    let both = Both::start(ServerLimits { log_lines_per_second: 2, ..generous() }).await;
    let (world, office) = (&both.world, &both.office);
    let auditor = world.caller(Role::Auditor, "zainab");
    let question = auditor.question(&[&office.id], &persons("by sex", "1"));
    let good = auditor.sign(PayloadType::Query, question.encode());
    let forged = pb::Envelope { signature: vec![0; 64], ..good.clone() };
    let mut gateway = auditor.gateway(office).await;
    let mut coordinator = auditor.coordinator(&both.coordinator).await;
    for (envelope, code) in [(&good, Code::PermissionDenied), (&forged, Code::Unauthenticated)] {
        for _ in 0..SENT {
            let query = Some(envelope.clone());
            let refused = gateway.query(pb::GatewayServiceQueryRequest { query: query.clone() }).await;
            assert_eq!(refused.unwrap_err().code(), code);
            let request = pb::CoordinatorServiceQueryRequest { query, ..Default::default() };
            assert_eq!(coordinator.query(request).await.unwrap_err().code(), code);
        }
    }
    assert_eq!(office.records().len(), SENT, "the log leaves out, the record does not");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let lines = log.take();
    for said in [
        " refused",
        "an envelope was not authenticated",
        "an envelope is not authenticated",
        "a request is refused",
    ] {
        let written = lines.lines().filter(|line| line.contains(said)).count();
        assert!((1..SENT / 2).contains(&written), "{said}: {written} lines");
    }
    let left_out = lines.lines().filter(|line| line.contains("log lines were left out")).count();
    assert!(left_out >= 4, "{lines}");
}
