//! A SCSI command from the guest, from its descriptor chain to its response.

use std::sync::Arc;

use sansim_array::{
    Array, Buffers, Command, Completion, Disposition, HbaId, Lun, Nexus, PortId, ServiceResponse,
    Status, Ticket,
};
use sansim_time::{Clock, Time};
use vm_memory::GuestMemory;

use crate::{
    alarm::Alarm,
    buffers::GuestBuffers,
    chain::Chain,
    lun::Address,
    malformed::Malformed,
    statistics::Counters,
    tape::{Request, Tape},
    wire::{self, CommandHeader, RESPONSE_SIZE},
};

/// The operation code of variable-length CDBs.
const VARIABLE_LENGTH: u8 = 0x7F;

/// The identity of the HBA and its connections. They do not change during the lifetime of a device.
pub(crate) struct Initiator {
    pub(crate) id: HbaId,
    /// The target port for each virtio target.
    pub(crate) targets: Vec<PortId>,
    pub(crate) array: Arc<Array>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) alarm: Alarm,
    /// The tape for recording requests; `None` if the device does not support recording.
    pub(crate) tape: Option<Arc<Tape>>,
}

impl Initiator {
    /// The nexus for a virtio target; `None` if the target does not exist.
    pub(crate) fn nexus(&self, target: u8) -> Option<Nexus> {
        let port = *self.targets.get(usize::from(target))?;
        Some(Nexus { hba: self.id, port })
    }

    /// Records a request if recording is on.
    pub(crate) fn note(&self, request: impl FnOnce() -> Option<Request>) {
        if let Some(tape) = &self.tape {
            tape.note(request);
        }
    }

    /// The virtio target of a port; `None` if the HBA does not see the port.
    pub(crate) fn target(&self, port: PortId) -> Option<u8> {
        let index = self.targets.iter().position(|known| *known == port)?;
        u8::try_from(index).ok()
    }
}

/// A command that was submitted to the array.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GuestCommand {
    nexus: Nexus,
    lun: Lun,
    header: CommandHeader,
}

/// The result of starting or resuming a command.
pub(crate) enum Submitted {
    /// The response is written. The value is the number of bytes written to the chain.
    Answered(u32),
    /// The array has parked the command. It may give a time at which to resume it.
    Parked(GuestCommand, Ticket, Option<Time>),
}

impl Initiator {
    /// Carries out the command in a chain that was just loaded.
    pub(crate) fn start<M: GuestMemory>(
        &self,
        chain: &Chain,
        memory: &M,
    ) -> Result<Submitted, Malformed> {
        self.counters.received.add(1);
        let header = header(chain, memory)?;
        let mut buffers = GuestBuffers::new(chain, memory);
        if buffers.data_in_len() > 0 && buffers.data_out_len() > 0 {
            return Err(Malformed::Bidirectional);
        }
        let Some(command) = self.address(header) else {
            let completion = without_status(ServiceResponse::BadTarget, buffers.offered());
            return self.finish(&completion, chain, &buffers, memory);
        };
        let outcome = self.array.submit(self.clock.now(), &command.as_command(), &mut buffers);
        self.go_on(command, outcome, chain, buffers, memory)
    }

    /// Resumes a parked command.
    pub(crate) fn resume<M: GuestMemory>(
        &self,
        command: GuestCommand,
        ticket: Ticket,
        chain: &Chain,
        memory: &M,
    ) -> Result<Submitted, Malformed> {
        let mut buffers = GuestBuffers::new(chain, memory);
        let outcome =
            self.array.resume(self.clock.now(), ticket, &command.as_command(), &mut buffers);
        self.go_on(command, outcome, chain, buffers, memory)
    }

    fn go_on<M: GuestMemory>(
        &self,
        command: GuestCommand,
        outcome: Disposition,
        chain: &Chain,
        mut buffers: GuestBuffers<'_, M>,
        memory: &M,
    ) -> Result<Submitted, Malformed> {
        let completion = match outcome {
            Disposition::Complete(completion) => completion,
            Disposition::Transfer(transfer) => {
                self.array.transfer(self.clock.now(), transfer, &mut buffers)
            }
            Disposition::Parked(ticket, due) => return Ok(Submitted::Parked(command, ticket, due)),
        };
        self.finish(&completion, chain, &buffers, memory)
    }

    fn finish<M: GuestMemory>(
        &self,
        completion: &Completion,
        chain: &Chain,
        buffers: &GuestBuffers<'_, M>,
        memory: &M,
    ) -> Result<Submitted, Malformed> {
        self.counters.commands.add(1);
        self.counters.bytes_in.add(buffers.filled() as u64);
        self.counters.bytes_out.add(buffers.taken() as u64);
        answer(chain, memory, completion, buffers.filled()).map(Submitted::Answered)
    }

    /// Finds the target and the LUN of a command. Returns `None` if the HBA does not have the
    /// target, or if the LUN field has a format that virtio-scsi does not define.
    fn address(&self, header: CommandHeader) -> Option<GuestCommand> {
        let Address { target, lun } = Address::from_request(header.lun)?;
        let nexus = self.nexus(target)?;
        Some(GuestCommand { nexus, lun, header })
    }
}

impl GuestCommand {
    fn as_command(&self) -> Command<'_> {
        Command {
            nexus: self.nexus,
            lun: self.lun,
            tag: self.header.tag,
            cdb: cdb(&self.header.cdb),
        }
    }
}

/// The CDB in a request's header. The field always has 32 bytes. The length of the CDB follows from
/// the group code (SPC-4 4.2.5.1). For vendor-specific groups, it is the whole field.
fn cdb(field: &[u8; 32]) -> &[u8] {
    let len = match field[0] >> 5 {
        0 => 6,
        1 | 2 => 10,
        // Variable length: byte 7 is the additional CDB length (SPC-4 4.2.3.2).
        3 if field[0] == VARIABLE_LENGTH => 8 + usize::from(field[7]),
        4 => 16,
        5 => 12,
        _ => field.len(),
    };
    &field[..len.min(field.len())]
}

/// Reads the request header, and checks that the response fits.
fn header<M: GuestMemory>(chain: &Chain, memory: &M) -> Result<CommandHeader, Malformed> {
    let mut bytes = [0; CommandHeader::SIZE];
    let read = chain.readable().read(memory, &mut bytes).map_err(|_| Malformed::BadAddress)?;
    if read < bytes.len() {
        return Err(Malformed::ShortRequest);
    }
    if chain.writable().left() < RESPONSE_SIZE {
        return Err(Malformed::ShortResponse);
    }
    Ok(CommandHeader::decode(&bytes))
}

/// Writes the response of a command. `filled` is the number of bytes of data-in. Returns the number
/// of bytes written to the chain, data-in included.
pub(crate) fn answer<M: GuestMemory>(
    chain: &Chain,
    memory: &M,
    completion: &Completion,
    filled: usize,
) -> Result<u32, Malformed> {
    let bytes = wire::response(completion);
    chain.writable().write(memory, &bytes).map_err(|_| Malformed::BadAddress)?;
    // The length of a chain fits into 32 bits (virtio 1.2 2.7.5.2); longer chains are truncated
    // when they are loaded.
    Ok((bytes.len() + filled) as u32)
}

/// Answers a malformed request with FAILURE, if the chain has room for the response. Returns the
/// number of bytes written.
pub(crate) fn refuse<M: GuestMemory>(chain: &Chain, memory: &M) -> u32 {
    const SHORTEST: usize = 12;
    let bytes = wire::response(&without_status(ServiceResponse::Failure, 0));
    let mut place = chain.writable();
    let len = place.left().min(bytes.len());
    if len < SHORTEST || place.write(memory, &bytes[..len]).is_err() {
        return 0;
    }
    len as u32
}

fn without_status(response: ServiceResponse, residual: u32) -> Completion {
    Completion { response, status: Status::Good, sense: None, residual }
}

/// The outcome of a parked command whose queue is stopped: BUSY, so that the guest sends the
/// command again.
pub(crate) fn interrupted<M: GuestMemory>(chain: &Chain, memory: &M) -> Completion {
    Completion {
        response: ServiceResponse::Ok,
        status: Status::Busy,
        sense: None,
        residual: GuestBuffers::new(chain, memory).offered(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_code_says_how_long_a_cdb_is() {
        let len = |code: u8, additional: u8| {
            let mut field = [0; 32];
            (field[0], field[7]) = (code, additional);
            cdb(&field).len()
        };
        for (code, expected) in
            [(0x12, 6), (0x28, 10), (0x55, 10), (0x88, 16), (0xA0, 12), (0xC0, 32), (0x7E, 32)]
        {
            assert_eq!(len(code, 0xFF), expected, "{code:02x}");
        }
        assert_eq!((len(0x7F, 0), len(0x7F, 0x18), len(0x7F, 0xFF)), (8, 32, 32));
    }
}
