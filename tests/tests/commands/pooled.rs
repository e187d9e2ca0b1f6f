//! A register behind PgBouncer, under a whole gateway; and what row-level security and a missing SELECT do there.

use std::time::Duration;

use lango_source::{Postgres, RowSecurity, Settings};
use lango_testkit::{
    Engine, Office, Person, Policy, PoolMode, Pooler, Register, TestRegion, at_once, persons, table,
};

use crate::doctor::{doctor, rewrite};

/// Persons whose sex and education are counted otherwise.
fn register() -> Register {
    let person = |sex, education| Person { sex: Some(sex), education: Some(education), ..Person::default() };
    Register::default()
        .with(900, person("F", "higher"))
        .with(600, person("F", "none"))
        .with(7, person("M", "none"))
}

fn policy() -> Policy {
    Policy::of("GHA")
}

fn source(server: &lango_database::Server, row_security: RowSecurity) -> Box<Postgres> {
    let settings =
        Settings { statement_timeout: Duration::from_secs(60), row_security, ..Settings::default() };
    Box::new(Postgres::new(server, settings).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_behind_pgbouncer_answers_64_questions_at_once_each_of_its_own_column() {
    for (mode, connections) in [(PoolMode::Transaction, 3), (PoolMode::Session, 12)] {
        let world = TestRegion::new();
        let mut office = Office::prepare_on(Engine::Postgres, &world, "GHA", &policy(), &register());
        let config = office.write_config(&world);
        let pooler = Pooler::start(&office.database, mode, connections, "");
        let (direct, behind) = (office.database.server(), pooler.to(office.database.server()));
        rewrite(&config, &direct.address, &behind.address);
        let text = std::fs::read_to_string(&config).unwrap();
        let line = text.lines().find(|line| line.starts_with("tls_authority")).unwrap().to_owned();
        rewrite(&config, &line, "tls = \"off\"");
        let found = doctor(&config);
        found.expect("source register", "ok", "after 600 s");
        found.expect("source register, schema", "ok", "");
        found.expect("dataset residents", "ok", "");
        office.up_on(source(&behind, RowSecurity::Refused)).await.unwrap();
        let (analyst, register) = (world.analyst(), register());
        let asked = (0..64).map(|number| {
            let by = if number % 2 == 0 { "sex" } else { "education" };
            let (analyst, office, register) = (&analyst, &office, &register);
            async move {
                // All of them together cost less than the pool; noise is above 40 but once in 10^24 draws.
                let answer =
                    analyst.ask(office, &persons(&format!("by {by}"), &format!("1.4{number:02}1"))).await;
                let (found, expected) = (table(&answer.unwrap()), register.table(&[by], |_| true));
                let is_near = found.iter().all(|(key, count)| (count - expected[key]).abs() <= 40);
                assert!(is_near, "{mode:?} {by}: {found:?}");
            }
        });
        at_once(asked).await;
        office.down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_security_is_refused_at_the_start_and_by_doctor_or_shown_to_analysts() {
    let world = TestRegion::new();
    let mut office = Office::prepare_on(Engine::Postgres, &world, "GHA", &policy(), &register());
    let config = office.write_config(&world);
    let server = office.database.server();
    office.up_on(source(&server, RowSecurity::Refused)).await.unwrap();
    let analyst = world.analyst();
    assert!(!analyst.describe(&office, None).await.unwrap()[0].filters_rows);
    office
        .database
        .run_async(
            "ALTER TABLE residents ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON residents FOR SELECT USING (education = 'higher')",
        )
        .await;
    // A gateway that runs already refuses each question, and charges nothing.
    assert!(analyst.ask(&office, &persons("by sex", "30")).await.is_err());
    assert_eq!(office.ledger().pure_nano(""), 0);
    office.down().await;
    let refused = office.up_on(source(&server, RowSecurity::Refused)).await.unwrap_err().to_string();
    assert!(
        refused.contains("row-level security") && refused.contains("row_security = \"filters\""),
        "{refused}"
    );
    doctor(&config).expect("dataset residents", "failed", "BYPASSRLS");
    rewrite(&config, "prepared_schema", "row_security = \"filters\"\nprepared_schema");
    doctor(&config).expect("dataset residents", "ok", "");

    office.up_on(source(&server, RowSecurity::Filters)).await.unwrap();
    assert!(analyst.describe(&office, None).await.unwrap()[0].filters_rows);
    let price = analyst.estimate(&office, &persons("by sex", "30")).await.unwrap();
    assert!(price.bounds_drop.contains("choose which of its rows"), "{}", price.bounds_drop);
    let answer = analyst.ask(&office, &persons("by sex", "30")).await.unwrap();
    assert_eq!(table(&answer), register().table(&["sex"], |person| person.education == Some("higher")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_select_is_found_at_the_start_and_by_doctor_and_charges_nothing() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let world = TestRegion::new();
        let mut office = Office::prepare_on(engine, &world, "GHA", &policy(), &register());
        let config = office.write_config(&world);
        let address = office.database.server().address;
        let user = address.split("://").nth(1).unwrap().split('@').next().unwrap().to_owned();
        let name = address.rsplit('/').next().unwrap().to_owned();
        if engine == Engine::MariaDb {
            // Rights on a whole database stay with connections that use it.
            let user = format!("{user}@'127.0.0.1'");
            office
                .database
                .run_async(&format!(
                    "REVOKE SELECT ON {name}.* FROM {user}; GRANT SELECT ON {name}.residents TO {user}"
                ))
                .await;
        }
        office.up().await.unwrap();
        let (table, user) = match engine {
            Engine::MariaDb => (format!("{name}.residents"), format!("{user}@'127.0.0.1'")),
            _ => ("residents".to_owned(), user),
        };
        office
            .database
            .run_async(&format!(
                "REVOKE SELECT ON {table} FROM {user}; GRANT SELECT (person_id, sex) ON {table} TO {user}"
            ))
            .await;
        let analyst = world.analyst();
        for by in ["by age", "by sex"] {
            assert!(analyst.ask(&office, &persons(by, "30")).await.is_err(), "{engine:?} {by}");
        }
        assert_eq!(office.ledger().pure_nano(""), 0, "{engine:?}");
        office.down().await;
        let refused = office.up().await.unwrap_err().to_string();
        assert!(refused.contains("SELECT") && refused.contains("`age`"), "{engine:?}: {refused}");
        doctor(&config).expect("dataset residents", "failed", "SELECT");
    }
}
