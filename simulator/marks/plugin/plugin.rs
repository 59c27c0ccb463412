//! The plugin: what QEMU calls, and what it calls of QEMU.
//!
//! QEMU's distributions ship no header for plugins, so the few functions that are needed are declared here, as in
//! include/qemu/qemu-plugin.h. Versions of the interface: 1 is QEMU 7.2's (up to 8.2), 2 and later are 9.0's and
//! later. All that is used is the same in each, but for the way in which an instruction's bytes are had.

use core::{
    ffi::{CStr, c_char, c_int, c_uint, c_void},
    ptr::{NonNull, null_mut},
    slice,
    sync::atomic::{AtomicI32, AtomicPtr, AtomicU64, Ordering::Relaxed},
};

use super::log::{FILE_BYTES, LONGEST, Log, MODULES};

/// [`FILE`](super::log::FILE) for open(2).
const FILE: &CStr = c"marks";
/// Longest instruction of the architecture, in bytes.
const INSTRUCTION: usize = 15;
/// The version from which on QEMU copies an instruction's bytes; earlier ones return a pointer to them.
const COPIES: c_int = 3;
/// A function that QEMU has from version 2 on, when version 1 was not supported any more.
const SINCE_2: &CStr = c"qemu_plugin_scoreboard_new";

/// open(2), mmap(2).
const O_RDWR: c_int = 2;
const PROT_READ_WRITE: c_int = 3;
const MAP_SHARED: c_int = 1;
const MAP_FAILED: *mut c_void = usize::MAX as *mut c_void;
/// `QEMU_PLUGIN_CB_NO_REGS`: the callback does not look at the guest's registers.
const NO_REGISTERS: c_int = 0;

/// `qemu_info_t`, as far as it is read.
#[repr(C)]
pub struct Info {
    target: *const c_char,
    oldest: c_int,
    newest: c_int,
}

type Translated = extern "C" fn(id: u64, block: *const c_void);
type Executed = extern "C" fn(processor: c_uint, data: *mut c_void);

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(id: u64, call: Translated);
    fn qemu_plugin_register_vcpu_tb_exec_cb(
        block: *const c_void,
        call: Executed,
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_tb_n_insns(block: *const c_void) -> usize;
    fn qemu_plugin_tb_vaddr(block: *const c_void) -> u64;
    fn qemu_plugin_tb_get_insn(block: *const c_void, index: usize) -> *const c_void;
    fn qemu_plugin_insn_size(instruction: *const c_void) -> usize;
    /// Version 1 and 2 take one argument, and return a pointer to the bytes. From version 3 on they are copied to
    /// `into`, and their number is returned. In the x86-64 calling convention an argument too many does no harm.
    fn qemu_plugin_insn_data(instruction: *const c_void, into: *mut c_void, room: usize) -> usize;

    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn mmap(
        at: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: i64,
    ) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    #[allow(dead_code, reason = "for who panics")]
    pub(super) fn abort() -> !;
}

/// The version of the interface that the plugin says it was made for; QEMU refuses one that it does not support.
#[allow(non_upper_case_globals, reason = "QEMU looks for this name")]
#[unsafe(no_mangle)]
pub static qemu_plugin_version: AtomicI32 = AtomicI32::new(1);

/// Called when the plugin is loaded, before QEMU reads its version.
#[unsafe(link_section = ".init_array")]
#[used]
static CHOOSE_VERSION: extern "C" fn() = choose_version;

extern "C" fn choose_version() {
    // SAFETY: a null library is RTLD_DEFAULT, all that the process has loaded; the name ends with a zero.
    let found = unsafe { dlsym(null_mut(), SINCE_2.as_ptr()) };
    if !found.is_null() {
        qemu_plugin_version.store(2, Relaxed);
    }
}

/// The mapped file.
static MAPPED: AtomicPtr<AtomicU64> = AtomicPtr::new(null_mut());
/// The version of QEMU's interface.
static VERSION: AtomicI32 = AtomicI32::new(0);

/// QEMU has loaded the plugin. Returns 0 if it can work.
///
/// # Safety
/// As QEMU calls it: `info` points to what describes QEMU.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: u64,
    info: *const Info,
    _count: c_int,
    _arguments: *const *const c_char,
) -> c_int {
    // SAFETY: QEMU passes a valid description, for the time of this call.
    VERSION.store(unsafe { (*info).newest }, Relaxed);
    // SAFETY: the path ends with a zero.
    let file = unsafe { open(FILE.as_ptr(), O_RDWR) };
    if file < 0 {
        return 1;
    }
    let length = FILE_BYTES as usize;
    // SAFETY: a new mapping, of a file of this length, which is never removed again.
    let mapped = unsafe { mmap(null_mut(), length, PROT_READ_WRITE, MAP_SHARED, file, 0) };
    if mapped == MAP_FAILED {
        return 1;
    }
    MAPPED.store(mapped.cast(), Relaxed);
    if log().and_then(|words| Log::begin(words)).is_none() {
        return 1;
    }
    // SAFETY: `id` is this plugin's, and the function stays where it is.
    unsafe { qemu_plugin_register_vcpu_tb_trans_cb(id, translated) };
    0
}

fn log() -> Option<&'static [AtomicU64]> {
    let mapped = NonNull::new(MAPPED.load(Relaxed))?;
    // SAFETY: `qemu_plugin_install` has mapped so much there, for good, and nobody but the log writes to it.
    Some(unsafe { slice::from_raw_parts(mapped.as_ptr(), FILE_BYTES as usize / 8) })
}

/// QEMU has translated a block of the guest's code.
extern "C" fn translated(_id: u64, block: *const c_void) {
    // SAFETY: the block is valid during this call.
    let (address, count) = unsafe { (qemu_plugin_tb_vaddr(block), qemu_plugin_tb_n_insns(block)) };
    if !MODULES.contains(&address) {
        return;
    }
    // SAFETY: each index is below the number of instructions.
    let instructions = || (0..count).map(|index| unsafe { qemu_plugin_tb_get_insn(block, index) });
    // SAFETY: the instructions are the block's, and valid as long as it is.
    let size = |instruction| unsafe { qemu_plugin_insn_size(instruction) }.min(INSTRUCTION);
    let length: usize = instructions().map(size).sum();
    let Some(log) = log().filter(|_| length <= LONGEST).and_then(Log::again) else { return };
    let Some(record) = log.record(address, length) else { return };
    let mut offset = 0;
    for instruction in instructions() {
        let size = size(instruction);
        let mut bytes = [0; INSTRUCTION];
        // SAFETY: the instruction is valid, and there is room for as many bytes as an instruction has.
        let data = unsafe { qemu_plugin_insn_data(instruction, bytes.as_mut_ptr().cast(), size) };
        if VERSION.load(Relaxed) < COPIES {
            // SAFETY: this QEMU returns the address of the instruction's bytes.
            let theirs = unsafe { slice::from_raw_parts(data as *const u8, size) };
            bytes.iter_mut().zip(theirs).for_each(|(ours, byte)| *ours = *byte);
        }
        record.put(offset, bytes.get(..size).unwrap_or_default());
        offset += size;
    }
    let executed = core::ptr::from_ref(record.executed).cast_mut().cast();
    // SAFETY: the block is valid, the function stays where it is, and so does the record.
    unsafe { qemu_plugin_register_vcpu_tb_exec_cb(block, was_executed, NO_REGISTERS, executed) };
}

/// A block whose record this is begins to be executed.
extern "C" fn was_executed(_processor: c_uint, record: *mut c_void) {
    // SAFETY: `translated` has passed a word of the mapping, which is there for good.
    let executed = unsafe { &*record.cast::<AtomicU64>() };
    executed.store(1, Relaxed);
}
