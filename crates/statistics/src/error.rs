//! Why answers cannot be combined.

/// The most cells of all tables together: 54 offices side by side with 100,000 cells each, and some room.
pub const CELLS_MOST: usize = 8_000_000;

/// Why answers cannot be combined. Each names the office whose answer is at fault, if it is one's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// Two answers of one office.
    #[error("{office} answers twice")]
    OfficeTwice {
        /// The office.
        office: String,
    },
    /// Layout and plan, or one answer and the others, speak of different margins.
    #[error("{office} answers other margins than its plan or the other offices")]
    Margins {
        /// The office.
        office: String,
    },
    /// The layout has another number of integers than there are.
    #[error("{office} lays out {expected} cells and sends {found}")]
    Cells {
        /// The office.
        office: String,
        /// As laid out.
        expected: usize,
        /// As sent.
        found: usize,
    },
    /// A key stands twice, or is the total.
    #[error("{office} declares a key of `{dimension}` twice, or a total as a key")]
    Keys {
        /// The office.
        office: String,
        /// The dimension.
        dimension: String,
    },
    /// An integer that is hidden is not 0.
    #[error("{office} sends figures that it says it hides")]
    Hidden {
        /// The office.
        office: String,
    },
    /// The scale of a noise is beyond what an interval can be computed for.
    #[error("{office} declares a noise of absurd scale")]
    Noise {
        /// The office.
        office: String,
    },
    /// Layout and plan do not say together what the integers of a cell are.
    #[error("{office} does not say what its cells of `{measure}` are")]
    Values {
        /// The office.
        office: String,
        /// The measure.
        measure: String,
    },
    /// A mean is to be divided by a count that was not sent.
    #[error("{office} divides `{measure}` by counts that it does not send")]
    Earlier {
        /// The office.
        office: String,
        /// The measure.
        measure: String,
    },
    /// A measure whose cells cannot be added up.
    #[error("`{measure}` cannot be added up over offices or keys")]
    NotAddedUp {
        /// The measure.
        measure: String,
    },
    /// Histograms that have no common quantiles.
    #[error("the offices declare different bins for `{measure}`: its quantiles can be had office by office")]
    Bins {
        /// The measure.
        measure: String,
    },
    /// Counts that cannot be made whole numbers.
    #[error("the tables of `{measure}` are too large to be made whole numbers that add up")]
    NotWhole {
        /// The measure.
        measure: String,
    },
    /// The tables would be too large.
    #[error("the combined tables would have too many cells")]
    TooManyCells,
}
