//! Files as offices have them: right, wrong, cut short and exchanged.

mod bad;
mod fixture;
mod good;
mod parquet;
mod whole;
