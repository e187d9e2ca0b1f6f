//! How do bytes travel, and how much of a server may each peer take? Mutual TLS under HTTP/2 at both ends; places, deadlines and
//! fair shares at the server's.
//!
//! A connection passes four rooms, each with places for every address and in all: it waits for its first byte, it shakes hands,
//! it is established, and its requests are under way. Who may be at the other end, and for how long, is `lango_identity`'s
//! business, whose TLS settings are handed in here.
//!
//! Architecture invariant: knows no message, no principal's rights and no data. Names of principals are opaque to it.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

mod accept;
mod activity;
mod address;
mod aside;
mod bytes;
mod client;
mod connection;
mod head;
mod limits;
mod log_rate;
mod peer;
mod places;
mod pressure;
mod rate;
mod recall;
mod request;
mod response;
mod rooms;
mod rounds;
mod serve;
mod shares;
mod strangers;

pub use address::{Address, AddressError};
pub use aside::{CutShort, aside};
pub use client::{channel, connect, peer_certificates};
pub use limits::{ANSWER_HEADER_BYTES_MAX, ServerLimits};
pub use log_rate::LogRate;
pub use pressure::Pressure;
pub use rate::{Meter, Rate};
pub use recall::{Recall, TlsSettings};
pub use request::UnderWay;
pub use rooms::{Room, Rooms};
pub use rounds::Most;
pub use serve::serve;
pub use shares::{Demand, Share, ShareLimits, Shares};
pub use strangers::{LeftOut, Strangers};

#[cfg(test)]
mod tests;
