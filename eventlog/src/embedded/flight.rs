//! A second thread that syncs one group while the next one is being decided on.

use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::WeakUnboundedSender;

use super::group::Group;
use super::tape::Tape;
use super::writer::{Answers, Request};
use crate::append::AppendError;

/// A group on its way to the disk, with the end of the journal that it was written to.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) tape: Box<Tape>,
    pub(super) group: Arc<Group>,
    /// Whether it could be written.
    pub(super) written: Result<(), AppendError>,
    pub(super) answers: Answers,
}

/// A flight that has ended, and whether its group is durable. Its answers have been given.
pub(super) type Landed = (Flight, Result<(), AppendError>);

/// The thread. It has one flight at a time.
#[derive(Debug)]
pub(super) struct Flights {
    /// `None` at the very end.
    departures: Option<Sender<Flight>>,
    arrivals: Receiver<Landed>,
    thread: Option<JoinHandle<()>>,
}

impl Flights {
    /// Starts the thread, which puts [`Request::Landed`] into the queue whenever a flight has ended.
    pub(super) fn begin(queue: WeakUnboundedSender<Request>) -> io::Result<Self> {
        let (departures, departing) = channel::<Flight>();
        let (arriving, arrivals) = channel();
        let thread =
            thread::Builder::new().name("eventlog-flight".to_owned()).spawn(move || {
                while let Ok(mut flight) = departing.recv() {
                    let _landed = Landing(&queue);
                    let written = mem::replace(&mut flight.written, Ok(()));
                    let done = flight.tape.settle(&flight.group, written, &mut flight.answers);
                    // An error means that the writer has panicked.
                    let _gone = arriving.send((flight, done));
                }
            })?;
        Ok(Self { departures: Some(departures), arrivals, thread: Some(thread) })
    }

    /// Lets a group go. It is lost if the thread has panicked.
    pub(super) fn depart(&self, flight: Flight) {
        let _lost = self.departures.as_ref().map(|departures| departures.send(flight));
    }

    /// Waits for the flight.
    ///
    /// # Errors
    /// It is lost.
    pub(super) fn wait(&self) -> Result<Landed, Lost> {
        self.arrivals.recv().map_err(|_| Lost)
    }

    /// The flight, if it has landed.
    ///
    /// # Errors
    /// It is lost.
    pub(super) fn look(&self) -> Result<Option<Landed>, Lost> {
        match self.arrivals.try_recv() {
            Ok(landed) => Ok(Some(landed)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Lost),
        }
    }
}

/// The thread has panicked, which was reported as such.
#[derive(Debug)]
pub(super) struct Lost;

/// Tells the writer, also of a panic, that there is something to see.
struct Landing<'a>(&'a WeakUnboundedSender<Request>);

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let _closed = self.0.upgrade().map(|queue| queue.send(Request::Landed));
    }
}

impl Drop for Flights {
    fn drop(&mut self) {
        drop(mem::take(&mut self.departures));
        // A panic was reported as such.
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}
