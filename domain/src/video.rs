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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::decider::harness::given;

    const VIDEO: VideoId = VideoId(Uuid::from_u128(0xA));
    const TITLE: TitleId = TitleId(Uuid::from_u128(0xB));
    const AT: i64 = 1_000;

    fn ladder(bitrates_bps: &[u64]) -> Vec<Rendition> {
        bitrates_bps.iter().map(|&bitrate_bps| Rendition { height: 360, bitrate_bps }).collect()
    }

    fn encoded(duration_ms: u64, bitrates_bps: &[u64]) -> Event {
        let renditions = ladder(bitrates_bps);
        let (video_id, title_id) = (VIDEO, TITLE);
        Event::Encoded(VideoEncoded { video_id, title_id, duration_ms, renditions, at_ms: AT })
    }

    fn failed(reason: &str) -> Event {
        Event::EncodingFailed(VideoEncodingFailed {
            video_id: VIDEO,
            title_id: TITLE,
            reason: reason.to_owned(),
            at_ms: AT,
        })
    }

    fn record(duration_ms: u64, renditions: Vec<Rendition>) -> Command {
        let (video_id, title_id) = (VIDEO, TITLE);
        Command::RecordEncoded { video_id, title_id, duration_ms, renditions, at_ms: AT }
    }

    fn record_failure(reason: &str) -> Command {
        let reason = reason.to_owned();
        Command::RecordFailure { video_id: VIDEO, title_id: TITLE, reason, at_ms: AT }
    }

    fn invalid(field: &'static str, rule: &'static str) -> Refusal {
        InvalidValue { field, rule }.into()
    }

    #[test]
    fn a_video_is_encoded() {
        given::<Video>([]).when(&record(1, ladder(&[1, 2]))).then([encoded(1, &[1, 2])]);
    }

    #[test]
    fn the_same_outcome_is_not_recorded_twice() {
        given::<Video>([encoded(9, &[1, 2])]).when(&record(9, ladder(&[1, 2]))).then_nothing();
    }

    #[test]
    fn an_encoded_video_does_not_change_its_running_time() {
        given::<Video>([encoded(9, &[1])])
            .when(&record(8, ladder(&[1])))
            .then_refused(Refusal::AlreadyEncoded);
    }

    #[test]
    fn an_encoded_video_does_not_change_its_renditions() {
        given::<Video>([encoded(9, &[1])])
            .when(&record(9, ladder(&[2])))
            .then_refused(Refusal::AlreadyEncoded);
    }

    #[test]
    fn an_encoded_video_does_not_fail_afterwards() {
        given::<Video>([encoded(9, &[1])])
            .when(&record_failure("No sound."))
            .then_refused(Refusal::AlreadyEncoded);
    }

    #[test]
    fn a_failure_is_recorded() {
        given::<Video>([]).when(&record_failure("No sound.")).then([failed("No sound.")]);
    }

    #[test]
    fn the_same_failure_is_not_recorded_twice() {
        given::<Video>([failed("No sound.")]).when(&record_failure("No sound.")).then_nothing();
    }

    #[test]
    fn another_try_can_fail_otherwise() {
        given::<Video>([failed("No sound.")])
            .when(&record_failure("No picture."))
            .then([failed("No picture.")]);
    }

    #[test]
    fn another_try_can_succeed() {
        given::<Video>([failed("No sound.")])
            .when(&record(9, ladder(&[1])))
            .then([encoded(9, &[1])]);
    }

    #[test]
    fn a_video_has_a_running_time() {
        given::<Video>([])
            .when(&record(0, ladder(&[1])))
            .then_refused(invalid("duration_ms", "more than 0"));
    }

    #[test]
    fn a_ladder_has_1_to_20_renditions_each_with_more_bits_than_the_one_before() {
        let steps: Vec<u64> = (1..=21).collect();
        for good in [ladder(&[1]), ladder(&[1, 2]), ladder(&steps[..20])] {
            assert!(is_ladder(&good), "{good:?}");
        }
        let flat = vec![Rendition { height: 0, bitrate_bps: 1 }];
        let bad = [&[][..], &steps[..], &[0], &[2, 1], &[1, 1], &[1, 3, 2]].map(ladder);
        for bad in bad.into_iter().chain([flat]) {
            given::<Video>([])
                .when(&record(1, bad))
                .then_refused(invalid("renditions", "1 to 20, lowest bit rate first"));
        }
    }

    #[test]
    fn a_reason_is_a_line_of_1_to_1_000_characters() {
        for good in ["A", &"ü".repeat(1_000)] {
            given::<Video>([]).when(&record_failure(good)).then([failed(good)]);
        }
        for bad in ["", " A", "A\nB", &"ü".repeat(1_001)] {
            given::<Video>([])
                .when(&record_failure(bad))
                .then_refused(invalid("reason", "a line of 1 to 1,000 characters"));
        }
    }
}
