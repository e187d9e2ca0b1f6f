//! A number of a configuration that may not be zero.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// A whole number from 1 up; what else is written is refused in words that say so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Positive(pub(super) u32);

impl Positive {
    pub(super) fn get(self) -> u32 {
        self.0
    }

    pub(super) fn seconds(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl<'de> Deserialize<'de> for Positive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(WholeNumber)
    }
}

struct WholeNumber;

impl Visitor<'_> for WholeNumber {
    type Value = Positive;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a whole number from 1 to {}", u32::MAX)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Positive, E> {
        match u32::try_from(number) {
            Ok(positive @ 1..) => Ok(Positive(positive)),
            Ok(0) | Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
}
