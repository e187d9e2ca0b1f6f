//! `lango doctor` as an administrator runs it, on the engine under test: what is wrong is named, with what to do.

use std::path::Path;

use lango_access_log::SignedCheckpoint;
use lango_database::{Server, Tls};
use lango_testkit::{Engine, Office, Policy, Register, TestCoordinator, TestRegion};
use rusqlite::Connection;
use serde_json::Value;

use crate::{
    prepare::{lango, office as unkeyed},
    program::said,
};

/// An office in which all is well, and its configuration.
pub fn keyed(world: &TestRegion) -> (Office, std::path::PathBuf) {
    let office = Office::prepare(world, "GHA", &Policy::of("GHA"), &Register::sample(1));
    let config = office.write_config(world);
    (office, config)
}

/// The checks by their names, with the exit code. Nothing secret may be printed, whatever is found.
pub struct Found {
    code: Option<i32>,
    checks: Vec<[String; 4]>,
}

pub fn doctor(config: &Path) -> Found {
    let (code, stdout, stderr) = said(&lango(&["doctor"], config, &["--format", "json"]));
    let report: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap();
    let checks: Vec<_> = checks
        .iter()
        .map(|check| ["check", "status", "found", "advice"].map(|name| text(check, name)))
        .collect();
    let failed = checks.iter().filter(|[_, status, ..]| status == "failed").count();
    assert_eq!(
        (report["failed"].as_u64(), code),
        (Some(failed as u64), Some(i32::from(failed > 0))),
        "{stdout}"
    );
    if let Ok(password) = std::fs::read_to_string(config.with_file_name("register.password")) {
        assert!(!stdout.contains(&password) && !stderr.contains(&password));
    }
    for [check, status, found, advice] in &checks {
        assert_eq!(advice.is_empty(), status == "ok", "{check}: {found}");
    }
    Found { code, checks }
}

impl Found {
    /// What was found by a check.
    pub fn found(&self, check: &str) -> String {
        let line = self.checks.iter().find(|[name, ..]| name == check);
        line.unwrap_or_else(|| panic!("no {check}: {:#?}", self.checks))[2].clone()
    }

    pub fn is_checked(&self, check: &str) -> bool {
        self.checks.iter().any(|[name, ..]| name == check)
    }

    pub fn expect(&self, check: &str, status: &str, words: &str) {
        let is = |[name, is, found, advice]: &&[String; 4]| {
            name == check && is == status && (found.contains(words) || advice.contains(words))
        };
        assert!(self.checks.iter().any(|line| is(&line)), "{check} {status} {words}: {:#?}", self.checks);
    }
}

/// Puts other words in place of some in a file.
pub fn rewrite(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn where_all_is_well_nothing_fails_and_nothing_is_made() {
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    let before = std::fs::read_dir(office.folder()).unwrap().count();
    let found = doctor(&config);
    for check in [
        "configuration",
        "clock",
        "authority",
        "certificate for TLS",
        "certificate for signing",
        "policy",
        "source register",
        "dataset residents",
        "dataset residents, rows",
    ] {
        found.expect(check, "ok", "");
    }
    found.expect("store", "ok", "this version's schema");
    found.expect("store's anchor", "warning", "an older copy of the store would go unnoticed");
    assert_eq!((found.code, std::fs::read_dir(office.folder()).unwrap().count()), (Some(0), before));
    if office.database.engine() != Engine::Sqlite {
        found.expect("source register", "ok", "TLSv1.3");
        found.expect("source register", "ok", "after 600 s");
        found.expect("source register, rights", "ok", "may not change");
        found.expect("source register, schema", "ok", "");
    }
    let (code, stdout, _) = said(&lango(&["doctor"], &config, &[]));
    assert!(code == Some(0) && stdout.lines().all(|line| line.chars().count() <= 100), "{stdout}");
}

/// What is done to an office and its configuration.
type Spoil = fn(&Office, &Path);

fn made_anew(office: &Office, unit: &'static str) {
    office.database.run("DROP TABLE residents");
    let mut register = Register::default();
    register.unit = unit;
    register.write(&office.database);
}

#[test]
fn what_is_wrong_with_a_source_is_named_with_what_to_do() {
    let drop: Spoil = |office, _| office.database.run("DROP TABLE residents");
    let view: Spoil = |office, _| {
        office.database.run("ALTER TABLE residents RENAME TO kept");
        office.database.run("CREATE VIEW residents AS SELECT * FROM kept");
    };
    let wrong_type: Spoil = |office, _| {
        made_anew(office, "REAL");
    };
    let no_key: Spoil = |office, _| {
        made_anew(office, "TEXT");
    };
    let no_column: Spoil = |office, _| office.database.run("ALTER TABLE residents DROP COLUMN education");
    let gone: Spoil = |office, config| match office.database.engine() {
        Engine::Sqlite => office.database.away(),
        _ => {
            let address = office.database.server().address;
            let port = address.rsplit_once(':').unwrap().1.split('/').next().unwrap().to_owned();
            rewrite(config, &format!(":{port}/"), ":1/");
        }
    };
    for (what, spoil, check, status, words) in [
        ("dropped", drop, "dataset residents", "failed", "no table `residents`"),
        ("a view", view, "dataset residents, rows", "warning", "no primary or unique key"),
        ("of a wrong type", wrong_type, "dataset residents", "failed", "`person_id`"),
        ("without a column", no_column, "dataset residents", "failed", "no column `education`"),
        (
            "without its key",
            no_key,
            "dataset residents, rows",
            "warning",
            "no primary or unique key on `person_id`",
        ),
        ("out of reach", gone, "source register", "failed", "cannot be opened"),
        ("out of reach", gone, "dataset residents", "failed", "not examined"),
    ] {
        eprintln!("{what}");
        let world = TestRegion::new();
        let (office, config) = keyed(&world);
        spoil(&office, &config);
        let found = doctor(&config);
        found.expect(check, status, words);
        found.expect("certificate for TLS", "ok", "");
    }
}

#[test]
fn what_is_wrong_with_a_servers_users_is_named() {
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    if office.database.engine() == Engine::Sqlite {
        return;
    }
    let address = office.database.server().address;
    let user = address.split_once("://").unwrap().1.split_once('@').unwrap().0.to_owned();
    office.database.run(&match office.database.engine() {
        Engine::MariaDb => format!("GRANT INSERT ON {user}.* TO {user}@'127.0.0.1'"),
        _ => format!("GRANT INSERT ON residents TO {user}"),
    });
    doctor(&config).expect("source register, rights", "warning", "may change `residents`");

    let schema = office.database.prepared_schema();
    rewrite(&config, &format!("prepared_schema = \"{schema}\""), "prepared_schema = \"nowhere\"");
    doctor(&config).expect("source register, schema", "failed", "is not there");

    lango_files::replace(&office.folder().join("register.password"), b"not-the-password").unwrap();
    let found = doctor(&config);
    found.expect("source register", "failed", "the password");
    found.expect("dataset residents", "failed", "not examined");
}

#[test]
fn a_stale_preparation_is_named_with_its_reason_and_the_command() {
    let version: Spoil =
        |office, _| rewrite(&office.folder().join("policies/policy.toml"), "2024-07-01", "2025-07-01");
    let policy: Spoil =
        |office, _| rewrite(&office.folder().join("policies/policy.toml"), "[0, 110]", "[0, 120]");
    let secret: Spoil = |office, config| {
        std::fs::remove_file(office.store()).unwrap();
        assert_eq!(said(&lango(&["ledger", "create"], config, &[])).0, Some(0));
    };
    let table: Spoil = |office, _| office.database.run("ALTER TABLE residents ADD COLUMN more INTEGER");
    let rows: Spoil = |office, _| {
        let schema = match office.database.engine() {
            Engine::Sqlite => "main".to_owned(),
            _ => office.database.prepared_schema(),
        };
        let prepared =
            office.database.rows(&format!("SELECT prepared_table FROM {schema}.lango_preparation"));
        office.database.run(&format!("DROP TABLE {schema}.{}", prepared[0][0].as_ref().unwrap()));
    };
    for (spoil, words) in [
        (version, "for another version"),
        (policy, "declared or prepared otherwise"),
        (secret, "another ledger's secret"),
        (table, "made anew"),
        (rows, "its rows are gone"),
    ] {
        eprintln!("{words}");
        let world = TestRegion::new();
        let (office, config) = unkeyed(&world);
        doctor(&config).expect("dataset residents, rows", "warning", "lango dataset prepare --config ");
        let prepare = || said(&lango(&["dataset", "prepare"], &config, &["--dataset", "residents"]));
        assert_eq!(prepare().0, Some(0));
        doctor(&config).expect("dataset residents, rows", "ok", "prepared: ");
        doctor(&config).expect("store", "ok", "this version's schema");
        spoil(&office, &config);
        let found = doctor(&config);
        found.expect("dataset residents, rows", "warning", words);
        found.expect("dataset residents, rows", "warning", "lango dataset prepare --config ");
        let (code, _, stderr) = prepare();
        assert_eq!(code, Some(0), "{stderr}");
        doctor(&config).expect("dataset residents, rows", "ok", "prepared: ");
    }
}

#[test]
fn a_failure_does_not_keep_the_rest_from_being_examined() {
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    std::fs::write(office.folder().join("policies/policy.toml"), "policy = 2\noffise = \"GHA\"\n").unwrap();
    let expired = world.identity_of(&office.id, world.past(), world.lifetime());
    expired.save(&office.folder().join("identity"));
    let store = Connection::open(office.store()).unwrap();
    store.execute_batch("UPDATE schema_version SET version = 99").unwrap();
    drop(store);
    let found = doctor(&config);
    found.expect("policy", "failed", "policy.toml:2:1");
    found.expect("certificate for TLS", "failed", "expired");
    found.expect("certificate for signing", "ok", "valid until");
    found.expect("store", "failed", "schema 99");
    found.expect("source register", "ok", "answers");

    std::fs::remove_file(office.folder().join("authority.pem")).unwrap();
    let found = doctor(&config);
    found.expect("authority", "failed", "authority.pem");
    found.expect("tls.pem", "failed", "expired");
    found.expect("signing.pem", "ok", "valid until");

    rewrite(&config, "listen", "lisen");
    doctor(&config).expect("configuration", "failed", "lisen");
}

/// Whatever else is wrong, it says when a witness cosigned the log last.
#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_has_been_away_for_days_is_named() {
    let world = TestRegion::new();
    let (mut office, config) = keyed(&world);
    const CHECK: &str = "log's witness";
    assert!(!doctor(&config).is_checked(CHECK), "none has come");
    office.up().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let members = vec![(office.id.clone(), office.address())];
    let every = std::time::Duration::from_millis(100);
    let coordinator = TestCoordinator::start_witness(&world, members, folder.path(), every).await;
    let begun = std::time::Instant::now();
    while !doctor(&config).is_checked(CHECK) {
        assert!(begun.elapsed().as_secs() < 60, "no witness comes");
    }
    coordinator.stop().await;
    office.down().await;
    doctor(&config).expect(CHECK, "ok", "just now");

    let store = Connection::open(office.store()).unwrap();
    let read = "SELECT note FROM log_checkpoint WHERE kind = 'witnessed'";
    let note: String = store.query_row(read, [], |row| row.get(0)).unwrap();
    let signed: SignedCheckpoint = note.parse().unwrap();
    let mut cosignature = signed.note().signatures().last().unwrap().clone();
    let earlier = signed.cosigned_at().unwrap() - 3 * 86_400;
    cosignature.bytes[..8].copy_from_slice(&earlier.to_be_bytes());
    let note = signed.note().clone().with(cosignature).unwrap().to_string();
    store.execute("UPDATE log_checkpoint SET note = ? WHERE kind = 'witnessed'", [note]).unwrap();
    doctor(&config).expect(CHECK, "warning", "3 days ago");
}

#[test]
fn a_table_with_more_rows_than_the_policy_reckons_with_is_named() {
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    let analyzed = match office.database.engine() {
        Engine::Sqlite => "ANALYZE",
        Engine::Postgres => "ANALYZE residents",
        Engine::MariaDb => "ANALYZE TABLE residents",
    };
    let check = "dataset residents, rows_below";
    let bounded = |from: &str, to: &str| {
        rewrite(&office.folder().join("policies/policy.toml"), from, to);
        doctor(&config)
    };
    let table = "table = \"residents\"";
    let below = |rows: &str| format!("{table}\nrows_below = {rows}\n");
    let found = bounded(table, &below("2"));
    // Nothing is said before the catalogue knows something, but MariaDB's always does.
    assert!(office.database.engine() == Engine::MariaDb || !found.is_checked(check));
    office.database.run(analyzed);
    let found = doctor(&config);
    found.expect(check, "warning", "the policy with fewer than 2");
    found.expect(check, "warning", "raise `rows_below`");
    assert_eq!(found.code, Some(0));
    assert!(!bounded(&below("2"), &below("1_000_000")).is_checked(check));
}

#[test]
fn a_store_on_a_server_is_examined_and_not_made() {
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    if office.database.engine() != Engine::Postgres {
        return;
    }
    let Server { address, password, tls } = office.database.owner();
    let Tls::Authority(authority) = tls else { panic!("a test's server has an authority of its own") };
    let secret = password.unwrap().read().unwrap();
    lango_files::replace(&office.folder().join("store.password"), secret.as_bytes()).unwrap();
    let store = format!(
        "store = {{ postgres = \"{address}\", password_file = \"store.password\", tls_authority = \"{}\" }}",
        authority.display()
    );
    rewrite(&config, "store = \"ledger.sqlite\"", &store);
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    let before = office.database.integer(tables);
    let found = doctor(&config);
    found.expect("store", "failed", "lango ledger create --config FILE");
    // The tests' server forces nothing to the disk.
    found.expect("store's durability", "warning", "fsync, full_page_writes");
    assert_eq!(office.database.integer(tables), before);

    let prepare = || said(&lango(&["dataset", "prepare"], &config, &["--dataset", "residents"]));
    assert_eq!(prepare().0, Some(1));
    assert_eq!(said(&lango(&["ledger", "create"], &config, &[])).0, Some(0));
    assert_eq!(prepare().0, Some(0));
    doctor(&config).expect("store", "ok", "this version's schema");
    std::fs::write(office.folder().join("store.password"), "not-the-password").unwrap();
    doctor(&config).expect("store", "failed", "the password");
}

#[test]
fn keys_that_others_may_read_and_a_key_for_two_purposes_are_refused_at_the_start_and_by_doctor() {
    use std::os::unix::fs::PermissionsExt;
    let open = |path: std::path::PathBuf, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, mode, check) in [
        ("identity/tls.key", 0o640, "certificate for TLS"),
        ("identity/signing.key", 0o604, "certificate for signing"),
        ("register.password", 0o644, "source register"),
    ] {
        let world = TestRegion::new();
        let (office, config) = keyed(&world);
        let path = office.folder().join(name);
        if !path.exists() {
            // The register is a file.
            continue;
        }
        open(path.clone(), mode);
        let command = format!("chmod 600 {}", path.display());
        doctor(&config).expect(check, "failed", &command);
        let (code, _, stderr) = said(&lango(&["gateway"], &config, &[]));
        assert!(code == Some(1) && stderr.contains(&command), "{name}: {stderr}");
    }
    // What holds persons' rows, or charges, is warned of: an office may have a reason.
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    if office.database.engine() == Engine::Sqlite {
        open(office.register(), 0o644);
        let found = doctor(&config);
        found.expect("source register, file", "warning", "chmod 600");
        assert_eq!(found.code, Some(0));
    }
    // One key: the certificate for TLS is of the key that signs, or is the one that signs.
    let identity = office.folder().join("identity");
    for (from, to) in [("signing.key", "tls.key"), ("signing.pem", "tls.pem")] {
        std::fs::copy(identity.join(from), identity.join(to)).unwrap();
        doctor(&config).expect("keys", "failed", "has the key that signs");
        let (code, _, stderr) = said(&lango(&["gateway"], &config, &[]));
        assert!(code == Some(1) && stderr.contains("has the key that signs"), "{stderr}");
    }
}
