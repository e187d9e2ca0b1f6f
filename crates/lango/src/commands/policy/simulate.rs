//! `lango policy simulate`: a question rehearsed on invented units, with the policy's prices and the noise that an answer has.

use std::path::PathBuf;

use clap::Args;
use lango_analyst::{Answered, Prices};
use lango_identity::{PayloadType, Role, SpiffeId, digest};
use lango_ledger::{Balance, Limit};
use lango_policy::{AccessRequest, Granted, Judged, PolicySet};
use lango_privacy::{Basis, Level, Measured, Plan, compile, measure};
use lango_source::Invented;
use lango_statistics::{CELLS_MOST, Coverage, Outcome, combine_within, hide};
use lango_wire::{
    Basics, Cells, Charged, Reviewed, SignedHidden, SignedPrice, SignedRelease, VerifiedPrice,
    VerifiedRelease,
};
use serde_json::{Value, json};
use time::Date;

use super::{explain::TextFormat, named, quoted::wrapped};
use crate::{
    analyst::{
        prices::PriceList,
        question::{self, Draft},
        report::{AnswerReport, ROWS_SHOWN, Shown},
    },
    clock::{day, today},
    failure::Failure,
    output::{self, grouped},
};

#[derive(Debug, Args)]
pub struct PolicySimulate {
    /// A query file, as `lango query run` takes it.
    #[arg(value_name = "QUERYFILE")]
    query: PathBuf,
    /// The folder with the policy files, or one of them; what the configuration names by default, else `policies`.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The gateway's configuration, which says where the policy files are.
    #[arg(long, value_name = "FILE", conflicts_with = "folder")]
    config: Option<PathBuf>,
    /// Who asks: spiffe://REGION/analyst/NAME.
    #[arg(long, value_name = "URI")]
    principal: SpiffeId,
    /// What the answer is for, where the query file does not say it; official-statistics by default.
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// The day (UTC) on which it is asked, such as 2026-12-31; today by default.
    #[arg(long, value_name = "DAY", value_parser = day)]
    on: Option<Date>,
    /// How many units, such as persons, are invented.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 100_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000)
    )]
    units: u64,
    /// Which units are invented: the same for the same seed. The noise has none, and is another one at every run.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// The confidence of the intervals.
    #[arg(long, value_name = "P", default_value = "0.95")]
    confidence: Level,
    /// The most rows of a printed table; 0 prints all.
    #[arg(long, value_name = "N", default_value_t = ROWS_SHOWN)]
    rows: usize,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
}

impl PolicySimulate {
    pub fn run(&self) -> Result<(), Failure> {
        let set = named(self.folder.as_deref(), self.config.as_deref())?;
        let draft =
            question::read_file(&self.query).map_err(|failure| Failure::Usage(failure.to_string()))?;
        let purpose = self.purpose.as_deref().or(draft.purpose.as_deref()).unwrap_or("official-statistics");
        let on = self.on.map_or_else(today, Ok)?;
        let asked = AccessRequest {
            principal: &self.principal,
            purpose: Some(purpose),
            on: Some(on),
            epsilon_nano: None,
        };
        let refused = |why: String| {
            Err(Failure::Failed(format!(
                "the question is refused: {why}; `lango policy explain` shows the lines"
            )))
        };
        let granted = match set.judge(&asked, &draft.query) {
            Judged::Permitted { granted, .. } => granted,
            Judged::Unplanned { refusal, .. } => return refused(refusal.to_string()),
            Judged::Denied { denial, .. } => return refused(denial.to_string()),
        };
        let rehearsal = self.rehearsed(&set, &draft, granted)?;
        match self.format {
            TextFormat::Text => output::print(&rehearsal.text(self.rows)?),
            TextFormat::Json => output::print_json(&rehearsal.json()?),
        }
    }

    /// The question's price, and an answer that is measured as a gateway measures it, of invented units.
    fn rehearsed(&self, set: &PolicySet, draft: &Draft, granted: Granted<'_>) -> Result<Rehearsal, Failure> {
        let Granted { grant, dataset, budget, .. } = granted;
        let (account, delta_e18) = (&budget.account, grant.delta_per_query_e18);
        let basis = Basis { account, delta_e18, terms_digest: [0; 32], released: &[] };
        let plan = compile(&draft.query, dataset, &basis)?;
        let invented = Invented { units: self.units, seed: self.seed };
        let measured = measure(&plan, invented.count(&plan))?;
        let text = draft.query.to_string();
        let query_digest = digest(PayloadType::Text, text.as_bytes());
        let office = SpiffeId::new(self.principal.trust_domain(), Role::Office, &set.office)?;
        let basics = basics(&plan, query_digest, office);
        let priced = priced(&plan, granted, basics.clone())?;
        let answer = answer(&plan, granted, basics, measured)?;
        let (by_office, level) = (draft.by_office, self.confidence);
        let tables = combine_within(&[answer.side_by_side()], by_office, level, CELLS_MOST)?.0;
        let name = set.office.clone();
        Ok(Rehearsal {
            invented,
            rows_at_most: Invented::rows_at_most(&plan),
            plural: dataset.unit.plural.to_string(),
            prices: Prices {
                text: text.clone(),
                query_digest,
                level,
                priced: [(name.clone(), priced)].into(),
                unpriced: Vec::new(),
            },
            answered: Answered {
                text,
                query_digest,
                trace: None,
                coverage: Coverage::new([name.clone()], [(name.clone(), Outcome::Answered)])?,
                answers: [(name, answer)].into(),
                refusals: [].into(),
                tables,
                by_office,
                level,
                at_least: 0,
            },
        })
    }
}

/// What would be signed. Nobody signs it, and it goes nowhere but to the one who rehearses: its digests are of nothing.
fn basics(plan: &Plan, query_digest: [u8; 32], office: SpiffeId) -> Basics {
    Basics {
        request_digest: [0; 32],
        query_digest,
        office,
        dataset_version: plan.dataset.version.to_string(),
        policy_digest: [0; 32],
        plan_digest: [0; 32],
        layout_digest: [0; 32],
        loss: plan.loss,
        time: 0,
    }
}

fn priced(plan: &Plan, granted: Granted<'_>, basics: Basics) -> Result<VerifiedPrice, Failure> {
    let statement = SignedPrice {
        basics,
        charged: Charged { loss: plan.loss, repeated: false, account: granted.budget.account },
        queries_left: queries_left(plan, granted)?,
        bounds_drop: plan.dataset.bounds_drop.clone().unwrap_or_default(),
        reviewed: Reviewed::of(&granted, &plan.loss),
        shown_if: granted.grant.shown_if,
    };
    Ok(VerifiedPrice { statement, plan: plan.text(), layout: plan.layout.clone() })
}

fn answer(
    plan: &Plan,
    granted: Granted<'_>,
    basics: Basics,
    measured: Measured,
) -> Result<VerifiedRelease, Failure> {
    let account = granted.budget.account;
    let mut answer = VerifiedRelease {
        statement: SignedRelease {
            basics,
            cells_digest: Cells(&measured.integers).digest(),
            release_id: [0; 16],
            charged: Some(Charged { loss: plan.loss, repeated: false, account }),
            agreement: granted.grant.agreement.clone(),
            hidden: None,
        },
        charged: plan.loss,
        repeated: false,
        account,
        plan: plan.text(),
        layout: measured.layout,
        cells: measured.integers,
        hidden: None,
        earlier: Vec::new(),
        receipt: None,
    };
    if let Some(rule) = granted.grant.shown_if {
        let hidden = hide(&answer.side_by_side(), rule)?;
        hidden.cover(&mut answer.cells);
        answer.statement.hidden = Some(SignedHidden::new(rule, &hidden));
        answer.hidden = Some(hidden);
    }
    Ok(answer)
}

/// How many such questions the tighter of pool and grant allows in a period in which nothing else is asked.
fn queries_left(plan: &Plan, granted: Granted<'_>) -> Result<u64, Failure> {
    let Granted { grant, budget, .. } = granted;
    let mut least = u64::MAX;
    for epsilon_nano in [budget.epsilon_nano, grant.epsilon_total_nano] {
        let limit = Limit::of_epsilon(budget.account, epsilon_nano)?;
        least = least.min(Balance::default().queries_left(&plan.loss, &limit));
    }
    Ok(least)
}

/// A question's price, and an answer of invented units.
struct Rehearsal {
    invented: Invented,
    /// The most rows of a unit.
    rows_at_most: u32,
    /// What the units are called.
    plural: String,
    prices: Prices,
    answered: Answered,
}

impl Rehearsal {
    /// What the figures are of.
    fn note(&self) -> String {
        let Invented { units, seed } = self.invented;
        let rows = match self.rows_at_most {
            1 => "one row".to_owned(),
            most => format!("1 to {most} rows"),
        };
        format!(
            "INVENTED: every figure is of {} {} that do not exist (seed {seed}), each with {rows} in which every declared \
             value is as likely as any other. No register was read. Prices, noise and errors are those of the policy, before \
             anything is charged.",
            grouped(i64::try_from(units).unwrap_or(i64::MAX)),
            self.plural
        )
    }

    fn text(&self, rows: usize) -> Result<String, Failure> {
        let prices = PriceList { prices: &self.prices, remark: None }.text();
        let answer = AnswerReport(&self.answered).text(&Shown { rows, ..Shown::default() })?;
        Ok(format!("{}\n\n{}\n\n{}\nINVENTED\n", wrapped(&self.note(), ""), prices.trim_end(), answer))
    }

    fn json(&self) -> Result<Value, Failure> {
        let Invented { units, seed } = self.invented;
        Ok(json!({
            "invented": {
                "note": self.note(),
                "units": units,
                "plural": self.plural,
                "rows_at_most": self.rows_at_most,
                "seed": seed,
            },
            "price": PriceList { prices: &self.prices, remark: None }.json(),
            "answer": AnswerReport(&self.answered).value(&Shown::default())?,
        }))
    }
}
