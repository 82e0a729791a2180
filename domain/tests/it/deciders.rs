//! The invariants of every decider.

use playhead_domain::account::Account;
use playhead_domain::device_code::DeviceCode;
use playhead_domain::devices::Devices;
use playhead_domain::email::Email;
use playhead_domain::identity::Identity;
use playhead_domain::playback::Playback;
use playhead_domain::sign_in::SignIn;
use playhead_domain::subscription::Subscription;
use playhead_domain::title::Title;
use playhead_domain::video::Video;
use playhead_domain::{Decider, StoredEvent};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::arbitrary::{ArbitraryCommand, ArbitraryEvent};

fn past<D: ArbitraryCommand>() -> impl Strategy<Value = Vec<D::Event>> {
    vec(<D::Event as ArbitraryEvent>::any(), 0..6)
}

fn runs<D: ArbitraryCommand>() -> impl Strategy<Value = Vec<D::Command>> {
    vec(D::any(), 1..6)
}

/// Any events in any order make a state in which any command is decided on.
fn survives<D: Decider>(past: &[D::Event], commands: &[D::Command]) {
    let state = D::fold(D::State::default(), past);
    for command in commands {
        let _decided: Result<_, _> = D::decide(&state, command);
    }
}

/// Runs each command twice, and what the first time led to becomes the past of the next.
fn changes_nothing_the_second_time<D: Decider>(
    past: &[D::Event],
    commands: &[D::Command],
) -> Result<(), TestCaseError> {
    let mut state = D::fold(D::State::default(), past);
    for command in commands {
        let Ok(events) = D::decide(&state, command) else { continue };
        state = D::fold(state, &events);
        if let Ok(again) = D::decide(&state, command) {
            prop_assert_eq!(again, vec![], "the same command again: {:?}", command);
        }
    }
    Ok(())
}

/// What is decided can be stored and read back.
fn decides_what_can_be_stored<D: Decider>(
    past: &[D::Event],
    commands: &[D::Command],
) -> Result<(), TestCaseError> {
    let state = D::fold(D::State::default(), past);
    for event in commands.iter().flat_map(|command| D::decide(&state, command)).flatten() {
        let of = event.event_type();
        let payload = event.to_json().unwrap();
        prop_assert_eq!(D::Event::from_json(of.name, of.version, &payload).unwrap(), event);
    }
    Ok(())
}

macro_rules! invariants {
    ($($module:ident: $decider:ty,)+) => {$(
        mod $module {
            use super::*;

            proptest! {
                #[test]
                fn evolve_survives_any_events_in_any_order(
                    past in past::<$decider>(),
                    commands in runs::<$decider>(),
                ) {
                    survives::<$decider>(&past, &commands);
                }

                #[test]
                fn a_command_run_twice_changes_nothing_the_second_time(
                    past in past::<$decider>(),
                    commands in runs::<$decider>(),
                ) {
                    changes_nothing_the_second_time::<$decider>(&past, &commands)?;
                }

                #[test]
                fn what_is_decided_can_be_stored_and_read_back(
                    past in past::<$decider>(),
                    commands in runs::<$decider>(),
                ) {
                    decides_what_can_be_stored::<$decider>(&past, &commands)?;
                }
            }
        }
    )+};
}

invariants! {
    account: Account,
    device_code: DeviceCode,
    devices: Devices,
    email: Email,
    identity: Identity,
    playback: Playback,
    sign_in: SignIn,
    subscription: Subscription,
    title: Title,
    video: Video,
}

#[test]
fn no_category_has_a_dash_or_a_dot() {
    let categories = [
        Account::CATEGORY,
        DeviceCode::CATEGORY,
        Devices::CATEGORY,
        Email::CATEGORY,
        Identity::CATEGORY,
        Playback::CATEGORY,
        SignIn::CATEGORY,
        Subscription::CATEGORY,
        Title::CATEGORY,
        Video::CATEGORY,
        playhead_domain::viewing::CATEGORY,
    ];
    for category in categories {
        assert!(category.bytes().all(|byte| byte.is_ascii_lowercase()), "{category}");
    }
}
