//! What is seen while files are read.

use std::{ops::ControlFlow, time::Instant};

use indicatif::ProgressBar;
use lango_import::ImportEvent;

use crate::output::{bar, grouped, say};

/// A bar with the rows so far, and what is said above it.
pub struct ShownProgress {
    begun: Instant,
    bar: ProgressBar,
    /// Rows of an interrupted run.
    before: u64,
}

impl ShownProgress {
    /// With a word for what is done.
    pub fn new(word: &str) -> Self {
        let template = format!("{word}  {{bar:30}} {{binary_bytes}}/{{binary_total_bytes}}  {{msg}}");
        Self { begun: Instant::now(), bar: bar(&template, 0), before: 0 }
    }

    /// Above the bar, where there is one.
    fn say(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    pub fn hear(&mut self, event: ImportEvent) -> ControlFlow<()> {
        match event {
            ImportEvent::Resumed(rows) => {
                self.before = rows;
                let rows = grouped(rows.cast_signed());
                self.say(&format!("an interrupted import goes on: {rows} rows are in already"));
            }
            ImportEvent::Afresh(what) => {
                self.say(&format!(
                    "an interrupted import cannot go on: {what} is another now; starting afresh"
                ));
            }
            ImportEvent::Read { bytes, of, rows } => {
                let rate =
                    rows.saturating_sub(self.before) as f64 / self.begun.elapsed().as_secs_f64().max(0.001);
                let rate = grouped(rate as i64);
                self.bar.set_length(of);
                self.bar.set_position(bytes);
                self.bar.set_message(format!("{} rows, {rate} a second", grouped(rows.cast_signed())));
            }
            ImportEvent::Comparing => self.bar.set_message("all rows are in; comparing identifiers"),
            ImportEvent::Keying => self.bar.set_message("all rows are in; making the unit's key"),
        }
        ControlFlow::Continue(())
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
