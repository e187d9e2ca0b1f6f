//! Several offices and a coordinator over them.

use std::time::Duration;

use lango_identity::SpiffeId;

use crate::{Office, TestCoordinator, TestRegion};

/// Several offices and a coordinator over them.
pub struct Federation {
    /// The offices, in the order given.
    pub offices: Vec<Office>,
    /// The coordinator.
    pub coordinator: TestCoordinator,
}

impl Federation {
    /// Starts a coordinator over offices that were started.
    pub async fn start(world: &TestRegion, offices: Vec<Office>, member_deadline: Duration) -> Self {
        let members = offices.iter().map(|office| (office.id.clone(), office.address())).collect();
        let coordinator = TestCoordinator::start(world, members, member_deadline).await;
        Self { offices, coordinator }
    }

    /// Everybody, as a question's audience.
    pub fn audience(&self) -> Vec<&SpiffeId> {
        self.offices.iter().map(|office| &office.id).collect()
    }
}
