//! What came of a demo, and whether it was as it should be.

use super::board::Contents;
use crate::output::count;

/// What came of a demo, in lines for people.
pub(super) fn summary(contents: &Contents) -> Vec<String> {
    let it = &contents.counts;
    let mut lines = vec![
        format!(
            "{} households, {} searches, {} plays started, {} resumed, {} paused, {} finished",
            count(it.joined),
            count(it.browsed),
            count(it.plays),
            count(it.resumed),
            count(it.paused),
            count(it.finished),
        ),
        format!(
            "{} heartbeats, {} of them late, {} limits met, {} titles dismissed, {} errors",
            count(contents.heartbeats),
            count(it.late),
            count(it.limited),
            count(it.dismissed),
            count(it.failed),
        ),
    ];
    let models = contents.readiness.projections.iter();
    lines.extend(models.map(|model| {
        let (lag, parked) = (count(model.lag_events), count(model.parked_events));
        format!("read model {}: {lag} events behind, {parked} parked", model.name)
    }));
    lines.push(format!(
        "continue watching and history of {} profiles compared with what was watched: {} differ",
        count(contents.compared),
        count(contents.disagreed),
    ));
    lines.extend(contents.disagreements.iter().map(|line| format!("  {line}")));
    lines
}

/// Why the demo failed; `None` if all went well.
pub(super) fn complaint(contents: &Contents) -> Option<String> {
    let models = &contents.readiness.projections;
    let number =
        |number: u64, what: &str| (number > 0).then(|| format!("{} {what}", count(number)));
    let complaints = [
        number(contents.counts.failed, "errors"),
        number(contents.disagreed, "differences between what was watched and what is shown"),
        number(models.iter().map(|model| model.parked_events).sum(), "parked events"),
        number(models.iter().map(|model| model.lag_events).sum(), "events not in the read models"),
    ];
    let complaints: Vec<_> = complaints.into_iter().flatten().collect();
    (!complaints.is_empty()).then(|| complaints.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::board::Board;
    use super::super::client::{ProjectionStatus, Readiness};
    use super::super::happening::What;
    use super::*;

    #[test]
    fn a_demo_without_errors_is_good() {
        let board = Board::default();
        board.tell("Ada", What::Dismissed { film: "Metropolis".to_owned() });
        board.compared("Ada", vec![]);
        assert_eq!(complaint(&board.contents()), None);
    }

    #[test]
    fn everything_that_went_wrong_is_a_complaint() {
        let board = Board::default();
        board.tell("Ada", What::Failed { reason: "gone".to_owned() });
        board.compared("Ada", vec!["wrong".to_owned()]);
        let model = ProjectionStatus { name: "m".to_owned(), lag_events: 2, parked_events: 3 };
        board.ready(Readiness { events: 9, projections: vec![model] });
        let complaint = complaint(&board.contents()).unwrap();
        assert_eq!(
            complaint,
            "1 errors, 1 differences between what was watched and what is shown, 3 parked events, \
             2 events not in the read models"
        );
        assert!(summary(&board.contents()).contains(&"  Ada: wrong".to_owned()));
    }
}
