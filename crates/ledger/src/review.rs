//! Reviews: questions that an office reviews before it answers them, and noisy answers that it reviews before they leave.
//!
//! A review is of one question, as one principal asks it for one purpose under one grant. The price of an answer that is held is
//! charged when its noise is drawn, whatever the office decides.

/// How a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// The question waits for the office.
    Waiting,
    /// The question may be answered.
    Approved,
    /// The question is not answered.
    Rejected,
    /// The noisy answer waits for the office.
    Held,
    /// The noisy answer may leave.
    Shown,
    /// The noisy answer does not leave.
    Withheld,
    /// The policy in force does not allow the question, or has it reviewed otherwise: who asks again begins anew.
    Lapsed,
}

/// What happens to a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewEvent {
    /// The question is asked, again perhaps, and the grant wants it reviewed at this price.
    Asked {
        /// Whether the price is above the one that the office saw.
        is_dearer: bool,
    },
    /// The noisy answer is stored, and the grant holds it.
    Answered,
    /// The office approves the question.
    Approved,
    /// The office, which has seen the noisy answer, lets it leave.
    AnswerApproved,
    /// The office rejects what waits.
    Rejected,
    /// Another policy came into force, which decides otherwise of what waits.
    PolicyChanged,
}

/// A step that a review does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a review that is {from} cannot be {step}")]
pub struct ReviewStepError {
    /// How it stands.
    pub from: &'static str,
    /// What was to happen to it.
    pub step: &'static str,
}

impl ReviewState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Approved,
        Self::Rejected,
        Self::Held,
        Self::Shown,
        Self::Withheld,
        Self::Lapsed,
    ];

    /// The word for it in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Held => "held",
            Self::Shown => "shown",
            Self::Withheld => "withheld",
            Self::Lapsed => "lapsed",
        }
    }

    /// The state of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether the office has yet to decide.
    pub fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::Held => true,
            Self::Approved | Self::Rejected | Self::Shown | Self::Withheld | Self::Lapsed => false,
        }
    }

    /// Whether its question may be answered, as far as the office reviews questions.
    pub fn lets_question_pass(self) -> bool {
        match self {
            Self::Approved | Self::Held | Self::Shown | Self::Withheld => true,
            Self::Waiting | Self::Rejected | Self::Lapsed => false,
        }
    }

    /// Whether its noisy answer may leave, as far as the office reviews answers.
    pub fn lets_answer_leave(self) -> bool {
        match self {
            Self::Shown => true,
            Self::Waiting | Self::Approved | Self::Rejected | Self::Held | Self::Withheld | Self::Lapsed => {
                false
            }
        }
    }

    /// The state of a review that begins with an event; nothing begins with the others.
    pub fn first(event: ReviewEvent) -> Option<Self> {
        match event {
            ReviewEvent::Asked { .. } => Some(Self::Waiting),
            ReviewEvent::Answered => Some(Self::Held),
            ReviewEvent::Approved | ReviewEvent::AnswerApproved => None,
            ReviewEvent::Rejected | ReviewEvent::PolicyChanged => None,
        }
    }

    /// INVARIANT (nothing unseen): from no state does a step lead to [`Approved`](Self::Approved) or [`Shown`](Self::Shown) but
    /// the office's own approval of just that, the question or the answer, and no price above the one that it saw stays approved.
    pub fn after(self, event: ReviewEvent) -> Result<Self, ReviewStepError> {
        use ReviewEvent as Event;
        match (self, event) {
            (Self::Lapsed, Event::Asked { .. }) | (Self::Approved, Event::Asked { is_dearer: true }) => {
                Ok(Self::Waiting)
            }
            // What was drawn is drawn: its price is what it was.
            (
                state @ (Self::Waiting
                | Self::Approved
                | Self::Rejected
                | Self::Held
                | Self::Shown
                | Self::Withheld),
                Event::Asked { .. },
            ) => Ok(state),
            // One that waits or was rejected is answered where the grant has questions reviewed no more, and answers alone.
            (
                Self::Waiting | Self::Approved | Self::Rejected | Self::Lapsed | Self::Held,
                Event::Answered,
            ) => Ok(Self::Held),
            (state @ (Self::Shown | Self::Withheld), Event::Answered) => Ok(state),
            (Self::Waiting | Self::Rejected, Event::Approved) => Ok(Self::Approved),
            (Self::Held | Self::Withheld, Event::AnswerApproved) => Ok(Self::Shown),
            (Self::Waiting | Self::Approved, Event::Rejected) => Ok(Self::Rejected),
            (Self::Held, Event::Rejected) => Ok(Self::Withheld),
            (Self::Waiting | Self::Approved | Self::Held, Event::PolicyChanged) => Ok(Self::Lapsed),
            (
                state @ (Self::Rejected | Self::Shown | Self::Withheld | Self::Lapsed),
                Event::PolicyChanged,
            ) => Ok(state),
            (Self::Approved | Self::Held | Self::Shown | Self::Withheld | Self::Lapsed, Event::Approved)
            | (
                Self::Waiting | Self::Approved | Self::Rejected | Self::Shown | Self::Lapsed,
                Event::AnswerApproved,
            )
            | (Self::Rejected | Self::Shown | Self::Withheld | Self::Lapsed, Event::Rejected) => {
                Err(ReviewStepError { from: self.word(), step: event.word() })
            }
        }
    }
}

impl ReviewEvent {
    /// The word for it.
    fn word(self) -> &'static str {
        match self {
            Self::Asked { .. } => "asked",
            Self::Answered => "answered",
            Self::Approved => "approved as a question",
            Self::AnswerApproved => "approved as an answer",
            Self::Rejected => "rejected",
            Self::PolicyChanged => "lapsed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ReviewEvent as Event, ReviewState as State};

    const ASKED: Event = Event::Asked { is_dearer: false };
    const DEARER: Event = Event::Asked { is_dearer: true };

    /// Every state with every event; what is not listed is an error.
    const STEPS: [(State, [Option<State>; 7]); 7] = {
        use State::*;
        [
            // asked, dearer, answered, approved, approved as an answer, rejected, another policy
            (
                Waiting,
                [
                    Some(Waiting),
                    Some(Waiting),
                    Some(Held),
                    Some(Approved),
                    None,
                    Some(Rejected),
                    Some(Lapsed),
                ],
            ),
            (Approved, [Some(Approved), Some(Waiting), Some(Held), None, None, Some(Rejected), Some(Lapsed)]),
            (
                Rejected,
                [Some(Rejected), Some(Rejected), Some(Held), Some(Approved), None, None, Some(Rejected)],
            ),
            (Held, [Some(Held), Some(Held), Some(Held), None, Some(Shown), Some(Withheld), Some(Lapsed)]),
            (Shown, [Some(Shown), Some(Shown), Some(Shown), None, None, None, Some(Shown)]),
            (
                Withheld,
                [Some(Withheld), Some(Withheld), Some(Withheld), None, Some(Shown), None, Some(Withheld)],
            ),
            (Lapsed, [Some(Waiting), Some(Waiting), Some(Held), None, None, None, Some(Lapsed)]),
        ]
    };
    const EVENTS: [Event; 7] = [
        ASKED,
        DEARER,
        Event::Answered,
        Event::Approved,
        Event::AnswerApproved,
        Event::Rejected,
        Event::PolicyChanged,
    ];

    #[test]
    fn a_review_takes_these_steps_and_no_others() {
        assert_eq!(STEPS.map(|(state, _)| state), State::ALL);
        for (from, after) in STEPS {
            for (event, to) in EVENTS.into_iter().zip(after) {
                assert_eq!(from.after(event).ok(), to, "{from:?} {event:?}");
            }
        }
        let error = State::Shown.after(Event::Rejected).unwrap_err();
        assert_eq!(error.to_string(), "a review that is shown cannot be rejected");
        let first = EVENTS.map(State::first);
        let [waiting, held] = [State::Waiting, State::Held].map(Some);
        assert_eq!(first, [waiting, waiting, held, None, None, None, None]);
    }

    #[test]
    fn nothing_passes_that_the_office_has_not_approved() {
        for (from, after) in STEPS {
            for (event, to) in EVENTS.into_iter().zip(after) {
                let Some(to) = to else { continue };
                assert!(
                    event == Event::AnswerApproved || !to.lets_answer_leave() || from.lets_answer_leave(),
                    "{from:?} {event:?}"
                );
                // An answer is held whether or not its question was reviewed.
                let is_held = event == Event::Answered && to == State::Held;
                let is_approved = [Event::Approved, Event::AnswerApproved].contains(&event);
                assert!(
                    is_approved || !to.lets_question_pass() || from.lets_question_pass() || is_held,
                    "{from:?} {event:?}"
                );
            }
        }
    }

    #[test]
    fn a_state_has_its_word() {
        for state in State::ALL {
            assert_eq!(State::of_word(state.word()), Some(state));
        }
        assert_eq!(State::of_word("open"), None);
    }
}
