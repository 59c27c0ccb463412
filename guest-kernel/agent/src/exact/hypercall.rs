//! Asking the lab, while the processor stands still: see [`sansim_protocol::hypercall`] for what is
//! asked and answered.
//!
//! The register is the `writeback` byte of a vhost-user-blk device, which no driver has. QEMU passes a
//! write to it on to the lab and waits for the answer before it completes the store: in the thread that
//! executes the guest's code, with its big lock held (`vhost-user-blk.c:vhost_user_blk_set_config`,
//! `vhost-user.c:process_message_reply`). Nothing else of a stock QEMU waits like this.

use std::fs;
use std::sync::atomic::{Ordering, fence};

use sansim_protocol::hypercall::{Ask, Go, Mailbox, slot::REGISTER};

use super::pci::{self, Configuration, directory};
use super::window::Window;
use crate::fail::{Doing, Result};

/// offsetof(struct virtio_blk_config, wce), of virtio 1.2 5.2.4.
const WRITEBACK: u64 = 32;

/// The register and the mailbox.
pub(super) struct Hypercall {
    register: Window,
    mailbox: Window,
    /// QEMU passes on changes only, so that one write has to differ from the one before.
    value: u8,
    round: u64,
}

/// Keeps the kernel's driver off the register. To be called before that is loaded; where it is built in
/// it has taken the device, and gives it back.
pub(super) fn keep_register_free() {
    let directory = directory(REGISTER);
    // Where it is not there, opening it says so.
    let _ = fs::write(format!("{directory}/driver_override"), "none");
    let _ = fs::write(format!("{directory}/driver/unbind"), format!("0000:00:{REGISTER:02x}.0"));
}

impl Hypercall {
    /// Finds the register and the mailbox.
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

    /// Asks, with as much of `text` as there is room for, which is taken from it. Returns the answer and
    /// the text that came with it.
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
            // QEMU does not keep the register's value with a saved machine, and may not have passed
            // this one on.
            if go.round == self.round {
                break go;
            }
        };
        let mut answer = vec![0; go.len];
        self.mailbox.copy_out(Mailbox::ANSWER + Mailbox::TEXT, &mut answer);
        (go, answer)
    }

    /// Has the lab look into the mailbox. When this returns it has answered.
    fn call(&mut self) {
        fence(Ordering::SeqCst);
        self.register.write(0, self.value);
        fence(Ordering::SeqCst);
        self.value ^= 1;
    }
}
