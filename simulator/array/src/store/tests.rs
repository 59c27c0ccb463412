use proptest::prelude::*;

use super::*;

fn new(bytes: u64) -> Store {
    Store::new(bytes, &Reservoir::unbounded()).unwrap()
}

fn bytes(store: &Store, range: Range<u64>) -> Vec<u8> {
    store.read(range, <[u8]>::to_vec).unwrap()
}

#[test]
fn a_new_store_reads_as_zeros_and_keeps_what_is_written() {
    let store = new(1 << 20);
    store.write(70_000..70_004, |to| to.copy_from_slice(b"data")).unwrap();
    assert_eq!(bytes(&store, 69_999..70_005), *b"\0data\0");
}

#[test]
fn nothing_is_beyond_the_end() {
    let store = new(1024);
    assert_eq!(store.read(1024..1025, |_| ()), Err(BeyondEnd));
    assert_eq!(store.write(1000..1025, |_| ()), Err(NotWritten::BeyondEnd));
    assert_eq!(store.zero(0..u64::MAX), Err(NotWritten::BeyondEnd));
    assert_eq!(store.read(1024..1024, <[u8]>::len), Ok(0));
}

#[test]
fn zeroing_stops_at_its_ends() {
    let store = new(1 << 20);
    store.write(0..1 << 20, |to| to.fill(7)).unwrap();
    store.zero(65_000..600_000).unwrap();
    assert_eq!(bytes(&store, 64_999..65_001), [7, 0]);
    assert_eq!(bytes(&store, 599_999..600_001), [0, 7]);
}

#[test]
fn zeroing_64_tib_costs_what_was_written() {
    let store = new(64 << 40);
    store.write(63 << 40..(63 << 40) + 4, |to| to.fill(7)).unwrap();
    store.zero(0..64 << 40).unwrap();
    assert_eq!(bytes(&store, 63 << 40..(63 << 40) + 4), [0; 4]);
}

#[test]
fn resizing_keeps_what_fits_and_adds_zeros() {
    let store = new(1 << 20);
    store.write(0..1 << 20, |to| to.fill(7)).unwrap();
    store.resize(70_000).unwrap();
    assert_eq!(store.read(70_000..70_001, |_| ()), Err(BeyondEnd));
    store.resize(1 << 20).unwrap();
    assert_eq!(bytes(&store, 69_999..70_001), [7, 0]);
}

#[test]
fn what_was_overwritten_is_remembered_once_it_should_be() {
    let store = new(1 << 20);
    store.write(0..4, |to| to.copy_from_slice(b"1st.")).unwrap();
    let before = |store: &Store| store.read_before(0..6, <[u8]>::to_vec).unwrap();
    assert_eq!(before(&store), *b"1st.\0\0", "nobody asked for it: what is there");
    store.remember().unwrap();
    assert_eq!(before(&store), *b"1st.\0\0");
    store.write(0..4, |to| to.copy_from_slice(b"2nd.")).unwrap();
    assert_eq!(before(&store), *b"1st.\0\0");
    let copy = store.copy().unwrap();
    store.write(2..6, |to| to.copy_from_slice(b"3rd.")).unwrap();
    assert_eq!(before(&store), *b"1sd.\0\0", "each byte for itself");
    store.zero(0..6).unwrap();
    assert_eq!((before(&store), bytes(&store, 0..6)), (b"2n3rd.".to_vec(), vec![0; 6]));
    assert_eq!((before(&copy), bytes(&copy, 0..4)), (b"1st.\0\0".to_vec(), b"2nd.".to_vec()));
    store.resize(1 << 19).unwrap();
    assert_eq!(before(&store), [0; 6], "a new size is a new beginning");
}

#[test]
fn what_was_saved_comes_back() {
    let store = new(1 << 20);
    store.write(100_000..200_000, |to| to.fill(9)).unwrap();
    let saved = store.save();
    assert_eq!(saved.len(), 3 << 16, "64 KiB each, from the second to the fourth");
    let copy = Store::from_saved(1 << 20, &saved, &Reservoir::unbounded()).unwrap();
    assert_eq!(bytes(&copy, 0..1 << 20), bytes(&store, 0..1 << 20));
}

#[test]
fn a_write_beyond_the_memory_changes_nothing_and_what_was_written_can_be_written_again() {
    let reservoir = Reservoir::new(3 * EXTENT as u64, WhenFull::Space);
    let store = Store::new(64 << 40, &reservoir).unwrap();
    let other = Store::new(1 << 30, &reservoir).unwrap();
    let write = |store: &Store, at: u64| store.write(at..at + 4, |to| to.fill(7));
    for at in [0, 1 << 40] {
        write(&store, at).unwrap();
    }
    write(&other, 0).unwrap();
    let full = Err(NotWritten::Full(WhenFull::Space));
    assert_eq!(write(&store, 2 << 40), full);
    assert_eq!(write(&other, 1 << 20), full);
    assert_eq!(bytes(&store, 2 << 40..(2 << 40) + 4), [0; 4]);
    assert!(!reservoir.ran_out());
    write(&store, 100).unwrap();
    assert!(other.resize(1 << 29).is_err(), "a copy needs memory, too");
    assert_eq!(bytes(&other, 0..4), [7; 4]);
    drop(store);
    write(&other, 1 << 20).unwrap();
    other.resize(1 << 10).unwrap();
}

#[test]
fn what_was_overwritten_counts_as_well() {
    let reservoir = Reservoir::new(3 * EXTENT as u64, WhenFull::End);
    let store = Store::new(1 << 20, &reservoir).unwrap();
    store.remember().unwrap();
    let write = |at: u64| store.write(at..at + 4, |to| to.fill(7));
    write(0).unwrap();
    write(0).unwrap();
    write(1 << 18).unwrap();
    assert_eq!(write(1 << 18), Err(NotWritten::Full(WhenFull::End)));
    assert!(reservoir.ran_out());
}

#[test]
fn a_write_for_which_the_old_data_finds_no_memory_changes_nothing() {
    let reservoir = Reservoir::new(3 * EXTENT as u64, WhenFull::Space);
    let store = Store::new(1 << 20, &reservoir).unwrap();
    store.remember().unwrap();
    let two = 0..2 * EXTENT as u64;
    store.write(two.clone(), |to| to.fill(1)).unwrap();
    let full = Err(NotWritten::Full(WhenFull::Space));
    assert_eq!(store.write(two.clone(), |to| to.fill(2)), full);
    assert_eq!(store.zero(two.clone()), full);
    let before = store.read_before(two, <[u8]>::to_vec).unwrap();
    assert!(before.iter().all(|byte| *byte == 0), "half of it would be kept");
    store.write(0..4, |to| to.fill(2)).unwrap();
}

/// What can be done to a store. Places and lengths are in parts of an extent, so that some of them end where an extent
/// does.
#[derive(Debug, Clone)]
enum Deed {
    Write(u64, u64, u8),
    Zero(u64, u64),
    Resize(u64),
    Remember,
    Copy,
    SaveAndRestore,
}

const PART: u64 = EXTENT as u64 / 4;
const PARTS: u64 = 20;

fn deed() -> impl Strategy<Value = Deed> {
    let place = || prop_oneof![(0..PARTS).prop_map(|part| part * PART), 0..PARTS * PART];
    let len = || prop_oneof![(0..9_u64).prop_map(|parts| parts * PART), 0..9_u64];
    prop_oneof![
        8 => (place(), len(), 1..=u8::MAX).prop_map(|(at, len, byte)| Deed::Write(at, len, byte)),
        3 => (place(), len()).prop_map(|(at, len)| Deed::Zero(at, len)),
        1 => (1..PARTS * PART).prop_map(Deed::Resize),
        1 => Just(Deed::Remember),
        1 => Just(Deed::Copy),
        1 => Just(Deed::SaveAndRestore),
    ]
}

/// The contents as plain bytes.
struct Model {
    now: Vec<u8>,
    before: Option<Vec<u8>>,
}

impl Model {
    fn overwrite(&mut self, range: Range<u64>, byte: u8) {
        let range = range.start as usize..range.end as usize;
        if let Some(before) = &mut self.before {
            before[range.clone()].copy_from_slice(&self.now[range.clone()]);
        }
        self.now[range].fill(byte);
    }
}

/// Does a deed to both. What finds no memory changes nothing.
fn act(store: &mut Store, model: &mut Model, reservoir: &Arc<Reservoir>, deed: Deed) {
    let outcome = |done: Result<(), NotWritten>, model: &mut Model, range: Range<u64>, byte| {
        let inside = range.end <= model.now.len() as u64;
        match done {
            Ok(()) => model.overwrite(range, byte),
            Err(NotWritten::BeyondEnd) => assert!(!inside),
            Err(NotWritten::Full(_)) => assert!(inside && reservoir.bytes() != u64::MAX),
        }
    };
    match deed {
        Deed::Write(at, len, byte) => {
            let done = store.write(at..at + len, |to| to.fill(byte));
            outcome(done, model, at..at + len, byte);
        }
        Deed::Zero(at, len) => outcome(store.zero(at..at + len), model, at..at + len, 0),
        Deed::Resize(bytes) => {
            if store.resize(bytes).is_ok() {
                model.now.resize(bytes as usize, 0);
                model.before = model.before.take().map(|_| model.now.clone());
            }
        }
        Deed::Remember => {
            if store.remember().is_ok() {
                model.before.get_or_insert_with(|| model.now.clone());
            }
        }
        Deed::Copy => {
            if let Ok(copy) = store.copy() {
                *store = copy;
            }
        }
        Deed::SaveAndRestore => {
            let saved = store.save();
            if let Ok(restored) = Store::from_saved(store.len(), &saved, reservoir) {
                *store = restored;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_what_plain_bytes_are(
        deeds in prop::collection::vec(deed(), 1..40),
        extents in prop_oneof![Just(None), (1..12_u64).prop_map(Some)],
    ) {
        let reservoir = match extents {
            None => Reservoir::unbounded(),
            Some(extents) => Reservoir::new(extents * EXTENT as u64, WhenFull::Space),
        };
        let mut store = Store::new(PARTS * PART, &reservoir).unwrap();
        let mut model = Model { now: vec![0; (PARTS * PART) as usize], before: None };
        for deed in deeds {
            act(&mut store, &mut model, &reservoir, deed);
            prop_assert_eq!(store.len(), model.now.len() as u64);
            let all = 0..store.len();
            prop_assert!(store.read(all.clone(), |bytes| bytes == model.now).unwrap());
            let before = model.before.as_ref().unwrap_or(&model.now);
            prop_assert!(store.read_before(all, |bytes| bytes == before).unwrap());
        }
        drop(store);
        prop_assert!(Share::of(&reservoir).grow(reservoir.bytes()), "all memory is given back");
    }
}
