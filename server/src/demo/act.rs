//! Carries out what a viewer wishes, through the API, and tells the board.

use std::sync::Arc;

use rand::rngs::StdRng;

use super::board::{Board, Guest, Seat};
use super::client::{Client, ClientError, Start};
use super::film::{Film, clock};
use super::happening::What;
use super::player::{Heartbeat, Player};
use super::shelf::Shelf;
use super::viewer::{Search, Viewer, Wish};

/// How much is played in a beat: one heartbeat's worth (30 s).
pub(super) const BEAT_MS: u64 = 30_000;

/// One who watches, with everything that belongs to it.
#[derive(Debug)]
pub(super) struct Person {
    seat: Seat,
    /// First name and family name.
    who: String,
    profile_id: String,
    viewer: Viewer,
    shelf: Shelf,
    player: Option<Player>,
    left_behind: Option<LeftBehind>,
}

impl Person {
    /// Somebody who has just got a profile.
    pub(super) fn new(seat: Seat, who: String, profile_id: String, rng: &mut StdRng) -> Self {
        let (viewer, shelf) = (Viewer::new(rng), Shelf::default());
        Self { seat, who, profile_id, viewer, shelf, player: None, left_behind: None }
    }
}

/// The heartbeat that a device could not send before its session ended.
#[derive(Debug)]
struct LeftBehind {
    heartbeat: Heartbeat,
    film: Arc<Film>,
    device: &'static str,
}

/// What all people of a household act with.
#[derive(Debug)]
pub(super) struct Actor {
    /// The connection to the server.
    pub(super) client: Client,
    /// Where it is told.
    pub(super) board: Arc<Board>,
    /// Chance.
    pub(super) rng: StdRng,
}

impl Actor {
    /// One beat of a viewer.
    pub(super) async fn act(&mut self, person: &mut Person) {
        let wish = person.viewer.next(person.player.as_ref(), &person.shelf, &mut self.rng);
        let done = match wish {
            Wish::Rest => Ok(()),
            Wish::Browse(search) => self.browse(person, &search).await,
            Wish::Play(film, device) => self.play(person, &film, device).await,
            Wish::Watch => self.watch(person).await,
            Wish::Skip(to_ms) => self.skip(person, to_ms).await,
            Wish::Pause => self.pause(person).await,
            Wish::Leave => self.stop(person).await,
            Wish::Dismiss(film) => self.dismiss(person, &film).await,
        };
        if let Err(error) = done {
            self.failed(&person.who, &error);
            person.player = None;
            person.viewer.turned_away(&mut self.rng);
        }
        self.board.seat(person.seat, &person.who, person.player.as_ref());
    }

    /// Ends what plays, sends what was left behind, and compares what the server shows.
    pub(super) async fn end(&mut self, person: &mut Person) {
        if let Err(error) = self.leave(person).await {
            self.failed(&person.who, &error);
        }
        self.board.seat(person.seat, &person.who, None);
    }

    /// Tells of a failure.
    pub(super) fn failed(&self, who: &str, error: &ClientError) {
        self.board.tell(who, What::Failed { reason: error.to_string() });
    }

    async fn leave(&mut self, person: &mut Person) -> Result<(), ClientError> {
        self.stop(person).await?;
        self.send_left_behind(person).await?;
        let (row, history) = self.client.home(&person.profile_id).await?;
        self.board.compared(&person.who, person.shelf.disagreements(&row, &history));
        Ok(())
    }

    async fn browse(&mut self, person: &mut Person, search: &Search) -> Result<(), ClientError> {
        let (films, found) = self.client.browse(&person.profile_id, search).await?;
        let search = search.to_string();
        self.board.tell(&person.who, What::Browsed { search, found });
        person.viewer.shown(&films, &person.shelf, &mut self.rng);
        Ok(())
    }

    async fn play(
        &mut self,
        person: &mut Person,
        film: &Arc<Film>,
        device: &'static str,
    ) -> Result<(), ClientError> {
        let what = match self.client.start(&person.profile_id, film, device).await? {
            Start::Playing(player) => {
                let what = self.began(person, &player);
                person.viewer.settled();
                person.player = Some(player);
                what
            }
            Start::Limited { limit, playing } => {
                person.viewer.turned_away(&mut self.rng);
                What::Limited { film: film.name.clone(), limit, playing }
            }
        };
        self.board.tell(&person.who, what);
        Ok(())
    }

    /// Whether it goes on where it was left, and right so.
    fn began(&self, person: &Person, player: &Player) -> What {
        if let Ok(token) = self.client.token() {
            self.board.offer_guest(|| Guest {
                who: person.who.clone(),
                token,
                profile_id: person.profile_id.clone(),
                title_id: player.film.id.clone(),
            });
        }
        let (film, device, from_ms) = (player.film.name.clone(), player.device, player.position_ms);
        let Some(left_ms) = person.shelf.position_ms(&player.film) else {
            return What::Began { film, device, from_ms };
        };
        if from_ms != left_ms {
            let (from, left) = (clock(from_ms), clock(left_ms));
            let line = format!("{film} was left at {left} and goes on at {from}");
            self.board.disagree(&person.who, &line);
        }
        What::Resumed { film, device, from_ms }
    }

    async fn watch(&mut self, person: &mut Person) -> Result<(), ClientError> {
        let Some(player) = &mut person.player else { return Ok(()) };
        self.client.heartbeat(&player.play(BEAT_MS)).await?;
        self.send_left_behind(person).await
    }

    async fn skip(&mut self, person: &mut Person, to_ms: u64) -> Result<(), ClientError> {
        let Some(player) = &mut person.player else { return Ok(()) };
        self.client.heartbeat(&player.skip(to_ms)).await?;
        let (film, device) = (player.film.name.clone(), player.device);
        self.board.tell(&person.who, What::Skipped { film, device, to_ms });
        Ok(())
    }

    /// The device plays for a last beat without a connection. The stop gets through again.
    async fn pause(&mut self, person: &mut Person) -> Result<(), ClientError> {
        let Some(player) = &mut person.player else { return Ok(()) };
        let (film, device) = (Arc::clone(&player.film), player.device);
        person.left_behind = Some(LeftBehind { heartbeat: player.play(BEAT_MS), film, device });
        self.stop(person).await
    }

    async fn stop(&mut self, person: &mut Person) -> Result<(), ClientError> {
        let Some(mut player) = person.player.take() else { return Ok(()) };
        self.client.stop(&player.report()).await?;
        person.shelf.stopped(&player);
        let (film, device, at_ms) = (player.film.name.clone(), player.device, player.position_ms);
        self.board.tell(
            &person.who,
            match player.is_at_the_end() {
                true => What::Finished { film, device },
                false => What::Paused { film, device, at_ms },
            },
        );
        Ok(())
    }

    /// The old device is on the net again, and its last heartbeat must move nothing.
    async fn send_left_behind(&mut self, person: &mut Person) -> Result<(), ClientError> {
        let Some(LeftBehind { heartbeat, film, device }) = person.left_behind.take() else {
            return Ok(());
        };
        self.client.heartbeat(&heartbeat).await?;
        let at_ms = heartbeat.position_ms;
        self.board.tell(&person.who, What::Late { film: film.name.clone(), device, at_ms });
        let Some(player) = person.player.as_ref().filter(|player| player.film == film) else {
            return Ok(());
        };
        let (row, _) = self.client.home(&person.profile_id).await?;
        let shown = row.iter().find(|entry| entry.title_id == film.id);
        if let Some(shown) = shown.filter(|shown| shown.position_ms != player.position_ms) {
            let (at, now) = (clock(shown.position_ms), clock(player.position_ms));
            let line = format!("{} plays at {now}, the row says {at}", film.name);
            self.board.disagree(&person.who, &line);
        }
        Ok(())
    }

    async fn dismiss(&mut self, person: &mut Person, film: &Film) -> Result<(), ClientError> {
        self.client.dismiss(&person.profile_id, &film.id).await?;
        person.shelf.dismissed(film);
        self.board.tell(&person.who, What::Dismissed { film: film.name.clone() });
        Ok(())
    }
}
