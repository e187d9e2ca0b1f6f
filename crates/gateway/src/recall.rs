//! Which peers of open connections may stay.

use lango_identity::{Region, stands};
use lango_transport::Recall;

/// A peer goes when a list that comes into use holds its certificate.
pub(crate) fn recall(region: &Region) -> Recall {
    let of = region.clone();
    Recall::new(move |shown| stands(shown, &of), |notice| region.revocations().on_change(notice))
}
