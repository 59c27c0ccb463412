//! Whether a repetition of a run gives the same events, byte for byte.

use std::fmt;

use sansim_lab::{Accel, TimeMode};
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Whether the same scenario, seed, image, sansim and QEMU give the same bytes in `events.ndjson`. In
/// `summary.json` it is `{"exact": true}`, or `{"exact": false, "why": "…"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactness {
    /// The bytes are the same.
    Exact,
    /// The bytes may differ: something depends on the host's speed.
    Loose(Pacemaker),
}

/// What depends on the host's speed in a run that is not exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacemaker {
    /// KVM runs the guest's code.
    Kvm,
    /// The guest's processors race each other.
    Processors,
    /// The guest's clock is the host's.
    Clock,
}

impl Exactness {
    /// Exactness with this machine. If there are several reasons against it, the most fundamental one.
    pub fn of(accel: Accel, cpus: u8, time: TimeMode) -> Self {
        match (accel, cpus, time) {
            (Accel::Kvm, _, _) => Exactness::Loose(Pacemaker::Kvm),
            (Accel::Tcg, 2.., _) => Exactness::Loose(Pacemaker::Processors),
            (Accel::Tcg, _, TimeMode::Real) => Exactness::Loose(Pacemaker::Clock),
            (Accel::Tcg, _, TimeMode::Skip) => Exactness::Exact,
        }
    }

    /// Whether repetitions give the same bytes.
    pub fn is_exact(self) -> bool {
        self == Exactness::Exact
    }
}

/// `exact`, or `not exact: ` and the reason.
impl fmt::Display for Exactness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exactness::Exact => f.write_str("exact"),
            Exactness::Loose(why) => write!(f, "not exact: {why}"),
        }
    }
}

impl fmt::Display for Pacemaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Pacemaker::Kvm => {
                "KVM runs the guest's code on the host's processor, at the host's pace"
            }
            Pacemaker::Processors => {
                "a guest with several processors runs in real time, and they race each other"
            }
            Pacemaker::Clock => "in real time the guest's clock is the host's",
        })
    }
}

impl Serialize for Exactness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Exactness::Exact => {
                let mut object = serializer.serialize_struct("Exactness", 1)?;
                object.serialize_field("exact", &true)?;
                object.end()
            }
            Exactness::Loose(why) => {
                let mut object = serializer.serialize_struct("Exactness", 2)?;
                object.serialize_field("exact", &false)?;
                object.serialize_field("why", &why.to_string())?;
                object.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emulated_processor_in_skipped_time_is_exact_and_nothing_else_is() {
        let judge = |accel, cpus, time| Exactness::of(accel, cpus, time).to_string();
        assert_eq!(judge(Accel::Tcg, 1, TimeMode::Skip), "exact");
        let loose = judge(Accel::Tcg, 1, TimeMode::Real);
        assert_eq!(loose, "not exact: in real time the guest's clock is the host's");
        assert!(judge(Accel::Tcg, 2, TimeMode::Real).contains("several processors"));
        assert!(judge(Accel::Kvm, 1, TimeMode::Real).contains("KVM"));
        assert!(judge(Accel::Kvm, 4, TimeMode::Real).contains("KVM"));
    }

    #[test]
    fn a_summary_says_why_a_run_is_not_exact() {
        let json = |exactness| serde_json::to_string(&exactness).unwrap();
        assert_eq!(json(Exactness::Exact), r#"{"exact":true}"#);
        assert_eq!(
            json(Exactness::Loose(Pacemaker::Clock)),
            r#"{"exact":false,"why":"in real time the guest's clock is the host's"}"#
        );
    }
}
