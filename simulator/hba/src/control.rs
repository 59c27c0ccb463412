//! The control queue: task management and asynchronous notifications.

use sansim_array::TmfResponse;
use virtio_queue::DescriptorChain;
use vm_memory::GuestMemory;

use crate::{
    device::Device,
    lun::Address,
    malformed::Malformed,
    ring::Used,
    tape::Request,
    wire::{CONTROL_QUEUE, ControlRequest, ControlResponse},
};

impl Device {
    /// Answers one request of the control queue. Returns the bytes written to its chain; none if it is
    /// never answered. The chains in `used` must be used before that one.
    pub(crate) fn serve_control<M: GuestMemory>(
        &mut self,
        descriptors: DescriptorChain<&M>,
        memory: &M,
        used: &mut Vec<Used>,
    ) -> Option<u32> {
        serve(self, descriptors, memory, used).unwrap_or_else(|what| {
            self.report(CONTROL_QUEUE, what);
            Some(0)
        })
    }

    /// Carries out a request of the control queue that was written down.
    pub(crate) fn carry_out_control<M: GuestMemory>(&mut self, request: &Request, memory: &M) {
        self.control.load_request(request);
        if let Err(what) = answer(self, memory, &mut Vec::new()) {
            self.report(CONTROL_QUEUE, what);
        }
    }
}

/// Answers the control request in a chain. Returns the bytes written to it; none for a function that
/// is never answered, whose chain stays where it is. The commands that a task management function
/// ended are answered, and their chains added to `used`: the guest must get them back first, since it
/// gives up waiting for them when the function succeeded (virtio_scsi:virtscsi_tmf).
fn serve<M: GuestMemory>(
    device: &mut Device,
    descriptors: DescriptorChain<&M>,
    memory: &M,
    used: &mut Vec<Used>,
) -> Result<Option<u32>, Malformed> {
    let loaded = device.control.load(descriptors);
    let control = &device.control;
    device.initiator.note(|| loaded.ok().and_then(|()| control.write_down(CONTROL_QUEUE, memory)));
    loaded?;
    answer(device, memory, used)
}

/// The same with the chain that is in hand.
fn answer<M: GuestMemory>(
    device: &mut Device,
    memory: &M,
    used: &mut Vec<Used>,
) -> Result<Option<u32>, Malformed> {
    let mut bytes = [0; ControlRequest::MAX_SIZE];
    let len =
        device.control.readable().read(memory, &mut bytes).map_err(|_| Malformed::BadAddress)?;
    let request = ControlRequest::decode(&bytes[..len]).ok_or(Malformed::ShortRequest)?;
    let response = match request {
        ControlRequest::TaskManagement { lun, function } => {
            device.initiator.counters.task_management.add(1);
            match manage(device, lun, function, memory, used) {
                Some(response) => response,
                None => return Ok(None),
            }
        }
        ControlRequest::Notifications { lun } => {
            let target = Address::from_request(lun).map(|at| at.target);
            match target.and_then(|target| device.initiator.nexus(target)) {
                Some(_) => ControlResponse::NoNotifications,
                None => ControlResponse::BadTarget { notifications: true },
            }
        }
        ControlRequest::Unknown => return Err(Malformed::UnknownControl),
    };
    let (bytes, len) = response.encode();
    let mut place = device.control.writable();
    if place.left() < len {
        return Err(Malformed::ShortResponse);
    }
    place.write(memory, &bytes[..len]).map_err(|_| Malformed::BadAddress)?;
    Ok(Some(len as u32))
}

fn manage<M: GuestMemory>(
    device: &mut Device,
    lun: [u8; 8],
    function: Option<sansim_array::TaskManagement>,
    memory: &M,
    used: &mut Vec<Used>,
) -> Option<ControlResponse> {
    let Some(Address { target, lun }) = Address::from_request(lun) else {
        return Some(ControlResponse::TaskManagement(TmfResponse::IncorrectLun));
    };
    let Some(nexus) = device.initiator.nexus(target) else {
        return Some(ControlResponse::BadTarget { notifications: false });
    };
    let Some(function) = function else {
        return Some(ControlResponse::TaskManagement(TmfResponse::Rejected));
    };
    let now = device.initiator.clock.now();
    let (response, ended) = device.initiator.array.task_management(now, nexus, lun, function);
    for (ticket, completion) in ended {
        used.extend(device.end(ticket, &completion, memory));
    }
    response.map(ControlResponse::TaskManagement)
}
