//! Every measure through a gateway: what it answers, what it costs, and what it is divided by.

use lango_identity::Role;
use lango_privacy::Code;
use lango_testkit::{Office, Person, Policy, Register, TestGrant, TestRegion, Value};

/// A question about the residents.
fn ask(measures: &[(&str, &str)], price: &str) -> String {
    let measures: String =
        measures.iter().map(|(measure, by)| format!("measure {measure}\n{by}\n")).collect();
    format!("lango-query 1\ndataset residents\n{measures}price {price}\n")
}

/// A register with incomes that are declared, missing and out of bounds.
fn register() -> Register {
    let person = |sex, income| Person { sex: Some(sex), income, age: Some(40), ..Person::default() };
    Register::default()
        .with(4_000, person("F", Some(1_000_000)))
        .with(1_000, person("F", Some(9_000_000)))
        .with(3_000, person("M", Some(2_000_000)))
        .with(500, person("M", Some(-5)))
        .with(700, person("M", None))
}

#[tokio::test]
async fn every_measure_is_answered_within_its_noise() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &register()).await;
    let analyst = world.analyst();
    // Incomes clamped to the bounds: 4,000 of 1, 1,000 of 5, 3,000 of 2 and 500 of 0 million.
    for (measure, by, values, expected) in [
        ("rows", "by sex", None, vec![5_000, 4_200, 0, 0]),
        ("rows(income)", "by sex", None, vec![5_000, 3_500, 0, 0]),
        ("sum(income)", "by", None, vec![15_000_000_000]),
        ("share(sex)", "by", Some("F,M,_O,_U"), vec![5_000, 4_200, 0, 0]),
        ("mean(income)", "by", Some("above,below"), vec![15_000_000_000, 27_500_000_000]),
        (
            "histogram(income)",
            "by",
            Some("0,1000000,2000000,3000000,4000000,5000000"),
            vec![500, 4_000, 3_000, 0, 0, 1_000],
        ),
    ] {
        let answer = analyst.ask(&office, &ask(&[(measure, by)], "epsilon 10")).await.unwrap();
        let keys = answer.layout.margins()[0].values.as_ref();
        let keys = keys.map(|codes| codes.iter().map(Code::to_string).collect::<Vec<_>>().join(","));
        assert_eq!(keys.as_deref(), values, "{measure}");
        // Noise beyond 40 scales comes once in 10^17 draws.
        let scale = answer.plan.margins[0].measurement.noise().unwrap().scale;
        assert_eq!(answer.cells.len(), expected.len(), "{measure}");
        for (found, expected) in answer.cells.iter().zip(expected) {
            assert!((found - expected).abs() as f64 <= 40.0 * scale + 1.0, "{measure} {found} {expected}");
        }
        assert_eq!(answer.charged.pure_nano, Some(10_000_000_000), "{measure}");
    }
    // At so high a price the candidate nearest the rank asked for is chosen but once in e^100 times.
    let asked = ask(&[("quantile(income,0.1,0.5,0.9)", "by sex")], "epsilon 30");
    let answer = analyst.ask(&office, &asked).await.unwrap();
    assert_eq!(answer.cells[..6], [1_000_000, 1_000_000, 5_000_000, 0, 2_000_000, 2_000_000]);
}

#[tokio::test]
async fn a_unit_of_several_rows_counts_within_its_bounds() {
    let world = TestRegion::new();
    let policy = Policy::of("GHA");
    let mut keyless = Register::default();
    keyless.unit = "TEXT";
    let mut office = Office::prepare(&world, "GHA", &policy, &keyless);
    let row = |number: i64| -> Vec<Value> {
        let (unit, sex) = (format!("p{}", number % 5), if number % 2 == 0 { "F" } else { "M" });
        let (age, nothing) = ((number % 7).into(), Value::Null);
        vec![unit.into(), "TGO".into(), sex.into(), age, nothing, 2021.into(), 5.into()]
    };
    office.database.insert("residents", (0..100).map(row));
    office.write_policy(&policy.text().replace("rows_at_most = 1", "rows_at_most = 3, cells_at_most = 2"));
    office.up().await.unwrap();
    let analyst = world.analyst();
    // Five persons with twenty rows each, of which three are read. Noise of scale 0.06 is 0 but once in ten million draws.
    let answer = analyst.ask(&office, &ask(&[("rows", "by sex")], "epsilon 50")).await.unwrap();
    assert_eq!(answer.cells.iter().sum::<i64>(), 15);
    let answer = analyst.ask(&office, &ask(&[("persons", "by sex")], "epsilon 50")).await.unwrap();
    assert!((5..=10).contains(&answer.cells.iter().sum::<i64>()), "{:?}", answer.cells);
    assert!(answer.cells.iter().all(|persons| *persons <= 5), "{:?}", answer.cells);
}

/// Border records with a heavy tail: most persons have moved once or twice, a few hundreds of times.
#[tokio::test]
async fn the_demonstrations_movements_are_bounded_and_counted() {
    let world = TestRegion::new();
    let policy = Policy::of("TGO");
    let mut office = Office::prepare(&world, "TGO", &policy, &Register::default());
    let drawn = office.folder().join("drawn.sqlite");
    let draw = lango_registers::Draw { scale: 100, seed: 5 };
    let go_on = &|_| std::ops::ControlFlow::Continue(());
    lango_registers::write_register(&drawn, "TGO", &draw, go_on).unwrap();
    let columns = [
        ("event_id", "TEXT PRIMARY KEY"),
        ("person_id", "TEXT NOT NULL"),
        ("date", "TEXT"),
        ("direction", "TEXT"),
        ("post", "TEXT"),
        ("purpose", "TEXT"),
    ];
    office.database.take_over(&drawn, "border_movements", &columns);
    let text = include_str!("../../../crates/lango/src/demo/movements.toml").replace("GHA", "TGO");
    office.write_policy(&text);
    office.up().await.unwrap();
    let connection = rusqlite::Connection::open(&drawn).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let of_each =
        "SELECT sum(min(n, 12)) FROM (SELECT count(*) AS n FROM border_movements GROUP BY person_id)";
    let (all, bounded, persons) = (
        count("SELECT count(*) FROM border_movements"),
        count(of_each),
        count("SELECT count(DISTINCT person_id) FROM border_movements"),
    );
    assert!(bounded < all && persons < bounded, "{all} {bounded} {persons}");
    let question = |measure: &str| {
        format!("lango-query 1\ndataset border_movements\nmeasure {measure}\nby\nprice epsilon 2\n")
    };
    for (measure, truth) in [("rows", bounded), ("persons", persons)] {
        let answer = world.analyst().ask(&office, &question(measure)).await.unwrap();
        let std_err = answer.plan.margins[0].measurement.noise().unwrap().variance().sqrt();
        // Eight standard errors: once in 10^15 draws.
        assert!(
            ((answer.cells[0] - truth) as f64).abs() < 8.0 * std_err,
            "{measure} {} {truth}",
            answer.cells[0]
        );
    }
}

#[tokio::test]
async fn a_mean_is_divided_by_a_count_that_its_asker_may_have() {
    let world = TestRegion::new();
    let kofi = TestGrant {
        id: "kofi".into(),
        to: "spiffe://ecowas.example/analyst/kofi".into(),
        measures: r#"["mean(income)"]"#.into(),
        ..TestGrant::of("50", "100")
    };
    let awa = TestGrant { to: "spiffe://ecowas.example/analyst/awa".into(), ..TestGrant::of("50", "100") };
    let policy = Policy::of("GHA").grants([awa, kofi]);
    let office = Office::start(&world, &policy, &register()).await;
    let (awa, kofi) = (world.analyst(), world.caller(Role::Analyst, "kofi"));
    let counted = awa.ask(&office, &ask(&[("rows(income)", "by sex")], "epsilon 2")).await.unwrap();

    let mean = |epsilon: &str| ask(&[("mean(income)", "by sex")], &format!("epsilon {epsilon}"));
    let answer = awa.ask(&office, &mean("1")).await.unwrap();
    assert_eq!(answer.plan.earlier, [counted.statement.release_id]);
    assert_eq!(answer.earlier.len(), 1);
    assert_eq!((&answer.earlier[0].cells, answer.earlier[0].repeated), (&counted.cells, true));
    assert_eq!(answer.charged.pure_nano, Some(1_000_000_000), "what it is divided by is free");
    let centre = answer.plan.columns.values().next().unwrap().centre;
    assert_eq!(centre, Some(2_500_000));
    let mean_of_women = 2_500_000.0 + answer.cells[0] as f64 / counted.cells[0] as f64;
    assert!((mean_of_women - 1_800_000.0).abs() < 100_000.0, "{mean_of_women}");

    // The same again is the same, with what it is divided by.
    let again = awa.ask(&office, &mean("1")).await.unwrap();
    assert_eq!((again.repeated, &again.cells, again.earlier.len()), (true, &answer.cells, 1));
    let fetched = awa.fetch(&office, answer.statement.release_id).await.unwrap();
    assert_eq!((fetched.cells, fetched.earlier.len()), (answer.cells, 1));

    // Who may not have the count gets a mean by the pair, and not the one that needs the count.
    let answer = kofi.ask(&office, &mean("0.5")).await.unwrap();
    assert_eq!((answer.earlier.len(), answer.layout.margins()[0].width()), (0, 2));
    assert_eq!(kofi.ask(&office, &mean("1")).await.unwrap_err().refusal(), "measure-not-granted");
    // Other conditions are other rows.
    let filtered = mean("0.25").replace("price", "where age = 40\nprice");
    assert_eq!(awa.ask(&office, &filtered).await.unwrap().earlier.len(), 0);
}

#[tokio::test]
async fn a_precision_is_bought_for_no_more_than_the_policy_allows() {
    let world = TestRegion::new();
    let office =
        Office::start(&world, &Policy::of("GHA").grants([TestGrant::of("1", "2")]), &register()).await;
    let analyst = world.analyst();
    let precise =
        |width: u32| ask(&[("persons", "by sex")], &format!("precision {width} at 0.95 on persons by sex"));
    let price = analyst.estimate(&office, &precise(12)).await.unwrap();
    let answer = analyst.ask(&office, &precise(12)).await.unwrap();
    assert_eq!(answer.charged, price.loss.unwrap().into());
    // P(|X| <= 12) = 0.95 at epsilon 0.23 or so.
    let charged = answer.charged.pure_nano.unwrap();
    assert!((200_000_000..300_000_000).contains(&charged), "{charged}");
    assert_eq!(office.ledger().pure_nano(""), i64::try_from(charged).unwrap());
    for (width, refusal) in [(1, "epsilon-per-query-exceeded"), (0, "precision-out-of-range")] {
        let failed = analyst.ask(&office, &precise(width)).await.unwrap_err();
        assert_eq!(failed.refusal(), refusal, "{width}");
        assert_eq!(
            analyst.estimate(&office, &precise(width)).await.unwrap_err().refusal(),
            refusal,
            "{width}"
        );
    }
    let mean = ask(&[("mean(income)", "by")], "precision 5 at 0.95 on mean(income) by");
    assert_eq!(analyst.ask(&office, &mean).await.unwrap_err().refusal(), "precision-not-foreseen");
    assert_eq!(office.ledger().pure_nano(""), i64::try_from(charged).unwrap());
}

#[tokio::test]
async fn repro_a_count_that_cost_more_than_a_grant_allows_is_not_handed_out_under_it() {
    let world = TestRegion::new();
    let of = |name: &str, most: &str| TestGrant {
        id: name.into(),
        to: format!("spiffe://ecowas.example/analyst/{name}"),
        ..TestGrant::of(most, "100")
    };
    let policy = Policy::of("GHA").grants([of("awa", "50"), of("kofi", "1")]);
    let office = Office::start(&world, &policy, &register()).await;
    let (awa, kofi) = (world.analyst(), world.caller(Role::Analyst, "kofi"));
    let precise = ask(&[("rows(income)", "by sex")], "precision 1 at 0.95 on rows(income) by sex");
    let counted = awa.ask(&office, &precise).await.unwrap();
    assert!(counted.charged.pure_nano.unwrap() > 1_000_000_000, "{:?}", counted.charged);

    let mean = |epsilon: &str| ask(&[("mean(income)", "by sex")], &format!("epsilon {epsilon}"));
    assert_eq!(kofi.ask(&office, &precise).await.unwrap_err().refusal(), "epsilon-per-query-exceeded");
    assert_eq!(kofi.ask(&office, &mean("0.5")).await.unwrap().earlier.len(), 0);
    let fetched = kofi.fetch(&office, counted.statement.release_id).await;
    assert_eq!(fetched.unwrap_err().refusal(), "release-unknown");
    assert_eq!(awa.ask(&office, &mean("1")).await.unwrap().earlier.len(), 1);
    assert_eq!(kofi.ask(&office, &mean("1")).await.unwrap_err().refusal(), "epsilon-per-query-exceeded");
}

#[tokio::test]
async fn keys_are_found_in_the_data_for_a_delta_that_is_charged() {
    let world = TestRegion::new();
    let budget = "accounting = \"zcdp\"\ndelta = 1e-6\nepsilon = 8\nrenews = \"never\"";
    let grant = TestGrant {
        measures: r#"["persons", "keys(village)"]"#.into(),
        more: "delta_per_query = 5e-7".into(),
        by: r#"["sex"]"#.into(),
        filters: "[]".into(),
        ..TestGrant::of("2", "8")
    };
    let policy = Policy::of("GHA").budget(budget).grants([grant]);
    let text = policy
        .text()
        .replace("education = { codes = [\"none\", \"primary\", \"higher\"] }", "village = { open = true }");
    let mut office = Office::prepare(&world, "GHA", &policy, &Register::default());
    office.database.run("DROP TABLE residents");
    let numbers = ["age", "arrival_year", "income"].map(|name| (name, "INTEGER"));
    let texts = ["country_of_birth", "sex", "village"].map(|name| (name, "TEXT"));
    office.database.create(
        "residents",
        &[&[("person_id", "INTEGER PRIMARY KEY")], numbers.as_slice(), texts.as_slice()].concat(),
    );
    let row = |number: i64| -> Vec<Value> {
        let village = match number {
            1 => "Hamlet of one",
            2..=900 => "Ho",
            901..=1_990 => "New Town",
            _ => " ",
        };
        let nothing = std::iter::repeat_n(Value::Null, 5);
        [number.into()].into_iter().chain(nothing).chain([village.into()]).collect()
    };
    office.database.insert("residents", (1..=2_000).map(row));
    office.write_policy(&text);
    office.up().await.unwrap();
    let analyst = world.analyst();
    let question = ask(&[("keys(village)", "by")], "epsilon 1");
    let price = analyst.estimate(&office, &question).await.unwrap();
    assert!(price.plan.contains(" threshold "), "{}", price.plan);
    let answer = analyst.ask(&office, &question).await.unwrap();
    let values = answer.layout.margins()[0].values.as_ref().unwrap();
    assert_eq!(values.iter().map(Code::as_str).collect::<Vec<_>>(), ["Ho", "New%20Town"]);
    // An estimate says none of them: the answer may be held.
    let again = analyst.estimate(&office, &question).await.unwrap();
    assert_eq!((again.repeated, again.layout), (true, price.layout.clone()));
    assert!(
        (answer.cells[0] - 899).abs() < 200 && (answer.cells[1] - 1_090).abs() < 200,
        "{:?}",
        answer.cells
    );
    assert_eq!(answer.charged.delta_e18, 500_000_000_000);
    let again = analyst.ask(&office, &question).await.unwrap();
    assert_eq!((again.repeated, again.cells), (true, answer.cells));
    // Two such questions spend the account's delta; a third is refused, and what spends none is answered.
    analyst.ask(&office, &question.replace("epsilon 1", "epsilon 0.5")).await.unwrap();
    let failed = analyst.ask(&office, &question.replace("epsilon 1", "epsilon 0.25")).await.unwrap_err();
    assert_eq!(failed.refusal(), "budget-exceeded");
    analyst.ask(&office, &ask(&[("persons", "by sex")], "epsilon 0.25")).await.unwrap();
}
