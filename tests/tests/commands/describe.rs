//! `lango dataset describe` of files, as an administrator runs it: from an export to a register in the words that it prints.

use std::path::Path;

use lango_testkit::{Engine, Office, Policy, Register, TestRegion};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::program;

/// An export of a spreadsheet: 120 residents, semicolons, decimal commas, days first, the United Nations' numbers, Windows-1252.
fn export() -> Vec<u8> {
    let mut text =
        "Matricule;Pays de naissance;R\u{e9}sidence;Revenu;Arriv\u{e9}e;\u{c2}ge;Sexe\r\n".to_owned();
    for n in 0..120 {
        let born = ["024", "288", "384", "4"][n % 4];
        let lives = match n {
            0..70 => "C\u{f4}te d'Ivoire",
            70..119 => "GHA",
            _ => "Elbonia",
        };
        let income = if n % 5 == 0 { "NA".to_owned() } else { format!("{},50", 1_000 + n) };
        let age = if n % 6 == 0 { 999 } else { n % 60 };
        let sex = ["F", "M"][n % 2];
        text += &format!("{};{born};{lives};{income};{:02}/12/2023;{age};{sex}\r\n", 5_000 + n, 1 + n % 31);
    }
    text.chars().map(|letter| letter as u8).collect()
}

fn run(program: impl AsRef<Path>, arguments: &[&str]) -> (Option<i32>, String, String) {
    program::said(&program::command(program.as_ref()).args(arguments).output().unwrap())
}

fn describe(arguments: &[&str]) -> (Option<i32>, String, String) {
    run(program::lango(), &[&["dataset", "describe"], arguments].concat())
}

/// An office without a register.
fn office(world: &TestRegion) -> (Office, String) {
    let office = Office::prepare_on(Engine::Sqlite, world, "NGA", &Policy::of("NGA"), &Register::default());
    std::fs::remove_file(office.register()).unwrap();
    let config = office.write_config(world);
    (office, config.to_str().unwrap().to_owned())
}

/// As the office would decide.
fn filled_in(skeleton: &str) -> String {
    let decided = [
        ("<TITLE>", "Residents"),
        ("<KIND>", "stock"),
        ("<VERSION>", "2024-07-01"),
        ("<MORE>", "10_000_000"),
        ("<NOUN>", "person"),
        ("<CODE>", "CIV"),
        ("codes = [\"GHA\", <CODES>]", "codes = [\"CIV\", \"GHA\"]"),
        (
            "age = { from = \"\u{c2}ge\", integer = [<LOWEST>, <HIGHEST>], bands = <WIDTH>",
            "age = { from = \"\u{c2}ge\", integer = [0, 110], bands = 5",
        ),
        ("amount = [<LOWEST>, <HIGHEST>]", "amount = [0, 50_000]"),
        ("<FIRST>", "2020-01-01"),
        ("<LAST>", "2024-12-31"),
        ("<POOL>", "8.0"),
        ("<MEASURES>", "\"persons\", \"mean(revenu)\""),
        ("<COLUMNS>", "\"sexe\", \"pays_de_naissance\""),
        ("<MOST>", "1.0"),
        ("<SHARE>", "4.0"),
    ];
    let text = decided.iter().fold(skeleton.to_owned(), |text, (open, value)| text.replace(open, value));
    text.lines().map(|line| line.strip_prefix("#? ").unwrap_or(line).to_owned() + "\n").collect()
}

#[test]
fn an_export_goes_to_a_register_by_the_skeleton_and_the_command_that_are_printed() {
    let world = TestRegion::new();
    let (office, config) = office(&world);
    let file = office.folder().join("Registre 2024.csv");
    std::fs::write(&file, export()).unwrap();
    let name = file.to_str().unwrap();

    // What the file needs is said one after the other.
    let (code, _, stderr) = describe(&[name]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("line 1: not in UTF-8; export it in UTF-8, or say what it is in"), "{stderr}");
    let (_, _, stderr) = describe(&[name, "--encoding", "windows-1252"]);
    assert!(stderr.contains("names no columns: say --delimiter ';'"), "{stderr}");
    let reading = [name, "--encoding", "windows-1252", "--delimiter", ";"];
    let arguments = [&["--config", &config, "--policy"], &reading[..]].concat();
    let (code, skeleton, stderr) = describe(&arguments);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for expected in [
        "all 120 rows were read",
        "office = \"NGA\"\n",
        "[dataset.registre_2024]",
        "source = \"register\"\ntable = \"registre_2024\"",
        "#? unit = { column = \"matricule\", from = \"Matricule\", noun = \"<NOUN>\", rows_at_most = 1 }",
        "#? pays_de_naissance = { from = \"Pays de naissance\", codes = \"iso3166-1-alpha-3\", written_as = \"m49\" }  \
         # each value is of the list",
        "#? residence = { from = \"R\u{e9}sidence\", codes = [\"GHA\", <CODES>], recode = { \"C\u{f4}te d'Ivoire\" = \"<CODE>\" } }  \
         # text; 1 distinct value more on few rows",
        "#? revenu = { from = \"Revenu\", amount = [<LOWEST>, <HIGHEST>], scale = 1, missing = [\"NA\"] }",
        "#? arrivee = { from = \"Arriv\u{e9}e\", date = [<FIRST>, <LAST>], bands = \"month\" }  # days",
        "#? age = { from = \"\u{c2}ge\", integer = [<LOWEST>, <HIGHEST>], bands = <WIDTH>, missing = [\"999\"] }",
        "#? sexe = { from = \"Sexe\", codes = [\"F\", \"M\"] }",
        "to = [\"spiffe://ecowas.example/analyst/*\"]",
    ] {
        assert!(skeleton.contains(expected), "{expected}\n{skeleton}");
    }
    for value in ["Elbonia", "5000", "5119", "1119", "110,"] {
        assert!(!skeleton.contains(value), "{value}: {skeleton}");
    }

    office.write_policy(&filled_in(&skeleton));
    office.write_config(&world);
    let command = skeleton.lines().find_map(|line| line.strip_prefix("# And: lango ")).unwrap();
    for option in ["--delimiter ';'", "--encoding windows-1252", "--decimal comma", "--dates '%d/%m/%Y'"] {
        assert!(command.contains(option), "{option}: {command}");
    }
    assert!(!command.contains("--thousands"), "{command}");
    let lango = program::lango();
    let (code, stdout, stderr) = run("sh", &["-ec", &format!("'{}' {command}", lango.display())]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{command}\n{stdout}");

    let check = ["dataset", "check", "--config", &config, "--dataset", "registre_2024", "--format", "json"];
    let (code, stdout, stderr) = run(&lango, &check);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let checked: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&checked["rows"], &checked["units"]), (&json!(120), &json!(120)));
    for (column, declared, missing, undeclared) in [
        ("pays_de_naissance", 120, 0, 0),
        ("residence", 119, 0, 1),
        ("revenu", 96, 24, 0),
        ("arrivee", 120, 0, 0),
        ("age", 100, 20, 0),
        ("sexe", 120, 0, 0),
    ] {
        let counted = ["declared", "missing", "undeclared"].map(|key| &checked["columns"][column][key]);
        assert_eq!(counted, [&json!(declared), &json!(missing), &json!(undeclared)], "{column}: {stdout}");
    }
    let income = "SELECT sum(Revenu) FROM registre_2024";
    let income: i64 =
        Connection::open(office.register()).unwrap().query_row(income, [], |row| row.get(0)).unwrap();
    let expected: i64 = (0..120).filter(|n| n % 5 != 0).map(|n| 10 * (1_000 + n) + 5).sum();
    assert_eq!(income, expected);
}

#[test]
fn a_file_is_described_for_people_and_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("2024.csv");
    let rows: String = (0..40).map(|n| format!("{n},{},{n}.5\n", if n < 15 { "x" } else { "y" })).collect();
    std::fs::write(&file, format!("person_id,group,Income\n{rows}")).unwrap();
    let name = file.to_str().unwrap();
    let (code, stdout, stderr) = describe(&[name]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for expected in
        ["40 rows", "person_id", "unique", "codes: y", "amount, scale 1", "--dataset dataset_2024"]
    {
        assert!(stdout.contains(expected), "{expected}: {stdout}");
    }
    let (_, stdout, _) = describe(&[name, "--format", "json", "--table", "income"]);
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&found["rows"], &found["columns"][1]["codes"]), (&json!(40), &json!(["y"])));
    assert_eq!(
        found["import"],
        format!("lango dataset import --config gateway.toml --dataset income {name}")
    );
    let (_, stdout, _) = describe(&[name, "--format", "csv"]);
    assert_eq!(stdout.lines().nth(2), Some("group,text,0,0,2,false,,codes"), "{stdout}");
    // Without a configuration the office, the source and the region are open.
    let (_, skeleton, _) = describe(&[name, "--policy"]);
    for expected in
        ["#? office = \"<OFFICE>\"", "#? source = \"<SOURCE>\"", "#? to = [\"spiffe://<REGION>/analyst/*\"]"]
    {
        assert!(skeleton.contains(expected), "{expected}: {skeleton}");
    }

    let world = TestRegion::new();
    let (_office, config) = office(&world);
    for (arguments, code, expected) in [
        (&["--policy"][..], 2, "--config <FILE>"),
        (&["--config", &config], 2, "--source <NAME>"),
        (&["--config", &config, "--source", "register", "--policy"], 2, "--table <NAME>"),
        (&["--config", &config, "--source", "register", "--delimiter", ";"], 2, "FILE"),
        (&["--config", &config, "--source", "registr", name], 1, "no source `registr` with `sqlite`"),
        (&["--table", "Income 2024", name], 2, "`Income 2024` is not a name"),
        (&["--policy", "--format", "json", name], 2, "cannot be used with"),
        (&["--file-format", "parquet", name], 1, "is said to be Parquet"),
        (&["none.csv"], 1, "none.csv: No such file"),
        (&["export.xlsx"], 1, "or say --file-format"),
    ] {
        let (is, stdout, stderr) = describe(arguments);
        assert_eq!((is, stdout.as_str()), (Some(code), ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

/// A register that other tools made, with the types that they use.
#[test]
fn a_register_of_any_types_is_described_so_that_a_policy_can_be_made_of_it() {
    let world = TestRegion::new();
    let (office, config) = office(&world);
    let register = Connection::open(office.register()).unwrap();
    let table = "CREATE TABLE \"Arrivals 2024\" (person_id INTEGER, Sex TEXT, SEX BOOLEAN, \"Land of birth\" STRING, \
                 \"land of  birth\" VARCHAR(3), weight REAL, price DECIMAL(9,3), fee FIXEDPOINT(2), rate NUMERIC, \
                 arrived DATETIME, seen TIMESTAMP, gone DATE)";
    let table = table.replace(" SEX BOOLEAN", " \"Sex \" BOOLEAN");
    register.execute_batch(&table).unwrap();
    let row = "INSERT INTO \"Arrivals 2024\" VALUES (?, 'F', 1, 'GHA', 'BEN', 60.5, 1.125, 250, 0.5, '2024-02-01 08:00', \
               '2024-02-01T08:00:00Z', '2024-02-02')";
    for person in 0..20 {
        register.execute(row, [person]).unwrap();
    }
    drop(register);
    let source = ["--config", &config, "--source", "register"];
    let (code, stdout, stderr) = describe(&[&source[..], &["--format", "csv"]].concat());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(!stdout.lines().any(|line| line.ends_with(',')), "every column can be declared: {stdout}");
    let (code, skeleton, stderr) =
        describe(&[&source[..], &["--table", "Arrivals 2024", "--policy"]].concat());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for expected in [
        "[dataset.arrivals_2024]",
        "#? sex = { from = \"Sex\", codes = [<CODES>] }",
        "#? sex_2 = { from = \"Sex \", codes = [<CODES>] }",
        "#? land_of_birth = { from = \"Land of birth\", codes = [<CODES>] }",
        "#? land_of_birth_2 = { from = \"land of  birth\", codes = [<CODES>] }",
        "#? weight = { amount = [<LOWEST>, <HIGHEST>], scale = 2 }",
        "#? price = { amount = [<LOWEST>, <HIGHEST>], scale = 3 }",
        "#? fee = { amount = [<LOWEST>, <HIGHEST>], scale = 2 }",
        "#? rate = { amount = [<LOWEST>, <HIGHEST>], scale = 2 }",
        "#? arrived = { date = [<FIRST>, <LAST>], bands = \"month\" }",
        "#? seen = { date = [<FIRST>, <LAST>], bands = \"month\" }",
        "#? gone = { date = [<FIRST>, <LAST>], bands = \"month\" }",
    ] {
        assert!(skeleton.contains(expected), "{expected}\n{skeleton}");
    }
    let decided = [
        ("<UNIT>", "person_id"),
        ("<ROWS>", "1"),
        ("<CODES>", "\"1\", \"BEN\", \"F\", \"GHA\", \"M\""),
        ("<LOWEST>", "0"),
        ("<HIGHEST>", "1000"),
        ("\"persons\", \"mean(revenu)\"", "\"persons\", \"mean(fee)\""),
        ("\"sexe\", \"pays_de_naissance\"", "\"sex\", \"arrived\""),
    ];
    let filled = decided.iter().fold(filled_in(&skeleton), |text, (open, value)| text.replace(open, value));
    // The unit is no column to count by.
    let kept = filled.lines().filter(|line| !line.starts_with("person_id = "));
    let filled: String = kept.map(|line| line.to_owned() + "\n").collect();
    office.write_policy(&filled);
    office.write_config(&world);
    let check = ["dataset", "check", "--config", &config, "--dataset", "arrivals_2024", "--format", "json"];
    let (code, stdout, stderr) = run(program::lango(), &check);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{filled}");
    let checked: Value = serde_json::from_str(&stdout).unwrap();
    let columns = checked["columns"].as_object().unwrap();
    assert_eq!(columns.len(), 11, "{stdout}");
    for (name, column) in columns {
        assert_eq!(column["declared"], json!(20), "{name}: {stdout}");
    }
}
