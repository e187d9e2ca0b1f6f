//! Analysts who do not take their answers cost others nothing.

use std::time::Duration;

use lango_identity::{Expected, PayloadType, Role, client_config};
use lango_testkit::{Office, Policy, Register, TestCoordinator, TestRegion, largest, persons};
use lango_transport as transport;
use lango_wire::client::CoordinatorClient;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_no_answers_of_a_coordinator_holds_up_nobody_else() {
    let world = TestRegion::new();
    let mut offices = Vec::new();
    for name in ["BEN", "GHA"] {
        let policy = Policy::of(name).of_all_countries();
        offices.push(Office::start(&world, &policy, &Register::sample(5)).await);
    }
    let members = offices.iter().map(|office| (office.id.clone(), office.address())).collect();
    let coordinator = TestCoordinator::start(&world, members, Duration::from_secs(60)).await;
    let audience: Vec<_> = offices.iter().map(|office| &office.id).collect();
    let asked = |caller: &lango_testkit::Caller, text: &str| {
        caller.sign(PayloadType::Query, caller.question(&audience, text).encode())
    };
    let mut untaken = Vec::new();
    for name in ["ama", "efua", "kofi"] {
        let idler = world.caller(Role::Analyst, name);
        let expect = Expected::Id(coordinator.id.clone());
        let config = client_config(&idler.tls, &world.region, expect).unwrap();
        let address = format!("https://{}", coordinator.address()).parse().unwrap();
        // Its connection takes 64 KiB of a stream, and that is never read.
        let client = CoordinatorClient::new(transport::channel(&address, config, SOON));
        for _ in 0..8 {
            untaken.push(client.query(asked(&idler, &largest("0.001")), false).await.unwrap());
        }
    }
    let analyst = world.analyst();
    for epsilon in ["1", "2", "3"] {
        let question = asked(&analyst, &persons("by sex", epsilon));
        let answer = timeout(SOON, analyst.relay(&coordinator, &question, false)).await;
        let answer = answer.expect("nobody waits for what others do not take").unwrap();
        assert_eq!(answer.result.coverage.unwrap().answered.len(), 2, "{epsilon}");
    }
    drop(untaken);
}
