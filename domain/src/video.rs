//! Videos: the files of a title, and what came of encoding them.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::stored_events;
use crate::decider::Decider;
use crate::ids::{TitleId, VideoId};
use crate::values::{InvalidValue, check, is_line};

/// One encoding of a video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// The height of the picture, in pixels.
    pub height: u32,
    /// The average bit rate of picture and sound, in bits per second.
    pub bitrate_bps: u64,
}

/// A video was encoded and can be played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoEncoded {
    /// The video.
    pub video_id: VideoId,
    /// The title that it shows.
    pub title_id: TitleId,
    /// Its running time.
    pub duration_ms: u64,
    /// Its encodings, lowest first.
    pub renditions: Vec<Rendition>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A video could not be encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoEncodingFailed {
    /// The video.
    pub video_id: VideoId,
    /// The title that it should show.
    pub title_id: TitleId,
    /// What went wrong, for the person who uploaded it.
    pub reason: String,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to a video.
    pub enum Event {
        /// It can be played.
        Encoded(VideoEncoded) = 1,
        /// It could not be encoded.
        EncodingFailed(VideoEncodingFailed) = 1,
    }
}

/// What came of a video so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum State {
    /// Nothing yet.
    #[default]
    Pending,
    /// It can be played.
    Encoded {
        /// Its running time.
        duration_ms: u64,
        /// Its encodings, lowest first.
        renditions: Vec<Rendition>,
    },
    /// The last try failed.
    Failed {
        /// Why.
        reason: String,
    },
}

/// What can be said of a video.
#[derive(Debug, Clone)]
pub enum Command {
    /// It was encoded.
    RecordEncoded {
        /// The video.
        video_id: VideoId,
        /// The title that it shows.
        title_id: TitleId,
        /// Its running time.
        duration_ms: u64,
        /// Its encodings, lowest first.
        renditions: Vec<Rendition>,
        /// Now.
        at_ms: i64,
    },
    /// A try to encode it failed.
    RecordFailure {
        /// The video.
        video_id: VideoId,
        /// The title that it should show.
        title_id: TitleId,
        /// What went wrong.
        reason: String,
        /// Now.
        at_ms: i64,
    },
}

/// Why something cannot be said of a video.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// A field breaks its rule.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// It was encoded before, with another outcome.
    #[error("the video is encoded already")]
    AlreadyEncoded,
}

/// The rules for videos.
#[derive(Debug)]
pub struct Video;

impl Decider for Video {
    const CATEGORY: &'static str = "video";
    type Id = VideoId;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        match (state, command.clone()) {
            (
                State::Encoded { duration_ms: known_ms, renditions: known },
                Command::RecordEncoded { duration_ms, renditions, .. },
            ) if *known_ms == duration_ms && *known == renditions => Ok(vec![]),
            (State::Encoded { .. }, _) => Err(Refusal::AlreadyEncoded),
            (_, Command::RecordEncoded { video_id, title_id, duration_ms, renditions, at_ms }) => {
                check(duration_ms > 0, "duration_ms", "more than 0")?;
                check(is_ladder(&renditions), "renditions", "1 to 20, lowest bit rate first")?;
                let encoded = VideoEncoded { video_id, title_id, duration_ms, renditions, at_ms };
                Ok(vec![Event::Encoded(encoded)])
            }
            (State::Failed { reason: known }, Command::RecordFailure { reason, .. })
                if *known == reason =>
            {
                Ok(vec![])
            }
            (_, Command::RecordFailure { video_id, title_id, reason, at_ms }) => {
                check(is_line(&reason, 1_000), "reason", "a line of 1 to 1,000 characters")?;
                let failed = VideoEncodingFailed { video_id, title_id, reason, at_ms };
                Ok(vec![Event::EncodingFailed(failed)])
            }
        }
    }

    fn evolve(_: State, event: &Event) -> State {
        match event {
            Event::Encoded(VideoEncoded { duration_ms, renditions, .. }) => {
                State::Encoded { duration_ms: *duration_ms, renditions: renditions.clone() }
            }
            Event::EncodingFailed(VideoEncodingFailed { reason, .. }) => {
                State::Failed { reason: reason.clone() }
            }
        }
    }
}

fn is_ladder(renditions: &[Rendition]) -> bool {
    (1..=20).contains(&renditions.len())
        && renditions.iter().all(|rendition| rendition.height > 0 && rendition.bitrate_bps > 0)
        && renditions.is_sorted_by(|low, high| low.bitrate_bps < high.bitrate_bps)
}
