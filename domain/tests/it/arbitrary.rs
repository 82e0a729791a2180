//! Strategies for every event and every command. Ids, times and names come from small pools, so
//! that values meet each other; now and then one comes from the ends of its range.

mod people;
mod values;

use playhead_domain::{
    Decider, StoredEvent, account, playback, subscription, title, video, viewing,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

pub(crate) use self::values::profile;
use self::values::*;

/// A set of events that can be made up.
pub(crate) trait ArbitraryEvent: StoredEvent + Clone + PartialEq + std::fmt::Debug {
    /// Any event of the set.
    fn any() -> BoxedStrategy<Self>;
}

/// A decider whose commands can be made up.
pub(crate) trait ArbitraryCommand: Decider<Event: ArbitraryEvent> {
    /// Any command.
    fn any() -> BoxedStrategy<Self::Command>;
}

impl ArbitraryEvent for account::Event {
    fn any() -> BoxedStrategy<Self> {
        use account::{AccountOpened, Event, ProfileAdded, ProfileChanged, ProfileRemoved};
        let whose = || (account_id(), profile_id());
        prop_oneof![
            1 => (account_id(), time()).prop_map(|(account_id, at_ms)| {
                Event::Opened(AccountOpened { account_id, at_ms })
            }),
            2 => (whose(), profile(), time()).prop_map(
                |((account_id, profile_id), profile, at_ms)| {
                    Event::ProfileAdded(ProfileAdded { account_id, profile_id, profile, at_ms })
                }
            ),
            1 => (whose(), profile(), time()).prop_map(
                |((account_id, profile_id), profile, at_ms)| {
                    Event::ProfileChanged(ProfileChanged { account_id, profile_id, profile, at_ms })
                }
            ),
            1 => (whose(), time()).prop_map(|((account_id, profile_id), at_ms)| {
                Event::ProfileRemoved(ProfileRemoved { account_id, profile_id, at_ms })
            }),
            4 => pin_event(),
            1 => (account_id(), billing_address(), time()).prop_map(
                |(account_id, address, at_ms)| {
                    let set = account::BillingAddressSet { account_id, address, at_ms };
                    Event::BillingAddressSet(set)
                }
            ),
        ]
        .boxed()
    }
}

fn pin_event() -> impl Strategy<Value = account::Event> {
    use account::{Event, PinAccepted, PinRefused, PinRemoved, PinSet};
    let whose = || (account_id(), profile_id());
    prop_oneof![
        2 => (whose(), personal_text(), time()).prop_map(|((account_id, profile_id), hash, at_ms)| {
            Event::PinSet(PinSet { account_id, profile_id, hash, at_ms })
        }),
        1 => (whose(), time()).prop_map(|((account_id, profile_id), at_ms)| {
            Event::PinRemoved(PinRemoved { account_id, profile_id, at_ms })
        }),
        1 => (whose(), time()).prop_map(|((account_id, profile_id), at_ms)| {
            Event::PinAccepted(PinAccepted { account_id, profile_id, at_ms })
        }),
        4 => (whose(), uuid(), option::of(time()), time()).prop_map(
            |((account_id, profile_id), try_id, locked_until_ms, at_ms)| {
                Event::PinRefused(PinRefused {
                    account_id,
                    profile_id,
                    try_id,
                    locked_until_ms,
                    at_ms,
                })
            }
        ),
    ]
}

impl ArbitraryCommand for account::Account {
    fn any() -> BoxedStrategy<account::Command> {
        use account::Command;
        let whose = || (account_id(), profile_id(), any::<bool>());
        prop_oneof![
            1 => (account_id(), time())
                .prop_map(|(account_id, at_ms)| Command::Open { account_id, at_ms }),
            3 => (whose(), profile(), time()).prop_map(|(whose, profile, at_ms)| {
                let (account_id, profile_id, account_right) = whose;
                Command::AddProfile { account_id, profile_id, profile, account_right, at_ms }
            }),
            2 => (whose(), profile(), time()).prop_map(|(whose, profile, at_ms)| {
                let (account_id, profile_id, account_right) = whose;
                Command::ChangeProfile { account_id, profile_id, profile, account_right, at_ms }
            }),
            1 => (whose(), time()).prop_map(|((account_id, profile_id, account_right), at_ms)| {
                Command::RemoveProfile { account_id, profile_id, account_right, at_ms }
            }),
            2 => (whose(), personal_text(), time()).prop_map(|(whose, hash, at_ms)| {
                let (account_id, profile_id, account_right) = whose;
                Command::SetPin { account_id, profile_id, hash, account_right, at_ms }
            }),
            1 => (whose(), time()).prop_map(|((account_id, profile_id, account_right), at_ms)| {
                Command::RemovePin { account_id, profile_id, account_right, at_ms }
            }),
            6 => (whose(), uuid(), time()).prop_map(|(whose, try_id, at_ms)| {
                let (account_id, profile_id, correct) = whose;
                Command::TryPin { account_id, profile_id, try_id, correct, at_ms }
            }),
            1 => (account_id(), billing_address(), time()).prop_map(
                |(account_id, address, at_ms)| {
                    Command::SetBillingAddress { account_id, address, at_ms }
                }
            ),
        ]
        .boxed()
    }
}

impl ArbitraryEvent for playback::Event {
    fn any() -> BoxedStrategy<Self> {
        use playback::{
            Event, PlaybackExpired, PlaybackStarted, PlaybackStopped, PlaybackTakenOver,
        };
        let whose = || (account_id(), session_id(), profile_id(), title_id());
        prop_oneof![
            (whose(), played_on(), personal_text(), played_in(), time()).prop_map(
                |(whose, device_id, device, territory, started_at_ms)| {
                    let (account_id, session_id, profile_id, title_id) = whose;
                    Event::Started(PlaybackStarted {
                        account_id,
                        session_id,
                        profile_id,
                        title_id,
                        device_id,
                        device,
                        territory,
                        started_at_ms,
                    })
                }
            ),
            (whose(), time(), time()).prop_map(|(whose, started_at_ms, at_ms)| {
                let (account_id, session_id, profile_id, title_id) = whose;
                Event::Stopped(PlaybackStopped {
                    account_id,
                    session_id,
                    profile_id,
                    title_id,
                    started_at_ms,
                    at_ms,
                })
            }),
            (whose(), time(), time(), time()).prop_map(
                |(whose, started_at_ms, last_seen_at_ms, at_ms)| {
                    let (account_id, session_id, profile_id, title_id) = whose;
                    Event::Expired(PlaybackExpired {
                        account_id,
                        session_id,
                        profile_id,
                        title_id,
                        started_at_ms,
                        last_seen_at_ms,
                        at_ms,
                    })
                }
            ),
            (whose(), time(), session_id(), time()).prop_map(
                |(whose, started_at_ms, by_session_id, at_ms)| {
                    let (account_id, session_id, profile_id, title_id) = whose;
                    Event::TakenOver(PlaybackTakenOver {
                        account_id,
                        session_id,
                        profile_id,
                        title_id,
                        started_at_ms,
                        by_session_id,
                        at_ms,
                    })
                }
            ),
        ]
        .boxed()
    }
}

fn start() -> impl Strategy<Value = playback::Start> {
    let whose = (account_id(), session_id(), profile_id(), title_id());
    let device = (played_on(), personal_text());
    let looked_up =
        (mostly(), mostly(), entitlement_facts(), btree_map(session_id(), time(), 0..4));
    (whose, device, time(), looked_up).prop_map(|(whose, device, at_ms, looked_up)| {
        let (account_id, session_id, profile_id, title_id) = whose;
        let (device_id, device) = device;
        let (profile_known, title_playable, entitlement, last_seen_at_ms) = looked_up;
        playback::Start {
            account_id,
            session_id,
            profile_id,
            title_id,
            device_id,
            device,
            at_ms,
            profile_known,
            title_playable,
            entitlement,
            last_seen_at_ms,
        }
    })
}

impl ArbitraryCommand for playback::Playback {
    fn any() -> BoxedStrategy<playback::Command> {
        use playback::Command;
        prop_oneof![
            4 => start().prop_map(Command::Start),
            4 => (start(), session_id())
                .prop_map(|(start, session_to_end)| Command::TakeOver { start, session_to_end }),
            1 => (account_id(), session_id(), time()).prop_map(
                |(account_id, session_id, at_ms)| Command::Stop { account_id, session_id, at_ms }
            ),
            1 => (account_id(), btree_map(session_id(), time(), 0..4), time()).prop_map(
                |(account_id, last_seen_at_ms, at_ms)| {
                    Command::ExpireSilent { account_id, last_seen_at_ms, at_ms }
                }
            ),
        ]
        .boxed()
    }
}

impl ArbitraryEvent for subscription::Event {
    fn any() -> BoxedStrategy<Self> {
        use subscription::{
            Event, PlanChanged, Subscribed, SubscriptionCancelled, SubscriptionExpired,
        };
        prop_oneof![
            (account_id(), plan(), time()).prop_map(|(account_id, plan, at_ms)| {
                Event::Subscribed(Subscribed { account_id, plan, at_ms })
            }),
            (account_id(), plan(), plan(), time()).prop_map(|(account_id, from, to, at_ms)| {
                Event::PlanChanged(PlanChanged { account_id, from, to, at_ms })
            }),
            (account_id(), time(), time()).prop_map(|(account_id, ends_at_ms, at_ms)| {
                Event::Cancelled(SubscriptionCancelled { account_id, ends_at_ms, at_ms })
            }),
            (account_id(), time()).prop_map(|(account_id, at_ms)| {
                Event::Expired(SubscriptionExpired { account_id, at_ms })
            }),
        ]
        .boxed()
    }
}

impl ArbitraryCommand for subscription::Subscription {
    fn any() -> BoxedStrategy<subscription::Command> {
        use subscription::Command;
        prop_oneof![
            (account_id(), plan(), time()).prop_map(|(account_id, plan, at_ms)| {
                Command::Subscribe { account_id, plan, at_ms }
            }),
            (account_id(), plan(), time()).prop_map(|(account_id, plan, at_ms)| {
                Command::ChangePlan { account_id, plan, at_ms }
            }),
            (account_id(), time(), time()).prop_map(|(account_id, ends_at_ms, at_ms)| {
                Command::Cancel { account_id, ends_at_ms, at_ms }
            }),
            (account_id(), time())
                .prop_map(|(account_id, at_ms)| Command::Expire { account_id, at_ms }),
        ]
        .boxed()
    }
}

impl ArbitraryEvent for title::Event {
    fn any() -> BoxedStrategy<Self> {
        use title::{
            AvailabilityScheduled, Event, TitleAdded, TitleEdited, TitlePublished, TitleWithdrawn,
        };
        prop_oneof![
            (title_id(), metadata(), option::of(account_id()), any::<bool>(), time()).prop_map(
                |(title_id, metadata, owner, draft, at_ms)| {
                    Event::Added(TitleAdded { title_id, metadata, owner, draft, at_ms })
                }
            ),
            (title_id(), metadata(), time()).prop_map(|(title_id, metadata, at_ms)| {
                Event::Edited(TitleEdited { title_id, metadata, at_ms })
            }),
            (title_id(), time()).prop_map(|(title_id, at_ms)| {
                Event::Published(TitlePublished { title_id, at_ms })
            }),
            (title_id(), time()).prop_map(|(title_id, at_ms)| {
                Event::Withdrawn(TitleWithdrawn { title_id, at_ms })
            }),
            (title_id(), availability(), time()).prop_map(|(title_id, availability, at_ms)| {
                Event::Scheduled(AvailabilityScheduled { title_id, availability, at_ms })
            }),
        ]
        .boxed()
    }
}

/// Who changes a title: mostly somebody who may.
fn by() -> impl Strategy<Value = title::By> {
    prop_oneof![3 => Just(title::By::Catalogue), 1 => account_id().prop_map(title::By::Owner)]
}

impl ArbitraryCommand for title::Title {
    fn any() -> BoxedStrategy<title::Command> {
        use title::Command;
        prop_oneof![
            (title_id(), metadata(), option::of(account_id()), any::<bool>(), time()).prop_map(
                |(title_id, metadata, owner, draft, at_ms)| {
                    Command::Add { title_id, metadata, owner, draft, at_ms }
                }
            ),
            (title_id(), metadata(), by(), time()).prop_map(|(title_id, metadata, by, at_ms)| {
                Command::Edit { title_id, metadata, by, at_ms }
            }),
            (title_id(), by(), time()).prop_map(|(title_id, by, at_ms)| Command::Publish {
                title_id,
                by,
                at_ms
            }),
            (title_id(), by(), time()).prop_map(|(title_id, by, at_ms)| Command::Withdraw {
                title_id,
                by,
                at_ms
            }),
            (title_id(), availability(), by(), time()).prop_map(
                |(title_id, availability, by, at_ms)| {
                    Command::Schedule { title_id, availability, by, at_ms }
                }
            ),
        ]
        .boxed()
    }
}

impl ArbitraryEvent for video::Event {
    fn any() -> BoxedStrategy<Self> {
        use video::{Event, VideoEncoded, VideoEncodingFailed};
        prop_oneof![
            (video_id(), title_id(), size(), vec(rendition(), 0..4), time()).prop_map(
                |(video_id, title_id, duration_ms, renditions, at_ms)| {
                    Event::Encoded(VideoEncoded {
                        video_id,
                        title_id,
                        duration_ms,
                        renditions,
                        at_ms,
                    })
                }
            ),
            (video_id(), title_id(), text(), time()).prop_map(
                |(video_id, title_id, reason, at_ms)| {
                    Event::EncodingFailed(VideoEncodingFailed { video_id, title_id, reason, at_ms })
                }
            ),
        ]
        .boxed()
    }
}

impl ArbitraryCommand for video::Video {
    fn any() -> BoxedStrategy<video::Command> {
        use video::Command;
        prop_oneof![
            (video_id(), title_id(), size(), vec(rendition(), 0..4), time()).prop_map(
                |(video_id, title_id, duration_ms, renditions, at_ms)| {
                    Command::RecordEncoded { video_id, title_id, duration_ms, renditions, at_ms }
                }
            ),
            (video_id(), title_id(), text(), time()).prop_map(
                |(video_id, title_id, reason, at_ms)| {
                    Command::RecordFailure { video_id, title_id, reason, at_ms }
                }
            ),
        ]
        .boxed()
    }
}

impl ArbitraryEvent for viewing::Event {
    fn any() -> BoxedStrategy<Self> {
        use viewing::{
            Event, RemovedFromHistory, TitleDismissed, TitleMarkedUnwatched, TitleMarkedWatched,
            TitleRestored,
        };
        let whose = || (account_id(), profile_id(), title_id());
        prop_oneof![
            4 => progressed().prop_map(Event::Progressed),
            1 => (whose(), time()).prop_map(|((account_id, profile_id, title_id), at_ms)| {
                Event::Dismissed(TitleDismissed { account_id, profile_id, title_id, at_ms })
            }),
            1 => (whose(), time()).prop_map(|((account_id, profile_id, title_id), at_ms)| {
                Event::Restored(TitleRestored { account_id, profile_id, title_id, at_ms })
            }),
            1 => (whose(), time()).prop_map(|((account_id, profile_id, title_id), at_ms)| {
                Event::MarkedWatched(TitleMarkedWatched { account_id, profile_id, title_id, at_ms })
            }),
            1 => (whose(), time()).prop_map(|((account_id, profile_id, title_id), at_ms)| {
                let unwatched = TitleMarkedUnwatched { account_id, profile_id, title_id, at_ms };
                Event::MarkedUnwatched(unwatched)
            }),
            1 => (whose(), option::of(session_id()), time()).prop_map(
                |((account_id, profile_id, title_id), session_id, at_ms)| {
                    Event::RemovedFromHistory(RemovedFromHistory {
                        account_id,
                        profile_id,
                        title_id,
                        session_id,
                        at_ms,
                    })
                }
            ),
        ]
        .boxed()
    }
}
