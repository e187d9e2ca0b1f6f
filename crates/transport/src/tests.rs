//! Servers and their peers over real sockets and certificates.

mod connections;
mod doors;
mod raw;
mod requests;
mod stopping;
mod world;
