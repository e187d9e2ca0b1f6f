//! What stops an import, and what the office is shown of what was let in.

use std::path::Path;

use lango_testkit::TestRegion;
use rusqlite::Connection;

use super::{POLICY, command, import, line, office, said};
use crate::program;

#[test]
fn a_wrong_call_reports_what_is_wrong_and_changes_nothing() {
    let world = TestRegion::new();
    let (office, config) = office(&world);
    let right = office.folder().join("right.csv");
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n";
    std::fs::write(&right, format!("{header}007,BEN,male,30,1994-01-01,\n")).unwrap();
    let wrong = office.folder().join("wrong.csv");
    std::fs::write(&wrong, format!("{header}007,BEN\n")).unwrap();
    let (right, wrong) = (right.to_str().unwrap(), wrong.to_str().unwrap());
    for (arguments, code, expected) in [
        (&["--dataset", "residents"][..], 2, "FILE"),
        (&["--dataset", "residents", right, "--delimiter", ";;"], 2, "one ASCII character"),
        (
            &["--dataset", "residents", right, "--encoding", "esperanto"],
            2,
            "not known: export the file in UTF-8",
        ),
        (
            &["--dataset", "residents", right, "--file-format", "parquet", "--delimiter", ";"],
            2,
            "for text files",
        ),
        (&["--dataset", "residents", right, "--file-format", "parquet"], 1, "is said to be Parquet"),
        (&["--dataset", "residents", right, "--thousands", "_"], 2, "one of \" \", \".\""),
        (&["--dataset", "residents", right, "--thousands", "."], 2, "say the other one with --decimal"),
        (&["--dataset", "residents", right, "--dates", "%d/%m/%y"], 2, "does not say the century"),
        (&["--dataset", "residents", right, "--rename", "sex"], 2, "and its name in the policy"),
        (&["--dataset", "residents", right, "--rename", "sex=gender"], 1, "declares no column `gender`"),
        (&["--dataset", "residents", right, "--accept", "sex=6"], 2, "a share from 0 to 1"),
        (&["--dataset", "residents", right, "--accept", "sex"], 2, "a share from 0 to 1"),
        (&["--dataset", "residents", right, "--accept", "sex=NaN"], 2, "a share from 0 to 1"),
        (
            &["--dataset", "residents", right, "--accept", "sex=0.1:zero"],
            2,
            "`zero` is no fault: one of order, notations",
        ),
        (&["--dataset", "residents", right, right], 1, "is named twice"),
        (
            &["--dataset", "citizens", right],
            1,
            "the policy declares no dataset `citizens`: there is residents",
        ),
        (&["--dataset", "residents", wrong], 1, "line 2: 2 fields where the header has 6"),
        (&["--dataset", "residents", wrong], 1, "`residents` is as it was"),
    ] {
        let (is, stdout, stderr) = said(&command(&config, arguments).output().unwrap());
        assert_eq!((is, stdout.as_str()), (Some(code), ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
        // Nothing of a file whose second line is wrong, but that its register was opened.
        let made = office.register().exists();
        let objects = || {
            Connection::open(office.register()).unwrap().query_row(
                "SELECT count(*) FROM sqlite_schema",
                [],
                |row| row.get(0),
            )
        };
        assert_eq!(if made { objects().unwrap() } else { 0 }, 0, "{arguments:?}");
    }
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("source.register", "source.other")).unwrap();
    let (code, _, stderr) = said(&import(&config, Path::new(right)));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("has no source `register`, which dataset `residents` names"), "{stderr}");
}

#[test]
fn a_file_whose_persons_have_no_identifier_is_refused_with_its_lines() {
    let world = TestRegion::new();
    let (office, config) = office(&world);
    let file = office.folder().join("export.csv");
    let row = |n: usize| {
        let id = if n < 3 { String::new() } else { n.to_string() };
        format!("{id},BEN,male,30,1994-01-01,\n")
    };
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n";
    std::fs::write(&file, header.to_owned() + &(0..10).map(row).collect::<String>()).unwrap();
    let (code, stdout, stderr) = said(&import(&config, &file));
    assert_eq!((code, line(&stdout, "no identifier")), (Some(1), "person_id: 3, missing (lines 2, 3, 4)"));
    let expected = "`person_id`: 3 of 10 rows have no identifier, 30 % (lines 2, 3, 4): add it, or say --accept person_id=0.3";
    assert!(stderr.contains(expected), "{stderr}");
    let accepting = ["--dataset", "residents", "--accept", "person_id=0.3"];
    let (code, stdout, _) = said(&command(&config, &accepting).arg(&file).output().unwrap());
    assert_eq!((code, line(&stdout, "rows")), (Some(0), "10"));
}

#[test]
fn the_report_of_an_import_fits_a_terminal_whatever_it_lists() {
    let world = TestRegion::new();
    let (office, config) = office(&world);
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year,a_column_that_nobody_declared,another_one_beside_it\n";
    let parts: Vec<_> = (0..12)
        .map(|part| {
            let file = office.folder().join(format!("export-of-the-district-of-{part:02}.csv"));
            std::fs::write(&file, format!("{header}{part},BEN,neither,30,1994-01-01,,,\n")).unwrap();
            file
        })
        .collect();
    let asked = ["--dataset", "residents"];
    let (code, stdout, stderr) = said(&command(&config, &asked).args(&parts).output().unwrap());
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.lines().all(|line| line.chars().count() <= 100), "{stdout}");
    let words = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "sex: 12, not in the code list (export-of-the-district-of-00.csv line 2, export-of-the-district-of-01.csv line 2,",
        "export-of-the-district-of-09.csv line 2, ..)",
        "left out a_column_that_nobody_declared, another_one_beside_it",
    ] {
        assert!(words.contains(expected), "{expected}: {stdout}");
    }
    // What goes on is set in: what else was found is not.
    assert!(stdout.lines().any(|line| line.contains("    export-of-the-district-of-0")), "{stdout}");
}

/// Each part by itself is right, and together they would count persons twice and move days.
#[test]
fn parts_that_do_not_agree_on_identifiers_and_days_are_refused_with_their_lines() {
    let world = TestRegion::new();
    let (office, config) = office(&world);
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n";
    let part = |name: &str, rows: &[(&str, &str)]| {
        let row = |(id, born): &(&str, &str)| format!("{id},BEN,male,30,{born},\n");
        let file = office.folder().join(name);
        std::fs::write(&file, header.to_owned() + &rows.iter().map(row).collect::<String>()).unwrap();
        file
    };
    let one = part("one.csv", &[("0001001", "13/01/1994"), ("0001002", "14/01/1994")]);
    let two = part("two.csv", &[("0001003", "13/02/1994"), ("1002", "1994-05-01")]);
    let days = ["--dataset", "residents", "--dates", "%d/%m/%Y"];
    let (code, stdout, stderr) = said(&command(&config, &days).args([&one, &two]).output().unwrap());
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(
        (line(&stdout, "identifiers"), line(&stdout, "days")),
        (
            "person_id: 1, another's without its zeros in front (two.csv line 3)",
            "date_of_birth: 1, written as 2024-07-01 (two.csv line 3)"
        )
    );
    for expected in [
        "`person_id`: 1 of 4 identifiers are another one without its zeros in front, 25 % (two.csv line 3): ",
        "`date_of_birth`: 1 of 4 days are written in another way than the others, 25 % (two.csv line 3): ",
        "or say --accept date_of_birth=0.25:notations to import it as it is",
    ] {
        assert!(stderr.contains(expected), "{expected}: {stderr}");
    }
    let zeros = ["--accept", "person_id=0.25:zeros", "--accept", "date_of_birth=0.25:notations"];
    let accepting = [&days[..], &zeros].concat();
    let (code, stdout, _) = said(&command(&config, &accepting).args([&one, &two]).output().unwrap());
    assert_eq!((code, line(&stdout, "rows")), (Some(0), "4"));
}

/// What stands in a register is counted where it lies, and shown to who runs the command alone.
#[test]
fn a_register_is_checked_against_its_policy_in_the_office() {
    let world = TestRegion::new();
    let (office, config) = office(&world);
    let file = office.folder().join("export.csv");
    let row = |n: usize| match n {
        0..3 => format!("{},Benin,male,30,1994-01-01,\n", n + 1),
        3..5 => format!("{},BEN,Male,999,1994-01-01,\n", n + 1),
        _ => format!("{},BEN,female,30,1994-01-01,2000\n", n + 1),
    };
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n";
    std::fs::write(&file, header.to_owned() + &(0..40).map(row).collect::<String>()).unwrap();
    let accepting = ["--dataset", "residents", "--accept", "country_of_birth=0.1"];
    let (code, stdout, stderr) = said(&command(&config, &accepting).arg(&file).output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let check = |format: &str| {
        let mut check = program::command(program::lango());
        check
            .args(["dataset", "check", "--dataset", "residents", "--format", format, "--config"])
            .arg(&config);
        said(&check.output().unwrap())
    };
    let (code, stdout, stderr) = check("table");
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    for expected in [
        "40 rows of `residents`",
        "\"Benin\"",
        "\"Male\"",
        "letters of the other case: 2",
        "warning: 3 values of `country_of_birth`, 7.5 % of those present, are not declared",
        "warning: 2 values of `age` lie beyond one bound",
        "rows_at_most, cells_at_most",
    ] {
        assert!(stdout.contains(expected), "{expected}: {stdout}");
    }
    // What was accepted is repeated by doctor, and a version that the data are not of is named.
    office.write_policy(
        &POLICY.replace("2024-07-01", "2025-07-01").replace("[1900-01-01, 2025", "[1900-01-01, 2024"),
    );
    office.write_config(&world);
    let mut doctor = program::command(program::lango());
    doctor.args(["doctor", "--format", "json", "--config"]).arg(&config);
    let (_, found, _) = said(&doctor.output().unwrap());
    for expected in [
        "up to 10.00 % of its values were accepted as unread, undeclared or missing",
        "table `residents` holds the data of version `2024-07-01`, and the policy says `2025-07-01`",
    ] {
        assert!(found.contains(expected), "{expected}: {found}");
    }
    let (code, _, stderr) = check("json");
    assert_eq!(code, Some(1));
    assert!(stderr.contains("holds the data of version `2024-07-01`"), "{stderr}");
    office.write_policy(POLICY);
    office.write_config(&world);
    let (code, stdout, _) = check("json");
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let column = |name: &str, key: &str| json["columns"][name][key].as_u64();
    assert_eq!((code, json["rows"].as_u64(), json["units"].as_u64()), (Some(0), Some(40), Some(40)));
    assert_eq!((column("sex", "undeclared"), column("age", "above")), (Some(2), Some(2)));
    assert_eq!(
        (column("arrival_year", "missing"), column("country_of_birth", "declared")),
        (Some(5), Some(37))
    );
    // Nothing of it is written anywhere.
    let log = std::fs::read_dir(office.folder())
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.unwrap().path()).ok());
    let holds = |bytes: &Vec<u8>| bytes.windows(5).any(|text| text == b"Benin");
    assert_eq!(log.filter(holds).count(), 2, "the export and the register");
}
