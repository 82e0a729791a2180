//! The conformance suite over the memory engine, and what sealing adds.

use playhead_eventlog::Expected;
use playhead_eventlog::conformance::Subject;
use playhead_eventlog::memory::MemoryLog;
use tempfile::TempDir;

use super::*;
use crate::testing::{CLEAR, GONE, open, subject as person};

playhead_eventlog::conformance!(sealed_memory, async || Sealed::new().await);

struct Sealed {
    log: SealedLog,
    beneath: Arc<MemoryLog>,
    directory: TempDir,
}

impl Sealed {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let beneath = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
        let vault = open(directory.path(), 1).await;
        Self { log: SealedLog::new(beneath.clone(), vault), beneath, directory }
    }

    async fn record(
        &self,
        stream: &str,
        id: u128,
        payload: &[u8],
    ) -> Result<Appended, AppendError> {
        let stream = StreamName::parse(stream).unwrap();
        let event = NewEvent {
            id: Uuid::from_u128(id),
            event_type: "Registered".into(),
            schema_version: 1,
            recorded_at_ms: 0,
            actor: "test".into(),
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            payload: payload.to_vec().into(),
            metadata: Default::default(),
        };
        self.log.append(Append { stream, expected: Expected::Any, events: vec![event] }).await
    }

    async fn payloads(&self, log: &dyn EventLog, stream: &str) -> Result<Vec<Vec<u8>>, ReadError> {
        let events = log.read_stream(&StreamName::parse(stream).unwrap(), 0, 100).await?;
        let all = log.read(&Cursor::start(log.partitions()), 100).await?.events;
        assert!(events.iter().all(|event| all.contains(event)), "both ways of reading agree");
        Ok(events.iter().map(|recorded| recorded.event.payload.to_vec()).collect())
    }
}

#[async_trait]
impl Subject for Sealed {
    fn log(&self) -> Arc<dyn EventLog> {
        Arc::new(self.log.clone())
    }

    async fn reopen(&mut self) {
        self.log.vault.close().await;
        let vault = open(self.directory.path(), 1).await;
        self.log = SealedLog::new(self.beneath.clone(), vault);
    }
}

fn stream_of(number: u32) -> String {
    format!("identity-{}", person(number))
}

#[tokio::test]
async fn what_is_read_is_what_was_appended_and_beneath_it_nothing_is_in_clear() {
    let sealed = Sealed::new().await;
    let stream = stream_of(1);
    sealed.record(&stream, 1, CLEAR).await.unwrap();
    assert_eq!(sealed.payloads(&sealed.log, &stream).await.unwrap(), [CLEAR]);
    let beneath = sealed.payloads(&*sealed.beneath, &stream).await.unwrap().concat();
    let beneath = String::from_utf8(beneath).unwrap();
    assert!(beneath.contains("$sealed") && beneath.contains(r#""plan":"basic""#), "{beneath}");
    assert!(!beneath.contains("ada@"), "{beneath}");
}

#[tokio::test]
async fn whoever_was_erased_is_read_as_erased_and_others_are_as_before() {
    let sealed = Sealed::new().await;
    let streams = [stream_of(1), format!("viewing-{}.x", person(1)), stream_of(2)];
    for (id, stream) in (1..).zip(&streams) {
        sealed.record(stream, id, CLEAR).await.unwrap();
    }
    sealed.log.vault.erase(person(1)).await.unwrap();
    for (stream, expected) in streams.iter().zip([GONE, GONE, CLEAR]) {
        assert_eq!(sealed.payloads(&sealed.log, stream).await.unwrap(), [expected]);
    }
    let refused = sealed.record(&streams[0], 9, CLEAR).await.unwrap_err();
    assert!(refused.to_string().contains("was erased"), "{refused}");
    sealed.record(&streams[0], 10, br#"{"plan":"basic"}"#).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_is_nobodys_holds_nothing_personal() {
    let sealed = Sealed::new().await;
    let stream = format!("email-{}", "0a".repeat(32));
    let refused = sealed.record(&stream, 1, CLEAR).await.unwrap_err();
    assert!(!refused.retryable() && refused.to_string().contains("$personal"), "{refused}");
    let price = br#"{"price":"$5","quote":"\u0022"}"#;
    sealed.record(&stream, 2, price).await.unwrap();
    assert_eq!(sealed.payloads(&sealed.log, &stream).await.unwrap(), [price]);
}

#[tokio::test]
async fn what_was_put_beneath_in_clear_or_elsewhere_is_not_served() {
    let sealed = Sealed::new().await;
    let (one, other) = (stream_of(1), stream_of(2));
    sealed.record(&one, 1, CLEAR).await.unwrap();
    sealed.record(&other, 2, CLEAR).await.unwrap();
    let mut moved = sealed.beneath.read_stream(&StreamName::parse(&one).unwrap(), 0, 1).await;
    let mut event = moved.as_mut().unwrap().remove(0).event;
    event.id = Uuid::from_u128(3);
    let append = Append {
        stream: StreamName::parse(&other).unwrap(),
        expected: Expected::Any,
        events: vec![event],
    };
    sealed.beneath.append(append).await.unwrap();
    let refused = sealed.payloads(&sealed.log, &other).await.unwrap_err();
    assert!(matches!(refused, ReadError::Corrupt { .. }), "{refused}");
    assert!(!refused.to_string().contains("ada@"), "{refused}");
}

#[tokio::test]
async fn keys_that_cannot_be_read_make_no_event_vanish() {
    let mut sealed = Sealed::new().await;
    let stream = stream_of(1);
    sealed.record(&stream, 1, CLEAR).await.unwrap();
    sealed.reopen().await;
    sealed.log.vault.close().await;
    assert!(sealed.payloads(&sealed.log, &stream).await.is_err());
    assert!(sealed.record(&stream, 2, CLEAR).await.is_err());
    sealed.reopen().await;
    assert_eq!(sealed.payloads(&sealed.log, &stream).await.unwrap(), [CLEAR]);
}

#[tokio::test]
async fn a_repeated_append_is_recognised_although_it_is_sealed_anew() {
    let sealed = Sealed::new().await;
    let stream = stream_of(1);
    let first = sealed.record(&stream, 1, CLEAR).await.unwrap();
    let again = sealed.record(&stream, 1, CLEAR).await.unwrap();
    assert!(again.replayed && again.last_offset == first.last_offset);
}
