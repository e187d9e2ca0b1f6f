//! A store for a test, on each engine: in a temporary folder, or in a database of its own on the private server.

use lango_access_log::{
    ActivatedPolicy, ConfigurationChange, GatewayStop, Hex, LogEvent, LoggedLines, PolicyApproval,
};
use lango_ledger::{Account, DeclaredMember, Holder, Limit, PoolMember};
use lango_privacy::{Accounting, Loss};
use lango_testkit::TestDatabase;

use crate::{
    Charge, Decision, HeldCharge, Location, Record, ReleaseKey, Reserve, Reserved, Store, Stored,
    engine::Connection,
};

pub(crate) const FREE: Loss = Loss::FREE;

/// Runs every test on both engines.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::fixture::Engine::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::fixture::Engine::Postgres).await;
            })*
        }
    };
}
pub(crate) use on_both_engines;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A place for a store, which goes with this value.
pub(crate) enum Place {
    Folder(tempfile::TempDir),
    Database(TestDatabase),
}

impl Place {
    pub(crate) async fn fresh(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Engine::Postgres => Self::Database(TestDatabase::fresh(lango_testkit::Engine::Postgres)),
        }
    }

    pub(crate) fn location(&self) -> Location {
        match self {
            Self::Folder(folder) => Location::File(folder.path().join("ledger.sqlite")),
            Self::Database(database) => Location::Postgres { server: database.owner(), connections: 4 },
        }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.location()).await.unwrap()
    }

    /// A connection of the test's own.
    pub(crate) async fn connect(&self) -> Connection {
        self.location().options().unwrap().0.connect().await.unwrap()
    }
}

pub(crate) struct Fixture {
    pub place: Place,
    pub store: Store,
}

impl Fixture {
    pub(crate) async fn new(engine: Engine) -> Self {
        let place = Place::fresh(engine).await;
        Store::create(&place.location()).await.unwrap();
        let store = place.open().await;
        store.declare(&[declared()], None, None).await.unwrap();
        Self { place, store }
    }

    pub(crate) async fn reopen(self) -> Self {
        self.store.close().await;
        let store = self.place.open().await;
        Self { place: self.place, store }
    }

    pub(crate) async fn reserve(&self, query: u8, nano: u64) -> Reserved {
        self.store.reserve(&ask(query, Loss::pure(nano)), &record(Decision::Reserved)).await.unwrap()
    }

    pub(crate) async fn held(&self, query: u8, nano: u64) -> HeldCharge {
        match self.reserve(query, nano).await {
            Reserved::Held(held) => held,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn charged(&self) -> (u64, u64) {
        let pool = self.store.balance(&account(Holder::Pool)).await.unwrap();
        let share = self.store.balance(&account(Holder::Grant("analysts".into()))).await.unwrap();
        (pool.pure_nano.unwrap(), share.pure_nano.unwrap())
    }

    pub(crate) async fn decisions(&self) -> Vec<(i64, String)> {
        let records = self.store.records(0, 1_000).await.unwrap();
        records.into_iter().map(|entry| (entry.sequence, entry.decision)).collect()
    }
}

pub(crate) fn member() -> PoolMember {
    PoolMember {
        pool: "residents".into(),
        dataset: "residents".into(),
        rows_from: "register/residents".into(),
    }
}

pub(crate) fn declared() -> DeclaredMember {
    DeclaredMember { member: member(), has_group: false }
}

pub(crate) fn account(holder: Holder) -> Account {
    Account { pool: "residents".into(), holder, period: "2026".into(), since: 1_767_225_600 }
}

/// The two accounts that [`ask`] charges.
pub(crate) fn accounts() -> [Account; 2] {
    [account(Holder::Pool), account(Holder::Grant("analysts".into()))]
}

pub(crate) fn ask(query: u8, loss: Loss) -> Reserve {
    let charge = |holder, amount_nano| Charge {
        account: account(holder),
        limit: Limit { accounting: Accounting::Pure, amount_nano },
    };
    Reserve {
        key: ReleaseKey { query_digest: [query; 32], dataset_version: "1".into(), terms_digest: [9; 32] },
        member: member(),
        query: format!("question {query}"),
        plan: format!("plan of {}", loss.rho_nano),
        loss,
        pool: charge(Holder::Pool, 10),
        share: charge(Holder::Grant("analysts".into()), 6),
    }
}

/// What the log says of a record that no request is about.
fn house_event(decision: Decision) -> Option<LogEvent> {
    match decision {
        Decision::Activated => Some(LogEvent::Policy(ActivatedPolicy {
            before: None,
            changes: LoggedLines::default(),
            digest: Hex([2; 32]),
            moved: Vec::new(),
            signers: Vec::new(),
        })),
        Decision::Configured => Some(LogEvent::Configuration(ConfigurationChange {
            changes: LoggedLines::default(),
            configuration: Hex([3; 32]),
        })),
        Decision::Signed => {
            Some(LogEvent::PolicySignature(PolicyApproval { digest: Hex([2; 32]), envelope: Hex([4; 32]) }))
        }
        Decision::Started | Decision::Stopped => Some(LogEvent::Stop(GatewayStop { instance: Hex([5; 16]) })),
        _ => None,
    }
}

pub(crate) fn record(decision: Decision) -> Record {
    let is_refused = matches!(decision, Decision::Refused | Decision::Failed);
    let is_release = matches!(decision, Decision::Released | Decision::Drawn);
    Record {
        purpose: "official-statistics".into(),
        request_digest: [1; 32],
        reason: if is_refused { "unavailable".to_owned() } else { String::new() },
        release_id: is_release.then_some([6; 16]),
        event: house_event(decision),
        ..Record::of("spiffe://ecowas.example/analyst/awa".into(), (1_800_000_000, [2; 32]), decision)
    }
}

pub(crate) fn release(id: u8) -> Stored {
    Stored {
        release_id: [id; 16],
        dataset_version: "1".into(),
        query: "question 1".into(),
        plan: format!("plan of {}", Loss::pure(4).rho_nano),
        layout: "margin persons by\n".into(),
        cells: vec![i64::MIN, -1, 0, i64::MAX],
        loss: Loss::pure(4),
    }
}
