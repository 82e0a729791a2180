//! What happens, as people are told.

use std::fmt;

use super::film::clock;
use crate::output::count;

/// Something worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Happening {
    /// Who did it.
    pub(super) who: String,
    /// What.
    pub(super) what: What,
}

impl Happening {
    /// Whether it can be left out where there is too much to tell.
    pub(super) fn is_minor(&self) -> bool {
        matches!(self.what, What::Browsed { .. } | What::Skipped { .. })
    }
}

/// Something worth telling, without who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A household signed up.
    Joined { plan: &'static str, members: Vec<&'static str> },
    /// Somebody looked through titles.
    Browsed { search: String, found: u64 },
    /// A film was begun.
    Began { film: String, device: &'static str, from_ms: u64 },
    /// A film goes on where it was left.
    Resumed { film: String, device: &'static str, from_ms: u64 },
    /// Somebody jumped ahead.
    Skipped { film: String, device: &'static str, to_ms: u64 },
    /// A film was stopped before its end.
    Paused { film: String, device: &'static str, at_ms: u64 },
    /// A film was watched to the end.
    Finished { film: String, device: &'static str },
    /// The plan's streams were all in use, as the plan wants it.
    Limited { film: String, limit: usize, playing: Vec<String> },
    /// A heartbeat arrived after its session had ended, and moved nothing.
    Late { film: String, device: &'static str, at_ms: u64 },
    /// A film was taken off the row.
    Dismissed { film: String },
    /// The server did something else than it should.
    Failed { reason: String },
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = &self.who;
        match &self.what {
            What::Joined { plan, members } => {
                write!(f, "The {who} household joins on the {plan} plan: {}", members.join(", "))
            }
            What::Browsed { search, found } => {
                write!(f, "{who} looks for {search}: {} titles", count(*found))
            }
            What::Began { film, device, from_ms: 0 } => write!(f, "{who} ({device}) plays {film}"),
            What::Began { film, device, from_ms } => {
                write!(f, "{who} ({device}) plays {film} from {}", clock(*from_ms))
            }
            What::Resumed { film, device, from_ms } => {
                write!(f, "{who} resumes {film} on {device} at {}", clock(*from_ms))
            }
            What::Skipped { film, device, to_ms } => {
                write!(f, "{who} ({device}) skips to {} of {film}", clock(*to_ms))
            }
            What::Paused { film, device, at_ms } => {
                write!(f, "{who} ({device}) pauses {film} at {}", clock(*at_ms))
            }
            What::Finished { film, device } => write!(f, "{who} ({device}) finishes {film}"),
            What::Limited { film, limit, playing } => {
                let streams = if *limit == 1 { "stream" } else { "streams" };
                let playing = playing.join("; ");
                write!(
                    f,
                    "{who} cannot play {film}: the limit of {limit} {streams} is met ({playing})"
                )
            }
            What::Late { film, device, at_ms } => {
                let at = clock(*at_ms);
                write!(f, "{who}'s {device} reports {at} of {film} late; the bookmark stays")
            }
            What::Dismissed { film } => write!(f, "{who} takes {film} off the row"),
            What::Failed { reason } => write!(f, "{who}: {reason}"),
        }
    }
}

/// How often what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Households that signed up.
    pub(super) joined: u64,
    /// Searches.
    pub(super) browsed: u64,
    /// Sessions that began, the resumed ones among them.
    pub(super) plays: u64,
    /// Sessions that went on where another one stopped.
    pub(super) resumed: u64,
    /// Jumps.
    pub(super) skipped: u64,
    /// Films left in the middle.
    pub(super) paused: u64,
    /// Films watched to the end.
    pub(super) finished: u64,
    /// Starts refused because the plan's streams were in use.
    pub(super) limited: u64,
    /// Heartbeats that came late.
    pub(super) late: u64,
    /// Films taken off the row.
    pub(super) dismissed: u64,
    /// Failures; none are expected.
    pub(super) failed: u64,
}

impl Counts {
    /// Counts one.
    pub(super) fn add(&mut self, what: &What) {
        match what {
            What::Joined { .. } => self.joined += 1,
            What::Browsed { .. } => self.browsed += 1,
            What::Began { .. } => self.plays += 1,
            What::Resumed { .. } => {
                self.plays += 1;
                self.resumed += 1;
            }
            What::Skipped { .. } => self.skipped += 1,
            What::Paused { .. } => self.paused += 1,
            What::Finished { .. } => self.finished += 1,
            What::Limited { .. } => self.limited += 1,
            What::Late { .. } => self.late += 1,
            What::Dismissed { .. } => self.dismissed += 1,
            What::Failed { .. } => self.failed += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(what: What) -> String {
        Happening { who: "Ada Okafor".to_owned(), what }.to_string()
    }

    #[test]
    fn what_happens_is_told_in_a_sentence() {
        let film = "Metropolis".to_owned();
        let resumed = What::Resumed { film: film.clone(), device: "Phone", from_ms: 2_490_000 };
        assert_eq!(told(resumed), "Ada Okafor resumes Metropolis on Phone at 00:41:30");
        let playing = vec!["Nosferatu on TV".to_owned()];
        assert_eq!(
            told(What::Limited { film, limit: 1, playing }),
            "Ada Okafor cannot play Metropolis: the limit of 1 stream is met (Nosferatu on TV)"
        );
    }

    #[test]
    fn a_resumed_film_is_a_play_too() {
        let mut counts = Counts::default();
        counts.add(&What::Resumed { film: String::new(), device: "TV", from_ms: 1 });
        counts.add(&What::Began { film: String::new(), device: "TV", from_ms: 0 });
        assert_eq!((counts.plays, counts.resumed), (2, 1));
    }
}
