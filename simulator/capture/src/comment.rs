//! The comments on packets: what the simulator knows and the wire does not show.

use sansim_array::{CommandRecord, ServiceResponse, TaskManagement};

use crate::{packet::Function, pdu};

/// The comment on a command: the fault rule that caught it, and, if it has no response, how the
/// HBA ended it.
pub(crate) fn on_command(record: &CommandRecord) -> Option<String> {
    let caught = record.fault.as_deref().map(caught);
    let ended = (!pdu::has_response(record)).then(|| {
        let (response, after) = (record.completion.response, record.latency.as_secs_f64());
        format!("no response: the HBA ended it with {response} after {after:.6} s")
    });
    let data = pdu::data_out(record).and_then(|_| cut(record));
    joined([caught, ended, data])
}

/// The comment on data-in, if not all of it was captured.
pub(crate) fn on_data_in(record: &CommandRecord) -> Option<String> {
    cut(record)
}

fn cut(record: &CommandRecord) -> Option<String> {
    let (captured, of) = pdu::cut(record)?;
    Some(format!("only the first {captured} of {of} bytes of data were captured"))
}

/// The comment on a response: Wireshark shows its status, which has no meaning if the target failed.
pub(crate) fn on_response(record: &CommandRecord) -> Option<String> {
    let failed = record.completion.response == ServiceResponse::TargetFailure;
    failed.then(|| format!("{}: there is no status", record.completion.response))
}

/// The comment on a task management function.
pub(crate) fn on_function(function: &Function) -> Option<String> {
    let caught = function.fault.as_deref().map(caught);
    let silent = || "never answered".to_owned();
    let answer = function.response.map_or_else(silent, |response| response.to_string());
    let told = match function.function {
        // Wireshark 4.0 does not read what RFC 7144 adds, and shows a TCP segment.
        TaskManagement::QueryTask { .. }
        | TaskManagement::QueryTaskSet
        | TaskManagement::ItNexusReset => Some(format!("{}: {answer}", function.function.name())),
        _ => function.response.is_none().then_some(answer),
    };
    joined([caught, told, None])
}

fn caught(rule: &str) -> String {
    format!("caught by fault rule {rule}")
}

fn joined(parts: [Option<String>; 3]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
