//! Starting playback with every fact looked up.

use std::collections::BTreeMap;

use async_trait::async_trait;
use playhead_commands::ExecuteError;
use playhead_commands::people::{PlaybackWish, PortError};
use playhead_commands::playback::{LastSeen, StartError, Started};
use playhead_domain::account::{self, PIN_TRIES_MAX, Profile};
use playhead_domain::availability::{Availability, Window};
use playhead_domain::entitlement::Refusal;
use playhead_domain::playback::{self, SILENCE_MAX_MS};
use playhead_domain::{
    AccountId, Maturity, Personal, Plan, ProfileId, SessionId, TitleId, subscription, title,
};

use super::world::{ADDRESS, World};
use crate::{id, metadata};

/// No session was ever heard of.
struct Silence;

#[async_trait]
impl LastSeen for Silence {
    async fn last_seen(&self, _: &[SessionId]) -> Result<BTreeMap<SessionId, i64>, PortError> {
        Ok(BTreeMap::new())
    }
}

pub(super) struct Home {
    pub(super) world: World,
    pub(super) account_id: AccountId,
    pub(super) profile_id: ProfileId,
    pub(super) title_id: TitleId,
}

impl Home {
    pub(super) async fn new() -> Self {
        let world = World::new().await;
        let account_id = world.member(ADDRESS).await;
        let (profile_id, title_id) = (ProfileId(id(2)), TitleId(id(3)));
        let mut metadata = metadata("Metropolis");
        metadata.maturity = Some(Maturity::From13);
        let (owner, draft, at_ms) = (None, false, world.now_ms());
        let add = title::Command::Add { title_id, metadata, owner, draft, at_ms };
        world.commands.titles.execute(&title_id, &add, &world.context()).await.unwrap();
        let home = Self { world, account_id, profile_id, title_id };
        home.add_profile(profile_id, Profile::new("Ada", "en", false)).await;
        home
    }

    async fn add_profile(&self, profile_id: ProfileId, profile: Profile) {
        let (account_id, at_ms) = (self.account_id, self.world.now_ms());
        let account_right = true;
        let add =
            account::Command::AddProfile { account_id, profile_id, profile, account_right, at_ms };
        let context = self.world.context();
        self.world.commands.accounts.execute(&account_id, &add, &context).await.unwrap();
    }

    pub(super) async fn subscribe(&self, plan: Plan) {
        let (account_id, at_ms) = (self.account_id, self.world.now_ms());
        let subscribe = subscription::Command::Subscribe { account_id, plan, at_ms };
        let context = self.world.context();
        self.world.commands.subscriptions.execute(&account_id, &subscribe, &context).await.unwrap();
    }

    pub(super) fn wish(&self) -> PlaybackWish {
        self.world.playback(self.account_id, self.profile_id, self.title_id)
    }

    async fn start(&self, wish: PlaybackWish) -> Result<Started, StartError> {
        self.world.people.start_playback(wish, &Silence, &self.world.context()).await
    }

    async fn refused(&self, wish: PlaybackWish) -> Refusal {
        match self.start(wish).await {
            Err(StartError::Execute(ExecuteError::Refused(playback::Refusal::NotEntitled(
                refusal,
            )))) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }
}

#[tokio::test]
async fn whoever_subscribed_plays_and_the_device_is_registered() {
    let home = Home::new().await;
    assert_eq!(home.refused(home.wish()).await, Refusal::NotSubscribed);
    assert_eq!(home.world.count("DeviceRegistered").await, 0);
    home.subscribe(Plan::Basic).await;
    let wish = home.wish();
    let started = home.start(wish.clone()).await.unwrap();
    assert_eq!(started.grant.session_id, wish.session_id);
    assert_eq!(home.world.count("DeviceRegistered").await, 1);
    let playing = home.world.commands.playbacks.state(&home.account_id).await.unwrap();
    assert_eq!(playing.running[&wish.session_id].device_id, Some(wish.device.device_id));
    let refused = home.start(home.wish()).await;
    assert!(matches!(
        refused,
        Err(StartError::Execute(ExecuteError::Refused(playback::Refusal::TooManyStreams { .. })))
    ));
    assert_eq!(
        home.world.count("DeviceRegistered").await,
        1,
        "what does not play is not registered"
    );
    let take_over = PlaybackWish { take_over: Some(wish.session_id), ..home.wish() };
    home.start(take_over).await.unwrap();
    assert_eq!(home.world.count("PlaybackTakenOver").await, 1);
}

#[tokio::test]
async fn accounts_that_are_locked_closed_or_not_verified_do_not_play() {
    let home = Home::new().await;
    home.subscribe(Plan::Basic).await;
    let people = &home.world.people;
    people.suspend(home.account_id, "fraud".into(), &home.world.context()).await.unwrap();
    assert_eq!(home.refused(home.wish()).await, Refusal::AccountSuspended);
    people.reinstate(home.account_id, &home.world.context()).await.unwrap();
    home.start(home.wish()).await.unwrap();
    people.cancel_account(home.account_id, &home.world.context()).await.unwrap();
    assert_eq!(home.refused(home.wish()).await, Refusal::AccountSuspended);
    let pending = home.world.registration("bob@example.org");
    let account_id = pending.account_id;
    people.register(pending, &home.world.context()).await.unwrap();
    let wish = PlaybackWish { account_id, ..home.wish() };
    assert_eq!(home.refused(wish).await, Refusal::EmailNotVerified);
}

#[tokio::test]
async fn the_devices_of_the_plan_play_and_no_other() {
    let home = Home::new().await;
    home.subscribe(Plan::Basic).await;
    let mut last = home.wish();
    home.start(last.clone()).await.unwrap();
    for _ in 0..2 {
        let next = PlaybackWish { take_over: Some(last.session_id), ..home.wish() };
        home.start(next.clone()).await.unwrap();
        last = next;
    }
    let fourth = PlaybackWish { take_over: Some(last.session_id), ..home.wish() };
    assert_eq!(home.refused(fourth.clone()).await, Refusal::TooManyDevices { limit: 3 });
    let (account_id, device_id) = (home.account_id, last.device.device_id);
    home.world.people.remove_device(account_id, device_id, &home.world.context()).await.unwrap();
    let removed = PlaybackWish { device: last.device, ..fourth.clone() };
    assert_eq!(home.refused(removed).await, Refusal::DeviceRemoved);
    home.start(fourth).await.unwrap();
}

#[tokio::test]
async fn a_pin_is_asked_for_compared_and_locked() {
    let home = Home::new().await;
    let people = &home.world.people;
    let (account_id, profile_id) = (home.account_id, home.profile_id);
    people.set_pin(account_id, profile_id, "0815", true, &home.world.context()).await.unwrap();
    let with = |pin: &str| PlaybackWish { pin: Some(pin.to_owned()), ..home.wish() };
    assert_eq!(home.refused(with("1111")).await, Refusal::NotSubscribed);
    assert_eq!(home.world.count("PinRefused").await, 0, "no PIN is compared before that");
    home.subscribe(Plan::Basic).await;
    assert_eq!(home.refused(home.wish()).await, Refusal::PinRequired);
    home.start(with("0815")).await.unwrap();
    for tries_left in (0..PIN_TRIES_MAX).rev() {
        let refused = home.start(with("1111")).await;
        let Err(StartError::WrongPin { tries_left: told }) = refused else { panic!("{refused:?}") };
        assert_eq!(told, tries_left);
    }
    assert!(matches!(home.refused(with("0815")).await, Refusal::PinLocked { .. }));
}

#[tokio::test]
async fn territory_time_vpn_and_maturity_count() {
    let home = Home::new().await;
    home.subscribe(Plan::Premium).await;
    let vpn = PlaybackWish { vpn: true, ..home.wish() };
    assert_eq!(home.refused(vpn).await, Refusal::VpnRefused);
    let child = ProfileId(id(20));
    home.add_profile(child, Profile::new("Kim", "en", true)).await;
    let wish = PlaybackWish { profile_id: child, ..home.wish() };
    assert!(matches!(home.refused(wish).await, Refusal::TooMature { .. }));
    let now_ms = home.world.now_ms();
    let window = Window {
        territories: Some(vec!["DE".parse().unwrap()]),
        from_ms: now_ms + 10,
        until_ms: Some(now_ms + 20),
    };
    let availability = Availability { windows: vec![window], blocked_territories: vec![] };
    let (title_id, at_ms) = (home.title_id, now_ms);
    let by = title::By::Catalogue;
    let schedule = title::Command::Schedule { title_id, availability, by, at_ms };
    let context = home.world.context();
    home.world.commands.titles.execute(&title_id, &schedule, &context).await.unwrap();
    let from = |territory: &str| PlaybackWish {
        territory: Some(territory.parse().unwrap()),
        ..home.wish()
    };
    assert_eq!(home.refused(home.wish()).await, Refusal::TerritoryUnknown);
    assert_eq!(home.refused(from("FR")).await, Refusal::NotInTerritory);
    let from_ms = now_ms + 10;
    assert_eq!(home.refused(from("DE")).await, Refusal::NotYetAvailable { from_ms });
    home.world.pass(10);
    home.start(from("DE")).await.unwrap();
    home.world.pass(10);
    assert_eq!(home.refused(from("DE")).await, Refusal::NoLongerAvailable);
}

#[tokio::test]
async fn sessions_that_fell_silent_end_when_they_are_looked_after() {
    let home = Home::new().await;
    home.subscribe(Plan::Standard).await;
    home.start(home.wish()).await.unwrap();
    let people = &home.world.people;
    let look = async || {
        let context = home.world.context();
        people.expire_silent(home.account_id, &Silence, &context).await.unwrap()
    };
    assert_eq!(look().await, 0);
    home.world.pass(SILENCE_MAX_MS);
    assert_eq!(look().await, 1);
    assert_eq!(look().await, 0);
}

#[tokio::test]
async fn a_registered_device_is_called_as_its_people_call_it() {
    let home = Home::new().await;
    home.subscribe(Plan::Premium).await;
    let first = home.wish();
    home.start(first.clone()).await.unwrap();
    let (account_id, device_id) = (home.account_id, first.device.device_id);
    let context = home.world.context();
    home.world.people.name_device(account_id, device_id, "Den".into(), &context).await.unwrap();
    let again = PlaybackWish { device: first.device, ..home.wish() };
    let started = home.start(again.clone()).await.unwrap();
    let session = &started.executed.state.running[&again.session_id];
    assert_eq!(session.device, Personal::Known("Den".into()));
}
