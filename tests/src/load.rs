//! Twelve writers that remember what was acknowledged to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Client, Household, Recorded, Server, run};

/// How many write at once.
const WRITERS: usize = 12;
/// The heartbeats of one request. They are one append: all of them are recorded, or none.
const BATCH: u32 = 3;
/// Where in the film the first heartbeat is, far enough for the continue-watching row.
const BEGIN_MS: u64 = 600_000;

/// Puts one film into the catalogue of a data directory.
pub fn film(data: &Path) {
    fs::create_dir_all(data).unwrap();
    let films = data.join("films.json");
    let film = json!([{"title": "A film", "year": 1950, "cast": [], "genres": ["Drama"],
        "directors": [], "runtime_min": 100, "synopsis": "A film."}]);
    fs::write(&films, film.to_string()).unwrap();
    run(data, &["import", "films", films.to_str().unwrap()]).ok();
}

/// The global ids of at most 100 titles, in order of name, whoever may see them.
pub async fn film_ids(url: &str, data: &Path) -> Vec<String> {
    let editor = Client::minted(url, data, &["--role", "content_admin"]);
    let answer = editor.ask("{ titles(first: 100) { nodes { id } } }", json!({})).await;
    let nodes = answer["data"]["titles"]["nodes"].as_array().expect("the titles are listed");
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// Twelve households, each of which watches a film and reports that as fast as it is answered.
#[derive(Debug)]
pub struct Crew {
    data: PathBuf,
    writers: Vec<Writer>,
    recorded: Recorded,
}

#[derive(Debug)]
struct Writer {
    home: Household,
    session: String,
    token: String,
    /// How many batches were acknowledged.
    acknowledged: u32,
}

/// What was answered since work began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Appends that were acknowledged.
    pub acknowledged: usize,
    /// Appends that were refused with `READ_ONLY`.
    pub refused: usize,
}

/// A crew at work.
#[derive(Debug)]
pub struct Shift {
    data: PathBuf,
    recorded: Recorded,
    writers: JoinSet<Writer>,
    tally: watch::Receiver<Tally>,
    stop: Arc<AtomicBool>,
}

impl Crew {
    /// Signs everybody up at a server of a data directory with a [`film`].
    pub async fn sign_up(server: &Server, data: &Path) -> Self {
        let film = film_ids(&server.url, data).await.remove(0);
        let mut writers = Vec::with_capacity(WRITERS);
        for _ in 0..WRITERS {
            let mut home = Household::sign_up(&server.url, data, "BASIC").await;
            let playback = home.start(&film, "TV").await["playback"].clone();
            let text = |field: &str| playback[field].as_str().unwrap().to_owned();
            let (session, token) = (text("sessionId"), text("token"));
            writers.push(Writer { home, session, token, acknowledged: 0 });
        }
        Self { data: data.to_owned(), writers, recorded: Recorded::default() }
    }

    /// Everybody begins to write, and goes on until the server is gone or [`Shift::end`].
    pub fn work(self, server: &Server) -> Shift {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, tally) = watch::channel(Tally::default());
        let tell = Arc::new(tell);
        let mut writers = JoinSet::new();
        for mut writer in self.writers {
            writer.home.client = writer.home.client.moved_to(&server.url);
            writers.spawn(writer.write(Arc::clone(&tell), Arc::clone(&stop)));
        }
        Shift { data: self.data, recorded: self.recorded, writers, tally, stop }
    }

    /// How many heartbeats are recorded; at least those that were acknowledged, as a process that
    /// reads the files sees it.
    pub async fn check_log(&mut self) {
        self.recorded.read_on(&self.data).await;
        self.check(&self.recorded);
    }

    /// As [`Self::check_log`], and reads everything from the beginning.
    pub async fn check_whole_log(&self) {
        self.check(&Recorded::all(&self.data).await);
    }

    fn check(&self, recorded: &Recorded) {
        for Writer { session, acknowledged, .. } in &self.writers {
            let heartbeats = recorded.heartbeats(session);
            // The last one may have been recorded without being answered.
            let whole = [acknowledged * BATCH, (acknowledged + 1) * BATCH];
            assert!(
                whole.contains(&heartbeats),
                "{heartbeats} heartbeats of {session}, which knows of {acknowledged} × {BATCH}"
            );
        }
    }

    /// The read model shows the last heartbeat in the log to everybody.
    pub async fn check_screens(&mut self, server: &Server) {
        let recorded = std::mem::take(&mut self.recorded);
        for (writer, shown) in self.screens(server).await {
            let due = recorded.heartbeats(&writer.session).checked_sub(1);
            assert_eq!(shown, due, "the screen of {}", writer.session);
        }
        self.recorded = recorded;
    }

    /// The read model of a server that stopped writing shows everybody at least what was
    /// acknowledged.
    pub async fn check_acknowledged(&mut self, server: &Server) {
        for (writer, shown) in self.screens(server).await {
            let due = (writer.acknowledged * BATCH).checked_sub(1);
            assert!(shown >= due, "{} sees {shown:?} instead of {due:?}", writer.session);
        }
    }

    /// The heartbeat that everybody's continue-watching row shows.
    async fn screens(&mut self, server: &Server) -> Vec<(&Writer, Option<u32>)> {
        let mut screens = Vec::with_capacity(WRITERS);
        for writer in &mut self.writers {
            writer.home.client = writer.home.client.moved_to(&server.url);
            let row = writer.home.watched().await["continueWatching"]["nodes"].clone();
            let position_ms = row[0]["positionMs"].as_u64();
            let sequence = position_ms.map(|ms| u32::try_from(ms - BEGIN_MS).unwrap());
            screens.push((&*writer, sequence));
        }
        screens
    }
}

impl Writer {
    async fn write(mut self, tell: Arc<watch::Sender<Tally>>, stop: Arc<AtomicBool>) -> Self {
        while !stop.load(Ordering::Relaxed) {
            let Some((status, answer)) = self.send().await else { break };
            if status == 200 {
                self.acknowledged += 1;
                tell.send_modify(|tally| tally.acknowledged += 1);
            } else {
                let code = &answer["error"]["code"];
                assert_eq!((status, code), (503, &json!("READ_ONLY")), "{answer}");
                tell.send_modify(|tally| tally.refused += 1);
            }
        }
        self
    }

    /// Sends the batch behind the last one that was acknowledged: perhaps once more.
    async fn send(&mut self) -> Option<(u16, Value)> {
        let first = self.acknowledged * BATCH;
        let heartbeat = |sequence: u32| {
            let position_ms = position_ms(sequence);
            json!({"token": self.token, "sequence": sequence, "positionMs": position_ms,
                   "playedMs": position_ms, "durationMs": 7_200_000})
        };
        let batch: Value = (first..first + BATCH).map(heartbeat).collect();
        self.home.client.try_heartbeat(&batch).await
    }
}

fn position_ms(sequence: u32) -> u64 {
    BEGIN_MS + u64::from(sequence)
}

impl Shift {
    /// Returns once the answers are as asked for; `None` if the server is gone before.
    pub async fn until(&mut self, asked: impl FnMut(&Tally) -> bool) -> Option<Tally> {
        self.tally.wait_for(asked).await.ok().map(|tally| *tally)
    }

    /// What was answered so far.
    pub fn tally(&self) -> Tally {
        *self.tally.borrow()
    }

    /// Everybody stops with the answer to what they sent; at once if the server is gone.
    pub async fn end(self) -> Crew {
        self.stop.store(true, Ordering::Relaxed);
        let writers = self.writers.join_all().await;
        Crew { data: self.data, writers, recorded: self.recorded }
    }

    /// Everybody stops once the server is gone.
    pub async fn until_gone(self) -> Crew {
        let writers = self.writers.join_all().await;
        Crew { data: self.data, writers, recorded: self.recorded }
    }
}
