//! Work that may take long, on a thread that serves nobody.

use tokio::task::spawn_blocking;

/// The work was cut short: the server is stopping, or the work panicked.
#[derive(Debug, thiserror::Error)]
#[error("the work was cut short")]
pub struct CutShort;

/// Does arithmetic that may take long aside. `turn`, which says that it may run now, is held until it is done, even if nobody
/// waits for it any more.
///
/// # Errors
/// The work was cut short.
pub async fn aside<T: Send + 'static>(
    turn: impl Send + 'static,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CutShort> {
    let done = spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await.map_err(|_| CutShort)
}
