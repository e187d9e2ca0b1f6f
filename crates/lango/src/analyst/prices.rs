//! A price as tables, JSON and CSV: what a question costs, how its price is shared, and what error that buys.

use lango_analyst::{NoAnswer, Prices};
use lango_privacy::{Accounting, MarginText, Measurement, SelectionLaw, nano};
use lango_statistics::{FORESEEN_OF, Foreseen, Planned, Uncertainty, foresee};
use lango_wire::VerifiedPrice;
use serde_json::{Map, Value, json};

use crate::{
    analyst::{
        ask::refused,
        offices::{alike, unanswered_alike},
        report::{Remark, billionths, by, epsilon, named, percent, real},
    },
    failure::Failure,
    output::{self, Format, brief, csv_field, foreign, grouped},
};

/// Prices to be shown.
pub struct PriceList<'a> {
    pub prices: &'a Prices,
    /// What else there is to say.
    pub remark: Option<Remark>,
}

impl PriceList<'_> {
    /// Prints the prices.
    pub fn print(&self, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json => output::print_json(&self.json()),
            Format::Csv => {
                // The rows have no place for who is not in them.
                output::say(self.coverage().trim_end());
                output::print(&self.csv())
            }
            Format::Table => output::print(&self.text()),
        }
    }

    /// Who named a price, and who did not and why, in a few lines.
    fn coverage(&self) -> String {
        let Prices { priced, unpriced, .. } = self.prices;
        let mut text = format!(
            "coverage  {} of {} offices named a price\n",
            priced.len(),
            priced.len() + unpriced.len()
        );
        for (offices, why) in unpriced_alike(unpriced) {
            let word = match why {
                NoAnswer::Refused(_) => "refused",
                NoAnswer::Missing(_) => "missing",
            };
            text += &format!("{word:<9} {} ({})\n", offices.join(", "), reason(why));
        }
        text
    }

    /// The stable form for programs.
    pub fn json(&self) -> Value {
        let offices: Vec<Value> =
            self.prices.priced.iter().map(|(office, priced)| self.office(office, priced)).collect();
        let absent = self.prices.unpriced.iter();
        let absent: Vec<Value> =
            absent.map(|(office, why)| json!({ "office": office, "reason": reason(why) })).collect();
        json!({
            "query": { "digest": hex::encode(self.prices.query_digest), "text": self.prices.text },
            "confidence": self.prices.level.get(),
            "offices": offices,
            "absent": absent,
            "region": self.region(),
            "precision": self.remark.as_ref().map(|remark| &remark.value),
        })
    }

    fn office(&self, office: &str, priced: &VerifiedPrice) -> Value {
        let margins: Vec<Value> = self
            .foreseen(priced)
            .map(|(margin, foreseen)| {
                let mut value = json!({
                    "measure": margin.measure.to_string(),
                    "by": by(&margin.by),
                    "price": billionths(margin.price_nano),
                    "mechanism": mechanism(&margin.measurement),
                    "scale": scale(&margin.measurement),
                });
                if let Some(object) = value.as_object_mut() {
                    object.extend(error(foreseen.as_ref()));
                }
                value
            })
            .collect();
        json!({
            "office": office,
            "accounting": priced.statement.charged.account.word(),
            "epsilon": billionths(epsilon(&priced.statement.basics.loss, &priced.statement.charged.account)),
            "delta": priced.statement.basics.loss.delta_e18 as f64 / 1e18,
            "charged": billionths(epsilon(&priced.statement.charged.loss, &priced.statement.charged.account)),
            "repeated": priced.statement.charged.repeated,
            "queries_left": priced.statement.queries_left,
            "rows_at_most": priced.plan.bounds.rows_at_most,
            "cells_at_most": priced.plan.bounds.cells_at_most,
            "bounds_drop": priced.statement.bounds_drop,
            "question_reviewed": priced.statement.reviewed.question,
            "answer_reviewed": priced.statement.reviewed.answer,
            "shown_if": priced.statement.shown_if.map(|rule| rule.to_string()),
            "margins": margins,
        })
    }

    /// The error of a sum over all offices that named a price, and of what is divided after adding up.
    fn region(&self) -> Vec<Value> {
        let planned: Vec<_> = self.prices.priced.values().map(planned).collect();
        let first = self.prices.priced.values().next();
        let margins = first.map(|priced| priced.plan.margins.as_slice()).unwrap_or_default();
        let each = margins.iter().zip(foresee(&planned, self.prices.level)).map(|(margin, foreseen)| {
            let mut value = json!({ "measure": margin.measure.to_string(), "by": by(&margin.by) });
            if let Some(object) = value.as_object_mut() {
                object.extend(error(foreseen.as_ref()));
            }
            value
        });
        each.collect()
    }

    /// Each margin of an office's plan with what is foreseen for it.
    fn foreseen<'a>(
        &self,
        priced: &'a VerifiedPrice,
    ) -> impl Iterator<Item = (&'a MarginText, Option<Foreseen>)> {
        priced.plan.margins.iter().zip(foresee(&[planned(priced)], self.prices.level))
    }

    const CSV: [&'static str; 9] = [
        "office",
        "margin",
        "accounting",
        "price",
        "mechanism",
        "std_err",
        "half_width",
        "rank_error",
        "queries_left",
    ];

    fn csv(&self) -> String {
        let mut text = Self::CSV.join(",") + "\n";
        for (office, priced) in &self.prices.priced {
            for (margin, foreseen) in self.foreseen(priced) {
                let error = error(foreseen.as_ref());
                let field = |name: &str| match error.get(name) {
                    Some(Value::Array(each)) => {
                        each.iter().map(Value::to_string).collect::<Vec<_>>().join(" ")
                    }
                    Some(value) => value.to_string(),
                    None => String::new(),
                };
                let row = [
                    office.clone(),
                    named(&margin.measure.to_string(), &margin.by),
                    priced.statement.charged.account.word().to_owned(),
                    nano(margin.price_nano),
                    mechanism(&margin.measurement).to_owned(),
                    field("std_err"),
                    field("half_width"),
                    field("rank_error"),
                    priced.statement.queries_left.to_string(),
                ];
                text += &(row.iter().map(|field| csv_field(field)).collect::<Vec<_>>().join(",") + "\n");
            }
        }
        text
    }

    /// A table for every price that there is, with the offices that name it.
    pub fn text(&self) -> String {
        let mut blocks: Vec<(String, Vec<&str>)> = Vec::new();
        for (office, priced) in &self.prices.priced {
            let block = self.block(priced);
            match blocks.iter_mut().find(|(known, _)| *known == block) {
                Some((_, offices)) => offices.push(office),
                None => blocks.push((block, vec![office])),
            }
        }
        let mut text = String::new();
        for (block, offices) in blocks {
            text += &format!("{}\n{block}\n", offices.join(" "));
        }
        for (index, line) in self.added_up().into_iter().enumerate() {
            text += &format!("{:<9} {line}\n", if index == 0 { "added up" } else { "" });
        }
        text.extend(self.remark.as_ref().map(|remark| remark.text.as_str()));
        for (offices, why) in unpriced_alike(&self.prices.unpriced) {
            match offices.as_slice() {
                [office] => text += &format!("{office:<9} {}\n", reason(why)),
                several => text += &format!("{}\n          {}\n", several.join(" "), reason(why)),
            }
        }
        text += "nothing was charged and no data was touched\n";
        text
    }

    /// The price of some offices, who name the same.
    fn block(&self, priced: &VerifiedPrice) -> String {
        let header = [
            "margin",
            "price",
            "mechanism",
            "std err",
            &format!("{} interval", percent(self.prices.level.get())),
        ];
        let rows = self.foreseen(priced).map(|(margin, foreseen)| {
            let (std_err, interval) = for_people(foreseen.as_ref());
            let mechanism = mechanism(&margin.measurement).to_owned();
            vec![
                named(&margin.measure.to_string(), &margin.by),
                nano(margin.price_nano),
                mechanism,
                std_err,
                interval,
            ]
        });
        let mut text = output::table(&header, &[1, 3], rows);
        let cost = nano(epsilon(&priced.statement.charged.loss, &priced.statement.charged.account));
        text += &match (priced.statement.charged.account, priced.statement.charged.repeated) {
            (_, true) => "\ncost      nothing: the answer is stored\n".to_owned(),
            (Accounting::Pure, false) => format!("\ncost      epsilon {cost}\n"),
            (Accounting::Zcdp { delta_e18 }, false) => format!(
                "\ncost      epsilon {cost} at delta {:e}: rho {}\n",
                delta_e18 as f64 / 1e18,
                nano(priced.statement.charged.loss.rho_nano)
            ),
        };
        if priced.statement.charged.loss.delta_e18 > 0 {
            text += &format!(
                "          and delta {:e} beside it\n",
                priced.statement.charged.loss.delta_e18 as f64 / 1e18
            );
        }
        text += &format!(
            "left      {} such questions in this period\n",
            grouped_u64(priced.statement.queries_left)
        );
        let bounds = &priced.plan.bounds;
        if bounds.rows_at_most > 1 {
            text += &format!(
                "bounds    at most {} rows of a {} are read, and at most {} where units are counted\n",
                bounds.rows_at_most, bounds.noun, bounds.cells_at_most
            );
        }
        if !priced.statement.bounds_drop.is_empty() {
            text += &format!("dropped   {}\n", foreign(&priced.statement.bounds_drop));
        }
        if let Some(words) = priced.statement.reviewed.in_words() {
            text += &format!("reviewed  the office {words}\n");
        }
        if let Some(rule) = priced.statement.shown_if {
            text += &format!("shown     a figure is shown if {}\n", rule.in_words());
        }
        text
    }

    /// The errors of all offices' figures together, where there are several.
    fn added_up(&self) -> Vec<String> {
        let planned: Vec<_> = self.prices.priced.values().map(planned).collect();
        let margins = self.prices.priced.values().next().map(|priced| priced.plan.margins.as_slice());
        if planned.len() < 2 {
            return Vec::new();
        }
        let each = margins.unwrap_or_default().iter().zip(foresee(&planned, self.prices.level));
        each.filter_map(|(margin, foreseen)| {
            let (std_err, interval) = for_people(Some(&foreseen?));
            let std_err = if std_err.is_empty() { std_err } else { format!("std err {std_err}, ") };
            Some(format!("{}: {std_err}interval {interval}", named(&margin.measure.to_string(), &margin.by)))
        })
        .collect()
    }
}

/// The plan of a price with its layout.
fn planned(priced: &VerifiedPrice) -> Planned<'_> {
    Planned { plan: &priced.plan, layout: &priced.layout }
}

/// Those who named no price, together where the reason is the same.
fn unpriced_alike(unpriced: &[(String, NoAnswer)]) -> Vec<(Vec<&str>, &NoAnswer)> {
    alike(unpriced.iter().map(|(office, why)| (office.as_str(), why)), |why| unanswered_alike(why))
}

/// Why an office named no price.
pub fn reason(why: &NoAnswer) -> String {
    match why {
        NoAnswer::Refused(refusal) => refused(refusal),
        NoAnswer::Missing(absence) => absence.to_string(),
    }
}

/// What is foreseen, in words: the standard error, and the interval.
pub fn for_people(foreseen: Option<&Foreseen>) -> (String, String) {
    let counted = grouped(i64::try_from(FORESEEN_OF).unwrap_or(i64::MAX));
    let ratio = |error: &Uncertainty, of: &str| {
        (String::new(), format!("about ± {} {of} {counted}", brief(error.half_width)))
    };
    match foreseen {
        None => (String::new(), "unknown".to_owned()),
        Some(Foreseen::Plain(Uncertainty { std_err, half_width })) => {
            (brief(*std_err), format!("± {}", width(*half_width)))
        }
        Some(Foreseen::Mean(error)) => ratio(error, "at a count of"),
        Some(Foreseen::Share(error)) => ratio(error, "for a half of"),
        Some(Foreseen::Chosen(rows)) => {
            let rows: Vec<String> = rows.iter().map(|rows| grouped_u64(*rows)).collect();
            (String::new(), format!("rank within {} rows of the best", rows.join(", ")))
        }
        Some(Foreseen::Found(Uncertainty { std_err, half_width }, threshold)) => {
            let interval =
                format!("± {}, reported from {} units on", width(*half_width), grouped(*threshold));
            (brief(*std_err), interval)
        }
    }
}

/// A half-width: as it is where it is whole, else with three digits.
pub fn width(half_width: f64) -> String {
    if half_width.fract() == 0.0 { output::number(half_width, 0) } else { brief(half_width) }
}

/// What is foreseen, for programs: `of` says of how many rows or units a ratio's error holds.
fn error(foreseen: Option<&Foreseen>) -> Map<String, Value> {
    let numbers = |Uncertainty { std_err, half_width }: &Uncertainty| {
        vec![("std_err", json!(std_err)), ("half_width", real(*half_width))]
    };
    let fields = match foreseen {
        None => Vec::new(),
        Some(Foreseen::Plain(error)) => numbers(error),
        Some(Foreseen::Mean(error) | Foreseen::Share(error)) => {
            [numbers(error), vec![("of", json!(FORESEEN_OF))]].concat()
        }
        Some(Foreseen::Chosen(rows)) => vec![("rank_error", json!(rows))],
        Some(Foreseen::Found(error, threshold)) => {
            [numbers(error), vec![("threshold", json!(threshold))]].concat()
        }
    };
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn mechanism(measurement: &Measurement) -> &'static str {
    match measurement {
        Measurement::Noise(noise) => noise.mechanism.word(),
        Measurement::Selection(selection) => match selection.law {
            SelectionLaw::PermuteAndFlip => "permute-and-flip",
            SelectionLaw::Exponential => "exponential",
        },
        Measurement::Discovery(_) => "gaussian-threshold",
    }
}

fn scale(measurement: &Measurement) -> f64 {
    match measurement {
        Measurement::Noise(noise) => noise.scale,
        Measurement::Selection(selection) => selection.scale,
        Measurement::Discovery(discovery) => discovery.noise.scale,
    }
}

fn grouped_u64(value: u64) -> String {
    i64::try_from(value).map_or_else(|_| "unlimited".to_owned(), grouped)
}

#[cfg(test)]
mod tests {
    use lango_privacy::{Level, Loss};
    use lango_wire::{Absence, Basics, Charged, SignedPrice};

    use super::*;

    const LAYOUT: &str = "codes sex F,M,_O,_U\nmargin keys(village) by values\nmargin mean(income) by values above,below\n\
                          margin persons by sex\nmargin quantile(income,0.1,0.5) by sex values 0.1,0.5\n\
                          margin share(sex) by values F,M,_O,_U\n";

    fn priced(loss: Loss, account: Accounting, bounds_drop: &str) -> VerifiedPrice {
        let plan = format!(
            "lango-plan 1\nunit person rows_at_most 3 cells_at_most 2\nterms {}\n\
             column income from 0 to 5000000 scale 0 candidates 501\n\
             margin keys(village) by mechanism discrete-gaussian scale 9 sensitivity 2 price 1000000 threshold 60\n\
             margin mean(income) by mechanism discrete-laplace scale 50000000 sensitivity 15000000 price 100000000\n\
             margin persons by sex mechanism discrete-laplace scale 20 sensitivity 2 price 100000000\n\
             margin quantile(income,0.1,0.5) by sex mechanism permute-and-flip scale 540 sensitivity 27 price 100000000\n\
             margin share(sex) by mechanism discrete-laplace scale 20 sensitivity 2 price 100000000\n",
            "07".repeat(32)
        );
        let basics = Basics {
            request_digest: [0; 32],
            query_digest: [0; 32],
            office: "spiffe://lango.example/office/GHA".parse().unwrap(),
            dataset_version: "1".to_owned(),
            policy_digest: [0; 32],
            plan_digest: [0; 32],
            layout_digest: [0; 32],
            loss,
            time: 0,
        };
        let charged = Charged { loss, repeated: false, account };
        let bounds_drop = bounds_drop.to_owned();
        VerifiedPrice {
            statement: SignedPrice {
                basics,
                charged,
                queries_left: 1_234,
                bounds_drop,
                reviewed: Default::default(),
                shown_if: None,
            },
            plan: plan.parse().unwrap(),
            layout: LAYOUT.parse().unwrap(),
        }
    }

    fn prices(priced: &[(&str, VerifiedPrice)]) -> Prices {
        Prices {
            text: String::new(),
            query_digest: [0; 32],
            level: Level::USUAL,
            priced: priced.iter().map(|(office, priced)| ((*office).to_owned(), priced.clone())).collect(),
            unpriced: vec![("TGO".to_owned(), NoAnswer::Missing(Absence::Unreachable))],
        }
    }

    #[test]
    fn offices_that_name_the_same_price_share_a_table() {
        let pure = priced(Loss::pure(500_000_000), Accounting::Pure, "");
        let account = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };
        let zcdp = priced(Loss::rho(24_356_000), account, "2 % of rows");
        let text = prices(&[("BEN", pure.clone()), ("GHA", zcdp), ("NGA", pure)]);
        let text = PriceList { prices: &text, remark: None }.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "BEN NGA");
        assert!(lines.contains(&"GHA") && lines.contains(&"cost      epsilon 0.5"), "{text}");
        for said in [
            "left      1,234 such questions in this period",
            "bounds    at most 3 rows of a person are read, and at most 2 where units are counted",
            "dropped   2 % of rows",
            "TGO       unreachable",
            "reported from 60 units on",
            "rank within 498, 498 rows of the best",
            "at delta 1e-6: rho 0.024356",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        let widest = lines.iter().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 120, "{widest}\n{text}");
    }

    #[test]
    fn programs_get_the_error_of_each_margin_as_far_as_it_is_foreseen() {
        let one = prices(&[("BEN", priced(Loss::pure(500_000_000), Accounting::Pure, ""))]);
        let margins = PriceList { prices: &one, remark: None }.json()["offices"][0]["margins"].clone();
        let fields = |margin: &Value| margin.as_object().unwrap().keys().skip(5).cloned().collect::<Vec<_>>();
        let fields: Vec<_> = margins.as_array().unwrap().iter().map(fields).collect();
        assert_eq!(fields[0], ["std_err", "half_width", "threshold"]);
        assert_eq!(fields[1], ["std_err", "half_width", "of"]);
        assert_eq!(fields[2], ["std_err", "half_width"]);
        assert_eq!(fields[3], ["rank_error"]);
        assert_eq!(
            (margins[3]["rank_error"].clone(), margins[2]["price"].clone()),
            (json!([498, 498]), json!(0.1))
        );
        let csv = PriceList { prices: &one, remark: None }.csv();
        assert!(
            csv.contains(
                "BEN,\"quantile(income,0.1,0.5) by sex\",pure,0.1,permute-and-flip,,,498 498,1234\n"
            ),
            "{csv}"
        );
    }
}
