//! The port on the loopback where the numbers are read.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, timeout},
};

use crate::Metrics;

/// Connections at once. One more takes the place of the oldest: an honest reader needs its own for milliseconds.
const CONNECTIONS_MOST: usize = 8;
/// From the first byte of a connection to its last.
const TIME_MAX: Duration = Duration::from_secs(5);
/// The bytes of a request's head.
const HEAD_BYTES_MOST: usize = 8 << 10;
/// The numbers are written down at most so often: who reads faster reads the same text.
const FRESH: Duration = Duration::from_secs(1);
/// After a failure to accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The numbers as they were written down last.
struct Page {
    metrics: Metrics,
    last: Mutex<Option<(Instant, Bytes)>>,
}

/// Answers `GET /metrics` for as long as it is awaited. Whatever peers do, it takes no more than a few connections' buffers.
pub async fn keep(listener: TcpListener, metrics: Metrics) {
    let page = Arc::new(Page { metrics, last: Mutex::default() });
    let (mut connections, mut oldest) = (JoinSet::new(), VecDeque::<AbortHandle>::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // Those that have ended are let go.
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a reader of metrics could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        oldest.retain(|connection| !connection.is_finished());
        if oldest.len() >= CONNECTIONS_MOST
            && let Some(connection) = oldest.pop_front()
        {
            connection.abort();
        }
        oldest.push_back(connections.spawn(serve(stream, Arc::clone(&page))));
    }
}

/// One request, and the end of its connection.
async fn serve(stream: TcpStream, page: Arc<Page>) {
    let service = service_fn(|request: Request<Incoming>| {
        let page = Arc::clone(&page);
        async move { Ok::<_, Infallible>(page.answer(&request).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(TIME_MAX)
        .keep_alive(false)
        .max_buf_size(HEAD_BYTES_MOST);
    // A reader that is slow, or speaks another language, loses its connection, and nothing else comes of it.
    let _ = timeout(TIME_MAX, builder.serve_connection(TokioIo::new(stream), service)).await;
}

impl Page {
    async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let (status, kind, body) = match (request.uri().path(), is_read) {
            ("/metrics", true) => (StatusCode::OK, TYPE, self.text().await),
            ("/metrics", false) => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", Bytes::new()),
            _ => (StatusCode::NOT_FOUND, "text/plain", Bytes::from_static(b"the numbers are at /metrics\n")),
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
        response
    }

    async fn text(&self) -> Bytes {
        let mut last = self.last.lock().await;
        if let Some((at, text)) = &*last
            && at.elapsed() < FRESH
        {
            return text.clone();
        }
        let text = Bytes::from(self.metrics.text());
        *last = Some((Instant::now(), text.clone()));
        text
    }
}

#[cfg(test)]
mod tests;
