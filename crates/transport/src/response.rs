//! An answer on its way: each piece is known to be owed until the peer has taken it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use hyper::body::{Body, Buf, Bytes, Frame, SizeHint};
use lango_metrics::Call;
use tonic::{Status, codegen::http::HeaderMap};

use crate::UnderWay;

/// The body of an answer.
pub(crate) struct Answered {
    body: tonic::body::Body,
    under_way: UnderWay,
    least: usize,
    call: Call,
}

impl Answered {
    /// `least` bytes of what a connection is owed must be taken in a time, or all of it.
    pub(crate) fn new(body: tonic::body::Body, (under_way, call): (UnderWay, Call), least: usize) -> Self {
        Self { body, under_way, least, call }
    }
}

impl Body for Answered {
    type Data = Owed;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Owed>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(code) = frame.trailers_ref().and_then(status_of)
        {
            self.call.ends_with(code);
        }
        frame.map_ok(|frame| frame.map_data(|bytes| Owed::new(bytes, self.under_way.clone(), self.least)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The status that headers or trailers state.
pub(crate) fn status_of(headers: &HeaderMap) -> Option<i32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

/// A piece of an answer. HTTP/2 keeps it until it is sent, which may be long after the service has done its work.
pub(crate) struct Owed {
    bytes: Bytes,
    under_way: UnderWay,
    least: usize,
    number: u64,
}

impl Owed {
    fn new(bytes: Bytes, under_way: UnderWay, least: usize) -> Self {
        let number = under_way.activity().piece_begins();
        Self { bytes, under_way, least, number }
    }
}

impl Buf for Owed {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.under_way.activity().piece_progresses(count, self.least);
        self.bytes.advance(count);
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.under_way.activity().piece_ends(self.number);
    }
}
