//! Shows a demo: redraws a terminal, or writes lines that are useful in logs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use console::{Term, truncate_str};
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use super::board::{Board, Contents, Guest};
use super::rate::Rate;
use super::screen::{self, Moment};
use crate::output::Output;

/// How often something new is shown.
const TICK: Duration = Duration::from_millis(250);
/// How often a line of numbers is written where nothing is redrawn.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How many happenings are written at a time where nothing is redrawn.
const WRITTEN_MAX: usize = 3;

/// Shows what is on the board until told to stop. `base` is the address of the server.
///
/// # Errors
/// Nobody reads any more.
pub(super) async fn show(
    board: Arc<Board>,
    base: String,
    heading: String,
    stop: CancellationToken,
) -> io::Result<()> {
    let began = Instant::now();
    let mut canvas = Canvas::new();
    let (mut events, mut heartbeats) = (Rate::default(), Rate::default());
    let mut invited = false;
    let mut ticks = interval(TICK);
    loop {
        let last = stop.run_until_cancelled(ticks.tick()).await.is_none();
        let contents = board.contents();
        let elapsed = began.elapsed();
        if let Some(guest) = contents.guest.as_ref().filter(|_| !invited) {
            canvas.announce(&invitation(&base, guest))?;
            invited = true;
        }
        let table_rows = canvas.table_rows(contents.watching.len());
        canvas.draw(&Moment {
            heading: &heading,
            elapsed,
            events_per_second: events.at(elapsed, contents.readiness.events),
            heartbeats_per_second: heartbeats.at(elapsed, contents.heartbeats),
            table_rows,
            contents: &contents,
        })?;
        if last {
            return canvas.clear();
        }
    }
}

/// Where to look in as somebody who is simulated; the address on a line of its own, to be copied.
fn invitation(base: &str, guest: &Guest) -> String {
    let Guest { who, token, profile_id, title_id } = guest;
    format!("look in as {who}:\n{base}/#token={token}&profile={profile_id}&title={title_id}")
}

enum Canvas {
    /// So many lines stand there, to be drawn over.
    Redrawn {
        term: Term,
        drawn: usize,
        /// How many rows the table took last.
        table_rows: usize,
    },
    Written {
        out: Output,
        seen: u64,
        next_line: Duration,
    },
}

impl Canvas {
    fn new() -> Self {
        let term = Term::stdout();
        if term.is_term() {
            return Self::Redrawn { term, drawn: 0, table_rows: 0 };
        }
        Self::Written { out: Output::stdout(), seen: 0, next_line: LINE_EVERY }
    }

    /// How many rows the table takes while so many watch.
    fn table_rows(&mut self, watching: usize) -> usize {
        match self {
            Self::Redrawn { term, table_rows, .. } => {
                *table_rows = screen::table_rows(term.size().0.into(), watching, *table_rows);
                *table_rows
            }
            Self::Written { .. } => 0,
        }
    }

    /// A line that stays.
    fn announce(&mut self, text: &str) -> io::Result<()> {
        self.clear()?;
        match self {
            Self::Redrawn { term, .. } => term.write_line(text),
            Self::Written { out, .. } => {
                out.line(text)?;
                out.flush()
            }
        }
    }

    fn draw(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        match self {
            Self::Redrawn { term, drawn, .. } => {
                let (rows, columns) = term.size();
                let mut screen = moment.screen();
                // The cursor stands below the last line.
                screen.truncate(usize::from(rows).saturating_sub(1));
                term.write_str(&frame(&screen, *drawn, columns.into()))?;
                *drawn = screen.len();
                Ok(())
            }
            Self::Written { out, seen, next_line } => {
                happenings(out, moment.contents, *seen)?;
                *seen = moment.contents.happened;
                if moment.elapsed >= *next_line {
                    out.line(moment.line())?;
                    *next_line = moment.elapsed + LINE_EVERY;
                }
                out.flush()
            }
        }
    }

    fn clear(&mut self) -> io::Result<()> {
        match self {
            Self::Redrawn { term, drawn, .. } => {
                term.write_str(&frame(&[], std::mem::take(drawn), 0))
            }
            Self::Written { .. } => Ok(()),
        }
    }
}

/// Draws lines over those that stand there, without a moment in which nothing stands there. The
/// control sequences are those of ECMA-48: up (CUU), erase to the end of the line (EL) and of the
/// screen (ED).
fn frame(lines: &[String], drawn: usize, columns: usize) -> String {
    let mut frame = if drawn > 0 { format!("\x1b[{drawn}A\r") } else { String::new() };
    for (number, line) in lines.iter().enumerate() {
        let line = truncate_str(line, columns, "…");
        let line = screen::look(number).apply_to(line);
        frame.push_str(&format!("{line}\x1b[K\n"));
    }
    frame + "\x1b[J"
}

/// Writes some of what is new, and how much was left out.
fn happenings(out: &mut Output, contents: &Contents, seen: u64) -> io::Result<()> {
    let (unseen, gone) = contents.since(seen);
    let mut unseen: Vec<_> = unseen.collect();
    if unseen.len() > WRITTEN_MAX {
        unseen.sort_by_key(|happening| happening.is_minor());
    }
    for happening in unseen.iter().take(WRITTEN_MAX) {
        out.line(format_args!("  {happening}"))?;
    }
    match gone + unseen.len().saturating_sub(WRITTEN_MAX) as u64 {
        0 => Ok(()),
        more => out.line(format_args!("  and {more} more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_drawn_over_the_last_one_and_cut_at_the_edge() {
        let lines = ["one".to_owned(), String::new(), "three".to_owned()];
        let frame = console::strip_ansi_codes(&frame(&lines, 3, 4)).into_owned();
        assert_eq!(frame, "\rone\n\nthr…\n");
        assert!(super::frame(&lines, 3, 4).starts_with("\x1b[3A"));
        assert!(!super::frame(&lines, 0, 4).starts_with("\x1b[0A"));
    }

    #[test]
    fn the_invitation_brings_along_who_and_what() {
        let guest = Guest {
            who: "Ada Okafor".to_owned(),
            token: "t".to_owned(),
            profile_id: "p".to_owned(),
            title_id: "f".to_owned(),
        };
        assert_eq!(
            invitation("http://127.0.0.1:8480", &guest),
            "look in as Ada Okafor:\nhttp://127.0.0.1:8480/#token=t&profile=p&title=f"
        );
    }
}
