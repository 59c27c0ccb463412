//! Reads and writes do not allocate, whatever fault rules are loaded.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    Action, Answer, Array, Buffers, Command, CommandFilter, CommandRecord, Disposition, FaultRule,
    Lun, Matches, Observer, OpMatcher, Sense, StateChange, Status, Then, When,
    testing::{A, Bytes, LUN0, TEST_UNIT_READY, at, config, read, write},
};

#[derive(Default)]
struct Count(AtomicU64);

impl Observer for Count {
    fn command(&self, record: &CommandRecord) {
        black_box(record.clone());
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn state(&self, _: &StateChange) {}
}

fn add_rule(array: &Array, name: String, which: CommandFilter, when: When) {
    let then = Then::answered(Answer::Sense(Sense::new(4, 0x44, 0)));
    let rule = FaultRule { when, ..FaultRule::on_commands(name, which, then) };
    array.apply(at(0), Action::AddRule(Box::new(rule))).unwrap();
}

/// Adds fault rules about other operations and LUNs, and one that counts the reads but never
/// catches one.
fn add_rules(array: &Array) {
    for number in 0..100 {
        let op: OpMatcher = "MODE SELECT".parse().unwrap();
        add_rule(array, format!("op {number}"), op.into(), When::default());
        let lun = When { lun: Some(Lun(1)), ..When::default() };
        add_rule(array, format!("lun {number}"), CommandFilter::default(), lun);
    }
    let blocks = CommandFilter { blocks: Some(0..=99), ..CommandFilter::default() };
    let when = When { matches: Matches::Nth(1 << 40), ..When::default() };
    add_rule(array, "never".into(), blocks, when);
}

fn run(array: &Array, cdb: &[u8], buffers: &mut dyn Buffers) -> Status {
    let command = Command { nexus: A, lun: LUN0, tag: 1, cdb };
    match array.submit(at(1), &command, buffers) {
        Disposition::Complete(completion) => completion.status,
        Disposition::Transfer(transfer) => array.transfer(at(2), transfer, buffers).status,
        Disposition::Parked(..) => Status::Busy,
    }
}

#[test]
fn reads_and_writes_do_not_touch_the_heap() {
    for with_rules in [false, true] {
        let seen = Arc::new(Count::default());
        let array = Array::new(config(), seen.clone()).unwrap();
        if with_rules {
            add_rules(&array);
        }
        // Takes the power-on unit attention, so that the LUN knows the nexus.
        assert_eq!(run(&array, &TEST_UNIT_READY, &mut Bytes::new(0, &[])), Status::CheckCondition);
        let mut outs = vec![Bytes::new(0, &[7; 4096]); 50];
        let mut ins: Vec<_> = (0..50).map(|_| Bytes::new(4096, &[])).collect();
        let allocations = allocation_counter::measure(|| {
            for (number, (outgoing, incoming)) in outs.iter_mut().zip(&mut ins).enumerate() {
                assert_eq!(run(&array, &write(number as u64, 8), outgoing), Status::Good);
                assert_eq!(run(&array, &read(number as u64, 8), incoming), Status::Good);
                assert_eq!(array.notices(at(2), A.hba).len(), 0);
            }
        });
        assert_eq!(allocations.count_total, 0, "with rules: {with_rules}");
        assert!(ins.iter().all(|incoming| incoming.data_in == [7; 4096]));
        assert_eq!(seen.0.load(Ordering::Relaxed), 101);
    }
}

/// The allocation counter works.
#[test]
fn an_allocation_is_counted() {
    let allocations = allocation_counter::measure(|| _ = black_box(vec![1, 2, 3]));
    assert_eq!(allocations.count_total, 1);
}
