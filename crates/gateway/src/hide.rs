//! What the grant of an answer does not show: decided by the noisy figures, each time that the answer leaves.

use lango_privacy::{Layout, PlanText, ShownIf};
use lango_statistics::{Hidden, OfficeRelease, hide};
use lango_store::Stored;
use lango_wire::{SignedHidden, pb};

/// Hides in a stored release, which these divide, what a rule does not show, and says what that is: what is signed, and the bits
/// beside it. What was stored stays as it is: another grant may show more of it, and all of it has been charged. `None` where the
/// texts of a release cannot be read.
pub(crate) fn hidden(
    office: &str,
    stored: &mut Stored,
    earlier: &[pb::Release],
    rule: ShownIf,
) -> Option<(SignedHidden, Vec<u8>)> {
    let texts =
        |plan: &str, layout: &str| Some((plan.parse::<PlanText>().ok()?, layout.parse::<Layout>().ok()?));
    let (plan, layout) = texts(&stored.plan, &stored.layout)?;
    let divisors = earlier.iter().map(|of| {
        let hidden =
            if of.hidden.is_empty() { None } else { Some(Hidden::read(&of.hidden, of.cells.len())?) };
        Some((texts(&of.plan, &of.layout)?, hidden, of.cells.as_slice()))
    });
    let divisors = divisors.collect::<Option<Vec<_>>>()?;
    let earlier = divisors.iter().map(|((plan, layout), hidden, cells)| OfficeRelease {
        office,
        layout,
        plan,
        cells,
        hidden: hidden.as_ref(),
        earlier: Vec::new(),
    });
    let release = OfficeRelease {
        office,
        layout: &layout,
        plan: &plan,
        cells: &stored.cells,
        hidden: None,
        earlier: earlier.collect(),
    };
    let hidden = hide(&release, rule).ok()?;
    hidden.cover(&mut stored.cells);
    Some((SignedHidden::new(rule, &hidden), hidden.bits().to_vec()))
}
