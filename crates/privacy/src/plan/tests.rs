//! Plans: what they cost, what they refuse, and that they are read back as they were.

use super::{price::calibrate, *};
use crate::{
    Code, Column, DatasetKind, Domain, Grid, Measurement, Mechanism, NoiseSum, Objective, Range, Selection,
    SelectionLaw, Span, Unit,
};

mod bounds;

const DELTA: Accounting = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn residents() -> Dataset {
    let columns = [
        ("sex", Domain::codes(vec![code("F"), code("M")]).unwrap()),
        ("age", Domain::integer(0, 110, 5).unwrap()),
        ("arrival_year", Domain::integer(1900, 2024, 1).unwrap()),
        ("village", Domain::integer(1, 90_000, 1).unwrap()),
        ("moved", Domain::date("2023-07-01".into(), "2024-06-30".into(), Span::Month).unwrap()),
        ("hamlet", Domain::Open),
        ("wealth", Domain::amount(-5_000_000, 5_000_000, 2, None).unwrap()),
        ("debt", Domain::amount(i64::MIN, i64::MAX, 0, None).unwrap()),
    ];
    let income = Column::from(Domain::amount(0, 5_000_000, 2, None).unwrap());
    let income =
        income.with_bins(Grid::Every(1_000_000)).unwrap().with_candidates(Grid::Every(10_000)).unwrap();
    Dataset {
        name: "residents".parse().unwrap(),
        title: "Residents".into(),
        kind: DatasetKind::Stock,
        source: "register".into(),
        table: "residents".into(),
        version: code("2024-07-01"),
        unit: unit(1, 1),
        rows_below: Some(1 << 30),
        objective: Objective::Sum,
        bounds_drop: None,
        columns: columns
            .into_iter()
            .map(|(name, domain)| (name.parse().unwrap(), domain.into()))
            .chain([("income".parse().unwrap(), income)])
            .collect(),
    }
}

fn unit(rows_at_most: u32, cells_at_most: u32) -> Unit {
    Unit {
        column: "person_id".into(),
        noun: "person".parse().unwrap(),
        plural: "persons".parse().unwrap(),
        rows_at_most,
        cells_at_most,
    }
}

fn query(body: &str) -> Query {
    format!("lango-query 1\ndataset residents\n{body}\n").parse().unwrap()
}

fn basis<'a>(account: &'a Accounting, released: &'a [ReleasedTable]) -> Basis<'a> {
    Basis { account, delta_e18: 1_000_000_000, terms_digest: [7; 32], released }
}

fn plan(body: &str, account: &Accounting) -> Result<Plan, PlanRefusal> {
    compile(&query(body), &residents(), &basis(account, &[]))
}

fn laplace(scale: f64) -> Measurement {
    Measurement::Noise(Noise { mechanism: Mechanism::DiscreteLaplace, scale })
}

#[test]
fn one_margin_costs_the_whole_price() {
    let plan = plan("measure persons\nby age,sex\nprice epsilon 0.5", &Accounting::Pure).unwrap();
    assert_eq!(plan.loss, Loss::pure(500_000_000));
    assert_eq!(plan.layout.integers(), (23 + 2) * (2 + 2));
    assert_eq!(plan.margins[0].text.measurement, laplace(2.0));
    assert_eq!(
        plan.text().to_string(),
        format!(
            "lango-plan 1\nunit person rows_at_most 1 cells_at_most 1\nterms {}\n\
             margin persons by age,sex mechanism discrete-laplace scale 2 sensitivity 1 price 500000000\n",
            "07".repeat(32)
        )
    );
}

#[test]
fn measures_share_the_price_equally_and_nothing_is_spent_twice() {
    let plan = plan(
        "measure mean(income)\nby sex\nmeasure persons\nby sex\nmeasure rows\nby\nprice epsilon 1",
        &Accounting::Pure,
    );
    let plan = plan.unwrap();
    assert_eq!(plan.loss, Loss::pure(1_000_000_000));
    let prices: Vec<u64> = plan.margins.iter().map(|margin| margin.text.price_nano).collect();
    assert_eq!(prices, [333_333_333; 3]);
}

#[test]
fn margins_of_a_measure_never_cost_more_than_its_part() {
    for account in [Accounting::Pure, DELTA] {
        for body in ["measure persons\nby\nby sex\nby age,sex", "measure sum(income)\nby\nby age\nby sex"] {
            let plan = plan(&format!("{body}\nprice epsilon 1"), &account).unwrap();
            let spent: u64 = plan.margins.iter().map(|margin| margin.text.price_nano).sum();
            let whole = plan.loss.amount(&account).unwrap();
            assert!(spent <= whole && spent + 10 > whole, "{spent} {whole}");
            for PlannedMargin { text, sensitivity, .. } in &plan.margins {
                let Measurement::Noise(noise) = text.measurement else { panic!("{text:?}") };
                let loss = match noise.mechanism {
                    Mechanism::DiscreteLaplace => noise.epsilon(sensitivity.l1),
                    Mechanism::DiscreteGaussian => noise.rho(sensitivity.l2_squared),
                };
                if account == Accounting::Pure || noise.mechanism == Mechanism::DiscreteGaussian {
                    assert!(loss.unwrap() * 1e9 <= text.price_nano as f64 * (1.0 + 1e-12), "{text:?}");
                }
            }
        }
    }
}

#[test]
fn a_zcdp_account_buys_gaussian_noise_and_charges_rho() {
    let plan = plan("measure persons\nby sex\nprice epsilon 1", &DELTA).unwrap();
    assert_eq!((plan.loss.pure_nano, plan.loss.delta_e18), (None, 0));
    let noise = plan.margins[0].text.measurement.noise().unwrap();
    assert_eq!(noise.mechanism, Mechanism::DiscreteGaussian);
    assert!((noise.variance() - 0.5e9 / plan.loss.rho_nano as f64).abs() < 1e-6);
}

#[test]
fn sensitivities_are_those_of_the_bounds() {
    let claims = |measure: &str, by: &str, rows, cells| {
        let dataset = Dataset { unit: unit(rows, cells), ..residents() };
        let plan = compile(
            &query(&format!("measure {measure}\n{by}\nprice epsilon 1")),
            &dataset,
            &basis(&DELTA, &[]),
        );
        let Sensitivity { l0, l1, l2_squared, linf } = plan.unwrap().margins[0].sensitivity;
        (l0, l1, l2_squared, linf)
    };
    let income = 5_000_000u64;
    let square = |most: u64| u128::from(most) * u128::from(most);
    for (measure, by, rows, cells, expected) in [
        ("persons", "by sex", 1, 1, (1, 1, 1, 1)),
        ("persons", "by sex", 12, 3, (3, 3, 3, 1)),
        ("persons", "by sex", 12, 9, (4, 4, 4, 1)),
        ("persons", "by sex", 2, 9, (2, 2, 2, 1)),
        ("persons", "by", 12, 9, (1, 1, 1, 1)),
        ("share(sex)", "by", 12, 9, (4, 4, 4, 1)),
        ("rows", "by sex", 12, 3, (4, 12, 144, 12)),
        ("rows(income)", "by", 12, 3, (1, 12, 144, 12)),
        ("histogram(income)", "by", 12, 3, (6, 12, 144, 12)),
        ("sum(income)", "by sex", 2, 1, (2, 2 * income, square(2 * income), 2 * income)),
        ("sum(wealth)", "by sex", 1, 1, (1, income, square(income), income)),
        ("mean(wealth)", "by sex", 1, 1, (2, 2 * income, square(2 * income), 2 * income)),
        ("mean(income)", "by sex", 3, 1, (6, 3 * income, square(3 * income), 3 * income)),
        ("quantile(age,0.5)", "by sex", 3, 1, (3, 3, 9, 3)),
        ("keys(hamlet)", "by", 9, 3, (3, 3, 3, 1)),
    ] {
        assert_eq!(claims(measure, by, rows, cells), expected, "{measure} {by} {rows} {cells}");
    }
}

#[test]
fn a_quantile_costs_its_price_however_many_groups_there_are() {
    for (measure, account, law, scale) in [
        // At epsilon 1: scale 2 max(p, d - p) R / epsilon with p / d = 1 / 2.
        ("quantile(age,0.5)", Accounting::Pure, SelectionLaw::PermuteAndFlip, 2.0),
        // Two shares, 2/20 and 5/20: each half the price, and the larger of 18 and 15 scores.
        ("quantile(age,0.1,0.25)", Accounting::Pure, SelectionLaw::PermuteAndFlip, 72.0),
        // 1/4 and 2/4: the median's scores are twice those of 1/2, so its noise is half as much again as by itself.
        ("quantile(age,0.25,0.5)", Accounting::Pure, SelectionLaw::PermuteAndFlip, 12.0),
        ("quantile(age,0.5)", DELTA, SelectionLaw::Exponential, 4.53),
    ] {
        for by in ["by", "by sex"] {
            let plan = plan(&format!("measure {measure}\n{by}\nprice epsilon 1"), &account).unwrap();
            let Measurement::Selection(Selection { law: found, scale: drawn }) =
                plan.margins[0].text.measurement
            else {
                panic!("a quantile is chosen")
            };
            assert_eq!(found, law);
            assert!((drawn / scale - 1.0).abs() < 1e-3, "{measure} {drawn}");
        }
    }
}

#[test]
fn keys_are_searched_for_where_delta_may_be_spent() {
    let found = plan("measure keys(hamlet)\nby\nprice epsilon 1", &DELTA).unwrap();
    assert_eq!((found.loss.pure_nano, found.loss.delta_e18), (None, 1_000_000_000));
    let text = found.text().to_string();
    assert!(text.lines().last().unwrap().contains(" threshold "), "{text}");
    assert_eq!(text.parse::<PlanText>().unwrap(), found.text());
    let refused = |body: &str, account| plan(body, account).unwrap_err().code();
    assert_eq!(refused("measure keys(hamlet)\nby\nprice epsilon 1", &Accounting::Pure), "delta-not-granted");
    assert_eq!(refused("measure keys(hamlet)\nby sex\nprice epsilon 1", &DELTA), "keys-not-open");
    let without = Basis { delta_e18: 0, ..basis(&DELTA, &[]) };
    let refused = compile(&query("measure keys(hamlet)\nby\nprice epsilon 1"), &residents(), &without);
    assert_eq!(refused.unwrap_err().code(), "delta-not-granted");
}

#[test]
fn a_mean_is_divided_by_a_released_count_where_that_is_cheaper() {
    let table = |by: &str, scale| ReleasedTable {
        release_id: [scale as u8; 16],
        column: "income".parse().unwrap(),
        by: Margin::new(by.split(',').filter(|name| !name.is_empty()).map(|name| name.parse().unwrap())),
        noise: Noise { mechanism: Mechanism::DiscreteLaplace, scale },
    };
    for (released, earlier) in [
        (vec![], vec![]),
        // Of another margin.
        (vec![table("age", 2.0)], vec![]),
        // Too noisy: the pair is the better estimator.
        (vec![table("sex", 200.0)], vec![]),
        (vec![table("sex", 2.0)], vec![[2; 16]]),
        (vec![table("sex", 3.0), table("sex", 2.0), table("sex", 200.0)], vec![[2; 16]]),
    ] {
        let asked = query("measure mean(income)\nby sex\nprice epsilon 0.1");
        let account = Accounting::Pure;
        let plan = compile(&asked, &residents(), &basis(&account, &released)).unwrap();
        assert_eq!(plan.earlier, earlier);
        let centred = !earlier.is_empty();
        let expected = if centred { 5_000_000 / 2 } else { 5_000_000 };
        assert_eq!(plan.margins[0].sensitivity.l1, expected);
        let text: PlanText = plan.text().to_string().parse().unwrap();
        let range = Range { low: 0, high: 5_000_000, scale: 2 };
        let said = MeasuredColumn { range, centre: centred.then_some(2_500_000), candidates: None };
        assert_eq!(text.columns.values().collect::<Vec<_>>(), [&said]);
        assert_eq!(restore(&asked, &residents(), &text, plan.loss), Ok(plan));
    }
}

#[test]
fn a_precision_buys_the_least_amount_that_is_precise_enough() {
    for (measure, by, account) in [
        ("persons", "by age,sex", Accounting::Pure),
        ("rows", "by", DELTA),
        ("histogram(income)", "by sex", Accounting::Pure),
    ] {
        let body = format!("measure {measure}\n{by}\nprice precision 50 at 0.95 on {measure} {by}");
        let plan = plan(&body, &account).unwrap();
        let noise = plan.margins[0].text.measurement.noise().unwrap();
        let level = "0.95".parse().unwrap();
        assert!(NoiseSum::of([noise]).half_width(level).0 <= 50);
        let amount = plan.loss.amount(&account).unwrap();
        let dearer = Noise { scale: noise.scale * 1.03, ..noise };
        assert!(NoiseSum::of([dearer]).half_width(level).0 > 50, "{amount} is no more than is needed");
    }
    // In units of the column: 50 is 5,000 hundredths.
    let sum = plan("measure sum(income)\nby\nprice precision 50 at 0.95 on sum(income) by", &DELTA);
    assert_eq!(sum.unwrap_err().code(), "precision-out-of-range");
    let sum =
        plan("measure sum(income)\nby\nprice precision 500000 at 0.95 on sum(income) by", &DELTA).unwrap();
    let noise = sum.margins[0].text.measurement.noise().unwrap();
    assert!((1.9..2.0).contains(&(50_000_000.0 / noise.variance().sqrt())), "{noise}");
}

#[test]
fn a_zcdp_account_takes_laplace_where_its_variance_is_smaller() {
    // At a high rho nearly all the mass lies on 0, and the discrete Laplace is the tighter of the two or the Gaussian is;
    // whichever it is, it must be the smaller.
    for rho in [1_000, 24_356_000, 900_000_000, 8_000_000_000] {
        let one = Sensitivity { l0: 1, l1: 1, l2_squared: 1, linf: 1 };
        let chosen = calibrate(&one, &DELTA, rho).unwrap();
        let epsilon = (u128::from(rho) * 2_000_000_000).isqrt() as u64;
        let (laplace, gaussian) = (Noise::laplace(1, epsilon).unwrap(), Noise::gaussian(1, rho).unwrap());
        assert_eq!(chosen.variance(), laplace.variance().min(gaussian.variance()), "{rho}");
        assert!(Loss::pure(epsilon).rho_nano <= rho);
    }
}

#[test]
fn what_cannot_be_planned_is_refused_by_name() {
    for (body, code) in [
        ("measure households\nby sex\nprice epsilon 1", "unit-not-counted"),
        ("measure rows(religion)\nby sex\nprice epsilon 1", "column-not-declared"),
        ("measure sum(sex)\nby\nprice epsilon 1", "not-a-number"),
        ("measure mean(hamlet)\nby\nprice epsilon 1", "not-a-number"),
        ("measure sum(debt)\nby\nprice epsilon 1", "sum-could-overflow"),
        ("measure mean(debt)\nby\nprice epsilon 1", "sum-could-overflow"),
        ("measure histogram(wealth)\nby\nprice epsilon 1", "bins-not-declared"),
        ("measure median(wealth)\nby\nprice epsilon 1", "candidates-not-declared"),
        ("measure quantile(age)\nby\nprice epsilon 1", "quantile-out-of-range"),
        ("measure quantile(age,1.5)\nby\nprice epsilon 1", "quantile-out-of-range"),
        ("measure quantile(age,-0.5)\nby\nprice epsilon 1", "quantile-out-of-range"),
        ("measure quantile(age,0.0000001)\nby\nprice epsilon 1", "quantile-out-of-range"),
        ("measure share(income)\nby\nprice epsilon 1", "not-a-dimension"),
        ("measure share(sex)\nby sex\nprice epsilon 1", "share-by-itself"),
        ("measure keys(sex)\nby\nprice epsilon 1", "keys-not-open"),
        ("measure persons\nby hamlet\nprice epsilon 1", "not-a-dimension"),
        ("measure median(village)\nby age,sex\nprice epsilon 1", "too-many-cells"),
        ("measure mean(income)\nby\nprice precision 5 at 0.95 on mean(income) by", "precision-not-foreseen"),
        ("measure persons\nby\nprice precision 0 at 0.95 on persons by", "precision-out-of-range"),
        ("measure persons\nby\nprice precision 5 at 1 on persons by", "precision-out-of-range"),
        (
            "measure persons\nby sex\nwhere moved from 2020-01-01 to 2024-01-01\nprice epsilon 1",
            "filter-out-of-range",
        ),
        ("measure persons\nby sex\nwhere moved = 2024-01\nprice epsilon 1", "filter-out-of-range"),
        ("measure persons\nby sex\nprice epsilon 0", "epsilon-out-of-range"),
        ("measure persons\nby sex\nprice epsilon 100.1", "epsilon-out-of-range"),
        ("measure persons\nby sex\nprice epsilon 99999999999999999", "epsilon-out-of-range"),
        ("measure persons\nby sex\nprice epsilon 0.0000000001", "epsilon-out-of-range"),
        ("measure persons\nby\nby sex\nprice epsilon 0.000000001", "epsilon-out-of-range"),
        ("measure persons\nby religion\nprice epsilon 1", "column-not-declared"),
        ("measure persons\nby income\nprice epsilon 1", "not-a-dimension"),
        ("measure persons\nby age,arrival_year,moved,sex,village\nprice epsilon 1", "too-many-dimensions"),
        ("measure persons\nby age,sex,village\nprice epsilon 1", "too-many-cells"),
        ("measure persons\nby sex\nwhere religion = X\nprice epsilon 1", "column-not-declared"),
        ("measure persons\nby sex\nwhere sex = X\nprice epsilon 1", "filter-out-of-range"),
        ("measure persons\nby sex\nwhere sex from 1 to 2\nprice epsilon 1", "filter-out-of-range"),
        ("measure persons\nby sex\nwhere age from 0 to 111\nprice epsilon 1", "filter-out-of-range"),
        ("measure persons\nby sex\nwhere age from 0.5 to 11\nprice epsilon 1", "filter-out-of-range"),
        ("measure persons\nby sex\nwhere age = 007\nprice epsilon 1", "filter-out-of-range"),
        (
            "measure persons\nby sex\nwhere age from 2020-01-01 to 2021-01-01\nprice epsilon 1",
            "filter-out-of-range",
        ),
        ("measure persons\nby sex\nwhere income from 0 to 0.001\nprice epsilon 1", "filter-out-of-range"),
        ("version 2023\nmeasure persons\nby sex\nprice epsilon 1", "version-not-live"),
    ] {
        assert_eq!(plan(body, &Accounting::Pure).err().map(|refusal| refusal.code()), Some(code), "{body}");
    }
}

#[test]
fn conditions_are_planned_in_declared_values() {
    let body = "measure persons\nby sex\nwhere age from 15 to 24\nwhere age in 20,_U\nwhere income from 0.5 to 20\n\
                where moved from 2024-01-01 to 2024-06-30\nwhere sex in F,_O";
    let filters = plan(&format!("{body}\nprice epsilon 1"), &Accounting::Pure).unwrap().filters;
    let on: Vec<_> = filters.into_iter().map(|filter| filter.on).collect();
    assert_eq!(
        on,
        [
            FilterOn::Between(15, 24),
            FilterOn::Integers { values: vec![20], other: false, unknown: true },
            FilterOn::Between(50, 2_000),
            FilterOn::Days("2024-01-01".into(), "2024-06-30".into()),
            FilterOn::Codes { codes: vec![code("F")], other: true, unknown: false },
        ]
    );
}

#[test]
fn a_stored_plan_is_restored_as_it_was() {
    for account in [Accounting::Pure, DELTA] {
        let query = query(
            "measure mean(income)\nby\nmeasure persons\nby\nby age,sex\nmeasure quantile(age,0.25,0.5)\nby sex\n\
             measure share(sex)\nby age\nmeasure sum(income)\nby\nprice epsilon 0.3",
        );
        let plan = compile(&query, &residents(), &basis(&account, &[])).unwrap();
        let text: PlanText = plan.text().to_string().parse().unwrap();
        assert_eq!(restore(&query, &residents(), &text, plan.loss), Ok(plan));
        let other: Query =
            "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 0.3\n".parse().unwrap();
        assert_eq!(restore(&other, &residents(), &text, Loss::pure(1)), Err(RestoreError::Other));
    }
}

#[test]
fn the_terms_hold_what_an_answer_depends_on_and_nothing_else() {
    let query = query("measure persons\nby sex\nprice epsilon 1");
    let terms = |dataset: &Dataset| dataset.terms(query.columns(), &Accounting::Pure);
    let before = terms(&residents());
    assert_eq!(
        before,
        "lango-terms 2\nsource \"register\" table \"residents\"\nunit person \"person_id\"\nrows_at_most 1\ncells_at_most 1\ncolumn sex codes F,M\naccount pure\n"
    );
    let mut edited = residents();
    edited.title = "Another title".into();
    edited.columns.remove(&"age".parse::<Name>().unwrap());
    assert_eq!(terms(&edited), before);
    let moved = Dataset { table: "residents_2025".into(), ..edited.clone() };
    assert_ne!(terms(&moved), before, "rows of another table");
    edited.unit.rows_at_most = 2;
    assert_ne!(terms(&edited), before);
}

#[test]
fn repro_columns_that_order_the_rows_of_a_unit_are_in_the_terms() {
    let query = query("measure persons\nby sex\nprice epsilon 1");
    let terms = |dataset: &Dataset| dataset.terms(query.columns(), &Accounting::Pure);
    let mut several = residents();
    several.unit.rows_at_most = 2;
    let (before, age) = (terms(&several), "age".parse::<Name>().unwrap());
    // Other bands are other keys, and the same order.
    several.columns.insert(age.clone(), Domain::integer(0, 110, 10).unwrap().into());
    assert_eq!(terms(&several), before);
    several.columns.insert(age.clone(), Domain::codes(vec![code("young")]).unwrap().into());
    assert_ne!(terms(&several), before);
    several.columns.remove(&age);
    assert_ne!(terms(&several), before);
}

#[test]
fn so_little_epsilon_that_the_noise_cannot_be_drawn_is_refused_for_that() {
    // Ten decimals: a value adds up to 10^11.
    let mut dataset = residents();
    dataset.rows_below = Some(1_000_000);
    let weight = Domain::amount(0, 100_000_000_000, 10, None).unwrap();
    dataset.columns.insert("weight".parse().unwrap(), weight.into());
    let asked = |body: &str, account| compile(&query(body), &dataset, &basis(account, &[])).map(drop);
    let noisy = |measure: &str| Err(PlanRefusal::TooNoisy(measure.parse().unwrap()));
    for (body, account, expected) in [
        ("measure sum(weight)\nby sex\nprice epsilon 0.02", &DELTA, noisy("sum(weight)")),
        ("measure sum(weight)\nby sex\nprice epsilon 0.2", &DELTA, Ok(())),
        ("measure sum(weight)\nby sex\nprice epsilon 0.002", &Accounting::Pure, noisy("sum(weight)")),
        ("measure sum(weight)\nby sex\nprice epsilon 0.02", &Accounting::Pure, Ok(())),
        // The measure at fault is named, not the one beside it.
        (
            "measure persons\nby sex\nmeasure sum(weight)\nby sex\nprice epsilon 0.004",
            &Accounting::Pure,
            noisy("sum(weight)"),
        ),
        // A billionth, for two.
        (
            "measure persons\nby\nmeasure rows\nby\nprice epsilon 0.000000001",
            &Accounting::Pure,
            Err(PlanRefusal::TooThin(2)),
        ),
    ] {
        assert_eq!(asked(body, account), expected, "{body}");
    }
}
