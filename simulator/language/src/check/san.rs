//! References to the parts of the SAN: arrays, controllers, ports, HBAs, LUNs, paths.

use std::{ops::Range, sync::Arc};

use sansim_array::{ControllerId, HbaId, Lun, NexusPattern, PortId, Ports, Shown};
use sansim_stage::{Array, Hba, PathPattern, Piece, Placeholder, pieces};

use super::{ArrayShape, Checker};
use crate::{Diagnostic, form::Name, near, value::At};

impl Checker<'_> {
    pub(crate) fn know_arrays(&mut self, arrays: &[Array]) {
        let shape = |array: &Array| ArrayShape {
            name: array.identity.name.clone(),
            serial: array.identity.serial.clone(),
            controllers: {
                let first = usize::from(array.first_controller);
                first..first + usize::from(array.controllers)
            },
            ports: array.ports_per_controller,
        };
        self.shape.arrays = arrays.iter().map(shape).collect();
        let highest = arrays.iter().map(|array| array.personality.max_lun()).max();
        self.shape.max_lun = highest.unwrap_or_default();
        self.shape.configs = arrays.iter().flat_map(|array| array.luns.clone()).collect();
        self.shape.luns = self.shape.configs.iter().map(|config| config.lun).collect();
        self.shape.main_lun = self.shape.luns.first().copied().unwrap_or(Lun(0));
    }

    pub(crate) fn know_hbas(&mut self, hbas: &[Hba]) {
        self.shape.hbas = hbas.to_vec();
    }

    pub(crate) fn controller(&mut self, given: &Name<ControllerId>) -> ControllerId {
        self.known_controller(given.0, &given.span);
        given.0
    }

    pub(crate) fn known_controller(&mut self, controller: ControllerId, span: &Range<usize>) {
        if controller.index() >= self.shape.controllers() {
            let problem = format!("the array has no controller {controller}");
            self.refuse(span, problem, self.shape.controllers_in_words());
        }
    }

    /// The array with this name; reports an unknown one.
    pub(crate) fn array(&mut self, name: &str, span: &Range<usize>) -> Arc<str> {
        let names = self.shape.arrays.iter().map(|array| array.name.clone());
        let names: Vec<_> = names.collect();
        if !self.shape.is_any && !names.iter().any(|known| known == name) {
            let problem = format!("there is no array named {name:?}");
            self.refuse(span, problem, near::help(name, &names));
        }
        Arc::from(name)
    }

    /// Reports that no LUN is presented by two arrays.
    pub(crate) fn needs_metro(&mut self, span: &Range<usize>) {
        if !self.shape.is_any && self.shape.arrays.len() < 2 {
            let problem = "there is only one array, so no LUN is presented by two";
            let help = "write two [[array]] tables, and `partner` at the LUN that both present";
            self.refuse(span, problem, help);
        }
    }

    pub(crate) fn port(&mut self, given: &Name<PortId>) -> PortId {
        self.known_port(given.0, &given.span);
        given.0
    }

    pub(crate) fn known_port(&mut self, port: PortId, span: &Range<usize>) {
        if !self.shape.has_ports(Ports::One(port)) {
            let problem = format!("the array has no port {port}");
            self.refuse(span, problem, self.shape.ports_in_words());
        }
    }

    pub(crate) fn hba(&mut self, given: &At<u64>) -> HbaId {
        let count = self.shape.hbas.len();
        match u8::try_from(given.value).map(HbaId) {
            Ok(hba) if self.shape.has_hba(hba) => hba,
            _ => {
                let problem = format!("there is no HBA {}", given.value);
                let help =
                    format!("the guest has {count}, counted from 0; [hba] count = … sets it");
                self.refuse(&given.span, problem, help);
                HbaId(0)
            }
        }
    }

    pub(crate) fn lun(&mut self, given: &At<u64>) -> Lun {
        match u16::try_from(given.value).ok().map(Lun) {
            Some(lun) if self.shape.has_lun(lun) => lun,
            _ => {
                let problem = format!("the array has no LUN {}", given.value);
                self.refuse(&given.span, problem, self.shape.luns_in_words());
                self.shape.main_lun
            }
        }
    }

    pub(crate) fn lun_or_main(&mut self, given: Option<&At<u64>>) -> Lun {
        given.map_or(self.shape.main_lun, |given| self.lun(given))
    }

    /// The nexuses of an HBA, a controller or a port, or all; reports what is not there, and a controller
    /// beside a port.
    pub(crate) fn nexuses(
        &mut self,
        hba: Option<&At<u64>>,
        controller: Option<&Name<ControllerId>>,
        port: Option<&Name<PortId>>,
        span: &Range<usize>,
    ) -> NexusPattern {
        let given = [("controller", controller.is_some()), ("port", port.is_some())];
        self.exclusive(&given, span);
        if let Some(controller) = controller {
            self.controller(controller);
        }
        if let Some(port) = port {
            self.port(port);
        }
        self.seen(hba, controller, port, span)
    }

    /// As [`Checker::nexuses`], but reports only that the HBA is not there, or that no path is there.
    /// Before the HBAs are known, nothing is reported.
    pub(crate) fn seen(
        &mut self,
        hba: Option<&At<u64>>,
        controller: Option<&Name<ControllerId>>,
        port: Option<&Name<PortId>>,
        span: &Range<usize>,
    ) -> NexusPattern {
        let there = hba.is_none_or(|hba| {
            u8::try_from(hba.value).is_ok_and(|hba| self.shape.has_hba(HbaId(hba)))
        });
        let hba = hba.map(|hba| self.hba(hba));
        let ports = match (controller, port) {
            (_, Some(port)) => Ports::One(port.0),
            (Some(controller), None) => Ports::Of(controller.0),
            (None, None) => Ports::All,
        };
        let to = NexusPattern { hba, ports };
        if there && self.shape.has_ports(ports) && !self.shape.sees_any(to) {
            let problem = format!("no path goes over {to}");
            self.refuse(span, problem, self.shape.targets_in_words());
        }
        to
    }

    /// The number under which a LUN is seen.
    pub(crate) fn shown(&mut self, number: Option<&At<u64>>) -> Shown {
        let Some(number) = number else { return Shown::Own };
        let max = u64::from(self.shape.max_lun);
        Shown::As(Lun(self.number(Some(number), 0..=max, 0, "the number of a LUN") as u16))
    }

    /// A path pattern; reports one that matches no path.
    pub(crate) fn path(&mut self, path: PathPattern, span: &Range<usize>) -> PathPattern {
        self.known_port(path.port, span);
        if let Some(hba) = path.hba
            && usize::from(hba.0) >= self.shape.hbas.len()
        {
            let help = format!("the guest has {}, counted from 0", self.shape.hbas.len());
            self.refuse(span, format!("there is no HBA {}", hba.0), help);
        } else if !self.shape.sees(path) && self.shape.has_ports(Ports::One(path.port)) {
            let problem = format!("no path goes over {path}");
            self.refuse(span, problem, self.shape.targets_in_words());
        }
        path
    }

    /// Checks the placeholders of a word at `span`.
    pub(crate) fn placeholders(&mut self, word: &str, span: &Range<usize>) {
        let pieces = match pieces(word) {
            Ok(pieces) => pieces,
            Err(problem) => {
                self.report(span, Diagnostic::error(problem));
                return;
            }
        };
        for piece in pieces {
            let Piece::Device(device) = piece else { continue };
            let (Placeholder::Map { lun } | Placeholder::Disk { lun, .. }) = device;
            if let Some(lun) = lun {
                self.lun(&At { value: u64::from(lun.0), span: span.clone() });
            }
            if let Placeholder::Disk { path, .. } = device {
                self.path(path, span);
            }
        }
    }
}
