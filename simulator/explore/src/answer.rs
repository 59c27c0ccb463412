//! What an answer of the array permits a host to do.

use sansim_stage::event::CommandEvent;

/// What an answer means for the path that it came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// The command was carried out.
    Good,
    /// The command is to be sent again, and the path has done nothing wrong: a unit attention, busy, a LUN
    /// that is becoming ready (SPC-4 table 28 and 4.5, SAM-5 5.3.1).
    Again,
    /// The path is to be given up, for now: the host may use another one.
    Path,
    /// The command fails on every path: the medium, a reservation, protection, an illegal request.
    Target,
}

/// Commands that take longer may be given up by the host.
const SLOW_S: f64 = 10.0;

impl Grade {
    pub(crate) fn of(command: &CommandEvent) -> Grade {
        let grade = match (&command.sense, &*command.response, &*command.status) {
            (_, "OK", "BUSY" | "TASK SET FULL") => Grade::Again,
            (_, "OK", "RESERVATION CONFLICT") => Grade::Target,
            (Some(sense), "OK", _) => of_sense(sense),
            (None, "OK", "GOOD" | "CONDITION MET") => Grade::Good,
            (_, "RESET", _) => Grade::Again,
            _ => Grade::Path,
        };
        match grade {
            Grade::Good | Grade::Again if command.latency_s > SLOW_S => Grade::Path,
            grade => grade,
        }
    }
}

/// The grade of sense data `kk/aa/qq`, as scsi_error.c (scsi_check_sense) takes it, and blk_path_error what comes of it.
fn of_sense(sense: &str) -> Grade {
    let (key, code) = sense.split_once('/').unwrap_or((sense, ""));
    match (key, code) {
        ("01", _) => Grade::Good,
        ("00" | "06" | "0b", _) | ("02", "04/01" | "04/0a") => Grade::Again,
        ("03" | "04" | "07" | "08" | "0d" | "0e", _) => Grade::Target,
        ("05", code) => match code.get(..2) {
            Some("20" | "21" | "22" | "24" | "26" | "27") => Grade::Target,
            _ => Grade::Path,
        },
        _ => Grade::Path,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A READ(10) through A0 that was answered so.
    pub(crate) fn answered(
        sense: Option<&str>,
        status: &str,
        response: &str,
        latency_s: f64,
    ) -> CommandEvent {
        CommandEvent {
            seq: 0,
            hba: 0,
            port: "A0".into(),
            controller: "A".into(),
            lun: 0,
            op: "READ(10)".into(),
            cdb: String::new(),
            status: status.into(),
            sense: sense.map(str::to_owned),
            response: response.into(),
            latency_s,
            fault: None,
        }
    }

    #[test]
    fn answers_have_grades() {
        let sense = |sense| Grade::of(&answered(Some(sense), "CHECK CONDITION", "OK", 0.0));
        assert_eq!(sense("06/29/00"), Grade::Again);
        assert_eq!(sense("02/04/0a"), Grade::Again);
        assert_eq!(sense("02/04/03"), Grade::Path);
        assert_eq!(sense("05/94/01"), Grade::Path);
        assert_eq!(sense("05/24/00"), Grade::Target);
        assert_eq!(sense("03/11/00"), Grade::Target);
        assert_eq!(sense("01/18/00"), Grade::Good);
        let other =
            |status, response, latency| Grade::of(&answered(None, status, response, latency));
        assert_eq!(other("GOOD", "OK", 0.0), Grade::Good);
        assert_eq!(other("GOOD", "OK", 30.0), Grade::Path);
        assert_eq!(other("BUSY", "OK", 0.0), Grade::Again);
        assert_eq!(other("RESERVATION CONFLICT", "OK", 0.0), Grade::Target);
        assert_eq!(other("GOOD", "BAD TARGET", 0.0), Grade::Path);
    }
}
