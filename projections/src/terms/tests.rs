use playhead_domain::availability::{Availability, Window};
use playhead_domain::entitlement::{Terms, Viewer, is_visible};
use playhead_domain::title::{Metadata, Title};
use playhead_domain::{Decider, Maturity, Territory};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::Audience;
use crate::catalog::{Changes, TitleFilter};
use crate::testing::{
    TestLog, TestStore, added, edited, joined, metadata, published, scheduled, title, withdrawn,
};

const LEVELS: [Maturity; 5] = Maturity::LEVELS;

fn territory() -> impl Strategy<Value = Territory> {
    select(vec!["AT", "CH", "DE"]).prop_map(|code| code.parse().unwrap())
}

/// Windows that never open and lists of no territory are among them: the log may hold such.
fn availability() -> impl Strategy<Value = Availability> {
    let moment = || prop_oneof![8 => 0i64..6, 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    let window = (option::of(vec(territory(), 0..3)), moment(), option::of(moment()))
        .prop_map(|(territories, from_ms, until_ms)| Window { territories, from_ms, until_ms });
    (vec(window, 0..4), vec(territory(), 0..2))
        .prop_map(|(windows, blocked_territories)| Availability { windows, blocked_territories })
}

fn rated(maturity: Option<Maturity>) -> Metadata {
    Metadata { maturity, ..metadata("any") }
}

fn viewer() -> impl Strategy<Value = (Viewer, i64)> {
    let at_ms = prop_oneof![8 => 0i64..7, 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    (option::of(territory()), select(LEVELS.to_vec()), at_ms)
        .prop_map(|(territory, maturity_max, at_ms)| (Viewer { territory, maturity_max }, at_ms))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The condition of SQL and the rule of the domain are one function.
    #[test]
    fn what_is_listed_is_what_is_visible(
        titles in vec((option::of(select(LEVELS.to_vec())), option::of(availability())), 1..12),
        viewers in vec(viewer(), 1..12),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let (log, store) = (TestLog::new(), TestStore::<Changes>::new().await);
            for (number, (maturity, availability)) in (0u64..).zip(&titles) {
                log.title(added(number, rated(*maturity))).await;
                if let Some(availability) = availability {
                    log.title(scheduled(number, availability.clone())).await;
                }
            }
            store.follow(&log, 3).await;
            for (viewer, at_ms) in viewers {
                let expected: Vec<_> = (0u64..)
                    .zip(&titles)
                    .filter(|(_, (maturity, availability))| {
                        let availability = availability.clone();
                        is_visible(&Terms { maturity: *maturity, availability }, &viewer, at_ms)
                    })
                    .map(|(number, _)| title(number))
                    .collect();
                let (audience, filter) = (Audience::Viewer { viewer, at_ms }, TitleFilter::default());
                let listed = store.store.list(&filter, &audience, None, 99).await.unwrap();
                let listed: Vec<_> = listed.iter().map(|row| row.title_id).collect();
                assert_eq!(listed, expected, "{viewer:?} at {at_ms}");
                let counted = store.store.count(&filter, &audience).await.unwrap();
                assert_eq!(counted, expected.len() as u64);
            }
        });
    }

    /// Schedules are remembered and forgotten as the decider does.
    #[test]
    fn a_schedule_counts_as_long_as_its_title_is_listed(
        kinds in vec(0..6, 0..8),
        limit in 1usize..4,
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let (log, store) = (TestLog::new(), TestStore::<Changes>::new().await);
            let mut state = playhead_domain::title::State::default();
            for kind in kinds {
                let nowhere = Availability { windows: vec![], blocked_territories: vec![] };
                let event = match kind {
                    0 => added(1, rated(None)),
                    1 => edited(1, rated(None)),
                    2 => scheduled(1, nowhere),
                    3 => joined(1, rated(None), None, true),
                    4 => published(1),
                    _ => withdrawn(1),
                };
                state = Title::evolve(state, &event);
                log.title(event).await;
            }
            store.follow(&log, limit).await;
            let viewer = Viewer { territory: None, maturity_max: Maturity::From18 };
            let visible = state.listing().is_some_and(|it| is_visible(&it.terms(), &viewer, 0));
            let audience = Audience::Viewer { viewer, at_ms: 0 };
            let found = store.store.title(title(1), &audience).await.unwrap();
            assert_eq!(found.is_some(), visible);
            let everyone = Audience::Everyone;
            let found = store.store.title(title(1), &everyone).await.unwrap();
            assert_eq!(found.is_some(), state.listing_or_draft().is_some());
        });
    }
}
