//! TLS settings that may change while they are used, and peers that may stay no longer.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
};
use tokio_rustls::rustls::pki_types::CertificateDer;

/// TLS settings: each handshake takes those of its moment.
pub struct TlsSettings<C> {
    config: watch::Receiver<Arc<C>>,
    recall: Recall,
}

impl<C> TlsSettings<C> {
    /// Settings that may change.
    pub fn new(config: watch::Receiver<Arc<C>>, recall: Recall) -> Self {
        Self { config, recall }
    }

    /// Settings that stay.
    pub fn fixed(config: Arc<C>, recall: Recall) -> Self {
        Self::new(watch::channel(config).1, recall)
    }

    /// The settings of this moment.
    pub(crate) fn config(&self) -> Arc<C> {
        Arc::clone(&self.config.borrow())
    }

    pub(crate) const fn recall(&self) -> &Recall {
        &self.recall
    }
}

/// Settings that stay, under which every peer stays too.
impl<C> From<Arc<C>> for TlsSettings<C> {
    fn from(config: Arc<C>) -> Self {
        Self::fixed(config, Recall::none())
    }
}

impl<C> Clone for TlsSettings<C> {
    fn clone(&self) -> Self {
        Self { config: self.config.clone(), recall: self.recall.clone() }
    }
}

/// Whether the peer that showed these certificates may stay.
type Stands = dyn Fn(&[CertificateDer<'_>]) -> bool + Send + Sync;

/// What decides whether the peer of an established connection may stay, and says when that is to be asked again.
#[derive(Clone)]
pub struct Recall {
    stands: Arc<Stands>,
    changed: watch::Receiver<()>,
}

impl Recall {
    /// `stands` says of the certificates that a peer showed whether it may stay. `subscribe` is given what is to be called
    /// whenever that may have changed, for as long as it returns true.
    pub fn new(
        stands: impl Fn(&[CertificateDer<'_>]) -> bool + Send + Sync + 'static,
        subscribe: impl FnOnce(Box<dyn Fn() -> bool + Send + Sync>),
    ) -> Self {
        let (sender, changed) = watch::channel(());
        subscribe(Box::new(move || {
            sender.send_replace(());
            !sender.is_closed()
        }));
        Self { stands: Arc::new(stands), changed }
    }

    /// Every peer stays.
    pub fn none() -> Self {
        Self { stands: Arc::new(|_| true), changed: watch::channel(()).1 }
    }

    /// Begins to watch, before a handshake: what changes during it counts.
    pub(crate) fn watch(&self) -> Watched {
        let mut changed = self.changed.clone();
        changed.mark_unchanged();
        Watched { stands: Arc::clone(&self.stands), changed }
    }
}

/// A peer that is watched.
pub(crate) struct Watched {
    stands: Arc<Stands>,
    changed: watch::Receiver<()>,
}

impl Watched {
    /// Done when the peer that showed these certificates may stay no longer.
    pub(crate) async fn recalled(mut self, shown: Vec<CertificateDer<'static>>) {
        while self.changed.changed().await.is_ok() {
            if !(self.stands)(&shown) {
                return;
            }
        }
        std::future::pending().await
    }
}

/// A connection that breaks when its peer may stay no longer.
pub(crate) struct Recallable<S> {
    stream: S,
    recalled: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_recalled: bool,
}

impl<S> Recallable<S> {
    pub(crate) fn new(stream: S, recalled: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { stream, recalled: Box::pin(recalled), is_recalled: false }
    }

    /// Fails once the peer may stay no longer.
    fn poll_recalled(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if !self.is_recalled && self.recalled.as_mut().poll(context).is_pending() {
            return Ok(());
        }
        self.is_recalled = true;
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the peer's certificate was revoked"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recallable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_recalled(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recallable<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_recalled(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use tokio::{io::AsyncReadExt, time::timeout};

    use super::*;

    type Notice = Box<dyn Fn() -> bool + Send + Sync>;

    #[tokio::test]
    async fn a_connection_breaks_when_its_peer_is_recalled_and_not_before() {
        let stands = Arc::new(AtomicBool::new(true));
        let notice: Arc<Mutex<Option<Notice>>> = Arc::default();
        let recall = {
            let (stands, notice) = (Arc::clone(&stands), Arc::clone(&notice));
            Recall::new(
                move |shown| stands.load(Ordering::SeqCst) && shown.len() == 1,
                |given| *notice.lock().unwrap() = Some(given),
            )
        };
        let changes = || notice.lock().unwrap().as_ref().unwrap()();
        assert!(changes(), "what was before the handshake does not count");
        let watched = recall.watch();
        let (ours, _theirs) = tokio::io::duplex(64);
        let mut stream = Recallable::new(ours, watched.recalled(vec![CertificateDer::from(vec![1])]));
        let short = Duration::from_millis(50);
        assert!(changes());
        assert!(timeout(short, stream.read_u8()).await.is_err(), "it stands");
        stands.store(false, Ordering::SeqCst);
        assert!(timeout(short, stream.read_u8()).await.is_err(), "nobody said that anything changed");
        assert!(changes());
        for _ in 0..2 {
            let broken = timeout(short, stream.read_u8()).await.expect("in time").unwrap_err();
            assert_eq!(broken.kind(), io::ErrorKind::ConnectionAborted);
        }
        drop((stream, recall));
        assert!(!changes(), "nobody watches any more");
    }
}
