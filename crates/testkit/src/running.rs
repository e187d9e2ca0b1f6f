//! A server in a task of its own, until it is stopped or dropped.

use std::{fmt::Debug, net::SocketAddr};

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Dropping it asks the server to stop and does not wait.
pub(crate) struct Running {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Serves on a free port of the loopback.
    pub async fn start<E, F>(serve: impl FnOnce(TcpListener, oneshot::Receiver<()>) -> F) -> Self
    where
        E: Debug,
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = serve(listener, stopped);
        let task = tokio::spawn(async move { serving.await.unwrap() });
        Self { address, stop, task }
    }

    /// Whether it has stopped by itself.
    pub fn has_stopped(&self) -> bool {
        self.task.is_finished()
    }

    /// Stops it and waits until it has.
    pub async fn stop(self) {
        // Nobody listens if it has failed already; the task then returns the failure.
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}
