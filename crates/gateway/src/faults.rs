//! What failed in the house, on record for auditors: the rest of it is in the gateway's own log.

use lango_access_log::{GatewayFailure, LogEvent};
use lango_store::{Decision, Record};

use crate::Gateway;

impl Gateway {
    /// Records that a part failed, by stable words. Where that cannot be written, the gateway's own log says it.
    pub(crate) async fn log_fault(&self, part: &str, code: &str) {
        let when = (self.now(), self.policy().digest);
        let failure = GatewayFailure { code: code.to_owned(), part: part.to_owned() };
        let event = Some(LogEvent::Failure(failure));
        let reason = code.to_owned();
        let record = Record { reason, event, ..Record::of(self.office.to_string(), when, Decision::Faulted) };
        if let Err(error) = self.store.append(&record, None).await {
            tracing::error!(%error, part, code, "a failure could not be recorded");
        }
    }
}
