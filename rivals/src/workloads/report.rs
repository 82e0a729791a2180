//! The run as Markdown, to be pasted into the documentation.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::thread;

use super::Bench;
use crate::table::number;

impl Bench {
    /// The box, the command, the disk alone, the table, and how everybody was used.
    #[must_use]
    pub(crate) fn report(&self) -> String {
        let args: Vec<String> = env::args().skip(1).collect();
        let mut text = format!("`make rivals ARGS=\"{}\"`, {}.\n\n", args.join(" "), the_box());
        let _infallible = writeln!(
            text,
            "Medians of {} rounds in turn (lowest–highest) and how many times ours is as good; bold \
             where it is not. Events of 250 bytes; every appended event is durable when it is \
             counted.\n",
            self.options.rounds
        );
        for (name, unit, figures) in &self.disk {
            let figures: Vec<String> = figures.iter().map(|figure| number(*figure)).collect();
            let figures = figures.join(" before, ");
            let _infallible = writeln!(text, "- the disk alone, {name}: {figures} {unit} after");
        }
        for note in &self.notes {
            let _infallible = writeln!(text, "- {note}");
        }
        let contestants = &self.options.contestants;
        let _infallible = write!(text, "\n{}\n", self.table.markdown(contestants));
        for contestant in contestants {
            let (title, manner) = (contestant.title(), contestant.manner());
            let _infallible = writeln!(text, "- **{title}**: {manner}");
        }
        text
    }
}

fn the_box() -> String {
    let field = |path: &str, field: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap_or_default();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kib: f64 = field("/proc/meminfo", "MemTotal")
        .split_whitespace()
        .next()
        .and_then(|kib| kib.parse().ok())
        .unwrap_or_default();
    let model = field("/proc/cpuinfo", "model name");
    let gib = kib / f64::from(1 << 20);
    format!("{cores} cores of {model}, {gib:.0} GiB, Linux {}", kernel.trim())
}
