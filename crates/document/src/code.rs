//! Every kind of mistake, by a word that stays.

use std::fmt;

/// Defines the codes: each with its word, which is its section of `docs/DIAGNOSTICS.md` too.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What kind of mistake a diagnostic is of. Words stay; `docs/DIAGNOSTICS.md` has a section for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DiagnosticCode {
            $($(#[$doc])* $name,)*
        }

        impl DiagnosticCode {
            /// All of them, in the order of the manual.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word for it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

codes! {
    // Files.
    /// The file, or the folder, cannot be opened or read.
    NotReadable = "not-readable",
    /// The file changed while it was read.
    Changed = "changed-while-read",
    /// The file is larger than a document may be.
    TooLarge = "too-large",
    /// The file is of another encoding.
    NotUtf8 = "not-utf-8",
    /// The file begins with a byte order mark.
    ByteOrderMark = "byte-order-mark",
    /// The folder holds no policy.
    NoPolicy = "no-policy",
    /// A policy names a file that is not beside it.
    NoSuchFile = "no-such-file",

    // Text.
    /// The file is written in another language than TOML.
    NotToml = "not-toml",
    /// A line cannot be read.
    Syntax = "syntax",
    /// A key or a table stands twice.
    DuplicateKey = "duplicate-key",
    /// A day that the calendar does not have.
    NoSuchDay = "no-such-day",

    // Keys and values.
    /// A key that is not known.
    UnknownKey = "unknown-key",
    /// A key that must be there.
    MissingKey = "missing-key",
    /// A value of another form.
    WrongType = "wrong-type",
    /// A word that is none of those that a key takes.
    UnknownWord = "unknown-word",
    /// A number outside its bounds.
    OutOfRange = "out-of-range",
    /// A text that is no name or no code.
    NotAName = "not-a-name",
    /// A value that contradicts another one.
    Contradiction = "contradiction",
    /// A grant's `shown_if` has no rule, or one that cannot judge a measure of the grant.
    ShownIf = "shown-if",

    // Policies.
    /// The format's version.
    FormatVersion = "format-version",
    /// An office's name, or the second office of a folder.
    Office = "office",
    /// A name that is declared twice.
    DeclaredTwice = "declared-twice",
    /// A name that is not declared.
    NotDeclared = "not-declared",
    /// A column of no form, or of several.
    ColumnForm = "column-form",
    /// A list of codes that cannot be.
    CodeList = "code-list",
    /// Bounds, bands, bins or candidates that cannot be.
    Bounds = "bounds",
    /// How values are read, contradicted.
    Reading = "reading",
    /// A line of a list beside a policy.
    ListLine = "list-line",
    /// A derived column that cannot be made.
    Derived = "derived-column",
    /// Two datasets over one table that do not say whether they hold the same persons.
    OneTable = "one-table",
    /// A dataset without a budget.
    NoBudget = "no-budget",
    /// A budget's accounting and delta do not go together.
    Accounting = "accounting",
    /// An epsilon that cannot be.
    Epsilon = "epsilon",
    /// A delta that cannot be.
    Delta = "delta",
    /// A share above the budget.
    AboveBudget = "above-budget",
    /// A principal that is none.
    Principal = "principal",
    /// A grant that allows nothing.
    GrantsNothing = "grants-nothing",
    /// A refusal, or a part of it, that refuses nothing.
    RefusesNothing = "refuses-nothing",
    /// A column without keys, in `by`.
    NoKeys = "no-keys",
    /// A measure that cannot be answered.
    NoMeasure = "no-measure",
    /// A publication that this version does not offer.
    Publication = "publication",
    /// The last day before the first one.
    DaysReversed = "days-reversed",
    /// A test that cannot be read.
    TestUnread = "test-unread",
    /// A test that the policy fails.
    TestFails = "test-fails",

    // Configurations and questions.
    /// A value of a configuration that cannot be.
    Setting = "setting",
    /// A question that cannot be asked.
    Question = "question",
    /// A source that the configuration does not have.
    NoSource = "no-source",

    // Warnings.
    /// A grant whose last day is past.
    GrantExpired = "grant-expired",
    /// A principal from whom no question can come.
    GrantUnreachable = "grant-unreachable",
    /// A grant behind an earlier one that allows all of it.
    GrantShadowed = "grant-shadowed",
    /// A purpose that is most likely misspelt.
    PurposeUnknown = "purpose-unknown",
    /// A question may cost more than the grant has.
    AboveTotal = "above-total",
    /// One question may take the whole pool.
    PoolInOne = "pool-in-one-question",
    /// An epsilon that protects hardly anybody.
    WeakProtection = "weak-protection",
    /// Bounds that no value of a real register reaches.
    WideBounds = "wide-bounds",
    /// More keys than the budget can set apart.
    KeysetTooFine = "keyset-too-fine",
    /// The unit's column is one that is grouped by.
    UnitIsDimension = "unit-is-dimension",
    /// A key or a password that others than its owner may read.
    ExposedFile = "exposed-file",
    /// A policy that every user of the machine may change.
    WritableByAll = "writable-by-all",
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
