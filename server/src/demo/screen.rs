//! What the demo looks like: lines of text, made from numbers.

use std::time::Duration;

use console::Style;

use super::board::{Contents, NowWatching};
use super::film::clock;
use super::latency::Latencies;
use crate::output::{count, table};

/// How many rows of who watches what are shown at least, and how many happenings. Together with the
/// heading they fit into a terminal of 24 lines.
const WATCHING_MIN: usize = 7;
const HAPPENINGS_MAX: usize = 8;
/// The lines of a terminal that all of this fits into; further ones are free for the table.
const TERMINAL_LINES: usize = 24;

/// How many rows the table takes in a terminal of so many lines when so many people watch. It never
/// shrinks below what it took before unless the terminal did, so that nothing jumps.
pub(super) fn table_rows(lines: usize, watching: usize, before: usize) -> usize {
    let most = WATCHING_MIN + lines.saturating_sub(TERMINAL_LINES);
    watching.max(before).clamp(WATCHING_MIN, most)
}

/// How a line of the screen looks.
pub(super) fn look(line: usize) -> Style {
    const HEADING: usize = 0;
    const COUNTS: usize = 4;
    const TABLE: usize = 6;
    match line {
        HEADING | TABLE => Style::new().bold(),
        1..=COUNTS => Style::new().cyan(),
        _ => Style::new(),
    }
}

/// The longest name of a film in the table.
const NAME_CHARS_MAX: usize = 32;
/// The length of the bar that shows how far a film is.
const BAR_CHARS: usize = 16;

/// One moment of a demo.
#[derive(Debug)]
pub(super) struct Moment<'a> {
    /// What the demo is: address, households, speed.
    pub(super) heading: &'a str,
    /// Since the households began.
    pub(super) elapsed: Duration,
    /// Events that were recorded per second.
    pub(super) events_per_second: u64,
    /// Heartbeats that were accepted per second.
    pub(super) heartbeats_per_second: u64,
    /// How many rows the table of who watches what takes.
    pub(super) table_rows: usize,
    /// Everything else.
    pub(super) contents: &'a Contents,
}

impl Moment<'_> {
    /// The whole screen: the rows of the table, and at most 16 lines more.
    pub(super) fn screen(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{}, {}", self.heading, elapsed(self.elapsed)),
            self.load(),
            self.latency(),
            self.models(),
            self.counts(),
            String::new(),
        ];
        lines.extend(watching(self.contents, self.table_rows));
        lines.push(String::new());
        let recent = &self.contents.recent;
        let skip = recent.len().saturating_sub(HAPPENINGS_MAX);
        lines.extend(recent.iter().skip(skip).map(ToString::to_string));
        lines
    }

    /// Everything in one line, for logs.
    pub(super) fn line(&self) -> String {
        let parts = [self.load(), self.latency(), self.models(), self.counts()];
        format!("{} | {}", elapsed(self.elapsed), parts.join(" | "))
    }

    fn load(&self) -> String {
        format!(
            "{} events, {}/s; {} heartbeats, {}/s",
            count(self.contents.readiness.events),
            count(self.events_per_second),
            count(self.contents.heartbeats),
            count(self.heartbeats_per_second),
        )
    }

    fn latency(&self) -> String {
        let Contents { heartbeat, graphql, .. } = self.contents;
        format!("heartbeat {}; GraphQL {}", percentiles(heartbeat), percentiles(graphql))
    }

    fn models(&self) -> String {
        let models = self.contents.readiness.projections.iter().map(|model| {
            let (lag, parked) = (count(model.lag_events), count(model.parked_events));
            format!("{} {lag} behind, {parked} parked", model.name)
        });
        models.collect::<Vec<_>>().join("; ")
    }

    fn counts(&self) -> String {
        let it = &self.contents.counts;
        format!(
            "{} plays, {} resumed, {} finished, {} limits met, {} late heartbeats, {} failures",
            count(it.plays),
            count(it.resumed),
            count(it.finished),
            count(it.limited),
            count(it.late),
            count(it.failed + self.contents.disagreed),
        )
    }
}

fn percentiles(latencies: &Latencies) -> String {
    let at = |percent| latencies.percentile(percent).map_or("-".to_owned(), millis);
    format!("p50 {}, p99 {}", at(50), at(99))
}

fn millis(took: Duration) -> String {
    let micros = took.as_micros();
    format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100)
}

fn elapsed(time: Duration) -> String {
    clock(time.as_secs().saturating_mul(1_000))
}

fn watching(contents: &Contents, rows_max: usize) -> Vec<String> {
    let rows: Vec<_> = contents.watching.values().take(rows_max).map(row).collect();
    let table = table(&["who", "where", "watches", "how far", ""], &rows);
    let mut lines: Vec<_> = table.lines().map(ToOwned::to_owned).collect();
    match contents.watching.len().saturating_sub(rows.len()) {
        0 => lines.resize(rows_max + 1, String::new()),
        more => {
            lines.pop();
            lines.push(format!("and {} more", more + 1));
        }
    }
    lines
}

fn row(now: &NowWatching) -> Vec<String> {
    let NowWatching { who, device, film, position_ms } = now;
    let far = format!("{} / {}", clock(*position_ms), clock(film.runtime_ms));
    vec![
        who.clone(),
        (*device).to_owned(),
        shortened(&film.name),
        bar(*position_ms, film.runtime_ms),
        far,
    ]
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect()
}

fn bar(position_ms: u64, runtime_ms: u64) -> String {
    let cells = position_ms.saturating_mul(BAR_CHARS as u64) / runtime_ms.max(1);
    let full = usize::try_from(cells).unwrap_or(BAR_CHARS).min(BAR_CHARS);
    "█".repeat(full) + &"░".repeat(BAR_CHARS - full)
}

#[cfg(test)]
mod tests {
    use super::super::board::Board;
    use super::super::film::tests::{MINUTE_MS, film};
    use super::super::happening::What;
    use super::super::player::tests::player;
    use super::*;

    fn moment(contents: &Contents) -> Moment<'_> {
        Moment {
            heading: "Playhead",
            elapsed: Duration::from_secs(83),
            events_per_second: 1_200,
            heartbeats_per_second: 40,
            table_rows: WATCHING_MIN,
            contents,
        }
    }

    #[test]
    fn a_row_tells_who_watches_what_and_how_far() {
        let board = Board::default();
        board.seat((0, 0), "Ada Okafor", Some(&player(&film("Kid"), 25 * MINUTE_MS)));
        let screen = moment(&board.contents()).screen().join("\n");
        let row = "Ada Okafor  TV     The Kid  ████░░░░░░░░░░░░  00:25:00 / 01:40:00";
        assert!(screen.contains(row), "{screen}");
    }

    #[test]
    fn a_screen_fits_however_much_happens() {
        let board = Board::default();
        for number in 0..100 {
            board.seat((number, 0), "Ada", Some(&player(&film("a"), 0)));
            board.tell("Ada", What::Dismissed { film: number.to_string() });
        }
        let screen = moment(&board.contents()).screen();
        assert_eq!(screen.len(), 23);
        assert!(screen.contains(&"and 94 more".to_owned()), "{screen:#?}");
        assert_eq!(screen.last().unwrap(), "Ada takes 99 off the row");
    }

    #[test]
    fn a_tall_terminal_shows_more_of_who_watches() {
        let board = Board::default();
        for number in 0..18 {
            board.seat((number, 0), "Ada", Some(&player(&film("a"), 0)));
        }
        let contents = board.contents();
        let screen = Moment { table_rows: table_rows(50, 18, 0), ..moment(&contents) }.screen();
        assert!(!screen.iter().any(|line| line.ends_with("more")), "{screen:#?}");
        assert_eq!([table_rows(24, 18, 0), table_rows(30, 18, 0)], [WATCHING_MIN, 13]);
        assert_eq!([table_rows(50, 12, 18), table_rows(10, 12, 18)], [18, WATCHING_MIN]);
    }

    #[test]
    fn a_line_for_logs_holds_the_numbers() {
        let line = moment(&Contents::default()).line();
        assert!(line.starts_with("00:01:23 | 0 events, 1,200/s; 0 heartbeats, 40/s"), "{line}");
        assert!(line.ends_with("0 late heartbeats, 0 failures"), "{line}");
    }

    #[test]
    fn long_names_are_shortened_and_bars_never_overflow() {
        assert_eq!(shortened(&"a".repeat(33)), "a".repeat(31) + "…");
        assert_eq!(bar(9, 3), "█".repeat(BAR_CHARS));
        assert_eq!(bar(0, 0), "░".repeat(BAR_CHARS));
    }
}
