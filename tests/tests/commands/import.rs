//! `lango dataset import` as an administrator runs it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use lango_testkit::{Engine, Office, Policy, Register, TestRegion, persons, table, tables, unsigned};
use rusqlite::{Connection, OpenFlags};

use crate::program;

const POLICY: &str = r#"policy = 2
office = "NGA"

[dataset.residents]
title = "Residents by country of birth, mid-2024"
kind = "stock"
source = "register"
table = "residents"
version = "2024-07-01"
unit = { column = "person_id", noun = "person", rows_at_most = 1 }

[dataset.residents.column]
country_of_birth = { codes = "iso3166-1-alpha-3" }
sex = { codes = ["female", "male"] }
age = { integer = [0, 110], bands = 10 }
date_of_birth = { date = [1900-01-01, 2024-07-01], bands = "year" }
arrival_year = { integer = [1950, 2024], bands = 5 }

[budget.residents]
accounting = "pure"
epsilon = 100
renews = "yearly"

[[grant]]
id = "regional-analysts"
to = ["spiffe://ecowas.example/analyst/*"]
purpose = ["official-statistics"]
dataset = "residents"
measures = ["persons"]
by = ["country_of_birth", "sex", "age"]
by_at_most = 3
epsilon_per_query = 50
epsilon_total = 100
publish = "office"
"#;

/// An office whose register is still to be imported, and its configuration.
fn office(world: &TestRegion) -> (Office, PathBuf) {
    let office = Office::prepare_on(Engine::Sqlite, world, "NGA", &Policy::of("NGA"), &Register::default());
    std::fs::remove_file(office.register()).unwrap();
    office.write_policy(POLICY);
    let config = office.write_config(world);
    (office, config)
}

fn command(config: &Path, more: &[&str]) -> Command {
    let mut command = program::command(program::lango());
    command.args(["dataset", "import", "--config"]).arg(config).args(more).stdin(Stdio::null());
    command
}

fn import(config: &Path, file: &Path) -> Output {
    command(config, &["--dataset", "residents"]).arg(file).output().unwrap()
}

fn said(done: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}

/// The value beside a word in the report.
fn line<'a>(report: &'a str, word: &str) -> &'a str {
    let line = report.lines().find_map(|line| line.trim().strip_prefix(word));
    line.unwrap_or_else(|| panic!("no `{word}` in {report}")).trim()
}

/// The register of Nigeria in the shared data, beside the repository, or else a small one of the same shape.
fn register() -> (PathBuf, String) {
    let shared =
        program::project().parent().unwrap().join("shared/data/regional_ecowas_1to100/register_NGA.csv.gz");
    let unpacked = Command::new("gzip").arg("-dc").arg(&shared).output();
    match unpacked.ok().filter(|output| output.status.success()) {
        Some(output) => (shared, String::from_utf8(output.stdout).unwrap()),
        None => {
            eprintln!("SKIPPED: {} is not there; a small register takes its place", shared.display());
            let small = program::project().join("tests/testdata/register.csv");
            let text = std::fs::read_to_string(&small).unwrap();
            (small, text)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_register_is_imported_and_a_granted_query_answers_from_it() {
    let world = TestRegion::new();
    let (mut office, config) = office(&world);
    let (file, text) = register();
    let (code, stdout, stderr) = said(&import(&config, &file));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let rows = text.lines().count() - 1;
    assert_eq!(line(&stdout, "rows").replace(',', ""), rows.to_string());
    assert_eq!(line(&stdout, "did not read"), "nothing");
    assert_eq!(line(&stdout, "left out"), "country, citizenship, admin1, education, reason, weight");
    assert_eq!(line(&stdout, "unit"), "person_id is a unique key: one row for each unit");

    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for line in text.lines().skip(1) {
        *expected.entry(line.split(',').nth(4).unwrap().to_owned()).or_default() += 1;
    }
    office.up().await.unwrap();
    let analyst = world.analyst();
    let answer = analyst.ask(&office, &persons("by sex", "50")).await.unwrap();
    let mut counted = table(&answer);
    counted.retain(|_, count| *count != 0);
    assert_eq!(counted, expected);
}

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
        (&["--dataset", "residents", right, "--encoding", "esperanto"], 2, "no such encoding"),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_a_person_on_two_rows_changes_nothing_that_an_asker_sees() {
    let world = TestRegion::new();
    let (mut office, config) = office(&world);
    let line = |unit: &str| format!("{unit},BEN,male,30,1994-01-01,\n");
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n";
    let without = header.to_owned() + &(0..20).map(|n| line(&format!("p{n}"))).collect::<String>();
    let (before, after) = (office.folder().join("before.csv"), office.folder().join("after.csv"));
    std::fs::write(&before, &without).unwrap();
    std::fs::write(&after, without + &line("victim") + &line("victim")).unwrap();
    assert_eq!(import(&config, &before).status.code(), Some(0));
    office.up().await.unwrap();
    let analyst = world.analyst();
    let question = persons("by sex", "50");
    let price = unsigned(analyst.estimate(&office, &question).await.unwrap());

    let (code, _, stderr) = said(&import(&config, &after));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("other data of `residents` under version 2024-07-01"), "{stderr}");
    let again = ["--dataset", "residents", "--same-version"];
    let (code, stdout, stderr) = said(&command(&config, &again).arg(&after).output().unwrap());
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    for said in [
        "1 identifier in `person_id` stands on more than one row (lines 22, 23)",
        "`rows_at_most = 1`: raise it in the policy",
        "`residents` is as it was",
    ] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert!(!stderr.contains("victim"), "{stderr}");
    assert_eq!(unsigned(analyst.estimate(&office, &question).await.unwrap()), price);
    let answer = analyst.ask(&office, &question).await.unwrap();
    assert_eq!(table(&answer).values().sum::<i64>(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_compares_the_register_with_the_data_that_answers_were_made_from() {
    let world = TestRegion::new();
    let (mut office, config) = office(&world);
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n";
    let file = |name: &str, persons: u32| {
        let lines = (0..persons).map(|n| format!("p{n},BEN,male,30,1994-01-01,\n")).collect::<String>();
        let path = office.folder().join(name);
        std::fs::write(&path, header.to_owned() + &lines).unwrap();
        path
    };
    let (first, other) = (file("first.csv", 20), file("other.csv", 30));
    let compared = || {
        let doctor = Command::new(program::lango())
            .args(["doctor", "--format", "json", "--config"])
            .arg(&config)
            .output();
        let report: serde_json::Value = serde_json::from_slice(&doctor.unwrap().stdout).unwrap();
        let check = report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["check"] == "dataset residents, data");
        check.map(|check| {
            (check["status"].as_str().unwrap().to_owned(), check["found"].as_str().unwrap().to_owned())
        })
    };
    assert_eq!(import(&config, &first).status.code(), Some(0));
    office.up().await.unwrap();
    assert_eq!(compared(), None, "nothing was answered yet");
    world.analyst().ask(&office, &persons("by sex", "50")).await.unwrap();
    assert_eq!(compared().unwrap().0, "ok");
    let again = ["--dataset", "residents", "--same-version"];
    assert_eq!(command(&config, &again).arg(&other).status().unwrap().code(), Some(0));
    let (status, found) = compared().unwrap();
    assert_eq!(status, "warning");
    assert!(found.contains("answers of version `2024-07-01` were first made from other data"), "{found}");
    assert_eq!(command(&config, &again).arg(&first).status().unwrap().code(), Some(0));
    assert_eq!(compared().unwrap().0, "ok");
}

/// A file in the habits of a spreadsheet: `sep=;`, decimal commas, groups, days first, one letter beyond ASCII.
const EXPORT: &[u8] = b"sep=;\r\nmatricule;country_of_birth;sex;age;date_of_birth;arrival_year\r\n\
    1;CIV;female;34,5;31/12/1989 00:00;2020\r\n2 ; BEN;male;7;1/2/2017;2 020\r\n\
    3;BEN;male;8;15/03/2016;\r\n4;C\xf4te d'Ivoire;male;8;15/03/2016;\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_in_the_habits_of_a_spreadsheet_is_imported_by_one_command_and_answered_from() {
    let world = TestRegion::new();
    let (mut office, config) = office(&world);
    let file = office.folder().join("export.csv");
    std::fs::write(&file, EXPORT).unwrap();
    let options = [
        "--dataset",
        "residents",
        "--encoding",
        "windows-1252",
        "--decimal",
        "comma",
        "--thousands",
        " ",
        "--dates",
        "%d/%m/%Y",
        "--rename",
        "matricule=person_id",
    ];
    // It fails first, with what it found and what to say, and nothing is made of it.
    let (code, stdout, stderr) = said(&command(&config, &options).arg(&file).output().unwrap());
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.contains("nothing was imported"), "{stdout}");
    assert_eq!(line(&stdout, "not declared"), "country_of_birth: 1, not in the code list (line 6)");
    assert!(stderr.contains("say --accept country_of_birth=0.25 to import it as it is"), "{stderr}");
    assert!(!(stdout + &stderr).contains("Ivoire"));
    // A dry run of what would do changes nothing either.
    let accepting = [&options[..], &["--accept", "country_of_birth=0.25"]].concat();
    let (code, stdout, _) = said(&command(&config, &accepting).arg(&file).arg("--dry-run").output().unwrap());
    assert_eq!((code, line(&stdout, "did not read")), (Some(0), "nothing"));
    assert_eq!(line(&stdout, "missing"), "arrival_year: 2");
    assert!(stdout.contains("a dry run: nothing was imported"), "{stdout}");
    let select = |sql: &str| {
        Connection::open(office.register())
            .unwrap()
            .query_row(sql, [], |row| row.get::<_, String>(0))
            .unwrap()
    };
    assert_eq!(select("SELECT CAST(count(*) AS TEXT) FROM sqlite_schema"), "0");
    let (code, stdout, stderr) = said(&command(&config, &accepting).arg(&file).output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let values = "SELECT group_concat(concat_ws(' ', person_id, age, date_of_birth, arrival_year), ', ') FROM residents";
    assert_eq!(select(values), "1 34 1989-12-31 2020, 2 7 2017-02-01 2020, 3 8 2016-03-15, 4 8 2016-03-15");
    let accepted = "SELECT concat_ws(' ', table_name, column_name, share) FROM lango_accepted";
    assert_eq!(select(accepted), "residents country_of_birth 0.25");

    office.up().await.unwrap();
    let answer = world.analyst().ask(&office, &persons("by country_of_birth", "50")).await.unwrap();
    let mut counted = table(&answer);
    counted.retain(|_, count| *count != 0);
    let expected = [("BEN", 2), ("CIV", 1), ("_O", 1)].map(|(key, count)| (key.to_owned(), count));
    assert_eq!(counted, BTreeMap::from(expected));
}

/// What an office's own words mean is said once, in its policy: the export goes to a right answer as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_in_the_offices_own_words_is_imported_as_it_is_and_answered_from_rightly() {
    let world = TestRegion::new();
    let (mut office, config) = office(&world);
    let columns = "country_of_birth = { from = \"Pays de naissance\", codes = \"iso3166-1-alpha-3\", written_as = \"m49\", recode = \"pays.csv\" }\n\
                   sex = { from = \"Sexe\", codes = [\"F\", \"M\"], recode = { \"1\" = \"M\", \"2\" = \"F\", \"féminin\" = \"F\" }, case = \"ignore\" }\n\
                   age = { from = \"\u{c2}ge\", integer = [0, 110], bands = [0, 15, 65], missing = [\"999\"] }\n\
                   income = { from = \"Revenu\", amount = [0, 10_000.00], scale = 2, missing = [\"9999999\"] }\n\
                   arrived = { from = \"Arriv\u{e9}e\", date = [2020-01-01, 2024-12-31], bands = \"year\" }\n\
                   [dataset.residents.derived]\nregion = { from = \"country_of_birth\", map = \"m49-subregion\" }\n";
    let (head, rest) = POLICY.split_once("country_of_birth = {").unwrap();
    let rest = rest.split_once("[budget").unwrap().1;
    let policy = format!("{head}{columns}\n[budget{rest}")
        .replace(
            "unit = { column = \"person_id\",",
            "missing = [\"NA\"]\nunit = { column = \"person_id\", from = \"Matricule\",",
        )
        .replace("by_at_most = 3\nepsilon_per_query = 50", "by_at_most = 3\nepsilon_per_query = 100")
        .replace(
            "by = [\"country_of_birth\", \"sex\", \"age\"]",
            "by = [\"country_of_birth\", \"sex\", \"age\", \"arrived\", \"region\"]",
        );
    office.write_policy(&policy);
    std::fs::write(office.folder().join("pays.csv"), "value,code\n\"C\u{f4}te d'Ivoire\",CIV\n").unwrap();
    office.write_config(&world);
    let file = office.folder().join("export.csv");
    let text = "Matricule;Sexe;\u{c2}ge;Pays de naissance;Revenu;Arriv\u{e9}e\r\n\
                1 ; 1;34;024;1 200,505;31/12/2023\r\n2;2;999;C\u{f4}te d'Ivoire;NA;01/01/2024\r\n\
                3;f\u{e9}minin;14;288;1200,50;NA\r\n4;f;15;24;9999999;29/02/2024\r\n5;NA;65;4;0,125;31/12/2020\r\n";
    let latin: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
    std::fs::write(&file, latin).unwrap();
    let options =
        ["--dataset", "residents", "--encoding", "windows-1252", "--delimiter", ";", "--decimal", "comma"];
    let more = ["--thousands", " ", "--dates", "%d/%m/%Y"];
    let (code, stdout, stderr) = said(&command(&config, &options).args(more).arg(&file).output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert_eq!(
        (line(&stdout, "not declared"), line(&stdout, "did not read")),
        ("nothing", "nothing"),
        "{stdout}"
    );
    let kept = Connection::open(office.register()).unwrap().query_row(
        "SELECT group_concat(concat_ws(' ', Matricule, Sexe, coalesce(Revenu, 'none')), ', ') FROM residents",
        [],
        |row| row.get::<_, String>(0),
    );
    assert_eq!(kept.unwrap(), "1 1 120050, 2 2 none, 3 f\u{e9}minin 120050, 4 f 999999900, 5 NA 12");

    office.up().await.unwrap();
    let by = "by age\nby arrived\nby country_of_birth\nby region\nby sex";
    let answer = world.analyst().ask(&office, &persons(by, "80")).await.unwrap();
    let found: Vec<String> = tables(&answer)
        .into_iter()
        .map(|table| {
            let cells = table.into_iter().filter(|(_, count)| *count != 0);
            cells.map(|(key, count)| format!("{key} {count}")).collect::<Vec<_>>().join(", ")
        })
        .collect();
    let expected = [
        "0-14 1, 15-64 2, 65-110 1, _U 1",
        "2020 1, 2023 1, 2024 2, _U 1",
        "AFG 1, AGO 2, CIV 1, GHA 1",
        "011 2, 017 2, 034 1",
        "F 3, M 1, _U 1",
    ];
    assert_eq!(found, expected);
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
        "up to 10.0 % of its values were accepted as unread, undeclared or missing",
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
