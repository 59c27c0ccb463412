//! A capture of the SAN's traffic for Wireshark: pcapng, with commands as iSCSI PDUs over TCP.
//!
//! The guest sends its commands through virtio-scsi, for which Wireshark has no dissector. iSCSI
//! carries the same commands, and Wireshark connects its requests with their responses. Everything
//! below the SCSI command is therefore made up: each path is a TCP connection that never logs in.
//!
//! | In the capture | Meaning |
//! |---|---|
//! | interface `hba0 to A0` | a path |
//! | address 192.0.2.1 (name `hba0`) | an HBA |
//! | address 198.51.100.10 (name `A0`) | a target port |
//! | 1970-01-02 00:00:00 UTC | the beginning of the story |
//! | initiator task tag | the number of the command ([`sansim_array::CommandRecord::seq`]) |
//! | SCSI response | a status, or TARGET FAILURE |
//! | no SCSI response | the HBA ended the command without a status: a reset, a timeout, a lost link |
//! | SCSI Data-In, immediate data | the first bytes of a command's data, if [`sansim_array::Array::keep_data`] asks for it |
//! | packet comment | the fault rule that caught the command; how the HBA ended it; how much data was cut |
//! | NOP-Out | the end of a file that has reached its limit |
//!
//! Commands that have not ended are not captured.
//!
//! | Subject | Module |
//! |---|---|
//! | a file from records and state changes | `capture` |
//! | packets in the order of time | `window` |
//! | what a packet carries | `packet` |
//! | packets as frames on paths, with comments | `wire`, `comment` |
//! | iSCSI PDUs (RFC 7143) | `pdu`, `task_tag` |
//! | Ethernet, IPv4 and TCP headers of a path | `path` |
//! | the blocks of a pcapng file | `pcapng` |

#![forbid(unsafe_code)]

mod capture;
mod comment;
mod packet;
mod path;
mod pcapng;
mod pdu;
mod task_tag;
mod window;
mod wire;

pub use capture::Capture;
