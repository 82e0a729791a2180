//! Load, decide, append; and again if somebody else was faster.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use playhead_domain::codec::CodecError;
use playhead_domain::{Decider, StoredEvent};
use playhead_eventlog::{
    Append, AppendError, EventLog, Expected, Partition, ReadError, RecordedEvent, StreamName,
    StreamNameError,
};
use quick_cache::sync::Cache;
use thiserror::Error;

use crate::context::Context;

/// How often a command is decided anew because somebody else appended first. A command loses at
/// most one round for each other append to its stream in the meantime, so only a stream under
/// absurd contention uses them up.
const ATTEMPTS_MAX: usize = 64;

/// How many folded streams a handler keeps; the least used ones make room.
const STATES_MAX: usize = 20_000;

/// How many events of a stream are read at once.
const PAGE_EVENTS: usize = 1_000;

/// How many are read at once when a stream is searched from its end, where what is asked for mostly
/// is.
const PAGE_BACK_EVENTS: u64 = 64;

/// Runs the commands of one decider.
///
/// Folded states are kept in a bounded cache, fresh by the handler's own appends. Nothing rests on
/// the cache being fresh: an append carries the version that was decided on, and a "no" or "already
/// so" is given only after a look at the end of the stream.
pub struct Handler<D: Decider> {
    log: Arc<dyn EventLog>,
    states: Cache<StreamName, Folded<D::State>>,
    decider: PhantomData<D>,
}

/// The state of a stream after its first `len` events.
#[derive(Debug)]
struct Folded<S> {
    state: Arc<S>,
    len: u64,
}

impl<S> Clone for Folded<S> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), len: self.len }
    }
}

/// A place in the log: everything up to and including one event of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The partition.
    pub partition: Partition,
    /// The event's offset in it.
    pub offset: u64,
}

/// What came of a command.
#[derive(Debug)]
pub struct Executed<D: Decider> {
    /// What happened; empty if it was already so.
    pub events: Vec<D::Event>,
    /// The state behind it.
    pub state: Arc<D::State>,
    /// A read model that has passed this place shows the outcome. `None` if nothing was ever
    /// recorded.
    pub position: Option<Position>,
    /// True if the same command was recorded before.
    pub replayed: bool,
}

impl<D: Decider> Executed<D> {
    /// True if the log did not grow: it was already so, or the command was repeated.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        self.events.is_empty() || self.replayed
    }
}

/// Why a command came to nothing.
#[derive(Debug, Error)]
pub enum ExecuteError<R: std::error::Error + 'static> {
    /// The rules forbid it; the user learns why.
    #[error(transparent)]
    Refused(R),
    /// Others appended to the stream again and again. Try again.
    #[error("{stream} changed {ATTEMPTS_MAX} times while the command was decided")]
    Contended {
        /// The stream.
        stream: StreamName,
    },
    /// The stream could not be named.
    #[error("the command names no stream: {0}")]
    Stream(#[from] StreamNameError),
    /// The log refused the append.
    #[error("appending failed: {0}")]
    Append(AppendError),
    /// The stream could not be read.
    #[error("loading {stream} failed: {source}")]
    Read {
        /// The stream.
        stream: StreamName,
        /// What failed.
        source: ReadError,
    },
    /// An event could not be encoded or decoded.
    #[error("{stream}: {source}")]
    Codec {
        /// The stream.
        stream: StreamName,
        /// What failed.
        source: CodecError,
    },
}

impl<R: std::error::Error + 'static> ExecuteError<R> {
    /// Whether the same command, with the same id, may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Contended { .. } => true,
            Self::Append(error) => error.retryable(),
            Self::Read { source, .. } => source.retryable(),
            Self::Refused(_) | Self::Stream(_) | Self::Codec { .. } => false,
        }
    }
}

impl<R: std::error::Error + 'static> ExecuteError<R> {
    /// What the rules said, or else the failure, which is the same for all of them.
    ///
    /// # Errors
    /// It was not refused.
    pub fn refusal(self) -> Result<R, ExecuteError<Infallible>> {
        Err(match self {
            Self::Refused(refusal) => return Ok(refusal),
            Self::Contended { stream } => ExecuteError::Contended { stream },
            Self::Stream(error) => ExecuteError::Stream(error),
            Self::Append(error) => ExecuteError::Append(error),
            Self::Read { stream, source } => ExecuteError::Read { stream, source },
            Self::Codec { stream, source } => ExecuteError::Codec { stream, source },
        })
    }
}

type Outcome<T, D> = Result<T, ExecuteError<<D as Decider>::Refusal>>;

impl<D: Decider> Handler<D> {
    /// A handler over a log.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log, states: Cache::new(STATES_MAX), decider: PhantomData }
    }

    /// The state of a stream as it is now.
    ///
    /// # Errors
    /// The stream could not be read or decoded.
    pub async fn state(&self, id: &D::Id) -> Outcome<Arc<D::State>, D> {
        let stream = StreamName::new(D::CATEGORY, &id.to_string())?;
        let known = self.states.get(&stream).unwrap_or_else(Folded::empty);
        Ok(self.refresh(&stream, known).await?.state)
    }

    /// Goes through a stream as it is now, from its last event back, until `look` answers something.
    ///
    /// # Errors
    /// The stream could not be read or decoded.
    pub async fn newest_first<T>(
        &self,
        id: &D::Id,
        mut look: impl FnMut(D::Event) -> Option<T>,
    ) -> Outcome<Option<T>, D> {
        let stream = StreamName::new(D::CATEGORY, &id.to_string())?;
        let known = self.states.get(&stream).unwrap_or_else(Folded::empty);
        let mut behind = self.refresh(&stream, known).await?.len;
        while behind > 0 {
            let from = behind.saturating_sub(PAGE_BACK_EVENTS);
            for event in self.between(&stream, from, behind).await?.into_iter().rev() {
                if let Some(found) = look(event) {
                    return Ok(Some(found));
                }
            }
            behind = from;
        }
        Ok(None)
    }

    /// The events of a stream from one version on and before another.
    async fn between(&self, stream: &StreamName, from: u64, to: u64) -> Outcome<Vec<D::Event>, D> {
        let mut events = vec![];
        let mut next = from;
        while next < to {
            let limit = usize::try_from(to - next).unwrap_or(PAGE_EVENTS);
            let page = self.page(stream, next, limit).await?;
            if page.is_empty() {
                break;
            }
            next += page.len() as u64;
            events.extend(page);
        }
        Ok(events)
    }

    /// Some events of a stream from a version on; none if that is its end.
    async fn page(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Outcome<Vec<D::Event>, D> {
        let read = self.log.read_stream(stream, from, limit).await;
        let page = read.map_err(|source| ExecuteError::Read { stream: stream.clone(), source })?;
        let events = page.iter().map(decode::<D>).collect::<Result<Vec<_>, _>>();
        events.map_err(|source| ExecuteError::Codec { stream: stream.clone(), source })
    }

    /// Drops what is kept in memory of a stream, because it must not be kept any more.
    pub fn forget(&self, id: &D::Id) {
        if let Ok(stream) = StreamName::new(D::CATEGORY, &id.to_string()) {
            self.states.remove(&stream);
        }
    }

    /// Decides a command and records what it leads to. Durable when answered.
    ///
    /// # Errors
    /// Nothing was recorded. [`ExecuteError::Refused`] is for the user, the rest for operators.
    pub async fn execute(
        &self,
        id: &D::Id,
        command: &D::Command,
        context: &Context,
    ) -> Outcome<Executed<D>, D> {
        self.decide_by(id, |state| D::decide(state, command), context).await
    }

    /// Decides a command that is made from the state it is decided on: what it carries over from
    /// there cannot be out of date, because it is made anew if somebody else was faster.
    ///
    /// # Errors
    /// Those of [`Handler::execute`]; what `make` refuses, too.
    pub async fn execute_on(
        &self,
        id: &D::Id,
        make: impl Fn(&D::State) -> Result<D::Command, D::Refusal> + Send + Sync,
        context: &Context,
    ) -> Outcome<Executed<D>, D> {
        self.decide_by(id, |state| D::decide(state, &make(state)?), context).await
    }

    async fn decide_by(
        &self,
        id: &D::Id,
        decide: impl Fn(&D::State) -> Result<Vec<D::Event>, D::Refusal> + Send,
        context: &Context,
    ) -> Outcome<Executed<D>, D> {
        let stream = StreamName::new(D::CATEGORY, &id.to_string())?;
        let cached = self.states.get(&stream);
        let mut fresh = cached.is_none();
        let mut folded = match cached {
            Some(folded) => folded,
            None => self.refresh(&stream, Folded::empty()).await?,
        };
        for _ in 0..ATTEMPTS_MAX {
            let decision = decide(&folded.state);
            if !fresh && decision.as_ref().map_or(true, Vec::is_empty) {
                folded = self.refresh(&stream, folded).await?;
                fresh = true;
                continue;
            }
            let events = decision.map_err(ExecuteError::Refused)?;
            if events.is_empty() {
                return Ok(self.already_so(&stream, folded));
            }
            match self.append(&stream, &folded, &events, context).await? {
                Some(executed) => return Ok(executed),
                None => folded = self.refresh(&stream, folded).await?,
            }
            fresh = true;
        }
        Err(ExecuteError::Contended { stream })
    }

    fn already_so(&self, stream: &StreamName, folded: Folded<D::State>) -> Executed<D> {
        let partition = self.log.partitions().partition_of(stream.shard_key());
        let head = self.log.head().get(partition).unwrap_or(0);
        Executed {
            events: vec![],
            state: folded.state,
            position: head.checked_sub(1).map(|offset| Position { partition, offset }),
            replayed: false,
        }
    }

    /// `None` means that somebody else was faster.
    async fn append(
        &self,
        stream: &StreamName,
        folded: &Folded<D::State>,
        events: &[D::Event],
        context: &Context,
    ) -> Outcome<Option<Executed<D>>, D> {
        let codec = |source| ExecuteError::Codec { stream: stream.clone(), source };
        let append = Append {
            stream: stream.clone(),
            expected: folded.len.checked_sub(1).map_or(Expected::NoStream, Expected::Exact),
            events: context.wrap(events).map_err(codec)?,
        };
        let appended = match self.log.append(append).await {
            Ok(appended) => appended,
            Err(AppendError::Conflict { .. } | AppendError::BeyondEnd { .. }) => return Ok(None),
            Err(error) => return Err(ExecuteError::Append(error)),
        };
        let mut state = Arc::clone(&folded.state);
        if !appended.replayed {
            state = Arc::new(D::fold((*folded.state).clone(), events));
            let len = appended.last_version + 1;
            self.remember(stream, Folded { state: Arc::clone(&state), len });
        }
        Ok(Some(Executed {
            events: events.to_vec(),
            state,
            position: Some(Position {
                partition: appended.partition,
                offset: appended.last_offset,
            }),
            replayed: appended.replayed,
        }))
    }

    /// Reads what the stream has behind a known state.
    async fn refresh(
        &self,
        stream: &StreamName,
        mut folded: Folded<D::State>,
    ) -> Outcome<Folded<D::State>, D> {
        let mut known = folded.len;
        loop {
            let events = match self.page(stream, folded.len, PAGE_EVENTS).await {
                // An older copy of the log was restored: what is known was never in it.
                Err(ExecuteError::Read { source: ReadError::BeyondEnd { .. }, .. })
                    if folded.len > 0 =>
                {
                    self.states.remove(stream);
                    folded = Folded::empty();
                    known = 0;
                    continue;
                }
                events => events?,
            };
            if events.is_empty() {
                break;
            }
            folded.state = Arc::new(D::fold((*folded.state).clone(), &events));
            folded.len += events.len() as u64;
            if events.len() < PAGE_EVENTS {
                break;
            }
        }
        if folded.len > known {
            self.remember(stream, folded.clone());
        }
        Ok(folded)
    }

    /// Keeps a state unless a newer one is kept already.
    fn remember(&self, stream: &StreamName, folded: Folded<D::State>) {
        if self.states.peek(stream).is_none_or(|kept| kept.len < folded.len) {
            self.states.insert(stream.clone(), folded);
        }
    }
}

impl<S: Default> Folded<S> {
    fn empty() -> Self {
        Self { state: Arc::new(S::default()), len: 0 }
    }
}

fn decode<D: Decider>(recorded: &RecordedEvent) -> Result<D::Event, CodecError> {
    let event = &recorded.event;
    D::Event::from_json(&event.event_type, event.schema_version, &event.payload)
}
