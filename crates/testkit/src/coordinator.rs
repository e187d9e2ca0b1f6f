//! A coordinator, and what its callers get.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use lango_coordinator::{
    CoordinatorConfig, CoordinatorServeError, LogConfig, MemberAddress, WitnessConfig, serve,
};
use lango_identity::{Expected, Role, SpiffeId, client_config};
use lango_metrics::Metrics;
use lango_sealing::SignerInUse;
use lango_store::{Location, Store};
use lango_transport::{self as transport, Address, ServerLimits};
use lango_wire::{
    MESSAGE_BYTES_MAX,
    pb::{
        self, coordinator_service_client::CoordinatorServiceClient, coordinator_service_query_response::Event,
    },
};
use tokio::sync::watch;
use tonic::{Status, transport::Channel};

use crate::{Caller, TestIdentity, TestRegion, generous, running::Running};

/// A running coordinator.
pub struct TestCoordinator {
    /// Who it is.
    pub id: SpiffeId,
    running: Running,
    failed: Arc<OnceLock<CoordinatorServeError>>,
    /// What it shows of itself.
    pub metrics: Metrics,
}

/// Where a log is kept, how often members cosign it, and who reads it.
type Logging = (Location, Duration, Vec<SpiffeId>);

/// All that a coordinator returned for a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Relayed {
    /// Each member's answer, in the order of coming.
    pub members: Vec<pb::MemberAnswer>,
    /// The combined answer.
    pub result: pb::Result,
}

impl TestCoordinator {
    /// Starts it for these members; `member_deadline` is how long each may take for an answer.
    pub async fn start(
        world: &TestRegion,
        members: Vec<(SpiffeId, Address)>,
        member_deadline: Duration,
    ) -> Self {
        Self::start_with(world, members, member_deadline, generous()).await
    }

    /// The same with these limits.
    pub async fn start_with(
        world: &TestRegion,
        members: Vec<(SpiffeId, Address)>,
        member_deadline: Duration,
        limits: ServerLimits,
    ) -> Self {
        let identity = world.identity(Role::Coordinator, "main");
        Self::start_as(world, &identity, members, (member_deadline, limits), (None, None)).await
    }

    /// One that witnesses the logs of these members, by a folder of its own, and asks them so often.
    pub async fn start_witness(
        world: &TestRegion,
        members: Vec<(SpiffeId, Address)>,
        folder: &Path,
        every: Duration,
    ) -> Self {
        let witness = Some((folder.to_owned(), every));
        let identity = world.identity(Role::Coordinator, "main");
        let limits = (Duration::from_secs(60), generous());
        Self::start_as(world, &identity, members, limits, (witness, None)).await
    }

    /// One of this identity with a log of its own in a folder, made where it is not there, which these auditors may read; its
    /// members are asked to cosign it so often.
    pub async fn start_logging(
        world: &TestRegion,
        identity: &TestIdentity,
        members: Vec<(SpiffeId, Address)>,
        (folder, every): (&Path, Duration),
        auditors: Vec<SpiffeId>,
    ) -> Self {
        let store = Location::File(folder.join("log.sqlite"));
        if !folder.join("log.sqlite").exists() {
            Store::create(&store).await.unwrap();
        }
        let log = Some((store, every, auditors));
        let limits = (Duration::from_secs(60), generous());
        Self::start_as(world, identity, members, limits, (None, log)).await
    }

    async fn start_as(
        world: &TestRegion,
        identity: &TestIdentity,
        members: Vec<(SpiffeId, Address)>,
        (member_deadline, limits): (Duration, ServerLimits),
        (witness, log): (Option<(PathBuf, Duration)>, Option<Logging>),
    ) -> Self {
        let signer = || Arc::new(SignerInUse::new(identity.signer()));
        let metrics = CoordinatorConfig::metrics_of(members.len());
        let config = CoordinatorConfig {
            metrics: metrics.clone(),
            region: world.region.clone(),
            tls: watch::channel(identity.tls()).1,
            members: members.into_iter().map(|(uri, address)| MemberAddress { uri, address }).collect(),
            member_deadline,
            connect_timeout: Duration::from_secs(5),
            limits,
            log: log.map(|(store, every, auditors)| LogConfig {
                store,
                signer: signer(),
                configuration: [7; 32],
                auditors,
                every,
            }),
            mailbox: None,
            witness: witness.map(|(folder, every)| WitnessConfig { signer: signer(), folder, every }),
        };
        let failed = Arc::new(OnceLock::new());
        let running = Running::start(|listener, stopped| {
            let failure = Arc::clone(&failed);
            let served = serve(config, listener, async move {
                // A sender that is dropped stops the coordinator too.
                drop(stopped.await);
            });
            async move {
                if let Err(error) = served.await {
                    failure.set(error).unwrap();
                }
                Ok::<_, Infallible>(())
            }
        });
        Self { id: identity.id.clone(), running: running.await, failed, metrics }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Why it has stopped by itself, if it has.
    pub fn why_stopped(&self) -> Option<&CoordinatorServeError> {
        self.failed.get()
    }

    /// Stops it and waits until it has.
    pub async fn stop(self) {
        self.running.stop().await;
        assert!(self.failed.get().is_none(), "{:?}", self.failed.get());
    }
}

impl Caller {
    /// A connection to a coordinator.
    pub async fn coordinator_channel(&self, coordinator: &TestCoordinator) -> Channel {
        let config = client_config(&self.tls, &self.region, Expected::Id(coordinator.id.clone())).unwrap();
        let address: Address = format!("https://{}", coordinator.address()).parse().unwrap();
        transport::connect(&address, config, Duration::from_secs(10)).await.unwrap()
    }

    /// A client of a coordinator.
    pub async fn coordinator(&self, coordinator: &TestCoordinator) -> CoordinatorServiceClient<Channel> {
        let channel = self.coordinator_channel(coordinator).await;
        CoordinatorServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Sends a signed question to a coordinator and waits for the combined answer, which must come last and once.
    pub async fn relay(
        &self,
        coordinator: &TestCoordinator,
        envelope: &pb::Envelope,
        by_office: bool,
    ) -> Result<Relayed, Status> {
        let (query, confidence) = (Some(envelope.clone()), String::new());
        let request =
            pb::CoordinatorServiceQueryRequest { query, by_office, confidence, members_only: false };
        let mut events = self.coordinator(coordinator).await.query(request).await?.into_inner();
        let mut members = Vec::new();
        while let Some(event) = events.message().await? {
            match event.event.unwrap() {
                Event::Member(member) => members.push(member),
                Event::Result(result) => {
                    assert_eq!(events.message().await?, None, "the result comes last");
                    return Ok(Relayed { members, result });
                }
            }
        }
        panic!("the stream ended without a result");
    }
}
