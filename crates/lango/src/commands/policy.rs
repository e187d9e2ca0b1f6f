//! `lango policy check | test | explain | diff | replay | simulate | schema`: policies without a gateway. `lango policy status |
//! sign`: how the one of a gateway stands, and what is to come into force.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use lango_policy::PolicySet;

use crate::{
    config::{GatewayFile, documents, read_toml},
    failure::Failure,
};

mod check;
mod diff;
mod explain;
mod open;
mod quoted;
mod replay;
mod schema;
mod simulate;
mod status;
mod trials;

use check::PolicyCheck;
use diff::PolicyCompare;
use explain::PolicyExplain;
use replay::PolicyReplay;
use schema::PolicySchema;
use simulate::PolicySimulate;
use status::{PolicySign, PolicyStatus};
use trials::PolicyTest;

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check the policy files of a folder, or one file: every mistake, with its line and what to write instead.
    ///
    /// Ends with 0 where there are no errors, with 1 where there are, and with 2 where the command makes no sense. Needs no
    /// database and no key. What the register holds is examined by `lango doctor` and `lango dataset check`.
    Check(PolicyCheck),
    /// Run the tests that a policy holds: questions with the decision that its author expects. Says which grants allow none
    /// of them and which refusals refuse none.
    ///
    /// Ends with 0 where none fails, with 1 where one does, and with 2 where the command makes no sense or the policy has errors.
    Test(PolicyTest),
    /// Explain whether a principal may ask a question, by which lines of the policy, and what would have to change; without a
    /// question, all that the principal may ask.
    ///
    /// Ends with 0 where the question is permitted, with 1 where it is refused, and with 2 where the command makes no sense or
    /// the policy has errors. Needs no database, no key and no gateway, and knows nothing of what has been charged: `lango ledger
    /// show` says what is left.
    Explain(PolicyExplain),
    /// Compare two policies: what becomes possible, what stops, and what is charged, reviewed or answered otherwise, each with a
    /// question that shows it.
    ///
    /// Ends with 0 where every question is decided alike, with 1 where the policies differ, and with 2 where the command makes no
    /// sense or a policy has errors. Needs no database, no key and no gateway.
    Diff(PolicyCompare),
    /// Decide the last questions on a gateway's record again, by the policy in its folder and by a proposed one: which would be
    /// refused, allowed, dearer or cheaper, each with the rule that decides before and after.
    ///
    /// Ends with 0 where every question is decided alike, with 1 where one is not, and with 2 where the command makes no sense or
    /// a policy has errors. Reads the store only, beside a gateway that runs. What is left of budgets plays no part.
    Replay(PolicyReplay),
    /// Rehearse a question: its price, and a table of invented units with the noise and the error bars that an answer has.
    ///
    /// Every figure is invented: no register is read, nothing is charged and nothing is recorded. Ends with 0 where the question
    /// is permitted, with 1 where it is refused, and with 2 where the command makes no sense or the policy has errors.
    Simulate(PolicySimulate),
    /// Print what may stand in a policy file: a JSON Schema for editors, or a manual of every key.
    ///
    /// Both come from the types that read the files, so that they are those of this version.
    Schema(PolicySchema),
    /// Print which policy is in force, what is wrong with a folder that was refused, and what a change waits for.
    Status(PolicyStatus),
    /// Sign a change of the policy that waits at the office's gateway: the second administrator who signs it activates it.
    ///
    /// You sign your copy of the folder, or a digest that was read to you: the gateway refuses the signature if what waits there
    /// is another policy. Read the change before (`lango policy diff`).
    Sign(PolicySign),
}

impl PolicyCommand {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Check(check) => check.run(),
            Self::Test(test) => test.run(),
            Self::Explain(explain) => explain.run(),
            Self::Diff(diff) => diff.run(),
            Self::Replay(replay) => replay.run(),
            Self::Simulate(simulate) => simulate.run(),
            Self::Schema(schema) => schema.run(),
            Self::Status(status) => status.run(),
            Self::Sign(sign) => sign.run(),
        }
    }
}

/// The policy of a folder, or of the folder that a configuration names; `policies` by default.
fn named(folder: Option<&Path>, config: Option<&Path>) -> Result<PolicySet, Failure> {
    let folder = match (folder, config) {
        (Some(folder), _) => folder.to_owned(),
        (None, Some(file)) => read_toml::<GatewayFile>(file)
            .map_err(|failure| Failure::Usage(failure.to_string()))?
            .policy_folder(file),
        (None, None) => PathBuf::from("policies"),
    };
    loaded(&folder)
}

/// The policy of a folder, or one file of it. One with errors decides nothing.
fn loaded(folder: &Path) -> Result<PolicySet, Failure> {
    let (read, wrong) = documents::readable(folder);
    let set = if wrong.is_empty() { PolicySet::read(&read) } else { Err(wrong) };
    set.map_err(|wrong| Failure::Usage(format!("{} cannot be used\n\n{wrong}", folder.display())))
}
