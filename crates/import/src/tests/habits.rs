//! Files in the habits of offices and their programs: line ends, titles, marks of numbers, orders of days, totals.

use rusqlite::types::Value;

use super::fixture::{HEADER, Office, found, lines, text, unfit};
use crate::{DecimalMark, Delimiter, Finding, ImportError, Rename, RowError};

/// The values of a column of the table, in the file's order.
fn column(office: &Office, name: &str) -> Vec<Value> {
    let connection = office.open();
    let mut select = connection.prepare(&format!("SELECT {name} FROM residents ORDER BY rowid")).unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// A file with one value of `income` in each row.
fn incomes(values: &[&str]) -> String {
    let row = |(at, value): (usize, &&str)| format!("{at};F;1;\"{value}\";2000-01-01;Tema\n");
    HEADER.replace(',', ";") + &values.iter().enumerate().map(row).collect::<String>()
}

#[test]
fn faults_are_on_the_line_that_an_editor_shows_whatever_ends_a_line() {
    // A blank line, a field with a break in it, and the fault on line 6.
    let content = format!("{HEADER}{}\nGHA4,F,1,1,2000-01-01,\"New\nTown\"\nGHA5,F,x,1,,\n", lines(0..1));
    for end in ["\n", "\r\n", "\r"] {
        let office = Office::new().accepting("age", 1.0);
        let content = content.replace('\n', end);
        let report = office.import(&office.write("a.csv", &content)).unwrap();
        assert_eq!(
            (report.rows, found(&report, "age")),
            (3, vec![(Finding::Unreadable, 1, vec![6])]),
            "{end:?}"
        );
        let wrong = format!("{content}GHA6,F{end}");
        let error = office.import(&office.write("b.csv", wrong)).unwrap_err();
        assert!(matches!(error, ImportError::Row(RowError::TooFew { line: 7, .. })), "{end:?} {error}");
    }
}

#[test]
fn a_code_that_a_spreadsheet_marked_as_a_text_is_read_without_the_marks() {
    let office = Office::new();
    let content = format!(
        "{HEADER}1,\"=\"\"F\"\"\",1,1,2000-01-01,'Tema\n2,'M,1,1,2000-01-01,Tema\n3,F,1,1,2000-01-01,Tema\n"
    );
    let report = office.import(&office.write("a.csv", content)).unwrap();
    assert_eq!(column(&office, "sex"), [text("F"), text("M"), text("F")]);
    assert_eq!(found(&report, "sex"), [(Finding::MarkedIdentifier, 2, vec![2, 3])]);
    // An open column is kept as it stands.
    assert_eq!(column(&office, "village")[0], text("'Tema"));
}

#[test]
fn a_title_above_the_header_is_left_out_where_that_is_said_and_else_named() {
    let right = format!("{HEADER}{}", lines(0..3));
    let semicolons = right.replace(',', ";");
    for (content, skip, delimiter, expected) in [
        (format!("Residents\n\n{right}"), 2, None, Ok(())),
        (format!("Residents\r\n\"a quote, and\r\n{right}"), 2, None, Ok(())),
        (format!("Residents\r\r{}", right.replace('\n', "\r")), 2, None, Ok(())),
        // The line for spreadsheets is one of those that are left out, and still says the delimiter.
        (format!("sep=;\nResidents\n{semicolons}"), 2, None, Ok(())),
        (format!("Residents\r\nsep=;\r\n{semicolons}"), 1, None, Ok(())),
        (format!("sep=;\n{semicolons}"), 1, None, Ok(())),
        // What the caller says is believed.
        (format!("sep=;\n{right}"), 0, Some(b','), Ok(())),
        (format!("Residents\n\n{right}"), 0, None, Err("line 3 names the columns: say --skip-lines 2")),
        (
            format!("Residents, mid-2024\n{right}"),
            0,
            None,
            Err("line 2 names the columns: say --skip-lines 1"),
        ),
        (
            format!("Residents\n{semicolons}"),
            0,
            None,
            Err("line 2 names the columns: say --skip-lines 1 --delimiter ';'"),
        ),
        (format!("A\nB\nC\n{right}"), 1, None, Err("line 4 names the columns: say --skip-lines 3")),
        ("Residents\n1,F\n".to_owned(), 0, None, Err("if that is a title, say --skip-lines 1")),
        (right.clone(), 1, None, Err("has no column `person_id`")),
        (right.clone(), u64::MAX, None, Err("is empty")),
    ] {
        let office = Office::new();
        let file = office.write("a.csv", &content);
        let done = office.import_text(&file, |delimited| {
            delimited.skip_lines = skip;
            delimited.delimiter = delimiter.map_or(delimited.delimiter, Delimiter::Said);
        });
        match expected {
            Ok(()) => assert_eq!(done.unwrap().rows, 3, "{content:?}"),
            Err(expected) => {
                let said = done.unwrap_err().to_string();
                assert!(said.contains(expected), "{content:?}: {said}");
            }
        }
    }
}

#[test]
fn amounts_are_read_in_the_notation_that_is_said_and_else_reported_with_the_reason() {
    let values = ["1200,50", "1 200,50", "1\u{a0}200,5", "1\u{202f}200,505", "-1200", "+1200", "1,2e3"];
    let content = incomes(&values);
    let mut office = Office::new();
    office.options.notation.decimal = DecimalMark::Comma;
    office.options.notation.thousands = Some(" ".parse().unwrap());
    let semicolon = |delimited: &mut crate::Delimited| delimited.delimiter = Delimiter::Said(b';');
    let report = office.import_text(&office.write("a.csv", &content), semicolon).unwrap();
    assert_eq!(unfit(&report), 0);
    let expected = [120_050, 120_050, 120_050, 120_050, -120_000, 120_000, 120_000];
    assert_eq!(column(&office, "income"), expected.map(Value::Integer));

    let plain = Office::new();
    let refused = plain.import_text(&plain.write("a.csv", &content), semicolon).unwrap_err();
    let ImportError::Unfit { report, columns } = &refused else { panic!("{refused}") };
    assert_eq!(
        found(report, "income"),
        [(Finding::DecimalComma, 5, vec![2, 3, 4, 5, 8]), (Finding::Below, 1, vec![6])]
    );
    assert_eq!((columns.len(), columns[0].count, columns[0].of, columns[0].share), (1, 5, 7, 0.7143));
    let said = refused.to_string();
    assert!(
        said.contains("`income`: 5 of 7 values are unread or undeclared, 71.43 % (lines 2, 3, 4, 5, 8)"),
        "{said}"
    );
    assert!(said.contains("say --decimal comma, or say --accept income=0.7143"), "{said}");
    assert!(values.iter().all(|value| !said.contains(value)), "a value stands in `{said}`");
    assert!(plain.is_tidy() && plain.objects().is_empty());
}

#[test]
fn what_programs_compute_is_rounded_and_what_is_not_a_number_is_missing() {
    let office = Office::new().accepting("income", 0.5);
    let values = ["1200.505", "1200.515", "1107.6923076923076", "NaN", "inf", "1.2e3", "1200 XOF", ""];
    let content = incomes(&values).replace(';', ",");
    let report = office.import(&office.write("a.csv", content)).unwrap();
    let bytes = |text: &str| Value::Blob(text.as_bytes().to_vec());
    assert_eq!(
        column(&office, "income"),
        [
            Value::Integer(120_050),
            Value::Integer(120_052),
            Value::Integer(110_769),
            Value::Null,
            bytes("inf"),
            Value::Integer(120_000),
            bytes("1200 XOF"),
            Value::Null
        ]
    );
    let expected = [
        (Finding::Missing, 2, vec![5, 9]),
        (Finding::Unreadable, 2, vec![6, 8]),
        (Finding::RoundedNumber, 3, vec![2, 3, 4]),
    ];
    assert_eq!(found(&report, "income"), expected);
}

#[test]
fn days_are_read_whatever_time_follows_and_in_the_order_that_is_said() {
    let content = |days: &[&str]| {
        let row = |(at, day): (usize, &&str)| format!("{at},F,1,1,{day},Tema\n");
        HEADER.to_owned() + &days.iter().enumerate().map(row).collect::<String>()
    };
    let office = Office::new().accepting("born:notations", 0.2);
    let days = [
        "2023-07-01 00:00:00",
        "2023-07-02T00:00:00Z",
        "2023-07-03",
        "2023-07-04 23:30:00.5+02",
        "03/07/2023",
    ];
    let report = office.import(&office.write("a.csv", content(&days))).unwrap();
    assert_eq!(
        column(&office, "born"),
        ["2023-07-01", "2023-07-02", "2023-07-03", "2023-07-04", "03/07/2023"].map(text)
    );
    assert_eq!(found(&report, "born"), [(Finding::DayOrder, 1, vec![6])]);

    let mut office = Office::new();
    office.options.notation.days = Some("%d/%m/%Y".parse().unwrap());
    let days: Vec<String> = (1..=28).map(|day| format!("{day}/2/2023")).collect();
    let mut days: Vec<&str> = days.iter().map(String::as_str).collect();
    office.import(&office.write("a.csv", content(&days))).unwrap();
    assert_eq!(column(&office, "born")[27], text("2023-02-28"));
    // One day against it is enough: the file does not keep to an order, and the other days are in doubt.
    days[14] = "01/31/2023";
    let file = office.write("b.csv", content(&days));
    let error = office.import(&file).unwrap_err().to_string();
    assert!(
        error.starts_with("`born`: 1 of 28 days contradict the order of --dates, 3.58 % (line 16): "),
        "{error}"
    );
    let office = office.accepting("born:order", 0.0358);
    assert_eq!(unfit(&office.import(&file).unwrap()), 1);
}

type TwoFiles<'a> = [&'a [&'a str]; 2];

/// A spreadsheet exchanges day and month where it can, and leaves the other days as text.
#[test]
fn days_in_two_notations_stop_an_import_until_they_are_accepted() {
    let file = |days: &[&str]| {
        let row = |(at, day): (usize, &&str)| format!("{},F,1,1,{day},Tema\n", day.len() * 1000 + at * 7);
        HEADER.to_owned() + &days.iter().enumerate().map(row).collect::<String>()
    };
    let many = ["2023-05-01"; 60];
    let (days_first, both) = (Some("%d/%m/%Y"), "days are written in another way than the others");
    let cases: [(Option<&str>, TwoFiles<'_>, &str); 12] = [
        (days_first, [&["2023-05-01", "13/01/2023", "2023-06-02", ""], &[]], "2 of 3 days are written in"),
        (days_first, [&["13/01/2023", "2023-05-01 00:00:00"], &[]], "1 of 2 days are written in another way"),
        (days_first, [&["13/01/2023"], &["2023-05-01"]], "50 % (b.csv line 2): a spreadsheet may have"),
        (
            None,
            [&many, &["13/01/2023"]],
            "1 of 61 days are written in another way than the others, 1.64 % (b.csv line 2)",
        ),
        (None, [&["2023-05-01", "13/01/2023"], &[]], both),
        (None, [&["2023-05-01", "20230113"], &[]], both),
        // Of two orders.
        (
            days_first,
            [&["13/01/2023"], &["01/14/2023"]],
            "contradict the order of --dates, 50 % (b.csv line 2)",
        ),
        (
            Some("%m_%d_%Y"),
            [&["01_13_2023"; 60], &["14_01_2023"]],
            "1 of 61 days contradict the order of --dates",
        ),
        (None, [&["13/01/2023", "14/01/2023"], &[]], "100 % (a.csv line 2, a.csv line 3): say --dates"),
        (days_first, [&["2023-05-01", "2023-05-13"], &["2023-06-01"]], ""),
        (days_first, [&["1/5/2023", "13/05/2023 10:30"], &[]], ""),
        (None, [&["2023-05-01", "2023-05-13 10:30"], &["2023-05-13T00:00Z"]], ""),
    ];
    for (format, days, expected) in cases {
        let mut office = Office::new();
        office.dataset = super::fixture::dataset(200);
        office.options.notation.days = format.map(|format| format.parse().unwrap());
        let files = [("a.csv", days[0]), ("b.csv", days[1])];
        let files = files.map(|(name, days)| office.write(name, file(days)));
        let done = office.import_all(&files);
        if expected.is_empty() {
            assert_eq!(unfit(&done.unwrap()), 0, "{days:?}");
            continue;
        }
        let said = done.unwrap_err().to_string();
        assert!(said.contains(expected) && said.starts_with("`born`: "), "{days:?}: {said}");
        let office = office.accepting("born", 1.0).accepting("born:order", 1.0);
        office.accepting("born:notations", 1.0).import_all(&files).unwrap();
    }
}

#[test]
fn a_text_that_servers_do_not_read_for_its_length_is_not_read_from_a_file() {
    let office = Office::new().accepting("sex", 1.0).accepting("village", 1.0).accepting("person_id", 0.5);
    let blanks = " ".repeat(8_193);
    let content = format!("{HEADER}1,{blanks}F,1,1,,{blanks}\n2{blanks},F,1,1,,Tema\n");
    let report = office.import(&office.write("a.csv", content)).unwrap();
    assert_eq!(found(&report, "sex"), [(Finding::Unreadable, 1, vec![2])]);
    assert_eq!(found(&report, "village"), [(Finding::Unreadable, 1, vec![2])]);
    assert_eq!(found(&report, "person_id"), [(Finding::Missing, 1, vec![3])]);
    assert_eq!(column(&office, "sex"), [text(&format!("{blanks}F")), text("F")]);
    assert_eq!(column(&office, "person_id"), [text("1"), Value::Null]);
}

#[test]
fn one_and_one_with_a_blank_are_one_unit() {
    let office = Office::new();
    let content = format!("{HEADER}1,F,1,1,,a\n2,F,1,1,,a\n1 ,F,1,1,,a\n\u{a0}2\t,M,1,1,,a\n");
    let error = office.import(&office.write("a.csv", content)).unwrap_err();
    let ImportError::Repeated { units: 2, places, .. } = &error else { panic!("{error}") };
    assert_eq!(places.iter().map(|place| place.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
}

#[test]
fn a_last_row_that_is_no_units_is_refused_with_its_line() {
    let body = lines(0..30);
    let no_identifier = "line 32, the last row, has no identifier, which no other row is like";
    let unlike = "identifiers are unlike the others, without a digit or with a blank within, ";
    let no_digit = "line 32, the last row, has an identifier without a digit and fields without a value";
    let no_code = "`person_id`: 1 of 31 rows are a file's last, and have neither a code nor a day, or the sum of the numbers above \
        them, 3.23 % (line 32): remove them if they are totals or notes, or say --accept person_id=0.0323:last";
    for (what, content, expected) in [
        ("a blank identifier", format!("{body},,450,12345.5,,\n"), Some(no_identifier)),
        ("a word in some language", format!("{body}Celkem,,450,12345.5,,\n"), Some(no_digit)),
        ("a word and a sign", format!("{body}Total,-,450,12345.5,,\n"), Some(no_digit)),
        ("a word in capitals", format!("{body}TOTAL GENERAL,,,12345.5,2000-01-01,\n"), Some(no_digit)),
        (
            "a total and a note",
            format!("{body},,450,1,,\n,,,,,Source: census\n"),
            Some("line 33, the last row, has no identifier"),
        ),
        // Not a total by what stands beside it, and unlike the others all the same.
        ("an identifier without digits", format!("{body}ANNA,F,30,12.5,2000-01-01,Tema\n"), Some(unlike)),
        ("no number beside it", format!("{body}ANNA,,,,,\n"), Some(no_code)),
        ("others without digits", format!("ANNA,F,1,1,2000-01-01,a\n{body}BEA,,1,1,,\n"), None),
        (
            "others without identifier",
            format!(",F,1,1,2000-01-01,a\n{body},,450,1,,\n"),
            Some("`person_id`: 2 of 32 rows have no identifier, 6.25 % (lines 2, 33): add it"),
        ),
        ("a number of rows", format!("{body}31,,450,12345.5,,\n"), Some(no_code)),
        (
            "two totals",
            format!("{body}T1,,450,1,,\nT2,,15,1,,\n"),
            Some("1 of 32 rows are a file's last, and have neither a code nor a day"),
        ),
        ("a page's number", format!("{body}1/2,,,,,\n"), Some(no_code)),
        ("one of others without code and day", format!("G1,,1,1,,a\n{body}G2,,1,1,,\n"), None),
        ("a code beside it", format!("{body}G2,M,1,1,,\n"), None),
        ("in the midst", format!("{body}Total,,450,1,,\n{}", lines(30..31)), Some(unlike)),
    ] {
        let office = Office::new();
        let done = office.import(&office.write("a.csv", format!("{HEADER}{content}")));
        match (done, expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => {
                assert!(error.to_string().contains(expected), "{what}: {error}");
                assert!(office.is_tidy() && office.objects().is_empty(), "{what}");
            }
            (done, _) => panic!("{what}: {done:?}"),
        }
    }
    // A row without identifier counts for nobody, so it may be accepted.
    let office = Office::new().accepting("person_id", 0.04);
    office.import(&office.write("a.csv", format!("{HEADER}{body},,450,1,,\n"))).unwrap();
    // A person of whom nothing is known may be the last, and odd identifiers are accepted by themselves.
    let office = Office::new().accepting("person_id:last", 0.0323);
    let report = office.import(&office.write("a.csv", format!("{HEADER}{body}G31,,,1,,\n"))).unwrap();
    assert_eq!(found(&report, "person_id"), [(Finding::LastRow, 1, vec![32])]);
    let remembered = "SELECT column_name || ' ' || fault || ' ' || share FROM lango_accepted";
    let remembered = office.open().query_row(remembered, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(remembered, "person_id last 0.0323");
    let said = office
        .import(&office.write("b.csv", format!("{HEADER}{body}ANNA,F,1,1,2000-01-01,Tema\n")))
        .unwrap_err()
        .to_string();
    assert!(said.contains("1 of 31 identifiers are unlike the others"), "{said}");
}

#[test]
fn rows_of_nothing_but_delimiters_are_blank_lines() {
    let office = Office::new();
    let content = format!("{HEADER}{},,,,,\n{},,,,,\r\n\"\",,,,,\n", lines(0..2), lines(2..3));
    assert_eq!(office.import(&office.write("a.csv", content)).unwrap().rows, 3);
}

#[test]
fn identifiers_that_are_declared_as_numbers_are_not_rounded() {
    let mut office = Office::new().accepting("person_id", 1.0);
    office.dataset = super::fixture::dataset(2);
    let numbers = lango_privacy::Domain::integer(0, 100, 1).unwrap();
    office.dataset.columns.insert("person_id".parse().unwrap(), numbers.into());
    let content = format!("{HEADER}7.5,F,1,1,,\n8.5,F,1,1,,\n8.0,F,1,1,,\n");
    office.import(&office.write("a.csv", content)).unwrap();
    let bytes = |text: &str| Value::Blob(text.as_bytes().to_vec());
    assert_eq!(column(&office, "person_id"), [bytes("7.5"), bytes("8.5"), Value::Integer(8)]);
}

#[test]
fn a_header_in_the_midst_is_refused_with_its_line() {
    let office = Office::new();
    for header in [HEADER, " Person_ID ,SEX,\"age\",income,born,village\r\n"] {
        let content = format!("{HEADER}{}{header}{}", lines(0..3), lines(3..6));
        let error = office.import(&office.write("a.csv", content)).unwrap_err();
        assert!(
            matches!(error, ImportError::Row(RowError::HeaderAgain { line: 5, by_line: true })),
            "{error}"
        );
    }
    // One word of it is a value.
    let content = format!("{HEADER}{}person_id,F,1,1,2000-01-01,village\n{}", lines(0..3), lines(3..6));
    assert_eq!(office.import(&office.write("a.csv", content)).unwrap().rows, 7);
}

#[test]
fn a_column_may_have_another_name_in_the_file() {
    let rename = |from: &str, to: &str| Rename { from: from.into(), to: to.into() };
    let header = "Identifiant,Sexe,SEXE,age,Revenu=net,born,village\n";
    let body: String = lines(0..3).lines().map(|line| line.replacen(",F,", ",F,M,", 1) + "\n").collect();
    let content = format!("{header}{body}");
    let names = [("identifiant", "person_id"), ("SEXE", "sex"), ("Revenu=net", "income")];
    let right: Vec<Rename> = names.map(|(from, to)| rename(from, to)).into();
    let mut office = Office::new();
    office.options.renames = right.clone();
    let report = office.import(&office.write("a.csv", &content)).unwrap();
    assert_eq!((report.rows, report.left_out), (3, vec!["Sexe".to_owned()]));
    assert_eq!(column(&office, "sex"), ["M", "M", "M"].map(text));
    for (renames, expected) in [
        (vec![rename("genre", "sex")], "has no column `genre`"),
        (vec![rename("sexe", "sex")], "has more than one column `sexe`"),
        (
            vec![rename("Sexe", "gender")],
            "the policy declares no column `gender`: there is person_id, age, born",
        ),
        (vec![rename("Sexe", "sex"), rename("SEXE", "Sex")], "`SEXE=Sex`: a column is renamed once"),
        (vec![rename("Sexe", "sex"), rename("Sexe", "village")], "`Sexe=village`: a column is renamed once"),
        (vec![rename("age", "sex"), rename("sex", "age")], "`age=sex`: the names are exchanged in a circle"),
        (vec![rename("age", "age")], "`age=age`: the names are exchanged in a circle"),
        // The file has the policy's name too.
        (vec![rename("Sexe", "age")], "has more than one column `age`"),
    ] {
        let mut all = right.clone();
        all.retain(|other| renames.iter().all(|rename| !rename.to.eq_ignore_ascii_case(&other.to)));
        all.retain(|other| other.to != "sex");
        all.extend(renames);
        office.options.renames = all;
        let error = office.import(&office.path("a.csv")).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn the_message_says_what_to_do_of_days_and_markers_that_nothing_reads() {
    let days = |values: &[&str]| {
        let row = |(n, day): (usize, &&str)| format!("P{n},F,1,{n}.25,\"{day}\",Tema\n");
        HEADER.to_owned() + &values.iter().enumerate().map(row).collect::<String>()
    };
    let forms = "export the days as 2024-01-31";
    let missing = "name the words that stand for no value in the column's `missing`";
    for (content, expected) in [
        (days(&["31/12/23", "01/12/23"]), forms),
        (days(&["31-Dec-2023", "1-Jan-2023"]), forms),
        (days(&["31DEC2023", "01JAN2023"]), forms),
        (days(&["45321", "45322"]), forms),
        (days(&["20160422", "20160423"]), "\"%Y%m%d\" 20160422"),
        (days(&["7/4/2024", "31/4/2024"]), "\"%d/%m/%Y\" or \"%m/%d/%Y\" reads 7/4/2024"),
        (days(&["2024-01-31", "0000-00-00"]), missing),
        (incomes(&["1200.50", "NA"]).replace(';', ","), missing),
        (incomes(&["1200.50", ".."]).replace(';', ","), missing),
        (incomes(&["1200.50", "#N/A"]).replace(';', ","), missing),
        (incomes(&["1200.50", "NULL", "12,5"]).replace(';', ","), missing),
        (incomes(&["1200.50", "thirty"]).replace(';', ","), "correct the file or the policy"),
    ] {
        let office = Office::new();
        let said = office.import(&office.write("a.csv", &content)).unwrap_err().to_string();
        assert!(said.contains(expected), "{content}\n{said}");
    }
    let office = Office::new();
    let content = incomes(&["1200.50", "NULL", "12,5"]).replace(';', ",");
    let said = office.import(&office.write("a.csv", content)).unwrap_err().to_string();
    assert!(said.contains(&format!("say --decimal comma; {missing}, or say --accept")), "{said}");
}
