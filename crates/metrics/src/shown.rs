//! Every number that a server shows.

mod call;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    encoding::prometheus_text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

pub use call::Call;

use crate::label::{CallTime, Code, Door, Labels, MemberAnswer, MemberState, Method, OTHER};

/// The bounds in seconds that OpenTelemetry advises for the times of calls.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;
type Times = Family<Labels, Histogram, fn() -> Histogram>;

/// What a server shows. Clones are of the same.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Numbers>);

#[derive(Debug)]
struct Numbers {
    methods: &'static [Method],
    times: Times,
    calls: Counters,
    under_way: Gauges,
    connections: Gauge,
    turned_away: Counters,
    lists: Gauge,
    list_signed: Gauges,
    list_next: Gauges,
    entries: Gauges,
    kept_at: Gauges,
    cosigned: Gauges,
    cosigned_at: Gauges,
    store_failures: Counter,
    members: Gauges,
    answers: Counters,
    registry: Registry,
}

/// What is written down once a minute, for all that it follows from may change while an answer is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The log.
    pub log: LogStanding,
    /// Transactions of the store that failed since the start.
    pub store_failures: u64,
}

/// How far a log is kept and cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogStanding {
    /// Entries below the last checkpoint that is kept, and when it was kept, in Unix seconds.
    pub kept: Option<(u64, i64)>,
    /// Entries below the last checkpoint that a witness cosigned, and when that was, by the witness's clock.
    pub cosigned: Option<(u64, i64)>,
}

impl Metrics {
    /// Of a gateway with these methods.
    #[must_use]
    pub fn of_gateway(methods: &'static [Method]) -> Self {
        Self::new("lango-gateway", methods, |numbers, registry| {
            let gauges: [(&str, &str, &Gauges); 4] = [
                (
                    "lango_log_entries",
                    "Entries of the log below its last checkpoint that was kept",
                    &numbers.entries,
                ),
                (
                    "lango_log_kept_timestamp_seconds",
                    "When that checkpoint was kept, in Unix time",
                    &numbers.kept_at,
                ),
                (
                    "lango_log_cosigned_entries",
                    "Entries of the log below the last checkpoint that a witness cosigned",
                    &numbers.cosigned,
                ),
                (
                    "lango_log_cosigned_timestamp_seconds",
                    "When a witness cosigned last, in Unix time",
                    &numbers.cosigned_at,
                ),
            ];
            for (name, help, gauge) in gauges {
                registry.register(name, help, gauge.clone());
            }
            registry.register(
                "lango_store_failed_transactions",
                "Transactions of the store that failed since the start, as of the last minute",
                numbers.store_failures.clone(),
            );
        })
    }

    /// Of a coordinator with these methods and this number of members.
    #[must_use]
    pub fn of_coordinator(methods: &'static [Method], members: usize) -> Self {
        let metrics = Self::new("lango-coordinator", methods, |numbers, registry| {
            registry.register(
                "lango_members",
                "Members, by whether the last call to them was answered",
                numbers.members.clone(),
            );
            registry.register(
                "lango_member_answers",
                "What came of asking members, since the start",
                numbers.answers.clone(),
            );
        });
        let numbers = &metrics.0;
        for state in MemberState::ALL {
            drop(numbers.members.get_or_create(&Labels::State(state)));
        }
        for answer in MemberAnswer::ALL {
            drop(numbers.answers.get_or_create(&Labels::Answer(answer)));
        }
        let members = i64::try_from(members).unwrap_or(i64::MAX);
        numbers.members.get_or_create(&Labels::State(MemberState::Unasked)).set(members);
        metrics
    }

    fn new(
        name: &'static str,
        methods: &'static [Method],
        register: impl FnOnce(&Numbers, &mut Registry),
    ) -> Self {
        let mut numbers = Numbers {
            methods,
            times: Times::new_with_constructor(|| Histogram::new(SECONDS)),
            calls: Counters::default(),
            under_way: Gauges::default(),
            connections: Gauge::default(),
            turned_away: Counters::default(),
            lists: Gauge::default(),
            list_signed: Gauges::default(),
            list_next: Gauges::default(),
            entries: Gauges::default(),
            kept_at: Gauges::default(),
            cosigned: Gauges::default(),
            cosigned_at: Gauges::default(),
            store_failures: Counter::default(),
            members: Gauges::default(),
            answers: Counters::default(),
            registry: Registry::default(),
        };
        for door in Door::ALL {
            drop(numbers.turned_away.get_or_create(&Labels::Door(door)));
        }
        let mut registry = Registry::default();
        let version = env!("CARGO_PKG_VERSION");
        registry.register(
            "target",
            "What is running",
            Info::new([("service_name", name), ("service_version", version)]),
        );
        let start: Gauge = Gauge::default();
        start.set(now());
        registry.register("process_start_time_seconds", "When it was started, in Unix time", start);
        registry.register_with_unit(
            "rpc_server_call_duration",
            "How long calls took from their heads to the ends of their answers; not of calls that may read rows",
            Unit::Seconds,
            numbers.times.clone(),
        );
        registry.register("lango_calls", "Calls that ended since the start", numbers.calls.clone());
        registry.register(
            "lango_calls_under_way",
            "Calls whose answers have not left",
            numbers.under_way.clone(),
        );
        registry.register(
            "lango_connections",
            "Connections with a peer of the region",
            numbers.connections.clone(),
        );
        registry.register(
            "lango_turned_away",
            "Peers and requests that were turned away before they were read, since the start",
            numbers.turned_away.clone(),
        );
        registry.register("lango_revocation_lists", "Revocation lists in use", numbers.lists.clone());
        registry.register(
            "lango_revocation_list_signed_timestamp_seconds",
            "When the oldest of them was signed, in Unix time",
            numbers.list_signed.clone(),
        );
        registry.register(
            "lango_revocation_list_next_timestamp_seconds",
            "When the first of them is due to be replaced, in Unix time",
            numbers.list_next.clone(),
        );
        register(&numbers, &mut registry);
        numbers.registry = registry;
        Self(Arc::new(numbers))
    }

    /// A call of this path begins.
    #[must_use]
    pub fn call(&self, path: &str) -> Call {
        let name = path.strip_prefix('/').unwrap_or(path);
        let known = self.0.methods.iter().find(|method| method.name == name);
        Call::begin(self.clone(), known.copied().unwrap_or(OTHER))
    }

    pub(crate) fn call_begins(&self, method: Method) {
        self.0.under_way.get_or_create(&Labels::Method(method.name)).inc();
    }

    pub(crate) fn call_ends(&self, method: Method, code: Code, time: Duration) {
        let labels = Labels::Call(method.name, code);
        match method.time {
            CallTime::Shown => self.0.times.get_or_create(&labels).observe(time.as_secs_f64()),
            CallTime::Hidden => {}
        }
        self.0.calls.get_or_create(&labels).inc();
        self.0.under_way.get_or_create(&Labels::Method(method.name)).dec();
    }

    /// A connection is there, until what is returned is dropped.
    #[must_use]
    pub fn connection(&self) -> impl Send + Sync + use<> {
        struct Connected(Gauge);
        impl Drop for Connected {
            fn drop(&mut self) {
                self.0.dec();
            }
        }
        self.0.connections.inc();
        Connected(self.0.connections.clone())
    }

    /// A peer or a request is turned away.
    pub fn turned_away(&self, door: Door) {
        self.0.turned_away.get_or_create(&Labels::Door(door)).inc();
    }

    /// The revocation lists in use: for each, when it was signed and when the next is due.
    pub fn revocation_lists(&self, lists: impl IntoIterator<Item = (i64, i64)>) {
        let (signed, next): (Vec<i64>, Vec<i64>) = lists.into_iter().unzip();
        self.0.lists.set(i64::try_from(signed.len()).unwrap_or(i64::MAX));
        put(&self.0.list_signed, signed.into_iter().min());
        put(&self.0.list_next, next.into_iter().min());
    }

    /// What is written down once a minute.
    pub fn stand(&self, standing: &Standing) {
        let numbers = &self.0;
        let Standing { log: LogStanding { kept, cosigned }, store_failures } = *standing;
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        put(&numbers.entries, kept.map(|(size, _)| whole(size)));
        put(&numbers.kept_at, kept.map(|(_, at)| at));
        put(&numbers.cosigned, cosigned.map(|(size, _)| whole(size)));
        put(&numbers.cosigned_at, cosigned.map(|(_, at)| at));
        numbers.store_failures.inner().store(store_failures, Ordering::Relaxed);
    }

    /// A member is in another state than before.
    pub fn member_moves(&self, from: MemberState, to: MemberState) {
        self.0.members.get_or_create(&Labels::State(from)).dec();
        self.0.members.get_or_create(&Labels::State(to)).inc();
    }

    /// A member was asked.
    pub fn member_answered(&self, answer: MemberAnswer) {
        self.0.answers.get_or_create(&Labels::Answer(answer)).inc();
    }

    /// Every number, in Prometheus' text format of version 0.0.4.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Nothing that is written to a text fails.
        let _ = prometheus_text::encode(&mut text, &self.0.registry);
        text
    }
}

/// A number that may not be there.
fn put(gauges: &Gauges, value: Option<i64>) {
    match value {
        Some(value) => {
            gauges.get_or_create(&Labels::None).set(value);
        }
        None => {
            gauges.remove(&Labels::None);
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
