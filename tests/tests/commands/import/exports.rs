//! Exports as offices have them go to a right answer, in one command.

use std::collections::BTreeMap;

use lango_testkit::{TestRegion, persons, table, tables};
use rusqlite::Connection;

use super::{POLICY, command, line, office, said};

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
