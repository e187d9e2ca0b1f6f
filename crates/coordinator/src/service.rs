//! The service: one question to many members at once, each answer passed on as it comes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lango_access_log::MemberOutcome;
use lango_files::FileError;
use lango_identity::{PayloadType, SpiffeId};
use lango_privacy::Level;
use lango_statistics::{CombineError, Coverage, Outcome, combine_within};
use lango_store::StoreError;
use lango_transport::{Room, Rooms, Share, UnderWay};
use lango_wire::{
    Absence, AnswerError, FieldFault, Lookup, Malformed, OnWire, Question, Refusal, VerifiedRelease,
    envelope_digest,
    pb::{
        self, coordinator_service_query_response::Event, coordinator_service_server::CoordinatorService,
        member_answer, member_description, member_estimate,
    },
};
use tokio::task::{JoinSet, spawn_blocking};
use tonic::{Extensions, Request, Response, Status};
use tracing::Instrument;

use crate::{
    ask::{Asker, Came, Described, Enveloped, MemberGateway, Priced, Released, Reply},
    clock::now,
    combined,
    events::{EventStream, Events, streamed},
    log::{Entered, Log},
    mailbox::{MailboxConfig, NotTaken},
    members::{Members, Seat},
    memory::{AnswerSize, Memory, TABLE_CELLS_MOST},
    question::{Door, NotRelayed, Relayable, RelayedQuestion, Unread},
};

/// The coordinator's service.
pub(crate) struct Service {
    pub members: Members<MemberGateway>,
    pub asker: Arc<Asker>,
    /// Pages of members and revocation lists that are not taken yet.
    pub pages: Arc<Rooms>,
    pub door: Arc<Door>,
    /// What is passed on, and what comes back, is on record before it goes on.
    pub log: Option<Arc<Log>>,
    /// Where requests to the region's authority wait.
    pub mailbox: Option<MailboxConfig>,
}

fn mailbox_fails(error: &FileError) -> Status {
    tracing::error!(%error, "the mailbox cannot be used");
    Refusal::Unavailable.into_status(None)
}

#[tonic::async_trait]
impl CoordinatorService for Service {
    type QueryStream = EventStream<pb::CoordinatorServiceQueryResponse>;
    type EstimateStream = EventStream<pb::CoordinatorServiceEstimateResponse>;
    type DescribeStream = EventStream<pb::CoordinatorServiceDescribeResponse>;

    async fn list_members(
        &self,
        request: Request<pb::CoordinatorServiceListMembersRequest>,
    ) -> Result<Response<pb::CoordinatorServiceListMembersResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let pb::CoordinatorServiceListMembersRequest { page_size, page_token } = request;
        self.unsigned(&extensions, async { Ok(self.members.page(page_size, &page_token)) }).await
    }

    async fn get_revocations(
        &self,
        request: Request<pb::CoordinatorServiceGetRevocationsRequest>,
    ) -> Result<Response<pb::CoordinatorServiceGetRevocationsResponse>, Status> {
        let (_, extensions, _) = request.into_parts();
        let lists = || self.asker.region.revocations().to_pem();
        let found = async { Ok(pb::CoordinatorServiceGetRevocationsResponse { lists: lists() }) };
        self.unsigned(&extensions, found).await
    }

    async fn leave_renewal(
        &self,
        request: Request<pb::CoordinatorServiceLeaveRenewalRequest>,
    ) -> Result<Response<pb::CoordinatorServiceLeaveRenewalResponse>, Status> {
        let (_, extensions, pb::CoordinatorServiceLeaveRenewalRequest { request }) = request.into_parts();
        let region = self.asker.region.clone();
        let left = self.in_mailbox(move |mailbox| mailbox.leave(&request, &region));
        let left = async {
            match left.await? {
                Ok(principal) => {
                    tracing::info!(%principal, "a request for certificates lies in the mailbox");
                    Ok(pb::CoordinatorServiceLeaveRenewalResponse {})
                }
                Err(NotTaken::Refused(why)) => Err(Status::invalid_argument(why)),
                Err(NotTaken::File(error)) => Err(mailbox_fails(&error)),
            }
        };
        self.unsigned(&extensions, left).await
    }

    async fn collect_certificates(
        &self,
        request: Request<pb::CoordinatorServiceCollectCertificatesRequest>,
    ) -> Result<Response<pb::CoordinatorServiceCollectCertificatesResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let found = async {
            let principal: SpiffeId = request.principal.parse().map_err(|_| {
                let fault = FieldFault::Word;
                Refusal::from(Malformed { field: "principal", fault }).into_status(None)
            })?;
            let found = self.in_mailbox(move |mailbox| mailbox.collect(&principal));
            let certificates = found.await?.map_err(|error| mailbox_fails(&error))?.unwrap_or_default();
            Ok(pb::CoordinatorServiceCollectCertificatesResponse { certificates })
        };
        self.unsigned(&extensions, found).await
    }

    async fn describe(
        &self,
        request: Request<pb::CoordinatorServiceDescribeRequest>,
    ) -> Result<Response<Self::DescribeStream>, Status> {
        let (_, extensions, pb::CoordinatorServiceDescribeRequest { lookup }) = request.into_parts();
        let (asked, share) = self.read::<Lookup>(lookup, PayloadType::Lookup, &extensions).await?;
        self.pass_on(&asked).await?;
        let under_way = keep(&extensions, share);
        let seats = self.members.seats(&asked.audience);
        let fan_out = FanOut::new(&seats, (PayloadType::Lookup, self.log.clone()), &asked, {
            let asker = self.asker.clone();
            move |seat, asked| asker.clone().describe(seat, asked)
        });
        Ok(Response::new(streamed(under_way, |events| async move {
            relay_descriptions(fan_out, &events).await;
        })))
    }

    async fn estimate(
        &self,
        request: Request<pb::CoordinatorServiceEstimateRequest>,
    ) -> Result<Response<Self::EstimateStream>, Status> {
        let (_, extensions, pb::CoordinatorServiceEstimateRequest { estimate }) = request.into_parts();
        let (asked, share) = self.read::<Question>(estimate, PayloadType::Estimate, &extensions).await?;
        self.pass_on(&asked).await?;
        let under_way = keep(&extensions, share);
        let seats = self.members.seats(&asked.audience);
        let fan_out = FanOut::new(&seats, (PayloadType::Estimate, self.log.clone()), &asked, {
            let asker = self.asker.clone();
            move |seat, asked| asker.clone().estimate(seat, asked)
        });
        Ok(Response::new(streamed(under_way, |events| async move { relay_prices(fan_out, &events).await })))
    }

    async fn query(
        &self,
        request: Request<pb::CoordinatorServiceQueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let (_, extensions, request) = request.into_parts();
        let (asked, share) = self.read::<Question>(request.query, PayloadType::Query, &extensions).await?;
        let under_way = keep(&extensions, share);
        let asker = self.asker.clone();
        let level = match request.confidence.as_str() {
            "" => Ok(Level::USUAL),
            text => text.parse().map_err(|error: lango_privacy::LevelError| Refusal::from(error)),
        };
        let level = match asked.fits(request.by_office).and(level) {
            Ok(level) => level,
            Err(refusal) => return Err(self.refuse(PayloadType::Query, &asked.entered, refusal).await),
        };
        self.pass_on(&asked).await?;
        let layout = (!request.members_only).then_some((request.by_office, level));
        let seats = self.members.seats(&asked.audience);
        let fan_out = FanOut::new(&seats, (PayloadType::Query, self.log.clone()), &asked, {
            let asker = self.asker.clone();
            move |seat, asked| asker.clone().query(seat, asked)
        });
        Ok(Response::new(streamed(under_way, move |events| async move {
            relay(fan_out, layout, &events, &asker.memory).await;
        })))
    }
}

impl Service {
    /// Answers a call that nobody signs: it takes of its address's share, and its answer has room.
    async fn unsigned<T: OnWire>(
        &self,
        extensions: &Extensions,
        answer: impl Future<Output = Result<T, Status>>,
    ) -> Result<Response<T>, Status> {
        let peer = extensions.get::<UnderWay>().map(|under_way| (under_way, under_way.peer()));
        if let Some((under_way, peer)) = &peer {
            under_way.keep(self.door.share_of(peer)?);
        }
        let answer = answer.await?;
        if let Some((under_way, peer)) = &peer {
            let room = self.pages.room_now(peer, answer.wire_bytes());
            let wait = Duration::from_secs(1);
            let room = room.ok_or_else(|| Refusal::TooManyRequests { wait }.into_status(None))?;
            under_way.keep(room);
        }
        Ok(Response::new(answer))
    }

    /// What is done with the mailbox, whose files take time.
    async fn in_mailbox<T: Send + 'static>(
        &self,
        done: impl FnOnce(&MailboxConfig) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let mailbox = self.mailbox.clone().ok_or_else(|| Status::unimplemented("no mailbox is kept here"))?;
        let done = spawn_blocking(move || done(&mailbox)).await;
        done.map_err(|_| Refusal::Unavailable.into_status(None))
    }

    /// A request that may be relayed, and its analyst's share.
    async fn read<T: Relayable>(
        &self,
        envelope: Option<pb::Envelope>,
        kind: PayloadType,
        extensions: &Extensions,
    ) -> Result<(Arc<RelayedQuestion>, Share), Status> {
        let memory = (&self.asker.region, &self.asker.memory);
        match RelayedQuestion::read::<T>(envelope, kind, memory, now(), &self.door).await {
            Ok((mut asked, share)) => {
                asked.trace = extensions.get().and_then(UnderWay::trace);
                asked.entered.traced(asked.trace.map(|trace| trace.trace()));
                Ok((Arc::new(asked), share))
            }
            Err(Unread::Unknown(status)) => Err(status),
            Err(Unread::Refused(NotRelayed { entered, refusal })) => {
                Err(self.refuse(kind, &entered, refusal).await)
            }
        }
    }

    /// Records that a request is passed on: without that it is not.
    async fn pass_on(&self, asked: &RelayedQuestion) -> Result<(), Status> {
        let Some(log) = &self.log else { return Ok(()) };
        log.relayed(&asked.entered).await.map_err(|error| unrecorded(&error))
    }

    /// Records a refusal, and makes its status.
    async fn refuse(&self, kind: PayloadType, entered: &Entered, refusal: Refusal) -> Status {
        if let Some(log) = &self.log
            && let Err(error) = log.refused(entered, refusal.code()).await
        {
            return unrecorded(&error);
        }
        self.door.refused(kind, entered.principal(), &refusal)
    }
}

/// What cannot be recorded is not done.
fn unrecorded(error: &StoreError) -> Status {
    tracing::error!(%error, "the log cannot be written");
    Refusal::Unavailable.into_status(None)
}

/// A reply that is on record, or what is said in its place.
async fn recorded<T: Enveloped>(
    log: Option<&Arc<Log>>,
    request: [u8; 32],
    office: &str,
    reply: Reply<T>,
) -> Reply<T> {
    let Some(log) = log else { return reply };
    let answer = match &reply {
        Reply::Answer(answer) => (MemberOutcome::Answered, Some(answer.digest()), None),
        Reply::Refused(refusal, _) => {
            let digest = refusal.envelope.as_ref().map(envelope_digest);
            (MemberOutcome::Refused, digest, Some(refusal.reason.clone()))
        }
        Reply::Missing(missing) => (MemberOutcome::Missing, None, Some(missing.reason.clone())),
    };
    match log.answered(request, office, answer).await {
        Ok(()) => reply,
        Err(error) => {
            tracing::error!(%error, %office, "a member's answer cannot be recorded");
            Arc::clone(log).missed_later(request, office.to_owned(), "unrecorded");
            Reply::missing(Absence::Silent, "the coordinator cannot write its log; ask again")
        }
    }
}

/// Keeps a share until the answer is sent, or its asker is gone: then every call to a member has ended too.
fn keep(extensions: &Extensions, share: Share) -> Option<UnderWay> {
    let under_way = extensions.get::<UnderWay>().cloned();
    if let Some(under_way) = &under_way {
        under_way.keep(share);
    }
    under_way
}

/// Passes every member's price on as it comes.
async fn relay_prices(mut fan_out: FanOut<Priced>, events: &Events<pb::CoordinatorServiceEstimateResponse>) {
    while let Some((_, office, reply)) = fan_out.next().await {
        let (outcome, room) = match reply {
            Reply::Answer(Came { sealed, room, .. }) => match sealed.passed_on() {
                Ok(price) => (member_estimate::Outcome::Estimate(price), Some(room)),
                Err(error) => (member_estimate::Outcome::Missing(unreadable(&error)), None),
            },
            Reply::Refused(refusal, room) => (member_estimate::Outcome::Refusal(refusal), room),
            Reply::Missing(missing) => (member_estimate::Outcome::Missing(missing), None),
        };
        let member = Some(pb::MemberEstimate { office, outcome: Some(outcome) });
        if !events.send(Ok(pb::CoordinatorServiceEstimateResponse { member }), room).await {
            return;
        }
    }
    if let Err(status) = fan_out.coverage() {
        let _ = events.send(Err(status), None).await;
    }
}

/// Passes every member's description on as it comes.
async fn relay_descriptions(
    mut fan_out: FanOut<Described>,
    events: &Events<pb::CoordinatorServiceDescribeResponse>,
) {
    while let Some((_, office, reply)) = fan_out.next().await {
        let (outcome, room) = match reply {
            Reply::Answer(Came { sealed, room, .. }) => match sealed.passed_on() {
                Ok(description) => (member_description::Outcome::Description(description), Some(room)),
                Err(error) => (member_description::Outcome::Missing(unreadable(&error)), None),
            },
            Reply::Refused(refusal, room) => (member_description::Outcome::Refusal(refusal), room),
            Reply::Missing(missing) => (member_description::Outcome::Missing(missing), None),
        };
        let member = Some(pb::MemberDescription { office, outcome: Some(outcome) });
        if !events.send(Ok(pb::CoordinatorServiceDescribeResponse { member }), room).await {
            return;
        }
    }
    if let Err(status) = fan_out.coverage() {
        let _ = events.send(Err(status), None).await;
    }
}

/// Passes every member's answer on as it comes, then the result where one is to be laid out.
async fn relay(
    mut fan_out: FanOut<Released>,
    layout: Option<(bool, Level)>,
    events: &Events<pb::CoordinatorServiceQueryResponse>,
    memory: &Memory,
) {
    let event = |event| Ok(pb::CoordinatorServiceQueryResponse { event: Some(event) });
    let mut added = Vec::new();
    while let Some((index, office, reply)) = fan_out.next().await {
        let (outcome, room) = match reply {
            Reply::Answer(Came { sealed, verified, mut room }) => {
                let size = AnswerSize::from(&sealed);
                match sealed.passed_on(verified.cells.clone()) {
                    Ok(release) => {
                        if layout.is_some() {
                            match memory.added(&fan_out.analyst, size) {
                                Some(room) => added.push((index, verified, room)),
                                None => fan_out.leave_out(index),
                            }
                        }
                        room.shrink(size.sealed);
                        (member_answer::Outcome::Release(release), Some(room))
                    }
                    Err(error) => (member_answer::Outcome::Missing(unreadable(&error)), None),
                }
            }
            Reply::Refused(refusal, room) => (member_answer::Outcome::Refusal(refusal), room),
            Reply::Missing(missing) => (member_answer::Outcome::Missing(missing), None),
        };
        let answer = pb::MemberAnswer { office, outcome: Some(outcome) };
        if !events.send(event(Event::Member(answer)), room).await {
            return;
        }
    }
    let result = match layout {
        Some((by_office, level)) => combined_result(fan_out, added, by_office, level, memory).await.map(Some),
        None => fan_out.coverage().map(|_| None),
    };
    let last = match result {
        Ok(Some(result)) => event(Event::Result(result)),
        Ok(None) => return,
        Err(status) => Err(status),
    };
    // Nobody may be listening any more.
    let _ = events.send(last, None).await;
}

/// The answers added up, in the order of their seats, and who is in the tables.
async fn combined_result(
    mut fan_out: FanOut<Released>,
    mut added: Vec<(usize, VerifiedRelease, Room)>,
    by_office: bool,
    level: Level,
    memory: &Memory,
) -> Result<pb::Result, Status> {
    added.sort_by_key(|(index, ..)| *index);
    // Intervals are arithmetic of some milliseconds to seconds: not for the threads that serve.
    let tables = memory.tables(move || {
        let answers: Vec<_> = added.iter().map(|(_, verified, _)| verified.side_by_side()).collect();
        let (tables, left_out) = combine_within(&answers, by_office, level, TABLE_CELLS_MOST)?;
        let left_out: Vec<String> = left_out.into_iter().map(str::to_owned).collect();
        Ok::<_, CombineError>((tables.into_iter().map(combined::table).collect(), left_out))
    });
    let failed = || Status::internal("the answers could not be combined");
    let (tables, left_out) = match tables.await.map_err(|_| failed())? {
        Ok(made) => made,
        Err(CombineError::TooManyCells) => return Err(Refusal::TablesTooLarge.into_status(None)),
        Err(error) => {
            tracing::error!(%error, "verified answers could not be combined");
            return Err(failed());
        }
    };
    left_out.iter().for_each(|office| fan_out.leave_out_office(office));
    let coverage = Some(combined::coverage(fan_out.coverage()?));
    Ok(pb::Result { coverage, tables })
}

fn unreadable(error: &AnswerError) -> pb::Missing {
    pb::Missing { reason: Absence::Unverified.reason().to_owned(), message: error.to_string() }
}

/// One question under way at many members. Dropping it ends every call, which is on record for each that had not ended.
struct FanOut<T> {
    kind: PayloadType,
    log: Option<Arc<Log>>,
    request: [u8; 32],
    begun: Instant,
    offices: Vec<String>,
    analyst: String,
    calls: JoinSet<(usize, Reply<T>)>,
    /// By the seats' order; nothing while a call is under way.
    outcomes: Vec<Option<Outcome>>,
}

impl<T: Enveloped + Send + Sync + 'static> FanOut<T> {
    fn new<F>(
        seats: &[Seat<MemberGateway>],
        (kind, log): (PayloadType, Option<Arc<Log>>),
        asked: &Arc<RelayedQuestion>,
        ask: impl Fn(Seat<MemberGateway>, Arc<RelayedQuestion>) -> F,
    ) -> Self
    where
        F: Future<Output = Reply<T>> + Send + 'static,
    {
        let mut calls = JoinSet::new();
        for (index, seat) in seats.iter().enumerate() {
            let reply = ask(seat.clone(), asked.clone());
            let (log, office, request) = (log.clone(), seat.office.clone(), asked.request_digest);
            let recorded =
                async move { (index, recorded(log.as_ref(), request, &office, reply.await).await) };
            calls.spawn(recorded.in_current_span());
        }
        Self {
            kind,
            log,
            request: asked.request_digest,
            begun: Instant::now(),
            offices: seats.iter().map(|seat| seat.office.clone()).collect(),
            analyst: asked.analyst.clone(),
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

    /// The answer of this seat is in no table: it is too large.
    fn leave_out(&mut self, index: usize) {
        if let Some(outcome) = self.outcomes.get_mut(index) {
            *outcome = Some(Outcome::Missing(Absence::TooManyCells.reason().to_owned()));
        }
    }

    /// The same of this office.
    fn leave_out_office(&mut self, office: &str) {
        if let Some(index) = self.offices.iter().position(|seated| seated == office) {
            self.leave_out(index);
        }
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
            request = %hex::encode(self.request),
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

impl<T> Drop for FanOut<T> {
    /// Its asker has gone: what members answer from now on is passed on to nobody.
    fn drop(&mut self) {
        let Some(log) = &self.log else { return };
        for (office, _) in self.offices.iter().zip(&self.outcomes).filter(|(_, outcome)| outcome.is_none()) {
            Arc::clone(log).missed_later(self.request, office.clone(), "asker-gone");
        }
    }
}
