//! The table of audits: every measure and mechanism, each on a table where one unit's rows go where they reveal most.

use lango_privacy::{Accounting, Discovery, Measurement, Mechanism, Noise, Plan, PlannedMargin, Selection};

use crate::{
    audit::{Claim, Neighbours, found, product},
    report::{each, print},
    seeds::{Seeds, times},
    sql::SqlTable,
    table::{self, Row, plan, released},
};

/// A question, and the unit that is in the table or not.
pub struct Audit {
    pub name: &'static str,
    pub price: Price,
    /// `rows_at_most` and `cells_at_most`.
    pub bounds: (u32, u32),
    /// The question's measures and margins, separated by `;`.
    pub question: &'static str,
    /// The rows of the unit: age, balance, income, region, sex, village.
    pub unit: &'static [&'static str],
    others: Others,
    /// Whether means are divided by a count that was released before.
    divided: bool,
    /// How many times the usual number of draws it takes to see what the unit does to all its parts.
    effort: usize,
}

/// What is paid, and what is audited of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Price {
    /// Epsilon 2.
    Pure,
    /// About rho 1/2: epsilon 5 at a delta of 1e-6.
    Zcdp,
    /// A delta of 1/20, large enough to be seen.
    Delta,
}

/// Who else is in the table.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Others {
    /// A few with rows as the bounds allow, all of the same age: two candidates are equally far from every quantile.
    Some,
    /// A hundred with a row each, so that the share 0.01 lies as far from one candidate as from another, and so does 0.03.
    Hundred,
}

use Price::{Delta, Pure, Zcdp};

const F: &str = "5 0 0 A F v";
const M: &str = "5 0 0 A M v";
const X: &str = "5 0 0 A X v";
const RICH: &str = "5 0 5000 A F v";
const POOR: &str = "5 0 -7 A F v";

#[rustfmt::skip]
pub const AUDITS: &[Audit] = &[
    audit("persons",                Pure, (1, 1), "persons;by", &[F]),
    audit("persons",                Zcdp, (1, 1), "persons;by", &[F]),
    audit("persons in three cells", Pure, (3, 3), "persons;by sex", &[F, M, X]),
    audit("persons in three cells", Zcdp, (3, 3), "persons;by sex", &[F, M, X]),
    audit("persons on a condition", Pure, (3, 3), "persons;by sex;where age from 2 to 7", &[F, M, X]),
    audit("persons of three rows",  Pure, (3, 1), "persons;by sex", &[F, M, X]),
    audit("rows in one cell",       Pure, (3, 1), "rows;by sex", &[F, F, F, F, F]),
    audit("rows in one cell",       Zcdp, (3, 1), "rows;by sex", &[F, F, F, F, F]),
    audit("rows in three cells",    Pure, (3, 1), "rows;by sex", &[F, M, X]),
    audit("rows with an income",    Pure, (2, 1), "rows(income);by", &[F, F]),
    audit("rows with an income",    Zcdp, (2, 1), "rows(income);by", &[F, F]),
    audit("sum above the bounds",   Pure, (2, 1), "sum(income);by", &[RICH, RICH]),
    audit("sum above the bounds",   Zcdp, (2, 1), "sum(income);by", &[RICH, RICH]),
    audit("sum below the bounds",   Pure, (2, 1), "sum(balance);by", &["5 -5000 0 A F v"; 2]),
    audit("mean at a bound",        Pure, (2, 1), "mean(income);by", &[POOR, POOR]),
    audit("mean at a bound",        Zcdp, (2, 1), "mean(income);by", &[POOR, POOR]),
    audit("mean in the middle",     Pure, (1, 1), "mean(income);by", &["5 0 500 A F v"]),
    audit("mean by released count", Pure, (2, 1), "mean(income);by", &[RICH, RICH]).divided(),
    audit("mean by released count", Zcdp, (2, 1), "mean(income);by", &[RICH, RICH]).divided(),
    audit("share in two keys",      Pure, (2, 2), "share(sex);by", &[F, M]),
    audit("share in two keys",      Zcdp, (2, 2), "share(sex);by", &[F, M]),
    audit("median",                 Pure, (1, 1), "quantile(age,0.5);by", &["0 0 0 A F v"]),
    audit("median",                 Zcdp, (1, 1), "quantile(age,0.5);by", &["0 0 0 A F v"]),
    audit("median in two cells",    Pure, (2, 1), "quantile(age,0.5);by sex", &["9 0 0 A F v", "9 0 0 A M v"]),
    audit("median of two rows",     Zcdp, (2, 1), "quantile(age,0.5);by sex", &["9 0 0 A F v"; 2]),
    audit("two quantiles",          Pure, (1, 1), "quantile(balance,0.01,0.03);by", &["5 -900 0 A F v"]).hundred().effort(6),
    audit("histogram in two bins",  Pure, (2, 1), "histogram(income);by", &[POOR, RICH]),
    audit("histogram in one bin",   Zcdp, (2, 1), "histogram(income);by", &[RICH, RICH]),
    audit("cube of persons",        Pure, (1, 1), "persons;by;by region;by sex", &[F]),
    audit("cube of persons",        Zcdp, (1, 1), "persons;by;by sex;by region,sex", &[F]),
    audit("margins side by side",   Pure, (2, 2), "persons;by;by sex", &[F, M]),
    audit("cube of sums",           Zcdp, (2, 1), "sum(income);by;by sex", &[RICH, RICH]),
    audit("four measures at once",  Pure, (1, 1), FOUR, &["0 400 1000 A F v"]).effort(4),
    audit("four measures at once",  Zcdp, (1, 1), FOUR, &["0 400 1000 A F v"]),
    audit("keys that many have",    Zcdp, (2, 2), "keys(village);by", &["5 0 0 A F north", "5 0 0 A F south"]),
    audit("a key of nobody else",   Delta, (1, 1), "keys(village);by", &[F]),
    audit("keys of nobody else",    Delta, (2, 2), "keys(village);by", &[F, "5 0 0 A F w"]),
];
const FOUR: &str = "persons;by;measure sum(income);by;measure mean(balance);by;measure quantile(age,0.5);by";

const fn audit(
    name: &'static str,
    price: Price,
    bounds: (u32, u32),
    question: &'static str,
    unit: &'static [&'static str],
) -> Audit {
    Audit { name, price, bounds, question, unit, others: Others::Some, divided: false, effort: 1 }
}

impl Audit {
    const fn divided(mut self) -> Self {
        self.divided = true;
        self
    }

    const fn effort(mut self, effort: usize) -> Self {
        self.effort = effort;
        self
    }

    const fn hundred(mut self) -> Self {
        self.others = Others::Hundred;
        self
    }

    /// The audit of this name and price.
    pub fn named(name: &str, price: Price) -> &'static Self {
        AUDITS.iter().find(|audit| audit.name == name && audit.price == price).unwrap()
    }

    /// The epsilon that is paid.
    fn epsilon(&self) -> &'static str {
        match self.price {
            Pure => "2",
            Zcdp => "5",
            Delta => "0.05",
        }
    }

    /// The question's plan at an epsilon.
    fn plan(&self, epsilon: &str) -> Plan {
        let account = match self.price {
            Pure => Accounting::Pure,
            Zcdp => Accounting::Zcdp { delta_e18: 1_000_000_000_000 },
            Delta => Accounting::Zcdp { delta_e18: 50_000_000_000_000_000 },
        };
        let count = Noise { mechanism: Mechanism::DiscreteLaplace, scale: 0.01 };
        let earlier = if self.divided { released(count) } else { Vec::new() };
        let body = format!("measure {}\nprice epsilon {epsilon}", self.question.replace(';', "\n"));
        plan(&body, &table::dataset(self.bounds.0, self.bounds.1), &account, &earlier)
    }

    /// The two tables as they are counted, and the plan.
    pub fn neighbours(&self) -> Neighbours {
        self.neighbours_at(self.epsilon(), |_| ())
    }

    /// The same at another price, counted by another plan than is measured by.
    pub fn neighbours_at(&self, epsilon: &str, change: impl Fn(&mut Plan)) -> Neighbours {
        let (plan, others) = (self.plan(epsilon), self.others());
        let mut by = plan.clone();
        change(&mut by);
        let all: Vec<Row> = self.unit.iter().map(|row| Row::read(0, row)).chain(others).collect();
        let mut seeds = Seeds::of(self.question);
        let table = SqlTable::of(&all, seeds.bytes());
        let with = table.count(&by);
        Neighbours { plan, with, without: table.without(0).count(&by) }
    }

    /// The same, counted by another plan than is measured by.
    pub fn counted_by(&self, change: impl Fn(&mut Plan)) -> Neighbours {
        self.neighbours_at(self.epsilon(), change)
    }

    fn others(&self) -> Vec<Row> {
        let mut seeds = Seeds::of(self.name);
        let mut rows = Vec::new();
        let mut add = |unit: i64, balance: i64| {
            let (income, sex) = (seeds.between(-100, 1_200), seeds.one(&["F", "M", "-"]));
            let (region, village) = (seeds.one(&["A", "B"]), seeds.one(&["north", "south"]));
            rows.push(Row::read(unit, &format!("5 {balance} {income} {region} {sex} {village}")));
        };
        match self.others {
            Others::Some => (1..=24).for_each(|unit| {
                (0..=unit % i64::from(self.bounds.0)).for_each(|row| add(unit, 40 * unit * row - 1_000));
            }),
            // The candidates -700 to 200 have 0, 2, 2 and 4 of 100 rows below them.
            Others::Hundred => (0..100).for_each(|unit| {
                add(
                    unit + 1,
                    if unit < 2 {
                        -600
                    } else if unit < 4 {
                        100
                    } else {
                        300
                    },
                );
            }),
        }
        rows
    }

    /// The word for how its first margin is measured.
    pub fn mechanism(&self) -> String {
        let measurement = self.plan(self.epsilon()).margins[0].text.measurement.to_string();
        measurement.split(' ').next().unwrap_or_default().to_owned()
    }

    /// What the plan promises.
    pub fn claim(&self, plan: &Plan) -> Claim {
        let delta = plan.loss.delta_e18 as f64 / 1e18;
        match self.price {
            Pure => Claim::Epsilon(plan.loss.pure_nano.unwrap() as f64 / 1e9),
            Zcdp => Claim::Rho { rho: plan.loss.rho_nano as f64 / 1e9, delta },
            Delta => Claim::Delta(delta),
        }
    }
}

/// A measurement with `times` the noise; a threshold is then as many times as far off in terms of it.
pub fn rescaled(measurement: Measurement, times: f64) -> Measurement {
    let scaled = |noise: Noise| Noise { scale: noise.scale * times, ..noise };
    match measurement {
        Measurement::Noise(noise) => Measurement::Noise(scaled(noise)),
        Measurement::Selection(selection) => {
            Measurement::Selection(Selection { scale: selection.scale * times, ..selection })
        }
        Measurement::Discovery(Discovery { noise, threshold }) => Measurement::Discovery(Discovery {
            noise: scaled(noise),
            threshold: (threshold as f64 * times * times) as i64,
        }),
    }
}

impl Neighbours {
    /// The same, measured with `times` the noise in each margin.
    pub fn with_noise(mut self, times: impl Fn(&PlannedMargin) -> f64) -> Self {
        for margin in &mut self.plan.margins {
            margin.text.measurement = rescaled(margin.text.measurement, times(margin));
        }
        self
    }
}

#[test]
fn releases_distinguish_neighbours_no_better_than_was_paid_for_and_would_at_half_the_noise() {
    let results = each(AUDITS, |audit| {
        let neighbours = audit.neighbours();
        let claim = audit.claim(&neighbours.plan);
        let halved = neighbours.clone().with_noise(|_| 0.5);
        let draws = |usually: usize| audit.effort * times(usually);
        let whole = found(&neighbours, &claim, &product, draws(16_000));
        (audit, claim, whole, found(&halved, &claim, &product, draws(5_000)))
    });
    let line = |(audit, claim, whole, halved): &(&Audit, Claim, f64, f64)| {
        let mechanism = audit.mechanism();
        let verdict = if *whole <= claim.figure() { "holds" } else { "BROKEN" };
        let figures = [claim.figure(), *whole, *halved].map(|figure| claim.write(figure));
        let [claimed, whole, halved] = figures;
        [audit.name.to_owned(), mechanism, claimed, whole, halved, verdict.to_owned()]
    };
    let lines: Vec<_> = results.iter().map(line).collect();
    print(["audit", "mechanism", "epsilon claimed", "found", "half the noise", ""], &lines);
    for (audit, claim, whole, halved) in results {
        assert!(whole <= claim.figure(), "{} is less private than it claims", audit.name);
        assert!(halved > claim.figure(), "{}: half the noise is not seen", audit.name);
    }
}
