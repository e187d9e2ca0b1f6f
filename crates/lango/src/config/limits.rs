//! The table `[limits]` of both servers.

use std::time::Duration;

use lango_document::{DiagnosticCode, FromDocument, ValueForm, WrittenValue, table};
use lango_transport::{ServerLimits, ShareLimits};

use super::positive::Positive;

/// The longest time that a service manager is asked to wait for a stop.
const SHUTDOWN_S_MAX: u64 = 10;
/// Every peer may send the largest request: 1 MiB and its frame.
const REQUEST_MIB_MIN: usize = 2;
const MIB: usize = 1 << 20;

/// What a server gives to its peers, and for how long; checked while it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits(pub ServerLimits);

/// What is not written has its default.
#[derive(Debug, Default)]
struct LimitsTable {
    first_byte_s: Option<Positive>,
    waiting: Option<Positive>,
    waiting_per_address: Option<Positive>,
    handshake_s: Option<Positive>,
    handshakes: Option<Positive>,
    handshakes_per_address: Option<Positive>,
    connections: Option<Positive>,
    connections_per_address: Option<Positive>,
    idle_s: Option<Positive>,
    connection_age_s: Option<Positive>,
    streams_per_connection: Option<Positive>,
    request_body_s: Option<Positive>,
    answer_stall_s: Option<Positive>,
    answer_least_kib: Option<Positive>,
    request_mib: Option<Positive>,
    request_mib_per_address: Option<Positive>,
    request_mib_per_connection: Option<Positive>,
    requests_per_minute: Option<Positive>,
    questions_per_minute: Option<Positive>,
    requests_at_once: Option<Positive>,
    strangers_recorded_per_minute: Option<Positive>,
    log_lines_per_second: Option<Positive>,
    shutdown_s: Option<Positive>,
}

table!(LimitsTable => "the table of limits" {
    optional first_byte_s "first_byte_s",
    optional waiting "waiting",
    optional waiting_per_address "waiting_per_address",
    optional handshake_s "handshake_s",
    optional handshakes "handshakes",
    optional handshakes_per_address "handshakes_per_address",
    optional connections "connections",
    optional connections_per_address "connections_per_address",
    optional idle_s "idle_s",
    optional connection_age_s "connection_age_s",
    optional streams_per_connection "streams_per_connection",
    optional request_body_s "request_body_s",
    optional answer_stall_s "answer_stall_s",
    optional answer_least_kib "answer_least_kib",
    optional request_mib "request_mib",
    optional request_mib_per_address "request_mib_per_address",
    optional request_mib_per_connection "request_mib_per_connection",
    optional requests_per_minute "requests_per_minute",
    optional questions_per_minute "questions_per_minute",
    optional requests_at_once "requests_at_once",
    optional strangers_recorded_per_minute "strangers_recorded_per_minute",
    optional log_lines_per_second "log_lines_per_second",
    optional shutdown_s "shutdown_s",
});

impl FromDocument for Limits {
    const FORM: ValueForm = ValueForm::Table;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let limits = LimitsTable::read(written)?.limits();
        match sensible(&limits) {
            Ok(()) => Some(Self(limits)),
            Err(words) => written.refuse(DiagnosticCode::Contradiction, words),
        }
    }
}

impl LimitsTable {
    fn limits(&self) -> ServerLimits {
        let usual = ServerLimits::default();
        ServerLimits {
            first_byte: seconds(self.first_byte_s, usual.first_byte),
            waiting: count(self.waiting, usual.waiting),
            waiting_per_address: count(self.waiting_per_address, usual.waiting_per_address),
            handshake: seconds(self.handshake_s, usual.handshake),
            handshakes: count(self.handshakes, usual.handshakes),
            handshakes_per_address: count(self.handshakes_per_address, usual.handshakes_per_address),
            connections: count(self.connections, usual.connections),
            connections_per_address: count(self.connections_per_address, usual.connections_per_address),
            idle: seconds(self.idle_s, usual.idle),
            connection_age: seconds(self.connection_age_s, usual.connection_age),
            streams_per_connection: number(self.streams_per_connection, usual.streams_per_connection),
            request_body: seconds(self.request_body_s, usual.request_body),
            answer_stall: seconds(self.answer_stall_s, usual.answer_stall),
            answer_least: self
                .answer_least_kib
                .map_or(usual.answer_least, |kib| count(Some(kib), 0).saturating_mul(1 << 10)),
            request_bytes: mib(self.request_mib, usual.request_bytes),
            request_bytes_per_address: mib(self.request_mib_per_address, usual.request_bytes_per_address),
            request_bytes_per_connection: mib(
                self.request_mib_per_connection,
                usual.request_bytes_per_connection,
            ),
            shutdown: seconds(self.shutdown_s, usual.shutdown),
            log_lines_per_second: number(self.log_lines_per_second, usual.log_lines_per_second),
            strangers_recorded_per_minute: number(
                self.strangers_recorded_per_minute,
                usual.strangers_recorded_per_minute,
            ),
            shares: ShareLimits {
                requests_per_minute: number(self.requests_per_minute, usual.shares.requests_per_minute),
                questions_per_minute: number(self.questions_per_minute, usual.shares.questions_per_minute),
                requests_at_once: number(self.requests_at_once, usual.shares.requests_at_once),
            },
        }
    }
}

fn number(value: Option<Positive>, usual: u32) -> u32 {
    value.map_or(usual, Positive::get)
}

fn count(value: Option<Positive>, usual: usize) -> usize {
    value.map_or(usual, |value| usize::try_from(value.get()).unwrap_or(usize::MAX))
}

fn mib(value: Option<Positive>, usual: usize) -> usize {
    value.map_or(usual, |value| count(Some(value), 0).saturating_mul(MIB))
}

fn seconds(value: Option<Positive>, usual: Duration) -> Duration {
    value.map_or(usual, Positive::seconds)
}

/// What the limits contradict, in words.
fn sensible(limits: &ServerLimits) -> Result<(), String> {
    if limits.shutdown > Duration::from_secs(SHUTDOWN_S_MAX) {
        return Err(format!(
            "`shutdown_s` is at most {SHUTDOWN_S_MAX}: what is charged by then stays reserved"
        ));
    }
    for (part, of_part, whole, of_whole) in [
        ("waiting_per_address", limits.waiting_per_address, "waiting", limits.waiting),
        ("handshakes_per_address", limits.handshakes_per_address, "handshakes", limits.handshakes),
        ("connections_per_address", limits.connections_per_address, "connections", limits.connections),
        ("request_mib_per_address", limits.request_bytes_per_address, "request_mib", limits.request_bytes),
        (
            "request_mib_per_connection",
            limits.request_bytes_per_connection,
            "request_mib_per_address",
            limits.request_bytes_per_address,
        ),
    ] {
        if of_part > of_whole {
            return Err(format!("`{part}` is more than `{whole}`: lower it, or raise `{whole}`"));
        }
    }
    if limits.request_bytes_per_connection < REQUEST_MIB_MIN * MIB {
        return Err(format!(
            "`request_mib_per_connection` is at least {REQUEST_MIB_MIN}, for the largest request"
        ));
    }
    if limits.shares.questions_per_minute > limits.shares.requests_per_minute {
        let raise = "a question is a request: raise `requests_per_minute`";
        return Err(format!("`questions_per_minute` is more than `requests_per_minute`, and {raise}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use lango_document::{Diagnostics, Document};

    use super::*;

    fn limits(text: &str) -> Result<ServerLimits, String> {
        let read = Document::new("gateway.toml", text).read::<Limits>();
        let lines = |wrong: Diagnostics| wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        read.map(|Limits(limits)| limits).map_err(lines)
    }

    #[test]
    fn what_is_not_written_has_its_default() {
        let usual = ServerLimits::default();
        assert_eq!(limits(""), Ok(usual));
        let written =
            limits("first_byte_s = 2\nconnections_per_address = 7\nrequest_mib = 64\nshutdown_s = 3");
        let expected = ServerLimits {
            first_byte: Duration::from_secs(2),
            connections_per_address: 7,
            request_bytes: 64 * MIB,
            shutdown: Duration::from_secs(3),
            ..usual
        };
        assert_eq!(written, Ok(expected));
    }

    #[test]
    fn the_manual_lists_every_key_with_its_default() {
        let manual = include_str!("../../../../docs/OPERATIONS.md");
        let rows: Vec<(&str, &str)> = manual
            .split_once("## Limits of a server")
            .and_then(|(_, after)| after.split_once("\n## "))
            .map(|(section, _)| section)
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"))
            .map(|row| (row.split_once('`').unwrap().0, row.rsplit_once("| ").unwrap().1))
            .collect();
        let fields = format!("{:?}", LimitsTable::default()).matches(": None").count();
        assert_eq!(rows.len(), fields, "{rows:?}");
        // WrittenValue out, each default means what it means where it is not written.
        let written: String = rows.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        assert_eq!(limits(&written), Ok(ServerLimits::default()));
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        for (text, expected) in [
            ("idle_s = 0", "gateway.toml:1:10: `idle_s` is a whole number from 1 to 4294967295"),
            ("questions_per_minute = 0", "gateway.toml:1:24: "),
            ("first_byte_s = -1", "gateway.toml:1:16: `first_byte_s` is a whole number from 1"),
            ("idle_s = 1.5", "`idle_s` is a whole number, and not a number with a point"),
            ("idle_s = 4294967296", "`idle_s` is a whole number from 1"),
            ("idle = 5", "did you mean `idle_s`?"),
            ("shutdown_s = 11", "`shutdown_s` is at most 10"),
            ("waiting = 63", "`waiting_per_address` is more than `waiting`"),
            ("handshakes_per_address = 129", "lower it, or raise `handshakes`"),
            ("connections = 100", "`connections_per_address` is more"),
            ("request_mib = 15", "`request_mib_per_address` is more"),
            ("request_mib_per_address = 3", "`request_mib_per_connection` is more"),
            ("request_mib_per_connection = 1", "is at least 2"),
            ("requests_per_minute = 299", "`questions_per_minute` is more"),
        ] {
            let refused = limits(text).unwrap_err();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }
}
