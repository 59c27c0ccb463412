//! Several HBAs in parallel, and observers that call the array.

use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    Action, Array, Command, CommandRecord, ControllerId, Disposition, Lun, LunConfig, Observer,
    StateChange, VolumeChange,
    testing::{A, B, Bytes, LUN0, LUN1, Rig, at, config, read, write},
};

/// An observer that calls the array for every report.
#[derive(Default)]
struct Nosy {
    array: OnceLock<Weak<Array>>,
    seen: AtomicU64,
}

impl Nosy {
    fn look(&self) {
        let array = self.array.get().and_then(Weak::upgrade).unwrap();
        assert!(array.owner(LUN0).is_some());
        self.seen.fetch_add(1, Ordering::Relaxed);
    }
}

impl Observer for Nosy {
    fn command(&self, _: &CommandRecord) {
        self.look();
    }

    fn state(&self, _: &StateChange) {
        self.look();
    }
}

#[test]
fn observers_and_doorbells_may_call_back() {
    let nosy = Arc::new(Nosy::default());
    let array = Arc::new(Array::new(config(), nosy.clone()).unwrap());
    nosy.array.set(Arc::downgrade(&array)).unwrap();
    let (inner, fetched) = (Arc::downgrade(&array), Arc::new(AtomicU64::new(0)));
    let count = fetched.clone();
    let ring = move || {
        let notices = inner.upgrade().unwrap().notices(at(1), A.hba);
        count.fetch_add(notices.len() as u64, Ordering::Relaxed);
    };
    array.attach(A.hba, Arc::new(ring));
    let action = Action::SetOwner { lun: LUN0, controller: ControllerId::B };
    array.apply(at(1), action).unwrap();
    let lun = LunConfig { lun: Lun(9), ..config().luns[0].clone() };
    array.apply(at(1), VolumeChange::Map(lun).into()).unwrap();
    let command = Command { nexus: A, lun: LUN0, tag: 1, cdb: &[0; 6] };
    array.submit(at(1), &command, &mut Bytes::new(0, &[]));
    assert_eq!((nosy.seen.load(Ordering::Relaxed), fetched.load(Ordering::Relaxed)), (3, 4));
}

/// Two HBAs use a LUN each, while snapshots are taken.
#[test]
fn hbas_work_side_by_side() {
    let rig = Rig::new(config()).settled();
    std::thread::scope(|scope| {
        for (nexus, lun, block) in [(A, LUN0, 512), (B, LUN1, 4096)] {
            let array = &rig.array;
            let run = move |cdb: &[u8], mut buffers: Bytes| {
                let command = Command { nexus, lun, tag: 0, cdb };
                match array.submit(at(1), &command, &mut buffers) {
                    Disposition::Transfer(it) => _ = array.transfer(at(1), it, &mut buffers),
                    outcome => panic!("{outcome:?}"),
                }
                buffers.data_in
            };
            scope.spawn(move || {
                for number in 0..200_u64 {
                    let data = vec![number as u8; block];
                    run(&write(number, 1), Bytes::new(0, &data));
                    assert_eq!(run(&read(number, 1), Bytes::new(block, &[])), data);
                }
            });
        }
        for _ in 0..10 {
            rig.array.snapshot();
        }
    });
    let mut order: Vec<_> = rig.records().iter().map(|record| record.seq).collect();
    order.sort_unstable();
    assert_eq!(order.len(), 800);
    assert!(order.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}
