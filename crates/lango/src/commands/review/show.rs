//! `lango review show`: one review, whole.

use clap::Args;
use lango_gateway::lapsed;
use lango_ledger::ReviewState;
use lango_policy::PolicySet;
use lango_privacy::{Layout, Level, PlanText};
use lango_statistics::{CombinedTable, OfficeRelease, combine};
use lango_store::{Examined, Stored, StoredReview};
use serde_json::json;

use super::{OneReview, list::Line, meaning};
use crate::{
    analyst::report::{ROWS_SHOWN, one_table},
    clock::today,
    commands::entries::question_lines,
    failure::Failure,
    output::{foreign, print, print_json},
};

#[derive(Debug, Args)]
pub struct ShowReview {
    #[command(flatten)]
    review: OneReview,
    /// The confidence of the answer's intervals.
    #[arg(long, value_name = "SHARE", default_value = "0.95")]
    confidence: Level,
    /// The most rows of a table; 0 shows all.
    #[arg(long, value_name = "NUMBER", default_value_t = ROWS_SHOWN)]
    rows: usize,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: ShowFormat,
}

/// How to print a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ShowFormat {
    /// For people.
    Table,
    /// For programs, without the answer's table.
    Json,
}

impl ShowReview {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let file = self.review.file()?;
        let policy = PolicySet::read(&file.policies(&self.review.config)?)?;
        let mut store = file.readable_store(&self.review.config).await?;
        let review = self.review.find(&mut store).await?;
        let now = lapsed(&policy, &review, today()?);
        if self.format == ShowFormat::Json {
            return print_json(&json!({ "review": Line::of(review)?, "lapses_because": now }));
        }
        let tables = match review.state {
            ReviewState::Held | ReviewState::Shown | ReviewState::Withheld => {
                self.answer(&mut store, &review, &policy.office).await?
            }
            ReviewState::Waiting | ReviewState::Approved | ReviewState::Rejected | ReviewState::Lapsed => {
                Vec::new()
            }
        };
        let mut text = head(review, now)?;
        for table in &tables {
            text += &format!("\n{}", one_table(table, self.confidence.get(), self.rows));
        }
        print(&text)
    }

    /// The noisy answer as its asker would see it: what is exact is kept nowhere.
    async fn answer(
        &self,
        store: &mut Examined,
        review: &StoredReview,
        office: &str,
    ) -> Result<Vec<CombinedTable>, Failure> {
        let Some(stored) = store.find(&review.subject.key).await? else { return Ok(Vec::new()) };
        let read = read(&stored)?;
        let mut divisors = Vec::new();
        for id in &read.plan.earlier {
            divisors.extend(store.release(id).await?);
        }
        let divisors = divisors.iter().map(self::read).collect::<Result<Vec<_>, _>>()?;
        let earlier = divisors.iter().map(|read| read.of(office, Vec::new())).collect();
        Ok(combine(&[read.of(office, earlier)], false, self.confidence)?)
    }
}

/// A stored release, read.
struct Read<'a> {
    layout: Layout,
    plan: PlanText,
    cells: &'a [i64],
}

impl Read<'_> {
    fn of<'a>(&'a self, office: &'a str, earlier: Vec<OfficeRelease<'a>>) -> OfficeRelease<'a> {
        OfficeRelease { office, layout: &self.layout, plan: &self.plan, cells: self.cells, earlier }
    }
}

fn read(stored: &Stored) -> Result<Read<'_>, Failure> {
    let damaged = |what: &'static str| {
        move |_| Failure::of("the store", format!("holds a release whose {what} cannot be read"))
    };
    Ok(Read {
        layout: stored.layout.parse().map_err(|_| damaged("layout")(()))?,
        plan: stored.plan.parse().map_err(damaged("plan"))?,
        cells: &stored.cells,
    })
}

/// What is reviewed, and how it stands.
fn head(review: StoredReview, lapses: Option<&'static str>) -> Result<String, Failure> {
    let state = review.state;
    let line = Line::of(review)?;
    let mut rows = vec![
        ("asked by", foreign(&line.principal)),
        ("for", foreign(&line.purpose)),
        ("under", foreign(&line.grant)),
        ("price", line.price()),
    ];
    let mut question = question_lines(&line.question, 86).into_iter();
    rows.push(("question", question.next().unwrap_or_default()));
    rows.extend(question.map(|more| ("", more)));
    rows.push(("state", format!("{}: {}", state.word(), meaning(state))));
    rows.extend(line.decision().map(|decision| ("decided", decision)));
    rows.extend(
        lapses.filter(|_| state.is_open()).map(|why| ("but", format!("{why}: it cannot be approved"))),
    );
    let row = |(name, value): &(&str, String)| format!("{name:<9} {value}").trim_end().to_owned();
    Ok(rows.iter().map(row).collect::<Vec<_>>().join("\n") + "\n")
}
