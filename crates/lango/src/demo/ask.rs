//! The regional question.

use std::time::{Duration, Instant};

use lango_analyst::{Answered, Client, Enquiry};
use lango_privacy::Level;

use super::{fleet::Fleet, folder::Folder};
use crate::{
    analyst::{
        ask::{self, TIME_MAX},
        question::{Offer, Parts},
    },
    config,
    failure::Failure,
};

pub const EPSILON: &str = "1";

/// An answer and how long it took.
pub struct DemoAnswer {
    pub answered: Answered,
    pub took: Duration,
}

/// Asks persons by office, country of birth and sex, of all members.
pub fn ask(folder: &Folder, fleet: &Fleet) -> Result<DemoAnswer, Failure> {
    let measures = ["persons".to_owned()];
    let by = ["office,country_of_birth,sex".to_owned()];
    let parts = Parts {
        dataset: "residents",
        version: None,
        measures: &measures,
        by: &by,
        filters: &[],
        price: Offer::Epsilon(EPSILON),
    };
    let draft = parts.read()?;
    let enquiry = Enquiry {
        query: draft.query,
        by_office: draft.by_office,
        purpose: "official-statistics".to_owned(),
        at_least: 0,
        level: Level::USUAL,
        members: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let credentials = config::credentials(&folder.analyst())?;
        let client = Client::connect(credentials, &fleet.coordinator.parse()?, TIME_MAX).await?;
        let begun = Instant::now();
        let answered = ask::run(&client, &enquiry).await?;
        Ok(DemoAnswer { answered, took: begun.elapsed() })
    })
}

/// Waits for Ctrl-C or SIGTERM.
pub fn until_interrupted() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminated.recv() => {}
        }
        Ok(())
    })
}
