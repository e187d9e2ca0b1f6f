//! The order of a unit's rows: the same bytes on every engine, as `docs/decisions/0010-row-order.md` lays them out.

use lango_privacy::OTHER;
use sha2::{Digest, Sha256};

use crate::value::{Raw, Value};

/// The length of a value that is missing.
const MISSING: u32 = u32::MAX;

/// A row's place among the rows of its unit: rows are read in ascending order of their digests.
pub(crate) struct RowOrder(Sha256);

impl RowOrder {
    /// A row of this unit.
    pub(crate) fn new(secret: &[u8], unit: Raw<'_>) -> Self {
        let mut order = Self(Sha256::new_with_prefix(secret));
        match unit {
            Raw::Integer(unit) => order.field(unit.to_string().as_bytes()),
            Raw::Text(unit) => order.field(unit),
            // Such rows are dropped wherever they stand.
            Raw::Null | Raw::Real(_) | Raw::Other(_) => order.missing(),
        }
        order
    }

    /// The next declared column's value; columns come in name order.
    pub(crate) fn add(&mut self, value: &Value<'_>) {
        match value {
            Value::Missing => self.missing(),
            Value::Integer(value) => self.field(value.to_string().as_bytes()),
            Value::Text(text) => self.field(text.as_bytes()),
            Value::Undeclared => self.field(OTHER.as_bytes()),
        }
    }

    /// The digest.
    pub(crate) fn digest(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    fn missing(&mut self) {
        self.0.update(MISSING.to_be_bytes());
    }

    fn field(&mut self, bytes: &[u8]) {
        // No engine holds a value of 4 GiB.
        let length = u32::try_from(bytes.len()).unwrap_or(MISSING - 1);
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_decision() {
        let text = |text| Value::Text(Cow::Borrowed(text));
        let row = [Value::Integer(-7), text("GHA"), Value::Missing, Value::Undeclared, text("_O"), text("")];
        let mut order = RowOrder::new(&[7; 32], Raw::Integer(42));
        row.iter().for_each(|value| order.add(value));
        let mut bytes = vec![7; 32];
        bytes
            .extend(b"\0\0\0\x0242\0\0\0\x02-7\0\0\0\x03GHA\xff\xff\xff\xff\0\0\0\x02_O\0\0\0\x02_O\0\0\0\0");
        assert_eq!(order.digest(), <[u8; 32]>::from(Sha256::digest(bytes)));
    }
}
