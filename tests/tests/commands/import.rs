//! `lango dataset import` as an administrator runs it.

mod answered;
mod exports;
mod files;
mod refused;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use lango_testkit::{Engine, Office, Policy, Register, TestRegion};

use crate::program::{self, said};

const POLICY: &str = r#"policy = 2
office = "NGA"

[dataset.residents]
title = "Residents by country of birth, mid-2024"
kind = "stock"
source = "register"
table = "residents"
version = "2024-07-01"
unit = { column = "person_id", noun = "person", rows_at_most = 1 }

[dataset.residents.column]
country_of_birth = { codes = "iso3166-1-alpha-3" }
sex = { codes = ["female", "male"] }
age = { integer = [0, 110], bands = 10 }
date_of_birth = { date = [1900-01-01, 2024-07-01], bands = "year" }
arrival_year = { integer = [1950, 2024], bands = 5 }

[budget.residents]
accounting = "pure"
epsilon = 100
renews = "yearly"

[[grant]]
id = "regional-analysts"
to = ["spiffe://ecowas.example/analyst/*"]
purpose = ["official-statistics"]
dataset = "residents"
measures = ["persons"]
by = ["country_of_birth", "sex", "age"]
by_at_most = 3
epsilon_per_query = 50
epsilon_total = 100
publish = "office"
"#;

/// An office whose register is still to be imported, and its configuration.
fn office(world: &TestRegion) -> (Office, PathBuf) {
    let office = Office::prepare_on(Engine::Sqlite, world, "NGA", &Policy::of("NGA"), &Register::default());
    std::fs::remove_file(office.register()).unwrap();
    office.write_policy(POLICY);
    let config = office.write_config(world);
    (office, config)
}

fn command(config: &Path, more: &[&str]) -> Command {
    let mut command = program::command(program::lango());
    command.args(["dataset", "import", "--config"]).arg(config).args(more).stdin(Stdio::null());
    command
}

fn import(config: &Path, file: &Path) -> Output {
    command(config, &["--dataset", "residents"]).arg(file).output().unwrap()
}

/// The value beside a word in the report.
fn line<'a>(report: &'a str, word: &str) -> &'a str {
    let line = report.lines().find_map(|line| line.trim().strip_prefix(word));
    line.unwrap_or_else(|| panic!("no `{word}` in {report}")).trim()
}

/// The register of Nigeria in the shared data, beside the repository, or else a small one of the same shape.
fn register() -> (PathBuf, String) {
    let shared =
        program::project().parent().unwrap().join("shared/data/regional_ecowas_1to100/register_NGA.csv.gz");
    let unpacked = Command::new("gzip").arg("-dc").arg(&shared).output();
    match unpacked.ok().filter(|output| output.status.success()) {
        Some(output) => (shared, String::from_utf8(output.stdout).unwrap()),
        None => {
            eprintln!("SKIPPED: {} is not there; a small register takes its place", shared.display());
            let small = program::project().join("tests/testdata/register.csv");
            let text = std::fs::read_to_string(&small).unwrap();
            (small, text)
        }
    }
}
