//! SIGKILL at random moments of questions, reviews, policy changes, imports and starts. After each the log is fetched and
//! verified, every entry that an asker holds the proof of is in it, no charge is lost, and no answer was left uncharged.
//!
//! A few kills on each engine; a thousand with `LANGO_LONG=1`.

mod asked;
mod reviewer;

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use asked::{Asker, Charges};
use lango_access_log::SignedCheckpoint;
use lango_identity::Role;
use lango_store::{CheckpointKind, Examined, Location};
use lango_testkit::{Engine, Office, Policy, Register, TestDatabase, TestGrant, TestRegion, at_once};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use reviewer::Reviewer;
use rusqlite::Connection;

use crate::{process::Process, program, program::said};

/// The grant whose questions are answered at once, and the one whose questions and answers wait for the office.
const FREE: &str = "free";
const REVIEWED: &str = "reviewed";
/// Kills of one store; then another begins.
const KILLS_MOST: u32 = 50;
/// How long a gateway works before it is killed, at most.
const MOMENT_MS: u32 = 400;
/// The same of an import, which takes about half as long.
const IMPORT_MS: u32 = 100;
/// How many rows the files have that are imported, and the register at first.
const ROWS: [i64; 2] = [3_000, 4_000];
/// Far longer than the store's claims of a dead gateway last.
const PATIENCE: Duration = Duration::from_secs(300);

fn kills() -> u32 {
    if std::env::var_os("LANGO_LONG").is_some() { 1_000 } else { 6 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_kill_the_log_of_a_store_in_a_file_verifies_and_no_charge_is_lost() {
    run("SQLite", || None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_kill_the_log_of_a_store_in_postgres_verifies_and_no_charge_is_lost() {
    run("PostgreSQL", || Some(TestDatabase::fresh(Engine::Postgres))).await;
}

async fn run(name: &str, database: impl Fn() -> Option<TestDatabase>) {
    let seed = std::env::var("LANGO_SEED").ok().and_then(|seed| seed.parse().ok());
    let (begun, seed) = (Instant::now(), seed.unwrap_or_else(std::process::id));
    println!("{name}: from LANGO_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(seed));
    let mut total = Counts::default();
    // Every other store is anchored.
    for is_anchored in [false, true].into_iter().cycle() {
        if total.kills >= kills() {
            break;
        }
        let database = database();
        let mut world = World::new(database.as_ref(), is_anchored);
        let kills = KILLS_MOST.min(kills() / 2).min(kills() - total.kills);
        while world.counts.kills < kills {
            world.round(&mut random).await;
        }
        world.end().await;
        total.add(&world.counts);
        println!("{name}: {} kills in {:.0} s", total.kills, begun.elapsed().as_secs_f64());
    }
    let Counts { kills, starts, imports, imports_killed, policies, answers, entries } = total;
    println!(
        "{name}: {kills} kills, {starts} of them of starts, {imports_killed} of {imports} imports killed, \
         {policies} policies saved, {answers} answers held, {entries} entries verified, in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    assert!(answers > u64::from(kills) / 2 && imports > 0 && policies > 0, "it was idle");
    assert!(imports_killed > 0 || kills < 100, "every import ended before its kill");
}

/// What happened.
#[derive(Debug, Default)]
struct Counts {
    kills: u32,
    starts: u32,
    imports: u32,
    /// Of them those that had not ended.
    imports_killed: u32,
    policies: u32,
    answers: u64,
    entries: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.starts += other.starts;
        self.imports += other.imports;
        self.imports_killed += other.imports_killed;
        self.policies += other.policies;
        self.answers += other.answers;
        self.entries += other.entries;
    }
}

/// An office whose gateway is killed again and again, and all that was asked of it.
struct World {
    office: Office,
    location: Location,
    config: PathBuf,
    askers: [Asker; 3],
    reviewer: Reviewer,
    /// Where its log is fetched to, and where its store is anchored if it is.
    elsewhere: tempfile::TempDir,
    charged_before: i64,
    rounds: u32,
    counts: Counts,
}

/// The policy in its forms: other words, another grant, other terms of what waits.
fn policy(form: u32) -> Policy {
    let to = |name: &str| format!("spiffe://ecowas.example/analyst/{name}");
    let grant =
        |id: &str, name: &str| TestGrant { id: id.to_owned(), to: to(name), ..TestGrant::of("1", "50") };
    let reviewed = "review = \"required\"\nhold = true".to_owned();
    let most = if form % 5 == 4 { "49" } else { "50" };
    let reviewed = TestGrant { more: reviewed, epsilon_total: most.to_owned(), ..grant(REVIEWED, "esi") };
    let mut grants = vec![grant(FREE, "awa"), reviewed];
    grants.extend((form % 3 == 2).then(|| grant("others", "yaw")));
    let title = format!("Residents, edition {form}");
    let budget = "accounting = \"pure\"\nepsilon = 100\nrenews = \"never\"";
    Policy { title, ..Policy::of("GHA") }.budget(budget).grants(grants)
}

/// A file of the register with this number of persons.
fn file(rows: i64) -> String {
    let line = |row: i64| format!("p{row},BEN,F,{},primary,2021,1000\n", row % 110);
    "person_id,country_of_birth,sex,age,education,arrival_year,income\n".to_owned()
        + &(0..rows).map(line).collect::<String>()
}

/// Begins to import one of the files.
fn import(config: &Path, office: &Office, number: u32) -> Child {
    let mut command = program::command(program::lango());
    command.args(["dataset", "import", "--dataset", "residents", "--same-version", "--config"]);
    command.arg(config).arg(office.folder().join(format!("{number}.csv")));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

impl World {
    fn new(database: Option<&TestDatabase>, is_anchored: bool) -> Self {
        let world = TestRegion::new();
        let elsewhere = tempfile::tempdir().unwrap();
        let register = Register::default().with(ROWS[0] as usize, lango_testkit::Person::default());
        let mut office = Office::prepare_on(Engine::Sqlite, &world, "GHA", &policy(0), &register);
        let ama = world.caller(Role::Administrator, "ama");
        office.administrators.listed = [ama.id.clone()].into();
        let location = match database {
            None => Location::File(office.store()),
            Some(database) => {
                office.keep_in(&database.owner());
                Location::Postgres { server: database.owner(), connections: 2 }
            }
        };
        if is_anchored {
            office.anchor_at(elsewhere.path().join("anchor"));
        }
        let config = office.write_config(&world);
        for (number, rows) in ROWS.iter().enumerate() {
            std::fs::write(office.folder().join(format!("{number}.csv")), file(*rows)).unwrap();
        }
        let asker = |name: &str, first| Asker::new(world.caller(Role::Analyst, name), &office.id, first);
        let askers = [asker("awa", 1), asker("awa", 300_001), asker("esi", 600_001)];
        let reviewer = Reviewer::new(ama, &office.id);
        Self {
            location,
            config,
            askers,
            reviewer,
            elsewhere,
            charged_before: 0,
            rounds: 0,
            counts: Counts::default(),
            office,
        }
    }

    /// Starts the gateway, verifies what the kill before has left, lets everybody work, and kills it.
    async fn round(&mut self, random: &mut ChaCha8Rng) {
        let mut up_to = |most: u32| random.next_u32() % most;
        if up_to(6) == 0 {
            self.kill_start(Duration::from_millis(up_to(150).into())).await;
        }
        let gateway = self.start();
        self.check().await;
        let ends_at = Duration::from_millis(up_to(MOMENT_MS).into());
        let imports_after = ends_at.mul_f64(f64::from(up_to(100)) / 100.0);
        let import_lasts = Duration::from_millis(up_to(IMPORT_MS).into());
        // By turns, so that a run of a few kills has both.
        let imported = (self.rounds % 3 != 2).then(|| up_to(2));
        let saves = self.rounds % 3;
        self.rounds += 1;
        let seed = up_to(1 << 30);

        let (askers, reviewer) = (&mut self.askers, &mut self.reviewer);
        let (office, counts) = (&self.office, &mut self.counts);
        let connected = at_once(askers.iter_mut().map(|asker| asker.connect(office)));
        tokio::join!(connected, reviewer.connect(office));
        let working = at_once(askers.iter_mut().zip(seed..).map(|(asker, seed)| asker.work(seed.into())));
        let killed = async {
            let begun = Instant::now();
            for save in 0..saves {
                tokio::time::sleep(ends_at / (saves + 1)).await;
                counts.policies += 1;
                let text = policy(counts.policies + save).text();
                std::fs::write(office.folder().join("policies/policy.toml"), text).unwrap();
                gateway.signal("HUP");
            }
            tokio::time::sleep(ends_at.saturating_sub(begun.elapsed())).await;
            drop(gateway.kill());
        };
        let import_killed = async {
            let number = imported?;
            tokio::time::sleep(imports_after).await;
            let mut importing = import(&self.config, office, number);
            tokio::time::sleep(import_lasts).await;
            let is_under_way = importing.try_wait().unwrap().is_none();
            importing.kill().unwrap();
            importing.wait().unwrap();
            Some(is_under_way)
        };
        let (_, (), (), import_killed) =
            tokio::join!(working, reviewer.work(seed.into()), killed, import_killed);
        self.counts.imports += u32::from(import_killed.is_some());
        self.counts.imports_killed += u32::from(import_killed == Some(true));
        self.counts.kills += 1;
    }

    fn start(&mut self) -> Process {
        let gateway = Process::start(&self.config);
        self.office.listens_at(gateway.address);
        gateway
    }

    /// Kills a gateway that starts.
    async fn kill_start(&mut self, after: Duration) {
        let mut command = program::command(program::lango());
        command.arg("gateway").arg("--config").arg(&self.config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut starting = command.spawn().unwrap();
        tokio::time::sleep(after).await;
        assert!(starting.try_wait().unwrap().is_none(), "it does not start");
        starting.kill().unwrap();
        starting.wait().unwrap();
        self.counts.kills += 1;
        self.counts.starts += 1;
    }

    /// What must hold after every kill, of a gateway that has started and is asked nothing.
    async fn check(&mut self) -> Charges {
        let mut store = Examined::readable(&self.location).await.unwrap();
        let mut leaves: Vec<Vec<u8>> = Vec::new();
        loop {
            let more = store.leaves(leaves.len() as u64, 1_000).await.unwrap();
            if more.is_empty() {
                break;
            }
            leaves.extend(more);
        }
        self.counts.entries += leaves.len() as u64;
        // Every answer that somebody holds is the entry that its receipt is of, and was charged.
        self.counts.answers = 0;
        for asker in &self.askers {
            self.counts.answers += asker.holds(&leaves);
        }
        let charges = Charges::of(store.kept_balances().await.unwrap());
        for (grant, askers) in [(FREE, &self.askers[..2]), (REVIEWED, &self.askers[2..])] {
            let sum = |answered: bool| askers.iter().map(|asker| asker.prices(answered)).sum::<i64>();
            let charged = charges.of_grant(grant);
            assert!(
                sum(true) <= charged && charged <= sum(false),
                "{grant}: {} <= {charged} <= {}",
                sum(true),
                sum(false)
            );
        }
        assert_eq!(charges.pool, charges.of_grant(FREE) + charges.of_grant(REVIEWED));
        assert!(charges.pool >= self.charged_before, "{} of {} are lost", charges.pool, self.charged_before);
        self.charged_before = charges.pool;
        let rows = Connection::open(self.office.register()).unwrap();
        let rows: i64 = rows.query_row("SELECT count(*) FROM residents", [], |row| row.get(0)).unwrap();
        assert!(ROWS.contains(&rows), "{rows} rows: an import is half done");

        // Its gateway keeps a checkpoint as soon as it serves.
        let begun = Instant::now();
        let kept = loop {
            let (_, kept) = store.checkpoint(CheckpointKind::Kept).await.unwrap().unwrap_or_default();
            match kept.parse::<SignedCheckpoint>() {
                Ok(kept) if kept.unverified().size >= leaves.len() as u64 => break kept,
                _ => assert!(begun.elapsed() < PATIENCE, "no checkpoint is kept"),
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        self.verified(kept.unverified().size);
        charges
    }

    /// Fetches the log and verifies it, as an auditor in the office does.
    fn verified(&self, size: u64) {
        let folder = self.elsewhere.path().join("log");
        let audit = |what: &str, words: &dyn Fn(&mut Command)| {
            let mut command = program::command(program::lango());
            command.args(["audit", what]);
            words(&mut command);
            let (code, stdout, stderr) = said(&command.output().unwrap());
            assert_eq!(code, Some(0), "audit {what}: {stdout}{stderr}");
            stdout
        };
        audit("fetch", &|command| {
            command.arg("--to").arg(&folder).arg("--config").arg(&self.config);
        });
        let proven = audit("verify", &|command| {
            command.arg(&folder);
        });
        assert!(
            proven.contains(&format!("hashes {} of {}", grouped(size), grouped(size))),
            "{size}: {proven}"
        );
    }

    /// Answers whatever was asked and not answered, and says that all was charged once.
    async fn end(&mut self) {
        let gateway = self.start();
        let begun = Instant::now();
        let (office, reviewer) = (&self.office, &mut self.reviewer);
        at_once(self.askers.iter_mut().map(|asker| asker.connect(office))).await;
        reviewer.connect(office).await;
        while self.askers.iter().any(Asker::waits) {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.askers.each_ref().map(Asker::waiting));
            at_once(self.askers.iter_mut().map(Asker::send_again)).await;
            reviewer.decide_all().await;
        }
        let charges = self.check().await;
        let asked: i64 = self.askers[..2].iter().map(|asker| asker.prices(false)).sum();
        assert_eq!(charges.of_grant(FREE), asked, "each question once");
        let (_, ended, log) = gateway.stop();
        assert!(ended, "{log}");
        let mut store = Examined::readable(&self.location).await.unwrap();
        let (size, _) = store.checkpoint(CheckpointKind::Kept).await.unwrap().unwrap();
        self.verified(size);
    }
}

/// A number as reports print it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut parts: Vec<&str> = Vec::new();
    parts.extend((first > 0).then(|| &digits[..first]));
    parts.extend((first..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    parts.join(",")
}
