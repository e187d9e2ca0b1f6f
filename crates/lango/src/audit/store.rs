//! The store of an office or of a coordinator, read where it is and as it is: nothing is signed and nothing written.

use std::path::Path;

use lango_access_log::{Amount, LoggedLoss, SignedCheckpoint, TileId, TileLevel};
use lango_analyst::now;
use lango_audit::{LedgerBalance, LedgerBalances};
use lango_identity::{Region, SpiffeId, certificates_from_pem, signing_key};
use lango_store::{CheckpointKind, Examined, KeptBalance};

use super::head::Head;
use crate::{
    config::{CoordinatorFile, GatewayFile, names_members, read_toml},
    failure::Failure,
};

/// Entries that are read at once.
const READ_AT_ONCE: u32 = 1_024;

/// A store that is audited.
pub struct AuditedStore {
    pub office: SpiffeId,
    pub region: Region,
    chain: Vec<Vec<u8>>,
    store: Examined,
}

impl AuditedStore {
    /// Opens the store that a configuration names, a gateway's or a coordinator's.
    pub async fn open(config: &Path) -> Result<Self, Failure> {
        let (region, identity, store) = if names_members(config)? {
            let file: CoordinatorFile = read_toml(config)?;
            let location = file.log_location(config)?;
            (file.region(config)?, file.identity_folder(config), Examined::readable(&location).await?)
        } else {
            let file: GatewayFile = read_toml(config)?;
            (file.region(config)?, file.identity_folder(config), file.readable_store(config).await?)
        };
        let signing = identity.join("signing.pem");
        let chain = certificates_from_pem(&lango_files::read(&signing)?);
        let chain: Vec<Vec<u8>> = chain
            .map_err(|error| Failure::of(signing.display(), error))?
            .iter()
            .map(|der| der.to_vec())
            .collect();
        let (office, _) =
            signing_key(&chain, &region, now()).map_err(|error| Failure::of(signing.display(), error))?;
        Ok(Self { office, region, chain, store })
    }

    /// The last checkpoint that the gateway kept: once a minute while it runs, and when it stops.
    pub async fn head(&mut self) -> Result<Head, Failure> {
        let none = || {
            Failure::of(
                "the store",
                "has no checkpoint yet: one is kept when its gateway, or its coordinator, has started",
            )
        };
        let (_, note) = self.store.checkpoint(CheckpointKind::Kept).await?.ok_or_else(none)?;
        let read = |note: String| -> Result<SignedCheckpoint, Failure> {
            note.parse().map_err(|error| Failure::of("the checkpoint of the store", error))
        };
        let witnessed = self.store.checkpoint(CheckpointKind::Witnessed).await?;
        let witnessed = witnessed.map(|(_, note)| read(note)).transpose()?;
        // A witness is shown the log to its end, the gateway keeps a checkpoint of its own once a minute: both are the office's.
        let own = read(note)?;
        let newest = witnessed.clone().filter(|shown| shown.unverified().size > own.unverified().size);
        Ok(Head { checkpoint: newest.unwrap_or(own), chain: self.chain.clone(), witnessed })
    }

    pub async fn entries(&mut self, first: u64, most: u64) -> Result<Vec<Vec<u8>>, Failure> {
        let most = u32::try_from(most).unwrap_or(READ_AT_ONCE).min(READ_AT_ONCE);
        Ok(self.store.leaves(first, most).await?)
    }

    pub async fn policy(&mut self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.store.policy_text(digest).await?)
    }

    pub async fn tile(&mut self, id: TileId) -> Result<Option<Vec<u8>>, Failure> {
        match id.level() {
            TileLevel::Hashes(level) if id.is_full() => Ok(self.store.log_tile(level, id.index()).await?),
            TileLevel::Hashes(_) | TileLevel::Entries => Ok(None),
        }
    }

    pub async fn balances(&mut self) -> Result<LedgerBalances, Failure> {
        let kept = self.store.kept_balances().await?;
        let balance = |kept: KeptBalance| {
            let KeptBalance { pool, grant, period, charged } = kept;
            let charged = LoggedLoss {
                delta_e18: Amount(charged.delta_e18),
                pure_nano: charged.pure_nano.map(Amount),
                rho_nano: Amount(charged.rho_nano),
            };
            LedgerBalance { pool, grant, period, charged }
        };
        Ok(LedgerBalances { size: kept.size, balances: kept.balances.into_iter().map(balance).collect() })
    }
}
