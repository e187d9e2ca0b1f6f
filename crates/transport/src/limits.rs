//! The limits of a server.

use std::time::Duration;

use crate::ShareLimits;

/// How often an idle connection is tried, and how long the peer may take to say that it is there.
pub(crate) const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);
pub(crate) const KEEPALIVE_ANSWER_MAX: Duration = Duration::from_secs(10);
/// How long the requests under way of a connection that is past its age may take.
pub(crate) const LEAVE_TIME_MAX: Duration = Duration::from_secs(300);
/// How long a peer may take an answer while others wait for its memory. An answer is kept, and sent again where it is asked for.
pub(crate) const PRESSED_ANSWER_MAX: Duration = Duration::from_secs(10);
/// Services that anyone may call who has a certificate, and that nobody signs for: health and reflection.
pub(crate) const UNSIGNED_SERVICES: &str = "/grpc.";
/// What one call of them takes at most, those of one address, and all of them.
pub(crate) const UNSIGNED_BYTES: usize = 256 << 10;
pub(crate) const UNSIGNED_BYTES_EACH: usize = 4 << 20;
pub(crate) const UNSIGNED_BYTES_MOST: usize = 8 << 20;
/// What a request takes before any of its body has come, in HTTP/2 and here.
pub(crate) const REQUEST_BYTES: usize = 16 << 10;
/// The most bytes of a request's headers.
pub(crate) const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// The most bytes of an answer's headers, trailers among them, reckoned as HTTP/2 does (RFC 9113, 6.5.2): a call whose answer has
/// more fails. They come whole and unasked, so that each call under way may hold as much.
pub const ANSWER_HEADER_BYTES_MAX: u32 = 128 * 1024;
/// What a peer may send before it is read: on a stream, and on a connection.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 128 * 1024;
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 512 * 1024;

/// What a server gives to all its peers, to each address, and to each principal, and for how long. The defaults keep a gateway
/// under 150 MB whatever its peers do, and all places together under 1,024 descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// How long a connection may send nothing before it is closed.
    pub first_byte: Duration,
    /// Connections that have sent nothing yet, of one address and in all.
    pub waiting_per_address: usize,
    /// See `waiting_per_address`.
    pub waiting: usize,
    /// A TLS handshake that takes longer is broken off.
    pub handshake: Duration,
    /// TLS handshakes under way, of one address and in all.
    pub handshakes_per_address: usize,
    /// See `handshakes_per_address`.
    pub handshakes: usize,
    /// Established connections, of one address and in all.
    pub connections_per_address: usize,
    /// See `connections_per_address`.
    pub connections: usize,
    /// How long a connection may have no request before it is closed.
    pub idle: Duration,
    /// A connection older than this takes no new request, and is closed when those under way are answered.
    pub connection_age: Duration,
    /// Requests of one connection at one moment.
    pub streams_per_connection: u32,
    /// How long after its headers the whole of a request must have come.
    pub request_body: Duration,
    /// In this time a peer takes [`ServerLimits::answer_least`] of what it is owed, or all of it, or it loses its connection.
    pub answer_stall: Duration,
    /// In bytes.
    pub answer_least: usize,
    /// Bytes of requests that are not answered yet: of one connection, of one address and in all.
    pub request_bytes_per_connection: usize,
    /// See `request_bytes_per_connection`.
    pub request_bytes_per_address: usize,
    /// See `request_bytes_per_connection`.
    pub request_bytes: usize,
    /// From the signal to stop until the process has ended.
    pub shutdown: Duration,
    /// Log lines of one kind in a second, of the kinds that peers cause.
    pub log_lines_per_second: u32,
    /// Refusals in a minute that are recorded of principals who may not ask at all.
    pub strangers_recorded_per_minute: u32,
    /// What each principal may ask.
    pub shares: ShareLimits,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(5),
            waiting_per_address: 64,
            waiting: 192,
            handshake: Duration::from_secs(10),
            handshakes_per_address: 64,
            handshakes: 128,
            connections_per_address: 128,
            connections: 512,
            idle: Duration::from_secs(300),
            connection_age: Duration::from_secs(3_600),
            streams_per_connection: 32,
            request_body: Duration::from_secs(20),
            answer_stall: Duration::from_secs(30),
            answer_least: 64 << 10,
            request_bytes_per_connection: 4 << 20,
            request_bytes_per_address: 16 << 20,
            request_bytes: 48 << 20,
            shutdown: Duration::from_secs(10),
            log_lines_per_second: 20,
            strangers_recorded_per_minute: 60,
            shares: ShareLimits::default(),
        }
    }
}

impl ServerLimits {
    /// How long a server that stops waits for the requests under way. What follows has the rest of `shutdown`.
    pub fn drain(&self) -> Duration {
        self.shutdown / 10 * 6
    }

    /// How long a server that stops may take to close its store, and the program to end its threads.
    pub fn close(&self) -> Duration {
        self.shutdown / 10 * 3 / 2
    }

    /// When the process ends even if something holds it.
    pub fn end(&self) -> Duration {
        self.shutdown / 100 * 95
    }
}
