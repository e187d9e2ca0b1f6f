//! `lango policy test`: the questions that a policy holds with the decisions that its author expects, and what they try.

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;
use lango_policy::{GrantPart, PolicySet, Tried};
use serde_json::{Value, json};

use super::{
    explain::TextFormat,
    named,
    quoted::{spot, wrapped},
};
use crate::{
    failure::Failure,
    output::{self, counted},
};

#[derive(Debug, Args)]
pub struct PolicyTest {
    /// The folder with the policy files, or one of them; what the configuration names by default, else `policies`.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The gateway's configuration, which says where the policy files are.
    #[arg(long, value_name = "FILE", conflicts_with = "folder")]
    config: Option<PathBuf>,
    /// Fail if there is a grant that allows no test, or a refusal that refuses none.
    #[arg(long)]
    deny_untested: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
}

/// The tests of a policy, and the rules that decide none of them.
struct Trials<'a> {
    set: &'a PolicySet,
    tried: Vec<Tried<'a>>,
    /// Each with its place.
    untested: Vec<(String, String)>,
}

impl PolicyTest {
    pub fn run(&self) -> Result<(), Failure> {
        let set = named(self.folder.as_deref(), self.config.as_deref())?;
        let trials = Trials::of(&set);
        match self.format {
            TextFormat::Text => output::print(&trials.text())?,
            TextFormat::Json => output::print_json(&trials.json())?,
        }
        match (trials.failures(), trials.untested.len()) {
            (0, 0) => Ok(()),
            (0, untested) if self.deny_untested => Err(Failure::Failed(format!(
                "{} without a test, and --deny-untested",
                counted(untested, "rule")
            ))),
            (0, _) => Ok(()),
            (failures, _) => {
                Err(Failure::Failed(format!("{} of {} fail", failures, counted(trials.tried.len(), "test"))))
            }
        }
    }
}

impl<'a> Trials<'a> {
    fn of(set: &'a PolicySet) -> Self {
        let tried: Vec<Tried<'_>> = set.try_all().collect();
        let allowing: BTreeSet<&str> =
            tried.iter().filter_map(|tried| Some(tried.decision.as_ref().ok()?.id.as_str())).collect();
        let refusing: BTreeSet<&str> =
            tried.iter().filter_map(|tried| tried.decision.as_ref().err()?.rule.as_deref()).collect();
        let grants = set.grants.iter().filter(|grant| !allowing.contains(grant.id.as_str()));
        let grants = grants.map(|grant| {
            (format!("grant `{}` allows", grant.id), spot(set.grant_place(grant, GrantPart::Id)))
        });
        let refusals = set.prohibitions.iter().filter(|rule| !refusing.contains(rule.id.as_str()));
        let refusals = refusals.map(|rule| {
            let place = set.prohibition_place(rule).map(|(id, _)| id);
            (format!("refusal `{}` refuses", rule.id), spot(place))
        });
        let untested = grants.chain(refusals).collect();
        Self { set, tried, untested }
    }

    fn failures(&self) -> usize {
        self.tried.iter().filter(|tried| tried.failure.is_some()).count()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for tried in &self.tried {
            let word = if tried.failure.is_some() { "fails" } else { "ok" };
            let line = format!(
                "{word:<5} {}: {}: {}",
                spot(Some(&tried.trial.place)),
                tried.trial.written,
                tried.trial.expected()
            );
            text += &format!("{}\n", wrapped(&line, ""));
            if tried.failure.is_some() {
                text += &format!("{}\n", wrapped(&format!("found {}", found(tried)), "      "));
            }
        }
        let rules = self.set.grants.len() + self.set.prohibitions.len();
        let found = match self.failures() {
            0 => "all as expected".to_owned(),
            failures => format!("{failures} not as expected"),
        };
        text += &format!(
            "\n{}, {found}; {} of {} tested\n",
            counted(self.tried.len(), "test"),
            rules - self.untested.len(),
            counted(rules, "rule")
        );
        for (rule, place) in &self.untested {
            text += &format!("{}\n", wrapped(&format!("no test that {rule} ({place})"), "  "));
        }
        text
    }

    fn json(&self) -> Value {
        let tests = self.tried.iter().map(|tried| {
            json!({
                "place": spot(Some(&tried.trial.place)),
                "query": tried.trial.written,
                "expected": tried.trial.expected(),
                "found": found(tried),
                "is_as_expected": tried.failure.is_none(),
            })
        });
        let untested = self.untested.iter().map(|(rule, place)| json!({ "rule": rule, "place": place }));
        json!({ "tests": tests.collect::<Vec<_>>(), "untested": untested.collect::<Vec<_>>() })
    }
}

/// What the policy decides, as a test says it.
fn found(tried: &Tried<'_>) -> String {
    match &tried.decision {
        Ok(grant) => format!("allow: {}", grant.id),
        Err(denial) => format!("deny: {}", denial.code()),
    }
}
