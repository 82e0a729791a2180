//! How a failure is told: what happened, why, and what to do.

use std::io;
use std::process::ExitCode;

use anyhow::Error;
use thiserror::Error as ThisError;

/// An error together with what the user can do about it.
#[derive(Debug, ThisError)]
#[error("{source}")]
struct Advised {
    advice: String,
    source: Error,
}

/// What was typed cannot be meant so, which only became clear later; the exit status is 2.
#[derive(Debug, ThisError)]
#[error("{0}")]
pub struct Misuse(pub String);

/// Adds what to do to an error.
pub trait Advise<T> {
    /// Says what the user can do about the failure.
    ///
    /// # Errors
    /// The same one, with the advice.
    fn advise(self, advice: impl FnOnce() -> String) -> anyhow::Result<T>;
}

impl<T, E: Into<Error>> Advise<T> for Result<T, E> {
    fn advise(self, advice: impl FnOnce() -> String) -> anyhow::Result<T> {
        self.map_err(|error| Error::new(Advised { advice: advice(), source: error.into() }))
    }
}

/// A failure, and what the user can do about it.
#[must_use]
pub fn advised(what: String, advice: &str) -> Error {
    Error::new(Advised { advice: advice.to_owned(), source: Error::msg(what) })
}

/// What a failure reads like; lines of text without colour.
#[must_use]
pub fn describe(error: &Error) -> String {
    let mut advice = None;
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        if let Some(advised) = cause.downcast_ref::<Advised>() {
            advice = Some(advised.advice.clone());
            continue;
        }
        let line = cause.to_string();
        // Some errors repeat their source in their own text.
        if lines.last().is_none_or(|above| !above.contains(&line)) {
            lines.push(line);
        }
    }
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let label = if index == 0 { "error: " } else { "\n  because: " };
        text.push_str(label);
        text.push_str(line);
    }
    if let Some(advice) = advice {
        text.push_str("\n  what to do: ");
        text.push_str(&advice);
    }
    text
}

/// Tells a failure on standard error and answers the exit status.
///
/// A reader that closed the pipe, as `head` does, is no failure.
#[must_use]
pub fn report(error: &Error) -> ExitCode {
    if error.chain().any(is_broken_pipe) {
        return ExitCode::SUCCESS;
    }
    use io::Write;
    // If standard error is gone, too, there is nobody to tell.
    let _told = writeln!(io::stderr(), "{}", describe(error));
    match error.chain().any(|cause| cause.is::<Misuse>()) {
        true => ExitCode::from(2),
        false => ExitCode::FAILURE,
    }
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_failure_says_what_happened_why_and_what_to_do() {
        let cause: Result<(), _> = Err(io::Error::new(io::ErrorKind::NotFound, "no such file"));
        let error = cause
            .context("reading films.json failed")
            .advise(|| "check the path".to_owned())
            .unwrap_err();
        assert_eq!(
            describe(&error),
            "error: reading films.json failed\n  because: no such file\n  what to do: check the \
             path"
        );
    }

    #[test]
    fn what_was_mistyped_is_wrong_usage_also_with_advice() {
        let mistyped: Result<(), _> = Err(Misuse("there is no partition 9".to_owned()));
        let error = mistyped.advise(|| "see `playhead log ls`".to_owned()).unwrap_err();
        assert_eq!(report(&error), ExitCode::from(2));
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let error = Error::new(io::Error::from(io::ErrorKind::BrokenPipe)).context("writing");
        assert_eq!(report(&error), ExitCode::SUCCESS);
    }
}
