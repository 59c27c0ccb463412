//! Tests of the whole array.

mod attentions;
mod faults;
mod ownership;
mod parked;
mod ports;
mod presentation;
mod steps;
mod tasks;
mod wrong;

use std::sync::Arc;

use sansim_time::Time;

use crate::{
    Answer, Array, ArrayConfig, Command, ConfigError, Disposition, FaultRule, Lun, Matches, Nexus,
    OpMatcher, Reservoir, Then, Ticket, When, WhenFull, testing::*,
};

/// A fault rule about an operation.
fn rule(name: &str, op: &str, matches: Matches, then: Then) -> FaultRule {
    let op: OpMatcher = op.parse().unwrap();
    let when = When { matches, ..When::default() };
    FaultRule { when, ..FaultRule::on_commands(name, op.into(), then) }
}

fn answer(sense: &str) -> Then {
    Then::answered(Answer::Sense(sense.parse().unwrap()))
}

fn hold(name: &str) -> Then {
    Then::held(name)
}

/// A parked command, with its buffers.
struct Sent {
    nexus: Nexus,
    lun: Lun,
    tag: u64,
    cdb: Vec<u8>,
    buffers: Bytes,
    ticket: Option<Ticket>,
    due: Option<Time>,
}

impl Sent {
    /// Submits a command and asserts that it is parked.
    fn parked(rig: &Rig, now: Time, nexus: Nexus, tag: u64, cdb: &[u8], data_out: &[u8]) -> Sent {
        let (lun, cdb, buffers) = (LUN0, cdb.to_vec(), Bytes::new(512, data_out));
        let mut sent = Sent { nexus, lun, tag, cdb, buffers, ticket: None, due: None };
        let command = Command { nexus, lun, tag, cdb: &sent.cdb };
        match rig.array.submit(now, &command, &mut sent.buffers) {
            Disposition::Parked(ticket, due) => (sent.ticket, sent.due) = (Some(ticket), due),
            outcome => panic!("not held back: {outcome:?}"),
        }
        sent
    }

    fn ticket(&self) -> Ticket {
        self.ticket.unwrap()
    }

    fn resume(&mut self, rig: &Rig, now: Time) -> Disposition {
        let Sent { nexus, lun, tag, .. } = *self;
        let command = Command { nexus, lun, tag, cdb: &self.cdb };
        rig.array.resume(now, self.ticket.unwrap(), &command, &mut self.buffers)
    }

    /// Resumes the command until it is complete.
    fn finish(mut self, rig: &Rig, now: Time) -> Reply {
        let outcome = self.resume(rig, now);
        rig.complete(outcome, self.buffers)
    }
}

#[test]
fn it_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Array>();
}

#[test]
fn a_port_that_is_not_there_does_not_answer() {
    let rig = Rig::ready();
    let mut nexus = A;
    nexus.port.index = 2;
    let completion = rig.send(nexus, LUN0, &TEST_UNIT_READY, &[], 10).completion;
    assert_eq!(completion.response, crate::ServiceResponse::BadTarget);
    assert_eq!(completion.residual, 10);
}

#[test]
fn what_is_unknown_is_refused() {
    let rig = Rig::ready();
    assert_eq!(rig.sense(A, LUN0, &[0xff; 16], &[]), "05/20/00");
    assert_eq!(rig.sense(A, LUN0, &[0x9e, 0x12, 0, 0, 0, 0], &[]), "05/24/00");
    let naca = [0x12, 0, 0, 0, 36, 0x04];
    assert_eq!(rig.sense(A, LUN0, &naca, &[]), "05/24/00", "NORMACA is 0");
    assert_eq!(rig.sense(A, LUN0, &[], &[]), "05/20/00");
    assert_eq!(rig.sense(A, LUN0, &[0x28, 0, 0], &[]), "05/24/00", "a CDB cut off");
    for cdb in [&TEST_UNIT_READY[..], &read(0, 1), &[0xff; 16]] {
        assert_eq!(rig.sense(A, NO_LUN, cdb, &[]), "05/25/00");
    }
}

#[test]
fn stop_stops_a_lun_for_every_nexus_and_start_starts_it() {
    let rig = Rig::ready();
    let (start, stop) = ([0x1b, 1, 0, 0, 1, 0], [0x1b, 0, 0, 0, 0, 0]);
    let other = Nexus { hba: crate::HbaId(3), ..A };
    assert_eq!(rig.sense(other, LUN0, &TEST_UNIT_READY, &[]), "06/29/00");
    rig.good(A, LUN0, &start);
    rig.good(A, LUN0, &stop);
    for nexus in [A, other] {
        assert_eq!(rig.sense(nexus, LUN0, &read(0, 1), &[]), "02/04/02");
        assert_eq!(rig.sense(nexus, LUN0, &TEST_UNIT_READY, &[]), "02/04/02");
        rig.get(nexus, LUN0, &[0x12, 0, 0, 0, 96, 0], 96);
    }
    rig.good(A, LUN0, &start);
    rig.get(A, LUN0, &read(0, 1), 512);
    assert_eq!(rig.sense(A, LUN0, &[0x1b, 0, 0, 0, 0x10, 0], &[]), "05/24/00");
    assert_eq!(rig.sense(A, LUN0, &[0x1b, 0, 0, 0, 2, 0], &[]), "05/24/00");
}

#[test]
fn every_command_is_reported_in_order_of_arrival() {
    let rig = Rig::ready();
    rig.get(A, LUN0, &read(0, 1), 512);
    rig.sense(B, LUN0, &[0xff; 6], &[]);
    let records = rig.records();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].seq + 1, records[1].seq);
    assert_eq!((records[0].at, records[0].latency.as_millis()), (at(1), 1));
    assert_eq!(records[0].op.unwrap().name, "READ(16)");
    assert_eq!(format!("{:x}", records[1].cdb), "ffffffffffff");
    assert_eq!((records[1].op, records[1].nexus, records[1].lun), (None, B, LUN0));
    assert_eq!(records[1].completion.sense.unwrap().to_string(), "05/20/00");
}

#[test]
fn a_configuration_that_cannot_be_is_refused_in_words() {
    let refused = |change: &dyn Fn(&mut crate::ArrayConfig)| {
        let mut config = config();
        change(&mut config);
        Array::new(config, Arc::new(Log::default())).unwrap_err().to_string()
    };
    type Case<'a> = (&'a dyn Fn(&mut crate::ArrayConfig), &'a str);
    let cases: [Case<'_>; 10] = [
        (&|it| it.frames[0].controllers.clear(), "rdac needs 1 to 2 controllers, not 0"),
        (
            &|it| it.frames[0].controllers[1].ports = 0,
            "controller B has 0 ports; 1 to 10 are possible",
        ),
        (&|it| it.luns[1].lun = Lun(0), "LUN 0 is there twice"),
        (
            &|it| it.luns[0].block_bytes = 520,
            "LUN 0 has blocks of 520 bytes; only 512 and 4096 are possible",
        ),
        (
            &|it| it.luns[0].bytes = 1000,
            "LUN 0 has 1000 bytes, which is not a whole number of 512-byte blocks",
        ),
        (
            &|it| it.luns[0].bytes = 0,
            "LUN 0 has 0 bytes, which is not a whole number of 512-byte blocks",
        ),
        (
            &|it| it.luns[0].bytes = 65 << 40,
            "LUN 0 has 71468255805440 bytes; a LUN has at most 64 TiB",
        ),
        (
            &|it| it.frames[0].controllers.truncate(1),
            "LUN 1 is to be served by controller B, which the array does not have",
        ),
        (
            &|it| it.frames[0].identity.vendor = "sansim inc".into(),
            "the vendor \"sansim inc\" must be 1 to 8 printable ASCII characters",
        ),
        (
            &|it| it.luns[0].label = "x".repeat(31),
            "the label of a LUN \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" must be at most 30 UTF-16 units",
        ),
    ];
    for (change, words) in cases {
        assert_eq!(refused(change), words);
    }
    let many = |it: &mut crate::ArrayConfig| it.luns = vec![it.luns[0].clone(); 257];
    assert_eq!(refused(&many), "257 LUNs are too many: an array has at most 256");
}

#[test]
fn memory_that_the_host_does_not_have_is_an_error_and_not_a_crash() {
    let mut config = config();
    let lun = config.luns[0].clone();
    let each = |number| crate::LunConfig { lun: Lun(number), bytes: 64 << 40, ..lun.clone() };
    config.luns = (0..4).map(each).collect();
    let error = Array::new(config, Arc::new(Log::default())).unwrap_err();
    assert!(matches!(error, ConfigError::Map { .. }), "four times 64 TiB is more than 47 bits");
}

#[test]
fn every_path_hears_when_the_space_comes_to_its_threshold() {
    let memory = Reservoir::with_threshold(4 << 16, WhenFull::Space, Some(2 << 16));
    let rig = Rig::new(ArrayConfig { memory, ..config() }).settled();
    let write_at = |lba| rig.put(A, LUN0, &write(lba, 1), &[1; 512]);
    write_at(0);
    write_at(1);
    rig.good(A, LUN0, &TEST_UNIT_READY);
    write_at(128);
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "06/38/07");
    assert_eq!(rig.sense(B, LUN1, &TEST_UNIT_READY, &[]), "06/38/07");
    write_at(256);
    write_at(384);
    rig.good(A, LUN0, &TEST_UNIT_READY);
    let completion = rig.send(A, LUN0, &write(512, 1), &[1; 512], 0).completion;
    assert_eq!(completion.sense.unwrap().to_string(), "07/27/07");
}
