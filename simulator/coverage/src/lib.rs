//! Which code of the kernel's multipath modules runs have executed, block by block.
//!
//! | module | contents |
//! |---|---|
//! | [`code`] | a module's file: its sections, instructions, relocations and functions |
//! | [`block`] | its basic blocks |
//! | [`placing`] | where marked code of the guest lies in it |
//! | [`atlas`] | the modules of an image together |
//! | [`build_id`], [`debug`] | which build of a module it is, and of which lines of source its code is |
//! | [`coverage`] | what was executed of each block, merged over runs and images |
//! | [`source`] | what was executed of each line of source |
//! | [`reasons`] | why a block cannot be executed, and what is to be reached |
//! | [`lines`], [`page`], [`table`] | the coverage for programs, as a web page, and for the terminal |
//!
//! A *basic block* is a run of instructions of a module's file that is entered at its first and left at its last one;
//! [`block`] says exactly where one begins. It is *executed* when its first instruction was. How QEMU cuts the code
//! into translation blocks makes no difference to either.
//!
//! Which module a translated piece of the guest's code belongs to is found by its bytes ([`placing`]), so that
//! nothing has to be asked of the guest, whose story would be another one then.
#![forbid(unsafe_code)]

pub mod atlas;
pub mod block;
pub mod build_id;
pub mod code;
pub mod coverage;
pub mod debug;
pub mod lines;
mod listing;
pub mod page;
pub mod placing;
pub mod reasons;
pub mod source;
pub mod table;

/// The modules that are looked at: dm-multipath, the device handlers, the path selectors. Those of them that a kernel
/// lacks are left out.
pub const MODULES: [&str; 10] = [
    "dm_multipath",
    "scsi_dh_rdac",
    "scsi_dh_emc",
    "scsi_dh_hp_sw",
    "scsi_dh_alua",
    "dm_round_robin",
    "dm_queue_length",
    "dm_service_time",
    "dm_historical_service_time",
    "dm_io_affinity",
];
