//! A coordinator that passes questions on to real gateways, and does with their answers what it likes.

use std::{pin::Pin, sync::Arc, time::Duration};

use lango_analyst::{AskEvent, Client, Credentials, Discarded, Enquiry};
use lango_identity::{PayloadType, Role, server_config};
use lango_privacy::Level;
use lango_testkit::{Caller, Office, Policy, Register, TestRegion, persons};
use lango_transport::{Pressure, ServerLimits};
use lango_wire::pb::{
    self, coordinator_service_query_response::Event, coordinator_service_server::CoordinatorService,
    coordinator_service_server::CoordinatorServiceServer, member_answer::Outcome,
};
use tokio_stream::{Iter, Stream};
use tonic::{Request, Response, Status, service::Routes};

const PATIENCE: Duration = Duration::from_secs(20);
/// What a question costs at an office: this, and billionths more by its number.
const PRICE: i64 = 250_000_000;

/// What it makes of the answers of this question; the second are those of the question before.
type Lie = fn(&mut Vec<pb::MemberAnswer>, &[pb::MemberAnswer], &Caller);

#[derive(Clone)]
struct Liar {
    own: Caller,
    offices: Arc<[Office; 2]>,
    before: Arc<Vec<pb::MemberAnswer>>,
    lie: Lie,
}

type Events<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answers = Iter<std::vec::IntoIter<Result<pb::CoordinatorServiceQueryResponse, Status>>>;

impl Liar {
    /// What the offices answer to a signed question.
    async fn honest(&self, query: Option<pb::Envelope>) -> Vec<pb::MemberAnswer> {
        let mut members = Vec::new();
        for office in self.offices.iter() {
            let request = pb::GatewayServiceQueryRequest { query: query.clone() };
            let answer = self.own.gateway(office).await.query(request).await.unwrap().into_inner();
            let outcome = Some(Outcome::Release(answer.release.unwrap()));
            members.push(pb::MemberAnswer { office: office.id.name().to_owned(), outcome });
        }
        members
    }
}

#[tonic::async_trait]
impl CoordinatorService for Liar {
    type QueryStream = Answers;
    type EstimateStream = Events<pb::CoordinatorServiceEstimateResponse>;
    type DescribeStream = Events<pb::CoordinatorServiceDescribeResponse>;

    async fn query(
        &self,
        request: Request<pb::CoordinatorServiceQueryRequest>,
    ) -> Result<Response<Answers>, Status> {
        let mut members = self.honest(request.into_inner().query).await;
        (self.lie)(&mut members, &self.before, &self.own);
        let event = |event| Ok(pb::CoordinatorServiceQueryResponse { event: Some(event) });
        let mut events: Vec<_> = members.into_iter().map(|member| event(Event::Member(member))).collect();
        // It has a result of its own, in which nobody has answered.
        events.push(event(Event::Result(pb::Result::default())));
        Ok(Response::new(tokio_stream::iter(events)))
    }

    async fn list_members(
        &self,
        _: Request<pb::CoordinatorServiceListMembersRequest>,
    ) -> Result<Response<pb::CoordinatorServiceListMembersResponse>, Status> {
        Err(Status::unimplemented("a test asks nothing of this kind"))
    }

    async fn get_revocations(
        &self,
        _: Request<pb::CoordinatorServiceGetRevocationsRequest>,
    ) -> Result<Response<pb::CoordinatorServiceGetRevocationsResponse>, Status> {
        Err(Status::unimplemented("a test asks nothing of this kind"))
    }

    async fn leave_renewal(
        &self,
        _: Request<pb::CoordinatorServiceLeaveRenewalRequest>,
    ) -> Result<Response<pb::CoordinatorServiceLeaveRenewalResponse>, Status> {
        Err(Status::unimplemented("a test asks nothing of this kind"))
    }

    async fn collect_certificates(
        &self,
        _: Request<pb::CoordinatorServiceCollectCertificatesRequest>,
    ) -> Result<Response<pb::CoordinatorServiceCollectCertificatesResponse>, Status> {
        Err(Status::unimplemented("a test asks nothing of this kind"))
    }

    async fn describe(
        &self,
        _: Request<pb::CoordinatorServiceDescribeRequest>,
    ) -> Result<Response<Self::DescribeStream>, Status> {
        Err(Status::unimplemented("a test asks nothing of this kind"))
    }

    async fn estimate(
        &self,
        _: Request<pb::CoordinatorServiceEstimateRequest>,
    ) -> Result<Response<Self::EstimateStream>, Status> {
        Err(Status::unimplemented("a test asks nothing of this kind"))
    }
}

/// Serves a lie and asks GHA and TGO by it: what happened, and who answered in the end with what sum.
async fn asked(world: &TestRegion, liar: Liar, question: &str) -> (Vec<AskEvent>, Vec<(String, i64)>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let tls = server_config(&liar.own.tls, &world.region).unwrap();
    let routes = Routes::new(CoordinatorServiceServer::new(liar));
    let serving = tokio::spawn(async move {
        let metrics = lango_metrics::Metrics::of_gateway(&[]);
        let limits = (&ServerLimits::default(), &Pressure::default(), &metrics);
        lango_transport::serve(listener, tls, routes, limits, std::future::pending()).await;
    });
    let awa = world.identity(Role::Analyst, "awa");
    let credentials = Credentials { region: world.region.clone(), tls: awa.tls(), signer: awa.signer() };
    let client = Client::connect(credentials, &address, PATIENCE).await.unwrap();
    let enquiry = Enquiry {
        query: question.parse().unwrap(),
        by_office: false,
        purpose: "official-statistics".to_owned(),
        at_least: 0,
        level: Level::USUAL,
        members: ["GHA", "TGO"].map(str::to_owned).into(),
    };
    let mut asking = client.ask(&enquiry).await.unwrap();
    let mut events = Vec::new();
    while let Some(event) = asking.next().await.unwrap() {
        events.push(event);
    }
    let answered = asking.finish().unwrap();
    serving.abort();
    let sums = answered.answers.iter().map(|(office, answer)| (office.clone(), answer.cells.iter().sum()));
    (events, sums.collect())
}

fn release(member: &mut pb::MemberAnswer) -> &mut pb::Release {
    let Some(Outcome::Release(release)) = &mut member.outcome else { panic!("a release") };
    release
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_drops_reorders_substitutes_adds_or_alters_answers_changes_no_figure_and_no_charge()
 {
    let world = TestRegion::new();
    let start = async |name| Office::start(&world, &Policy::of(name), &Register::sample(5)).await;
    let offices = Arc::new([start("GHA").await, start("TGO").await]);
    let own = world.caller(Role::Coordinator, "main");
    let honest: Lie = |_, _, _| {};
    let liar = |lie, before: &Arc<Vec<pb::MemberAnswer>>| Liar {
        own: own.clone(),
        offices: Arc::clone(&offices),
        before: Arc::clone(before),
        lie,
    };
    // The answers to another question of the same analyst, good as they are.
    let awa = world.analyst();
    let other = awa.question(&[&offices[0].id, &offices[1].id], &persons("by sex", "0.25"));
    let other = awa.sign(PayloadType::Query, other.encode());
    let before = Arc::new(liar(honest, &Arc::default()).honest(Some(other)).await);

    let cases: [(&str, Lie, &[&str], usize); 15] = [
        ("nothing", honest, &["GHA", "TGO"], 0),
        ("another order", |members, _, _| members.reverse(), &["GHA", "TGO"], 0),
        ("one is dropped", |members, _, _| drop(members.pop()), &["GHA"], 0),
        ("all are dropped", |members, _, _| members.clear(), &[], 0),
        (
            "one in place of the other",
            |members, _, _| {
                let [one, two] = &mut members[..] else { panic!() };
                std::mem::swap(&mut one.office, &mut two.office);
            },
            &[],
            2,
        ),
        (
            "one twice",
            |members, _, _| members[1] = pb::MemberAnswer { office: "TGO".into(), ..members[0].clone() },
            &["GHA"],
            1,
        ),
        ("one added", |members, _, _| members.push(members[0].clone()), &["GHA", "TGO"], 1),
        (
            "a stranger added",
            |members, _, _| members.push(pb::MemberAnswer { office: "NGA".into(), ..members[0].clone() }),
            &["GHA", "TGO"],
            1,
        ),
        ("yesterday's answer", |members, before, _| members[0] = before[0].clone(), &["TGO"], 1),
        (
            "yesterday's figures under today's signature",
            |members, before, _| {
                release(&mut members[0]).cells = release(&mut before[0].clone()).cells.clone()
            },
            &["TGO"],
            1,
        ),
        ("`repeated`", |members, _, _| release(&mut members[0]).repeated = true, &["TGO"], 1),
        ("one person more", |members, _, _| release(&mut members[0]).cells[0] += 1, &["TGO"], 1),
        (
            "no charge",
            |members, _, _| release(&mut members[0]).charged.as_mut().unwrap().pure_nano = Some(0),
            &["TGO"],
            1,
        ),
        (
            "a byte of what is signed",
            |members, _, _| {
                let payload = &mut release(&mut members[0]).envelope.as_mut().unwrap().payload;
                *payload.last_mut().unwrap() ^= 1;
            },
            &["TGO"],
            1,
        ),
        (
            "signed anew by a key that is no office's",
            |members, _, own| {
                let envelope = release(&mut members[0]).envelope.as_mut().unwrap();
                *envelope = own.sign(PayloadType::Release, envelope.payload.clone());
            },
            &["TGO"],
            1,
        ),
    ];
    for (number, (what, lie, expected, discarded)) in cases.into_iter().enumerate() {
        let question = persons("by age", &format!("0.25000{:04}", 2 * number + 1));
        let charged = offices.each_ref().map(|office| office.ledger().pure_nano(""));
        let (events, sums) = asked(&world, liar(lie, &before), &question).await;
        let answered: Vec<&str> = sums.iter().map(|(office, _)| office.as_str()).collect();
        assert_eq!(answered, expected, "{what}: {events:?}");
        let found = events.iter().filter(|event| matches!(event, AskEvent::Discarded { .. })).count();
        assert_eq!(found, discarded, "{what}: {events:?}");
        // What counts is what the office has stored, and each was charged once, whether the asker hears of it or not.
        for (office, before) in offices.iter().zip(charged) {
            let added = office.ledger().pure_nano("") - before;
            assert_eq!(added, PRICE + 2 * i64::try_from(number).unwrap() + 1, "{what}");
            let kept = awa.ask(office, &question).await.unwrap();
            assert!(kept.repeated && kept.charged.pure_nano == Some(0), "{what}");
            if let Some((_, sum)) = sums.iter().find(|(name, _)| name == office.id.name()) {
                assert_eq!(*sum, kept.cells.iter().sum::<i64>(), "{what}");
            }
        }
        for event in &events {
            let AskEvent::Discarded { office, why } = event else { continue };
            let is_named = match why {
                Discarded::Stranger => office == "NGA",
                Discarded::Again | Discarded::Unverified(_) => office != "NGA",
            };
            assert!(is_named, "{what}: {event:?}");
        }
    }
}
