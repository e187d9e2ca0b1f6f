//! `lango review show`: one review, whole.

use clap::Args;
use lango_gateway::{ReviewFound, ReviewedTable};
use lango_policy::PolicySet;
use lango_privacy::{Layout, Level, PlanText};
use lango_statistics::{CombinedTable, OfficeRelease, combine};
use lango_store::StoredReview;
use serde_json::json;

use super::{OneReview, list::Line, meaning};
use crate::{
    administrator::desk::Reached,
    analyst::report::{ROWS_SHOWN, one_table},
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
        let place = self.review.desk.open().await?;
        let ReviewFound { review, lapses, tables } = self.review.find(&place).await?;
        if self.format == ShowFormat::Json {
            return print_json(&json!({ "review": Line::of(review)?, "lapses_because": lapses }));
        }
        let office = match &place {
            Reached::Files(config, file) => {
                let mut store = file.readable_store(config).await?;
                PolicySet::read(&file.deciding(config, &mut store).await?)?.office
            }
            Reached::Gateway(gateway) => gateway.office().name().to_owned(),
        };
        let tables = self.answer(&tables, &office)?;
        let mut text = head(review, lapses.as_deref())?;
        for table in &tables {
            text += &format!("\n{}", one_table(table, self.confidence.get(), self.rows, &Default::default()));
        }
        print(&text)
    }

    /// The noisy answer as its asker would see it.
    fn answer(&self, tables: &[ReviewedTable], office: &str) -> Result<Vec<CombinedTable>, Failure> {
        let read = tables.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let Some((answer, divisors)) = read.split_first() else { return Ok(Vec::new()) };
        let earlier = divisors.iter().map(|read| read.of(office, Vec::new())).collect();
        Ok(combine(&[answer.of(office, earlier)], false, self.confidence)?)
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
        OfficeRelease {
            office,
            layout: &self.layout,
            plan: &self.plan,
            cells: self.cells,
            hidden: None,
            earlier,
        }
    }
}

fn read(table: &ReviewedTable) -> Result<Read<'_>, Failure> {
    let damaged = |what: &'static str| {
        move |_| Failure::of("the store", format!("holds a release whose {what} cannot be read"))
    };
    Ok(Read {
        layout: table.layout.parse().map_err(|_| damaged("layout")(()))?,
        plan: table.plan.parse().map_err(damaged("plan"))?,
        cells: &table.cells,
    })
}

/// What is reviewed, and how it stands.
fn head(review: StoredReview, lapses: Option<&str>) -> Result<String, Failure> {
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
        lapses
            .filter(|_| state.is_open())
            .map(|why| ("but", format!("{}: it cannot be approved", foreign(why)))),
    );
    let row = |(name, value): &(&str, String)| format!("{name:<9} {value}").trim_end().to_owned();
    Ok(rows.iter().map(row).collect::<Vec<_>>().join("\n") + "\n")
}
