//! The analyst's side: makes a question, signs it, and believes only what the offices signed.

pub mod ask;
pub mod catalogue;
pub mod connection;
pub mod evidence;
pub mod names;
pub mod offices;
pub mod precision;
pub mod prices;
pub mod question;
pub mod report;
