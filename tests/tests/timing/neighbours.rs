//! Two offices that differ by one unit, and how long each takes to answer.

use std::{sync::Arc, time::Instant};

use lango_identity::PayloadType;
use lango_testkit::{Caller, Office, Policy, Register, TestRegion, persons};
use lango_wire::pb::{GatewayServiceQueryRequest, gateway_service_client::GatewayServiceClient};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tonic::transport::Channel;

/// Rows of the unit by which the registers differ: sorting and ranking them takes some milliseconds.
const ROWS: u32 = 3_000;

/// A register without and one with the rows of one unit, each behind a gateway of its own.
pub struct Neighbours {
    analyst: Caller,
    offices: Arc<[Office; 2]>,
}

impl Neighbours {
    /// Starts both, with answers on this grid or at once.
    pub async fn start(grid_ms: Option<u64>) -> Self {
        let world = TestRegion::new();
        let grid = grid_ms.map(|ms| format!("answer_grid_ms = {ms}\n")).unwrap_or_default();
        let office = async |rows: u32| {
            // The unit's column is no key, so that its rows must be brought together.
            let mut register = Register::sample(5);
            register.unit = "TEXT";
            let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &register);
            office.write_policy(&Policy::of("GHA").text().replacen("unit = ", &format!("{grid}unit = "), 1));
            let connection = rusqlite::Connection::open(office.register()).unwrap();
            let sql = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                       INSERT INTO residents SELECT 'one', 'TGO', 'F', i % 110, 'primary', 2021, i FROM n WHERE ?1 > 0";
            connection.execute(sql, [rows]).unwrap();
            drop(connection);
            office.up().await.unwrap();
            office
        };
        Self { analyst: world.analyst(), offices: Arc::new([office(0).await, office(ROWS).await]) }
    }

    /// The times in milliseconds that `answers` fresh answers of each take, without and with the unit.
    ///
    /// Askers ask at once, each both neighbours in turn and in random order, so that whatever else the machine does meets both
    /// alike. No question is asked twice in all the runs on one pair of neighbours.
    pub async fn times(&self, run: usize, askers: usize, answers: usize) -> (Vec<f64>, Vec<f64>) {
        assert_eq!(answers % askers, 0);
        let asked = (0..askers).map(|asker| {
            let (analyst, offices) = (self.analyst.clone(), Arc::clone(&self.offices));
            let first = run * answers + asker * answers / askers;
            tokio::spawn(async move {
                let mut order = ChaCha20Rng::seed_from_u64(first as u64);
                let mut gateways = [analyst.gateway(&offices[0]).await, analyst.gateway(&offices[1]).await];
                let mut times = [Vec::new(), Vec::new()];
                for number in first..first + answers / askers {
                    let one = usize::from(order.next_u32() & 1 == 1);
                    for neighbour in [one, 1 - one] {
                        let (gateway, office) = (&mut gateways[neighbour], &offices[neighbour]);
                        times[neighbour].push(time(&analyst, gateway, office, number).await);
                    }
                }
                times
            })
        });
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for task in asked.collect::<Vec<_>>() {
            let [a, b] = task.await.unwrap();
            without.extend(a);
            with.extend(b);
        }
        (without, with)
    }
}

async fn time(
    analyst: &Caller,
    gateway: &mut GatewayServiceClient<Channel>,
    office: &Office,
    number: usize,
) -> f64 {
    // The price makes it another question, and its last digit keeps its text as long.
    let question = analyst.question(&[&office.id], &persons("by sex", &format!("0.001{number:05}1")));
    let query = Some(analyst.sign(PayloadType::Query, question.encode()));
    let asked = Instant::now();
    let response = gateway.query(GatewayServiceQueryRequest { query }).await.unwrap();
    let time = asked.elapsed();
    assert!(!response.into_inner().release.unwrap().repeated);
    time.as_secs_f64() * 1e3
}

/// For people: quantiles of a sample.
pub fn quantiles(sample: &[f64]) -> String {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let of = |share: f64| sorted[(share * (sorted.len() - 1) as f64) as usize];
    format!("median {:.2}, 99 % {:.2}, most {:.2} ms", of(0.5), of(0.99), of(1.0))
}
