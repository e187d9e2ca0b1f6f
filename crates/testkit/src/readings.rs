//! Texts as registers and files hold them, and the one reading of each, which an import and every engine keep to.

use lango_privacy::{Code, Column, Domain, Reading, Span};

/// What a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs {
    /// No value.
    Missing,
    /// A value that the column does not declare.
    Undeclared,
    /// A code.
    Code(&'static str),
    /// A day.
    Day(&'static str),
    /// A number, in units of the column's last digit; it may lie beyond the bounds.
    Number(i64),
}

/// The bounds of the columns of numbers.
const MOST: i64 = 4_194_303;

/// Codes, codes in letters of either case, whole numbers, amounts of scale 2 and days, each by its name in [`readings`].
pub fn read_columns() -> [(&'static str, Column); 5] {
    let codes = |codes: &[&str]| codes.iter().map(|code| code.parse::<Code>().unwrap()).collect();
    let read = |domain: Domain, recode: &[(&str, &str)], missing: &[&str], ignores_case| {
        let reading = Reading {
            recode: recode.iter().map(|(text, code)| ((*text).to_owned(), code.parse().unwrap())).collect(),
            missing: missing.iter().map(ToString::to_string).collect(),
            ignores_case,
            ..Reading::default()
        };
        Column::from(domain).with_reading(reading).unwrap()
    };
    let code = Domain::codes(codes(&["F", "M", "1", "10"])).unwrap();
    let folded = Domain::codes(codes(&["F", "M"])).unwrap();
    let whole = Domain::integer(-MOST, MOST, 4_194_304).unwrap();
    let amount = Domain::amount(-MOST, MOST, 2, None).unwrap();
    let day = Domain::date("2023-06-30".into(), "2023-07-02".into(), Span::Day).unwrap();
    [
        ("code", read(code, &[("female", "F"), ("C\u{f4}te d'Ivoire", "M")], &["NA", "9"], false)),
        ("folded", read(folded, &[("f\u{e9}minin", "F"), ("Homme", "M")], &["na"], true)),
        ("whole", read(whole, &[], &["999", "-1"], false)),
        ("amount", read(amount, &[], &["9999"], false)),
        ("day", read(day, &[], &["2023-06-30"], false)),
    ]
}

/// Each text with the column that it stands in.
pub fn readings() -> Vec<(&'static str, String, ReadAs)> {
    let all: [(&str, &[(&str, ReadAs)]); 5] =
        [("code", CODES), ("folded", FOLDED), ("whole", WHOLE), ("amount", AMOUNTS), ("day", DAYS)];
    let listed = all
        .iter()
        .flat_map(|(column, texts)| texts.iter().map(|(text, read)| (*column, text.to_string(), *read)));
    let blanks = |count: usize| " ".repeat(count);
    let digits = |count: usize| format!("0.{}", "5".repeat(count));
    listed
        .chain([
            // 8,192 bytes are read, and more are not, whatever they are.
            ("code", blanks(8_191) + "F", ReadAs::Code("F")),
            ("code", blanks(8_192) + "F", ReadAs::Undeclared),
            ("code", "F".to_owned() + &blanks(9_000), ReadAs::Undeclared),
            ("code", "NA".to_owned() + &blanks(9_000), ReadAs::Undeclared),
            ("code", blanks(8_192), ReadAs::Missing),
            ("code", blanks(8_193), ReadAs::Undeclared),
            ("code", "x".repeat(9_000), ReadAs::Undeclared),
            ("folded", blanks(9_000) + "f", ReadAs::Undeclared),
            ("whole", blanks(8_190) + "12", ReadAs::Number(12)),
            ("whole", blanks(8_191) + "12", ReadAs::Undeclared),
            ("whole", "12".to_owned() + &blanks(9_000), ReadAs::Undeclared),
            ("whole", "NaN".to_owned() + &blanks(9_000), ReadAs::Undeclared),
            ("day", blanks(8_182) + "2023-07-01", ReadAs::Day("2023-07-01")),
            ("day", blanks(9_000) + "2023-07-01", ReadAs::Undeclared),
            // 38 digits on each side of the point.
            ("whole", digits(38), ReadAs::Number(1)),
            ("whole", digits(39), ReadAs::Undeclared),
            ("whole", "9".repeat(38), ReadAs::Number(i64::MAX)),
            ("whole", "9".repeat(39), ReadAs::Undeclared),
        ])
        .collect()
}

const CODES: &[(&str, ReadAs)] = {
    use ReadAs::{Code, Missing, Undeclared};
    &[
        ("F", Code("F")),
        ("M", Code("M")),
        (" F", Code("F")),
        ("F ", Code("F")),
        ("\tF\n", Code("F")),
        ("F\r\n", Code("F")),
        ("\u{b}F\u{c}", Code("F")),
        ("\u{a0}F\u{a0}", Code("F")),
        (" \u{a0} F", Code("F")),
        ("female", Code("F")),
        (" C\u{f4}te d'Ivoire ", Code("M")),
        ("1", Code("1")),
        ("10", Code("10")),
        ("NA", Missing),
        (" NA\t", Missing),
        ("9", Missing),
        ("", Missing),
        ("   ", Missing),
        ("\u{a0}", Missing),
        ("\t", Missing),
        ("f", Undeclared),
        ("Female", Undeclared),
        ("na", Undeclared),
        ("NaN", Undeclared),
        ("NULL", Undeclared),
        ("1.0", Undeclared),
        ("01", Undeclared),
        ("+1", Undeclared),
        ("1e1", Undeclared),
        ("9.0", Undeclared),
        ("F M", Undeclared),
        ("F.", Undeclared),
        ("\u{2003}F", Undeclared),
        ("\u{200b}F", Undeclared),
        ("F\u{feff}", Undeclared),
        ("\u{e0}", Undeclared),
        ("C\u{f4}te d\u{2019}Ivoire", Undeclared),
        ("CO\u{302}te d'Ivoire", Undeclared),
        ("\u{1f600}", Undeclared),
        ("\u{1}F", Undeclared),
        ("it's", Undeclared),
        ("\"", Undeclared),
        ("\\", Undeclared),
        ("%", Undeclared),
        ("_", Undeclared),
        ("_O", Undeclared),
        ("_U", Undeclared),
        ("_T", Undeclared),
    ]
};

const FOLDED: &[(&str, ReadAs)] = {
    use ReadAs::{Code, Missing, Undeclared};
    &[
        ("F", Code("F")),
        ("f", Code("F")),
        (" m ", Code("M")),
        ("HOMME", Code("M")),
        ("homme", Code("M")),
        ("f\u{e9}minin", Code("F")),
        ("F\u{e9}MININ", Code("F")),
        ("NA", Missing),
        ("nA ", Missing),
        ("", Missing),
        ("F\u{c9}MININ", Undeclared),
        ("feminin", Undeclared),
        ("\u{212a}", Undeclared),
        ("x", Undeclared),
    ]
};

const WHOLE: &[(&str, ReadAs)] = {
    use ReadAs::{Missing, Number, Undeclared};
    &[
        ("0", Number(0)),
        ("-0", Number(0)),
        ("007", Number(7)),
        ("+5", Number(5)),
        ("-5", Number(-5)),
        (" 12\t", Number(12)),
        ("12\u{a0}", Number(12)),
        ("12\n", Number(12)),
        ("34.0", Number(34)),
        ("34.5", Number(34)),
        ("35.5", Number(36)),
        ("-34.5", Number(-34)),
        ("-35.5", Number(-36)),
        ("34.50000000000000000000001", Number(35)),
        (".5", Number(0)),
        ("-.5", Number(0)),
        ("+.51", Number(1)),
        ("0.05", Number(0)),
        ("9.5", Number(10)),
        ("1e5", Number(100_000)),
        ("1E5", Number(100_000)),
        ("1.2e3", Number(1_200)),
        ("1.2E+3", Number(1_200)),
        ("1250e-2", Number(12)),
        ("1350e-2", Number(14)),
        ("5e-1", Number(0)),
        ("15e-1", Number(2)),
        ("51e-2", Number(1)),
        ("1e-400", Number(0)),
        ("0e999", Number(0)),
        ("1e05", Number(100_000)),
        ("1e18", Number(1_000_000_000_000_000_000)),
        ("9223372036854775807", Number(i64::MAX)),
        ("9223372036854775807.5", Number(i64::MAX)),
        ("9223372036854775808", Number(i64::MAX)),
        ("-9223372036854775808", Number(-i64::MAX)),
        ("1e19", Number(i64::MAX)),
        ("-1e999", Number(-i64::MAX)),
        ("999", Missing),
        ("999.0", Missing),
        (" 999 ", Missing),
        ("-1", Missing),
        ("-1.0", Missing),
        ("NaN", Missing),
        ("nan", Missing),
        ("NAN", Missing),
        (" NaN ", Missing),
        ("", Missing),
        (" \u{a0}", Missing),
        ("nAn", Undeclared),
        ("NA", Undeclared),
        ("NULL", Undeclared),
        ("-NaN", Undeclared),
        ("5.", Undeclared),
        (".", Undeclared),
        ("-", Undeclared),
        ("+", Undeclared),
        ("--5", Undeclared),
        ("+-5", Undeclared),
        ("- 5", Undeclared),
        ("5-", Undeclared),
        ("1e", Undeclared),
        ("1e+", Undeclared),
        ("e5", Undeclared),
        (".e5", Undeclared),
        ("1e5.5", Undeclared),
        ("1e1234", Undeclared),
        ("1.2.3", Undeclared),
        ("1 200", Undeclared),
        ("1\u{a0}200", Undeclared),
        ("1,200", Undeclared),
        ("1200,50", Undeclared),
        ("1'200", Undeclared),
        ("1_200", Undeclared),
        ("0x10", Undeclared),
        ("0b1", Undeclared),
        ("0o7", Undeclared),
        ("5d", Undeclared),
        ("5f", Undeclared),
        ("inf", Undeclared),
        ("-inf", Undeclared),
        ("Infinity", Undeclared),
        ("-Infinity", Undeclared),
        ("\u{2212}1200", Undeclared),
        ("\u{661}", Undeclared),
        ("\u{ff11}", Undeclared),
        ("\u{2003}12", Undeclared),
        ("\u{feff}12", Undeclared),
        ("1200 XOF", Undeclared),
        ("12%", Undeclared),
        ("true", Undeclared),
        ("thirty", Undeclared),
    ]
};

const AMOUNTS: &[(&str, ReadAs)] = {
    use ReadAs::{Missing, Number, Undeclared};
    &[
        ("123", Number(12_300)),
        ("123.45", Number(12_345)),
        ("1.230", Number(123)),
        ("-1.5", Number(-150)),
        ("+.5", Number(50)),
        (" 1.5\u{a0}", Number(150)),
        ("1200.505", Number(120_050)),
        ("1200.515", Number(120_052)),
        ("1107.6923076923076", Number(110_769)),
        ("0.005", Number(0)),
        ("0.0051", Number(1)),
        ("-0.005", Number(0)),
        ("1.2e3", Number(120_000)),
        ("1.25E-1", Number(12)),
        ("1.35e-1", Number(14)),
        ("1e-400", Number(0)),
        ("92233720368547758.07", Number(i64::MAX)),
        ("92233720368547758.08", Number(i64::MAX)),
        ("9999", Missing),
        ("9999.00", Missing),
        ("NaN", Missing),
        ("", Missing),
        ("nAn", Undeclared),
        ("1200,50", Undeclared),
        ("1,200.50", Undeclared),
        ("$5", Undeclared),
        ("1e1234", Undeclared),
        ("\u{2212}1.5", Undeclared),
    ]
};

const DAYS: &[(&str, ReadAs)] = {
    use ReadAs::{Day, Missing, Undeclared};
    const FIRST: ReadAs = Day("2023-07-01");
    &[
        ("2023-07-01", FIRST),
        ("2023-07-02", Day("2023-07-02")),
        (" 2023-07-01\t", FIRST),
        ("2023-07-01\u{a0}", FIRST),
        ("2023-07-01 00:00", FIRST),
        ("2023-07-01 00:00:00", FIRST),
        ("2023-07-01 23:30:00.123456789", FIRST),
        ("2023-07-01T23:59:60.123456", FIRST),
        ("2023-07-01T00:00:00Z", FIRST),
        ("2023-07-01T00:00Z", FIRST),
        ("2023-07-01 00:00:00+01", FIRST),
        ("2023-07-01 00:00:00-0330", FIRST),
        ("2023-07-01 00:00:00+05:30", FIRST),
        ("2023-07-01T23:59-15:59", FIRST),
        ("2023-06-30", Missing),
        ("2023-06-30 00:00:00", Missing),
        ("2023-06-30T23:59Z", Missing),
        ("", Missing),
        (" ", Missing),
        ("2023-07-01 1:05 PM", Undeclared),
        ("2023-07-01 01:05 PM", Undeclared),
        ("2023-07-01 1:05", Undeclared),
        ("2023-07-01T24:00", Undeclared),
        ("2023-07-01 24:00:00", Undeclared),
        ("2023-07-01t12:30", Undeclared),
        ("2023-07-01T12:30z", Undeclared),
        ("2023-07-01  12:30", Undeclared),
        ("2023-07-01\t12:30", Undeclared),
        ("2023-07-01\n12:30", Undeclared),
        ("2023-07-01\u{a0}12:30", Undeclared),
        ("2023-07-01 12:30 UTC", Undeclared),
        ("2023-07-01 12:30 Z", Undeclared),
        ("2023-07-01 12:30 +02", Undeclared),
        ("2023-07-01 12:30:00,5", Undeclared),
        ("2023-07-01 12:30:61", Undeclared),
        ("2023-07-01 12:30:00.", Undeclared),
        ("2023-07-01 12:30.5", Undeclared),
        ("2023-07-01 12:30+1", Undeclared),
        ("2023-07-01 12:30+16", Undeclared),
        ("2023-07-01 12:30+01:60", Undeclared),
        ("2023-07-01 00:60", Undeclared),
        ("2023-07-01 00", Undeclared),
        ("2023-07-01T", Undeclared),
        ("2023-07-01x", Undeclared),
        ("2023-07-01Z", Undeclared),
        ("2023-07-011", Undeclared),
        ("2023-07", Undeclared),
        ("2023", Undeclared),
        ("2023-7-1", Undeclared),
        ("2023-07-1", Undeclared),
        ("23-07-01", Undeclared),
        ("+2023-07-01", Undeclared),
        ("01/07/2023", Undeclared),
        ("07/01/2023", Undeclared),
        ("01.07.2023", Undeclared),
        ("2023/07/01", Undeclared),
        ("20230701", Undeclared),
        ("45108", Undeclared),
        ("1 July 2023", Undeclared),
        ("2023-02-29", Undeclared),
        ("2023-02-29 00:00", Undeclared),
        ("2023-07-32", Undeclared),
        ("2023-13-01", Undeclared),
        ("2023-00-01", Undeclared),
        ("2023-07-00", Undeclared),
        ("0000-01-01", Undeclared),
        ("2023-07-0\u{e9}", Undeclared),
        ("\u{662}\u{660}\u{662}\u{663}-07-01", Undeclared),
        ("2023\u{2010}07\u{2010}01", Undeclared),
        ("\u{feff}2023-07-01", Undeclared),
        ("NaN", Undeclared),
        ("infinity", Undeclared),
        ("now", Undeclared),
        ("today", Undeclared),
    ]
};
