//! A number of a configuration that may not be zero.

use std::time::Duration;

use lango_document::{DiagnosticCode, FromDocument, ValueForm, WrittenValue};

/// A whole number from 1 up.
#[derive(Debug, Clone, Copy)]
pub struct Positive(pub(super) u32);

impl Positive {
    pub fn get(self) -> u32 {
        self.0
    }

    pub(super) fn seconds(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl FromDocument for Positive {
    const FORM: ValueForm = ValueForm::Whole;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        match written.whole().map(u32::try_from) {
            None => written.wrong(Self::FORM),
            Some(Ok(positive @ 1..)) => Some(Self(positive)),
            Some(Ok(0) | Err(_)) => {
                let message = format!("`{}` is a whole number from 1 to {}", written.key(), u32::MAX);
                written.refuse(DiagnosticCode::OutOfRange, message)
            }
        }
    }
}
