//! Open files of a simulated disk.

use std::fmt;
use std::io;

use playhead_eventlog::embedded::disk::{Access, DiskFile};

use super::faults::{self, Call};
use super::op::{Op, SyncEnd};
use super::tree::Inode;
use super::{SimDisk, State};

/// One opening of a file.
pub(super) struct SimFile {
    disk: SimDisk,
    inode: Inode,
    /// Which opening it is: what holds a lock.
    opening: u64,
    access: Access,
}

impl SimFile {
    pub(super) fn new(disk: SimDisk, inode: Inode, opening: u64, access: Access) -> Self {
        Self { disk, inode, opening, access }
    }

    fn change(
        &self,
        call: Call,
        change: impl FnOnce(&mut State, io::Result<()>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.access == Access::Read && call != Call::Sync {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.disk.change(call, change)
    }
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "opening {} of file #{}", self.opening, self.inode)
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.locks.get(&self.inode) == Some(&self.opening) {
            state.locks.remove(&self.inode);
        }
        if let Some(openings) = state.opened.get_mut(&self.inode) {
            *openings -= 1;
            if *openings == 0 {
                state.opened.remove(&self.inode);
            }
        }
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.faults.call(Call::Read)?;
        match state.live.file(self.inode).read(buffer, number(offset)) {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (inode, offset) = (self.inode, number(offset));
        self.change(Call::Write, |state, fate| {
            let end = offset + bytes.len();
            let mut written = state.room_until(inode, end).saturating_sub(offset);
            if fate.is_err() {
                written = written.min(bytes.len() / 2);
            }
            let written = state.faults.spend(written);
            let len_before = state.live.file(inode).len();
            if written > 0 {
                let bytes = bytes[..written].into();
                state.perform(Op::Write { inode, offset, bytes, len_before });
            }
            match written == bytes.len() {
                true => fate,
                false => fate.and(Err(faults::full())),
            }
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.change(Call::Sync, |state, fate| {
            let end = match fate {
                Ok(()) => SyncEnd::Durable,
                Err(_) => state.faults.failed_sync(),
            };
            state.perform(Op::Sync { inode: self.inode, end });
            if end == SyncEnd::FailedDropping {
                state.reload();
            }
            fate
        })
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        let (inode, size) = (self.inode, number(size));
        self.change(Call::Resize, |state, fate| {
            fate?;
            let len_before = state.live.file(inode).len();
            let len = state.room_until(inode, size);
            if len > state.live.file(inode).room() || len > len_before {
                state.perform(Op::Allocate { inode, len, len_before });
            }
            match len >= size {
                true => Ok(()),
                false => Err(faults::full()),
            }
        })
    }

    fn set_len(&self, size: u64) -> io::Result<()> {
        let (inode, len) = (self.inode, number(size));
        self.change(Call::Resize, |state, fate| {
            fate?;
            let len_before = state.live.file(inode).len();
            state.perform(Op::SetLen { inode, len, len_before });
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.state();
        Ok(state.live.file(self.inode).len() as u64)
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.disk.state();
        let holder = *state.locks.entry(self.inode).or_insert(self.opening);
        Ok(holder == self.opening)
    }
}

fn number(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
