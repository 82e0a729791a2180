//! Files to import: plain or compressed, and how far they are read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

/// How much is read from the disk, and from a decompressor, at once.
const BUFFER_BYTES: usize = 256 << 10;

/// What gzip begins with (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file as text, whether it is compressed or not.
pub(super) type Input = Box<dyn BufRead + Send>;

/// Opens a file; what is compressed with gzip, by its first bytes, is decompressed. `bar` is moved
/// by the bytes read of the file.
///
/// # Errors
/// It cannot be opened or read.
pub(super) fn open(path: &Path, bar: &ProgressBar) -> anyhow::Result<Input> {
    let context = || format!("opening {} failed", path.display());
    let file = File::open(path).with_context(context)?;
    let mut file = BufReader::with_capacity(BUFFER_BYTES, Counted { file, bar: bar.clone() });
    if file.fill_buf().with_context(context)?.starts_with(&GZIP) {
        let text = MultiGzDecoder::new(file);
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, text)));
    }
    Ok(Box::new(file))
}

/// How many bytes files hold together; those that cannot be asked count as empty.
pub(super) fn bytes<'a>(paths: impl IntoIterator<Item = &'a Path>) -> u64 {
    paths.into_iter().filter_map(|path| path.metadata().ok()).map(|found| found.len()).sum()
}

/// A file that moves a progress bar as it is read.
struct Counted {
    file: File,
    bar: ProgressBar,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bar.inc(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let mut text = String::new();
        open(&path, &ProgressBar::hidden()).unwrap().read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_compressed_file_reads_as_a_plain_one() {
        assert_eq!(read(b"a\tb\n").unwrap(), "a\tb\n");
        assert_eq!(read(&gzip("a\tb\n")).unwrap(), "a\tb\n");
        assert_eq!(read(&[gzip("a\n"), gzip("b\n")].concat()).unwrap(), "a\nb\n");
        assert_eq!(read(b"").unwrap(), "");
    }

    #[test]
    fn a_compressed_file_that_was_cut_is_not_taken_for_a_short_one() {
        let whole = gzip("a long text that ends");
        let error = read(&whole[..whole.len() - 9]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
