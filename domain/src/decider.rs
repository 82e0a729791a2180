//! The shape of every rule book, and the harness that tests it.

use std::fmt::{Debug, Display};

use crate::codec::StoredEvent;

/// The rules of one kind of stream: which commands become which events.
///
/// **Invariants**, tested for every decider: a command that is run twice changes nothing the second
/// time, and `evolve` survives any events in any order.
pub trait Decider: 'static {
    /// The streams' category, stored for ever; no dash.
    const CATEGORY: &'static str;
    /// What names one stream of the category.
    type Id: Display + Send + Sync;
    /// What the decisions need to know of the past; the default is a stream without events.
    type State: Default + Clone + Debug + PartialEq + Send + Sync + 'static;
    /// An intention. Carries the time, new ids and every looked-up fact.
    type Command: Clone + Debug + Send + Sync;
    /// What happened. Stored; only ever extended.
    type Event: StoredEvent + Clone + Debug + PartialEq + Send + Sync;
    /// A business "no", with its facts.
    type Refusal: Clone + Debug + PartialEq + std::error::Error + Send + Sync;

    /// What a command leads to in a state. No events mean that it is already so.
    ///
    /// # Errors
    /// The rule that forbids it.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
    ) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// The state after an event. Total: never refuses, never panics.
    #[must_use]
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;

    /// The state after many events.
    #[must_use]
    fn fold<'a>(
        state: Self::State,
        events: impl IntoIterator<Item = &'a Self::Event>,
    ) -> Self::State
    where
        Self::Event: 'a,
    {
        events.into_iter().fold(state, |state, event| Self::evolve(state, event))
    }
}

/// Given events, when a command comes, then events or a refusal: one rule, one statement.
#[cfg(test)]
pub(crate) mod harness {
    use super::Decider;

    /// A stream with a past.
    pub(crate) struct Given<D: Decider>(D::State);

    /// A stream with this past.
    pub(crate) fn given<D: Decider>(past: impl IntoIterator<Item = D::Event>) -> Given<D> {
        let past: Vec<_> = past.into_iter().collect();
        Given(D::fold(D::State::default(), &past))
    }

    /// What a command led to.
    pub(crate) struct When<D: Decider>(Result<Vec<D::Event>, D::Refusal>);

    impl<D: Decider> Given<D> {
        /// Runs the command, and once more to see that the second time changes nothing.
        pub(crate) fn when(self, command: &D::Command) -> When<D> {
            let outcome = D::decide(&self.0, command);
            if let Ok(events) = &outcome {
                let after = D::fold(self.0, events);
                if let Ok(again) = D::decide(&after, command) {
                    assert_eq!(again, [], "the same command again: {command:?}");
                }
            }
            When(outcome)
        }
    }

    impl<D: Decider> When<D> {
        /// These events happen.
        #[track_caller]
        pub(crate) fn then(self, events: impl IntoIterator<Item = D::Event>) {
            assert_eq!(self.0, Ok(events.into_iter().collect()));
        }

        /// Nothing happens: it is already so.
        #[track_caller]
        pub(crate) fn then_nothing(self) {
            self.then([]);
        }

        /// The command is refused.
        #[track_caller]
        pub(crate) fn then_refused(self, refusal: D::Refusal) {
            assert_eq!(self.0, Err(refusal));
        }
    }
}
