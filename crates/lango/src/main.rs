//! `lango <command>`: the one binary, a file per command.

mod administrator;
mod analyst;
mod audit;
mod clock;
mod commands;
mod config;
mod demo;
mod failure;
mod output;
mod reach;
mod request_file;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    lango_files::keep_from_others();
    match commands::Lango::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::say(&format!("lango: {failure}"));
            ExitCode::from(failure.exit_code())
        }
    }
}
