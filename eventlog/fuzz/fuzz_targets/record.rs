//! Any bytes as a record, as they are and behind a prefix that fits them: decoding never panics,
//! and a record that was decoded is encoded to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use playhead_eventlog::embedded::fuzzing;

fn check(bytes: &[u8]) {
    let Some((size, mut encoded)) = fuzzing::record(bytes) else { return };
    let mut given = bytes[..size].to_vec();
    if given[8] == 2 {
        // The zeros of a marker are not read; the checksum covers them.
        given[9..12].fill(0);
        given[4..8].fill(0);
        encoded[4..8].fill(0);
    }
    assert_eq!(given, encoded);
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut sealed = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
    sealed.extend(crc32c::crc32c(bytes).to_le_bytes());
    sealed.extend(bytes);
    check(&sealed);
});
