//! What files say of themselves before any policy exists.

use std::{fmt::Write as _, ops::ControlFlow, path::PathBuf};

use super::{
    fixture::{Office, gzip},
    parquet::persons,
};
use crate::{
    DecimalMark, Delimited, Delimiter, DescribedColumn, Encoding, FileDescription, FileFormat, ImportError,
    ImportEvent, ImportFile, Thousands, ValueShape,
};

fn described(files: &[PathBuf], change: impl Fn(&mut Delimited)) -> Result<FileDescription, ImportError> {
    let files = files.iter().map(|path| {
        let mut format = FileFormat::of(path)?;
        if let FileFormat::Delimited(delimited) = &mut format {
            change(delimited);
        }
        Ok(ImportFile { path: path.clone(), format })
    });
    FileDescription::of(&files.collect::<Result<Vec<_>, ImportError>>()?, &mut |_| ControlFlow::Continue(()))
}

fn of_text(text: impl AsRef<[u8]>) -> Result<FileDescription, ImportError> {
    let office = Office::new();
    described(&[office.write("a.csv", text)], |_| {})
}

fn column<'a>(file: &'a FileDescription, name: &str) -> &'a DescribedColumn {
    file.columns.iter().find(|column| column.name == name).unwrap()
}

/// A file of one column beside numbers of rows, each value on some rows.
fn valued(values: &[(&str, usize)]) -> FileDescription {
    let mut text = "n,value\n".to_owned();
    let mut n = 0;
    for (value, rows) in values {
        for _ in 0..*rows {
            n += 1;
            writeln!(text, "{n},\"{value}\"").unwrap();
        }
    }
    of_text(text).unwrap()
}

#[test]
fn the_shape_of_a_column_is_that_of_nearly_all_its_values() {
    let whole = |has_zeros_in_front| ValueShape::Whole { has_zeros_in_front };
    let day = |has_times| ValueShape::Day { has_times };
    for (values, shape, others) in [
        (&[("1", 1), ("-7", 3), (" 30 ", 1)][..], whole(false), 0),
        (&[("01", 3), ("12", 1)], whole(true), 0),
        (&[("34.0", 3), ("12", 1)], whole(false), 0),
        (&[("1.5", 3), ("2.125", 1), ("7", 1)], ValueShape::Decimal { decimals: 3 }, 0),
        (&[("1.5", 97), ("some", 3)], ValueShape::Decimal { decimals: 1 }, 3),
        (&[("1.5", 90), ("some", 10)], ValueShape::Text, 0),
        (&[("1.5", 1), ("NA", 50), ("unknown", 30)], ValueShape::Decimal { decimals: 1 }, 0),
        (&[("2023-01-31", 2), ("", 5)], day(false), 0),
        (&[("2023-01-31T12:30", 2)], day(true), 0),
        (&[("31/12/2023", 99), ("99/99/2023", 1)], day(false), 1),
        (&[("20231231", 19)], whole(false), 0),
        (&[("20231231", 20)], day(false), 0),
        (&[("20231231", 20), ("20231232", 1)], whole(false), 0),
        (&[("108", 9_000), ("108,110", 3)], whole(false), 3),
        (&[("true", 2), ("False", 1)], ValueShape::Truth, 0),
        (&[("F", 2), ("M", 1)], ValueShape::Text, 0),
        (&[("", 2), ("\u{a0}", 1)], ValueShape::Nothing, 0),
        (&[("NA", 2)], ValueShape::Nothing, 0),
        (&[("12345678901234567890", 2)], ValueShape::Text, 0),
    ] {
        let file = valued(values);
        let column = column(&file, "value");
        assert_eq!((column.shape, column.others), (shape, others), "{values:?}");
    }
}

#[test]
fn a_value_leaves_only_where_it_stands_on_twenty_rows() {
    let file = valued(&[("Accra", 20), ("Tema", 19), ("Ho", 21), ("NA", 19), ("?", 20), ("", 3)]);
    let found = column(&file, "value");
    assert_eq!(found.values.shown(), [("?", 20), ("Accra", 20), ("Ho", 21)]);
    assert_eq!((found.values.count(), found.blank), (Ok(5), 3));
    assert_eq!(found.missing, [("?".to_owned(), 20)]);
    assert_eq!(found.values.among(|text| text != "?"), Some((4, 79)));
    let printed = format!("{file:?}");
    assert!(!printed.contains("Tema") && !printed.contains("Accra"), "{printed}");

    // Numbers of nines that stand apart, in whatever notation.
    let ages: Vec<String> = (0..98).map(|age| age.to_string()).collect();
    let mut values: Vec<(&str, usize)> = ages.iter().map(|age| (age.as_str(), 1)).collect();
    values.extend([("99", 25), ("999", 21), ("999.0", 4), ("9999", 19), ("-1", 30)]);
    let file = valued(&values);
    assert_eq!(column(&file, "value").missing, [("-1".to_owned(), 30), ("999".to_owned(), 25)]);
}

#[test]
fn distinct_values_are_counted_up_to_a_bound() {
    let mut text = "id,few,many,long\n".to_owned();
    for n in 0..1_500 {
        writeln!(text, "p{n},{},{},{}", n % 1_000, n % 1_001, "x".repeat(300 + n % 3)).unwrap();
    }
    let file = of_text(&text).unwrap();
    let counts: Vec<_> = file.columns.iter().map(|column| column.values.count()).collect();
    assert_eq!(counts, [Err(1_000), Ok(1_000), Err(1_000), Ok(3)]);
    assert_eq!(
        file.columns.iter().map(|column| column.unique).collect::<Vec<_>>(),
        [Some(1), None, None, None]
    );
    assert_eq!(file.columns[3].values.shown(), [], "what is too long to be a code");
    assert_eq!(file.columns[0].values.among(|_| true), None);
}

#[test]
fn one_notation_is_found_for_the_whole_file() {
    use DecimalMark::{Comma, Point};
    let day = |text: &str| vec![text.parse().unwrap()];
    for (header, row, marks, days, apart) in [
        ("a;b", "1,5;2.000", vec![(Comma, Some(Thousands::Point))], vec![], &[][..]),
        ("a;b", "1,5;30", vec![(Comma, None)], vec![], &[]),
        ("a;b", "1;30", vec![(Point, None)], vec![], &[]),
        ("a;b", "1,500;F", vec![(Comma, None), (Point, Some(Thousands::Comma))], vec![], &[]),
        ("a;b", "1.500;500", vec![(Point, None), (Comma, Some(Thousands::Point))], vec![], &[]),
        ("a;b", "1e5;-7", vec![(Point, None)], vec![], &[]),
        ("a;b", "1985010012345600000;1'200", vec![(Point, Some(Thousands::Apostrophe))], vec![], &[]),
        ("a;b", "2.5;1,5", vec![(Point, None)], vec![], &["b"]),
        ("a;b;c", "1.25;7.5;2,5", vec![(Point, None)], vec![], &["c"]),
        ("a;b", "31/12/2023;1.5", vec![(Point, None)], day("%d/%m/%Y"), &[]),
        ("a;b", "1/2/2023;12/31/2023", vec![(Point, None)], day("%m/%d/%Y"), &[]),
        ("a;b", "1/2/2023;2023-12-31", vec![(Point, None)], [day("%d/%m/%Y"), day("%m/%d/%Y")].concat(), &[]),
        ("a;b;c", "1.2.2023;13.1.2023;13/2/2023", vec![(Point, None)], day("%d.%m.%Y"), &["c"]),
        ("a;b", "2023-01-02;2023-12-31", vec![(Point, None)], vec![], &[]),
    ] {
        let office = Office::new();
        let file = office.write("a.csv", format!("{header}\n{row}\n"));
        let found = described(&[file], |delimited| delimited.delimiter = Delimiter::Said(b';')).unwrap();
        assert_eq!((found.notation.marks, found.notation.days), (marks, days), "{row}");
        assert_eq!(found.notation.apart, apart, "{row}");
    }
}

#[test]
fn what_the_file_cannot_say_of_numbers_and_days_is_said_of_columns() {
    let mut text = "id;income;rate;arrived;left\n".to_owned();
    for n in 0..60 {
        let arrived = if n % 2 == 0 { format!("2023-{:02}-07", 1 + n % 12) } else { "31/07/2023".to_owned() };
        let id = if n < 3 { "NULL".to_owned() } else { n.to_string() };
        writeln!(text, "{id};{}.{:03};{n}5;{arrived};1/2/2023", 1 + n % 2, 500 + n).unwrap();
    }
    let office = Office::new();
    let read = |text: &str| {
        let file = office.write("a.csv", text);
        described(&[file], |delimited| delimited.delimiter = Delimiter::Said(b';')).unwrap()
    };
    let file = read(&text);
    let likely = |file: &FileDescription| {
        file.columns.iter().map(|column| column.likely_thousands).collect::<Vec<_>>()
    };
    assert_eq!(likely(&file), [false, true, false, false, false]);
    assert_eq!(file.notation.mixed_days, ["arrived"]);
    assert_eq!((column(&file, "id").word_rows, column(&file, "id").missing.len()), (3, 0));
    // Another column says it.
    let file = read(&text.replace("5;31/07/2023", "5.5;31/07/2023"));
    assert_eq!(likely(&file), [false; 5]);
}

#[test]
fn about_how_many_values_there_are_is_known_where_they_are_many() {
    let text: String = (0..40_000).map(|n| format!("{n},{},{}\n", n / 2, n % 7)).collect();
    let file = of_text(format!("a,b,c\n{text}")).unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| column(&file, name).values.about());
    // Five standard errors.
    assert!((27_000..53_000).contains(&a) && (13_500..26_500).contains(&b) && c == 7, "{a} {b} {c}");
}

#[test]
fn several_files_are_one_table_whatever_their_format() {
    let office = Office::new();
    let one = office.write("one.csv", "id,sex\n1,F\n2,M\n");
    let two = office.write("two.csv.gz", gzip(b"SEX ,id\nF,3\n"));
    let three = office.write("three.tsv", "id\tsex\r\n2\tF");
    let both = described(&[one.clone(), two.clone()], |_| {}).unwrap();
    assert_eq!((both.rows, column(&both, "id").unique), (3, Some(1)));
    assert_eq!(column(&both, "sex").values.among(|text| text == "F"), Some((1, 2)));
    let all = described(&[one.clone(), two, three], |_| {}).unwrap();
    assert_eq!((all.rows, column(&all, "id").unique), (4, None));
    let other = office.write("other.csv", "id,age\n1,7\n");
    for (files, expected) in [
        (vec![one.clone(), one.clone()], "is named twice"),
        (vec![one.clone(), other], "do not have the same columns"),
        (vec![one.clone(), office.path("none.csv")], "none.csv: No such file"),
        (vec![one, office.write("cut.csv", "id,sex\n1\n")], "cut.csv: line 2: 1 fields where"),
    ] {
        let error = described(&files, |_| {}).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_parquet_file_is_described_by_its_values() {
    let office = Office::new();
    let path = office.path("a.parquet");
    persons(&path, 0..10_000);
    let mut seen = Vec::new();
    let files = [ImportFile { path: path.clone(), format: FileFormat::Parquet }];
    let found = FileDescription::of(&files, &mut |event| {
        seen.push(event);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(found.rows, 10_000);
    let id = column(&found, "person_id");
    assert_eq!((id.unique, id.values.count()), (Some(1), Err(1_000)));
    let shape = |name: &str| column(&found, name).shape;
    assert_eq!(shape("born"), ValueShape::Day { has_times: false });
    assert_eq!(shape("age"), ValueShape::Whole { has_zeros_in_front: false });
    let half = |event: &ImportEvent| matches!(event, ImportEvent::Read { bytes, of, rows: 8_192 } if bytes * 10 > of * 8);
    assert!(seen.iter().any(half), "{seen:?}");
    let stopped = FileDescription::of(&files, &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(ImportError::Stopped)), "{stopped:?}");

    // Any byte of it may be another.
    let bytes = std::fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 60) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        drop(described(&[office.write("damaged.parquet", damaged)], |_| {}));
    }
}

#[test]
fn what_is_no_header_shows_nothing_and_says_what_to_do() {
    for (text, expected) in [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("id;sex;age\n1;F;30\n", "a.csv names no columns: say --delimiter ';'"),
        ("id;land;income\np1;GHA;1001,50\np2;BEN;2,5\n", "names no columns: say --delimiter ';'"),
        ("Residents\nid;land;income\np1;GHA;1001,50\np2;BEN;2,5\n", "say --skip-lines 1 --delimiter ';'"),
        ("id|sex\n1|F\n", "names no columns: say --delimiter '|'"),
        ("id\n1\n2\n", "names no columns: its header is one field; if that is a title, say --skip-lines 1"),
        ("Residents of Ghana\nid,sex\n1,F\n", "for line 2 names the columns: say --skip-lines 1"),
        ("Residents, by sex\n\nid,sex,age\n1,F,30\n", "for line 3 names the columns: say --skip-lines 2"),
        ("Residents;;;\nid;sex;age;x\n1;F;30;\n", "say --skip-lines 1 --delimiter ';'"),
        ("Residents,,,\nid,sex,age,x\n1,F,30,\n", "for line 2 names the columns: say --skip-lines 1"),
        ("0017,Ama,F\n0018,Kofi,M\n", "names no columns: write the columns' names above the rows"),
        ("Ama,F,1990-01-31\nKofi,M,1991-01-31\n", "names no columns: write the columns' names above"),
        ("id,sex\n1,F\n1,F,x\n", "line 3: more fields than the 2 of the header"),
        ("id,sex,age\n1,F\n", "line 2: 2 fields where the header has 3"),
        ("id,sex\n1,F\nid,sex\n2,F\n", "line 3 names the columns once more"),
        ("id,sex\n1,\"F\n2,M\n", "line 2: the row that begins here has a quote that is not closed"),
    ] {
        let error = of_text(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
        for value in ["Ama", "0017", "1990"] {
            assert!(!error.contains(value), "{error}");
        }
    }
    let office = Office::new();
    let latin = office.write("a.csv", b"id,land\n1,C\xf4te d'Ivoire\n");
    let error = described(std::slice::from_ref(&latin), |_| {}).unwrap_err().to_string();
    assert!(error.starts_with("line 2: not in UTF-8; export it in UTF-8, or say what it is in: "), "{error}");
    let windows = Encoding::named("windows-1252").unwrap();
    assert_eq!(described(&[latin], |delimited| delimited.encoding = windows).unwrap().rows, 1);
    let long = office.write("long.csv", format!("id,sex\n1,{}\n", "x".repeat(10 << 20)));
    let error = described(&[long], |_| {}).unwrap_err().to_string();
    assert!(error.contains("line 2: the row that begins here holds more than 1048576 bytes"), "{error}");
}

#[test]
fn odd_files_are_read_as_an_import_reads_them() {
    let utf_16 =
        |text: &str| [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    let office = Office::new();
    for (name, content, encoding, rows) in [
        ("none.csv", b"id,sex".to_vec(), "utf-8", 0),
        ("no-end.csv", b"id,sex\n1,F".to_vec(), "utf-8", 1),
        ("returns.csv", b"id,sex\r1,F\r2,M\r".to_vec(), "utf-8", 2),
        ("mark.csv", b"\xef\xbb\xbfid,sex\n1,F\n".to_vec(), "utf-8", 1),
        ("sep.csv", b"sep=;\nid;sex\n1;F\n".to_vec(), "utf-8", 1),
        ("below.csv", b"id,sex\n1,F\n,\n\n".to_vec(), "utf-8", 1),
        ("wide.csv", utf_16("id,sex\n1,\u{e9}\n"), "utf-16le", 1),
        ("packed.csv.zst", zstd::encode_all(&b"id,sex\n1,F\n"[..], 1).unwrap(), "utf-8", 1),
        ("trailing.csv", b"id,sex,,\n1,F,,\n".to_vec(), "utf-8", 1),
    ] {
        let file = office.write(name, content);
        let encoding = Encoding::named(encoding).unwrap();
        let found = described(&[file], |delimited| delimited.encoding = encoding).unwrap();
        assert_eq!((found.rows, found.columns[0].name.as_str()), (rows, "id"), "{name}");
        assert_eq!(found.columns[0].unique, (rows > 0).then_some(1), "{name}");
    }
    let names: Vec<String> = (0..2_000).map(|n| format!("c{n}")).collect();
    let row: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
    let text = format!("{}\n{}", names.join(","), format!("{}\n", row.join(",")).repeat(70));
    let found = of_text(text).unwrap();
    assert_eq!((found.rows, found.columns.len()), (70, 2_000));
    let twice = of_text("id,sex,Sex \n1,F,F\n").unwrap();
    assert_eq!(twice.columns.iter().map(|column| column.is_twice).collect::<Vec<_>>(), [false, true, true]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_described_or_refused(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        text in "[-0-9a,;.\"'/ \r\n\tNé\u{a0}]{0,120}",
    ) {
        let office = Office::new();
        for content in [bytes, text.clone().into_bytes(), format!("id,sex\n{text}").into_bytes()] {
            for name in ["a.csv", "a.tsv", "a.csv.gz", "a.csv.zst", "a.parquet"] {
                let found = described(&[office.write(name, &content)], |_| {});
                assert!(!matches!(found, Err(ImportError::ReaderFailed(_))), "{name} {content:?}");
            }
            for encoding in ["utf-16le", "windows-1252", "shift_jis"] {
                let encoding = Encoding::named(encoding).unwrap();
                let found = described(&[office.write("a.csv", &content)], |delimited| delimited.encoding = encoding);
                assert!(!matches!(found, Err(ImportError::ReaderFailed(_))), "{encoding:?} {content:?}");
            }
        }
    }
}

#[test]
fn where_a_unit_has_several_rows_a_value_is_shown_that_stands_for_twenty_of_them() {
    let office = Office::new();
    let row = |n: usize, unit: usize, village: &str, note: &str| format!("{n},P{unit},{village},{note}\n");
    let rows: String = (0..1_000)
        .map(|n| match n % 4 {
            // One person's alone, nineteen persons', twenty persons', and all persons'.
            0 => row(n, 7, "Tema", "NA"),
            1 => row(n, n / 4 % 19, "Ho", "unknown"),
            2 => row(n, 100 + n / 4 % 20, "Wa", "x"),
            _ => row(n, n, "Accra", "x"),
        })
        .collect();
    // A row without a unit is no unit's.
    let rows = rows + &"1,,Keta,x\n".repeat(40);
    let files = [office.write("a.csv", format!("row,person_id,village,note\n{rows}"))]
        .map(|path| ImportFile { format: FileFormat::of(&path).unwrap(), path });
    let mut file = FileDescription::of(&files, &mut |_| ControlFlow::Continue(())).unwrap();
    let shown = |file: &FileDescription, name: &str| {
        let column = column(file, name);
        let missing = column.missing.iter().map(|(word, _)| word.clone());
        column.values.shown().iter().map(|(text, _)| (*text).to_owned()).chain(missing).collect::<Vec<_>>()
    };
    assert_eq!(shown(&file, "village"), ["Accra", "Ho", "Keta", "Tema", "Wa"]);
    assert_eq!(shown(&file, "note"), ["NA", "unknown", "x", "NA", "unknown"]);
    file.count_units(&files, "person_id", &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(file.counted_by.as_deref(), Some("person_id"));
    assert_eq!(
        (shown(&file, "village"), shown(&file, "note")),
        (vec!["Accra".into(), "Wa".into()], vec!["x".into()])
    );
    // How many values there are is no other number.
    assert_eq!(column(&file, "village").values.count(), Ok(5));
}

#[test]
fn a_file_of_very_many_columns_is_described_in_its_own_order() {
    let office = Office::new();
    let names: Vec<String> = (0..32_000).map(|n| format!("c{n}")).collect();
    let values = |from: usize| (from..from + 32_000).map(|n| format!("{n}x")).collect::<Vec<_>>();
    let write = |name: &str, names: &[String], rows: &[Vec<String>]| {
        let rows: String = rows.iter().map(|row| row.join(",") + "\n").collect();
        office.write(name, names.join(",") + "\n" + &rows)
    };
    let reversed = |values: &[String]| values.iter().rev().cloned().collect::<Vec<_>>();
    let files = [
        write("a.csv", &names, &[values(0), values(7)]),
        write("b.csv", &reversed(&names), &[reversed(&values(14))]),
    ];
    let file = described(&files, |_| ()).unwrap();
    assert_eq!((file.rows, file.columns.len()), (3, 32_000));
    for (at, column) in file.columns.iter().enumerate() {
        assert_eq!((&column.name, column.unique, column.is_twice), (&names[at], Some(1), false));
    }
}
