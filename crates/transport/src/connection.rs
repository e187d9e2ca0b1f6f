//! One established connection: HTTP/2 until it is idle, old or stalled, or the server stops.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Instant};

use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use lango_metrics::{Door, Metrics};
use tokio::{net::TcpStream, sync::watch, time::sleep_until};
use tokio_rustls::server::TlsStream;
use tonic::{
    Status,
    codegen::http::{Request, Response, request::Parts},
    service::Routes,
};
use tower::ServiceExt;
use tracing::Instrument;

use crate::{
    Rooms, ServerLimits, UnderWay,
    activity::{Activity, Verdict},
    bytes::Purse,
    head,
    limits::{
        CONNECTION_WINDOW_BYTES, HEADER_BYTES_MAX, KEEPALIVE_ANSWER_MAX, KEEPALIVE_EVERY, LEAVE_TIME_MAX,
        REQUEST_BYTES, STREAM_WINDOW_BYTES, UNSIGNED_BYTES, UNSIGNED_SERVICES,
    },
    peer::Peer,
    places::Place,
    request::{NO_MORE_BYTES, RequestBody},
    response::{Answered, status_of},
};

/// How one connection is served.
pub(crate) struct Connection {
    pub routes: Routes,
    pub limits: ServerLimits,
    pub peer: Peer,
    pub purse: Purse,
    /// Its place, which it gives up while it is idle.
    pub place: Place,
    /// What services that nobody signs for take together.
    pub unsigned: Arc<Rooms>,
    /// What is shown of it.
    pub metrics: Metrics,
    /// How many wait for memory that answers take.
    pub pressed: watch::Receiver<usize>,
    /// True once the server stops.
    pub stopping: watch::Receiver<bool>,
}

impl Connection {
    /// Serves it to its end.
    pub(crate) async fn serve(mut self, stream: TlsStream<TcpStream>) {
        let activity = Arc::new(Activity::new(Instant::now(), Arc::clone(self.place.is_idle())));
        let _counted = self.metrics.connection();
        let service = service_fn(|request: Request<Incoming>| {
            let (sent, body) = request.into_parts();
            let begun = (self.peer, head::trace_of(&sent));
            let under_way = UnderWay::begin(begun, activity.clone(), self.purse.clone());
            let span = span(&under_way);
            let unsigned = (Arc::clone(&self.unsigned), self.metrics.clone());
            answer(self.routes.clone(), (sent, body), under_way, unsigned, self.limits).instrument(span)
        });
        let mut connection = pin!(http2(&self.limits).serve_connection(TokioIo::new(stream), service));
        // Until when the requests under way have time, once no new one is taken.
        let mut leaves: Option<Instant> = None;
        loop {
            let now = Instant::now();
            let (traffic, pressed) = (activity.traffic(), *self.pressed.borrow_and_update() > 0);
            let verdict = match leaves {
                Some(until) => traffic.last_verdict(&self.limits, pressed, now, until),
                None => traffic.verdict(&self.limits, pressed, now),
            };
            let again = match verdict {
                Verdict::Stay(until) => until,
                Verdict::Leave(reason) => {
                    tracing::debug!(reason, "a connection takes no further request");
                    connection.as_mut().graceful_shutdown();
                    leaves = Some(now + LEAVE_TIME_MAX);
                    continue;
                }
                Verdict::Cut(reason) => return tracing::debug!(reason, "a connection was cut"),
            };
            tokio::select! {
                ended = connection.as_mut() => {
                    return ended.unwrap_or_else(|error| tracing::debug!(%error, "a connection ended"));
                }
                () = stopping(&mut self.stopping), if leaves.is_none() => {
                    connection.as_mut().graceful_shutdown();
                    // The server cuts it sooner.
                    leaves = Some(now + LEAVE_TIME_MAX);
                }
                () = self.place.lost(), if leaves.is_none() => {
                    tracing::debug!("an idle connection gives its place up");
                    connection.as_mut().graceful_shutdown();
                    leaves = Some(now + LEAVE_TIME_MAX);
                }
                Ok(()) = self.pressed.changed() => {}
                () = sleep_until(again.into()) => {}
            }
        }
    }
}

/// Done when the server stops, or is gone.
pub(crate) async fn stopping(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stops| *stops).await);
}

async fn answer(
    routes: Routes,
    (sent, body): (Parts, Incoming),
    under_way: UnderWay,
    (unsigned, metrics): (Arc<Rooms>, Metrics),
    limits: ServerLimits,
) -> Result<Response<Answered>, Infallible> {
    let mut head = head::read_of(&sent);
    drop(sent);
    let mut call = metrics.call(head.uri.path());
    let response = match admitted(&head, &under_way, &unsigned) {
        Ok(()) => {
            head.extensions.insert(under_way.clone());
            let body = RequestBody::new(body, under_way.clone(), limits.request_body);
            routes.oneshot(Request::from_parts(head, tonic::body::Body::new(body))).await?
        }
        Err(full) => {
            metrics.turned_away(Door::Requests);
            Status::resource_exhausted(full).into_http()
        }
    };
    if let Some(code) = status_of(response.headers()) {
        call.ends_with(code);
    }
    Ok(response.map(|body| Answered::new(body, (under_way, call), limits.answer_least)))
}

/// What the log's lines of a request are marked with, whatever their level.
fn span(under_way: &UnderWay) -> tracing::Span {
    match under_way.trace() {
        Some(trace) => tracing::error_span!("call", trace_id = trace.trace_id(), span_id = trace.span_id()),
        None => tracing::Span::none(),
    }
}

/// Takes what a request takes before any of its body has come; else says what there is too much of.
fn admitted(head: &Parts, under_way: &UnderWay, unsigned: &Arc<Rooms>) -> Result<(), &'static str> {
    if !under_way.hold(REQUEST_BYTES) {
        return Err(NO_MORE_BYTES);
    }
    if head.uri.path().starts_with(UNSIGNED_SERVICES) {
        let room = unsigned.room_now(&under_way.peer(), UNSIGNED_BYTES);
        under_way.keep(room.ok_or("too many of these calls are open: close some of them")?);
    }
    Ok(())
}

fn http2(limits: &ServerLimits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE_EVERY)
        .keep_alive_timeout(KEEPALIVE_ANSWER_MAX)
        .max_concurrent_streams(limits.streams_per_connection)
        .max_header_list_size(HEADER_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    builder
}
