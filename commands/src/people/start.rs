//! Starting playback: every fact of the entitlement is looked up here.

use playhead_domain::entitlement::{self, Device, Facts, Pin, Terms, Viewer};
use playhead_domain::identity::Status;
use playhead_domain::playback::{self, Command, Refusal, Start};
use playhead_domain::title::{Kind, Listing, Metadata};
use playhead_domain::{
    AccountId, Maturity, Personal, Plan, ProfileId, SessionId, Territory, TitleId, account, devices,
};

use super::{NewDevice, People, PeopleError};
use crate::context::Context;
use crate::handler::ExecuteError;
use crate::playback::{LastSeen, StartError, Started, look_up};
use crate::token::PlaybackGrant;

/// A wish to play something.
#[derive(Clone)]
pub struct PlaybackWish {
    /// The account.
    pub account_id: AccountId,
    /// The new session.
    pub session_id: SessionId,
    /// Who wants to watch.
    pub profile_id: ProfileId,
    /// What is to be watched.
    pub title_id: TitleId,
    /// On what. It is registered if it is new.
    pub device: NewDevice,
    /// Where to begin.
    pub from_ms: u64,
    /// The profile's PIN, if it was typed.
    pub pin: Option<String>,
    /// Where the viewer is, if it is known.
    pub territory: Option<Territory>,
    /// Whether the request came through a known VPN.
    pub vpn: bool,
    /// The session that is to end for this one.
    pub take_over: Option<SessionId>,
}

/// What the streams of an account say, as far as playing needs it.
struct Household {
    status: Option<Status>,
    plan: Option<Plan>,
    profiles: std::sync::Arc<account::State>,
    devices: std::sync::Arc<devices::State>,
}

impl People {
    /// Begins a session, if account, plan, profile, device and title allow it.
    ///
    /// A PIN is compared only if nothing about the account speaks against playing, and a wrong one
    /// is counted.
    ///
    /// A device is registered behind the session that begins on it, so that a start which is
    /// refused, or loses a race for the last stream, takes no room of a device. The devices of a
    /// household decide in their own stream, which keeps their limit exact: if another device took
    /// the last room in between, the session ends at once and the start is refused. A process that
    /// dies between both leaves a session that nobody was told of; it falls silent, or the same
    /// command goes on with it.
    ///
    /// # Errors
    /// No session was recorded.
    pub async fn start_playback(
        &self,
        wish: PlaybackWish,
        last_seen: &dyn LastSeen,
        context: &Context,
    ) -> Result<Started, StartError> {
        let (account_id, at_ms) = (wish.account_id, context.at_ms);
        let household = self.household(account_id, at_ms).await?;
        let title = self.commands().titles.state(&wish.title_id).await.map_err(look_up("title"))?;
        let playable = title.listed().filter(|metadata| metadata.kind != Kind::Series);
        let mut facts = household.facts(&wish, title.listing(), at_ms);
        refuse_at_once(&facts, at_ms)?;
        if !household.devices.devices.contains_key(&wish.device.device_id) {
            let name = Personal::Known(wish.device.name.clone());
            let named = devices::check_name(&name, "device");
            named.map_err(|invalid| ExecuteError::Refused(invalid.into()))?;
        }
        if facts.check(at_ms) == Err(entitlement::Refusal::PinRequired)
            && let Some(pin) = &wish.pin
        {
            facts.pin = self.given(&wish, pin, context).await?;
        }
        let start = Start {
            account_id,
            session_id: wish.session_id,
            profile_id: wish.profile_id,
            title_id: wish.title_id,
            device_id: Some(wish.device.device_id),
            device: household.device_name(&wish.device),
            at_ms,
            profile_known: household.profiles.profiles.contains_key(&wish.profile_id),
            title_playable: playable.is_some(),
            entitlement: facts,
            last_seen_at_ms: self.commands().heard_of(account_id, last_seen, at_ms).await?,
        };
        let command = match wish.take_over {
            Some(session_to_end) => Command::TakeOver { start, session_to_end },
            None => Command::Start(start),
        };
        let playbacks = &self.commands().playbacks;
        let executed = playbacks.execute(&account_id, &command, context).await?;
        if let Err(refused) = self.welcome(&household, &wish, context).await {
            self.take_back(account_id, wish.session_id, context).await;
            return Err(refused);
        }
        let running = executed.state.running.get(&wish.session_id);
        let started_at_ms = running.map_or(at_ms, |session| session.started_at_ms);
        Ok(Started { grant: grant(&wish, playable, started_at_ms), executed })
    }

    async fn household(&self, account_id: AccountId, at_ms: i64) -> Result<Household, StartError> {
        let commands = self.commands();
        let identity = commands.identities.state(&account_id).await.map_err(look_up("identity"))?;
        let subscription =
            commands.subscriptions.state(&account_id).await.map_err(look_up("subscription"))?;
        Ok(Household {
            status: identity.status(),
            plan: subscription.plan_at(at_ms),
            profiles: commands.accounts.state(&account_id).await.map_err(look_up("account"))?,
            devices: commands.devices.state(&account_id).await.map_err(look_up("devices"))?,
        })
    }

    /// Compares a PIN that was typed.
    async fn given(
        &self,
        wish: &PlaybackWish,
        pin: &str,
        context: &Context,
    ) -> Result<Pin, StartError> {
        match self.try_pin(wish.account_id, wish.profile_id, pin, context).await {
            Ok(true) => Ok(Pin::Given),
            Ok(false) => {
                let state = self.commands().accounts.state(&wish.account_id).await;
                let state = state.map_err(look_up("account"))?;
                let pin = state.pins.get(&wish.profile_id);
                let tries_left = pin.map_or(0, |pin| pin.tries_left(context.at_ms));
                Err(StartError::WrongPin { tries_left })
            }
            Err(PeopleError::Account(account::Refusal::PinLocked { until_ms })) => {
                Ok(Pin::Locked { until_ms })
            }
            Err(PeopleError::Account(account::Refusal::WrongPin)) => {
                Err(StartError::WrongPin { tries_left: 0 })
            }
            // It was taken away just now.
            Err(PeopleError::Account(account::Refusal::NoPin)) => Ok(Pin::None),
            Err(error) => Err(StartError::People(Box::new(error))),
        }
    }

    /// Registers a device that plays for the first time.
    async fn welcome(
        &self,
        household: &Household,
        wish: &PlaybackWish,
        context: &Context,
    ) -> Result<(), StartError> {
        if household.devices.devices.contains_key(&wish.device.device_id) {
            return Ok(());
        }
        match self.register_device(wish.account_id, wish.device.clone(), context).await {
            Ok(_) => Ok(()),
            Err(PeopleError::Devices(devices::Refusal::TooManyDevices { limit, .. })) => {
                Err(not_entitled(entitlement::Refusal::TooManyDevices { limit }))
            }
            Err(PeopleError::DeviceRemoved) => {
                Err(not_entitled(entitlement::Refusal::DeviceRemoved))
            }
            Err(PeopleError::Invalid(invalid)) => {
                Err(StartError::Execute(ExecuteError::Refused(invalid.into())))
            }
            Err(error) => Err(StartError::People(Box::new(error))),
        }
    }

    /// Ends a session that nobody was told of. If that fails, it falls silent.
    async fn take_back(&self, account_id: AccountId, session_id: SessionId, context: &Context) {
        let at_ms = context.at_ms;
        let stop = Command::Stop { account_id, session_id, at_ms };
        let context = context.branch("take back");
        if let Err(error) = self.commands().playbacks.execute(&account_id, &stop, &context).await {
            tracing::warn!(%account_id, %error, "a session that may not be could not be ended");
        }
    }

    /// Ends the sessions of an account that have fallen silent. To be asked now and then for the
    /// accounts that [`RunningSessions`](super::RunningSessions) knows; answers how many ended.
    ///
    /// # Errors
    /// Something failed; ask again later.
    pub async fn expire_silent(
        &self,
        account_id: AccountId,
        last_seen: &dyn LastSeen,
        context: &Context,
    ) -> Result<usize, StartError> {
        let at_ms = context.at_ms;
        let last_seen_at_ms = self.commands().heard_of(account_id, last_seen, at_ms).await?;
        let command = Command::ExpireSilent { account_id, last_seen_at_ms, at_ms };
        let executed = self.commands().playbacks.execute(&account_id, &command, context).await?;
        let ended = executed.events.iter();
        Ok(ended.filter(|event| matches!(event, playback::Event::Expired(_))).count())
    }
}

impl Household {
    fn facts(&self, wish: &PlaybackWish, title: Option<&Listing>, at_ms: i64) -> Facts {
        let closed = [Status::Suspended, Status::Cancelled, Status::Erased];
        let profile = self.profiles.profiles.get(&wish.profile_id);
        let pin = self.profiles.pins.get(&wish.profile_id).map_or(Pin::None, |pin| {
            pin.locked_until(at_ms).map_or(Pin::Missing, |until_ms| Pin::Locked { until_ms })
        });
        Facts {
            account_active: self.status.is_none_or(|status| !closed.contains(&status)),
            email_verified: self.status == Some(Status::Active),
            plan: self.plan,
            vpn: wish.vpn,
            viewer: Viewer {
                territory: wish.territory.filter(|_| !wish.vpn),
                maturity_max: profile.map_or(Maturity::All, |profile| profile.maturity_max),
            },
            title: title.map_or(Terms { maturity: None, availability: None }, Listing::terms),
            pin,
            device: self.device(&wish.device),
        }
    }

    fn device(&self, device: &NewDevice) -> Device {
        let limit = self.plan.unwrap_or(Plan::Basic).devices_max();
        if self.devices.removed.contains(&device.device_id) {
            Device::Removed
        } else if self.devices.devices.contains_key(&device.device_id)
            || self.devices.devices.len() < limit
        {
            Device::Welcome
        } else {
            Device::NoRoom { limit }
        }
    }

    /// What people call the device, whatever its app says.
    fn device_name(&self, device: &NewDevice) -> Personal<String> {
        let known = self.devices.devices.get(&device.device_id);
        known.map_or_else(|| Personal::Known(device.name.clone()), |known| known.name.clone())
    }
}

/// What concerns the whole account comes before anything else: one that is not verified has no
/// profiles, and would be told that it lacks one.
fn refuse_at_once(facts: &Facts, at_ms: i64) -> Result<(), StartError> {
    use entitlement::Refusal::{AccountSuspended, DeviceRemoved, EmailNotVerified};
    match facts.check(at_ms) {
        Err(refusal @ (AccountSuspended | DeviceRemoved | EmailNotVerified)) => {
            Err(not_entitled(refusal))
        }
        _ => Ok(()),
    }
}

fn not_entitled(refusal: entitlement::Refusal) -> StartError {
    StartError::Execute(ExecuteError::Refused(Refusal::NotEntitled(refusal)))
}

fn grant(wish: &PlaybackWish, title: Option<&Metadata>, started_at_ms: i64) -> PlaybackGrant {
    PlaybackGrant {
        account_id: wish.account_id,
        profile_id: wish.profile_id,
        title_id: wish.title_id,
        session_id: wish.session_id,
        device_id: Some(wish.device.device_id),
        started_at_ms,
        from_ms: wish.from_ms,
        duration_ms: title.and_then(|metadata| metadata.runtime_ms),
        credits_start_ms: title.and_then(|metadata| metadata.credits_start_ms),
    }
}
