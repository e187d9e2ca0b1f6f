//! Views in which one person's row decides on what is counted of others, and views of what another pool is charged for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lango_testkit::{Engine, Office, Policy, TestRegion};

use crate::{
    doctor::{doctor, keyed},
    prepare::lango,
    program::said,
};

#[test]
fn a_view_in_which_persons_meet_is_warned_of_for_as_long_as_it_is_there() {
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    let check = |format: &str| {
        let asked = ["dataset", "check"];
        said(&lango(&asked, &config, &["--dataset", "residents", "--format", format]))
    };
    assert!(!check("table").1.contains("What a view must be"));
    assert!(!doctor(&config).is_checked("dataset residents, view"));
    office.database.run("ALTER TABLE residents RENAME TO kept");
    office.database.run(
        "CREATE VIEW residents AS SELECT * FROM kept WHERE EXISTS (SELECT 1 FROM kept AS o WHERE o.person_id <> kept.person_id)",
    );
    let words = match office.database.engine() {
        Engine::Postgres => {
            "the view `residents`, or one that it reads, has a subquery: the row of one person may decide"
        }
        Engine::Sqlite | Engine::MariaDb => {
            "`residents` is a view, whose definition is not read: if the row of one person decides"
        }
    };
    let found = doctor(&config);
    found.expect("dataset residents, view", "warning", words);
    found.expect("dataset residents, view", "warning", "docs/PRIVACY.md, What a view must be");
    for format in ["table", "json"] {
        let (code, stdout, stderr) = check(format);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stdout.split_whitespace().collect::<Vec<_>>().join(" ").contains(words), "{stdout}");
    }
    // Where the definition is read, one that is as it must be is not spoken of.
    if office.database.engine() == Engine::Postgres {
        office.database.run("CREATE OR REPLACE VIEW residents AS SELECT * FROM kept");
        assert!(!doctor(&config).is_checked("dataset residents, view"));
        assert!(!check("table").1.contains("warning: the view"));
    }
}

/// A dataset over the view `shown` of the residents, through another source for the same database.
const SHOWN: &str = r#"
[dataset.shown]
GROUP
title = "Residents by sex"
kind = "stock"
source = "again"
table = "shown"
version = "1"
unit = { column = "person_id", noun = "person", rows_at_most = 1 }

[dataset.shown.column]
sex = { codes = ["F", "M"] }
"#;

#[test]
fn a_view_of_a_table_that_another_pool_is_charged_for_is_warned_of() {
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    let written = fs::read_to_string(&config).unwrap();
    let (_, source) = written.split_once("[source.register]").unwrap();
    let source = source.split("\n[").next().unwrap();
    fs::write(&config, format!("{written}\n[source.again]{source}")).unwrap();
    office.database.run("CREATE VIEW middle AS SELECT * FROM residents");
    office.database.run("CREATE VIEW shown AS SELECT person_id, sex FROM middle");
    if office.database.engine() == Engine::MariaDb {
        let found = doctor(&with_groups(&office, &config, None));
        found.expect("dataset shown, pool", "warning", "does not show the gateway's user the definition of");
        found.expect("dataset shown, pool", "warning", "grant it SHOW VIEW");
        let name = office.database.rows("SELECT DATABASE()")[0][0].clone().unwrap();
        office.database.run(&format!("GRANT SHOW VIEW ON {name}.* TO {name}@'127.0.0.1'"));
    }
    let check = |dataset: &str, format: &str| {
        let found = said(&lango(&["dataset", "check"], &config, &["--dataset", dataset, "--format", format]));
        assert_eq!(found.0, Some(0), "{}", found.2);
        found.1.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let words = "`shown` reads `residents`, the table of dataset `residents` (pool `residents`)";
    let found = doctor(&with_groups(&office, &config, None));
    found.expect("dataset shown, pool", "warning", words);
    found.expect("dataset shown, pool", "warning", "write `group = \"NAME\"` in each");
    assert!(!found.is_checked("dataset residents, pool"));
    for format in ["table", "json"] {
        assert!(check("shown", format).contains(words));
        assert!(!check("residents", format).contains("the table of dataset"));
    }
    for groups in [["persons", "persons"], ["persons", "others"]] {
        let found = doctor(&with_groups(&office, &config, Some(groups)));
        assert!(!found.is_checked("dataset shown, pool"));
        assert!(!check("shown", "table").contains("the table of dataset"));
    }
}

/// Saves the policy with these groups in its two datasets, and a budget for each pool.
fn with_groups(office: &Office, config: &Path, groups: Option<[&str; 2]>) -> PathBuf {
    let [residents, shown] = groups.unwrap_or(["residents", "shown"]);
    let group = |name: &str| groups.map(|_| format!("group = \"{name}\"")).unwrap_or_default();
    let lines = "accounting = \"pure\"\nepsilon = 1\nrenews = \"never\"";
    let mut more = SHOWN.replace("GROUP", &group(shown));
    if residents != shown {
        more += &format!("[budget.{shown}]\n{lines}\n");
    }
    let policy = Policy::of("GHA").more(&more).text();
    let policy = policy
        .replace("[dataset.residents]", &format!("[dataset.residents]\n{}", group(residents)))
        .replace("[budget.residents]", &format!("[budget.{residents}]"));
    fs::write(office.folder().join("policies/policy.toml"), policy).unwrap();
    config.to_owned()
}
