//! The operations that arrays support: one table for parsing CDBs, naming commands and REPORT
//! SUPPORTED OPERATION CODES.

/// The direction of a command's data transfer, from the initiator's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataDirection {
    /// The command transfers no data.
    None,
    /// Data-in: from the target to the initiator.
    In,
    /// Data-out: from the initiator to the target.
    Out,
}

/// The class of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Reads or writes the medium. In an active/passive array, only the LUN's owner carries it out.
    Medium,
    /// Reads or sets parameters.
    Parameter,
    /// Queries or changes a state, without a data transfer.
    Control,
}

impl Class {
    pub(crate) const ALL: [Class; 3] = [Class::Medium, Class::Parameter, Class::Control];

    /// The name in fault rules: `medium`, `parameter` or `control`.
    pub fn name(self) -> &'static str {
        match self {
            Class::Medium => "medium",
            Class::Parameter => "parameter",
            Class::Control => "control",
        }
    }
}

/// The command handler of an operation. Operations that differ only in the CDB length have the same
/// kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    TestUnitReady,
    RequestSense,
    Inquiry,
    ReportLuns,
    ReadCapacity10,
    ReadCapacity16,
    ModeSense,
    ModeSelect,
    StartStopUnit,
    FormatUnit,
    SendDiagnostic,
    ReceiveDiagnostic,
    LogSense,
    ReadBuffer,
    WriteBuffer,
    ReportOpcodes,
    ReportTargetPortGroups,
    SetTargetPortGroups,
    Read,
    Write,
    Verify,
    WriteAndVerify,
    CompareAndWrite,
    OrWrite,
    Prefetch,
    SynchronizeCache,
    WriteSame,
    Unmap,
    GetLbaStatus,
    Reserve,
    Release,
    PersistentReserveIn,
    PersistentReserveOut,
}

impl Kind {
    /// Whether the operation changes the medium.
    pub(crate) fn writes(self) -> bool {
        matches!(
            self,
            Kind::Write
                | Kind::WriteAndVerify
                | Kind::CompareAndWrite
                | Kind::OrWrite
                | Kind::WriteSame
                | Kind::Unmap
                | Kind::FormatUnit
        )
    }

    /// Whether the operation is about the cache, which no array here has.
    pub(crate) fn is_for_cache(self) -> bool {
        matches!(self, Kind::SynchronizeCache | Kind::Prefetch)
    }
}

/// An operation with a specific CDB length.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The name in SPC or SBC: `MODE SELECT(10)`. Where several service actions have their own
    /// names, the service action follows: `PERSISTENT RESERVE OUT: PREEMPT`.
    pub name: &'static str,
    /// The operation code, byte 0 of the CDB.
    pub opcode: u8,
    /// The service action; `None` if the operation code does not have any.
    pub service_action: Option<u8>,
    /// The CDB usage data for REPORT SUPPORTED OPERATION CODES (SPC-4 6.36.3): a bit mask of the
    /// CDB fields that are evaluated. The operation code and the service action appear with their
    /// values. Its length is the CDB length.
    pub usage: &'static [u8],
    /// The direction of the data transfer.
    pub direction: DataDirection,
    /// The class of the operation.
    pub class: Class,
    pub(crate) kind: Kind,
}

impl Operation {
    /// The name without the CDB length or the service action.
    pub fn family(&self) -> &'static str {
        self.name.split_once(['(', ':']).map_or(self.name, |(family, _)| family)
    }

    /// The CDB length in bytes.
    pub fn cdb_len(&self) -> usize {
        self.usage.len()
    }

    /// Finds the operation of a CDB; `None` if it is unknown. A truncated CDB is recognized too.
    pub fn of(cdb: &[u8]) -> Option<&'static Operation> {
        let (opcode, action) = (*cdb.first()?, cdb.get(1).map(|byte| byte & 0x1f));
        let same_code = OPERATIONS[usize::from(FIRST[usize::from(opcode)])..].iter();
        same_code
            .take_while(|op| op.opcode == opcode)
            .find(|op| op.service_action.is_none() || op.service_action == action)
    }

    /// Whether the CDB has a known operation code with a service action that is none of its.
    pub(crate) fn has_unknown_action(cdb: &[u8]) -> bool {
        let known = |opcode: &u8| OPERATIONS.iter().any(|op| op.opcode == *opcode);
        cdb.len() > 1 && cdb.first().is_some_and(known) && Operation::of(cdb).is_none()
    }

    /// Whether the NACA bit in the CONTROL byte of a CDB is set (SAM-5 5.2), the last one of these CDBs.
    pub(crate) fn wants_aca(&self, cdb: &[u8]) -> bool {
        cdb.get(self.cdb_len() - 1).is_some_and(|control| control & 0x04 != 0)
    }
}

/// For each operation code, the index of its first operation in the table, or the index at which it
/// would be.
static FIRST: [u8; 256] = {
    let (mut first, mut opcode, mut at) = ([0; 256], 0, 0);
    while opcode < 256 {
        while at < OPERATIONS.len() && (OPERATIONS[at].opcode as usize) < opcode {
            at += 1;
        }
        first[opcode] = at as u8;
        opcode += 1;
    }
    first
};

macro_rules! operation {
    ($name:literal, $kind:ident, $direction:ident, $class:ident, [$opcode:literal $(, $usage:literal)*]) => {
        operation!($name, $kind, $direction, $class, None, [$opcode $(, $usage)*])
    };
    ($name:literal, $kind:ident, $direction:ident, $class:ident, $action:expr, [$opcode:literal $(, $usage:literal)*]) => {
        Operation {
            name: $name,
            opcode: $opcode,
            service_action: $action,
            usage: &[$opcode $(, $usage)*],
            direction: DataDirection::$direction,
            class: Class::$class,
            kind: Kind::$kind,
        }
    };
}

/// All operations that arrays support, ordered by operation code and service action.
#[rustfmt::skip]
pub static OPERATIONS: [Operation; 60] = [
    operation!("TEST UNIT READY",     TestUnitReady,    None, Control,   [0x00, 0, 0, 0, 0, 0]),
    operation!("REQUEST SENSE",       RequestSense,     In,   Parameter, [0x03, 0x01, 0, 0, 0xff, 0]),
    operation!("FORMAT UNIT",         FormatUnit,       Out,  Medium,    [0x04, 0xff, 0, 0, 0, 0]),
    operation!("READ(6)",             Read,             In,   Medium,    [0x08, 0x1f, 0xff, 0xff, 0xff, 0]),
    operation!("WRITE(6)",            Write,            Out,  Medium,    [0x0a, 0x1f, 0xff, 0xff, 0xff, 0]),
    operation!("INQUIRY",             Inquiry,          In,   Parameter, [0x12, 0x01, 0xff, 0xff, 0xff, 0]),
    operation!("MODE SELECT(6)",      ModeSelect,       Out,  Parameter, [0x15, 0x11, 0, 0, 0xff, 0]),
    operation!("RESERVE(6)",          Reserve,          None, Control,   [0x16, 0x1f, 0, 0, 0, 0]),
    operation!("RELEASE(6)",          Release,          None, Control,   [0x17, 0x1f, 0, 0, 0, 0]),
    operation!("MODE SENSE(6)",       ModeSense,        In,   Parameter, [0x1a, 0x08, 0xff, 0xff, 0xff, 0]),
    operation!("START STOP UNIT",     StartStopUnit,    None, Control,   [0x1b, 0x01, 0, 0x0f, 0xf7, 0]),
    operation!("RECEIVE DIAGNOSTIC RESULTS", ReceiveDiagnostic, In, Parameter, [0x1c, 0x01, 0xff, 0xff, 0xff, 0]),
    operation!("SEND DIAGNOSTIC",     SendDiagnostic,   Out,  Parameter, [0x1d, 0xf4, 0, 0xff, 0xff, 0]),
    operation!("READ CAPACITY(10)",   ReadCapacity10,   In,   Parameter, [0x25, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x01, 0]),
    operation!("READ(10)",            Read,             In,   Medium,    [0x28, 0xf8, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0]),
    operation!("WRITE(10)",           Write,            Out,  Medium,    [0x2a, 0xf8, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0]),
    operation!("WRITE AND VERIFY(10)", WriteAndVerify,  Out,  Medium,    [0x2e, 0xf6, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0]),
    operation!("VERIFY(10)",          Verify,           Out,  Medium,    [0x2f, 0xf6, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0]),
    operation!("PRE-FETCH(10)",       Prefetch,         None, Medium,    [0x34, 0x02, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0]),
    operation!("SYNCHRONIZE CACHE(10)", SynchronizeCache, None, Medium,  [0x35, 0x02, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0]),
    operation!("WRITE BUFFER",        WriteBuffer,      Out,  Parameter, [0x3b, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("READ BUFFER(10)",     ReadBuffer,       In,   Parameter, [0x3c, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("WRITE SAME(10)",      WriteSame,        Out,  Medium,    [0x41, 0xf8, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0]),
    operation!("UNMAP",               Unmap,            Out,  Medium,    [0x42, 0x01, 0, 0, 0, 0, 0, 0xff, 0xff, 0]),
    operation!("LOG SENSE",           LogSense,         In,   Parameter, [0x4d, 0x01, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("MODE SELECT(10)",     ModeSelect,       Out,  Parameter, [0x55, 0x11, 0, 0, 0, 0, 0, 0xff, 0xff, 0]),
    operation!("RESERVE(10)",         Reserve,          None, Control,   [0x56, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0]),
    operation!("RELEASE(10)",         Release,          None, Control,   [0x57, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0]),
    operation!("MODE SENSE(10)",      ModeSense,        In,   Parameter, [0x5a, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE IN: READ KEYS", PersistentReserveIn, In, Parameter, Some(0), [0x5e, 0x00, 0, 0, 0, 0, 0, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE IN: READ RESERVATION", PersistentReserveIn, In, Parameter, Some(1), [0x5e, 0x01, 0, 0, 0, 0, 0, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE IN: REPORT CAPABILITIES", PersistentReserveIn, In, Parameter, Some(2), [0x5e, 0x02, 0, 0, 0, 0, 0, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE IN: READ FULL STATUS", PersistentReserveIn, In, Parameter, Some(3), [0x5e, 0x03, 0, 0, 0, 0, 0, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE OUT: REGISTER", PersistentReserveOut, Out, Parameter, Some(0), [0x5f, 0x00, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE OUT: RESERVE", PersistentReserveOut, Out, Parameter, Some(1), [0x5f, 0x01, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE OUT: RELEASE", PersistentReserveOut, Out, Parameter, Some(2), [0x5f, 0x02, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE OUT: CLEAR", PersistentReserveOut, Out, Parameter, Some(3), [0x5f, 0x03, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE OUT: PREEMPT", PersistentReserveOut, Out, Parameter, Some(4), [0x5f, 0x04, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE OUT: PREEMPT AND ABORT", PersistentReserveOut, Out, Parameter, Some(5), [0x5f, 0x05, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE OUT: REGISTER AND IGNORE EXISTING KEY", PersistentReserveOut, Out, Parameter, Some(6), [0x5f, 0x06, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("PERSISTENT RESERVE OUT: REGISTER AND MOVE", PersistentReserveOut, Out, Parameter, Some(7), [0x5f, 0x07, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]),
    operation!("READ(16)",            Read,             In,   Medium,    [0x88, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("COMPARE AND WRITE",   CompareAndWrite,  Out,  Medium,    [0x89, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0xff, 0, 0]),
    operation!("WRITE(16)",           Write,            Out,  Medium,    [0x8a, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("ORWRITE(16)",         OrWrite,          Out,  Medium,    [0x8b, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("WRITE AND VERIFY(16)", WriteAndVerify,  Out,  Medium,    [0x8e, 0xf6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("VERIFY(16)",          Verify,           Out,  Medium,    [0x8f, 0xf6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("PRE-FETCH(16)",       Prefetch,         None, Medium,    [0x90, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("SYNCHRONIZE CACHE(16)", SynchronizeCache, None, Medium,  [0x91, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("WRITE SAME(16)",      WriteSame,        Out,  Medium,    [0x93, 0xf9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("READ CAPACITY(16)",   ReadCapacity16,   In,   Parameter, Some(0x10), [0x9e, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0]),
    operation!("GET LBA STATUS",      GetLbaStatus,     In,   Medium,    Some(0x12), [0x9e, 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("REPORT LUNS",         ReportLuns,       In,   Parameter, [0xa0, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("REPORT TARGET PORT GROUPS", ReportTargetPortGroups, In, Parameter, Some(0x0a), [0xa3, 0xea, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("REPORT SUPPORTED OPERATION CODES", ReportOpcodes, In, Parameter, Some(0x0c), [0xa3, 0x0c, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("SET TARGET PORT GROUPS", SetTargetPortGroups, Out, Parameter, Some(0x0a), [0xa4, 0x0a, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("READ(12)",            Read,             In,   Medium,    [0xa8, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("WRITE(12)",           Write,            Out,  Medium,    [0xaa, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("WRITE AND VERIFY(12)", WriteAndVerify,  Out,  Medium,    [0xae, 0xf6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
    operation!("VERIFY(12)",          Verify,           Out,  Medium,    [0xaf, 0xf6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_each_cdb_is_as_long_as_its_operation_code_says() {
        let keys: Vec<_> = OPERATIONS.iter().map(|op| (op.opcode, op.service_action)).collect();
        assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] != pair[1]));
        for op in &OPERATIONS {
            // The group code determines the CDB length (SPC-4 4.2.5.1).
            let len = [6, 10, 10, 0, 16, 12][usize::from(op.opcode >> 5)];
            assert_eq!(op.cdb_len(), len, "{}", op.name);
            assert_eq!(op.usage[0], op.opcode, "{}", op.name);
            let action = op.service_action.map(|action| op.usage[1] & 0x1f == action);
            assert_ne!(action, Some(false), "{}", op.name);
            let sized = op.name.split_once('(').map(|(_, size)| size.trim_end_matches(')'));
            assert!(sized.is_none_or(|size| size.parse() == Ok(len)), "{}", op.name);
        }
    }

    #[test]
    fn a_cdb_finds_its_operation() {
        for op in &OPERATIONS {
            assert_eq!(Operation::of(op.usage), Some(op));
        }
        let name = |cdb: &[u8]| Operation::of(cdb).map(|op| op.name);
        assert_eq!(name(&[0x55]), Some("MODE SELECT(10)"));
        assert_eq!(name(&[0x9e, 0x10]), Some("READ CAPACITY(16)"));
        assert_eq!(name(&[0x9e, 0xf0]), Some("READ CAPACITY(16)"), "the high bits are not its");
        assert_eq!(name(&[0x9e, 0x11]), None);
        assert_eq!(name(&[0x9e]), None);
        assert_eq!(name(&[0xff; 16]), None);
        assert!(Operation::has_unknown_action(&[0x9e, 0x11]));
        assert!(
            ![&[0x9e, 0x10][..], &[0x9e], &[0xff; 16], &[]]
                .iter()
                .any(|cdb| Operation::has_unknown_action(cdb))
        );
        assert_eq!(name(&[]), None);
    }
}
