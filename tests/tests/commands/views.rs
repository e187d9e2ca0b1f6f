//! Views in which one person's row decides on what is counted of others.

use lango_testkit::{Engine, TestRegion};

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
