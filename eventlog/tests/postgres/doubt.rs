//! Connections that break in COMMIT, when nobody knows whether it happened.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use playhead_eventlog::{Appended, EventLog, Expected, Partition, PartitionCount};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::fixture::{all_events, append, ids, open};
use crate::server::{PORT, Server};

/// What becomes of the next COMMIT on its way to the server.
#[derive(Clone, Copy)]
enum Cut {
    /// Nothing: it passes.
    Never = 0,
    /// The connection breaks before the server hears of it.
    Before = 1,
    /// The server commits, and the connection breaks before anybody hears of that.
    After = 2,
}

/// A wire to the server that can be cut.
struct Wire {
    dir: TempDir,
    cut: Arc<AtomicU8>,
}

impl Wire {
    fn lay(server: &Path) -> Self {
        let wire = Self { dir: TempDir::new().unwrap(), cut: Arc::default() };
        let name = format!(".s.PGSQL.{PORT}");
        let listener = UnixListener::bind(wire.dir.path().join(&name)).unwrap();
        let (cut, server) = (Arc::clone(&wire.cut), server.join(name));
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = UnixStream::connect(&server).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&cut)));
            }
        });
        wire
    }

    fn cut_next_commit(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }
}

/// Ends, and with it both connections, when either side ends or the wire is cut.
async fn carry(mut client: UnixStream, mut server: UnixStream, cut: Arc<AtomicU8>) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            Ok(count @ 1..) = client.read(&mut asked) => {
                let message = &asked[..count];
                let cut = match message.ends_with(b"COMMIT\0") {
                    true => cut.swap(Cut::Never as u8, Ordering::SeqCst),
                    false => Cut::Never as u8,
                };
                if cut == Cut::Before as u8 {
                    return;
                }
                server.write_all(message).await.unwrap();
                if cut == Cut::After as u8 {
                    // The server's answer, which goes no further.
                    assert_ne!(server.read(&mut answered).await.unwrap(), 0);
                    return;
                }
            }
            Ok(count @ 1..) = server.read(&mut answered) => {
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

async fn assert_recorded_once(cut: Cut) {
    let server = Server::shared();
    let wire = Wire::lay(server.socket());
    let address = server.database().await;
    let through = address
        .replace(&server.socket().display().to_string(), &wire.dir.path().display().to_string());
    let one = PartitionCount::new(1).unwrap();
    let log = open(&through, one).await;
    let place = |version| Appended {
        partition: Partition(0),
        first_offset: version,
        last_offset: version,
        first_version: version,
        last_version: version,
        replayed: false,
    };
    for version in 0..4_u64 {
        wire.cut_next_commit(cut);
        let expected = version.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
        let appended = log.append(append("title-x", expected, [u128::from(version)])).await;
        assert_eq!(appended, Ok(place(version)), "answered as if nothing had happened");
        assert_eq!(wire.cut.load(Ordering::SeqCst), Cut::Never as u8, "the wire was cut");
    }
    assert_eq!(ids(&all_events(&open(&address, one).await).await), [0, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_never_arrived_is_made_up_for() {
    assert_recorded_once(Cut::Before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_was_lost_is_found_again() {
    assert_recorded_once(Cut::After).await;
}
