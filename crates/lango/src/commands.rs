//! The commands and their words.

mod allocator;
mod audit;
mod catalogue;
mod coordinator;
mod dataset;
mod doctor;
pub mod entries;
mod gateway;
pub mod identity;
mod init;
mod ledger;
mod policy;
mod query;
mod renewals;
mod review;
mod revocations;
mod same_rows;
mod serving;
mod views;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// Lango: a gate for official migration statistics.
///
/// A gateway runs beside each statistics office and returns only differentially private aggregates under the office's
/// own policy; a coordinator asks many gateways one question.
#[derive(Debug, Parser)]
#[command(name = "lango", version, max_term_width = 100)]
pub struct Lango {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run fifteen gateways and a coordinator on this machine and ask them the regional question.
    Demo(crate::demo::DemoCommand),
    /// Run the gateway beside an office's database.
    Gateway(gateway::GatewayCommand),
    /// Run the coordinator of a region's gateways.
    Coordinator(coordinator::CoordinatorCommand),
    /// Ask a question of many offices, or its price.
    #[command(subcommand)]
    Query(Box<query::QueryCommand>),
    /// Show what you may ask of which offices: datasets, columns with their codes, measures, prices, questions left.
    Catalogue(catalogue::CatalogueCommand),
    /// Describe, import or prepare the data that a gateway answers from.
    #[command(subcommand)]
    Dataset(dataset::DatasetCommand),
    /// Make the store of a gateway's ledger, see what is left, or anchor it in a second place.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// See the questions and answers that wait for the office's review, and decide on them.
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Fetch an office's log as its auditor, verify it without trusting anybody, search it, and prove what is in it.
    #[command(subcommand)]
    Audit(Box<audit::AuditCommand>),
    /// Make a folder with all that an office, a coordinator, an analyst, an auditor or an administrator needs.
    #[command(subcommand)]
    Init(init::InitCommand),
    /// Make, issue, install and explain keys and certificates.
    #[command(subcommand)]
    Identity(identity::IdentityCommand),
    /// Check a policy without a gateway.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Check everything that a server or a person needs, the way there and back included, and say what to do. Makes and changes
    /// nothing.
    Doctor(doctor::DoctorCommand),
}

impl Lango {
    /// Runs the command.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Demo(demo) => demo.run(),
            Command::Gateway(gateway) => gateway.run(),
            Command::Coordinator(coordinator) => coordinator.run(),
            Command::Query(query) => query.run(),
            Command::Catalogue(catalogue) => catalogue.run(),
            Command::Dataset(dataset) => dataset.run(),
            Command::Ledger(ledger) => ledger.run(),
            Command::Review(review) => review.run(),
            Command::Audit(audit) => audit.run(),
            Command::Init(init) => init.run(),
            Command::Identity(identity) => identity.run(),
            Command::Policy(policy) => policy.run(),
            Command::Doctor(doctor) => doctor.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_makes_sense() {
        super::Lango::command().debug_assert();
    }
}
