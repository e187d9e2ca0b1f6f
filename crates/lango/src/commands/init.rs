//! `lango init`: a folder for each role, with all that it needs to run once its certificates have come.

mod asked;
mod coordinator;
mod folder;
mod office;
mod person;
mod unit;

use clap::Subcommand;
use lango_identity::Role;

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub enum InitCommand {
    /// An office's gateway: its configuration, a policy that grants nothing yet, its keys and a request for certificates.
    Office(office::InitOffice),
    /// A region's coordinator: its configuration with the members, its key and a request for a certificate.
    Coordinator(coordinator::InitCoordinator),
    /// An analyst: keys, a request for certificates and a question to begin with.
    Analyst(person::InitPerson),
    /// An auditor: a key and a request for a certificate.
    Auditor(person::InitPerson),
    /// An office's administrator: a key and a request for a certificate.
    Administrator(person::InitPerson),
}

impl InitCommand {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Office(office) => office.run(),
            Self::Coordinator(coordinator) => coordinator.run(),
            Self::Analyst(person) => person.run(Role::Analyst),
            Self::Auditor(person) => person.run(Role::Auditor),
            Self::Administrator(person) => person.run(Role::Administrator),
        }
    }
}
