use playhead_domain::title::{Kind, Source};
use playhead_eventlog::PartitionCount;
use playhead_eventlog::memory::MemoryLog;

use super::*;

fn titles(log: &Arc<MemoryLog>) -> Titles {
    let log: Arc<dyn EventLog> = log.clone();
    Titles::new(Arc::clone(&log), Arc::new(Commands::new(log)))
}

fn film(name: &str, year: u16) -> Found {
    let source = Some(Source { catalogue: "imdb".to_owned(), key: "tt1".to_owned() });
    let metadata = Metadata { year: Some(year), source, ..Metadata::new(Kind::Movie, name) };
    let title_id = ids::title("imdb", "tt1");
    Found { title_id, metadata, unknown: BTreeSet::new(), file: "a.tsv".into(), line: 2 }
}

async fn put(titles: &Titles, found: Found) -> Put {
    titles.put(found).await.unwrap().unwrap()
}

/// A content administrator gives it another name.
async fn edit_by_hand(titles: &Titles, name: &str) {
    let title_id = ids::title("imdb", "tt1");
    let metadata = known(titles).await;
    let metadata = Metadata { name: name.to_owned(), ..metadata };
    let edit = Command::Edit { title_id, metadata, by: By::Catalogue, at_ms: 1 };
    let context = Context { actor: "account:somebody".into(), ..context() };
    titles.commands.titles.execute(&title_id, &edit, &context).await.unwrap();
}

async fn known(titles: &Titles) -> Metadata {
    let state = titles.commands.titles.state(&ids::title("imdb", "tt1")).await.unwrap();
    state.listed().unwrap().clone()
}

#[tokio::test]
async fn a_title_is_added_once_and_changed_when_its_source_says_otherwise() {
    let log = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
    assert_eq!(put(&titles(&log), film("A", 1999)).await, Put::Added);
    assert_eq!(put(&titles(&log), film("A", 1999)).await, Put::AlreadyThere { kept: false });
    assert_eq!(put(&titles(&log), film("A", 2000)).await, Put::Changed { kept: false });
    assert_eq!(put(&titles(&log), film("A", 1999)).await, Put::Changed { kept: false });
    assert_eq!(log.head().total(), 3);
}

#[tokio::test]
async fn what_was_changed_by_hand_stays_over_many_imports_until_it_is_overwritten() {
    let log = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
    put(&titles(&log), film("A", 1999)).await;
    edit_by_hand(&titles(&log), "By hand").await;
    assert_eq!(put(&titles(&log), film("A", 1999)).await, Put::AlreadyThere { kept: true });
    for year in [2000, 2001] {
        assert_eq!(put(&titles(&log), film("A", year)).await, Put::Changed { kept: true });
        let known = known(&titles(&log)).await;
        assert_eq!((known.name.as_str(), known.year), ("By hand", Some(year)));
    }
    let overwriting = Titles { overwrite: true, ..titles(&log) };
    assert_eq!(put(&overwriting, film("A", 2001)).await, Put::Changed { kept: false });
    assert_eq!(known(&titles(&log)).await.name, "A");
    // From now on it is the source's again.
    assert_eq!(put(&titles(&log), film("B", 2001)).await, Put::Changed { kept: false });
}

#[tokio::test]
async fn a_dry_run_finds_the_same_and_records_nothing() {
    let log = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
    let dry = Titles { dry_run: true, ..titles(&log) };
    assert_eq!(put(&dry, film("A", 1999)).await, Put::Added);
    put(&titles(&log), film("A", 1999)).await;
    edit_by_hand(&titles(&log), "By hand").await;
    assert_eq!(put(&dry, film("A", 2000)).await, Put::Changed { kept: true });
    assert_eq!(put(&dry, film("A", 1999)).await, Put::AlreadyThere { kept: true });
    assert_eq!(log.head().total(), 2);
}
