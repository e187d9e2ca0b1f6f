//! Documents as people write them, well and badly.

use std::collections::BTreeMap;

use crate::{Diagnostics, Document, table};

/// A row of a document, with a key of every form.
#[derive(Debug, Default, PartialEq)]
struct Row {
    name: String,
    count: Option<u32>,
    by: Vec<String>,
    margins: Option<Vec<Vec<String>>>,
    bounds: Option<[i64; 2]>,
    flag: Option<bool>,
}

table!(Row => "a row" {
    required name "name",
    optional count "count",
    or_default by "by",
    optional margins "margins",
    optional bounds "bounds",
    optional flag "flag",
});

#[derive(Debug)]
#[allow(dead_code)]
struct Rows {
    row: Vec<Row>,
    named: BTreeMap<String, Row>,
}

table!(Rows => "the file" { or_default row "row", or_default named "named" });

fn read(text: &str) -> Result<Rows, Diagnostics> {
    Document::new("d.toml", text).read()
}

fn lines(found: &Diagnostics) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn every_mistake_is_a_diagnostic_with_its_place_and_the_remedy() {
    for (text, expected) in [
        ("[[row]]\nname = \"x\"\nby = []\nmargins = [[]]\nbounds = [0, 1]\nflag = true\n", &[][..]),
        (
            "[[row]]\nname = 3\nby = \"sex\"\nmargins = [\"a\", \"b\"]\ncuont = 3\n",
            &[
                "d.toml:2:8: `name` is a text, and not a whole number: write `name = \"3\"`",
                "d.toml:3:6: `by` is a list of texts, and not a text: write `by = [\"sex\"]`",
                "d.toml:4:11: `margins` is a list of lists of texts, and not a list of texts: write `margins = [[\"a\", \"b\"]]`",
                "d.toml:5:1: a row has no key `cuont`: did you mean `count`?",
            ],
        ),
        (
            "[[row]]\nname = \"x\"\nby = [\"sex\"\ncount = 3\n[[row]]\ncount = \"3\"\n",
            &[
                "d.toml:3:6: the list that begins with this `[` is not closed: close it with `]`",
                "d.toml:5:1: a row needs `name`: add `name = \"..\"`",
                "d.toml:6:9: `count` is a whole number, and not a text: write `count = 3`",
            ],
        ),
        (
            "[[row]]\nname = x\n[[row]]\nname = “x”\n[[row]]\nname = \"x\" count = 3\n",
            &[
                "d.toml:2:8: `x` is no value: write text in quotes, and numbers with a point",
                "d.toml:4:8: `“` is no quote of TOML: write the straight one, `\"`",
                "d.toml:6:12: the line goes on after its value: begin a new line, or close the value before it",
            ],
        ),
        (
            "[row]\nname = \"x\"\n",
            &[
                "d.toml:1:1: `row` is a list of tables, and not a table: write `[[row]]`, with two brackets: there may be several",
            ],
        ),
        (
            "[[row]]\nname = 2026-02-30\nname = \"y\"\n",
            &[
                "d.toml:2:8: there is no day `2026-02-30`: write a day of the calendar, with its day between 01 and 28",
                "d.toml:3:1: `name` stands here a second time: keep one: a key of a table, and a table, are written once",
            ],
        ),
        (
            "[named.x]\nname = \"x\"\ncount = 99999999999\nflag = \"true\"\nbounds = [1, 2, 3]\n",
            &[
                "d.toml:3:9: `count` is a whole number from 0 to 4294967295",
                "d.toml:4:8: `flag` is `true` or `false`, and not a text: write `flag = true`",
                "d.toml:5:10: `bounds` is two values, the lowest and the highest, and not 3: write `bounds = [LOW, HIGH]`",
            ],
        ),
        (
            "[[row]\nname = 1\n[[row]]\nby\nname = \"x\"\n\"nаme\" = 3\n",
            &[
                "d.toml:1:7: the heading is not closed: close it with `]]`",
                "d.toml:4:3: a key stands here without a value: write `KEY = VALUE`, or `#` before a remark",
                "d.toml:6:1: a row has no key `nаme`: it has bounds, by, count, flag, margins, name",
            ],
        ),
        (
            "policy: 2\n",
            &[
                "d.toml:1:1: this is YAML, and not TOML: write TOML, as docs/POLICIES.md shows: `office = \"GHA\"`, `[dataset.residents]`",
            ],
        ),
    ] {
        let found = read(text).map_or_else(|found| lines(&found), |_| Vec::new());
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_diagnostic_shows_its_line_without_what_is_secret_or_not_seen() {
    let text = "row = [{name = \"x\", postgres = \"postgres://u:p@ss@host/db\", password = 'hunter2', by = [\"\u{1b}[31m加\"], x = 1}]\n";
    let shown = read(&text.replace("\u{1b}", "\\u001B")).unwrap_err().to_string();
    assert!(shown.contains("u:***@host/db") && shown.contains("password = '***'"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("p@ss"), "{shown}");
    let shown = read(text).unwrap_err().to_string();
    assert!(!shown.contains('\u{1b}') && shown.contains('\u{fffd}'), "{shown}");
    let long = format!("{} = 1", "x".repeat(100_000));
    let shown = read(&long).unwrap_err().to_string();
    assert!(shown.lines().all(|line| line.chars().count() <= 100) && shown.len() < 2_000, "{shown}");
    let shown = read("cuont = 1\n").unwrap_err().to_string();
    let expected = "error[unknown-key]: the file has no key `cuont`\n --> d.toml:1:1\n  |\n1 | cuont = 1\n  | ^^^^^\n  |\n  \
                    = help: it has named, row\n\n1 error: docs/DIAGNOSTICS.md explains each by the word in brackets";
    assert_eq!(shown, expected);
}

#[test]
fn secrets_are_found_in_addresses_and_at_keys_that_are_called_so() {
    for (line, expected) in [
        ("postgres = \"postgresql://lango@db.example/lango\"", vec![]),
        ("postgres = \"postgresql://lango:a@b:c@db.example/lango\"", vec!["a@b:c"]),
        ("postgres = \"postgresql://db.example/lango?user=l&password=x\"", vec!["x"]),
        ("# see https://example.org/a:b", vec![]),
        ("password = \"a 'b'\"", vec!["a 'b'"]),
        ("\"db-password\" = 'x'", vec!["x"]),
        ("pasword = \"x\"", vec!["x"]),
        ("passport = { codes = [\"A\"] }", vec![]),
        ("password_file = \"pw\"", vec![]),
        ("password_env = \"PW\"", vec![]),
        ("{ secret: abc, x: 1 }", vec!["abc"]),
        ("password", vec![]),
        ("password = \"not closed", vec!["not closed"]),
    ] {
        let found =
            crate::secrets::secret_parts(line).into_iter().map(|part| &line[part]).collect::<Vec<_>>();
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn more_mistakes_than_anybody_reads_are_counted() {
    let text: String = (0..500).map(|at| format!("[[row]]\nname = {at}\n")).collect();
    let found = read(&text).unwrap_err();
    assert_eq!((found.iter().count(), found.errors()), (100, 500));
    assert!(found.to_string().contains("and 400 more errors"), "{found}");
}

#[test]
fn a_file_of_bytes_is_a_document_or_the_reason_why_not() {
    let decoded = |file: &str, bytes: &[u8]| {
        Document::decoded(file, bytes.to_vec())
            .map(|_| ())
            .map_err(|wrong| format!("{}: {wrong}", wrong.code))
    };
    assert_eq!(decoded("d.toml", "é\n".as_bytes()), Ok(()));
    assert_eq!(decoded("d.toml", b""), Ok(()));
    for (file, bytes, expected) in [
        ("d.toml", b"\xff\xfea\0".to_vec(), "not-utf-8: d.toml: the file is UTF-16"),
        ("d.toml", b"a\0b\0".to_vec(), "not-utf-8: d.toml: the file is UTF-16"),
        ("d.toml", b"\xff\xfe\0\0a\0\0\0".to_vec(), "not-utf-8: d.toml: the file is UTF-32"),
        ("d.toml", b"\0\0\0a\0\0\0b".to_vec(), "not-utf-8: d.toml: the file is UTF-32"),
        ("d.toml", b"a\nb\xe9c\n".to_vec(), "not-utf-8: d.toml:2:2: the byte 0xe9 is no UTF-8"),
        ("d.toml", vec![b'#'; (1 << 20) + 1], "too-large: d.toml: the file has more than 1 MiB"),
        ("d.csv", vec![b'#'; (8 << 20) + 1], "too-large: d.csv: the file has more than 8 MiB"),
    ] {
        let wrong = decoded(file, &bytes).unwrap_err();
        assert!(wrong.starts_with(expected), "{wrong}");
    }
}
