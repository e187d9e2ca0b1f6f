//! What both servers share: the log, the runtime, the readiness notice and the way they stop.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    time::Duration,
};

use lango_identity::Region;
use lango_metrics::Metrics;
use lango_transport::ServerLimits;
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    config::{LogFormat, LogTable},
    failure::Failure,
};

/// The levels that `LANGO_LOG` chooses, as in `info,lango_gateway=debug`, and what is wrong with it: then it is `info`.
pub fn log_filter() -> (EnvFilter, Option<String>) {
    match std::env::var("LANGO_LOG") {
        Ok(text) => levels(&text),
        Err(std::env::VarError::NotPresent) => (EnvFilter::new("info"), None),
        Err(std::env::VarError::NotUnicode(_)) => (EnvFilter::new("info"), Some("it is no text".to_owned())),
    }
}

fn levels(text: &str) -> (EnvFilter, Option<String>) {
    // A word that is no level would be the name of a part of the program, of which there is none.
    let word = text.split(',').map(str::trim).find(|part| {
        let is_word = !part.is_empty() && !part.contains(['=', '[', ':']) && !part.starts_with("lango");
        is_word && part.parse::<LevelFilter>().is_err()
    });
    let fault = match (word, EnvFilter::try_new(text)) {
        (None, Ok(filter)) => return (filter, None),
        (Some(word), _) => format!("`{word}` is no level: off, error, warn, info, debug or trace"),
        (None, Err(error)) => error.to_string(),
    };
    (EnvFilter::new("info"), Some(fault))
}

/// Starts the log on standard error.
pub fn log(table: LogTable) {
    let (filter, fault) = log_filter();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_target(false).log_internal_errors(false);
    match table.format {
        LogFormat::Text => lines.with_ansi(false).with_writer(|| Seen(lango_words::line)).init(),
        LogFormat::Json => {
            lines.json().with_span_list(false).with_writer(|| Seen(lango_words::json_escaped)).init();
        }
    }
    if let Some(fault) = fault {
        tracing::warn!("LANGO_LOG: {fault}; the log is of level `info`");
    }
}

/// Standard error for whole lines of a log, of which nothing is written that is not seen: whatever an asker, a peer or a database
/// says stays on its line.
struct Seen(fn(&str) -> String);

impl Seen {
    fn seen(&self, line: &[u8]) -> String {
        let line = String::from_utf8_lossy(line);
        format!("{}\n", (self.0)(line.strip_suffix('\n').unwrap_or(&line)))
    }
}

impl Write for Seen {
    /// Takes one whole line, as the formatter hands it over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(self.seen(line).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Runs a server to its end, then ends its threads, whatever they do.
pub fn run(
    runtime: Runtime,
    limits: &ServerLimits,
    serve: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let served = runtime.block_on(serve);
    // A statement at a slow source or a question's arithmetic may be under way on a thread of its own.
    runtime.shutdown_timeout(limits.close());
    served
}

pub fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| Failure::of("the runtime cannot start", error))
}

pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::of(format!("cannot listen on {address}"), error))
}

/// How often it is written down how old the revocation lists are that are in use.
const LISTS_EVERY: Duration = Duration::from_secs(15);

/// A future that has metrics read at an address, if there is one, for as long as it is awaited.
pub async fn metrics(
    address: Option<SocketAddr>,
    metrics: &Metrics,
    region: &Region,
) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let listener = match address {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    if let Some(listener) = &listener {
        tracing::info!(address = %listener.local_addr()?, "metrics are read at /metrics");
    }
    let (metrics, region) = (metrics.clone(), region.clone());
    Ok(async move {
        let Some(listener) = listener else { return };
        let lists = async {
            loop {
                let lists = region.revocations().lists();
                metrics.revocation_lists(lists.iter().map(|list| (list.this_update(), list.next_update())));
                tokio::time::sleep(LISTS_EVERY).await;
            }
        };
        tokio::join!(lango_metrics::keep(listener, metrics.clone()), lists);
    })
}

/// Announces to the service manager, and in the log, that requests are answered from now on.
pub fn ready(what: &str, address: SocketAddr) {
    tracing::info!(%address, "{what} is ready");
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::warn!(%error, "the service manager could not be notified");
    }
}

/// A future that is done when the process has to stop: by SIGTERM, by Ctrl-C or, if asked for, by the end of
/// standard input. The signals are caught from the call on, so call it before [`ready`]. Once it is done, the process ends
/// within the limits, even if something holds it: what was charged is on the disk and stays reserved.
pub fn stop(
    with_stdin: bool,
    limits: &ServerLimits,
) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let end = limits.end();
    let (closed, stdin) = oneshot::channel::<()>();
    if with_stdin {
        // A thread, because a blocked read of standard input would keep the runtime from stopping.
        std::thread::spawn(move || {
            let mut rest = [0; 64];
            while std::io::stdin().read(&mut rest).is_ok_and(|bytes| bytes > 0) {}
            drop(closed);
        });
    }
    Ok(async move {
        let ended = async {
            match with_stdin {
                true => drop(stdin.await),
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
            () = ended => {}
        }
        tracing::info!("stopping");
        std::thread::spawn(move || end_after(end));
    })
}

/// The last resort of a stop: ends the process from a thread that waits for nothing.
fn end_after(time: Duration) {
    std::thread::sleep(time);
    tracing::warn!("something held the server beyond its time to stop: the process ends now");
    std::process::exit(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_there_is_not_is_named() {
        for (text, fault) in [
            ("", None),
            ("info", None),
            ("INFO,lango_gateway=debug", None),
            ("warn,lango_store", None),
            ("inf", Some("`inf` is no level")),
            ("info,verbose", Some("`verbose` is no level")),
            ("lango_gateway=debg", Some("error parsing level")),
        ] {
            let (filter, found) = levels(text);
            assert_eq!(found.is_some(), fault.is_some(), "{text}: {found:?}");
            let names = |words: &&str| found.as_ref().is_some_and(|found| found.contains(words));
            assert!(fault.iter().all(names), "{text}: {found:?}");
            assert!(fault.is_none() || filter.to_string() == "info", "{text}: {filter}");
        }
    }

    #[test]
    fn a_log_line_is_one_line_of_what_is_seen() {
        for (line, text, json) in [
            ("INFO plain\n", "INFO plain\n", "INFO plain\n"),
            ("a\nINFO forged\n", "a\u{fffd}INFO forged\n", "a\nINFO forged\n"),
            ("\u{1b}[31m\u{202e}x\n", "\u{fffd}[31m\u{fffd}x\n", "\\u001b[31m\\u202ex\n"),
        ] {
            assert_eq!(Seen(lango_words::line).seen(line.as_bytes()), text);
            // In JSON a line's end within a value is escaped before.
            assert_eq!(Seen(lango_words::json_escaped).seen(line.as_bytes()), json);
        }
    }
}
