//! Files as offices have them: right, wrong, cut short and exchanged.

mod accepted;
mod bad;
mod describe;
mod fixture;
mod good;
mod habits;
mod parquet;
mod readings;
mod several;
mod whole;
