//! How many charges a second the store takes, beside bare transactions of the same writes; run by `tests/bench/ledger`.
//!
//! Usage: `ledger EMPTY FILLED SECONDS RUNS ENTRIES`, where the first two are files or addresses, of stores that are not there
//! yet; the second is filled with entries first. Prints one JSON object. A charge is what one new answer costs the ledger: a
//! reservation, both its accounts, a release and two access records, in two transactions.

#[path = "bare.rs"]
mod bare;
#[path = "fill.rs"]
mod fill;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use lango_database::{Server, Tls};
use lango_ledger::{Account, DeclaredMember, Holder, Limit, PoolMember};
use lango_privacy::{Accounting, Loss};
use lango_store::{Charge, Decision, Location, Record, ReleaseKey, Reserve, Reserved, Store, Stored};
use serde_json::json;

const CLIENTS: u64 = 64;
const GRANTS: u64 = 8;
const AT: i64 = 1_790_000_000;
/// The day of it.
const DAY: u16 = (AT / 86_400) as u16;
const LIMIT: u64 = 1 << 60;

/// The texts of a question of 100 cells.
const QUERY: &str =
    "lango-query 1\ndataset residents\nmeasure persons\nby country_of_birth,sex\nprice epsilon 0.5\n";
const PLAN: &str = "lango-plan 1\nterms 9a5f0b6d8c7e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a\nmargin persons by country_of_birth,sex\nbounds 1 1\nnoise discrete-laplace 2\n";
const LAYOUT: &str = "margin persons by country_of_birth,sex\nkeys country_of_birth 50\nkeys sex 2\n";
const CELLS: usize = 100;

/// Numbers charges, so that no two are alike.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// One charge, with the values that differ by its number.
struct Sample {
    number: u64,
    digest: [u8; 32],
    release_id: [u8; 16],
    grant: String,
}

impl Sample {
    fn next() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut digest = [0; 32];
        for (word, bytes) in digest.chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&mixed(number * 4 + word as u64).to_le_bytes());
        }
        // As the gateway makes them: the day, then what is random.
        let mut release_id: [u8; 16] = digest[..16].try_into().unwrap();
        release_id[..2].copy_from_slice(&DAY.to_be_bytes());
        Self { number, digest, release_id, grant: format!("grant-{}", number % GRANTS) }
    }

    fn cells(&self) -> Vec<i64> {
        (0..CELLS).map(|cell| (self.number as i64).wrapping_mul(31) + cell as i64).collect()
    }
}

/// SplitMix64: spreads numbers out as digests are, over every index.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn record(sample: &Sample, decision: Decision, release_id: Option<[u8; 16]>) -> Record {
    Record {
        purpose: "official-statistics".into(),
        request_digest: sample.digest,
        query_digest: Some(sample.digest),
        query: Some(
            "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 0.01\n".to_owned(),
        ),
        dataset: Some("residents".into()),
        rule: Some(sample.grant.clone()),
        charged: Loss::pure(1),
        release_id,
        ..Record::of("spiffe://ecowas.example/analyst/awa".into(), (AT, [7; 32]), decision)
    }
}

fn member() -> PoolMember {
    PoolMember {
        pool: "residents".into(),
        dataset: "residents".into(),
        rows_from: "register/residents".into(),
    }
}

async fn charge(store: &Store) {
    let sample = Sample::next();
    let account =
        |holder| Account { pool: "residents".into(), holder, period: "2026".into(), since: 1_767_225_600 };
    let limit = Limit { accounting: Accounting::Pure, amount_nano: LIMIT };
    let reserve = Reserve {
        key: ReleaseKey { query_digest: sample.digest, dataset_version: "1".into(), terms_digest: [9; 32] },
        member: member(),
        query: QUERY.into(),
        plan: PLAN.into(),
        loss: Loss::pure(1),
        pool: Charge { account: account(Holder::Pool), limit },
        share: Charge { account: account(Holder::Grant(sample.grant.clone())), limit },
    };
    let reserved = store.reserve(&reserve, &record(&sample, Decision::Reserved, None)).await.unwrap();
    let Reserved::Held(held) = reserved else { panic!("{reserved:?}") };
    let release = Stored {
        release_id: sample.release_id,
        dataset_version: "1".into(),
        query: QUERY.into(),
        plan: PLAN.into(),
        layout: LAYOUT.into(),
        cells: sample.cells(),
        loss: Loss::pure(1),
    };
    let settled = record(&sample, Decision::Released, Some(sample.release_id));
    store.settle(held.id, &release, &settled).await.unwrap();
}

/// Charges a second of several clients at once, each of which waits for one charge before the next.
async fn rate<F: Future<Output = ()> + Send>(
    time: Duration,
    one: impl Fn() -> F + Clone + Send + 'static,
) -> f64 {
    let (done, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let clients = (0..CLIENTS).map(|_| {
        let (done, one) = (Arc::clone(&done), one.clone());
        tokio::spawn(async move {
            while began.elapsed() < time {
                one().await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

async fn stored(store: &Store, time: Duration) -> f64 {
    let store = store.clone();
    rate(time, move || {
        let store = store.clone();
        async move { charge(&store).await }
    })
    .await
}

fn location(place: &str) -> Location {
    if place.starts_with("postgresql:") {
        let server = Server { address: place.to_owned(), password: None, tls: Tls::Off };
        Location::Postgres { server, connections: 8 }
    } else {
        Location::File(place.into())
    }
}

/// A store, and who writes the same beside it.
struct Place {
    store: Store,
    bare: bare::Bare,
}

impl Place {
    async fn open(location: &Location) -> Self {
        Store::create(location).await.unwrap();
        let store = Store::open(location).await.unwrap();
        store.declare(&[DeclaredMember { member: member(), has_group: false }], None, None).await.unwrap();
        Self { store, bare: bare::Bare::open(location).await }
    }

    /// Charges a second: the store's, and bare.
    async fn rates(&self, time: Duration) -> [f64; 2] {
        [stored(&self.store, time).await, self.bare.rate(time).await]
    }
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    let [_, empty, filled, seconds, runs, entries] = words.as_slice() else {
        panic!("usage: ledger EMPTY FILLED SECONDS RUNS ENTRIES");
    };
    let time = Duration::from_secs_f64(seconds.parse().unwrap());
    let (runs, entries): (usize, u64) = (runs.parse().unwrap(), entries.parse().unwrap());
    let (empty_at, filled_at) = (location(empty), location(filled));
    let (empty, filled) = (Place::open(&empty_at).await, Place::open(&filled_at).await);
    // Records are numbered from those that are there.
    charge(&filled.store).await;
    fill::fill(&filled_at, entries).await;
    // Neither is measured while its connections and plans are made.
    empty.rates(time / 4).await;
    filled.rates(time / 4).await;
    let (mut of_empty, mut of_filled) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        of_empty.push(empty.rates(time).await);
        of_filled.push(filled.rates(time).await);
    }
    empty.store.close().await;
    filled.store.close().await;
    let rates_of = |rates: &[[f64; 2]]| {
        let [store, bare] = [0, 1].map(|which| rates.iter().map(|rates| rates[which]).collect::<Vec<_>>());
        json!({ "store": store, "bare": bare })
    };
    let result = json!({
        "clients": CLIENTS, "seconds": time.as_secs_f64(), "entries": entries,
        "empty": rates_of(&of_empty), "filled": rates_of(&of_filled),
    });
    println!("{result}");
}
