//! Gateways and a coordinator in this process, over real sockets and certificates, asked as the tools ask them.

mod accounts;
mod administration;
mod answers;
mod catalogue;
mod chains;
mod changes;
mod claims;
mod connections;
mod coordinator;
mod costs;
mod envelopes;
mod failures;
mod grid;
mod ledger;
mod limits;
mod log;
mod lookups;
mod measures;
mod neighbours;
mod refusals;
mod repeats;
mod replays;
mod reviews;
mod starts;
mod two_persons;
mod values;
