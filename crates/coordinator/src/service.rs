//! The service: one question to many members at once, each answer passed on as it comes.

use std::{sync::Arc, time::Instant};

use lango_identity::PayloadType;
use lango_privacy::Level;
use lango_statistics::{CombineError, Coverage, Outcome, combine};
use lango_transport::{Share, UnderWay};
use lango_wire::{
    Absence, AnswerError, Refusal, VerifiedRelease,
    client::GatewayClient,
    pb::{
        self, coordinator_service_query_response::Event, coordinator_service_server::CoordinatorService,
        member_answer, member_estimate,
    },
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Extensions, Request, Response, Status};

use crate::{
    ask::{Asker, Released, Reply, now},
    combined,
    members::{Members, Seat},
    question::{Door, RelayedQuestion},
};

/// Events that wait for a slow reader: answers are large, so no more than one.
const EVENTS_WAITING_MAX: usize = 1;

/// The coordinator's service.
pub(crate) struct Service {
    pub members: Members<GatewayClient>,
    pub asker: Arc<Asker>,
    pub door: Door,
}

type Events<T> = mpsc::Sender<Result<T, Status>>;

#[tonic::async_trait]
impl CoordinatorService for Service {
    type QueryStream = ReceiverStream<Result<pb::CoordinatorServiceQueryResponse, Status>>;
    type EstimateStream = ReceiverStream<Result<pb::CoordinatorServiceEstimateResponse, Status>>;

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
    ) -> Result<Response<Self::EstimateStream>, Status> {
        let (_, extensions, pb::CoordinatorServiceEstimateRequest { estimate }) = request.into_parts();
        let (asked, share) =
            RelayedQuestion::read(estimate, PayloadType::Estimate, &self.asker.region, now(), &self.door)?;
        let asked = Arc::new(asked);
        keep(&extensions, share);
        let seats = self.members.seats(&asked.audience);
        let fan_out = FanOut::new(&seats, PayloadType::Estimate, &asked, {
            let asker = self.asker.clone();
            move |seat, asked| {
                let asker = asker.clone();
                async move { asker.estimate(seat, &asked).await }
            }
        });
        Ok(Response::new(streamed(|events| async move { relay_prices(fan_out, &events).await })))
    }

    async fn query(
        &self,
        request: Request<pb::CoordinatorServiceQueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let (_, extensions, request) = request.into_parts();
        let (asked, share) =
            RelayedQuestion::read(request.query, PayloadType::Query, &self.asker.region, now(), &self.door)?;
        let asked = Arc::new(asked);
        keep(&extensions, share);
        asked.fits(request.by_office).map_err(|refusal| refusal.into_status(None))?;
        let level = match request.confidence.as_str() {
            "" => Level::USUAL,
            text => text
                .parse()
                .map_err(|error: lango_privacy::LevelError| Refusal::from(error).into_status(None))?,
        };
        let layout = (!request.members_only).then_some((request.by_office, level));
        let seats = self.members.seats(&asked.audience);
        let fan_out = FanOut::new(&seats, PayloadType::Query, &asked, {
            let asker = self.asker.clone();
            move |seat, asked| {
                let asker = asker.clone();
                async move { asker.query(seat, &asked).await }
            }
        });
        Ok(Response::new(streamed(move |events| async move { relay(fan_out, layout, &events).await })))
    }
}

/// Keeps a share until the answer is sent, or its asker is gone: then every call to a member has ended too.
fn keep(extensions: &Extensions, share: Share) {
    if let Some(under_way) = extensions.get::<UnderWay>() {
        under_way.keep(share);
    }
}

/// The stream of the events that some work makes. The work ends when nobody reads any more, which ends every call.
fn streamed<T, F>(work: impl FnOnce(Events<T>) -> F) -> ReceiverStream<Result<T, Status>>
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (events, stream) = mpsc::channel(EVENTS_WAITING_MAX);
    let work = work(events.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = events.closed() => {}
            () = work => {}
        }
    });
    ReceiverStream::new(stream)
}

/// Passes every member's price on as it comes.
async fn relay_prices(
    mut fan_out: FanOut<lango_wire::sealed::SealedPrice>,
    events: &Events<pb::CoordinatorServiceEstimateResponse>,
) {
    while let Some((_, office, reply)) = fan_out.next().await {
        let outcome = match reply {
            Reply::Answer(price) => match price.passed_on() {
                Ok(price) => member_estimate::Outcome::Estimate(price),
                Err(error) => member_estimate::Outcome::Missing(unreadable(&error)),
            },
            Reply::Refused(refusal) => member_estimate::Outcome::Refusal(refusal),
            Reply::Missing(missing) => member_estimate::Outcome::Missing(missing),
        };
        let member = Some(pb::MemberEstimate { office, outcome: Some(outcome) });
        if events.send(Ok(pb::CoordinatorServiceEstimateResponse { member })).await.is_err() {
            return;
        }
    }
    if let Err(status) = fan_out.coverage() {
        drop(events.send(Err(status)).await);
    }
}

/// Passes every member's answer on as it comes, then the result where one is to be laid out.
async fn relay(
    mut fan_out: FanOut<Released>,
    layout: Option<(bool, Level)>,
    events: &Events<pb::CoordinatorServiceQueryResponse>,
) {
    let event = |event| Ok(pb::CoordinatorServiceQueryResponse { event: Some(event) });
    let mut answers = Vec::new();
    while let Some((index, office, reply)) = fan_out.next().await {
        let outcome = match reply {
            Reply::Answer(released) => match passed_on(released, layout.is_some()) {
                Ok((release, verified)) => {
                    answers.extend(verified.map(|verified| (index, verified)));
                    member_answer::Outcome::Release(release)
                }
                Err(error) => member_answer::Outcome::Missing(unreadable(&error)),
            },
            Reply::Refused(refusal) => member_answer::Outcome::Refusal(refusal),
            Reply::Missing(missing) => member_answer::Outcome::Missing(missing),
        };
        let answer = pb::MemberAnswer { office, outcome: Some(outcome) };
        if events.send(event(Event::Member(answer))).await.is_err() {
            return;
        }
    }
    let coverage = fan_out.coverage();
    let Some((by_office, level)) = layout else { return };
    answers.sort_by_key(|(index, _)| *index);
    // Intervals are arithmetic of some milliseconds to seconds: not for the threads that serve.
    let tables = tokio::task::spawn_blocking(move || {
        let answers: Vec<_> = answers.iter().map(|(_, verified)| verified.side_by_side()).collect();
        let tables = combine(&answers, by_office, level)?;
        Ok::<_, CombineError>(tables.into_iter().map(combined::table).collect())
    });
    let result = match (coverage, tables.await) {
        (Ok(coverage), Ok(Ok(tables))) => {
            let coverage = Some(combined::coverage(coverage));
            event(Event::Result(pb::Result { coverage, tables }))
        }
        (Err(status), _) => Err(status),
        (_, Ok(Err(CombineError::TooManyCells))) => Err(Refusal::TablesTooLarge.into_status(None)),
        (_, Ok(Err(error))) => {
            tracing::error!(%error, "verified answers could not be combined");
            Err(Status::internal("the answers could not be combined"))
        }
        (_, Err(_)) => Err(Status::internal("the answers could not be combined")),
    };
    // Nobody may be listening any more.
    drop(events.send(result).await);
}

/// A release as it is passed on; kept for the tables too where there will be some.
fn passed_on(
    Released { sealed, mut verified }: Released,
    kept: bool,
) -> Result<(pb::Release, Option<VerifiedRelease>), AnswerError> {
    if kept {
        return Ok((sealed.passed_on(verified.cells.clone())?, Some(verified)));
    }
    Ok((sealed.passed_on(std::mem::take(&mut verified.cells))?, None))
}

fn unreadable(error: &AnswerError) -> pb::Missing {
    pb::Missing { reason: Absence::Unverified.reason().to_owned(), message: error.to_string() }
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
        seats: &[Seat<GatewayClient>],
        kind: PayloadType,
        asked: &Arc<RelayedQuestion>,
        ask: impl Fn(Seat<GatewayClient>, Arc<RelayedQuestion>) -> F,
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
