//! Skeletons that an administrator fills in are policies.

use lango_document::Document;
use lango_policy::PolicySet;
use lango_source::{ColumnDescription, Suggested, TableDescription};

use super::*;

fn column(name: &str, suggested: Suggested, unique: bool) -> ColumnDescription {
    ColumnDescription { name: name.to_owned(), declared: "t".to_owned(), suggested, unique }
}

fn codes(labels: &[&str]) -> Suggested {
    Suggested::Codes(labels.iter().map(ToString::to_string).collect())
}

fn table(keys: usize) -> TableDescription {
    let columns = vec![
        column("person_id", Suggested::Integer, keys > 0),
        column("card", Suggested::Text, keys > 1),
        column("sex", codes(&["F", "M"]), false),
        column("status", codes(&["not known", "x"]), false),
        column("country", Suggested::Text, false),
        column("age", Suggested::Integer, false),
        column("income", Suggested::Amount(2), false),
        column("arrived", Suggested::Date, false),
        column("seen", Suggested::Moment, false),
        column("photo", Suggested::Nothing, false),
        column("Region", Suggested::Text, false),
    ];
    TableDescription { name: "civil.Residents".to_owned(), rows: None, columns }
}

fn skeleton(table: &TableDescription, office: Option<&str>) -> String {
    of_table(table, TablePlace { source: Some("register"), region: Some("ecowas.example"), office })
}

/// As an administrator would.
fn filled_in(text: &str) -> String {
    let decided = [
        ("<OFFICE>", "GHA"),
        ("<SOURCE>", "register"),
        ("<REGION>", "ecowas.example"),
        ("<TITLE>", "Residents"),
        ("<KIND>", "stock"),
        ("<VERSION>", "2024-07-01"),
        ("<MORE>", "10_000_000"),
        ("<UNIT>", "person_id"),
        ("<NOUN>", "person"),
        ("<ROWS>", "3"),
        ("<CODES>", "\"BEN\", \"GHA\""),
        ("<CODE>", "GHA"),
        ("<LOWEST>", "0"),
        ("<HIGHEST>", "110"),
        ("<WIDTH>", "10"),
        ("<FIRST>", "2020-01-01"),
        ("<LAST>", "2024-12-31"),
        ("<ZONE>", "Africa/Accra"),
        ("<POOL>", "8.0"),
        ("<MEASURES>", "\"rows\", \"persons\", \"mean(income)\""),
        ("<COLUMNS>", "\"sex\", \"age\", \"arrived\""),
        ("<MOST>", "1.0"),
        ("<SHARE>", "4.0"),
    ];
    let text = decided.iter().fold(text.to_owned(), |text, (open, value)| text.replace(open, value));
    // A unit's column is not declared as well.
    let kept = text.lines().filter(|line| !line.starts_with("#? person_id"));
    kept.map(|line| line.strip_prefix(OPEN).unwrap_or(line).to_owned() + "\n").collect()
}

#[test]
fn a_skeleton_that_is_filled_in_is_a_policy_and_as_it_is_it_is_none() {
    for (keys, office) in [(0, None), (1, Some("GHA")), (2, None)] {
        let text = skeleton(&table(keys), office);
        let read = |text: String| PolicySet::read(&[Document::new("skeleton.toml", text)]);
        assert!(read(text.clone()).is_err(), "{text}");
        let filled = filled_in(&text);
        let set = read(filled.clone()).unwrap_or_else(|error| panic!("{error}\n{filled}"));
        let (name, dataset) = set.datasets.first_key_value().unwrap();
        assert_eq!((name.as_str(), dataset.table.as_str()), ("residents", "civil.Residents"));
        assert_eq!(dataset.unit.column, "person_id");
        assert_eq!(dataset.unit.rows_at_most, if keys == 1 { 1 } else { 3 });
        let mut columns: Vec<&str> = dataset.columns.keys().map(Name::as_str).collect();
        columns.retain(|name| *name != "card");
        assert_eq!(columns, ["age", "arrived", "country", "income", "region", "seen", "sex", "status"]);
        let zone = |name: &str| dataset.columns[&name.parse::<Name>().unwrap()].reading.time_zone.clone();
        assert_eq!((zone("arrived"), zone("seen")), (None, Some("Africa/Accra".to_owned())));
        assert_eq!(filled.matches('<').count(), text.matches("<..>").count(), "{filled}");
    }
}

#[test]
fn what_cannot_be_declared_is_named_in_a_comment() {
    let text = skeleton(&table(2), None);
    for said in [
        "# photo is `t`, which no policy can declare",
        "#? region = { from = \"Region\", codes = [<CODES>] }",
        "#? status = { codes = [<CODES>], recode = { \"not known\" = \"<CODE>\", \"x\" = \"<CODE>\" } }",
        "# person_id is a key",
        "# card is a key",
        "sex = { codes = [\"F\", \"M\"] }",
        "#? arrived = { date = [<FIRST>, <LAST>], bands = \"month\" }  # t; days as 2024-01-31\n",
        "#? seen = { date = [<FIRST>, <LAST>], bands = \"month\", time_zone = \"<ZONE>\" }  # t; days as 2024-01-31, at a place as",
        "column = \"<UNIT>\"",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

#[test]
fn no_two_columns_have_one_name_and_those_that_are_names_keep_theirs() {
    let names = ["Sex", "SEX", "sex", "s e x", "S-E-X", "s_e_x", "office", "\u{65e5}", "column", "Office "];
    let columns = names.map(|name| column(name, Suggested::Text, false)).into();
    let described = TableDescription { name: "x.R\u{e9}sidents 2024".to_owned(), rows: None, columns };
    let text = skeleton(&described, Some("GHA"));
    for said in [
        "[dataset.residents_2024]",
        "#? sex_2 = { from = \"Sex\", codes",
        "#? sex_3 = { from = \"SEX\", codes",
        "#? sex = { codes",
        "#? s_e_x_2 = { from = \"s e x\", codes",
        "#? s_e_x_3 = { from = \"S-E-X\", codes",
        "#? s_e_x = { codes",
        "#? column_office = { from = \"office\", codes",
        "#? column_2 = { from = \"\u{65e5}\", codes",
        "#? column = { codes",
        "#? column_office_2 = { from = \"Office \", codes",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let filled = filled_in(&text).replace("\"sex\", \"age\", \"arrived\"", "\"sex\", \"sex_2\"");
    let filled = filled.replace(", \"mean(income)\"", "");
    let set = PolicySet::read(&[Document::new("skeleton.toml", filled.clone())]);
    let set = set.unwrap_or_else(|error| panic!("{error}\n{filled}"));
    assert_eq!(set.datasets.values().map(|dataset| dataset.columns.len()).sum::<usize>(), names.len());
}

/// Of a text in a file.
fn file_skeleton(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, text).unwrap();
    let format = lango_import::FileFormat::of(&path).unwrap();
    let files = [lango_import::ImportFile { path, format }];
    let file =
        lango_import::FileDescription::of(&files, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    let names = vec!["it's an export.csv".to_owned()];
    let (place, reading) = (TablePlace::default(), vec!["--skip-lines".to_owned(), "2".to_owned()]);
    FileSkeleton { file: &file, names, table: "residents", place, config: None, reading }.text()
}

/// A file of 60 rows with a column of each kind; persons stand on `rows` rows each.
fn every_kind(rows: usize) -> String {
    let mut text = "person_id,Office,office,Sex,SEX,Country of birth,\"Land\nnow\",Pays,household size,age,\
                    weight,arrived,village,status,a-b,a b,note,iso\n"
        .to_owned();
    for n in 0..60 {
        let id = n / rows;
        let sex = ["F", "f", "M"][n % 3];
        let born = ["GHA", "BEN", "TGO"][n % 3];
        let land = ["GH", "BJ", "TG", "NE", "CI"][n % 5];
        let pays = ["C\u{f4}te d'Ivoire", "Ghana, Accra"][n % 2];
        let size = [1, 2, 3, 9][n % 4];
        let status = ["_T", "\"\"quoted\"\"\\", "ok"][n % 3];
        let (weight, day) = (n as f64 + 0.125, 1 + n % 28);
        text += &format!(
            "{id},x,y,{sex},{sex},{born},{land},\"{pays}\",{size},{n},{weight},2024-01-{day:02},v{n},\"{status}\",7,8,,{}\n",
            if n < 30 { "384" } else { "024" }
        );
    }
    text
}

#[test]
fn the_skeleton_of_a_file_that_is_filled_in_is_a_policy_and_as_it_is_it_is_none() {
    for rows in [1, 3] {
        let text = file_skeleton(&every_kind(rows));
        let read = |text: String| PolicySet::read(&[Document::new("skeleton.toml", text)]);
        assert!(read(text.clone()).is_err(), "{text}");
        let filled = filled_in(&text).replace("\"sex\", \"age\", \"arrived\"", "\"age\", \"arrived\"");
        let filled = filled.replace("mean(income)", "mean(weight)");
        let set = read(filled.clone()).unwrap_or_else(|error| panic!("{error}\n{filled}"));
        let (name, dataset) = set.datasets.first_key_value().unwrap();
        assert_eq!((name.as_str(), dataset.table.as_str()), ("residents", "residents"));
        assert_eq!((dataset.unit.column.as_str(), dataset.unit.rows_at_most), ("person_id", rows as u32));
        let columns: Vec<&str> = dataset.columns.keys().map(Name::as_str).collect();
        let expected = [
            "a_b",
            "a_b_2",
            "age",
            "arrived",
            "country_of_birth",
            "household_size",
            "iso",
            "land_now",
            "note",
            "pays",
            "status",
            "weight",
        ];
        assert_eq!(columns, expected, "{filled}");
    }
}

#[test]
fn the_lines_of_a_files_skeleton_say_what_the_values_say() {
    let text = file_skeleton(&every_kind(3));
    for said in [
        "from it's an export.csv: all 60 rows were read. A value is shown where it stands on 20 rows or more.\n",
        "# And: lango dataset import --config gateway.toml --dataset residents 'it'\\''s an export.csv' --skip-lines 2\n",
        "#? unit = { column = \"person_id\", noun = \"<NOUN>\", rows_at_most = <ROWS> }  # by its name alone",
        "# Office stands in the header more than once",
        "# SEX stands in the header more than once",
        "#? country_of_birth = { from = \"Country of birth\", codes = \"iso3166-1-alpha-3\" }  # each value is of the list\n",
        "#? land_now = { from = \"Land\\U0000000Anow\", codes = \"iso3166-1-alpha-3\", written_as = \"alpha-2\" }",
        "#? pays = { from = \"Pays\", codes = [<CODES>], recode = { \"C\u{f4}te d'Ivoire\" = \"<CODE>\", \
         \"Ghana, Accra\" = \"<CODE>\" } }  # text\n",
        "#? household_size = { from = \"household size\", codes = [<CODES>] }  # whole numbers; 4 distinct values more on few rows\n",
        "#? age = { integer = [<LOWEST>, <HIGHEST>], bands = <WIDTH> }  # whole numbers; or an amount, or codes; another on every",
        "#? weight = { amount = [<LOWEST>, <HIGHEST>], scale = 3 }  # numbers of up to 3 decimals; bounds in its own unit\n",
        "#? arrived = { date = [<FIRST>, <LAST>], bands = \"month\" }  # days; bounds as 2024-01-31\n",
        "# village has another value on every row: it identifies, and is nothing to count by\n",
        "#? a_b = { from = \"a-b\", codes = [\"7\"] }",
        "#? a_b_2 = { from = \"a b\", codes = [\"8\"] }",
        "#? note = { codes = [<CODES>] }  # no row has a value; or integer, amount, date, open = true\n",
        "#? iso = { codes = \"iso3166-1-alpha-3\", written_as = \"m49\" }",
        "codes = ['\"quoted\"\\', \"ok\", <CODES>], recode = { \"_T\" = \"<CODE>\" } }  # text\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let sexes: String = (0..75).map(|n| format!("{n},{}\n", ["F", "f", "M"][n % 3])).collect();
    let text = file_skeleton(&format!("id,sex\n{sexes}"));
    assert!(text.contains("#? sex = { codes = [\"F\", \"M\"], case = \"ignore\" }  # text\n"), "{text}");
    let alpha_2: String =
        (0..150).map(|n| format!("{n},{}\n", ["NA", "GH", "BJ", "TG", "CI"][n % 5])).collect();
    let text = file_skeleton(&format!("id,country\n{alpha_2}"));
    let namibia = "#? country = { codes = \"iso3166-1-alpha-3\", written_as = \"alpha-2\" }  # each value is of the list\n";
    assert!(text.contains(namibia), "{text}");
}

/// Of rows that are made of their numbers.
fn of_rows(header: &str, rows: usize, row: impl Fn(usize) -> String) -> String {
    let rows: String = (0..rows).map(|n| row(n) + "\n").collect();
    file_skeleton(&format!("{header}\n{rows}"))
}

#[test]
fn what_the_file_cannot_say_is_left_open() {
    let text = of_rows("id,income,arrived", 60, |n| format!("{n},\"1,{}\",{}/2/2023", 200 + n, 1 + n % 12));
    for said in [
        "--skip-lines 2 --decimal <comma, or point --thousands ','> --dates <'%d/%m/%Y' or '%m/%d/%Y'>\n",
        "#? The file cannot say how numbers are written (--decimal comma, or --decimal point --thousands ','): those of \
         `income` always have three digits behind a mark, as thousands have.\n",
        "#? The file cannot say how days are written: '%d/%m/%Y', or '%m/%d/%Y'.\n",
        "#? income = { amount = [<LOWEST>, <HIGHEST>], scale = <SCALE> }  # numbers, likely thousands: scale 3 if",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let text = of_rows("id,income", 60, |n| format!("{n},1.{}", 200 + n));
    assert!(text.contains(" --decimal <point, or comma --thousands .>\n"), "{text}");

    let mixed = |n: usize| if n.is_multiple_of(2) { "2023-01-02" } else { "31/01/2023" };
    let text = of_rows("id,arrived", 60, |n| format!("{n},{}", mixed(n)));
    let said = "#? Days of `arrived` stand in two notations: a spreadsheet may have swapped day and month in some.\n";
    assert!(text.contains(said) && text.contains(" --dates '%d/%m/%Y'\n"), "{text}");

    // What no mark can change is no doubt.
    let text = of_rows("id,a,b,c", 60, |n| format!("19850100123456000{n:02},{n}e5,\u{2212}{n},{n}"));
    assert!(!text.contains("cannot say") && !text.contains("--decimal"), "{text}");
}

#[test]
fn words_among_the_units_identifiers_are_counted() {
    for (words, said) in [(&["NULL"][..], "1 row"), (&["NULL", "\\N", "None"], "3 rows")] {
        let text = of_rows("person_id,age", 60, |n| {
            format!("{},{}", words.get(n).map_or(n.to_string(), ToString::to_string), n % 30)
        });
        let said = format!(
            "#? `person_id`, the likely unit, has a word such as NULL or NA and no identifier on {said}.\n"
        );
        assert!(text.contains(&said) && !text.contains("None"), "{said}\n{text}");
        assert!(text.contains("#? unit = { column = \"person_id\""), "{text}");
    }
    let text = of_rows("person_id,age", 60, |n| format!("{n},NA"));
    assert!(!text.contains("the likely unit"), "{text}");
}

#[test]
fn countries_with_namibia_among_them_may_be_few() {
    let countries = "codes = \"iso3166-1-alpha-3\", written_as = \"alpha-2\" }";
    for (values, expected) in [
        (&["NA", "ZA", "BW", "GH"][..], true),
        (&["NA", "ZA", "BW"], true),
        (&["NA", "ZA"], false),
        (&["ZA", "BW", "GH"], false),
        (&["NA", "ZA", "BW", "XX"], false),
    ] {
        let text = of_rows("id,cob", 100, |n| format!("{n},{}", values[n % values.len()]));
        assert_eq!(text.contains(countries), expected, "{text}");
        assert_eq!(text.contains("missing = [\"NA\"]"), !expected && values.contains(&"NA"), "{text}");
    }
}

#[test]
fn the_unit_is_the_likeliest_of_the_columns_with_the_most_values() {
    for (header, expected) in [
        ("simulant_id,household_id,x", "simulant_id"),
        ("household_id,simulant_id,x", "household_id"),
        ("x,person_id,expend", "person_id"),
        ("x,ori_hid,expend", "ori_hid"),
    ] {
        let text = of_rows(header, 6_000, |n| {
            let last = if header.ends_with("expend") { n } else { n % 9 };
            format!("{},{},{last}", n / 2, n / 6)
        });
        assert!(text.contains(&format!("#? unit = {{ column = \"{expected}\"")), "{expected}\n{text}");
    }
}

#[test]
fn a_table_is_named_as_its_file() {
    for (path, expected) in [
        ("residents.csv", "residents"),
        ("a/Residents 2024-07.CSV.gz", "residents_2024_07"),
        ("2024.parquet", "dataset_2024"),
        ("R\u{e9}sidents.tsv.zst", "residents"),
        ("parts/", "parts"),
        ("\u{65e5}.csv", "dataset"),
    ] {
        assert_eq!(table_name(std::path::Path::new(path)), expected, "{path}");
    }
}
