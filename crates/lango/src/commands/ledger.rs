//! `lango ledger create | show | history | forecast | anchor`: the store of a gateway's ledger.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lango_store::{Location, Store};

use super::serving;
use crate::{
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::say,
};

mod accounts;
mod forecast;
mod history;
mod printed;

use accounts::Show;
use forecast::Forecast;
use history::History;

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Make the store, once, before a gateway's first start. Refused where there is one.
    Create(Place),
    /// Print what has been spent and what is left of each pool and grant, in the period of today.
    Show(Show),
    /// Print who asked what, newest first: the question, the purpose, what was decided by which rule, and the price. Questions
    /// that were refused are among them.
    History(History),
    /// Print when each pool and grant runs dry if questions go on at the present pace.
    Forecast(Forecast),
    /// Write the anchor anew from the store as it is now: only if you are sure that the store is the latest.
    Anchor(Place),
}

#[derive(Debug, Args)]
pub struct Place {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl LedgerCommand {
    pub fn run(self) -> Result<(), Failure> {
        let runtime = serving::runtime()?;
        match self {
            Self::Create(place) => runtime.block_on(create(&place.config)),
            Self::Show(show) => runtime.block_on(show.run()),
            Self::History(history) => runtime.block_on(history.run()),
            Self::Forecast(forecast) => runtime.block_on(forecast.run()),
            Self::Anchor(place) => runtime.block_on(anchor(&place.config)),
        }
    }
}

async fn create(config: &Path) -> Result<(), Failure> {
    let file: GatewayFile = read_toml(config)?;
    let (location, anchor) = (file.store_location(config)?, file.anchor(config)?);
    // Where the store is there already, that is what is wrong, whatever its anchor says.
    let is_there = matches!(&location, Location::File(path) if path.exists());
    if let (Some(anchor), false) = (&anchor, is_there) {
        anchor.check_new()?;
    }
    Store::create(&location).await?;
    let store = Store::open(&location).await?;
    let position = store.position().await?;
    store.close().await;
    if let Some(anchor) = anchor {
        anchor.write(position)?;
    }
    say(&format!("made the store {location}, number {}", hex::encode(position.identity)));
    Ok(())
}

async fn anchor(config: &Path) -> Result<(), Failure> {
    let file: GatewayFile = read_toml(config)?;
    let anchor = file.anchor(config)?.ok_or_else(|| {
        Failure::of(config.display(), "names no anchor: add `anchor = PATH`, outside the store's folder")
    })?;
    let store = file.store(config).await?;
    let position = store.position().await?;
    store.close().await;
    anchor.write(position)?;
    say(&format!("anchored the store {} at {} records", hex::encode(position.identity), position.sequence));
    Ok(())
}
