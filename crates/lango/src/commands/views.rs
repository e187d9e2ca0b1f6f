//! What is said of views in which one unit's row may decide on another's.

use lango_privacy::Dataset;
use lango_source::{Mixing, MixingView};

/// What to do about one.
pub const ADVICE: &str = "make each row of it of one unit's own rows alone: docs/PRIVACY.md, What a view must be; it is for the office to see";

/// What stands against a dataset's view, if anything does.
pub fn finding(dataset: &Dataset, mixing: &[MixingView]) -> Option<String> {
    let view = mixing.iter().find(|view| view.table == dataset.table)?;
    let (table, noun) = (&view.table, &dataset.unit.noun);
    Some(match &view.by {
        Some(by) => {
            let by: Vec<&str> = by.iter().map(|by| word(*by)).collect();
            format!(
                "the view `{table}`, or one that it reads, has {}: the row of one {noun} may decide on what is counted of others, which \
                 no noise covers",
                by.join(", ")
            )
        }
        None => format!(
            "`{table}` is a view, whose definition is not read: if the row of one {noun} decides in it on what is counted of others, no \
             noise covers that"
        ),
    })
}

fn word(by: Mixing) -> &'static str {
    match by {
        Mixing::Subquery => "a subquery",
        Mixing::Join => "a join",
        Mixing::Window => "a window function",
        Mixing::Aggregate => "an aggregate",
        Mixing::Distinct => "DISTINCT or the like",
        Mixing::Limit => "LIMIT or OFFSET",
    }
}
