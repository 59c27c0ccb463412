//! Adding and removing ports, alone or with their controller, and the notices about them.

use sansim_time::Time;

use super::{report::Report, state::State};
use crate::{
    completion::Completion,
    fault::ActionError,
    ids::{ControllerId, HbaId, Nexus, PortId},
    notice::Notice,
    observe::Changed,
    status::ServiceResponse,
};

impl State {
    /// Removes a port together with its disks, or adds it again.
    pub(super) fn set_port(
        &mut self,
        now: Time,
        port: PortId,
        present: bool,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        self.known_port(port)?;
        let changed = match present {
            true => self.ports_out.remove(&port),
            false => self.ports_out.insert(port),
        };
        if !changed {
            return Ok(());
        }
        report.change(now, Changed::Port { port, present });
        if present {
            self.lose_nexuses(|nexus| nexus.port == port);
        } else {
            self.end_undelivered(|nexus| nexus.port == port, report);
        }
        if self.controllers[port.controller.index()].state.answers() {
            self.tell_of_ports(vec![port], present, report);
        }
        Ok(())
    }

    /// Notifies the HBAs about the ports of a controller that was removed or inserted.
    pub(super) fn tell_of_controller(
        &mut self,
        controller: ControllerId,
        present: bool,
        report: &mut Report,
    ) {
        let ports = PortId::all(&self.controllers);
        let own = ports.filter(|port| port.controller == controller);
        let there = own.filter(|port| !self.ports_out.contains(port)).collect();
        self.tell_of_ports(there, present, report);
    }

    /// Notifies every HBA that the disks behind these ports are gone, or present again.
    fn tell_of_ports(&mut self, ports: Vec<PortId>, present: bool, report: &mut Report) {
        let luns: Vec<_> = self.units.keys().copied().collect();
        for own in luns {
            for nexus in self.nexuses_of(&ports) {
                let number = self.units.get(&own).and_then(|unit| unit.number(nexus));
                let Some(lun) = number.map(|number| self.target_of(nexus.port).encode(number))
                else {
                    continue;
                };
                let port = nexus.port;
                let notice = match present {
                    true => Notice::LunAdded { port, lun },
                    false => Notice::LunRemoved { port, lun },
                };
                self.notify(nexus.hba, notice, report);
            }
        }
    }

    /// Ends the parked commands of the nexuses that `which` selects, with BAD TARGET: their ports
    /// no longer answer.
    pub(super) fn end_undelivered(&mut self, which: impl Fn(Nexus) -> bool, report: &mut Report) {
        let ended = self.parking.end(
            |arrival| which(arrival.nexus),
            |arrival| Completion::response(ServiceResponse::BadTarget, arrival.offered),
        );
        self.notify_resume(ended, report);
    }

    /// Every nexus that can be notified: each HBA that has a doorbell with each port that answers. Each
    /// HBA ignores ports that it does not see.
    pub(super) fn reachable(&self) -> Vec<Nexus> {
        let answer = |port: &PortId| self.controllers[port.controller.index()].state.answers();
        let ports = PortId::all(&self.controllers).filter(answer);
        let ports: Vec<_> = ports.filter(|port| !self.ports_out.contains(port)).collect();
        self.nexuses_of(&ports)
    }

    fn nexuses_of(&self, ports: &[PortId]) -> Vec<Nexus> {
        let of = |hba: HbaId| ports.iter().map(move |port| Nexus { hba, port: *port });
        self.hbas.iter().flat_map(|hba| of(*hba)).collect()
    }
}
