//! A precision that was asked for: whether it is met at each office, and by all of them added up.

use clap::ValueEnum;
use lango_analyst::{Answered, Prices};
use lango_privacy::{Decimal, Level, Margin, Measure, Price, Query};
use lango_statistics::{Foreseen, Planned, foresee};
use serde_json::{Value, json};

use crate::{
    analyst::{
        prices::width,
        report::{Remark, by, named, percent, real},
    },
    output::counted,
};

/// Of whose figures a precision is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PrecisionOf {
    /// Each office's own figures.
    #[default]
    Office,
    /// The figures of all offices that are asked, added up.
    Region,
}

/// A precision as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Sought {
    of: PrecisionOf,
    half_width: Decimal,
    level: Level,
    measure: Measure,
    by: Margin,
}

/// What comes of a precision: the half-width at each office, and of all of them added up, where there are several.
#[derive(Debug, PartialEq)]
struct Reached {
    offices: Vec<(String, f64)>,
    region: Option<f64>,
}

impl Sought {
    /// What a question asks for; nothing where it names its price. A precision of the region becomes one at each of the offices:
    /// the noises of N offices that are alike add up to one that is wider by the root of N.
    pub fn of(query: &mut Query, of: PrecisionOf, offices: usize) -> Option<Self> {
        let Price::Precision { half_width, confidence, measure, by } = &mut query.price else { return None };
        let level = confidence.as_str().parse().ok()?;
        let sought =
            Self { of, half_width: half_width.clone(), level, measure: measure.clone(), by: by.clone() };
        if of == PrecisionOf::Region && offices > 1 {
            *half_width = narrowed(half_width, offices)?;
        }
        Some(sought)
    }

    /// Whether prices buy it.
    pub fn foreseen(&self, prices: &Prices) -> Remark {
        let each = prices.priced.iter().map(|(office, priced)| {
            (office.as_str(), Planned { plan: &priced.plan, layout: &priced.layout })
        });
        self.remark(&each.collect::<Vec<_>>())
    }

    /// Whether an answer has it.
    pub fn found(&self, answered: &Answered) -> Remark {
        let each = answered.answers.iter().map(|(office, answer)| {
            (office.as_str(), Planned { plan: &answer.plan, layout: &answer.layout })
        });
        self.remark(&each.collect::<Vec<_>>())
    }

    fn remark(&self, offices: &[(&str, Planned<'_>)]) -> Remark {
        let outcome = Outcome { sought: self, reached: self.reached(offices) };
        Remark { name: "precision", text: outcome.text(), value: outcome.json() }
    }

    fn reached(&self, offices: &[(&str, Planned<'_>)]) -> Reached {
        let of = |planned: &[Planned<'_>]| {
            let margins = planned.first()?.plan.margins.iter();
            let mut places = margins.zip(foresee(planned, self.level));
            let (_, foreseen) =
                places.find(|(margin, _)| margin.measure == self.measure && margin.by == self.by)?;
            match foreseen? {
                Foreseen::Plain(error) => Some(error.half_width),
                Foreseen::Mean(_) | Foreseen::Share(_) | Foreseen::Chosen(_) | Foreseen::Found(..) => None,
            }
        };
        let each =
            offices.iter().filter_map(|(office, planned)| Some(((*office).to_owned(), of(&[*planned])?)));
        let all: Vec<Planned<'_>> = offices.iter().map(|(_, planned)| *planned).collect();
        Reached { offices: each.collect(), region: if all.len() > 1 { of(&all) } else { None } }
    }

    fn is_met(&self, half_width: f64) -> bool {
        let most: f64 = self.half_width.as_str().parse().unwrap_or_default();
        // A price buys a half-width to a ten-thousandth.
        half_width <= most * 1.000_1
    }
}

/// A precision that was asked for, and what came of it.
struct Outcome<'a> {
    sought: &'a Sought,
    reached: Reached,
}

impl Outcome<'_> {
    /// For people, in a few lines.
    fn text(&self) -> String {
        let Sought { of, half_width, level, measure, by } = self.sought;
        let Reached { offices, region } = &self.reached;
        let whom = match of {
            PrecisionOf::Office => "at each office",
            PrecisionOf::Region => "for the region",
        };
        let margin = named(&measure.to_string(), by);
        let mut lines = vec![format!("± {half_width} at {} on {margin} {whom}", percent(level.get()))];
        let short: Vec<&(String, f64)> =
            offices.iter().filter(|(_, reached)| !self.sought.is_met(*reached)).collect();
        let widest = offices.iter().map(|(_, reached)| *reached).fold(0.0, f64::max);
        let at_each = match (offices.len(), short.len()) {
            (0, _) => return String::new(),
            (_, 0) => format!("met at each office: ± {} at most", width(widest)),
            (all, some) if all == some => format!("not met at any office: ± {} at most", width(widest)),
            (_, _) => {
                let names: Vec<&str> = short.iter().map(|(office, _)| office.as_str()).collect();
                format!("not met at {}: ± {} at most", names.join(", "), width(widest))
            }
        };
        lines.push(at_each);
        if let Some(reached) = region {
            let word = if self.sought.is_met(*reached) { "met" } else { "not met" };
            let all = counted(offices.len(), "office");
            lines.push(format!("{word} for the region: ± {}, {all} added up", width(*reached)));
            if !self.sought.is_met(*reached) && *of == PrecisionOf::Office {
                lines.push("`--precision-of region` asks for it added up".to_owned());
            }
        }
        let lines = lines.iter().enumerate();
        lines.map(|(at, line)| format!("{:<9} {line}\n", if at == 0 { "precision" } else { "" })).collect()
    }

    /// For programs.
    fn json(&self) -> Value {
        let Sought { of, half_width, level, measure, by: margin } = self.sought;
        let one = |reached: f64| json!({ "half_width": real(reached), "met": self.sought.is_met(reached) });
        let offices = self.reached.offices.iter().map(|(office, reached)| {
            let mut value = one(*reached);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("office".to_owned(), json!(office));
            }
            value
        });
        json!({
            "of": match of { PrecisionOf::Office => "office", PrecisionOf::Region => "region" },
            "half_width": half_width.as_str().parse::<Value>().unwrap_or(Value::Null),
            "confidence": level.get(),
            "measure": measure.to_string(),
            "by": by(margin),
            "offices": offices.collect::<Vec<_>>(),
            "region": self.reached.region.map(one),
        })
    }
}

/// A half-width over the root of a number of offices, to five digits, rounded down.
fn narrowed(half_width: &Decimal, offices: usize) -> Option<Decimal> {
    let narrow = half_width.as_str().parse::<f64>().ok()? / (offices as f64).sqrt();
    let unit = 10f64.powi(narrow.log10().floor() as i32 - 4);
    let digits = usize::try_from(-(unit.log10().round() as i32)).unwrap_or(0);
    Decimal::unsigned(&format!("{:.digits$}", (narrow / unit).floor() * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: &str = "codes sex F,M,_O,_U\nmargin persons by sex\n";

    fn asked(half_width: &str) -> Query {
        let text = format!(
            "lango-query 1\ndataset d\nmeasure persons\nby sex\nprice precision {half_width} at 0.95 on persons by sex\n"
        );
        text.parse().unwrap()
    }

    fn sought(query: &mut Query, of: PrecisionOf, offices: usize) -> Sought {
        Sought::of(query, of, offices).unwrap()
    }

    /// What comes of offices with noises of these scales.
    fn outcome(sought: &Sought, scales: &[f64]) -> String {
        let plan = |scale: &f64| {
            format!(
                "lango-plan 1\nunit person rows_at_most 1 cells_at_most 1\nterms {}\n\
                 margin persons by sex mechanism discrete-laplace scale {scale} sensitivity 1 price 500000000\n",
                "00".repeat(32)
            )
        };
        let plans: Vec<lango_privacy::PlanText> =
            scales.iter().map(|scale| plan(scale).parse().unwrap()).collect();
        let layout = LAYOUT.parse().unwrap();
        let planned: Vec<(&str, Planned<'_>)> = ["BEN", "GHA", "TGO", "NGA"]
            .into_iter()
            .zip(plans.iter().map(|plan| Planned { plan, layout: &layout }))
            .collect();
        Outcome { sought, reached: sought.reached(&planned) }.text()
    }

    #[test]
    fn a_precision_of_the_region_is_a_finer_one_at_each_office() {
        for (half_width, of, offices, expected) in [
            ("50", PrecisionOf::Office, 15, "50"),
            ("50", PrecisionOf::Region, 15, "12.909"),
            ("50", PrecisionOf::Region, 4, "25"),
            ("50", PrecisionOf::Region, 1, "50"),
            ("0.5", PrecisionOf::Region, 3, "0.28867"),
            ("2000000", PrecisionOf::Region, 2, "1414200"),
        ] {
            let mut query = asked(half_width);
            let sought = sought(&mut query, of, offices);
            assert_eq!(sought.half_width.as_str(), half_width);
            let Price::Precision { half_width, .. } = &query.price else { panic!("no precision") };
            assert_eq!(half_width.as_str(), expected, "{offices}");
            assert_eq!(query.to_string().parse::<Query>().as_ref(), Ok(&query));
        }
        let mut priced: Query =
            "lango-query 1\ndataset d\nmeasure persons\nby sex\nprice epsilon 1\n".parse().unwrap();
        assert_eq!(Sought::of(&mut priced, PrecisionOf::Region, 3), None);
    }

    #[test]
    fn it_is_said_whether_a_precision_is_met_at_each_office_and_for_the_region() {
        let office = sought(&mut asked("13"), PrecisionOf::Office, 4);
        let said = outcome(&office, &[4.0; 4]);
        for line in [
            "precision ± 13 at 95 % on persons by sex at each office\n",
            "          met at each office: ± 12 at most\n",
            "          not met for the region: ± 23, 4 offices added up\n",
            "          `--precision-of region` asks for it added up\n",
        ] {
            assert!(said.contains(line), "{said}");
        }
        let said = outcome(&office, &[4.0, 8.0]);
        assert!(said.contains("not met at GHA: ± 24 at most"), "{said}");
        let region = sought(&mut asked("25"), PrecisionOf::Region, 4);
        let said = outcome(&region, &[4.0; 4]);
        assert!(said.starts_with("precision ± 25 at 95 % on persons by sex for the region\n"), "{said}");
        assert!(
            said.contains("met for the region: ± 23, 4 offices added up") && !said.contains("not met"),
            "{said}"
        );
        // One office alone is not added up.
        assert!(!outcome(&office, &[4.0]).contains("region"));
    }
}
