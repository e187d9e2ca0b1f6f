//! Plans: what they cost, what they refuse, and that they are read back as they were.

use super::*;
use crate::{Domain, Kind, Unit};

const DELTA: Accounting = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn residents() -> Dataset {
    let columns = [
        ("sex", Domain::codes(vec![code("F"), code("M")]).unwrap()),
        ("age", Domain::integer(0, 110, 5).unwrap()),
        ("arrival_year", Domain::integer(1900, 2024, 1).unwrap()),
        ("income", Domain::amount(0, 5_000_000, 2, None).unwrap()),
        ("village", Domain::integer(1, 90_000, 1).unwrap()),
    ];
    Dataset {
        name: "residents".parse().unwrap(),
        title: "Residents".into(),
        kind: Kind::Stock,
        source: "register".into(),
        table: "residents".into(),
        version: code("2024-07-01"),
        unit: Unit {
            column: "person_id".into(),
            noun: "person".parse().unwrap(),
            rows_at_most: 1,
            cells_at_most: 1,
        },
        columns: columns
            .into_iter()
            .map(|(name, domain)| (name.parse().unwrap(), crate::Column { domain }))
            .collect(),
    }
}

fn plan(body: &str, account: &Accounting) -> Result<Plan, PlanRefusal> {
    let query: Query = format!("lango-query 1\ndataset residents\n{body}\n").parse().unwrap();
    compile(&query, &residents(), account, [7; 32])
}

#[test]
fn one_margin_costs_the_whole_price() {
    let plan = plan("measure persons\nby age,sex\nprice epsilon 0.5", &Accounting::Pure).unwrap();
    assert_eq!(plan.loss, Loss::pure(500_000_000));
    assert_eq!(plan.layout.cells(), (23 + 2) * (2 + 2));
    assert_eq!(plan.margins[0].noise, Noise { mechanism: crate::Mechanism::DiscreteLaplace, scale: 2.0 });
    assert_eq!(
        plan.text().to_string(),
        format!(
            "lango-plan 1\nunit person rows_at_most 1 cells_at_most 1\nterms {}\n\
             margin persons by age,sex mechanism discrete-laplace scale 2 sensitivity 1\n",
            "07".repeat(32)
        )
    );
}

#[test]
fn margins_share_the_price() {
    let plan = plan("measure persons\nby\nby sex\nprice epsilon 1", &Accounting::Pure).unwrap();
    assert_eq!(plan.loss, Loss::pure(1_000_000_000));
    assert!(plan.margins.iter().all(|margin| margin.noise.scale == 2.0));
}

#[test]
fn a_zcdp_account_buys_gaussian_noise_and_charges_rho() {
    let plan = plan("measure persons\nby sex\nprice epsilon 1", &DELTA).unwrap();
    assert_eq!((plan.loss.pure_nano, plan.loss.delta_e18), (None, 0));
    assert_eq!(plan.margins[0].noise.mechanism, crate::Mechanism::DiscreteGaussian);
    assert!((plan.margins[0].noise.variance() - 0.5e9 / plan.loss.rho_nano as f64).abs() < 1e-6);
}

#[test]
fn a_zcdp_account_takes_laplace_where_its_variance_is_smaller() {
    // At a high rho nearly all the mass lies on 0, and the discrete Laplace is the tighter of the two or the Gaussian is;
    // whichever it is, it must be the smaller.
    for rho in [1_000, 24_356_000, 900_000_000, 8_000_000_000] {
        let chosen = calibrate(&DELTA, 1, rho).unwrap();
        let epsilon = (u128::from(rho) * 2_000_000_000).isqrt() as u64;
        let (laplace, gaussian) = (Noise::laplace(1, epsilon).unwrap(), Noise::gaussian(1, rho).unwrap());
        assert_eq!(chosen.variance(), laplace.variance().min(gaussian.variance()), "{rho}");
        assert!(Loss::pure(epsilon).rho_nano <= rho);
    }
}

#[test]
fn what_cannot_be_planned_is_refused_by_name() {
    for (body, code) in [
        ("measure mean(income)\nby sex\nprice epsilon 1", "measure-not-supported"),
        ("measure rows\nby sex\nprice epsilon 1", "measure-not-supported"),
        ("measure persons\nby sex\nprice precision 5 at 0.95 on persons by sex", "price-not-supported"),
        ("measure persons\nby sex\nprice epsilon 0", "epsilon-out-of-range"),
        ("measure persons\nby sex\nprice epsilon 100.1", "epsilon-out-of-range"),
        ("measure persons\nby sex\nprice epsilon 99999999999999999", "epsilon-out-of-range"),
        ("measure persons\nby sex\nprice epsilon 0.0000000001", "epsilon-out-of-range"),
        ("measure persons\nby\nby sex\nprice epsilon 0.000000001", "epsilon-out-of-range"),
        ("measure persons\nby religion\nprice epsilon 1", "column-not-declared"),
        ("measure persons\nby income\nprice epsilon 1", "not-a-dimension"),
        ("measure persons\nby age,arrival_year,income,sex,village\nprice epsilon 1", "too-many-dimensions"),
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
    let body = "measure persons\nby sex\nwhere age from 15 to 24\nwhere age in 20,_U\nwhere income from 0.5 to 20\nwhere sex in F,_O";
    let filters = plan(&format!("{body}\nprice epsilon 1"), &Accounting::Pure).unwrap().filters;
    let on: Vec<_> = filters.into_iter().map(|filter| filter.on).collect();
    assert_eq!(
        on,
        [
            FilterOn::Between(15, 24),
            FilterOn::Integers { values: vec![20], other: false, unknown: true },
            FilterOn::Between(50, 2_000),
            FilterOn::Codes { codes: vec![code("F")], other: true, unknown: false },
        ]
    );
}

#[test]
fn a_stored_plan_is_restored_as_it_was() {
    for account in [Accounting::Pure, DELTA] {
        let query: Query =
            "lango-query 1\ndataset residents\nmeasure persons\nby\nby age,sex\nprice epsilon 0.3\n"
                .parse()
                .unwrap();
        let plan = compile(&query, &residents(), &account, [7; 32]).unwrap();
        let text: PlanText = plan.text().to_string().parse().unwrap();
        assert_eq!(restore(&query, &residents(), &text, plan.loss), Some(plan));
        let other: Query =
            "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 0.3\n".parse().unwrap();
        assert_eq!(restore(&other, &residents(), &text, Loss::pure(1)), None);
    }
}

#[test]
fn the_terms_hold_what_an_answer_depends_on_and_nothing_else() {
    let query: Query =
        "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 1\n".parse().unwrap();
    let terms = |dataset: &Dataset| dataset.terms(query.columns(), &Accounting::Pure);
    let before = terms(&residents());
    assert_eq!(
        before,
        "lango-terms 1\nunit person person_id\nrows_at_most 1\ncells_at_most 1\ncolumn sex codes F,M\naccount pure\n"
    );
    let mut edited = residents();
    edited.title = "Another title".into();
    edited.columns.remove(&"age".parse::<Name>().unwrap());
    assert_eq!(terms(&edited), before);
    edited.unit.rows_at_most = 2;
    assert_ne!(terms(&edited), before);
}
