//! The bytes of one file, in pages that copies share until one of them is written to.

use std::sync::{Arc, LazyLock, OnceLock};

const PAGE_BYTES: usize = 4096;

static ZEROS: LazyLock<Arc<Page>> = LazyLock::new(|| Page::new([0; PAGE_BYTES]));

/// What a file holds. Behind its end every page is zero.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    len: usize,
    /// The room that it takes on the disk, in bytes from its beginning.
    room: usize,
    pages: Vec<Arc<Page>>,
}

#[derive(Debug)]
struct Page {
    bytes: [u8; PAGE_BYTES],
    /// A checksum, once somebody asked.
    print: OnceLock<u32>,
}

impl Page {
    fn new(bytes: [u8; PAGE_BYTES]) -> Arc<Self> {
        Arc::new(Self { bytes, print: OnceLock::new() })
    }

    fn print(&self) -> u32 {
        *self.print.get_or_init(|| crc32c::crc32c(&self.bytes))
    }
}

impl Content {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// False if the file ends before the buffer is full.
    pub(crate) fn read(&self, buffer: &mut [u8], offset: usize) -> bool {
        if offset + buffer.len() > self.len {
            return false;
        }
        let mut done = 0;
        while done < buffer.len() {
            let (page, at) = ((offset + done) / PAGE_BYTES, (offset + done) % PAGE_BYTES);
            let count = (PAGE_BYTES - at).min(buffer.len() - done);
            buffer[done..done + count].copy_from_slice(&self.pages[page].bytes[at..at + count]);
            done += count;
        }
        true
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        self.read(&mut bytes, 0);
        bytes
    }

    /// Writes, and grows if the file ends before.
    pub(crate) fn write(&mut self, bytes: &[u8], offset: usize) {
        self.grow(offset + bytes.len());
        self.room = self.room.max(offset + bytes.len());
        let mut done = 0;
        while done < bytes.len() {
            let (page, at) = ((offset + done) / PAGE_BYTES, (offset + done) % PAGE_BYTES);
            let count = (PAGE_BYTES - at).min(bytes.len() - done);
            let mut changed = self.pages[page].bytes;
            changed[at..at + count].copy_from_slice(&bytes[done..done + count]);
            self.pages[page] = Page::new(changed);
            done += count;
        }
    }

    /// Makes the file at least so long, with zeros, and takes the room.
    pub(crate) fn allocate(&mut self, len: usize) {
        self.grow(len);
        self.room = self.room.max(len);
    }

    /// Makes the file at least so long, by a hole.
    pub(crate) fn grow(&mut self, len: usize) {
        self.len = self.len.max(len);
        self.pages.resize_with(self.len.div_ceil(PAGE_BYTES), || Arc::clone(&ZEROS));
    }

    /// Cuts the file; what is cut off does not come back when it grows again.
    pub(crate) fn cut(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.len = len;
        self.room = self.room.min(len);
        self.pages.truncate(len.div_ceil(PAGE_BYTES));
        let at = len % PAGE_BYTES;
        if let Some(page) = self.pages.last_mut().filter(|_| at > 0) {
            let mut changed = page.bytes;
            changed[at..].fill(0);
            *page = Page::new(changed);
        }
    }

    pub(crate) fn flip(&mut self, offset: usize, mask: u8) {
        let page = &mut self.pages[offset / PAGE_BYTES];
        match Arc::get_mut(page) {
            Some(Page { bytes, print }) => {
                bytes[offset % PAGE_BYTES] ^= mask;
                print.take();
            }
            None => {
                let mut changed = page.bytes;
                changed[offset % PAGE_BYTES] ^= mask;
                *page = Page::new(changed);
            }
        }
    }

    /// Equal for equal content; different otherwise, but for accidents.
    pub(crate) fn print(&self) -> u64 {
        self.pages.iter().fold(self.len as u64, |print, page| {
            (print.rotate_left(17) ^ u64::from(page.print())).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
    }
}
