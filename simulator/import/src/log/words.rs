//! Words of the kernel's log: host bytes, sense keys, additional sense codes.

/// What a host byte (scsi_status.h) comes from, as far as a scenario can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostByte {
    /// The path is gone.
    Gone,
    /// The command was not answered in time.
    Silent,
    /// The command failed on its way: a response of virtio-scsi that makes the same host byte.
    Response(&'static str),
    /// Nothing that can be repeated.
    Other,
}

impl HostByte {
    /// By the kernel's name. Responses: virtio_scsi.c:virtscsi_complete_cmd.
    pub(crate) fn of(name: &str) -> HostByte {
        match name {
            "DID_NO_CONNECT" | "DID_TRANSPORT_DISRUPTED" | "DID_TRANSPORT_FAILFAST" => {
                HostByte::Gone
            }
            "DID_TIME_OUT" => HostByte::Silent,
            "DID_BUS_BUSY" => HostByte::Response("busy"),
            "DID_ERROR" | "DID_SOFT_ERROR" => HostByte::Response("failure"),
            "DID_RESET" => HostByte::Response("reset"),
            "DID_ABORT" => HostByte::Response("aborted"),
            "DID_BAD_TARGET" => HostByte::Response("bad-target"),
            "DID_NEXUS_FAILURE" => HostByte::Response("nexus-failure"),
            "DID_TARGET_FAILURE" => HostByte::Response("target-failure"),
            _ => HostByte::Other,
        }
    }

    /// The name in `return code = 0x00010000` of old kernels: the third byte.
    pub(crate) fn name(code: u32) -> &'static str {
        const NAMES: [&str; 16] = [
            "DID_OK",
            "DID_NO_CONNECT",
            "DID_BUS_BUSY",
            "DID_TIME_OUT",
            "DID_BAD_TARGET",
            "DID_ABORT",
            "DID_PARITY",
            "DID_ERROR",
            "DID_RESET",
            "DID_BAD_INTR",
            "DID_PASSTHROUGH",
            "DID_SOFT_ERROR",
            "DID_IMM_RETRY",
            "DID_REQUEUE",
            "DID_TRANSPORT_DISRUPTED",
            "DID_TRANSPORT_FAILFAST",
        ];
        NAMES.get((code >> 16 & 0xff) as usize).copied().unwrap_or("DID_OK")
    }
}

/// A sense key by its name in the log (SPC-4 table 53).
pub(crate) fn sense_key(name: &str) -> Option<u8> {
    const KEYS: [&str; 16] = [
        "no sense",
        "recovered error",
        "not ready",
        "medium error",
        "hardware error",
        "illegal request",
        "unit attention",
        "data protect",
        "blank check",
        "vendor specific",
        "copy aborted",
        "aborted command",
        "equal",
        "volume overflow",
        "miscompare",
        "completed",
    ];
    let name = name.trim().to_ascii_lowercase();
    KEYS.iter().position(|key| name.starts_with(key)).map(|at| at as u8)
}

/// An additional sense code by its text in the log (SPC-4 annex D; the kernel's sense_codes.h has the same words).
pub(crate) fn additional(text: &str) -> Option<(u8, u8)> {
    const CODES: [(&str, (u8, u8)); 29] = [
        ("No additional sense information", (0x00, 0x00)),
        ("Logical unit not ready, cause not reportable", (0x04, 0x00)),
        ("Logical unit is in process of becoming ready", (0x04, 0x01)),
        ("Logical unit not ready, initializing command required", (0x04, 0x02)),
        ("Logical unit not ready, manual intervention required", (0x04, 0x03)),
        ("Logical unit not accessible, asymmetric access state transition", (0x04, 0x0a)),
        ("Logical unit not accessible, target port in standby state", (0x04, 0x0b)),
        ("Logical unit not accessible, target port in unavailable state", (0x04, 0x0c)),
        ("Logical unit not ready, auxiliary memory not accessible", (0x04, 0x10)),
        ("Logical unit communication failure", (0x08, 0x00)),
        ("Logical unit communication time-out", (0x08, 0x01)),
        ("Write error", (0x0c, 0x00)),
        ("Unrecovered read error", (0x11, 0x00)),
        ("Invalid command operation code", (0x20, 0x00)),
        ("Invalid field in cdb", (0x24, 0x00)),
        ("Logical unit not supported", (0x25, 0x00)),
        ("Invalid field in parameter list", (0x26, 0x00)),
        ("Write protected", (0x27, 0x00)),
        ("Power on, reset, or bus device reset occurred", (0x29, 0x00)),
        ("Bus device reset function occurred", (0x29, 0x03)),
        ("I_T nexus loss occurred", (0x29, 0x07)),
        ("Mode parameters changed", (0x2a, 0x01)),
        ("Asymmetric access state changed", (0x2a, 0x06)),
        ("Implicit asymmetric access state transition failed", (0x2a, 0x07)),
        ("Capacity data has changed", (0x2a, 0x09)),
        ("Reported luns data has changed", (0x3f, 0x0e)),
        ("Internal target failure", (0x44, 0x00)),
        ("Select or reselect failure", (0x45, 0x00)),
        ("Data phase error", (0x4b, 0x00)),
    ];
    let text = text.trim();
    CODES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, code)| *code)
}

/// Whether an array of ours answers so by itself: a LUN that another controller has, a group in standby, a change of
/// state. A fault rule for it would be one too many.
pub(crate) fn is_the_arrays_own((key, asc, ascq): (u8, u8, u8)) -> bool {
    matches!(
        (key, asc, ascq),
        (0x05, 0x94, 0x01)
            | (0x02, 0x04, 0x02 | 0x03 | 0x0a | 0x0b | 0x0c)
            | (0x06, 0x29, _)
            | (0x06, 0x2a, 0x06 | 0x09)
            | (0x06, 0x3f, _)
    )
}

/// The access state of a target port group that an answer tells of (SPC-4 5.15.2.4), by its name in the language.
pub(crate) fn access_state(sense: (u8, u8, u8)) -> Option<&'static str> {
    match sense {
        (0x02 | 0x06, 0x04, 0x0a) => Some("transitioning"),
        (0x02, 0x04, 0x0b) => Some("standby"),
        (0x02, 0x04, 0x0c) => Some("unavailable"),
        _ => None,
    }
}

/// The sense key that goes with an additional sense code, where only one does.
pub(crate) fn key_of((asc, _): (u8, u8)) -> Option<u8> {
    match asc {
        0x04 => Some(0x02),
        0x11 => Some(0x03),
        0x44 => Some(0x04),
        0x20 | 0x24..=0x26 => Some(0x05),
        0x29 | 0x2a | 0x3f => Some(0x06),
        0x27 => Some(0x07),
        _ => None,
    }
}
