//! What a coordinator needs to start.

use std::time::Duration;

use lango_identity::{Region, SpiffeId, TlsIdentity};
use lango_metrics::{CallTime, Method, Metrics};
use lango_transport::{Address, ServerLimits};
use tokio::sync::watch;

use crate::{log::LogConfig, mailbox::MailboxConfig, witness::WitnessConfig};

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
    /// Where requests to the region's authority wait; there need be no such place.
    pub mailbox: Option<MailboxConfig>,
    /// What it shows of itself: see [`CoordinatorConfig::metrics_of`].
    pub metrics: Metrics,
}

/// What a coordinator can be called for. A question's time is that of its members, which read rows.
const METHODS: &[Method] = &[
    Method { name: "lango.v1.CoordinatorService/ListMembers", time: CallTime::Shown },
    Method { name: "lango.v1.CoordinatorService/GetRevocations", time: CallTime::Shown },
    Method { name: "lango.v1.CoordinatorService/LeaveRenewal", time: CallTime::Shown },
    Method { name: "lango.v1.CoordinatorService/CollectCertificates", time: CallTime::Shown },
    Method { name: "lango.v1.CoordinatorService/Describe", time: CallTime::Shown },
    Method { name: "lango.v1.CoordinatorService/Estimate", time: CallTime::Shown },
    Method { name: "lango.v1.CoordinatorService/Query", time: CallTime::Hidden },
    Method { name: "lango.v1.AuditService/Audit", time: CallTime::Shown },
    Method { name: "grpc.health.v1.Health/Check", time: CallTime::Shown },
    Method { name: "grpc.health.v1.Health/Watch", time: CallTime::Hidden },
    Method { name: "grpc.reflection.v1.ServerReflection/ServerReflectionInfo", time: CallTime::Hidden },
    Method { name: "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", time: CallTime::Hidden },
];

impl CoordinatorConfig {
    /// What a coordinator with this number of members shows of itself.
    #[must_use]
    pub fn metrics_of(members: usize) -> Metrics {
        Metrics::of_coordinator(METHODS, members)
    }
}

/// An office in the federation. Its short name is the name in its URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberAddress {
    /// Who must answer there.
    pub uri: SpiffeId,
    /// Where its gateway listens.
    pub address: Address,
}
