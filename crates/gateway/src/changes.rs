//! What the log says of a policy that comes into force: what may be asked now and not before.

use lango_policy::PolicySet;
use time::Date;

/// What differs from the policy before, in lines.
pub(crate) fn changes(before: &PolicySet, after: &PolicySet, today: Date) -> Vec<String> {
    let diff = before.diff(after, today);
    let unfinished = diff.unfinished.iter().map(|dataset| format!("{dataset}: there may be more"));
    diff.differences.iter().map(ToString::to_string).chain(unfinished).collect()
}
