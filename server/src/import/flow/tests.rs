use std::path::Path;

use playhead_eventlog::PartitionCount;
use playhead_eventlog::memory::MemoryLog;

use super::*;
use crate::import::Options;

fn flaw(line: u64) -> Flaw {
    Flaw { file: "a".into(), line, column: None, field: None, problem: "is broken".to_owned() }
}

/// Deals with the numbers from 0 on, of which some are broken: the reader finds the even ones, others
/// are found when they are dealt with. Answers what came of them, in order.
async fn run(
    data: &Path,
    numbers: u64,
    broken: &'static [u64],
    max: Option<u64>,
) -> (Vec<String>, anyhow::Result<Ended>) {
    let log = MemoryLog::new(PartitionCount::DEFAULT);
    let bar = ProgressBar::hidden();
    let options = Options::default();
    let checkpoint = Checkpoint::find(data, "numbers", "a".to_owned(), &options, 0);
    let flow = Flow { log: &log, errors: Errors::shown(max, &bar), checkpoint, bar: &bar };
    let read = move |emitter: &mut Emitter<u64>| {
        for number in 0..numbers {
            let content = match number % 3 {
                0 => Content::Skipped("a multiple of 3"),
                _ if number % 2 == 0 && broken.contains(&number) => Content::Flaw(flaw(number)),
                _ => Content::Found(number),
            };
            if !emitter.emit(content) {
                break;
            }
        }
        Ok(())
    };
    let work = |number: u64| async move {
        // Later ones are done before earlier ones.
        for _ in 0..(1_000 - number % 1_000) % 7 {
            tokio::task::yield_now().await;
        }
        anyhow::ensure!(number != 4_444, "the disk is full");
        Ok(if broken.contains(&number) { Err(flaw(number)) } else { Ok(number) })
    };
    let mut steps = vec![];
    let ended = flow.run(read, work, |step| steps.push(format!("{step:?}"))).await;
    (steps, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_dealt_with_at_once_and_settled_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (steps, ended) = run(dir.path(), 8, &[5], None).await;
    let skipped = "Skipped(\"a multiple of 3\")";
    let expected =
        [skipped, "Done(1)", "Done(2)", skipped, "Done(4)", "Flawed(Record)", skipped, "Done(7)"];
    assert_eq!(steps, expected);
    assert_eq!(ended.unwrap().stopped_by, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_error_too_many_stops_and_the_next_run_begins_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (_, ended) = run(dir.path(), 4_000, &[2_500, 2_501], Some(1)).await;
    assert_eq!(ended.unwrap().stopped_by, Some(flaw(2_501)));
    let (steps, ended) = run(dir.path(), 4_000, &[], Some(0)).await;
    assert_eq!(ended.unwrap().went_on_behind, 2_501);
    assert_eq!((steps.len(), steps[0].as_str()), (4_000 - 2_501, "Done(2501)"));
    let (steps, _) = run(dir.path(), 10, &[], Some(0)).await;
    assert_eq!(steps.len(), 10, "the import was done, so it begins anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_ends_the_run_and_the_next_one_goes_on_there() {
    let dir = tempfile::tempdir().unwrap();
    let (steps, ended) = run(dir.path(), 10_000, &[], None).await;
    assert_eq!(ended.unwrap_err().to_string(), "the disk is full");
    assert_eq!(steps.len(), 4_444);
    let (steps, ended) = run(dir.path(), 4_444, &[], None).await;
    assert_eq!((steps.len(), ended.unwrap().went_on_behind), (0, 4_444));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_behind_what_the_reader_finds_broken_is_begun() {
    let dir = tempfile::tempdir().unwrap();
    let (steps, ended) = run(dir.path(), 4_000, &[1_000, 2_500], Some(1)).await;
    assert_eq!(ended.unwrap().stopped_by, Some(flaw(2_500)));
    assert_eq!((steps.len(), steps[2_500].as_str()), (2_501, "Flawed(Record)"));
}
