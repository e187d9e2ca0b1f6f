//! Files that cannot be read: each is named with what to do, and nothing is imported.

use super::fixture::{HEADER, Office, gzip, lines};
use crate::{FileFormat, ImportError, RowError};

/// Imports over a table that is there, which must be there afterwards.
fn refused(name: &str, content: impl AsRef<[u8]>) -> String {
    let office = Office::new();
    office.import(&office.write("old.csv", format!("{HEADER}{}", lines(7..9)))).unwrap();
    let before = (office.rows(), office.objects());
    let error = office.import(&office.write(name, content)).unwrap_err();
    assert_eq!((office.rows(), office.objects()), before, "{name}");
    assert!(office.is_tidy(), "{name}");
    let said = error.to_string();
    assert!(!said.contains("GHA1"), "an identifier stands in `{said}`");
    said.replace(&office.path("").display().to_string(), "")
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_line_and_what_to_do() {
    let right = format!("{HEADER}{}", lines(0..3));
    let latin =
        [HEADER.as_bytes(), b"GHA1,F,1,1,2000-01-01,Tema\n\nGHA2,F,1,1,2000-01-01,Cal\xe9\n"].concat();
    // Each field is wrong by itself, and both together would be one letter.
    let split = [HEADER.as_bytes(), b"GHA1,F,1,1,\xc3,\xa9\n"].concat();
    let long = format!("{right}GHA4,F,1,1,2000-01-01,{}\n", "x".repeat(10 << 20));
    let swallowing = format!("{right}GHA4,F,1,1,2000-01-01,\"Tema\n{}", lines(5..100_000));
    let unclosed = format!("{right}GHA4,F,1,1,2000-01-01,\"Tema\n");
    let zipped = gzip(format!("{HEADER}{}", lines(0..50_000)).as_bytes());
    let utf_16: Vec<u8> = format!("\u{feff}{right}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let framed = zstd::encode_all(right.as_bytes(), 1).unwrap();
    for (name, content, expected) in [
        ("empty.csv", Vec::new(), "empty.csv is empty"),
        ("blank.csv", b"\n\r\n".to_vec(), "blank.csv is empty"),
        ("header.csv", HEADER.into(), "header.csv holds a header and no row"),
        (
            "lacks.csv",
            right.replace("village", "vilage").into(),
            "lacks.csv has no column `village`: did it mean `vilage`?",
        ),
        (
            "strange.csv",
            right.replace("village", "q").into(),
            "has no column `village`: its first line names the columns",
        ),
        ("rows.csv", lines(0..3).into(), "has no column `person_id`: its first line names"),
        ("semicolons.csv", right.replace(',', ";").into(), "say --delimiter ';'"),
        (
            "twice.csv",
            right.replace("age", "Age").replace("sex", "AGE").into(),
            "has more than one column `age`",
        ),
        (
            "twice.csv",
            format!("Sex,{}", right.replace("sex", "SEX").replace('\n', "\nF,")).into(),
            "has more than one column `sex`",
        ),
        ("few.csv", format!("{right}GHA4,F\n").into(), "line 5: 2 fields where the header has 6"),
        (
            "shifted.csv",
            format!("{}GHA4,F,1,1,50,2000-01-01,Tema\n", right.replace('\n', ",\n")).into(),
            "line 5: a value stands behind the header's last name",
        ),
        (
            "quoted.csv",
            format!("{right}GHA4,F,1,1,2000-01-01,\"Rue 12\nGHA5,F,1,1,2000-01-01,Rue 12\"\n").into(),
            "line 5: a field between quotes goes on over several lines that read as rows",
        ),
        (
            "many.csv",
            right.replace("Tema", "Tema,south").into(),
            "line 2: more fields than the 6 of the header",
        ),
        (
            "latin.csv",
            latin,
            "line 4: not in UTF-8; export it in UTF-8, or say what it is in: --encoding latin-1 (of Windows)",
        ),
        ("split.csv", split, "line 2: not in UTF-8"),
        ("long.csv", long.into(), "line 5: the row that begins here holds more than 1048576 bytes"),
        ("swallow.csv", swallowing.into(), "line 5: the row that begins here holds more than 1048576 bytes"),
        ("unclosed.csv", unclosed.into(), "line 5: the row that begins here has a quote that is not closed"),
        (
            "quotes.csv",
            right.replace("Tema", "\"inch pipe").replacen("2000", "\"Chez Ama", 1).into(),
            "line 2: text follows the quote that ends a field",
        ),
        (
            "escaped.csv",
            format!("{right}GHA4,F,1,1,2000-01-01,\"size 12\\\"\"\nGHA5,F,1,1,2000-01-01,\"5\\\"\"\n").into(),
            "line 5: text follows the quote that ends a field",
        ),
        (
            "whole.csv",
            format!("{right}GHA4,F,1,1,2000-01-01,\"Tema\n{}GHA9,F,1,1,2000-01-01,Accra\"\n", lines(5..8))
                .into(),
            "line 5: a field between quotes goes on over several lines that read as rows",
        ),
        ("cut.csv.gz", zipped[..zipped.len() / 2].to_vec(), "the gzip data is damaged, cut short"),
        ("trail.csv.gz", [&zipped[..], b"garbage"].concat(), "followed by something else"),
        ("cut.csv.zst", framed[..framed.len() - 3].to_vec(), "the zstd data is damaged, cut short"),
        ("trail.csv.zst", [&framed[..], b"garbage"].concat(), "the zstd data is damaged"),
        (
            "zip.csv",
            zipped.clone(),
            "is said to be text in UTF-8 and is gzip: give it a name that ends in .gz",
        ),
        ("twice.csv.gz", gzip(&zipped), "is gzip"),
        ("plain.csv.gz", right.clone().into(), "is said to be gzip and is not compressed so"),
        ("sheet.csv", b"PK\x03\x04...".to_vec(), "a zip archive or a spreadsheet: export it as CSV"),
        ("base.csv", b"SQLite format 3\0...".to_vec(), "is an SQLite file"),
        ("columns.csv", b"PAR1....PAR1".to_vec(), "say --file-format parquet"),
        ("wide.csv", utf_16, "say --encoding utf-16le"),
        ("wider.csv", b"\xff\xfe\0\0p\0\0\0".to_vec(), "and is text in UTF-32: export it in UTF-8"),
        ("wider-be.csv", b"\0\0\xfe\xff\0\0\0p".to_vec(), "and is text in UTF-32: export it in UTF-8"),
        ("nul.csv", b"p\0e\0r\0".to_vec(), "is no such text"),
        ("text.parquet", right.clone().into(), "is said to be Parquet and is something else"),
        ("short.parquet", b"PAR1".to_vec(), "short.parquet is damaged, cut short"),
        ("wrong.parquet", b"PAR1xxxxxxxxxxxx\x08\0\0\0PAR1".to_vec(), "wrong.parquet is damaged, cut short"),
        ("register.xlsx", right.into(), "does not say what it holds"),
    ] {
        let said = refused(name, content);
        assert!(said.contains(expected), "{name}: `{said}` does not say `{expected}`");
    }
}

#[test]
fn a_byte_that_is_wrong_in_another_encoding_is_found_on_its_line() {
    let office = Office::new();
    // Half a letter of two bytes, in the middle of a file that is otherwise right.
    let content = [HEADER, &lines(0..30_000)].concat();
    let wrong = [content.as_bytes(), b"GHA,F,1,1,,\x81\n", lines(30_000..30_100).as_bytes()].concat();
    let error = office.import_in(&office.write("a.csv", wrong), "shift_jis").unwrap_err();
    assert!(
        matches!(error, ImportError::Row(RowError::NotEncoded { line: 30_002, encoding: "Shift_JIS", .. })),
        "{error}"
    );
    let utf_8 = office.write("b.csv", format!("\u{feff}{content}"));
    let error = office.import_in(&utf_8, "latin-1").unwrap_err().to_string();
    assert!(error.contains("is text in UTF-8: leave --encoding out"), "{error}");
}

#[test]
fn what_is_no_file_or_no_register_is_named() {
    let office = Office::new();
    let file = office.write("a.csv", format!("{HEADER}{}", lines(0..2)));
    let missing = office.import(&office.path("missing.csv")).unwrap_err();
    assert!(matches!(missing, ImportError::File { .. }), "{missing}");
    std::fs::create_dir(office.path("folder.csv")).unwrap();
    let folder = office.import(&office.path("folder.csv")).unwrap_err();
    assert!(matches!(folder, ImportError::NotAFile(_)), "{folder}");

    let pipe = office.path("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for name in ["pipe.csv", "pipe.parquet"] {
        std::fs::rename(&pipe, office.path("held")).unwrap();
        std::fs::rename(office.path("held"), office.path(name)).unwrap();
        let refused = office.import_all(&[file.clone(), office.path(name)]).unwrap_err();
        assert!(matches!(&refused, ImportError::NotAFile(path) if *path == office.path(name)), "{refused}");
        std::fs::rename(office.path(name), &pipe).unwrap();
    }

    office.write(
        "register.sqlite",
        "this is no register, whatever its name says, and it is long enough to be read",
    );
    let error = office.import(&file).unwrap_err();
    assert!(
        matches!(error, ImportError::Register { .. }) && error.to_string().contains("not a database"),
        "{error}"
    );
    std::fs::remove_file(office.register()).unwrap();

    office.open().execute_batch("CREATE VIEW residents AS SELECT 1 AS person_id").unwrap();
    let error = office.import(&file).unwrap_err();
    assert!(matches!(error, ImportError::NotATable { .. }), "{error}");

    let nowhere = office.path("nowhere/register.sqlite");
    let import = crate::ImportJob {
        files: &[crate::ImportFile { path: file.clone(), format: FileFormat::of(&file).unwrap() }],
        register: &nowhere,
        dataset: &office.dataset,
        options: &office.options,
        tuning: office.tuning,
    };
    let error = import.run(&mut |_| std::ops::ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, ImportError::Folder { .. }), "{error}");
}
