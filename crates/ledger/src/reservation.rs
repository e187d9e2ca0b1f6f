//! Reservations: pending, spent or voided; nothing else, and never back.

use lango_privacy::Loss;

/// A loss set aside for one release key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// What is set aside.
    pub loss: Loss,
    /// What has become of it.
    pub state: ReservationState,
}

/// What has become of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservationState {
    /// Charged; the data may have been read.
    Pending,
    /// Charged for good.
    Spent,
    /// Given back: no statement that reads rows was sent.
    Voided,
}

/// What happens to a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservationEvent {
    /// Another attempt goes on with it. Whether the one before has read rows is not known.
    Resumed,
    /// The release is stored.
    Released,
    /// It failed after a statement that reads rows was sent.
    FailedAfterReading,
    /// It failed before any statement that reads rows was sent.
    FailedBeforeReading,
}

/// A transition that must never be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {from} reservation takes no such step")]
pub struct TransitionError {
    /// The state it was in.
    pub from: &'static str,
}

impl ReservationState {
    /// The word for it in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Spent => "spent",
            Self::Voided => "voided",
        }
    }

    /// The state of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Spent, Self::Voided].into_iter().find(|state| state.word() == word)
    }

    /// INVARIANT (never undercharged): only a pending reservation whose rows were never read is given back. One that is
    /// spent without a release may still be released, at no further charge; if that fails too it stays spent.
    pub fn after(self, event: ReservationEvent) -> Result<Self, TransitionError> {
        match (self, event) {
            (Self::Pending, ReservationEvent::FailedBeforeReading) => Ok(Self::Voided),
            (
                Self::Pending,
                ReservationEvent::Resumed | ReservationEvent::Released | ReservationEvent::FailedAfterReading,
            )
            | (
                Self::Spent,
                ReservationEvent::Resumed
                | ReservationEvent::Released
                | ReservationEvent::FailedAfterReading
                | ReservationEvent::FailedBeforeReading,
            ) => Ok(Self::Spent),
            (
                Self::Voided,
                ReservationEvent::Resumed
                | ReservationEvent::Released
                | ReservationEvent::FailedAfterReading
                | ReservationEvent::FailedBeforeReading,
            ) => Err(TransitionError { from: self.word() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_is_given_back_only_if_no_row_was_read() {
        for (from, event, to) in [
            (ReservationState::Pending, ReservationEvent::Resumed, Ok(ReservationState::Spent)),
            (ReservationState::Pending, ReservationEvent::Released, Ok(ReservationState::Spent)),
            (ReservationState::Pending, ReservationEvent::FailedAfterReading, Ok(ReservationState::Spent)),
            (ReservationState::Pending, ReservationEvent::FailedBeforeReading, Ok(ReservationState::Voided)),
            (ReservationState::Spent, ReservationEvent::Resumed, Ok(ReservationState::Spent)),
            (ReservationState::Spent, ReservationEvent::Released, Ok(ReservationState::Spent)),
            (ReservationState::Spent, ReservationEvent::FailedAfterReading, Ok(ReservationState::Spent)),
            (ReservationState::Spent, ReservationEvent::FailedBeforeReading, Ok(ReservationState::Spent)),
            (ReservationState::Voided, ReservationEvent::Resumed, Err(TransitionError { from: "voided" })),
            (ReservationState::Voided, ReservationEvent::Released, Err(TransitionError { from: "voided" })),
            (
                ReservationState::Voided,
                ReservationEvent::FailedAfterReading,
                Err(TransitionError { from: "voided" }),
            ),
        ] {
            assert_eq!(from.after(event), to, "{from:?} {event:?}");
        }
    }
}
