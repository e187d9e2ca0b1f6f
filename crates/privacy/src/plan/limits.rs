//! The most that one question may take.

/// The most measures of a question.
pub const MEASURES_MOST: usize = 64;
/// The most margins of a question, over all measures.
pub const MARGINS_MOST: usize = 128;
/// The most dimensions of a margin.
pub(super) const DIMENSIONS_MOST: usize = 4;
/// The most integers of a release: what fits a message with room to spare.
pub const CELLS_MOST: usize = 250_000;
/// The most integers that the database counts for a question.
pub(super) const INTEGERS_MOST: usize = 5_000_000;
/// The most candidates that a question's quantiles weigh, each as often as it is weighed: five microseconds each at worst.
pub(super) const WEIGHED_MOST: usize = 5_000_000;
/// The most bytes of a layout's text.
pub const LAYOUT_BYTES_MOST: usize = 1 << 20;
/// The most bytes of a plan's text.
pub const PLAN_BYTES_MOST: usize = 256 << 10;
/// The most bytes that a gateway holds for one question while it counts and measures.
pub const MEMORY_MOST: usize = 80 << 20;
