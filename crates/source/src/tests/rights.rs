//! What the server keeps from the gateway's user is found before a row is read.

use lango_privacy::{Dataset, Domain};
use lango_testkit::{Engine, Host, TestDatabase, residents};

use super::{
    engines::source,
    fixture::{counted_in, plan, runtime, secret},
};
use crate::{Bounding, FetchError, Postgres, PreparedRows, RowSecurity, Settings, Source, SourceError};

fn dataset() -> Dataset {
    let codes = || Domain::codes(["BEN", "TGO"].iter().map(|code| code.parse().unwrap()).collect()).unwrap();
    residents((1, 1), [("birth", codes().into()), ("citizenship", codes().into())])
}

/// Ten persons born in BEN, one of whom is a citizen of TGO.
fn database(engine: Engine, unit: &str) -> (TestDatabase, String) {
    let database = TestDatabase::fresh(engine);
    database.create("residents", &[("person_id", unit), ("birth", "TEXT"), ("citizenship", "TEXT")]);
    let row = |row: i64| {
        let citizenship = if row == 0 { "TGO" } else { "BEN" };
        let unit = if unit.starts_with("BIGINT") { row.into() } else { format!("p{row}").as_str().into() };
        vec![unit, "BEN".into(), citizenship.into()]
    };
    database.insert("residents", (0..10).map(row));
    let address = database.server().address;
    let user = address.split("://").nth(1).unwrap().split('@').next().unwrap().to_owned();
    (database, user)
}

fn persons(source: &dyn Source) -> Result<i64, FetchError> {
    let counted = counted_in(source, &plan(&dataset(), &[("persons", &[""])], &[]), secret(7))?;
    Ok(counted[0].values().sum())
}

const UNREAD: Result<i64, FetchError> = Err(FetchError { rows_were_read: false });

#[test]
fn a_missing_select_is_found_before_rows_are_read_and_names_what_is_missing() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let (database, user) = database(engine, "BIGINT PRIMARY KEY");
        let address = database.server().address;
        let name = address.rsplit('/').next().unwrap();
        let [revoke, some, all]: [String; 3] = match engine {
            Engine::MariaDb => [
                format!("REVOKE SELECT ON {name}.residents FROM {user}@'127.0.0.1'"),
                format!("GRANT SELECT (person_id, birth) ON {name}.residents TO {user}@'127.0.0.1'"),
                format!("GRANT SELECT ON {name}.residents TO {user}@'127.0.0.1'"),
            ],
            _ => [
                format!("REVOKE SELECT ON residents FROM {user}"),
                format!("GRANT SELECT (person_id, birth) ON residents TO {user}"),
                format!("GRANT SELECT ON residents TO {user}"),
            ],
        };
        if engine == Engine::MariaDb {
            // Rights on a whole database stay with connections that use it, and a user without any may not connect to it.
            database.run(&format!("REVOKE SELECT ON {name}.* FROM {user}@'127.0.0.1'"));
            database.run(&all);
            database.create("elsewhere", &[("n", "BIGINT")]);
            database.run(&format!("GRANT SELECT ON {name}.elsewhere TO {user}@'127.0.0.1'"));
        }
        let source = source(&database);
        let check = || runtime().block_on(source.check(&dataset()));
        assert_eq!((check(), persons(&*source)), (Ok(()), Ok(10)), "{engine:?}");
        let residents = || "residents".to_owned();
        let (nothing, column) = match engine {
            Engine::MariaDb => (
                SourceError::NoTableShown(residents()),
                SourceError::NoColumnShown {
                    table: residents(),
                    column: "citizenship".to_owned(),
                    there: "`person_id`, `birth`".to_owned(),
                },
            ),
            _ => (
                SourceError::NoSelect { table: residents(), columns: Vec::new() },
                SourceError::NoSelect { table: residents(), columns: vec!["citizenship".to_owned()] },
            ),
        };
        for (sql, expected) in [(&revoke, nothing), (&some, column)] {
            database.run(sql);
            let found = check().unwrap_err();
            assert_eq!(found, expected, "{engine:?}: {sql}");
            assert!(
                found.to_string().contains("SELECT") && found.to_string().contains("residents"),
                "{found}"
            );
            assert_eq!(persons(&*source), UNREAD, "{engine:?}: {sql}");
        }
        database.run(&all);
        assert_eq!((check(), persons(&*source)), (Ok(()), Ok(10)), "{engine:?}");
    }
}

#[test]
fn row_security_is_refused_unless_the_office_wants_it() {
    let (database, user) = database(Engine::Postgres, "BIGINT");
    let refusing = source(&database);
    let filtering: Box<dyn Source> = {
        let _inside = runtime().enter();
        let settings = Settings {
            row_security: RowSecurity::Filters,
            prepared_schema: Some(database.prepared_schema()),
            ..Settings::default()
        };
        Box::new(Postgres::new(&database.server(), settings).unwrap())
    };
    assert!(filtering.filters_rows() && !refusing.filters_rows());
    let check = |source: &dyn Source| runtime().block_on(source.check(&dataset()));
    let hidden = || Err(SourceError::RowSecurity { table: "residents".to_owned() });
    database.run("ALTER TABLE residents ENABLE ROW LEVEL SECURITY");
    // Without a policy no row is given.
    assert_eq!((check(&*refusing), persons(&*refusing)), (hidden(), UNREAD));
    assert_eq!((check(&*filtering), persons(&*filtering)), (Ok(()), Ok(0)));
    // One that hides nothing today may hide something tomorrow.
    database.run(&format!("CREATE POLICY everybody ON residents FOR SELECT TO {user} USING (true)"));
    assert_eq!((check(&*refusing), persons(&*refusing)), (hidden(), UNREAD));
    assert_eq!((check(&*filtering), persons(&*filtering)), (Ok(()), Ok(10)));
    assert_eq!(
        runtime().block_on(filtering.prepare(&dataset(), &secret(7))),
        Ok(PreparedRows { kept: 10, all: 10 })
    );
    let bounding = || runtime().block_on(filtering.bounding(&dataset(), &secret(7))).unwrap();
    assert_eq!(bounding(), Bounding::Prepared { rows: 10 });
    // Another policy gives other rows.
    database.run("ALTER POLICY everybody ON residents USING (citizenship = 'TGO')");
    assert_eq!(bounding(), Bounding::Stale(crate::Stale::Table));
    assert_eq!(persons(&*filtering), Ok(1));
    // One person's rows would decide on another's.
    database.run("ALTER POLICY everybody ON residents USING (EXISTS (SELECT FROM residents r WHERE r.citizenship = 'TGO'))");
    let around =
        Err(SourceError::RowPolicy { table: "residents".to_owned(), policy: "everybody".to_owned() });
    assert_eq!((check(&*filtering), persons(&*filtering)), (around, UNREAD));
    database.run(&format!("ALTER ROLE {user} BYPASSRLS"));
    for source in [&*refusing, &*filtering] {
        assert_eq!((check(source), persons(source)), (Ok(()), Ok(10)));
    }
}

/// A partition's own rules do not count where it is read through its parent, whose rules do.
#[test]
fn the_row_security_of_a_partitioned_table_is_that_of_the_table_that_is_read() {
    let database = TestDatabase::fresh(Engine::Postgres);
    database.run(
        "CREATE TABLE residents (person_id bigint PRIMARY KEY, birth text, citizenship text) PARTITION BY HASH (person_id); \
         CREATE TABLE part PARTITION OF residents FOR VALUES WITH (MODULUS 1, REMAINDER 0); \
         INSERT INTO residents SELECT i, 'BEN', 'TGO' FROM generate_series(1, 10) i; ALTER TABLE part ENABLE ROW LEVEL SECURITY",
    );
    let source = source(&database);
    assert_eq!(persons(&*source), Ok(10));
    database
        .run("ALTER TABLE part DISABLE ROW LEVEL SECURITY; ALTER TABLE residents ENABLE ROW LEVEL SECURITY");
    assert_eq!(persons(&*source), UNREAD);
}

/// The same table on another server, which is this one again: a foreign table named `residents`, read as the gateway's user.
fn abroad(database: &TestDatabase, user: &str) {
    let (host, name) = (Host::postgres(), database.server().address);
    let (port, password, name) = (host.port(), host.password(), name.rsplit('/').next().unwrap());
    database.run(&format!(
        "ALTER TABLE residents RENAME TO held; CREATE EXTENSION postgres_fdw; \
         CREATE SERVER abroad FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{port}', dbname '{name}'); \
         CREATE USER MAPPING FOR {user} SERVER abroad OPTIONS (user '{user}', password '{password}'); \
         CREATE FOREIGN TABLE residents (person_id bigint, birth text, citizenship text) SERVER abroad OPTIONS (table_name 'held'); \
         GRANT SELECT ON residents TO {user}"
    ));
}

#[test]
fn repro_another_server_left_rows_out_by_its_own_row_security_without_a_word() {
    let (database, user) = database(Engine::Postgres, "BIGINT");
    abroad(&database, &user);
    database.run(
        "ALTER TABLE held ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON held USING (citizenship = 'TGO')",
    );
    let refusing = source(&database);
    let filtering = {
        let _inside = runtime().enter();
        let settings = Settings { row_security: RowSecurity::Filters, ..Settings::default() };
        Postgres::new(&database.server(), settings).unwrap()
    };
    let check = || runtime().block_on(refusing.check(&dataset()));
    let silent =
        || Err(SourceError::ForeignRows { table: "residents".to_owned(), server: "abroad".to_owned() });
    assert_eq!((check(), persons(&*refusing)), (silent(), UNREAD));
    assert_eq!(persons(&filtering), Ok(1));
    // A partition, a view over it, and a view over that.
    database.run(
        "ALTER FOREIGN TABLE residents RENAME TO part; CREATE TABLE parted (LIKE part) PARTITION BY LIST (birth); \
         ALTER TABLE parted ATTACH PARTITION part FOR VALUES IN ('BEN'); CREATE VIEW inner_view AS SELECT * FROM parted",
    );
    for (made, dropped) in [
        ("ALTER TABLE parted RENAME TO residents", "ALTER TABLE residents RENAME TO parted"),
        ("CREATE VIEW residents AS SELECT * FROM inner_view", "DROP VIEW residents"),
    ] {
        database.run(&format!("{made}; GRANT SELECT ON residents TO {user}"));
        assert_eq!((check(), persons(&*refusing)), (silent(), UNREAD), "{made}");
        database.run(dropped);
    }
    // A materialised view holds its rows itself.
    database.run(&format!(
        "CREATE MATERIALIZED VIEW residents AS SELECT * FROM held; GRANT SELECT ON residents TO {user}"
    ));
    assert_eq!((check(), persons(&*refusing)), (Ok(()), Ok(10)));
    database.run("DROP MATERIALIZED VIEW residents; ALTER TABLE parted RENAME TO residents");
    // Where the other server is set to, it raises an error instead.
    database.run("ALTER SERVER abroad OPTIONS (ADD options '-c row_security=off')");
    assert_eq!(check(), Ok(()));
    assert!(persons(&*refusing).is_err());
    database.run(&format!("ALTER ROLE {user} BYPASSRLS"));
    assert_eq!(persons(&*refusing), Ok(10));
}

#[test]
fn row_security_behind_a_view_is_named_as_what_it_is() {
    let (database, user) = database(Engine::Postgres, "BIGINT");
    database.run(&format!(
        "ALTER TABLE residents RENAME TO held; ALTER TABLE held ENABLE ROW LEVEL SECURITY; \
         CREATE ROLE {user}_owner; GRANT SELECT ON held TO {user}_owner; \
         CREATE FUNCTION given() RETURNS SETOF held LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM public.held'; \
         ALTER FUNCTION given() OWNER TO {user}_owner"
    ));
    let source = source(&database);
    let run = |read: &str| {
        database.run(&format!(
            "CREATE VIEW residents AS SELECT * FROM {read}; ALTER VIEW residents OWNER TO {user}_owner; \
             GRANT SELECT ON residents TO {user}"
        ));
        let examined = runtime().block_on(source.examine(&["residents"])).unwrap();
        let checked = runtime().block_on(source.check(&dataset()));
        let surveyed = runtime().block_on(source.survey(&dataset())).map(drop);
        database.run("DROP VIEW residents");
        (examined.called, checked, surveyed)
    };
    let is_named = |found: &Result<(), SourceError>| matches!(found, Err(SourceError::RowSecurityBehind(why)) if why.contains("held"));
    let (called, checked, surveyed) = run("held");
    assert!(called.is_empty() && is_named(&checked) && is_named(&surveyed), "{checked:?} {surveyed:?}");
    // What a function reads is found as it is read, so its name is in the examination.
    let (called, checked, surveyed) = run("given()");
    assert_eq!((called, checked), (vec!["public.given".to_owned()], Ok(())));
    assert!(is_named(&surveyed), "{surveyed:?}");
}

#[test]
fn a_text_key_under_another_version_of_its_collation_does_not_vouch() {
    let (database, _) = database(Engine::Postgres, "TEXT");
    database.run("CREATE COLLATION french (provider = icu, locale = 'fr')");
    let source = source(&database);
    let bounding = || runtime().block_on(source.bounding(&dataset(), &secret(7))).unwrap();
    let outdated = || runtime().block_on(source.examine(&["residents"])).unwrap().outdated;
    let database_own = |version: &str| {
        format!("UPDATE pg_database SET datcollversion = {version} WHERE datname = current_database()")
    };
    for (collation, make_old, refresh) in [
        (
            "french",
            "UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'french'".to_owned(),
            "ALTER COLLATION french REFRESH VERSION".to_owned(),
        ),
        ("\"default\"", database_own("'2.31'"), database_own("NULL")),
    ] {
        database.run(&format!("ALTER TABLE residents ALTER person_id TYPE text COLLATE {collation}"));
        database.run("ALTER TABLE residents ADD CONSTRAINT own UNIQUE (person_id)");
        assert_eq!((bounding(), outdated().len()), (Bounding::Vouched, 0), "{collation}");
        database.run(&make_old);
        assert_eq!(bounding(), Bounding::Unprepared, "{collation}");
        let found = outdated();
        assert_eq!((found.len(), found[0].index.as_str()), (1, "public.own"), "{found:?}");
        assert_eq!(persons(&*source), Ok(10), "{collation}");
        database.run("REINDEX INDEX own");
        database.run(&refresh);
        assert_eq!((bounding(), outdated().len()), (Bounding::Vouched, 0), "{collation}");
        database.run("ALTER TABLE residents DROP CONSTRAINT own");
    }
    // Bytes have no versions.
    database.run("ALTER TABLE residents ALTER person_id TYPE text COLLATE \"C\"");
    database.run("ALTER TABLE residents ADD CONSTRAINT own UNIQUE (person_id)");
    database.run(&database_own("'2.31'"));
    assert_eq!((bounding(), outdated().len()), (Bounding::Vouched, 0));
}
