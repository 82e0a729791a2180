//! Any bytes as the end of a segment, as they are and with a checksum that fits them: decoding
//! never panics, and a footer that was decoded is encoded to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use playhead_eventlog::embedded::fuzzing;

fn check(bytes: &[u8]) -> bool {
    let Some(encoded) = fuzzing::footer(bytes) else { return false };
    assert!(bytes.ends_with(&encoded));
    true
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut sealed = bytes.to_vec();
    sealed.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    sealed.extend(crc32c::crc32c(&sealed).to_le_bytes());
    sealed.extend(b"PLAYSEAL");
    // 4 numbers, 2 tables, 4 arrays: every footer has this length, and all its fields are free.
    assert_eq!(check(&sealed), bytes.len() == 4 * 8 + 2 * 80 + 4 * 16);
});
