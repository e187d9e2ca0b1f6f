//! Answers as tables that can be compared.

use std::collections::BTreeMap;

use lango_privacy::rows;
use lango_wire::{VerifiedRelease, pb};

/// The margins of an answer in the layout's order; keys joined by spaces, the total under the empty key.
pub fn tables(answer: &VerifiedRelease) -> Vec<BTreeMap<String, i64>> {
    let mut cells = answer.cells.iter().copied();
    let table = |margin: &lango_privacy::LayoutMargin| {
        let axes: Vec<_> = answer.layout.axes(&margin.by).map(|(_, keyset)| keyset).collect();
        let keys = rows(&axes).map(|key| key.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(" "));
        keys.map(|key| (key, cells.next().unwrap())).collect()
    };
    answer.layout.margins().iter().map(table).collect()
}

/// The only margin of an answer.
pub fn table(answer: &VerifiedRelease) -> BTreeMap<String, i64> {
    let mut tables = tables(answer);
    assert_eq!(tables.len(), 1, "the answer has several margins");
    tables.remove(0)
}

/// A price without its signature, which names its request and so is another at each enquiry.
pub fn unsigned(price: pb::Estimate) -> pb::Estimate {
    pb::Estimate { envelope: None, ..price }
}
