//! How columns are read, well and badly.

use super::super::*;

fn codes(codes: &[&str]) -> Column {
    Domain::codes(codes.iter().map(|code| code.parse().unwrap()).collect()).unwrap().into()
}

fn recoded(pairs: &[(&str, &str)]) -> Reading {
    let recode = pairs.iter().map(|(text, code)| ((*text).to_owned(), code.parse().unwrap())).collect();
    Reading { recode, ..Reading::default() }
}

fn missing(texts: &[&str]) -> Reading {
    Reading { missing: texts.iter().map(ToString::to_string).collect(), ..Reading::default() }
}

#[test]
fn texts_mean_codes_many_to_one() {
    let reading = Reading { ignores_case: true, ..recoded(&[("1", "M"), ("Female", "F"), ("2", "F")]) };
    let sex = codes(&["F", "M"]).with_reading(reading).unwrap();
    let texts: Vec<_> = sex.texts().into_iter().collect();
    let expected = [("1", 1), ("2", 0), ("f", 0), ("female", 0), ("m", 1)];
    assert_eq!(texts, expected.map(|(text, at)| (text.to_owned(), at)));
    let derived = Reading { derived_from: Some("country".parse().unwrap()), ..recoded(&[("GHA", "WEST")]) };
    let bloc = codes(&["WEST"]).with_reading(derived).unwrap();
    assert_eq!(
        bloc.texts().into_keys().collect::<Vec<_>>(),
        ["GHA"],
        "a code of its own means nothing there"
    );
}

#[test]
fn a_reading_that_contradicts_itself_is_refused() {
    let amount = || Column::from(Domain::amount(0, 100, 2, None).unwrap());
    let folded = |reading: Reading| Reading { ignores_case: true, ..reading };
    let twice = |text: &str, other: &str, code: &str| DatasetError::RecodedTwice {
        text: text.into(),
        other: other.into(),
        code: code.into(),
    };
    for (column, reading, expected) in [
        (
            codes(&["F"]),
            recoded(&[("1", "X")]),
            DatasetError::RecodedToUnknown { text: "1".into(), code: "X".into() },
        ),
        (
            codes(&["F"]),
            recoded(&[("1", "_U")]),
            DatasetError::RecodedToUnknown { text: "1".into(), code: "_U".into() },
        ),
        (codes(&["F", "M"]), recoded(&[("F", "M")]), twice("F", "F", "M")),
        (codes(&["F", "M"]), folded(recoded(&[("a", "M"), ("A", "F")])), twice("a", "F", "M")),
        (codes(&["F", "f"]), folded(Reading::default()), DatasetError::SameFolded("F".into(), "f".into())),
        (codes(&["F"]), missing(&["F"]), DatasetError::MissingIsCode("F".into())),
        (codes(&["F"]), folded(missing(&["f"])), DatasetError::MissingIsCode("f".into())),
        (codes(&["F"]), missing(&[" NA"]), DatasetError::Untrimmed(" NA".into())),
        (codes(&["F"]), missing(&[""]), DatasetError::Untrimmed(String::new())),
        (amount(), recoded(&[("a", "F")]), DatasetError::OnlyCodes("recode")),
        (amount(), missing(&["99.999"]), DatasetError::FinerMissing("99.999".into())),
        (
            amount(),
            Reading { time_zone: Some("UTC".into()), ..Reading::default() },
            DatasetError::OnlyDays("time_zone"),
        ),
    ] {
        assert_eq!(column.with_reading(reading), Err(expected));
    }
    let kept = amount().with_reading(missing(&["NA", "-1", "99.5", "1e3"])).unwrap();
    assert_eq!(kept.missing_numbers(), [-100, 9_950, 100_000]);
}
