//! A combined margin: axes, and a cell for every combination of their codes.

use std::collections::{BTreeMap, HashSet};

use lango_privacy::{Measure, OTHER, UNKNOWN};

/// The dimension that lays answers out by office. It never stands in a question.
pub const OFFICE: &str = "office";

/// One margin of one measure, over several offices.
#[derive(Debug, Clone, PartialEq)]
pub struct CombinedTable {
    /// What is computed.
    pub measure: Measure,
    /// By what; [`OFFICE`] first where offices are laid out one by one.
    pub axes: Vec<Axis>,
    /// Row-major over the axes: the last one runs fastest.
    pub cells: Vec<Cell>,
    /// The cells, by their places, of which some offices hide their part, and these: it is not in the figure.
    pub hidden: BTreeMap<usize, Vec<String>>,
}

/// A dimension of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Its name.
    pub dimension: String,
    /// Its keys in order; the lone `_T` where it is summed over.
    pub codes: Vec<String>,
}

/// One cell. It holds no figure where its status says that one is missing, and where none can be estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The figure, if there is one.
    pub figure: Option<Figure>,
    /// How the figure is to be read.
    pub status: Status,
}

/// A noisy number and how far it may lie from the truth, in the unit of its column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// The best estimate; may be negative. Whole where it is the sum of whole numbers as measured.
    pub value: f64,
    /// Its standard error; `None` where there is none, as for a chosen quantile.
    pub std_err: Option<f64>,
    /// The interval's lower end, where there is an interval.
    pub lower: Option<f64>,
    /// The interval's upper end.
    pub upper: Option<f64>,
    /// By how many rows a chosen quantile's rank may be farther from the one asked for than the best candidate's, at the
    /// interval's confidence.
    pub rank_error: Option<u64>,
}

/// The part of the SDMX code list `CL_OBS_STATUS` that is used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `A`, normal: every office in the table is in the cell, under one definition.
    Normal,
    /// `D`, definition differs: some offices do not declare the key, so they count its rows elsewhere, did not find it, or hide
    /// their figure;
    /// or the key is `_O` and the offices' lists differ, so it holds different things; or values were clamped to different
    /// bounds.
    DefinitionDiffers,
    /// `U`, low reliability: by its error the figure may be anything near it ([`Figure::is_unreliable`]), or it is the mean or
    /// share of so few that it could be anything at all, and no figure is shown.
    Unreliable,
    /// `L`, data exist but were not collected: the office does not declare the key.
    NotCollected,
    /// `Q`, suppressed: the key was sought in the data, and too few units have it, or none; or every office that has the key
    /// hides its figure.
    Suppressed,
    /// `O`, missing: the sum does not fit 64 bits. Only an office that makes numbers up gets there.
    Missing,
}

/// The standard error of a reliable figure is at most one in this number of it.
const ERROR_MOST: f64 = 3.0;

impl Figure {
    /// Whether its standard error is more than a third of it and more than `least`, which is little by itself, however small the
    /// figure is. A figure below 0 of what cannot be negative is the noise's alone. A third is the coefficient of variation
    /// beyond which statistics offices mark survey estimates (Statistics Canada, Quality Guidelines).
    pub(crate) fn is_unreliable(&self, least: f64, may_be_negative: bool) -> bool {
        let size = if may_be_negative { self.value.abs() } else { self.value };
        self.std_err.is_some_and(|error| error > least && error * ERROR_MOST > size)
    }
}

impl Status {
    /// The code of `CL_OBS_STATUS`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Normal => "A",
            Self::DefinitionDiffers => "D",
            Self::Unreliable => "U",
            Self::NotCollected => "L",
            Self::Suppressed => "Q",
            Self::Missing => "O",
        }
    }
}

impl CombinedTable {
    /// The key of each cell, one code per axis, in the order of the cells.
    pub fn keys(&self) -> impl Iterator<Item = Vec<&str>> {
        (0..self.cells.len()).map(|cell| {
            let mut rest = cell;
            let code = |axis: &Axis| {
                let len = axis.codes.len().max(1);
                let at = rest % len;
                rest /= len;
                at
            };
            let at: Vec<usize> = self.axes.iter().rev().map(code).collect();
            let codes = self.axes.iter().zip(at.into_iter().rev());
            codes.filter_map(|(axis, at)| axis.codes.get(at).map(String::as_str)).collect()
        })
    }
}

/// The codes of several lists, in the order of the first list that has them; `_O` and `_U` last.
pub(crate) fn union<'a>(lists: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut codes: Vec<String> = lists.filter(|code| seen.insert(*code)).map(str::to_owned).collect();
    codes.sort_by_key(|code| {
        [OTHER, UNKNOWN].iter().position(|last| *last == code.as_str()).map_or(0, |at| at + 1)
    });
    codes
}
