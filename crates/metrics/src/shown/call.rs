//! One call, from its head to the end of its answer.

use std::time::Instant;

use super::Metrics;
use crate::label::{Code, Method};

/// A call under way. It ends when it is dropped: cancelled, unless it was said how.
#[derive(Debug)]
pub struct Call {
    metrics: Metrics,
    method: Method,
    begun: Instant,
    code: Code,
}

impl Call {
    pub(crate) fn begin(metrics: Metrics, method: Method) -> Self {
        metrics.call_begins(method);
        Self { metrics, method, begun: Instant::now(), code: Code::CANCELLED }
    }

    /// How it ends, as gRPC's number.
    pub fn ends_with(&mut self, code: i32) {
        self.code = Code::of(code);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.metrics.call_ends(self.method, self.code, self.begun.elapsed());
    }
}
