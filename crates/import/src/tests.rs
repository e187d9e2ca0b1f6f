//! Files as offices have them: right, wrong, cut short and exchanged.

mod accepted;
mod bad;
mod describe;
mod edges;
mod fixture;
mod good;
mod habits;
mod identifiers;
mod months;
mod pages;
mod parquet;
mod parts;
mod readings;
mod rounded;
mod several;
mod strangers;
mod whole;
