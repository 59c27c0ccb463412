//! Asks the lab while the processor stands still. [`sansim_protocol::hypercall`] describes questions and
//! answers.
//!
//! The register is the `writeback` byte of a vhost-user-blk device, which no driver is bound to. QEMU
//! forwards a write to the lab and waits for the reply before it completes the store. It does so in the
//! vCPU thread, with the BQL held (`vhost-user-blk.c:vhost_user_blk_set_config`,
//! `vhost-user.c:process_message_reply`). No other device of a stock QEMU waits like this.

use std::fs;
use std::sync::atomic::{Ordering, fence};

use sansim_protocol::hypercall::{Ask, Go, Mailbox, slot::REGISTER};

use super::pci::{self, Configuration, directory};
use super::window::Window;
use crate::fail::{Doing, Result};

/// `offsetof(struct virtio_blk_config, wce)` (virtio 1.2, 5.2.4).
const WRITEBACK: u64 = 32;

pub(super) struct Hypercall {
    register: Window,
    mailbox: Window,
    /// The byte last written. QEMU forwards only changes, so each write must differ from the one before.
    value: u8,
    round: u64,
}

/// Keeps virtio_pci off the register's device. Must run before the driver is loaded. A built-in driver is
/// bound already, and is unbound.
pub(super) fn keep_register_free() {
    let directory = directory(REGISTER);
    // If the device is missing, opening it reports that.
    let _ = fs::write(format!("{directory}/driver_override"), "none");
    let _ = fs::write(format!("{directory}/driver/unbind"), format!("0000:00:{REGISTER:02x}.0"));
}

impl Hypercall {
    /// Maps the register and the mailbox.
    pub(super) fn open() -> Result<Hypercall> {
        let enable = format!("{}/enable", directory(REGISTER));
        fs::write(&enable, "1").doing(|| format!("write {enable}"))?;
        let place = Configuration::read(REGISTER)?.virtio(pci::DEVICE)?;
        Ok(Hypercall {
            register: Window::of_registers(REGISTER, place.bar, place.offset + WRITEBACK, 1)?,
            mailbox: Window::of_memory(Mailbox::AT, Mailbox::BYTES)?,
            value: 1,
            round: 0,
        })
    }

    /// Asks one question, with as much of `text` as fits; that part is removed from `text`. Returns the
    /// answer and the text that came with it.
    pub(super) fn ask(&mut self, at_ns: u64, text: &mut Vec<u8>) -> (Go, Vec<u8>) {
        let len = text.len().min(Mailbox::ROOM);
        self.mailbox.copy_in(Mailbox::TEXT, &text[..len]);
        text.drain(..len);
        self.round += 1;
        self.mailbox.copy_in(0, &Ask { round: self.round, at_ns, len }.encode());
        let go = loop {
            self.call();
            let mut head = [0; Go::HEAD];
            self.mailbox.copy_out(Mailbox::ANSWER, &mut head);
            let go = Go::decode(&head);
            // QEMU does not save the register's value with the guest, so after a restore it may not have
            // forwarded this write.
            if go.round == self.round {
                break go;
            }
        };
        let mut answer = vec![0; go.len];
        self.mailbox.copy_out(Mailbox::ANSWER + Mailbox::TEXT, &mut answer);
        (go, answer)
    }

    /// Writes the register, so that the lab reads the mailbox. The lab has answered when this returns.
    fn call(&mut self) {
        fence(Ordering::SeqCst);
        self.register.write(0, self.value);
        fence(Ordering::SeqCst);
        self.value ^= 1;
    }
}
