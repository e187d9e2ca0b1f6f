//! A request under way: its body comes in time and within bounds, and what it holds is held until its answer is sent.

use std::{
    any::Any,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use lango_trace::TraceContext;
use tokio::time::{Sleep, sleep};
use tonic::Status;

use crate::{
    activity::Activity,
    bytes::{HeldBytes, Purse},
    peer::Peer,
};

pub(crate) const NO_MORE_BYTES: &str =
    "no more bytes of unanswered requests are held for this peer: send again later";

/// A request that was begun. It ends when the last clone is dropped: the last byte of its answer was sent, or its peer is gone. A
/// service finds it among its request's extensions.
#[derive(Clone)]
pub struct UnderWay(Arc<Going>);

struct Going {
    peer: Peer,
    trace: Option<TraceContext>,
    activity: Arc<Activity>,
    purse: Purse,
    bytes: Mutex<HeldBytes>,
    kept: Mutex<Vec<Box<dyn Any + Send>>>,
}

impl UnderWay {
    pub(crate) fn begin(
        (peer, trace): (Peer, Option<TraceContext>),
        activity: Arc<Activity>,
        purse: Purse,
    ) -> Self {
        activity.request_begins();
        let (bytes, kept) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Going { peer, trace, activity, purse, bytes, kept }))
    }

    /// Whom it comes from: an address, as places are counted for it.
    pub fn peer(&self) -> String {
        self.0.peer.to_string()
    }

    /// The trace that it belongs to, as its peer says or as it was begun here. A label: nobody signed it.
    pub fn trace(&self) -> Option<TraceContext> {
        self.0.trace
    }

    /// Keeps a thing, such as a share, until the answer is sent.
    pub fn keep(&self, thing: impl Any + Send) {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(thing));
    }

    pub(crate) fn activity(&self) -> &Activity {
        &self.0.activity
    }

    /// Holds some bytes more; false where the peer has as many as it may have.
    pub(crate) fn hold(&self, bytes: usize) -> bool {
        self.0.purse.hold(bytes, &mut self.0.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.activity.request_ends();
    }
}

/// The body of a request.
pub(crate) struct RequestBody {
    body: Incoming,
    under_way: UnderWay,
    time_max: Duration,
    late: Pin<Box<Sleep>>,
}

impl RequestBody {
    pub(crate) fn new(body: Incoming, under_way: UnderWay, time_max: Duration) -> Self {
        Self { body, under_way, time_max, late: Box::pin(sleep(time_max)) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if !self.body.is_end_stream() && self.late.as_mut().poll(context).is_ready() {
            let late = format!("the request did not come within {:?}", self.time_max);
            return Poll::Ready(Some(Err(Status::deadline_exceeded(late))));
        }
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(Status::from_error(error.into())))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        };
        if frame.is_trailers() {
            // No server reads them.
            return Poll::Ready(None);
        }
        if !self.under_way.hold(frame.data_ref().map_or(0, Bytes::len)) {
            return Poll::Ready(Some(Err(Status::resource_exhausted(NO_MORE_BYTES))));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
