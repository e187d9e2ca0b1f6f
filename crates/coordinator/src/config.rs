//! What a coordinator needs to start.

use std::time::Duration;

use lango_identity::{Region, SpiffeId, TlsIdentity};
use lango_transport::{Address, ServerLimits};
use tokio::sync::watch;

use crate::{log::LogConfig, witness::WitnessConfig};

/// A coordinator's settings.
#[derive(Debug, Clone)]
pub struct CoordinatorConfig {
    /// The region whose analysts ask and whose offices answer.
    pub region: Region,
    /// What the coordinator shows at both ends of its connections: each new one shows what is there at its moment.
    pub tls: watch::Receiver<TlsIdentity>,
    /// The federation; each office at most once.
    pub members: Vec<MemberAddress>,
    /// A member that takes longer is missing.
    pub member_deadline: Duration,
    /// A member whose server has not spoken by then is unreachable.
    pub connect_timeout: Duration,
    /// What it gives to its peers, and for how long.
    pub limits: ServerLimits,
    /// How it witnesses its members' logs; it need not.
    pub witness: Option<WitnessConfig>,
    /// How it keeps a log of its own; it need not.
    pub log: Option<LogConfig>,
}

/// An office in the federation. Its short name is the name in its URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberAddress {
    /// Who must answer there.
    pub uri: SpiffeId,
    /// Where its gateway listens.
    pub address: Address,
}
