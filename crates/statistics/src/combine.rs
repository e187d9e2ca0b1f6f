//! One table for each measure and margin, over several offices.

use lango_privacy::{Level, Margin, Measure, Name};

use crate::{
    CombineError, CombinedTable, OfficeRelease, add::Estimated, content::CellContent, error::CELLS_MOST,
    figures::Together, intervals::Intervals, sheet::Sheet,
};

/// One table for each measure and margin: offices added up key by key, or side by side.
///
/// Where offices' code lists differ, a table has every key that some office declares; [`Status`](crate::Status) says what
/// a cell is then worth, and its interval counts only the noises that are in it. Counts and sums add; means and shares
/// are ratios of what was added up, so that a mean of several offices is the mean of all their rows; quantiles stand
/// side by side only. No answers give no tables.
///
/// ```
/// use lango_privacy::{Layout, Level, PlanText};
/// use lango_statistics::{OfficeRelease, combine};
///
/// let layout: Layout = "codes sex F,M,_O,_U\nmargin persons by sex\n".parse()?;
/// let plan = format!(
///     "lango-plan 1\nunit person rows_at_most 1 cells_at_most 1\nterms {}\n\
///      margin persons by sex mechanism discrete-laplace scale 2 sensitivity 1 price 500000000\n",
///     "00".repeat(32)
/// );
/// let plan: PlanText = plan.parse().map_err(|()| "no plan")?;
/// let of = |office, cells| OfficeRelease { office, layout: &layout, plan: &plan, cells, hidden: None, earlier: vec![] };
/// let releases = [of("GHA", &[120, 115, 0, 3]), of("TGO", &[40, 52, -1, 0])];
/// for release in &releases {
///     release.check()?;
/// }
///
/// let tables = combine(&releases, false, Level::USUAL)?;
/// let women = tables[0].cells[0].figure.ok_or("no figure")?;
/// // One Laplace noise of scale 2 from each office; at 95 % their sum lies within 8.
/// assert_eq!((women.value, women.lower, women.upper), (160.0, Some(152.0), Some(168.0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn combine(
    answers: &[OfficeRelease<'_>],
    by_office: bool,
    level: Level,
) -> Result<Vec<CombinedTable>, CombineError> {
    combine_over(answers, &[], by_office, level)
}

/// As [`combine`], of as many answers as fit together into tables of this number of cells in all, and the offices that were left
/// out: those whose answers have the most integers, first the largest, so that an office that bursts every table loses nobody
/// else's answer.
pub fn combine_within<'a>(
    answers: &[OfficeRelease<'a>],
    by_office: bool,
    level: Level,
    cells_most: usize,
) -> Result<(Vec<CombinedTable>, Vec<&'a str>), CombineError> {
    let (mut fitting, mut left_out) = (answers.to_vec(), Vec::new());
    loop {
        let margins = shared_margins(&fitting)?;
        let places: Vec<usize> = (0..margins.len()).collect();
        match sheets_within(&fitting, &places, &[], by_office, cells_most.min(CELLS_MOST)) {
            Err(CombineError::TooManyCells) if fitting.len() > 1 => {
                let largest = fitting.iter().enumerate().max_by_key(|(_, answer)| answer.layout.integers());
                let at = largest.map(|(at, _)| at).ok_or(CombineError::TooManyCells)?;
                left_out.push(fitting.remove(at).office);
            }
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    Ok((combine(&fitting, by_office, level)?, left_out))
}

/// As [`combine`], with these dimensions summed over to `_T`, all keys with `_O` and `_U`.
///
/// Such a total is complete at every office, whatever keys it declares.
pub fn combine_over(
    answers: &[OfficeRelease<'_>],
    over: &[Name],
    by_office: bool,
    level: Level,
) -> Result<Vec<CombinedTable>, CombineError> {
    let margins = shared_margins(answers)?;
    let places: Vec<usize> = (0..margins.len()).collect();
    let sheets = sheets(answers, &places, over, by_office)?;
    let estimated: Vec<Estimated<'_>> = answers.iter().map(|answer| Estimated::new(answer, over)).collect();
    let together = Together { answers, estimated: &estimated, by_office };
    let mut intervals = Intervals::new(level);
    Ok(sheets.iter().map(|sheet| sheet.table(&together, &mut intervals)).collect())
}

/// The sheets of some margins, if they are not too large and can be added up as they are asked to be.
pub(crate) fn sheets<'a>(
    answers: &[OfficeRelease<'a>],
    places: &[usize],
    over: &[Name],
    by_office: bool,
) -> Result<Vec<Sheet<'a>>, CombineError> {
    sheets_within(answers, places, over, by_office, CELLS_MOST)
}

/// The same with this bound on the cells of all sheets together.
fn sheets_within<'a>(
    answers: &[OfficeRelease<'a>],
    places: &[usize],
    over: &[Name],
    by_office: bool,
    cells_most: usize,
) -> Result<Vec<Sheet<'a>>, CombineError> {
    let blocks = if by_office { answers.len() } else { 1 };
    let mut sheets = Vec::new();
    let mut cells = 0usize;
    for place in places {
        let sheet = Sheet::new(answers, *place, over)?;
        let size = sheet.size().and_then(|size| size.checked_mul(blocks));
        cells = size.and_then(|size| cells.checked_add(size)).ok_or(CombineError::TooManyCells)?;
        if cells > cells_most {
            return Err(CombineError::TooManyCells);
        }
        let measure = &sheet.margin.measure;
        let keys = sheet.margin.by.dimensions().any(|dimension| over.contains(dimension));
        let adds_up = answers.iter().all(|answer| measure.adds_up(&answer.plan.bounds));
        let chosen = matches!(sheet.contents.first(), Some(CellContent::Chosen(..)));
        if (keys && !adds_up) || (chosen && !by_office && answers.len() > 1) {
            return Err(CombineError::NotAddedUp { measure: measure.to_string() });
        }
        sheets.push(sheet);
    }
    Ok(sheets)
}

/// The margins that all answers have; each is checked.
pub(crate) fn shared_margins(answers: &[OfficeRelease<'_>]) -> Result<Vec<(Measure, Margin)>, CombineError> {
    let mut offices = std::collections::HashSet::new();
    let first = answers.first().map(|answer| answer.layout.margins()).unwrap_or_default();
    let margins: Vec<_> = first.iter().map(|margin| (margin.measure.clone(), margin.by.clone())).collect();
    for answer in answers {
        answer.check()?;
        let office = answer.office.to_owned();
        if !offices.insert(answer.office) {
            return Err(CombineError::OfficeTwice { office });
        }
        if !answer.layout.is_of(&margins) {
            return Err(CombineError::Margins { office });
        }
    }
    Ok(margins)
}
