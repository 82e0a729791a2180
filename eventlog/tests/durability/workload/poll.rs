//! Waits for appends and notes when each was answered, to the operation of the disk.
//!
//! An answer wakes its waiter in the thread that gives it. So a waker that reads the operation count
//! of the disk knows exactly what had been done to it by then, however threads are scheduled.

use std::cell::OnceCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use playhead_eventlog::{Append, AppendError, Appended, EventLog};
use tokio::runtime::{Builder, Runtime};

use crate::disk::SimDisk;
use crate::disk::faults::Call;

/// What an append was answered, and when.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) answer: Result<Appended, AppendError>,
    /// Operations of the disk before the append was given to the log.
    pub(crate) submitted: usize,
    /// Operations of the disk before the answer.
    pub(crate) answered: usize,
}

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
}

fn with_runtime<T>(work: impl FnOnce(&Runtime) -> T) -> T {
    RUNTIME.with(|runtime| {
        let build = || Builder::new_current_thread().max_blocking_threads(1).build();
        work(runtime.get_or_init(|| build().expect("a runtime")))
    })
}

/// Runs something to its end, here.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    with_runtime(|runtime| {
        // What needs no waiting, as with logs in memory, needs no scheduler either.
        let context = &mut Context::from_waker(Waker::noop());
        let first = {
            let _inside = runtime.enter();
            future.as_mut().poll(context)
        };
        match first {
            Poll::Ready(output) => output,
            Poll::Pending => runtime.block_on(future),
        }
    })
}

/// One append alone.
pub(crate) fn single(disk: &SimDisk, log: &dyn EventLog, append: Append) -> Answered {
    let held = disk.hold();
    let waiting = vec![Waiting::submit(disk, log, append, After::Nothing)];
    drop(held);
    finish(waiting).remove(0)
}

/// One append, whose next sync is held while `look` looks; it is told whether there was an answer.
pub(crate) fn while_syncing<T>(
    disk: &SimDisk,
    log: &dyn EventLog,
    append: Append,
    look: impl FnOnce(bool) -> T,
) -> (Answered, T) {
    let held = disk.hold_behind(Call::Sync, 0);
    let waiting = Waiting::submit(disk, log, append, After::Nothing);
    held.reached(|| waiting.woken());
    let seen = look(waiting.woken());
    drop(held);
    (finish(vec![waiting]).remove(0), seen)
}

/// What an answer does besides.
#[derive(Debug, Clone, Copy)]
pub(crate) enum After {
    Nothing,
    /// A full disk gets room, before the thread that answers goes on.
    Room,
}

/// Appends that the log takes as one group, in order, while it is busy writing the first.
pub(crate) fn group(
    disk: &SimDisk,
    log: &dyn EventLog,
    (first, after): (Append, After),
    others: Vec<Append>,
) -> Vec<Answered> {
    let held = disk.hold();
    let mut waiting = vec![Waiting::submit(disk, log, first, after)];
    held.reached(|| waiting[0].woken());
    let others = others.into_iter();
    waiting.extend(others.map(|append| Waiting::submit(disk, log, append, After::Nothing)));
    drop(held);
    finish(waiting)
}

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Appended, AppendError>> + Send + 'a>>;

struct Waiting<'a> {
    answering: Answering<'a>,
    signal: Arc<Signal>,
    submitted: usize,
    answered: Option<Answered>,
}

struct Signal {
    disk: SimDisk,
    woken: AtomicBool,
    step: AtomicUsize,
    waiter: Thread,
    after: After,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.step.store(self.disk.step(), Ordering::Release);
        if let After::Room = self.after {
            // Still limited, so that a refusal for want of room is one that may happen.
            self.disk.with_faults(|faults| faults.capacity = Some(usize::MAX));
        }
        self.woken.store(true, Ordering::Release);
        self.disk.nudge();
        self.waiter.unpark();
    }
}

impl<'a> Waiting<'a> {
    fn submit(disk: &SimDisk, log: &'a dyn EventLog, append: Append, after: After) -> Self {
        let submitted = disk.step();
        let signal = Arc::new(Signal {
            disk: disk.clone(),
            woken: AtomicBool::new(false),
            step: AtomicUsize::new(submitted),
            waiter: thread::current(),
            after,
        });
        let answering = log.append(append);
        let mut waiting = Self { answering, signal, submitted, answered: None };
        waiting.poll();
        waiting
    }

    fn woken(&self) -> bool {
        self.answered.is_some() || self.signal.woken.load(Ordering::Acquire)
    }

    fn poll(&mut self) {
        let waker = Waker::from(Arc::clone(&self.signal));
        let context = &mut Context::from_waker(&waker);
        if let Poll::Ready(answer) = with_runtime(|runtime| {
            let _inside = runtime.enter();
            self.answering.as_mut().poll(context)
        }) {
            let answered = self.signal.step.load(Ordering::Acquire);
            self.answered = Some(Answered { answer, submitted: self.submitted, answered });
        }
    }
}

fn finish(mut waiting: Vec<Waiting<'_>>) -> Vec<Answered> {
    while waiting.iter().any(|one| one.answered.is_none()) {
        let mut polled = false;
        for one in waiting.iter_mut().filter(|one| one.answered.is_none()) {
            if one.signal.woken.swap(false, Ordering::AcqRel) {
                one.poll();
                polled = true;
            }
        }
        if !polled {
            thread::park();
        }
    }
    waiting.into_iter().filter_map(|one| one.answered).collect()
}
