//! One hostile member costs its coordinator little and the others nothing; one hostile coordinator costs an analyst little.

mod coordinators;
mod members;
mod memory;
mod raw;
mod readers;
mod signed;
