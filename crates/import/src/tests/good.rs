//! Files that can be read, in all their shapes.

use rusqlite::types::Value;

use super::fixture::{HEADER, Office, dataset, found, gzip, lines, text, unfit};
use crate::{Delimiter, Encoding, Finding, UnitKey};

#[test]
fn every_packing_and_spelling_of_a_file_gives_the_same_rows() {
    let content = format!("{HEADER}{}", lines(0..3));
    let expected = |n: i64| {
        let (village, born) = (text("Tema"), text("2000-01-01"));
        let (age, income) = (Value::Integer(n), Value::Integer(100 * n + 25));
        vec![text(&format!("GHA{n}")), age, born, income, text("F"), village]
    };
    let expected: Vec<_> = (0..3).map(expected).collect();
    let (head, tail) = content.split_at(50);
    let members = [gzip(head.as_bytes()), gzip(tail.as_bytes())].concat();
    let quoted =
        content.lines().map(|line| format!("\"{}\"\r\n", line.replace(',', "\",\""))).collect::<String>();
    for (what, name, content) in [
        ("plain", "a.csv", content.clone().into_bytes()),
        ("tabs", "a.tsv", content.replace(',', "\t").into_bytes()),
        ("a capital name", "A.CSV", content.clone().into_bytes()),
        ("gzip", "a.csv.gz", gzip(content.as_bytes())),
        ("gzip in members", "b.csv.gz", members),
        ("zstd", "a.tsv.zst", zstd::encode_all(content.replace(',', "\t").as_bytes(), 1).unwrap()),
        ("a byte order mark", "bom.csv", format!("\u{feff}{content}").into_bytes()),
        ("CRLF", "crlf.csv", content.replace('\n', "\r\n").into_bytes()),
        ("CR", "cr.csv", content.replace('\n', "\r").into_bytes()),
        (
            "a line for spreadsheets",
            "sep.csv",
            format!("sep=;\r\n{}", content.replace(',', ";")).into_bytes(),
        ),
        (
            "the same with capitals and quotes",
            "sep2.csv",
            format!("\"SEP=|\"\r{}", content.replace(',', "|").replace('\n', "\r")).into_bytes(),
        ),
        ("a tab by its name", "sep3.csv", format!("sep=\\t\n{}", content.replace(',', "\t")).into_bytes()),
        ("the usual delimiter said", "sep4.csv", format!("\u{feff}sep=,\n{content}").into_bytes()),
        (
            "blanks around values",
            "blanks.csv",
            content.replace(",F,", ", F\t,").replace("GHA0,", "GHA0\u{a0} ,").into_bytes(),
        ),
        ("no last line break", "last.csv", content.trim_end().into()),
        ("blank lines", "blank.csv", content.replace('\n', "\n\r\n\n").into_bytes()),
        ("quotes everywhere", "quoted.csv", quoted.into_bytes()),
        ("other letters", "case.csv", content.replace("person_id,sex", " PERSON_ID , Sex").into_bytes()),
        (
            "more columns",
            "more.csv",
            content.lines().map(|line| format!("x,{line},x\n")).collect::<String>().into(),
        ),
    ] {
        let office = Office::new();
        let report =
            office.import(&office.write(name, content)).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(
            (report.rows, report.key, office.rows()),
            (3, Some(UnitKey::Unique), expected.clone()),
            "{what}"
        );
        assert_eq!(unfit(&report), 0, "{what}");
        assert!(office.is_tidy(), "{what}");
    }
}

#[test]
fn a_delimiter_and_an_encoding_may_be_given() {
    for (encoding, name, bytes) in [
        ("latin-1", "windows-1252", &b"Cal\xe9"[..]),
        ("windows-1252", "windows-1252", b"Cal\xe9"),
        ("utf-8", "UTF-8", b"Cal\xc3\xa9"),
        ("IBM866", "IBM866", b"Cal\xa5"),
    ] {
        let office = Office::new();
        let content = format!("{HEADER}{}", lines(0..1)).replace(',', ";").replace("Tema", "<>");
        let at = content.find("<>").unwrap();
        let content = [&content.as_bytes()[..at], bytes, &content.as_bytes()[at + 2..]].concat();
        let encoding = Encoding::named(encoding).unwrap();
        assert_eq!(encoding.name(), name);
        let said = |delimited: &mut crate::Delimited| {
            (delimited.delimiter, delimited.encoding) = (Delimiter::Said(b';'), encoding);
        };
        office.import_text(&office.write("a.csv", content), said).unwrap();
        let village = if name == "IBM866" { "Calе" } else { "Calé" };
        assert_eq!(office.rows()[0][5], text(village), "{name}");
    }
    let office = Office::new();
    let content = format!("\u{feff}{HEADER}{}", lines(0..20_000));
    let utf_16: Vec<u8> = content.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(office.import_in(&office.write("a.csv", utf_16), "utf-16le").unwrap().rows, 20_000);
    assert_eq!(Encoding::named("esperanto"), None);
}

#[test]
fn a_file_in_any_encoding_ends_with_a_line_break_or_without() {
    let content = format!("{HEADER}{}", lines(0..3));
    for encoding in ["latin-1", "windows-1252", "iso-8859-15", "utf-16le", "IBM866", "shift_jis"] {
        for end in ["\n", "\r\n", ""] {
            let content = format!("{}{end}", content.trim_end());
            let bytes = match encoding {
                "utf-16le" => content.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                _ => content.into_bytes(),
            };
            let office = Office::new();
            let report = office.import_in(&office.write("a.csv", bytes), encoding);
            assert_eq!(report.unwrap().rows, 3, "{encoding} {end:?}");
            assert_eq!(office.rows().len(), 3, "{encoding} {end:?}");
        }
    }
}

#[test]
fn values_are_kept_as_they_stand_and_reported_by_line_where_they_do_not_read() {
    let mut office = Office::new();
    for column in ["person_id", "age", "born", "born:notations", "income", "income:thousands", "sex"] {
        office = office.accepting(column, 1.0);
    }
    let mut content = HEADER.to_owned();
    content += "007,F,34.0,12,2000-02-29,\"Tema \"\"New\"\" Town,\nsouth\"\n";
    content += ",M,thirty,1 e5,01.02.2000,  \n";
    content += "008,x,1e2,1.235,2000-02-30,Accra\n";
    content += "009, F ,NaN,7e5,1899-12-31 00:00,Accra\n";
    for line in 0..12 {
        content += &format!("U{line},F,1;2,3,2000-01-01,Accra\n");
    }
    let report = office.import(&office.write("a.csv", content)).unwrap();
    let rows = office.rows();
    let bytes = |text: &str| Value::Blob(text.as_bytes().to_vec());
    assert_eq!(
        rows[..4],
        [
            vec![
                text("007"),
                Value::Integer(34),
                text("2000-02-29"),
                Value::Integer(1_200),
                text("F"),
                text("Tema \"New\" Town,\nsouth")
            ],
            vec![Value::Null, bytes("thirty"), text("01.02.2000"), bytes("1 e5"), text("M"), Value::Null],
            vec![
                text("008"),
                Value::Integer(100),
                text("2000-02-30"),
                Value::Integer(124),
                text("x"),
                text("Accra")
            ],
            vec![
                text("009"),
                Value::Null,
                text("1899-12-31"),
                Value::Integer(70_000_000),
                text("F"),
                text("Accra")
            ],
        ]
    );
    // The first row holds a line break, so the second begins on line 4.
    for (column, expected) in [
        ("person_id", vec![(Finding::Missing, 1, vec![4])]),
        (
            "age",
            vec![
                (Finding::Missing, 1, vec![6]),
                (Finding::Unreadable, 13, vec![4, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
            ],
        ),
        (
            "born",
            vec![
                (Finding::DayOrder, 1, vec![4]),
                (Finding::Unreadable, 1, vec![5]),
                (Finding::OutsidePeriod, 1, vec![6]),
            ],
        ),
        (
            "income",
            vec![
                (Finding::Unreadable, 1, vec![4]),
                (Finding::Above, 1, vec![6]),
                (Finding::RoundedNumber, 1, vec![5]),
            ],
        ),
        ("sex", vec![(Finding::Undeclared, 1, vec![5])]),
        ("village", vec![(Finding::Missing, 1, vec![4])]),
    ] {
        assert_eq!(found(&report, column), expected, "{column}");
    }
}

#[test]
fn the_unit_is_a_key_where_the_policy_says_one_row() {
    let repeated = format!("{}{}{}", lines(0..3), lines(1..4), lines(1..2));
    let missing = format!("{},F,1,1,,\n  ,F,1,1,,\n", lines(0..2));
    for (rows_at_most, body, expected) in [
        (1, lines(0..5), UnitKey::Unique),
        (1, missing, UnitKey::Unique),
        (3, repeated, UnitKey::NotWanted),
        (3, lines(0..5), UnitKey::NotWanted),
    ] {
        let mut office = Office::new().accepting("person_id", 0.5);
        office.dataset = dataset(rows_at_most);
        let report = office.import(&office.write("a.csv", format!("{HEADER}{body}"))).unwrap();
        assert_eq!(report.key, Some(expected));
        let sql = "SELECT count(*) FROM pragma_index_list('residents') WHERE \"unique\" = 1 AND partial = 0";
        let keys: i64 = office.open().query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(keys, i64::from(expected == UnitKey::Unique));
        assert_eq!(report.rows, office.rows().len() as u64);
    }
}

#[test]
fn what_is_not_declared_is_left_out_and_named() {
    let office = Office::new();
    let content = "name,person_id,sex,age,income,born,village,name\nKofi,1,M,2,3,2000-01-01,Tema,Mensah\n";
    let report = office.import(&office.write("a.csv", content)).unwrap();
    assert_eq!(report.left_out, ["name", "name"]);
    assert_eq!(office.rows().len(), 1);
    let columns: Vec<_> =
        report.columns.iter().map(|column| (column.name.as_str(), column.type_name)).collect();
    let expected = [
        ("person_id", "text"),
        ("age", "whole number"),
        ("born", "day"),
        ("income", "amount"),
        ("sex", "text"),
        ("village", "text"),
    ];
    assert_eq!(columns, expected);
}
