//! `[[fault]]`: what goes wrong with which commands.

use sansim_array::{
    ControllerId, Corruption, OpMatcher, PortId, Sense, SenseForm, TmfMatcher, TmfResponse,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ControllersAre, LunOwner, Name, NumberRange, PageName, Part, SetState, StageName,
    personality::words,
};
use crate::lang::value::{At, DelayTime, Size, TimeSpan};

/// A fault rule: what goes wrong with which commands.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `when` and `then`")]
pub struct Fault {
    /// Its name, for steps, expectations and the report. Default: `fault-1` and so on.
    pub name: Option<At<String>>,
    /// Which commands it is about.
    #[serde(default)]
    pub when: When,
    /// What happens to them.
    pub then: At<Then>,
    /// Whether it works from the start; a step can arm it later. Default: true.
    pub armed: Option<bool>,
}

/// Which commands a rule is about. All that is given must be true of a command.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct When {
    /// The operation: a name of SPC or SBC with or without the length of its CDB, "medium" for reads
    /// and writes, or "any".
    pub op: Option<Name<OpMatcher>>,
    /// The page of INQUIRY data that it asks for: "standard", or the code of a VPD page in hexadecimal,
    /// such as "c9". The rule is about INQUIRY then.
    pub page: Option<Name<PageName>>,
    /// The task management function: a name of SAM such as "LOGICAL UNIT RESET", or "any". The rule is
    /// about these then, and not about commands.
    pub task_management: Option<Name<TmfMatcher>>,
    /// The controller it comes to.
    pub controller: Option<Name<ControllerId>>,
    /// The port it comes to.
    pub port: Option<Name<PortId>>,
    /// The HBA it comes from.
    pub hba: Option<At<u64>>,
    /// The LUN it is for.
    pub lun: Option<At<u64>>,
    /// Logical blocks, both ends included; a medium access that touches one of them is meant.
    pub blocks: Option<Name<NumberRange>>,
    /// The part of the run. Default: "story".
    pub stage: Option<StageName>,
    /// Only the first so many such commands.
    pub first: Option<At<u64>>,
    /// Only this one of such commands, from 1.
    pub nth: Option<At<u64>>,
    /// Only every so many such commands.
    pub every: Option<At<u64>>,
    /// Only these of such commands, from 1, both ends included.
    pub matches: Option<Name<NumberRange>>,
    /// Not before this time of the story.
    pub from: Option<Name<TimeSpan>>,
    /// Not from this time of the story on.
    pub until: Option<Name<TimeSpan>>,
    /// Only while controllers are in these states: "A quiescing", or "A failed, B booting".
    pub state: Option<Name<ControllersAre>>,
    /// Only while this controller owns the LUN, whichever controller it comes to.
    pub owner: Option<Name<ControllerId>>,
    /// How likely it is that a command is meant which everything else is true of: above 0 and at most
    /// 1. It depends on the run's seed alone.
    pub chance: Option<At<f64>>,
}

/// What happens to a command. A delay or a hold can be combined with an answer; without one the
/// command is carried out after it.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { sense = \"06/2a/01\" }")]
pub struct Then {
    /// It is answered with CHECK CONDITION and this sense.
    pub sense: Option<Name<Sense>>,
    /// The form of that sense. Default: "fixed".
    pub sense_form: Option<At<SenseFormName>>,
    /// It is answered with this SCSI status.
    pub status: Option<At<StatusName>>,
    /// The HBA reports this instead of an answer.
    pub response: Option<At<ResponseName>>,
    /// A task management function is not carried out and answered with this.
    pub function: Option<At<FunctionName>>,
    /// It is kept back for so long: "10ms", { from = "1ms", to = "20ms" }, or { mean = "5ms" } for an
    /// exponential distribution.
    pub delay: Option<At<DelayTime>>,
    /// It is kept back until a step releases the hold of this name.
    pub hold: Option<At<String>>,
    /// The command or its answer gets lost.
    pub lose: Option<At<LoseName>>,
    /// It is carried out, but only so much of its data reaches the guest; the residual says so.
    pub short: Option<Name<Size>>,
    /// A read or write is carried out otherwise than it should be, and nobody is told.
    pub corrupt: Option<At<CorruptionName>>,
    /// Before that a part of the array fails.
    pub fail: Option<Name<Part>>,
    /// Before that a part of the array is on line again.
    pub restore: Option<Name<Part>>,
    /// Before that a controller changes its state.
    pub set: Option<SetState>,
    /// Before that a LUN changes hands.
    pub own: Option<LunOwner>,
}

/// A SCSI status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StatusName {
    /// GOOD, without doing anything.
    Good,
    /// CHECK CONDITION without sense data, which makes a Linux guest start its error handler.
    CheckCondition,
    /// CONDITION MET.
    ConditionMet,
    /// 3Eh, which no standard defines.
    Undefined,
    /// BUSY.
    Busy,
    /// RESERVATION CONFLICT.
    ReservationConflict,
    /// TASK SET FULL.
    TaskSetFull,
    /// ACA ACTIVE.
    AcaActive,
    /// TASK ABORTED.
    TaskAborted,
}

/// What the HBA reports instead of a status: a response code of virtio-scsi, of which a Linux guest
/// makes the host byte in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseName {
    /// Too much data (DID_ERROR).
    Overrun,
    /// The command was aborted (DID_ABORT).
    Aborted,
    /// The target is not there (DID_BAD_TARGET).
    BadTarget,
    /// A reset ended the command (DID_RESET).
    Reset,
    /// The bus is busy (DID_BUS_BUSY).
    Busy,
    /// The transport failed (DID_TRANSPORT_DISRUPTED).
    TransportFailure,
    /// The target failed (DID_BAD_TARGET).
    TargetFailure,
    /// The nexus failed (reservation conflict).
    NexusFailure,
    /// Anything else (DID_ERROR).
    Failure,
    /// A code that virtio-scsi does not define (DID_ERROR, and a line in the kernel's log).
    Unknown,
}

/// What gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoseName {
    /// The command: it is never carried out.
    Command,
    /// The answer: the command is carried out.
    Reply,
    /// The command, and the HBA never gives up on it.
    Forever,
}

words! {
    /// How sense data is laid out.
    SenseFormName for SenseForm {
        /// Fixed format.
        Fixed = "fixed",
        /// Descriptor format.
        Descriptor = "descriptor",
        /// Fixed format, of an earlier command.
        DeferredFixed = "deferred-fixed",
        /// Descriptor format, of an earlier command.
        DeferredDescriptor = "deferred-descriptor",
        /// Fixed format with an additional length of 0: a guest sees neither code nor qualifier.
        NoLength = "no-length",
    }
}

words! {
    /// How a task management function is answered.
    FunctionName for TmfResponse {
        /// FUNCTION COMPLETE, without its being done.
        Complete = "complete",
        /// FUNCTION SUCCEEDED, without its being done.
        Succeeded = "succeeded",
        /// FUNCTION REJECTED.
        Rejected = "rejected",
        /// INCORRECT LOGICAL UNIT NUMBER.
        IncorrectLun = "incorrect-lun",
    }
}

words! {
    /// How data goes wrong without anybody's saying so.
    CorruptionName for Corruption {
        /// One bit of the first block is another one: in the guest, or in the LUN.
        BitFlip = "bit-flip",
        /// The write is not done, so that later reads find what was there before.
        DroppedWrite = "dropped-write",
        /// The write lands in other blocks.
        MisdirectedWrite = "misdirected-write",
        /// The read finds what was there before the blocks were written the last time.
        StaleRead = "stale-read",
    }
}
