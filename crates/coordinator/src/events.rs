//! The events of a stream, each with the memory that it takes until it has left.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use lango_transport::{Room, UnderWay};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;
use tracing::Instrument;

/// Events that wait for a slow reader: answers are large, so no more than one.
const EVENTS_WAITING_MAX: usize = 1;

type Event<T> = (Result<T, Status>, Option<Room>);

/// Where events are handed on.
pub(crate) struct Events<T>(mpsc::Sender<Event<T>>);

impl<T> Events<T> {
    /// Hands an event on as soon as there is room for it; false where nobody reads any more.
    pub(crate) async fn send(&self, event: Result<T, Status>, room: Option<Room>) -> bool {
        self.0.send((event, room)).await.is_ok()
    }
}

/// The events as they are sent. An event has left when the next one is asked for: HTTP/2 asks for no more than it can send.
pub(crate) struct EventStream<T> {
    events: mpsc::Receiver<Event<T>>,
    leaving: Option<Room>,
    under_way: Option<UnderWay>,
}

/// The stream of the events that some work makes. The work ends when nobody reads any more, which ends every call.
pub(crate) fn streamed<T, F>(under_way: Option<UnderWay>, work: impl FnOnce(Events<T>) -> F) -> EventStream<T>
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (events, stream) = mpsc::channel(EVENTS_WAITING_MAX);
    let work = work(Events(events.clone()));
    let working = async move {
        tokio::select! {
            () = events.closed() => {}
            () = work => {}
        }
    };
    tokio::spawn(working.in_current_span());
    EventStream { events: stream, leaving: None, under_way }
}

impl<T> Stream for EventStream<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.leaving = None;
        match self.events.poll_recv(context) {
            Poll::Ready(Some((event, room))) => {
                self.leaving = room;
                Poll::Ready(Some(event))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T> Drop for EventStream<T> {
    /// The last one leaves when the whole has.
    fn drop(&mut self) {
        if let (Some(room), Some(under_way)) = (self.leaving.take(), &self.under_way) {
            under_way.keep(room);
        }
    }
}
