//! The service: one question to many members at once, each answer passed on as it comes.

use std::{sync::Arc, time::Instant};

use lango_identity::PayloadType;
use lango_privacy::Level;
use lango_statistics::{Coverage, Outcome, combine};
use lango_transport::{Share, UnderWay};
use lango_wire::{
    Refusal,
    pb::{
        self, coordinator_service_query_response::Event, coordinator_service_server::CoordinatorService,
        member_answer, member_estimate,
    },
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Extensions, Request, Response, Status};

use crate::{
    ask::{Absence, Asker, Gateway, Released, Reply, now, side_by_side},
    combined,
    members::{Members, Seat},
    question::{Asked, Door},
};

/// The coordinator's service.
pub(crate) struct Service {
    pub members: Members<Gateway>,
    pub asker: Arc<Asker>,
    pub door: Door,
}

type Events = Result<pb::CoordinatorServiceQueryResponse, Status>;

#[tonic::async_trait]
impl CoordinatorService for Service {
    type QueryStream = ReceiverStream<Events>;

    async fn list_members(
        &self,
        request: Request<pb::CoordinatorServiceListMembersRequest>,
    ) -> Result<Response<pb::CoordinatorServiceListMembersResponse>, Status> {
        let pb::CoordinatorServiceListMembersRequest { page_size, page_token } = request.into_inner();
        Ok(Response::new(self.members.page(page_size, &page_token)))
    }

    async fn estimate(
        &self,
        request: Request<pb::CoordinatorServiceEstimateRequest>,
    ) -> Result<Response<pb::CoordinatorServiceEstimateResponse>, Status> {
        let (_, extensions, pb::CoordinatorServiceEstimateRequest { estimate }) = request.into_parts();
        let (asked, share) =
            Asked::read(estimate, PayloadType::Estimate, &self.asker.region, now(), &self.door)?;
        let asked = Arc::new(asked);
        keep(&extensions, share);
        let seats = self.members.seats(&asked.audience);
        let mut fan_out = FanOut::new(&seats, PayloadType::Estimate, &asked, {
            let asker = self.asker.clone();
            move |seat, asked| {
                let asker = asker.clone();
                async move { asker.estimate(seat, &asked).await }
            }
        });
        let mut prices: Vec<Option<pb::MemberEstimate>> = vec![None; seats.len()];
        while let Some((index, office, reply)) = fan_out.next().await {
            let outcome = match reply {
                Reply::Answer(price) => member_estimate::Outcome::Estimate(price),
                Reply::Refused(refusal) => member_estimate::Outcome::Refusal(refusal),
                Reply::Missing(missing) => member_estimate::Outcome::Missing(missing),
            };
            if let Some(place) = prices.get_mut(index) {
                *place = Some(pb::MemberEstimate { office, outcome: Some(outcome) });
            }
        }
        fan_out.coverage()?;
        let members = prices.into_iter().flatten().collect();
        Ok(Response::new(pb::CoordinatorServiceEstimateResponse { members }))
    }

    async fn query(
        &self,
        request: Request<pb::CoordinatorServiceQueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let (_, extensions, request) = request.into_parts();
        let pb::CoordinatorServiceQueryRequest { query, by_office, confidence } = request;
        let (asked, share) = Asked::read(query, PayloadType::Query, &self.asker.region, now(), &self.door)?;
        let asked = Arc::new(asked);
        keep(&extensions, share);
        asked.fits(by_office).map_err(|refusal| refusal.into_status(None))?;
        let level = match confidence.as_str() {
            "" => Level::USUAL,
            text => text.parse().map_err(|error: lango_privacy::LevelError| {
                let message = error.to_string();
                Refusal { code: "malformed", message, field: Some("confidence") }.into_status(None)
            })?,
        };
        let seats = self.members.seats(&asked.audience);
        let fan_out = FanOut::new(&seats, PayloadType::Query, &asked, {
            let asker = self.asker.clone();
            move |seat, asked| {
                let asker = asker.clone();
                async move { asker.query(seat, &asked).await }
            }
        });
        let (events, stream) = mpsc::channel(16);
        tokio::spawn(async move {
            tokio::select! {
                // Whoever asked has gone: dropping the fan-out ends every call.
                () = events.closed() => {}
                () = relay(fan_out, by_office, level, &events) => {}
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// Keeps a share until the answer is sent, or its asker is gone: then every call to a member has ended too.
fn keep(extensions: &Extensions, share: Share) {
    if let Some(under_way) = extensions.get::<UnderWay>() {
        under_way.keep(share);
    }
}

/// Passes every member's answer on as it comes, then the result.
async fn relay(mut fan_out: FanOut<Released>, by_office: bool, level: Level, events: &mpsc::Sender<Events>) {
    let event = |event| Ok(pb::CoordinatorServiceQueryResponse { event: Some(event) });
    let mut answers = Vec::new();
    while let Some((index, office, reply)) = fan_out.next().await {
        let outcome = match reply {
            Reply::Answer(Released { release, answer }) => {
                answers.push((index, office.clone(), answer));
                member_answer::Outcome::Release(release)
            }
            Reply::Refused(refusal) => member_answer::Outcome::Refusal(refusal),
            Reply::Missing(missing) => member_answer::Outcome::Missing(missing),
        };
        let answer = pb::MemberAnswer { office, outcome: Some(outcome) };
        if events.send(event(Event::Member(answer))).await.is_err() {
            return;
        }
    }
    let coverage = fan_out.coverage();
    answers.sort_by_key(|(index, ..)| *index);
    // Intervals are arithmetic of some milliseconds to seconds: not for the threads that serve.
    let tables = tokio::task::spawn_blocking(move || {
        let answers: Vec<_> =
            answers.iter().map(|(_, office, answer)| side_by_side(office, answer)).collect();
        let tables = combine(&answers, by_office, level)?;
        Ok::<_, lango_statistics::CombineError>(tables.into_iter().map(combined::table).collect())
    });
    let result = match (coverage, tables.await) {
        (Ok(coverage), Ok(Ok(tables))) => {
            let coverage = Some(combined::coverage(coverage));
            event(Event::Result(pb::Result { coverage, tables }))
        }
        (Err(status), _) => Err(status),
        (_, Ok(Err(error))) => Err(Refusal::new("too-many-cells", error.to_string()).into_status(None)),
        (_, Err(_)) => Err(Status::internal("the answers could not be combined")),
    };
    // Nobody may be listening any more.
    drop(events.send(result).await);
}

/// One question under way at many members. Dropping it ends every call.
struct FanOut<T> {
    kind: PayloadType,
    request: String,
    begun: Instant,
    offices: Vec<String>,
    calls: JoinSet<(usize, Reply<T>)>,
    /// By the seats' order; nothing while a call is under way.
    outcomes: Vec<Option<Outcome>>,
}

impl<T: Send + 'static> FanOut<T> {
    fn new<F>(
        seats: &[Seat<Gateway>],
        kind: PayloadType,
        asked: &Arc<Asked>,
        ask: impl Fn(Seat<Gateway>, Arc<Asked>) -> F,
    ) -> Self
    where
        F: Future<Output = Reply<T>> + Send + 'static,
    {
        let mut calls = JoinSet::new();
        for (index, seat) in seats.iter().enumerate() {
            let reply = ask(seat.clone(), asked.clone());
            calls.spawn(async move { (index, reply.await) });
        }
        Self {
            kind,
            request: hex::encode(asked.request_digest),
            begun: Instant::now(),
            offices: seats.iter().map(|seat| seat.office.clone()).collect(),
            calls,
            outcomes: vec![None; seats.len()],
        }
    }

    /// The next reply, with the seat's place and office; nothing when every seat has had one.
    async fn next(&mut self) -> Option<(usize, String, Reply<T>)> {
        let (index, reply) = loop {
            match self.calls.join_next().await {
                Some(Ok(replied)) => break replied,
                // A call that did not end properly: its seat comes last.
                Some(Err(_)) => {}
                None => {
                    let index = self.outcomes.iter().position(Option::is_none)?;
                    break (index, Reply::missing(Absence::Unverified, "the answer could not be read"));
                }
            }
        };
        *self.outcomes.get_mut(index)? = Some(reply.outcome());
        Some((index, self.offices.get(index)?.clone(), reply))
    }

    /// Who has answered, once every seat has had its reply; writes the question's line in the log.
    fn coverage(&mut self) -> Result<Coverage, Status> {
        let outcomes = self.offices.iter().cloned().zip(self.outcomes.drain(..).flatten());
        let coverage = Coverage::new(self.offices.iter().cloned(), outcomes)
            .map_err(|error| Status::internal(error.to_string()))?;
        let list = |absent: &[lango_statistics::Absent]| {
            let each: Vec<_> = absent.iter().map(|one| format!("{}:{}", one.office, one.reason)).collect();
            each.join(",")
        };
        tracing::info!(
            request = %self.request,
            kind = %self.kind,
            asked = coverage.asked.len(),
            answered = coverage.answered.len(),
            refused = %list(&coverage.refused),
            missing = %list(&coverage.missing),
            ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "a question was relayed"
        );
        Ok(coverage)
    }
}
