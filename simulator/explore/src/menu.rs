//! What may happen, by family: operations, sense data, settings. What is here is what arrays are seen to
//! do; docs/arrays.md says which of them do it.

use sansim_array::PersonalityConfig;
use sansim_language::Scenario;
use sansim_stage::Manager;

/// An operation that commands are caught by, and how often it is chosen.
pub(crate) type Op = (u64, &'static str);

/// The commands that a handler or a path checker sends, the most telling first, and the medium accesses.
pub(crate) fn operations(array: &PersonalityConfig) -> Vec<Op> {
    let mut ops = match array {
        PersonalityConfig::Rdac(_) => {
            vec![(8, "MODE SELECT"), (4, "INQUIRY"), (2, "TEST UNIT READY")]
        }
        PersonalityConfig::Emc(_) => {
            vec![(8, "MODE SELECT"), (4, "INQUIRY"), (2, "TEST UNIT READY")]
        }
        PersonalityConfig::HpSw(_) | PersonalityConfig::HwHandler(_) => {
            vec![(8, "START STOP UNIT"), (4, "TEST UNIT READY")]
        }
        PersonalityConfig::Alua(_) => vec![
            (6, "SET TARGET PORT GROUPS"),
            (6, "REPORT TARGET PORT GROUPS"),
            (4, "TEST UNIT READY"),
        ],
    };
    ops.extend([(3, "READ"), (3, "WRITE"), (2, "medium")]);
    ops
}

/// Answers to commands, in TOML. The first ones are such that a host has to try again (SPC-4 table 28, SAM-5
/// 5.3); then those that are the path's fault.
pub(crate) fn answers(array: &PersonalityConfig) -> Vec<(u64, &'static str)> {
    let mut answers = vec![
        (4, "sense = \"06/29/00\""),
        (4, "sense = \"06/2a/01\""),
        (3, "sense = \"06/3f/0e\""),
        (2, "sense = \"06/3f/03\""),
        (3, "sense = \"02/04/01\""),
        (3, "sense = \"0b/00/00\""),
        (2, "sense = \"00/00/00\""),
        (1, "sense = \"01/18/00\""),
        (4, "status = \"busy\""),
        (2, "status = \"task-set-full\""),
        (2, "sense = \"02/04/03\""),
        (2, "sense = \"04/44/00\""),
        (1, "sense = \"05/24/00\""),
        (2, "response = \"busy\""),
        (2, "response = \"reset\""),
        (2, "response = \"transport-failure\""),
        (1, "response = \"failure\""),
        (1, "status = \"reservation-conflict\""),
    ];
    answers.extend(match array {
        PersonalityConfig::Rdac(_) => vec![
            (3, "sense = \"05/91/36\""),
            (3, "sense = \"06/8b/02\""),
            (3, "sense = \"02/04/81\""),
        ],
        PersonalityConfig::Emc(_) => vec![(3, "sense = \"05/25/01\""), (2, "sense = \"02/04/03\"")],
        PersonalityConfig::HpSw(_) | PersonalityConfig::HwHandler(_) => {
            vec![(3, "sense = \"02/04/02\"")]
        }
        PersonalityConfig::Alua(_) => vec![
            (4, "sense = \"02/04/0a\""),
            (3, "sense = \"06/2a/06\""),
            (3, "sense = \"06/2a/07\""),
            (2, "sense = \"02/04/0b\""),
            (2, "sense = \"02/04/0c\""),
        ],
    });
    fairly(&answers)
}

/// The answers with weights by which each sense key is chosen as often as any other, and so are a status and a
/// response: a host tells answers apart by these first, and what it makes of a rare one is tested least.
fn fairly(answers: &[(u64, &'static str)]) -> Vec<(u64, &'static str)> {
    const OF_EACH: u64 = 10_000;
    let class = |answer: &'static str| match answer.split_once('/') {
        Some((key, _)) => key,
        None => answer.split(' ').next().unwrap_or_default(),
    };
    let alike = |answer| answers.iter().filter(move |(_, it)| class(it) == class(answer));
    let weight = |answer| alike(answer).map(|(weight, _)| weight).sum::<u64>().max(1);
    answers.iter().map(|(own, answer)| (own * OF_EACH / weight(answer), *answer)).collect()
}

/// Unit attentions.
pub(crate) fn attentions(array: &PersonalityConfig) -> Vec<(u64, &'static str)> {
    let mut attentions = vec![
        (3, "06/29/00"),
        (3, "06/2a/01"),
        (3, "06/3f/0e"),
        (1, "06/3f/03"),
        (1, "06/2a/09"),
        (1, "06/2f/00"),
    ];
    attentions.extend(match array {
        PersonalityConfig::Rdac(_) => vec![(2, "06/8b/02")],
        PersonalityConfig::Alua(_) => vec![(3, "06/2a/06"), (2, "06/2a/07")],
        _ => Vec::new(),
    });
    attentions
}

/// What a setting is if nothing is changed.
pub(crate) const AS_WRITTEN: &str = "as written";

/// Settings: a key of the scenario, and its values in TOML.
pub(crate) fn settings(base: &Scenario) -> Vec<(&'static str, &'static [&'static str])> {
    let mut settings: Vec<(&str, &[&str])> = Vec::new();
    if base.setup.guest.manager == Manager::Dmsetup {
        settings.extend([
            ("guest.multipath.pg_init_retries", &["3", "5"][..]),
            ("guest.multipath.pg_init_delay", &["\"100ms\"", "\"5s\""]),
            ("guest.multipath.queue_if_no_path", &["true"]),
            ("guest.multipath.path_groups", &["\"failover\""]),
            ("guest.multipath.selector", &["\"round-robin\""]),
        ]);
    }
    settings.extend([
        ("workload.read_percent", &["90", "10"][..]),
        // What is in flight together matters, not how much there is in all: each I/O costs the host 0.5 ms.
        ("workload.rate", &["10", "60"]),
        ("workload.burst", &["8"]),
        ("workload.block", &["\"64KiB\""]),
    ]);
    let family: &[(&str, &[&str])] = match &base.setup.first_array().personality {
        PersonalityConfig::Rdac(_) => {
            &[("array.rdac.mode", &["\"ioship\"", "\"avt\""]), ("array.rdac.max_luns", &["16"])]
        }
        PersonalityConfig::Emc(_) => &[
            ("array.emc.failover_mode", &["\"passive-not-ready\""]),
            ("array.emc.short_inquiry", &["true"]),
        ],
        PersonalityConfig::HpSw(_) => {
            &[("array.hp_sw.switch_over", &["\"2s\""]), ("array.hp_sw.moves", &["\"lun\""])]
        }
        PersonalityConfig::HwHandler(_) => &[("array.hw_handler.switch_over", &["\"2s\""])],
        PersonalityConfig::Alua(_) => &[
            ("array.alua.non_owner", &["\"standby\"", "\"unavailable\""]),
            ("array.alua.transition", &["\"2s\"", "\"5s\""]),
            ("array.alua.tpgs", &["\"implicit\"", "\"explicit\""]),
            ("array.alua.reporting", &["\"unit-attention\""]),
            ("array.ownership.takeover", &["\"2s\""]),
        ],
    };
    settings.extend(family);
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sense_key_is_as_likely_as_any_other() {
        let answers = [
            (3, "sense = \"06/29/00\""),
            (1, "sense = \"06/2a/01\""),
            (1, "sense = \"01/18/00\""),
            (4, "status = \"busy\""),
            (1, "status = \"task-set-full\""),
            (2, "response = \"reset\""),
        ];
        let weights: Vec<u64> = fairly(&answers).into_iter().map(|(weight, _)| weight).collect();
        assert_eq!(weights, [7500, 2500, 10_000, 8000, 2000, 10_000]);
    }
}
