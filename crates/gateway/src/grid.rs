//! The one place where an answer's time to leave is kept: at once, or on a time grid, so that the time of leaving shows in which
//! step of the grid the answer was ready, and nothing finer.

use std::time::Instant;

use crate::{Gateway, authenticate::Request};

impl Gateway {
    /// Keeps back a release that is about to be stored, where its answer leaves on a grid.
    pub(crate) fn withhold<T>(&self, request: &Request<T>, release_id: [u8; 16]) {
        if request.pace.is_on_grid() {
            // A request makes one release.
            let _ = request.withholding.set(self.withheld.keep(release_id));
        }
    }

    /// Waits until the answer to a request may leave. The release that it made is kept back for as long as the request is there.
    pub(crate) async fn pace<T>(&self, request: &Request<T>) {
        if let Some(steps @ 2..) = request.pace.wait().await {
            let request = hex::encode(request.digest);
            tracing::warn!(
                request,
                steps,
                "an answer took longer than a step of its grid: raise `answer_grid_ms`"
            );
        }
        // The pause of a request that failed begins when its refusal leaves, so that it shows nothing finer than the grid.
        if let Some(turn) = request.turn.get().filter(|turn| turn.has_failed()) {
            self.failures.failed(&(request.principal.clone(), turn.claiming.id), Instant::now());
        }
    }
}
