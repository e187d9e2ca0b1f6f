//! Identifiers that a program took for numbers and rounded, and those that are only like such; numbers that begin from the first
//! area again; days that stand for none.

use super::fixture::{HEADER, Office, dataset};

fn office(rows_at_most: u32) -> Office {
    let mut office = Office::new();
    office.dataset = dataset(rows_at_most);
    office
}

/// A file with as many rows of each of these identifiers, no two alike.
fn visits(identifiers: &[String], of_each: usize) -> String {
    let mut content = HEADER.to_owned();
    for (n, identifier) in identifiers.iter().flat_map(|unit| vec![unit; of_each]).enumerate() {
        content += &format!("{identifier},{},{},{n}.25,2000-01-01,Tema\n", ["F", "M"][n % 2], n % 90);
    }
    content
}

fn check(rows_at_most: u32, content: &str, expected: &str) {
    let office = office(rows_at_most);
    let done = office.import(&office.write("a.csv", content)).map_err(|error| error.to_string());
    match (done, expected) {
        (Ok(_), "") => {}
        (Err(said), _) if !expected.is_empty() => assert!(said.contains(expected), "{expected}: {said}"),
        (done, _) => panic!("{expected}: {done:?}"),
    }
}

const ROUNDED: &str = "identifiers are numbers without their last digits, or as floats hold them";

#[test]
fn identifiers_as_floats_hold_them_stop_an_import() {
    // Births of a region, with a number in it and a check digit.
    let own = |n: u64| 198_001_012_340_000_017 + n * 7_919 * 10_007 + n % 3;
    let short = |n: u64| own(n) / 10;
    let large = |n: u64| 5_198_001_012_340_000_017 + n * 7_919 * 1_000_003;
    let rounded = |n: u64| format!("{}", own(n) as f64 as u64);
    let written = |n: u64| (own(n) as f64).to_string();
    for (identifiers, expected) in [
        ((0..60).map(|n| own(n).to_string()).collect::<Vec<_>>(), ""),
        ((0..60).map(rounded).collect(), ROUNDED),
        ((0..60).map(written).collect(), ROUNDED),
        ((0..60).map(|n| (short(n) as f64 as u64).to_string()).collect(), ROUNDED),
        ((0..60).map(|n| short(n).to_string()).collect(), ""),
        ((0..60).map(|n| (large(n) as f64 as u64).to_string()).collect(), ROUNDED),
        ((0..60).map(|n| large(n).to_string()).collect(), ""),
        ((0..19).map(rounded).collect(), ""),
        // Zeros that a float did not make.
        ((1..60).map(|n| format!("{}00000000", n)).collect(), ""),
    ] {
        check(1, &visits(&identifiers, 1), expected);
        let one_is_none: Vec<String> = identifiers.iter().cloned().chain([own(77).to_string()]).collect();
        check(1, &visits(&one_is_none, 1), "");
    }
}

#[test]
fn a_few_units_on_many_rows_are_no_rounded_identifiers() {
    let rounded = |n: u64| format!("{}", (198_001_012_340_000_017 + n * 7_919 * 10_007) as f64 as u64);
    check(40, &visits(&(0..3).map(rounded).collect::<Vec<_>>(), 30), "");
    check(40, &visits(&(0..30).map(rounded).collect::<Vec<_>>(), 3), ROUNDED);
    // Of sixteen digits, one ends in 0 by chance.
    let numbers: Vec<String> = (1..9_u64).map(|n| (1_985_010_112_345_601 + n * 9).to_string()).collect();
    assert_eq!(numbers.iter().filter(|number| number.ends_with('0')).count(), 1);
    check(40, &visits(&numbers, 30), "");
}

#[test]
fn numbers_with_an_exponent_among_numbers_and_members_without_the_tenth_stop_an_import() {
    let numbers = |from: u32, to: u32| (from..to).map(|n| n.to_string());
    let with_one: Vec<String> =
        numbers(2_900, 3_100).map(|n| if n == "3000" { "3e3".into() } else { n }).collect();
    check(1, &visits(&with_one, 1), ROUNDED);
    // Blocks of a town: codes of digits and letters.
    let blocks: Vec<String> =
        (1..10).flat_map(|n| ["A", "C", "e"].map(|mark| format!("{n}{mark}{n}"))).collect();
    check(1, &visits(&blocks, 1), "");
    let all: Vec<String> = (1..10).map(|n| format!("{n}E{n}")).collect();
    check(1, &visits(&all, 1), "");

    let members = |n: u32, most: u32| (1..=most).map(move |member| format!("{n}.{member}"));
    let households: Vec<String> = (1..40).flat_map(|n| members(n, 12)).collect();
    check(2, &visits(&households, 1), "");
    let as_floats: Vec<String> =
        households.iter().map(|text| text.parse::<f64>().unwrap().to_string()).collect();
    check(2, &visits(&as_floats, 1), ROUNDED);
    // Small households have no tenth member.
    check(2, &visits(&(1..90).flat_map(|n| members(n, 7)).collect::<Vec<_>>(), 1), "");
    // A code of two levels, with few of its kind.
    check(2, &visits(&(1..60).map(|n| format!("{n}.{}1", n % 9)).take(9).collect::<Vec<_>>(), 1), "");
}

/// What makes an identifier of the numbers of an area and of a household in it.
type Numbering<'a> = &'a dyn Fn(u32, u32) -> String;

/// A district's persons: areas from the first on, households in each, several persons of each.
fn district(mark: &str, identifier: Numbering<'_>, areas: u32, by_text: bool) -> String {
    let mut identifiers: Vec<String> = (1..=areas)
        .flat_map(|area| (1..9 + area % 4).map(move |household| identifier(area, household)))
        .collect();
    if by_text {
        identifiers.sort();
    }
    let mut content = HEADER.to_owned();
    for (n, identifier) in identifiers.iter().flat_map(|unit| [unit, unit]).enumerate() {
        let (sex, age) = (["F", "M"][n % 2], (n * 31 + mark.len() * 17) % 90);
        content += &format!("{identifier},{sex},{age},{n}.25,{}-01-01,{mark}\n", 1930 + n * 7 % 80);
    }
    content
}

#[test]
fn areas_that_begin_from_the_first_again_stop_an_import() {
    let dash = |area: u32, household: u32| format!("{area}-{household}");
    let marked = |area: u32, household: u32| format!("EA{area:02}/H{household:03}");
    let joined = |area: u32, household: u32| format!("{area:03}{household:03}");
    let expected = "rows begin to count identifiers anew";
    let cases: [(Numbering<'_>, bool); 4] =
        [(&dash, false), (&dash, true), (&marked, false), (&joined, false)];
    for (identifier, by_text) in cases {
        let office = office(12);
        let files = ["Accra", "Kumasi-North", "Ho"]
            .map(|mark| office.write(&format!("{mark}.csv"), district(mark, identifier, 11, by_text)));
        let said = office.import_all(&files).unwrap_err().to_string();
        assert!(said.contains(expected) && said.contains("2 of 636 rows"), "{by_text}: {said}");
        // One district's are nobody else's.
        office.import(&files[0]).unwrap();
    }
    // Districts with their own numbers, whatever follows is counted from 1 again.
    let office = office(12);
    let files = [1, 2, 3].map(|number| {
        let identifier = move |area, household| format!("{number}-{area}-{household}");
        office.write(&format!("{number}.csv"), district("x", &identifier, 11, false))
    });
    office.import_all(&files).unwrap();
    // A number and its year: the same number is another unit in another year.
    let year = |year: u32| {
        let identifiers: Vec<String> = (1..200).map(|n| format!("{n}-{year}")).collect();
        office.write(&format!("y{year}.csv"), visits(&identifiers, 1))
    };
    office.import_all(&[year(2023), year(2024)]).unwrap();
}

#[test]
fn the_same_households_at_another_time_are_a_panel() {
    let wave = |wave: u32| {
        let mut content = HEADER.to_owned();
        for (area, member) in (1..12_u32).flat_map(|area| (1..10_u32).map(move |member| (area, member))) {
            let sex = if (area * 7 + member * 3).is_multiple_of(2) { "F" } else { "M" };
            let age = (area * 13 + member * 29) % 80 + wave;
            content += &format!("{area}-{member},{sex},{age},{wave}{member}.5,1980-02-03,Tema\n");
        }
        content
    };
    let office = office(12);
    let files = [1, 2, 3].map(|number| office.write(&format!("{number}.csv"), wave(number)));
    office.import_all(&files).unwrap();
}

#[test]
fn the_same_rows_in_other_words_are_copies() {
    let rows = |sexes: [&str; 2], income: &str| -> String {
        let row = |n: usize| {
            format!("P{},{},{},{income},2000-01-01,Tema\n", n * 7_919 % 100_003, sexes[n % 2], n % 90)
        };
        HEADER.to_owned() + &(0..60).map(row).collect::<String>()
    };
    let mut office = office(3);
    let reading = lango_privacy::Reading {
        recode: [("1".to_owned(), "F".parse().unwrap()), ("2".to_owned(), "M".parse().unwrap())].into(),
        ignores_case: true,
        ..lango_privacy::Reading::default()
    };
    let name: lango_privacy::Name = "sex".parse().unwrap();
    let sex = office.dataset.columns[&name].clone().with_reading(reading).unwrap();
    office.dataset.columns.insert(name, sex);
    for (other, income) in [(["f", "m"], "12.5"), (["1", "2"], "12.50"), (["F", "M"], "12.5")] {
        let files =
            [office.write("a.csv", rows(["F", "M"], "12.5")), office.write("b.csv", rows(other, income))];
        let said = office.import_all(&files).unwrap_err().to_string();
        assert!(
            said.contains("60 of 120 rows are in all declared columns like one before them"),
            "{other:?}: {said}"
        );
    }
    let files =
        [office.write("a.csv", rows(["F", "M"], "12.5")), office.write("b.csv", rows(["2", "1"], "12.5"))];
    office.import_all(&files).unwrap();
}

#[test]
fn decimals_behind_the_mark_of_thousands_stop_an_import() {
    let incomes = |values: &[&str]| {
        let row = |(n, value): (usize, &&str)| format!("P{n},F,1,\"{value}\",2000-01-01,Tema\n");
        HEADER.to_owned() + &values.iter().enumerate().map(row).collect::<String>()
    };
    let all = |one: &'static str| -> Vec<&'static str> { [vec!["1.234"; 99], vec![one]].concat() };
    let import = |values: &[&str], options: (crate::DecimalMark, &str)| {
        let mut office = office(1);
        office.options.notation.decimal = options.0;
        office.options.notation.thousands = Some(options.1.parse().unwrap());
        let done = office.import(&office.write("a.csv", incomes(values)));
        done.map(drop).map_err(|error| error.to_string())
    };
    let comma = (crate::DecimalMark::Comma, ".");
    for one in ["0.567", "12.5", "1234.5"] {
        let said = import(&all(one), comma).unwrap_err();
        assert!(
            said.contains("1 of 100 numbers have decimals behind the mark of --thousands"),
            "{one}: {said}"
        );
    }
    for one in ["1.234,5", "567", "12.345.678"] {
        import(&all(one), comma).unwrap();
    }
    let said = import(&["1,234", "0,5"], (crate::DecimalMark::Point, ",")).unwrap_err();
    assert!(said.contains("behind the mark of --thousands"), "{said}");
}

#[test]
fn a_day_from_which_programs_count_stops_an_import_where_it_stands_for_none() {
    let born = |days: &mut dyn Iterator<Item = String>| {
        let row = |(n, day): (usize, String)| format!("P{n},F,1,2.5,{day},Tema\n");
        HEADER.to_owned() + &days.enumerate().map(row).collect::<String>()
    };
    let usual = |n: u32| format!("{}-{:02}-{:02}", 1931 + n * 7 % 80, 1 + n % 12, 1 + n % 27);
    let with = |day: &str, count: u32| {
        let day = day.to_owned();
        move |n: u32| if n < count { day.clone() } else { usual(n) }
    };
    let expected = "days are one from which programs count";
    for (day, count, expected) in [
        ("1970-01-01", 30, expected),
        ("1900-01-01", 30, expected),
        ("1971-02-02", 30, ""),
        ("1970-01-01", 8, ""),
    ] {
        check(1, &born(&mut (0..1_000).map(with(day, count))), expected);
    }
    // Where all are born on the first of January, as a clerk writes it who knows the year alone.
    check(1, &born(&mut (0..1_000).map(|n| format!("{}-01-01", 1960 + n % 30))), "");
    let mut office = office(1);
    let name: lango_privacy::Name = "born".parse().unwrap();
    let reading = lango_privacy::Reading {
        missing: ["1970-01-01".to_owned()].into(),
        ..lango_privacy::Reading::default()
    };
    let column = office.dataset.columns[&name].clone().with_reading(reading).unwrap();
    office.dataset.columns.insert(name, column);
    let file = office.write("a.csv", born(&mut (0..1_000).map(with("1970-01-01", 30))));
    office.import(&file).unwrap();
}

#[test]
fn a_total_at_the_edge_is_found_where_each_number_was_rounded() {
    let incomes: Vec<u32> = (0..12).map(|n| 1_000 + n * 731 % 900).collect();
    let person = |n: usize, income: &u32| format!("P{n},F,1,{income}.25,2000-01-01,Tema\n");
    let persons: String = incomes.iter().enumerate().map(|(n, income)| person(n, income)).collect();
    let sum = incomes.iter().sum::<u32>() + 3;
    for (off, is_total) in [(0, true), (4, true), (-5, true), (50, false)] {
        let cents = i64::from(sum) * 100 + off;
        let total = format!("99,F,300,{}.{:02},2000-01-01,Tema\n", cents / 100, cents % 100);
        for content in [HEADER.to_owned() + &persons + &total, HEADER.to_owned() + &total + &persons] {
            check(1, &content, if is_total { "the sum of the numbers" } else { "" });
        }
    }
}

#[test]
fn numbers_that_are_round_by_themselves_are_no_rounded_ones() {
    let usual: [&dyn Fn(u64) -> String; 8] = [
        // In steps, as districts give them out.
        &|n| (1_985_010_112_340_000 + n * 10).to_string(),
        &|n| (19_850_101_123_400_000 + n * 100).to_string(),
        &|n| (198_501_011_234_000_000 + n * 1_000).to_string(),
        // Of a clock, to the microsecond and to the second.
        &|n| (1_700_000_000_123_457_000 + n * 7_919_003_000).to_string(),
        &|n| (638_400_000_000_000_000 + n * 7_919 * 10_000_000).to_string(),
        // Of a clock, a machine and a count that is 0.
        &|n| ((1_234_567_890_123 + n * 7_919) << 22).to_string(),
        // A floor and a door; the odd side of a street.
        &|n| format!("{}.{}{}", 1 + n / 16, 1 + n % 4, 1 + n / 4 % 4),
        &|n| format!("{}.{}", 1 + n / 10, 1 + n % 10 * 2),
    ];
    for (at, identifier) in usual.into_iter().enumerate() {
        let office = office(3);
        let content = visits(&(0..400).map(identifier).collect::<Vec<_>>(), 1);
        office.import(&office.write("a.csv", content)).unwrap_or_else(|error| panic!("{at}: {error}"));
    }
}

#[test]
fn one_month_s_rounded_identifiers_are_found_beside_the_others() {
    let own = |n: u64| 198_001_012_340_000_017 + n * 7_919 * 10_007 + n % 3;
    for rounded in [|n: u64| format!("{}", n as f64 as u64), |n: u64| format!("{}", n / 1_000 * 1_000)] {
        for months in [2, 3] {
            let office = office(12);
            let files = (0..months).map(|month| {
                let own = |n: u64| if month == 1 { rounded(own(n)) } else { own(n).to_string() };
                office.write(&format!("{month}.csv"), visits(&(0..90).map(own).collect::<Vec<_>>(), 1))
            });
            let said = office.import_all(&files.collect::<Vec<_>>()).unwrap_err().to_string();
            assert!(said.contains("1.csv 90 of 90") || said.contains(ROUNDED), "{said}");
        }
    }
}

#[test]
fn a_column_of_too_few_units_is_none_of_them() {
    let regions: Vec<String> = (0..16).map(|n| format!("R{}", n * 7 % 16 * 31)).collect();
    let expected = "rows have an identifier that stands on more rows than one unit's could be";
    check(12, &visits(&regions, 40), expected);
    check(12, &visits(&regions, 20), "");
    let rounded: Vec<String> =
        (0..900_u64).map(|n| ((198_001_012_340_000_017 + n) as f64 as u64).to_string()).collect();
    check(12, &visits(&rounded, 1), expected);
}

#[test]
fn zeros_that_were_lost_within_an_identifier_are_found() {
    let expected = "identifiers are another one without its zeros in front";
    let both = |one: &dyn Fn(u32) -> String, other: &dyn Fn(u32) -> String| {
        let all = (1..90).map(one).chain((1..30).map(other)).collect::<Vec<_>>();
        visits(&all, 1)
    };
    check(3, &both(&|n| format!("P{n:04}"), &|n| format!("P{n}")), expected);
    check(3, &both(&|n| format!("EA{:02}/H{n:03}", n % 7), &|n| format!("EA{}/H{n}", n % 7)), expected);
    check(3, &both(&|n| format!("2019-{n:04}"), &|n| format!("2019-{n}")), expected);
    check(3, &both(&|n| format!("P{n:04}"), &|n| format!("Q{n}")), "");
    check(3, &both(&|n| format!("{n}.08"), &|n| format!("{n}.8")), "");
}

#[test]
fn serial_numbers_in_the_order_of_texts_are_counted_again() {
    let sorted = |mark: &str, most: u32| {
        let mut all: Vec<String> = (1..=most).map(|n| format!("{mark}{n}")).collect();
        all.sort();
        all
    };
    for mark in ["", "H"] {
        let twice = [sorted(mark, 251), sorted(mark, 251), sorted(mark, 251)].concat();
        check(12, &visits(&twice, 1), "2 of 753 rows begin to count identifiers anew");
        check(12, &visits(&sorted(mark, 750), 1), "");
    }
}

#[test]
fn members_that_are_alike_by_chance_are_no_copies() {
    let member = |household: u32, n: u32| {
        let sex = if household.is_multiple_of(3) { n / 2 } else { n * n };
        let (sex, born) = (["F", "M"][sex as usize % 2], 1990 + (household * 5 + n * n * 7 + n) % 12);
        format!("H{},{sex},,,{born}-01-01,\n", household * 7_919 % 100_003)
    };
    let households = (0..300).flat_map(|household| (0..6).map(move |n| member(household, n)));
    let content = HEADER.to_owned() + &households.collect::<String>();
    let office = office(12).accepting("born:origin", 1.0);
    let report = office.import(&office.write("a.csv", &content)).unwrap();
    let copies = report.columns[0].findings.of(crate::Finding::CopiedRow).count;
    assert!((91..540).contains(&copies), "{copies}");
}

#[test]
fn what_programs_write_for_a_missing_number_is_no_amount() {
    for number in ["8.98846567431158e+307", "3.4028235e38", "-2147483648", "-2147483648.00"] {
        let content =
            visits(&["P1".to_owned(), "P2".to_owned()], 1).replace(",1.25,", &format!(",{number},"));
        check(1, &content, "1 of 2 numbers are beyond any that a register holds");
    }
}

#[test]
fn births_that_are_heaped_on_round_years_stand_for_themselves() {
    let born = |n: u32| if n.is_multiple_of(2) { 1930 + n * 7 % 80 } else { 1930 + n % 8 * 10 };
    let row = |n: u32| format!("P{n},F,1,2.5,{}-01-01,Tema\n", born(n));
    check(1, &(HEADER.to_owned() + &(0..1_000).map(row).collect::<String>()), "");
}

#[test]
fn a_blank_between_two_numbers_is_a_mark() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    check(2, &visits(&names(&["1 11 1", "11 1 1", "1 1 11"]), 1), "");
    check(2, &visits(&names(&["01-006", "01 006", "01-007"]), 1), "2 of 3 identifiers are another one");
}
