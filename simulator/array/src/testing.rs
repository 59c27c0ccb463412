//! A small array and an initiator, for tests. The integration tests include this file too.

use std::sync::{Arc, Mutex};

use sansim_time::Time;

use crate::{
    Array, ArrayConfig, Buffers, Changed, Command, CommandRecord, Completion, ControllerConfig,
    ControllerId, Disposition, DmaError, FaultRule, FrameConfig, HbaId, Lun, LunConfig, Mapping,
    Nexus, Observer, PersonalityConfig, PortId, RdacConfig, Sense, ServiceResponse, StateChange,
    Status,
};

/// HBA 0 through the first port of controller A.
pub(crate) const A: Nexus = nexus(0, ControllerId::A);
/// HBA 1 through the first port of controller B.
pub(crate) const B: Nexus = nexus(1, ControllerId::B);
/// Owned by A; 2048 blocks of 512 bytes.
pub(crate) const LUN0: Lun = Lun(0);
/// Owned by B; 256 blocks of 4096 bytes.
pub(crate) const LUN1: Lun = Lun(1);
/// A LUN that is not mapped.
pub(crate) const NO_LUN: Lun = Lun(7);

pub(crate) const TEST_UNIT_READY: [u8; 6] = [0; 6];

pub(crate) const fn nexus(hba: u8, controller: ControllerId) -> Nexus {
    Nexus { hba: HbaId(hba), port: PortId { controller, index: 0 } }
}

pub(crate) const fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

/// A configuration with two controllers, two ports each, and LUNs 0 and 1.
pub(crate) fn config() -> ArrayConfig {
    let lun = |lun, block_bytes, owner| LunConfig {
        lun: Lun(lun),
        bytes: 1 << 20,
        block_bytes,
        owner,
        preferred: owner,
        partner: None,
        label: format!("volume {lun}"),
        read_only: false,
        name: None,
        mapping: Mapping::default(),
    };
    let luns = vec![lun(0, 512, ControllerId::A), lun(1, 4096, ControllerId::B)];
    ArrayConfig::new(vec![frame()], luns, 1)
}

/// An rdac array with two controllers and two ports each.
pub(crate) fn frame() -> FrameConfig {
    let personality = PersonalityConfig::Rdac(RdacConfig::default());
    FrameConfig::new(personality, vec![ControllerConfig { ports: 2 }; 2])
}

/// The configuration with another array.
pub(crate) fn with(frame: FrameConfig) -> ArrayConfig {
    ArrayConfig { frames: vec![frame], ..config() }
}

/// Records what the array reports.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) commands: Mutex<Vec<CommandRecord>>,
    pub(crate) changes: Mutex<Vec<StateChange>>,
}

impl Observer for Log {
    fn command(&self, record: &CommandRecord) {
        self.commands.lock().unwrap().push(record.clone());
    }

    fn state(&self, change: &StateChange) {
        self.changes.lock().unwrap().push(change.clone());
    }
}

/// The initiator's buffers for one command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bytes {
    pub(crate) data_in: Vec<u8>,
    pub(crate) room: usize,
    pub(crate) data_out: Vec<u8>,
    pub(crate) taken: usize,
    /// Makes every access fail, as if the guest memory did not exist.
    pub(crate) broken: bool,
}

impl Bytes {
    pub(crate) fn new(room: usize, data_out: &[u8]) -> Bytes {
        let data_in = Vec::with_capacity(room);
        Bytes { data_in, room, data_out: data_out.into(), ..Bytes::default() }
    }
}

impl Buffers for Bytes {
    fn data_in_len(&self) -> usize {
        self.room
    }

    fn data_out_len(&self) -> usize {
        self.data_out.len()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<usize, DmaError> {
        if self.broken {
            return Err(DmaError);
        }
        let fit = bytes.len().min(self.room - self.data_in.len());
        self.data_in.extend_from_slice(&bytes[..fit]);
        Ok(fit)
    }

    fn take(&mut self, into: &mut [u8]) -> Result<usize, DmaError> {
        if self.broken {
            return Err(DmaError);
        }
        let fit = into.len().min(self.data_out.len() - self.taken);
        into[..fit].copy_from_slice(&self.data_out[self.taken..][..fit]);
        self.taken += fit;
        Ok(fit)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) completion: Completion,
    pub(crate) data: Vec<u8>,
}

/// An array, and the reports that it made.
pub(crate) struct Rig {
    pub(crate) array: Array,
    pub(crate) log: Arc<Log>,
}

impl Rig {
    pub(crate) fn new(config: ArrayConfig) -> Rig {
        let log = Arc::new(Log::default());
        Rig { array: Array::new(config, log.clone()).unwrap(), log }
    }

    /// The array of [`config`], after A and B have received the power-on unit attention.
    pub(crate) fn ready() -> Rig {
        Rig::new(config()).settled()
    }

    /// Like [`Rig::ready`], with these fault rules.
    pub(crate) fn with_faults(faults: Vec<FaultRule>) -> Rig {
        let rig = Rig::ready();
        for rule in faults {
            rig.array.apply(at(0), crate::Action::AddRule(Box::new(rule))).unwrap();
        }
        rig.log.changes.lock().unwrap().clear();
        rig
    }

    /// Takes all pending unit attentions of A and B.
    pub(crate) fn settled(self) -> Rig {
        for nexus in [A, B] {
            for lun in self.array.luns() {
                while self.sense_key(nexus, lun, &TEST_UNIT_READY) == Some(6) {}
            }
        }
        self.log.commands.lock().unwrap().clear();
        self
    }

    /// Submits a command. Panics if it is parked.
    pub(crate) fn send(
        &self,
        nexus: Nexus,
        lun: Lun,
        cdb: &[u8],
        data_out: &[u8],
        room: usize,
    ) -> Reply {
        let mut buffers = Bytes::new(room, data_out);
        let command = Command { nexus, lun, tag: 1, cdb };
        let outcome = self.array.submit(at(1), &command, &mut buffers);
        self.complete(outcome, buffers)
    }

    /// Carries out an outcome, including the data transfer.
    pub(crate) fn complete(&self, outcome: Disposition, mut buffers: Bytes) -> Reply {
        let completion = match outcome {
            Disposition::Complete(completion) => completion,
            Disposition::Transfer(transfer) => self.array.transfer(at(2), transfer, &mut buffers),
            Disposition::Parked(..) => panic!("held back"),
        };
        Reply { completion, data: buffers.data_in }
    }

    /// Sends a command, asserts GOOD status and returns its data-in.
    pub(crate) fn get(&self, nexus: Nexus, lun: Lun, cdb: &[u8], room: usize) -> Vec<u8> {
        let reply = self.send(nexus, lun, cdb, &[], room);
        assert_eq!(reply.completion.status, Status::Good, "{:?}", reply.completion.sense);
        assert_eq!(reply.completion.response, ServiceResponse::Ok);
        assert_eq!(reply.completion.residual as usize, room - reply.data.len());
        reply.data
    }

    /// Sends a command with data-out and asserts GOOD status.
    pub(crate) fn put(&self, nexus: Nexus, lun: Lun, cdb: &[u8], data_out: &[u8]) {
        let completion = self.send(nexus, lun, cdb, data_out, 0).completion;
        assert_eq!(completion.status, Status::Good, "{:?}", completion.sense);
        assert_eq!(completion.response, ServiceResponse::Ok);
    }

    /// Sends a command without data and asserts GOOD status.
    pub(crate) fn good(&self, nexus: Nexus, lun: Lun, cdb: &[u8]) {
        self.put(nexus, lun, cdb, &[]);
    }

    /// The outcome of a command at a given time: its sense, status or response code.
    pub(crate) fn answer_at(&self, now: Time, nexus: Nexus, lun: Lun, cdb: &[u8]) -> String {
        let mut buffers = Bytes::new(65_536, &[]);
        let command = Command { nexus, lun, tag: 1, cdb };
        let outcome = self.array.submit(now, &command, &mut buffers);
        let completion = self.complete(outcome, buffers).completion;
        if completion.response != ServiceResponse::Ok {
            return completion.response.to_string();
        }
        completion.sense.map_or_else(|| completion.status.to_string(), |sense| sense.to_string())
    }

    fn sense_key(&self, nexus: Nexus, lun: Lun, cdb: &[u8]) -> Option<u8> {
        Some(self.send(nexus, lun, cdb, &[], 0).completion.sense?.key)
    }

    /// Sends a command, asserts that it fails and returns its sense.
    pub(crate) fn sense(&self, nexus: Nexus, lun: Lun, cdb: &[u8], data_out: &[u8]) -> String {
        let reply = self.send(nexus, lun, cdb, data_out, 65_536);
        assert_eq!(reply.completion.status, Status::CheckCondition);
        assert_eq!(reply.data, []);
        reply.completion.sense.as_ref().map(Sense::to_string).unwrap()
    }

    pub(crate) fn records(&self) -> Vec<CommandRecord> {
        self.log.commands.lock().unwrap().clone()
    }

    pub(crate) fn changes(&self) -> Vec<Changed> {
        self.log.changes.lock().unwrap().iter().map(|change| change.what.clone()).collect()
    }
}

/// A READ(16) or a WRITE(16).
pub(crate) fn cdb16(opcode: u8, lba: u64, blocks: u32) -> [u8; 16] {
    let mut cdb = [0; 16];
    cdb[0] = opcode;
    cdb[2..10].copy_from_slice(&lba.to_be_bytes());
    cdb[10..14].copy_from_slice(&blocks.to_be_bytes());
    cdb
}

pub(crate) fn read(lba: u64, blocks: u32) -> [u8; 16] {
    cdb16(0x88, lba, blocks)
}

pub(crate) fn write(lba: u64, blocks: u32) -> [u8; 16] {
    cdb16(0x8a, lba, blocks)
}

/// A PERSISTENT RESERVE OUT with this service action, type and parameter list length.
pub(crate) fn persistent_out(action: u8, kind: u8, len: usize) -> [u8; 10] {
    [0x5f, action, kind, 0, 0, 0, 0, 0, len as u8, 0]
}

/// The basic parameter list of PERSISTENT RESERVE OUT: the reservation key, the service action
/// reservation key and the flags in byte 20.
pub(crate) fn persistent_list(key: u64, new: u64, flags: u8) -> [u8; 24] {
    let mut list = [0; 24];
    list[..8].copy_from_slice(&key.to_be_bytes());
    list[8..16].copy_from_slice(&new.to_be_bytes());
    list[20] = flags;
    list
}

pub(crate) fn persistent_in(action: u8) -> [u8; 10] {
    [0x5e, action, 0, 0, 0, 0, 0, 0x20, 0, 0]
}
