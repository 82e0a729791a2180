//! Progress on standard error; nothing if that is no terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar towards a known end, counted in what `unit` says.
#[must_use]
pub fn bar(total: u64, unit: &str) -> ProgressBar {
    styled(
        ProgressBar::with_draw_target(Some(total), target()),
        &format!(
            "{{bar:30}} {{human_pos}} of {{human_len}} {unit}, {{per_sec}}, {{eta}} left {{msg}}"
        ),
    )
}

/// A counter without a known end.
#[must_use]
pub fn counter(unit: &str) -> ProgressBar {
    styled(
        ProgressBar::with_draw_target(None, target()),
        &format!("{{spinner}} {{human_pos}} {unit}, {{per_sec}} {{msg}}"),
    )
}

/// A line on standard error, beside a bar.
pub fn say(bar: &ProgressBar, line: impl Display) {
    bar.suspend(|| {
        // If standard error is gone, there is nobody to tell.
        let _told = writeln!(io::stderr(), "{line}");
    });
}

fn target() -> ProgressDrawTarget {
    if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
