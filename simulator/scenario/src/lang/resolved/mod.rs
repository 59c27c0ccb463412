//! From the plan back to tables, with every default spelled out.

mod expect;
mod fault;
mod personality;
mod san;
mod step;

use sansim_lab::UdevRules;

use super::{
    file::{self, File, PatternName},
    plan::{
        Ending, Guest, Manager, Multipath, PathGroups, Scenario, Selector, TextMatch, Workload,
    },
    value::{At, Size, Text, TimeSpan},
};

/// The scenario as it was understood, to be kept with a run. It can be loaded again and then means
/// the same.
///
/// # Panics
/// Never: the tables are plain data.
pub fn resolved_toml(scenario: &Scenario) -> String {
    let (run_for, settle) = match scenario.ending {
        Ending::After(time) => (Some(span(time)), None),
        Ending::Settled(time) => (None, Some(span(time))),
    };
    let description = Some(scenario.description.clone()).filter(|text| !text.is_empty());
    let file = File {
        title: Some(at(scenario.title.clone())),
        description,
        cites: scenario.cites.clone(),
        covers: scenario.covers.clone(),
        seed: scenario.seed.map(at),
        limit: Some(span(scenario.limit)),
        settle,
        run_for,
        guest: guest(&scenario.guest),
        array: Some(san::array(&scenario.array)),
        hba: san::hba(scenario),
        workload: workload(scenario.workload.as_ref()),
        fault: scenario.faults.iter().map(|rule| at(fault::fault(rule))).collect(),
        step: scenario.steps.iter().map(|step| at(step::step(step))).collect(),
        expect: scenario.expectations.iter().map(|e| at(expect::expect(e, scenario))).collect(),
    };
    toml::to_string(&file).expect("the tables are plain data")
}

fn at<T>(value: T) -> At<T> {
    At::nowhere(value)
}

fn name<T>(value: T) -> file::Name<T> {
    At::nowhere(Text(value))
}

fn span(duration: std::time::Duration) -> file::Name<TimeSpan> {
    name(TimeSpan(duration))
}

fn guest(guest: &Guest) -> file::Guest {
    file::Guest {
        image: Some(at(guest.image.clone())),
        manager: Some(at(match guest.manager {
            Manager::Dmsetup => file::ManagerName::Dmsetup,
            Manager::Multipathd(_) => file::ManagerName::Multipathd,
        })),
        memory: Some(name(Size(guest.memory))),
        cpus: Some(at(guest.cpus.into())),
        modules: guest.modules.iter().cloned().map(at).collect(),
        handler: Some(at(guest.handler.clone().unwrap_or_else(|| "none".to_owned()))),
        load_handler: Some(guest.load_handler),
        parameters: guest.parameters.iter().map(|(k, v)| (k.clone(), at(v.clone()))).collect(),
        multipathd: multipathd(&guest.manager),
        multipath: match guest.manager {
            Manager::Dmsetup => multipath(&guest.multipath),
            // Tables are multipathd's business.
            Manager::Multipathd(_) => file::Multipath::default(),
        },
        allow: guest.allow.iter().map(|pattern| at(pattern_text(pattern))).collect(),
    }
}

fn multipathd(manager: &Manager) -> Option<At<file::Multipathd>> {
    let Manager::Multipathd(multipathd) = manager else { return None };
    Some(at(file::Multipathd {
        conf: multipathd.conf.clone().map(at),
        conf_file: None,
        udev: Some(match multipathd.udev {
            UdevRules::Stock => file::UdevName::Stock,
            UdevRules::Lean => file::UdevName::Lean,
        }),
    }))
}

fn multipath(multipath: &Multipath) -> file::Multipath {
    file::Multipath {
        pg_init_retries: multipath.pg_init_retries.map(|n| at(n.into())),
        pg_init_delay: multipath.pg_init_delay.map(span),
        queue_if_no_path: Some(multipath.queue_if_no_path),
        retain_attached_hw_handler: Some(multipath.retain_attached_hw_handler),
        selector: Some(match multipath.selector {
            Selector::ServiceTime => file::SelectorName::ServiceTime,
            Selector::QueueLength => file::SelectorName::QueueLength,
            Selector::RoundRobin => file::SelectorName::RoundRobin,
        }),
        path_groups: Some(match multipath.path_groups {
            PathGroups::ByOwner => file::GroupsName::ByOwner,
            PathGroups::Multibus => file::GroupsName::Multibus,
            PathGroups::Failover => file::GroupsName::Failover,
        }),
        handler_args: multipath.handler_args.iter().cloned().map(at).collect(),
    }
}

fn pattern_text(pattern: &TextMatch) -> String {
    match pattern {
        TextMatch::Contains(text) => regex::escape(text),
        TextMatch::Matches(regex) => regex.as_str().to_owned(),
    }
}

fn workload(workload: Option<&Workload>) -> file::Workload {
    let Some(workload) = workload else {
        return file::Workload { pattern: Some(PatternName::None), ..Default::default() };
    };
    file::Workload {
        pattern: Some(match workload.pattern {
            sansim_protocol::Pattern::Verify => PatternName::Verify,
            sansim_protocol::Pattern::Read => PatternName::Read,
        }),
        lun: Some(at(workload.lun.0.into())),
        queue_depth: Some(at(workload.queue_depth.into())),
        block: Some(name(Size(workload.block.into()))),
        region: Some(name(Size(workload.region))),
        read_percent: Some(at(workload.read_percent.into())),
        rate: Some(at(workload.rate.into())),
        burst: Some(at(workload.burst.into())),
        stall: Some(span(workload.stall)),
        start: Some(span(workload.start)),
    }
}
