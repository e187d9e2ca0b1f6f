//! Questions are answered: every key has its cell, and at epsilon 30 and above every cell its exact count.

use lango_testkit::{Office, Person, Policy, Register, TestRegion, persons, table, tables};

type Case = (&'static str, &'static [&'static str], fn(&Person) -> bool);

#[tokio::test]
async fn every_key_has_its_cell_and_every_filter_its_rows() {
    let all: fn(&Person) -> bool = |_| true;
    let cases: [Case; 15] = [
        ("by", &[], all),
        ("by sex", &["sex"], all),
        ("by age", &["age"], all),
        ("by country_of_birth", &["country_of_birth"], all),
        ("by arrival_year,sex", &["arrival_year", "sex"], all),
        ("by age,country_of_birth,sex", &["age", "country_of_birth", "sex"], all),
        ("by age,country_of_birth,education,sex", &["age", "country_of_birth", "education", "sex"], all),
        ("by age\nwhere sex = F", &["age"], |p| p.sex == Some("F")),
        ("by age\nwhere sex = _O", &["age"], |p| p.key("sex") == "_O"),
        ("by age,sex\nwhere country_of_birth in NGA,TGO", &["age", "sex"], |p| {
            matches!(p.country_of_birth, Some("NGA" | "TGO"))
        }),
        ("by sex\nwhere country_of_birth in GHA,_O,_U", &["sex"], |p| {
            matches!(p.key("country_of_birth").as_str(), "GHA" | "_O" | "_U")
        }),
        ("by sex\nwhere age = 34", &["sex"], |p| p.age == Some(34)),
        ("by sex\nwhere age from 9 to 39", &["sex"], |p| p.age.is_some_and(|age| (9..=39).contains(&age))),
        ("by\nwhere income from 34000 to 39000", &[], |p| {
            p.income.is_some_and(|income| (34_000..=39_000).contains(&income))
        }),
        ("by education\nwhere age from 0 to 50\nwhere sex in F,M", &["education"], |p| {
            p.age.is_some_and(|age| (0..=50).contains(&age)) && matches!(p.sex, Some("F" | "M"))
        }),
    ];
    let (world, register) = (TestRegion::new(), Register::sample(7));
    let analyst = world.analyst();
    for questions in cases.chunks(3) {
        let office = Office::start(&world, &Policy::of("GHA"), &register).await;
        for (body, by, is) in questions {
            let answer = analyst.ask(&office, &persons(body, "30")).await.unwrap();
            assert_eq!(table(&answer), register.table(by, is), "{body}");
            assert_eq!(answer.statement.basics.dataset_version, "2024-07-01");
            assert!(!answer.repeated);
        }
        let charged = 30_000_000_000 * i64::try_from(questions.len()).unwrap();
        assert_eq!(office.ledger().pure_nano(""), charged);
        assert_eq!(office.ledger().pure_nano("regional-analysts"), charged);
    }
}

#[tokio::test]
async fn several_margins_share_one_price() {
    let (world, register) = (TestRegion::new(), Register::sample(3));
    let office = Office::start(&world, &Policy::of("GHA"), &register).await;
    let body = "by\nby sex\nby age,sex";
    let answer = world.analyst().ask(&office, &persons(body, "100")).await.unwrap();
    let expected = [&[][..], &["sex"], &["age", "sex"]].map(|by| register.table(by, |_| true));
    let found = tables(&answer);
    assert_eq!(found.len(), expected.len());
    // The finest margin determines most of the others too, so it gets most of the price: its noise is 0.
    assert_eq!(found[2], expected[2]);
    for ((found, expected), margin) in found.iter().zip(&expected).zip(&answer.plan.margins) {
        let most = 40.0 * margin.measurement.noise().unwrap().scale + 1.0;
        assert!(found.iter().all(|(key, count)| ((count - expected[key]).abs() as f64) < most), "{found:?}");
    }
    let parts: u64 = answer.plan.margins.iter().map(|margin| margin.price_nano).sum();
    assert!((99_999_999_000..=100_000_000_000).contains(&parts), "{parts}");
    assert_eq!(answer.charged.pure_nano, Some(100_000_000_000));
    assert_eq!(office.ledger().pure_nano(""), 100_000_000_000);
}

#[tokio::test]
async fn four_dimensions_are_answered_and_five_refused() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    let analyst = world.analyst();
    let five = persons("by age,arrival_year,country_of_birth,education,sex", "1");
    assert_eq!(analyst.ask(&office, &five).await.unwrap_err().refusal(), "too-many-dimensions");
    let four = persons("by age,arrival_year,education,sex", "1");
    let answer = analyst.ask(&office, &four).await.unwrap();
    assert_eq!(answer.cells.len(), 14 * 5 * 5 * 4);
    assert_eq!(office.ledger().pure_nano(""), 1_000_000_000);
}

#[tokio::test]
async fn an_empty_register_answers_with_zeros() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::default()).await;
    let answer = world.analyst().ask(&office, &persons("by country_of_birth,sex", "60")).await.unwrap();
    assert_eq!(answer.cells, vec![0; 6 * 4]);
}

#[tokio::test]
async fn a_hundred_thousand_cells_fit_one_message() {
    let (world, register) = (TestRegion::new(), Register::sample(9));
    let text = Policy::of("GHA").text().replace("[0, 110], bands = 10", "[0, 24_997], bands = 1");
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &register);
    office.write_policy(&text);
    office.up().await.unwrap();
    let answer = world.analyst().ask(&office, &persons("by age,sex", "60")).await.unwrap();
    assert_eq!(answer.cells.len(), 100_000);
    let found = table(&answer);
    let alike = |person: &Person| person.age == Some(34) && person.sex == Some("F");
    assert_eq!(found["34 F"], register.count(alike));
    assert_eq!(found.values().sum::<i64>(), register.count(|_| true));
}
