//! What codes are called.

use std::collections::BTreeMap;

use lango_privacy::Code;

/// What the codes of a list are called, where the list says so. They are for people: nothing is decided by them.
pub type CodeLabels = BTreeMap<Code, String>;
