//! What the tests of this crate share: a log to write into, stores to fold into, made-up events.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use playhead_domain::availability::Availability;
use playhead_domain::codec::{EventType, StoredEvent};
use playhead_domain::playback::{PlaybackExpired, PlaybackStarted, PlaybackStopped};
use playhead_domain::resume::MarkKind;
use playhead_domain::title::{EpisodeOf, Kind, Metadata};
use playhead_domain::viewing::{self, Progressed, Quality};
use playhead_domain::{
    AccountId, DeviceCodeKey, Personal, ProfileId, SessionId, TitleId, device_code, devices,
    identity, playback, sign_in, title,
};
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{
    Append, Appended, Batch, Cursor, EventLog, Expected, NewEvent, PartitionCount, StreamName,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::dump::Dump;
use crate::runtime::ReadModel;
use crate::store::{Fold, SqliteStore};

pub(crate) const HOUR_MS: u64 = 3_600_000;
pub(crate) const MINUTE_MS: u64 = 60_000;

pub(crate) fn account(number: u64) -> AccountId {
    AccountId(Uuid::from_u64_pair(1, number))
}

pub(crate) fn profile(number: u64) -> ProfileId {
    ProfileId(Uuid::from_u64_pair(2, number))
}

pub(crate) fn title(number: u64) -> TitleId {
    TitleId(Uuid::from_u64_pair(3, number))
}

pub(crate) fn session(number: u64) -> SessionId {
    SessionId(Uuid::from_u64_pair(4, number))
}

/// A log in memory of four partitions.
pub(crate) struct TestLog {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) ids: AtomicU64,
}

impl TestLog {
    pub(crate) fn new() -> Self {
        let log = MemoryLog::new(PartitionCount::new(4).unwrap());
        Self { log: Arc::new(log), ids: AtomicU64::new(0) }
    }

    pub(crate) fn log(&self) -> Arc<dyn EventLog> {
        Arc::<MemoryLog>::clone(&self.log)
    }

    pub(crate) async fn append(&self, stream: &str, event: &impl StoredEvent) -> Appended {
        let EventType { name, version } = event.event_type();
        self.append_version(stream, name, version, &event.to_json().unwrap()).await
    }

    /// Appends a payload of the first version.
    pub(crate) async fn append_raw(&self, stream: &str, name: &str, payload: &[u8]) -> Appended {
        self.append_version(stream, name, 1, payload).await
    }

    async fn append_version(
        &self,
        stream: &str,
        name: &str,
        schema_version: u16,
        payload: &[u8],
    ) -> Appended {
        let event = NewEvent {
            id: Uuid::from_u64_pair(9, self.ids.fetch_add(1, Ordering::Relaxed)),
            event_type: name.into(),
            schema_version,
            recorded_at_ms: 0,
            actor: "system:test".into(),
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            payload: Bytes::copy_from_slice(payload),
            metadata: Bytes::new(),
        };
        let stream = StreamName::parse(stream).unwrap();
        let append = Append { stream, expected: Expected::Any, events: vec![event] };
        self.log.append(append).await.unwrap()
    }

    pub(crate) async fn title(&self, event: title::Event) -> Appended {
        let title_id = match &event {
            title::Event::Added(added) => added.title_id,
            title::Event::Edited(edited) => edited.title_id,
            title::Event::Published(published) => published.title_id,
            title::Event::Withdrawn(withdrawn) => withdrawn.title_id,
            title::Event::Scheduled(scheduled) => scheduled.title_id,
        };
        self.append(&format!("title-{title_id}"), &event).await
    }

    pub(crate) async fn viewing(&self, event: viewing::Event) -> Appended {
        let (account_id, profile_id) = match &event {
            viewing::Event::Progressed(event) => (event.account_id, event.profile_id),
            viewing::Event::Dismissed(event) => (event.account_id, event.profile_id),
            viewing::Event::Restored(event) => (event.account_id, event.profile_id),
            viewing::Event::MarkedWatched(event) => (event.account_id, event.profile_id),
            viewing::Event::MarkedUnwatched(event) => (event.account_id, event.profile_id),
            viewing::Event::RemovedFromHistory(event) => (event.account_id, event.profile_id),
        };
        let id = viewing::stream_id(account_id, profile_id);
        self.append(&format!("viewing-{id}"), &event).await
    }

    pub(crate) async fn playback(&self, event: playback::Event) -> Appended {
        let account_id = match &event {
            playback::Event::Started(event) => event.account_id,
            playback::Event::Stopped(event) => event.account_id,
            playback::Event::Expired(event) => event.account_id,
            playback::Event::TakenOver(event) => event.account_id,
        };
        self.append(&format!("playback-{account_id}"), &event).await
    }

    pub(crate) async fn identity(&self, account_id: AccountId, event: identity::Event) -> Appended {
        self.append(&format!("identity-{account_id}"), &event).await
    }

    pub(crate) async fn sign_in(&self, account_id: AccountId, event: sign_in::Event) -> Appended {
        let sign_in_id = match &event {
            sign_in::Event::Began(event) => event.sign_in_id,
            sign_in::Event::Refreshed(event) => event.sign_in_id,
            sign_in::Event::Ended(event) => event.sign_in_id,
        };
        self.append(&format!("signin-{account_id}.{sign_in_id}"), &event).await
    }

    pub(crate) async fn devices(&self, account_id: AccountId, event: devices::Event) -> Appended {
        self.append(&format!("devices-{account_id}"), &event).await
    }

    pub(crate) async fn device_code(&self, key: DeviceCodeKey, event: device_code::Event) {
        self.append(&format!("devicecode-{key}"), &event).await;
    }

    /// The whole log in one batch.
    pub(crate) async fn all(&self) -> Batch {
        self.log.read(&Cursor::start(self.log.partitions()), usize::MAX).await.unwrap()
    }
}

/// A store in a directory of its own.
pub(crate) struct TestStore<F> {
    pub(crate) store: SqliteStore<F>,
    dir: TempDir,
}

impl<F: Fold> TestStore<F> {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open_fresh(&dir.path().join("store.sqlite")).await.unwrap();
        Self { store, dir }
    }

    /// A store as a server opens it.
    pub(crate) async fn live() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("store.sqlite")).await.unwrap();
        Self { store, dir }
    }

    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("store.sqlite")
    }

    pub(crate) fn model(&self) -> Arc<dyn ReadModel> {
        Arc::new(self.store.clone())
    }

    /// Applies everything behind the checkpoint in batches of at most so many events.
    pub(crate) async fn follow(&self, log: &TestLog, limit: usize) {
        let mut cursor = self.resume(log).await;
        loop {
            let batch = log.log.read(&cursor, limit).await.unwrap();
            if batch.events.is_empty() {
                return;
            }
            self.store.apply(&batch).await.unwrap();
            cursor = batch.next;
        }
    }

    /// The checkpoint with every partition.
    pub(crate) async fn resume(&self, log: &TestLog) -> Cursor {
        let mut cursor = Cursor::start(log.log.partitions());
        let checkpoint = self.store.resume().await.unwrap();
        checkpoint.iter().for_each(|(partition, next)| cursor.set(partition, next));
        cursor
    }

    /// Reads one partition after the other in turns, each time the number of events that the
    /// schedule says, and then the rest.
    pub(crate) async fn follow_schedule(&self, log: &TestLog, schedule: &[(u16, usize)]) {
        let mut cursor = self.resume(log).await;
        for (partition, limit) in schedule {
            let partition = playhead_eventlog::Partition(partition % log.log.partitions().get());
            let one = [(partition, cursor.get(partition).unwrap())].into_iter().collect();
            let mut batch = log.log.read(&one, *limit).await.unwrap();
            cursor.set(partition, batch.next.get(partition).unwrap());
            batch.next = cursor.clone();
            self.store.apply(&batch).await.unwrap();
        }
        self.follow(log, usize::MAX).await;
    }

    /// The content, one line for each row.
    pub(crate) async fn lines(&self) -> Vec<String> {
        let dump = Dump::open(&self.path()).await.unwrap();
        let lines = dump.lines().await.unwrap();
        dump.close().await;
        lines
    }
}

/// Prepares statements on an empty store and panics with the first that is wrong.
pub(crate) async fn prepare_all<F: Fold>(statements: Vec<String>) {
    use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};
    let store = TestStore::<F>::new().await;
    for text in statements {
        let prepared = store.store.readers().prepare(AssertSqlSafe(text.clone()).into_sql_str());
        assert!(prepared.await.is_ok(), "{text}");
    }
}

pub(crate) fn metadata(name: &str) -> Metadata {
    Metadata::new(Kind::Movie, name)
}

pub(crate) fn episode(series: u64, season: u32, number: u32) -> Metadata {
    Metadata {
        kind: Kind::Episode,
        episode_of: Some(EpisodeOf { series_id: title(series), season, number }),
        ..metadata(&format!("S{season}E{number}"))
    }
}

pub(crate) fn added(number: u64, metadata: Metadata) -> title::Event {
    joined(number, metadata, None, false)
}

/// A title that somebody prepares, if it is a draft.
pub(crate) fn joined(
    number: u64,
    metadata: Metadata,
    owner: Option<u64>,
    draft: bool,
) -> title::Event {
    let owner = owner.map(account);
    let added = title::TitleAdded { title_id: title(number), metadata, owner, draft, at_ms: 1 };
    title::Event::Added(added)
}

pub(crate) fn published(number: u64) -> title::Event {
    title::Event::Published(title::TitlePublished { title_id: title(number), at_ms: 4 })
}

pub(crate) fn edited(number: u64, metadata: Metadata) -> title::Event {
    title::Event::Edited(title::TitleEdited { title_id: title(number), metadata, at_ms: 2 })
}

pub(crate) fn withdrawn(number: u64) -> title::Event {
    title::Event::Withdrawn(title::TitleWithdrawn { title_id: title(number), at_ms: 3 })
}

/// A session of profile 1 of account 1 that began at a time; its number is that time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sitting {
    pub(crate) account: u64,
    pub(crate) profile: u64,
    pub(crate) title: u64,
    pub(crate) began: u64,
}

pub(crate) fn sitting(title: u64, began: u64) -> Sitting {
    Sitting { account: 1, profile: 1, title, began }
}

impl Sitting {
    fn began_ms(self) -> i64 {
        i64::try_from(self.began * MINUTE_MS).unwrap()
    }

    pub(crate) fn started(self) -> playback::Event {
        playback::Event::Started(PlaybackStarted {
            account_id: account(self.account),
            session_id: session(self.began),
            profile_id: profile(self.profile),
            title_id: title(self.title),
            device_id: None,
            device: Personal::Known(format!("device {}", self.began)),
            territory: None,
            started_at_ms: self.began_ms(),
        })
    }

    /// What is said of the title some minutes after the session began.
    pub(crate) fn marked(self, kind: MarkKind, minutes_later: u64) -> viewing::Event {
        let Self { account: of, profile: by, title: number, .. } = self;
        let (account_id, profile_id, title_id) = (account(of), profile(by), title(number));
        let at_ms = self.began_ms() + i64::try_from(minutes_later * MINUTE_MS).unwrap();
        match kind {
            MarkKind::Restored => {
                let said = viewing::TitleRestored { account_id, profile_id, title_id, at_ms };
                viewing::Event::Restored(said)
            }
            MarkKind::Dismissed => self.dismissed(minutes_later),
            MarkKind::Watched => {
                let said = viewing::TitleMarkedWatched { account_id, profile_id, title_id, at_ms };
                viewing::Event::MarkedWatched(said)
            }
            MarkKind::Unwatched => {
                let said =
                    viewing::TitleMarkedUnwatched { account_id, profile_id, title_id, at_ms };
                viewing::Event::MarkedUnwatched(said)
            }
            MarkKind::Removed(session_id) => {
                viewing::Event::RemovedFromHistory(viewing::RemovedFromHistory {
                    account_id,
                    profile_id,
                    title_id,
                    session_id,
                    at_ms,
                })
            }
        }
    }

    pub(crate) fn stopped(self) -> playback::Event {
        playback::Event::Stopped(PlaybackStopped {
            account_id: account(self.account),
            session_id: session(self.began),
            profile_id: profile(self.profile),
            title_id: title(self.title),
            started_at_ms: self.began_ms(),
            at_ms: self.began_ms() + 500_000,
        })
    }

    pub(crate) fn expired(self) -> playback::Event {
        playback::Event::Expired(PlaybackExpired {
            account_id: account(self.account),
            session_id: session(self.began),
            profile_id: profile(self.profile),
            title_id: title(self.title),
            started_at_ms: self.began_ms(),
            last_seen_at_ms: self.began_ms() + 400_000,
            at_ms: self.began_ms() + 500_000,
        })
    }

    /// A heartbeat at a position of a title of one hour; everything up to there was really played.
    pub(crate) fn at(self, sequence: u32, position_ms: u64) -> viewing::Event {
        viewing::Event::Progressed(Progressed {
            account_id: account(self.account),
            profile_id: profile(self.profile),
            title_id: title(self.title),
            session_id: session(self.began),
            started_at_ms: self.began_ms(),
            sequence,
            position_ms,
            played_ms: position_ms,
            duration_ms: Some(HOUR_MS),
            credits_start_ms: None,
            quality: Quality::default(),
            at_ms: self.began_ms() + i64::from(sequence),
        })
    }

    /// The viewer takes the title off the row some minutes after the session began.
    pub(crate) fn dismissed(self, minutes_later: u64) -> viewing::Event {
        viewing::Event::Dismissed(viewing::TitleDismissed {
            account_id: account(self.account),
            profile_id: profile(self.profile),
            title_id: title(self.title),
            at_ms: self.began_ms() + i64::try_from(minutes_later * MINUTE_MS).unwrap(),
        })
    }
}

pub(crate) fn scheduled(number: u64, availability: Availability) -> title::Event {
    let title_id = title(number);
    title::Event::Scheduled(title::AvailabilityScheduled { title_id, availability, at_ms: 3 })
}

pub(crate) fn erased(account_id: AccountId) -> identity::Event {
    identity::Event::Erased(identity::AccountErased { account_id, at_ms: 9_000_000 })
}

/// Whether a text is somewhere in the bytes of the files of a directory.
pub(crate) fn is_in_files(dir: &std::path::Path, text: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}
