//! The files that an import makes, their modes, and what a kill leaves of them.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use lango_testkit::TestRegion;
use rusqlite::{Connection, OpenFlags};

use super::{command, line, office, said};
use crate::program;

#[test]
fn what_is_made_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = TestRegion::new();
    let (office, config) = office(&world);
    let file = office.folder().join("right.csv");
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n";
    std::fs::write(&file, format!("{header}007,BEN,male,30,1994-01-01,\n")).unwrap();
    let before: Vec<PathBuf> =
        std::fs::read_dir(office.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    // However wide the umask of the caller is.
    let mut words =
        vec!["umask 000 && exec \"$0\" dataset import --dataset residents --config \"$1\" \"$2\"".into()];
    words.extend([program::lango(), config.clone(), file.clone()].map(|path| path.display().to_string()));
    let done = program::command("sh").arg("-c").args(&words).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let prepared = program::command(program::lango())
        .args(["dataset", "prepare", "--dataset", "residents", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
    let mut made = 0;
    for entry in std::fs::read_dir(office.folder()).unwrap() {
        let path = entry.unwrap().path();
        if !before.contains(&path) {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o077;
            assert_eq!(mode, 0, "{}", path.display());
            made += 1;
        }
    }
    assert!(made >= 1, "the register");
    assert_eq!(std::fs::metadata(office.store()).unwrap().permissions().mode() & 0o077, 0, "the ledger");
}

/// Waits until the register shows that the import has come so far; false if it ended before.
fn until(child: &mut std::process::Child, register: &Path, reached: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(120);
    let sql = format!("SELECT {reached} FROM lango_import");
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the import does not come so far: {reached}");
        let open = Connection::open_with_flags(register, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let complete = open.and_then(|open| open.query_row(&sql, [], |row| row.get::<_, bool>(0)));
        if complete.unwrap_or(false) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn an_import_that_is_killed_goes_on_and_comes_to_the_same_table() {
    const ROWS: usize = 900_000;
    let world = TestRegion::new();
    let (killed, config) = office(&world);
    let file = killed.folder().join("register.csv");
    let mut text = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n".to_owned();
    for row in 0..ROWS {
        let (age, year) = (row % 100, if row % 3 == 0 { "2020" } else { "lately" });
        text += &format!("NGA{:07},BEN,female,{age},1994-01-01,{year}\n", row * 7_919 % ROWS);
    }
    std::fs::write(&file, text).unwrap();
    let accepting = ["--dataset", "residents", "--accept", "arrival_year=0.7"];
    let child = |reached: &str| {
        let mut child = command(&config, &accepting).arg(&file).stdout(Stdio::null()).spawn().unwrap();
        assert!(
            until(&mut child, &killed.register(), reached),
            "it was done before it could be killed: {reached}"
        );
        child.kill().unwrap();
        child.wait().unwrap();
    };
    // In the midst of the rows, and when the key is being made.
    child("rows > 0");
    child("complete");
    let (code, last, stderr) = said(&command(&config, &accepting).arg(&file).output().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("an interrupted import goes on: 900,000 rows are in already"), "{stderr}");

    let (whole, config) = office(&world);
    let (code, once, stderr) = said(&command(&config, &accepting).arg(&file).output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let report =
        |text: &str| ["rows", "did not read", "left out", "unit"].map(|word| line(text, word).to_owned());
    assert_eq!(report(&last), report(&once));
    assert!(
        line(&last, "did not read")
            .starts_with("arrival_year: 600,000, other (lines 3, 4, 6, 7, 9, 10, 12, 13, 15, 16, ..)")
    );
    let connection = Connection::open(killed.register()).unwrap();
    connection.execute("ATTACH ? AS whole", [whole.register().to_str().unwrap()]).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let differing = "SELECT count(*) FROM main.residents AS a JOIN whole.residents AS b ON a.rowid = b.rowid
                     AND (a.person_id, a.age, a.sex, a.arrival_year) = (b.person_id, b.age, b.sex, b.arrival_year)";
    assert_eq!(count(differing), ROWS as i64);
    for schema in ["main", "whole"] {
        assert_eq!(count(&format!("SELECT count(*) FROM {schema}.residents")), ROWS as i64);
        assert_eq!(
            count(&format!("SELECT count(*) FROM {schema}.sqlite_schema")),
            4,
            "the table and its key, its data's fingerprint and what was accepted"
        );
    }
}
