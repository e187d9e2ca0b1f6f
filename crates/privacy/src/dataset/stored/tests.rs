use super::*;

#[test]
fn numbers_are_rounded_half_to_even_on_their_decimal_text() {
    for (text, scale, expected) in [
        ("0", 0, Some((0, true))),
        ("007", 0, Some((7, true))),
        ("34.0", 0, Some((34, true))),
        ("34.5", 0, Some((34, false))),
        ("35.5", 0, Some((36, false))),
        ("34.50000000000000000000001", 0, Some((35, false))),
        ("-34.5", 0, Some((-34, false))),
        ("-0.5", 0, Some((0, false))),
        ("1200.505", 2, Some((120_050, false))),
        ("1200.515", 2, Some((120_052, false))),
        ("1.005", 2, Some((100, false))),
        ("+.5", 1, Some((5, true))),
        ("123", 2, Some((12_300, true))),
        ("1.2e3", 0, Some((1_200, true))),
        ("1.25E-1", 2, Some((12, false))),
        ("1.35e-1", 2, Some((14, false))),
        ("5e-1", 0, Some((0, false))),
        ("15e-1", 0, Some((2, false))),
        ("9e-2", 0, Some((0, false))),
        ("99e-3", 0, Some((0, false))),
        ("0e-5", 0, Some((0, true))),
        ("0e999", 18, Some((0, true))),
        ("9223372036854775807", 0, Some((i64::MAX, true))),
        ("9223372036854775808", 0, Some((i64::MAX, false))),
        ("9223372036854775807.5", 0, Some((i64::MAX, false))),
        ("-1e999", 0, Some((-i64::MAX, false))),
        ("1", 18, Some((1_000_000_000_000_000_000, true))),
        ("10", 18, Some((i64::MAX, false))),
        ("5.", 1, None),
        (".", 1, None),
        ("", 1, None),
        ("-", 0, None),
        ("e5", 0, None),
        ("1e", 0, None),
        ("1e1234", 0, None),
        ("1,5", 1, None),
        ("1.2.3", 3, None),
        ("0x10", 0, None),
        ("1 200", 0, None),
        ("inf", 0, None),
        ("١", 0, None),
    ] {
        assert_eq!(number(text.as_bytes(), scale), expected, "{text} at {scale}");
    }
    // Beyond what engines can hold, it is no number on any.
    let long = |digits: usize| number(format!("0.{}", "5".repeat(digits)).as_bytes(), 0);
    assert_eq!((long(38), long(39)), (Some((1, false)), None));
}

#[test]
fn what_a_float_prints_is_read_back_as_that_decimal() {
    for (value, scale, expected) in [
        (1000.19, 2, 100_019),
        (0.285, 2, 28),
        (1.015, 2, 102),
        (1e15, 2, 100_000_000_000_000_000),
        (5e-324, 2, 0),
    ] {
        assert_eq!(number(format!("{value:e}").as_bytes(), scale).unwrap().0, expected, "{value}");
    }
}

#[test]
fn days_may_have_a_time_behind_them() {
    for (text, expected) in [
        ("2023-07-01", true),
        ("2023-07-01 00:00", true),
        ("2023-07-01 00:00:00", true),
        ("2023-07-01T23:59:60.123456", true),
        ("2023-07-01T00:00:00Z", true),
        ("2023-07-01 00:00:00+01", true),
        ("2023-07-01 00:00:00-0330", true),
        ("2023-07-01 00:00:00+05:30", true),
        ("2023-02-30 00:00:00", false),
        ("2023-07-01 ", false),
        ("2023-07-01T", false),
        ("2023-07-01 24:00:00", false),
        ("2023-07-01 00:60", false),
        ("2023-07-01 00:00:00.", false),
        ("2023-07-01 00:00:00+1", false),
        ("2023-07-01 00:00:00 Z", false),
        ("2023-07", false),
        ("01/07/2023", false),
        ("2023-07-0é", false),
    ] {
        assert_eq!(day(text), expected.then(|| &text[..10]), "{text}");
    }
}

#[test]
fn blanks_around_a_text_are_no_part_of_it() {
    for (text, expected) in [
        (" F\u{a0}", "F"),
        ("\t F \r\n", "F"),
        ("a b", "a b"),
        ("  ", ""),
        ("\u{a0}", ""),
        ("\u{2003}F", "\u{2003}F"),
    ] {
        assert_eq!(trimmed(text), expected);
        assert_eq!(trimmed_bytes(text.as_bytes()), expected.as_bytes());
    }
    assert_eq!(trimmed_bytes(b" \xa0 \xc2"), b"\xa0 \xc2", "no UTF-8, no no-break space");
}
