//! A runtime of the testkit's own, so that a test may wait for a server wherever it is, in a runtime or out of one.

use std::sync::{OnceLock, mpsc};

use tokio::runtime::Runtime;

pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let build = || {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
    };
    RUNTIME.get_or_init(build)
}

/// Carries the work out on that runtime, whose connections outlive the test's own, and waits for it.
pub fn wait<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (done, result) = mpsc::sync_channel(1);
    runtime().spawn(async move { done.send(work.await) });
    result.recv().expect("the work has panicked; its message is above")
}
