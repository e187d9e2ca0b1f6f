//! Limits of servers under test.

use lango_transport::{ServerLimits, ShareLimits};

/// The usual limits, but for what one test asks more often from one machine than anybody would.
pub fn generous() -> ServerLimits {
    let often = 1_000_000;
    let shares =
        ShareLimits { requests_per_minute: often, questions_per_minute: often, requests_at_once: 10_000 };
    let usual = ServerLimits::default();
    ServerLimits {
        waiting_per_address: usual.waiting,
        handshakes_per_address: usual.handshakes,
        connections_per_address: usual.connections,
        strangers_recorded_per_minute: often,
        log_lines_per_second: 100_000,
        shares,
        ..usual
    }
}

/// The table `[limits]` of a configuration file, in whole seconds.
pub(crate) fn table(limits: &ServerLimits) -> String {
    let ServerLimits {
        first_byte,
        waiting_per_address,
        waiting,
        handshake,
        handshakes_per_address,
        handshakes,
        connections_per_address,
        connections,
        idle,
        connection_age,
        streams_per_connection,
        request_body,
        answer_stall,
        answer_least,
        request_bytes_per_connection,
        request_bytes_per_address,
        request_bytes,
        shutdown,
        log_lines_per_second,
        strangers_recorded_per_minute,
        shares,
    } = limits;
    let ShareLimits { requests_per_minute, questions_per_minute, requests_at_once } = shares;
    let lines = [
        ("first_byte_s", first_byte.as_secs()),
        ("waiting_per_address", *waiting_per_address as u64),
        ("waiting", *waiting as u64),
        ("handshake_s", handshake.as_secs()),
        ("handshakes_per_address", *handshakes_per_address as u64),
        ("handshakes", *handshakes as u64),
        ("connections_per_address", *connections_per_address as u64),
        ("connections", *connections as u64),
        ("idle_s", idle.as_secs()),
        ("connection_age_s", connection_age.as_secs()),
        ("streams_per_connection", u64::from(*streams_per_connection)),
        ("request_body_s", request_body.as_secs()),
        ("answer_stall_s", answer_stall.as_secs()),
        ("answer_least_kib", (*answer_least >> 10) as u64),
        ("request_mib_per_connection", (*request_bytes_per_connection >> 20) as u64),
        ("request_mib_per_address", (*request_bytes_per_address >> 20) as u64),
        ("request_mib", (*request_bytes >> 20) as u64),
        ("shutdown_s", shutdown.as_secs()),
        ("log_lines_per_second", u64::from(*log_lines_per_second)),
        ("strangers_recorded_per_minute", u64::from(*strangers_recorded_per_minute)),
        ("requests_per_minute", u64::from(*requests_per_minute)),
        ("questions_per_minute", u64::from(*questions_per_minute)),
        ("requests_at_once", u64::from(*requests_at_once)),
    ];
    let lines: String = lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    format!("\n[limits]\n{lines}")
}
