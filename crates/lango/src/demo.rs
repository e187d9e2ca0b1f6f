//! `lango demo`: fifteen offices, a coordinator and the regional question, on this machine.

mod ask;
mod fleet;
mod folder;
mod registers;
mod report;

use std::path::PathBuf;

use clap::Args;

use crate::{failure::Failure, output};

#[derive(Debug, Args)]
pub struct DemoCommand {
    /// The folder for registers, keys, policies and ledgers; a second start uses it again.
    #[arg(long, value_name = "DIR", default_value = "lango-demo")]
    dir: PathBuf,
    /// End after the table instead of staying up until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Write the result there too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// One person is drawn for N published ones; 1 draws everyone. 100 unless the folder says otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(lango_registers::SCALE_MAX)))]
    scale: Option<u32>,
    /// The seed of whatever is modelled. 1 unless the folder says otherwise.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print how long it took, in the databases and as a whole, and the gateways' memory.
    #[arg(long)]
    timings: bool,
    /// The most rows of the printed table; 0 prints all.
    #[arg(long, value_name = "N", default_value_t = 40)]
    rows: usize,
}

impl DemoCommand {
    pub fn run(self) -> Result<(), Failure> {
        let folder = folder::Folder::prepare(&self.dir, self.scale, self.seed)?;
        let fleet = fleet::Fleet::start(&folder)?;
        let asked = ask::ask(&folder, &fleet)?;
        let result = report::Result::new(&folder, asked)?;
        result.print(self.rows)?;
        if self.timings {
            report::timings(&folder, &fleet, &result)?;
        }
        if let Some(file) = &self.json {
            let text = output::json(&result.json())?;
            std::fs::write(file, text + "\n").map_err(|error| Failure::of(file.display(), error))?;
        }
        if self.once {
            return fleet.stop();
        }
        report::next_steps(&folder, &fleet)?;
        ask::until_interrupted()?;
        fleet.stop()
    }
}
