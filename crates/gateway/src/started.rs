//! What the log says of a gateway itself: that it started and stopped.

use lango_access_log::{ConfigurationChange, GatewayStart, GatewayStop, Hex, LogEvent, LoggedLines};
use lango_identity::SpiffeId;
use lango_store::{Decision, Record, Store};

/// The record of a start, at a moment in Unix seconds, under a policy of this digest, with a configuration of that.
pub(crate) fn started(
    office: &SpiffeId,
    when: (i64, [u8; 32]),
    store: &Store,
    configuration: [u8; 32],
) -> Record {
    let event = LogEvent::Start(GatewayStart {
        configuration: Hex(configuration),
        instance: Hex(store.opened_by()),
        lango: env!("CARGO_PKG_VERSION").to_owned(),
        store: Hex(store.identity()),
    });
    let reason = format!("lango {}", env!("CARGO_PKG_VERSION"));
    Record { reason, event: Some(event), ..Record::of(office.to_string(), when, Decision::Started) }
}

/// The record of another configuration; the store adds what differs.
pub(crate) fn configured(office: &SpiffeId, when: (i64, [u8; 32]), configuration: [u8; 32]) -> Record {
    let event = LogEvent::Configuration(ConfigurationChange {
        changes: LoggedLines::default(),
        configuration: Hex(configuration),
    });
    Record { event: Some(event), ..Record::of(office.to_string(), when, Decision::Configured) }
}

/// The record of a stop.
pub(crate) fn stopped(office: &SpiffeId, when: (i64, [u8; 32]), store: &Store) -> Record {
    let event = LogEvent::Stop(GatewayStop { instance: Hex(store.opened_by()) });
    Record { event: Some(event), ..Record::of(office.to_string(), when, Decision::Stopped) }
}
