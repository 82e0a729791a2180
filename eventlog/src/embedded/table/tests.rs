//! Tables in real files: what was written is found, and damage is told.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::embedded::disk::{Disk, DiskFile, RealDisk};
use crate::embedded::fields::Fields;

/// Four to a block.
const WIDE: usize = 1000;
/// 170 to a block.
const NARROW: usize = 24;

struct TestFile {
    file: Arc<dyn DiskFile>,
    _dir: TempDir,
}

impl TestFile {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Self { file: RealDisk.create(&dir.path().join("table")).unwrap(), _dir: dir }
    }

    fn writer(&self) -> SectionWriter {
        SectionWriter::new(Arc::clone(&self.file), self.file.len().unwrap())
    }

    fn add<const W: usize>(&self, entries: &BTreeMap<u128, u64>) -> TableMeta {
        let mut out = self.writer();
        let mut writer = TableWriter::<W>::new(count(entries.len()));
        for (key, value) in entries {
            writer.push(&mut out, *key, &entry::<W>(*key, *value)[KEY_BYTES..]).unwrap();
        }
        let meta = writer.finish(&mut out).unwrap();
        out.flush().unwrap();
        assert_eq!(out.position(), self.file.len().unwrap());
        meta
    }

    fn open<const W: usize>(&self, meta: TableMeta) -> Table<W> {
        Table::open(Arc::clone(&self.file), meta, true).unwrap()
    }

    fn table<const W: usize>(&self, entries: &BTreeMap<u128, u64>) -> Table<W> {
        self.open(self.add::<W>(entries))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; index(self.file.len().unwrap())];
        self.file.read_at(&mut bytes, 0).unwrap();
        bytes
    }
}

/// The value is in the first and in the last bytes behind the key.
fn entry<const W: usize>(key: u128, value: u64) -> [u8; W] {
    let mut entry = [0; W];
    entry[..KEY_BYTES].copy_from_slice(&key.to_be_bytes());
    entry[KEY_BYTES..][..8].copy_from_slice(&value.to_le_bytes());
    entry[W - 8..].copy_from_slice(&value.to_le_bytes());
    entry
}

fn all<const W: usize>(entries: &BTreeMap<u128, u64>) -> Vec<(u128, [u8; W])> {
    entries.iter().map(|(key, value)| (*key, entry(*key, *value))).collect()
}

fn some_entries(len: u64) -> BTreeMap<u128, u64> {
    (1..=len).map(|nth| (u128::from(nth) << 60, nth)).collect()
}

fn check<const W: usize>(table: &Table<W>, entries: &BTreeMap<u128, u64>, misses: &[u128]) {
    assert_eq!(table.len(), count(entries.len()));
    for (key, value) in entries {
        assert_eq!(table.get(*key).unwrap(), Some(entry(*key, *value)), "{key:#x}");
    }
    let near = entries.keys().flat_map(|key| [key.wrapping_add(1), key.wrapping_sub(1)]);
    for key in misses.iter().copied().chain(near).chain([0, u128::MAX]) {
        let expected = entries.get(&key).map(|value| entry(key, *value));
        assert_eq!(table.get(key).unwrap(), expected, "{key:#x}");
    }
    let found: Vec<_> = table.iter().map(Result::unwrap).collect();
    assert_eq!(found, all(entries));
}

fn some_key() -> impl Strategy<Value = u128> {
    prop_oneof![any::<u128>(), (0..400_u128), (0..400_u128).prop_map(|key| key << 80)]
}

fn some_table(len: usize) -> impl Strategy<Value = BTreeMap<u128, u64>> {
    prop::collection::btree_map(some_key(), any::<u64>(), 0..len)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_table_is_the_map_it_was_made_of(
        entries in some_table(700),
        misses in prop::collection::vec(some_key(), 50),
    ) {
        let file = TestFile::new();
        let meta = file.add::<NARROW>(&entries);
        check(&file.open::<NARROW>(meta), &entries, &misses);
        check(&Table::<NARROW>::open(Arc::clone(&file.file), meta, false).unwrap(), &entries, &misses);
    }

    #[test]
    fn the_newest_table_wins_in_a_merge(
        maps in prop::collection::vec(some_table(300), 0..5),
    ) {
        let file = TestFile::new();
        let tables: Vec<Table<NARROW>> = maps.iter().map(|map| file.table(map)).collect();
        let len_max = tables.iter().map(Table::len).sum();
        let mut out = file.writer();
        let meta = merge(tables.iter().map(Table::iter).collect(), len_max, &mut out).unwrap();
        out.flush().unwrap();
        let merged: BTreeMap<u128, u64> = maps.into_iter().flatten().collect();
        check(&file.open::<NARROW>(meta), &merged, &[]);
    }

    #[test]
    fn an_array_is_the_list_it_was_made_of(
        numbers in prop::collection::vec(any::<[u8; 4]>(), 0..3_000),
        start in 0..3_000_u64,
        len in 0..3_000_u64,
    ) {
        let file = TestFile::new();
        let array = array(&file, &numbers);
        for (number, nth) in numbers.iter().zip(0..) {
            assert_eq!(array.get(nth).unwrap(), *number);
        }
        assert!(array.get(array.len()).is_err());
        let end = (start + len).min(array.len());
        let start = start.min(end);
        let expected = &numbers[index(start)..index(end)];
        assert_eq!(array.range(start..end).unwrap(), expected);
        assert!(array.range(start..array.len() + 1).is_err());
    }
}

fn array<const W: usize>(file: &TestFile, entries: &[[u8; W]]) -> Array<W> {
    let mut out = file.writer();
    let mut writer = ArrayWriter::new();
    for entry in entries {
        writer.push(&mut out, entry).unwrap();
    }
    let meta = writer.finish(&mut out).unwrap();
    out.flush().unwrap();
    Array::open(Arc::clone(&file.file), meta)
}

#[test]
fn tables_of_none_one_and_whole_blocks_are_found() {
    for len in [0, 1, 3, 4, 5, 8, 9] {
        let file = TestFile::new();
        let entries = some_entries(len);
        let table = file.table::<WIDE>(&entries);
        check(&table, &entries, &[]);
        assert_eq!(count(file.bytes().len() / BLOCK_BYTES), len.div_ceil(4) + len.min(1) + 1);
        assert_eq!(table.memory_bytes(), len.div_ceil(4) * 16 + 64);
    }
}

#[test]
fn an_array_larger_than_one_read_is_read_whole() {
    let file = TestFile::new();
    let numbers: Vec<[u8; 8]> = (0..300_000_u64).map(u64::to_le_bytes).collect();
    let array = array(&file, &numbers);
    assert_eq!(array.range(0..array.len()).unwrap(), numbers);
    assert_eq!(array.range(100_000..299_999).unwrap(), numbers[100_000..299_999]);
}

#[test]
fn a_table_larger_than_one_read_is_merged_whole() {
    let file = TestFile::new();
    let entries: Vec<_> = (0..50_000_u64).map(|nth| (u128::from(nth), nth)).collect();
    let even = entries.iter().copied().filter(|(_, nth)| nth % 2 == 0).collect();
    let odd = entries.iter().copied().filter(|(_, nth)| nth % 2 == 1).collect();
    let tables = [file.table::<NARROW>(&even), file.table(&odd)];
    let mut out = file.writer();
    let meta = merge(tables.iter().map(Table::iter).collect(), 50_000, &mut out).unwrap();
    out.flush().unwrap();
    let merged: Vec<_> = file.open::<NARROW>(meta).iter().map(Result::unwrap).collect();
    assert_eq!(merged, all(&entries.into_iter().collect()));
}

#[test]
fn entries_that_are_no_table_can_be_merged() {
    let file = TestFile::new();
    let old = file.table::<NARROW>(&BTreeMap::from([(1, 1), (2, 1)]));
    let wide = file.table::<WIDE>(&BTreeMap::from([(2, 2), (3, 2)]));
    let converted = wide.iter().map(|found| found.map(|(key, _)| (key, entry(key, 7))));
    let sources: Vec<Box<dyn Iterator<Item = _>>> = vec![Box::new(old.iter()), Box::new(converted)];
    let mut out = file.writer();
    let meta = merge(sources, 4, &mut out).unwrap();
    out.flush().unwrap();
    check(&file.open::<NARROW>(meta), &BTreeMap::from([(1, 1), (2, 7), (3, 7)]), &[]);
}

#[test]
fn a_merge_ends_at_the_first_error_of_a_source() {
    let file = TestFile::new();
    let table = file.table::<WIDE>(&some_entries(9));
    file.file.write_at(&[0xff], 4096).unwrap();
    let mut out = file.writer();
    let error = merge(vec![table.iter()], 9, &mut out).unwrap_err();
    assert!(matches!(error, TableError::Corrupt { offset: 4096, .. }), "{error}");
    let mut entries = table.iter();
    assert!(entries.by_ref().any(|found| found.is_err()));
    assert!(entries.next().is_none());
}

#[test]
fn keys_that_do_not_ascend_are_refused() {
    let file = TestFile::new();
    let mut out = file.writer();
    let mut writer = TableWriter::<NARROW>::new(2);
    writer.push(&mut out, 5, &[0; 8]).unwrap();
    for key in [5, 4] {
        let error = writer.push(&mut out, key, &[0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
    let error = writer.push(&mut out, 6, &[0; 9]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let twice = vec![vec![Ok((1, entry::<NARROW>(1, 1))), Ok((1, entry(1, 2)))].into_iter()];
    let error = merge(twice, 2, &mut out).unwrap_err();
    assert!(matches!(error, TableError::Io { .. }), "{error}");
}

#[test]
fn blocks_of_two_arrays_may_not_be_mixed() {
    let file = TestFile::new();
    let mut out = file.writer();
    let [mut one, mut other] = [ArrayWriter::<2048>::new(), ArrayWriter::new()];
    one.push(&mut out, &[1; 2048]).unwrap();
    other.push(&mut out, &[2; 2048]).unwrap();
    let error = one.push(&mut out, &[1; 2048]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

/// Whether everything that can be read of the table is right or an error, and something is an error.
fn damage_is_told(file: &TestFile, meta: TableMeta, entries: &BTreeMap<u128, u64>) -> bool {
    let table = match Table::<WIDE>::open(Arc::clone(&file.file), meta, true) {
        Ok(table) => table,
        Err(TableError::Corrupt { .. }) => return true,
        Err(error) => panic!("{error}"),
    };
    let mut told = false;
    for (key, value) in entries {
        match table.get(*key) {
            Ok(found) => assert_eq!(found, Some(entry(*key, *value))),
            Err(TableError::Corrupt { .. }) => told = true,
            Err(error) => panic!("{error}"),
        }
    }
    told
}

#[test]
fn a_flipped_bit_of_any_byte_is_told() {
    let file = TestFile::new();
    let entries = some_entries(5);
    let meta = file.add::<WIDE>(&entries);
    let bytes = file.bytes();
    assert!(!damage_is_told(&file, meta, &entries));
    for (byte, at) in bytes.iter().zip(0..) {
        file.file.write_at(&[byte ^ (1 << (at % 8))], at).unwrap();
        assert!(damage_is_told(&file, meta, &entries), "byte {at}");
        file.file.write_at(&[*byte], at).unwrap();
    }
}

#[test]
fn a_flipped_bit_of_a_block_is_told() {
    let file = TestFile::new();
    let array = array(&file, &[[7; 4], [8; 4]]);
    for (byte, at) in file.bytes().iter().zip(0..) {
        for bit in 0..8 {
            file.file.write_at(&[byte ^ (1 << bit)], at).unwrap();
            let told = matches!(array.get(0), Err(TableError::Corrupt { offset: 0, .. }));
            assert!(told, "bit {bit} of byte {at}");
        }
        file.file.write_at(&[*byte], at).unwrap();
    }
}

#[test]
fn lengths_that_the_file_cannot_hold_are_told_before_room_is_made_for_them() {
    let file = TestFile::new();
    let meta = file.add::<WIDE>(&some_entries(5));
    let told = |meta| {
        let table = Table::<WIDE>::open(Arc::clone(&file.file), meta, true);
        matches!(table, Err(TableError::Corrupt { .. }))
    };
    assert!(!told(meta));
    for len in [1 << 40, u64::MAX] {
        let filter = ArrayMeta { len, ..meta.filter };
        assert!(told(TableMeta { filter, ..meta }), "a filter of {len}");
        let (entries, fences) = (meta.entries, ArrayMeta { len, ..meta.fences });
        let entries = ArrayMeta { len: len.saturating_mul(4), ..entries };
        assert!(told(TableMeta { entries, fences, ..meta }), "fences of {len}");
    }
}

#[test]
fn a_file_cut_anywhere_is_told() {
    let file = TestFile::new();
    let entries = some_entries(5);
    let meta = file.add::<WIDE>(&entries);
    let bytes = file.bytes();
    let table = file.open::<WIDE>(meta);
    for size in (0..bytes.len()).rev().step_by(97) {
        file.file.set_len(count(size)).unwrap();
        assert!(damage_is_told(&file, meta, &entries), "{size} bytes");
    }
    let gone = table.get(1 << 60);
    assert!(matches!(gone, Err(TableError::Corrupt { offset: 0, .. })), "{gone:?}");
}

#[test]
fn a_block_in_the_place_of_another_is_told() {
    let file = TestFile::new();
    let entries = some_entries(8);
    let meta = file.add::<WIDE>(&entries);
    let bytes = file.bytes();
    file.file.write_at(&bytes[4096..8192], 0).unwrap();
    assert!(damage_is_told(&file, meta, &entries));
    file.file.write_at(&[0; 4096], 0).unwrap();
    assert!(damage_is_told(&file, meta, &entries));
}

#[test]
fn a_block_of_another_table_is_told() {
    let [file, other] = [TestFile::new(), TestFile::new()];
    let entries = some_entries(8);
    let meta = file.add::<WIDE>(&entries);
    let others = entries.iter().map(|(key, value)| (key + 1, *value)).collect();
    other.add::<WIDE>(&others);
    file.file.write_at(&other.bytes()[..4096], 0).unwrap();
    assert!(damage_is_told(&file, meta, &entries));
}

#[test]
fn a_meta_of_nonsense_is_told_before_memory_is_taken() {
    let file = TestFile::new();
    let meta = file.add::<WIDE>(&some_entries(5));
    let huge = |array: ArrayMeta| ArrayMeta { len: u64::MAX, ..array };
    let far = |array: ArrayMeta| ArrayMeta { offset: u64::MAX, ..array };
    let nonsense = [
        TableMeta { entries: huge(meta.entries), ..meta },
        TableMeta { fences: huge(meta.fences), ..meta },
        TableMeta { filter: huge(meta.filter), ..meta },
        TableMeta { filter: far(meta.filter), ..meta },
        TableMeta { fences: ArrayMeta { len: 1, ..meta.fences }, ..meta },
        TableMeta { min: 0, ..meta },
        TableMeta { max: 1, ..meta },
    ];
    for meta in nonsense {
        let opened = Table::<WIDE>::open(Arc::clone(&file.file), meta, true);
        assert!(matches!(opened, Err(TableError::Corrupt { .. })), "{meta:?}");
    }
}

#[test]
fn a_meta_survives_its_encoding() {
    let meta = TestFile::new().add::<WIDE>(&some_entries(5));
    let mut bytes = Vec::new();
    meta.encode(&mut bytes);
    assert_eq!(bytes.len(), TableMeta::BYTES);
    assert_eq!(TableMeta::decode(&mut Fields::new(&bytes)), Some(meta));
    assert_eq!(TableMeta::decode(&mut Fields::new(&bytes[1..])), None);
}

#[test]
fn the_bytes_of_a_table_are_those_of_all_times() {
    let file = TestFile::new();
    let mut out = SectionWriter::new(Arc::clone(&file.file), 0);
    // A place that is no multiple of a block.
    out.write(&[0xaa; 100]).unwrap();
    out.flush().unwrap();
    let meta = file.add::<NARROW>(&some_entries(500));
    let mut bytes = file.bytes();
    meta.encode(&mut bytes);
    let computed_from_the_documentation = 0xae40_6ede;
    assert_eq!(crc32c::crc32c(&bytes), computed_from_the_documentation);
}
