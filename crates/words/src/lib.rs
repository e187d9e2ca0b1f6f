//! How are somebody else's words shown, so that they are read and not obeyed? And large numbers?
//!
//! Architecture invariant: pure, and knows no message, no file and no terminal. Every word that comes from outside the program
//! (codes, found keys, names of columns, offices and files, purposes, refusals, errors of servers) passes one of these functions
//! before it reaches a terminal, a log line, a CSV or a JSON text.

mod digits;
mod visible;

pub use digits::thousands;
pub use visible::{csv_field, json_escaped, line, lines, printable};

#[cfg(test)]
mod tests;
