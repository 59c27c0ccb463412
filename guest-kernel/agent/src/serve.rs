//! Carrying out the lab's calls.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use sansim_protocol::{
    Answer, Call, CallResult, FromAgent, Reply, Request, USERLAND, VERSION, decode, request_id,
};

use crate::children::Children;
use crate::clock::now_ns;
use crate::dm::{self, Dm, Watch};
use crate::exact::Asker;
use crate::fail::{Doing, Failure, Result};
use crate::modprobe::{self, Modules};
use crate::outbox::Outbox;
use crate::probe::CommandCount;
use crate::terminal::Terminals;
use crate::userland::Userland;
use crate::workload::Workloads;
use crate::{init, kmsg, port, scan, uevent};

/// Calls that are carried out at once. More are not read until one has ended.
const MAX_CALLS: usize = 64;

/// Longest file that is read, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// How much longer than its own patience a scan may take to say what it misses.
const SCAN_GRACE: Duration = Duration::from_secs(2);

/// How long the I/O of a map that is removed may take to fail.
const DRAIN_PATIENCE: Duration = Duration::from_secs(2);

/// How long a removal may take before the lab is told that the kernel does not get it done.
const REMOVE_PATIENCE: Duration = Duration::from_secs(15);

/// Everything the calls work on.
struct Agent {
    outbox: Outbox,
    commands: CommandCount,
    workloads: Workloads,
    watch: Watch,
    userland: Userland,
    terminals: Terminals,
    running: Mutex<usize>,
    ended: Condvar,
}

/// Serves the lab, for ever.
pub(crate) fn serve() -> Result<()> {
    let mut outbox = Outbox::default();
    let asker = Asker::start(&mut outbox)?;
    let children = Children::start()?;
    let agent = Arc::new(Agent {
        watch: Watch::new(outbox.clone(), asker.as_ref().map(|asker| asker.activity())),
        commands: CommandCount::default(),
        workloads: Workloads::new(outbox.clone()),
        userland: Userland::new(children.clone()),
        terminals: Terminals::new(children, outbox.clone()),
        running: Mutex::new(0),
        ended: Condvar::new(),
        outbox: outbox.clone(),
    });
    outbox.message(&FromAgent::Ready { version: VERSION, kernel: modprobe::release() });
    follow("kmsg", outbox.clone(), kmsg::follow)?;
    follow("uevent", outbox.clone(), uevent::follow)?;
    match asker {
        Some(asker) => serve_by_hypercall(&agent, asker, outbox),
        None => serve_port(&agent, outbox),
    }
}

/// In real time lines come and go by a port, each way with a thread of its own.
fn serve_port(agent: &Arc<Agent>, outbox: Outbox) -> Result<()> {
    let port = port::Port::open()?;
    let writer = port.clone();
    spawn("writer", move || writer.write_from(&outbox))?;
    port.read_lines(|line| match line {
        Ok(line) => Agent::take(agent, &line),
        Err(error) => init::say(&error),
    })
}

/// In exact time they come and go with the questions of the thread that keeps the clock.
fn serve_by_hypercall(agent: &Arc<Agent>, asker: Arc<Asker>, outbox: Outbox) -> Result<()> {
    let (sender, lines) = channel();
    follow("keeper", outbox, move |outbox| {
        asker.keep_asking(outbox, |line| drop(sender.send(line)))
    })?;
    for line in lines {
        Agent::take(agent, &line);
    }
    Ok(())
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map(|_| ()).doing(|| "start a thread".to_owned())
}

/// Starts a thread that does something for ever; without it the lab would be misled.
fn follow(
    name: &str,
    outbox: Outbox,
    run: impl FnOnce(&Outbox) -> Result<()> + Send + 'static,
) -> Result<()> {
    spawn(name, move || {
        if let Err(error) = run(&outbox) {
            init::die(&error.to_string());
        }
    })
}

impl Agent {
    /// Takes a line, as soon as the lab reads its answers: carries out the call on a thread of its own, or says why not.
    fn take(agent: &Arc<Agent>, line: &[u8]) {
        agent.outbox.wait_for_room();
        let Request { id, call } = match decode(line) {
            Ok(request) => request,
            Err(error) => {
                if let Some(id) = request_id(line) {
                    agent.answer(id, Err(Failure::new(error.to_string())));
                } else {
                    init::say(&error.to_string());
                }
                return;
            }
        };
        if call == Call::Hello {
            return agent.answer(id, Ok(Answer::Hello { now_ns: now_ns() }));
        }
        agent.enter();
        let worker = agent.clone();
        let started = spawn("call", move || {
            let answer = worker.carry_out(call);
            worker.answer(id, answer);
            worker.leave();
        });
        if let Err(error) = started {
            agent.leave();
            agent.answer(id, Err(error));
        }
    }

    fn answer(&self, id: u64, answer: Result<Answer>) {
        let result = match answer {
            Ok(answer) => CallResult::Ok(answer),
            Err(failure) => CallResult::Failed(failure),
        };
        self.outbox.reply(Reply { id, result });
    }

    fn enter(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |running: &mut usize| *running >= MAX_CALLS;
        let running = self.ended.wait_while(running, full);
        *running.unwrap_or_else(PoisonError::into_inner) += 1;
    }

    fn leave(&self) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.ended.notify_one();
    }

    fn carry_out(self: &Arc<Agent>, call: Call) -> Result<Answer> {
        match call {
            Call::Hello => Ok(Answer::Hello { now_ns: now_ns() }),
            Call::LoadModules { modules } => {
                let known = Modules::open()?;
                modules.iter().try_for_each(|module| known.load(module))?;
                self.watch.ensure()?;
                self.commands.ensure()?;
                Ok(Answer::Done)
            }
            Call::Scan { targets, expect_disks, timeout_ms } => {
                let patience = Duration::from_millis(timeout_ms);
                let late = "the scan does not end: a target does not answer".to_owned();
                let work = move || scan::scan(&targets, expect_disks, patience);
                let disks = bounded("scan", patience + SCAN_GRACE, late, work)?;
                Ok(Answer::Disks { disks })
            }
            Call::BuildMap(spec) => {
                dm::load()?;
                self.watch.ensure()?;
                Ok(Answer::Map(Dm::open()?.build(&spec)?))
            }
            Call::RemoveMap { map } => self.remove_map(map),
            Call::Message { map, message } => {
                Dm::open()?.message(&map, &message)?;
                self.watch.look();
                Ok(Answer::Done)
            }
            Call::Status { map } => Ok(Answer::Map(Dm::open()?.status(&map)?)),
            Call::StartWorkload(spec) => {
                self.workloads.start(&spec)?;
                Ok(Answer::Done)
            }
            Call::StopWorkload { map, timeout_ms } => {
                let patience = Duration::from_millis(timeout_ms);
                let report = self.workloads.stop(&map, patience)?;
                self.watch.look();
                Ok(Answer::Workload(report))
            }
            Call::Run { argv, timeout_ms } => {
                let answer = self.userland.run(&argv, Duration::from_millis(timeout_ms))?;
                self.watch.ensure()?;
                self.watch.look();
                Ok(answer)
            }
            Call::StartDaemon { name, argv } => {
                self.userland.start(&name, &argv, &self.outbox)?;
                Ok(Answer::Done)
            }
            Call::OpenTerminal { argv, term, size } => {
                self.userland.ensure()?;
                Ok(Answer::Terminal { terminal: self.terminals.open(&argv, &term, size)? })
            }
            Call::Type { terminal, bytes } => {
                self.terminals.type_on(terminal, &bytes.0)?;
                Ok(Answer::Done)
            }
            Call::ResizeTerminal { terminal, size } => {
                self.terminals.resize(terminal, size)?;
                Ok(Answer::Done)
            }
            Call::CloseTerminal { terminal } => {
                self.terminals.close(terminal);
                Ok(Answer::Done)
            }
            Call::ListDirectory { path } => {
                self.reach(&path)?;
                Ok(Answer::Names { names: list(&path)? })
            }
            Call::WriteFile { path, text } => {
                self.reach(&path)?;
                if let Some(directory) =
                    Path::new(&path).parent().filter(|d| d.starts_with(USERLAND))
                {
                    fs::create_dir_all(directory).doing(|| format!("write {path}"))?;
                }
                fs::write(&path, text).doing(|| format!("write {path}"))?;
                Ok(Answer::Done)
            }
            Call::ReadFile { path } => {
                self.reach(&path)?;
                let mut bytes = Vec::new();
                let file = File::open(&path).doing(|| format!("open {path}"))?;
                file.take(MAX_FILE).read_to_end(&mut bytes).doing(|| format!("read {path}"))?;
                Ok(Answer::Text { text: String::from_utf8_lossy(&bytes).into_owned() })
            }
            Call::Sent => Ok(Answer::Sent(self.commands.sent())),
            Call::Seed { seed } => {
                // What is written there is mixed in (random(4)).
                fs::write("/dev/urandom", seed.to_le_bytes()).doing(|| "seed".to_owned())?;
                Ok(Answer::Done)
            }
            Call::PowerOff => init::power_off(),
        }
    }

    /// Sees that a path can be there: the userland is mounted when it is first needed.
    fn reach(&self, path: &str) -> Result<()> {
        if !path.starts_with(USERLAND) {
            return Ok(());
        }
        self.userland.ensure()
    }

    /// Removes a map. An activation that never ends would keep the kernel in it for ever
    /// (`dm-mpath.c:flush_multipath_work`).
    fn remove_map(self: &Arc<Agent>, map: String) -> Result<Answer> {
        let agent = self.clone();
        let late = format!("the kernel has not removed map {map}; an activation may be stuck");
        bounded("remove", REMOVE_PATIENCE, late, move || {
            let dm = Dm::open()?;
            dm.find(&map)?;
            // A suspended map takes no message, and queues nothing that could not be failed.
            let _ = dm.message(&map, "fail_if_no_path");
            agent.workloads.abandon(&map, DRAIN_PATIENCE);
            dm.remove(&map)
        })?;
        Ok(Answer::Done)
    }
}

/// The names in a directory, sorted.
fn list(path: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(path).doing(|| format!("read {path}"))?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    Ok(names)
}

/// Does something that the kernel may never get done, on a thread that is left behind if so.
fn bounded<T: Send + 'static>(
    name: &str,
    patience: Duration,
    late: String,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, done) = channel();
    spawn(name, move || {
        // After its patience nobody waits for this any more.
        let _ = sender.send(work());
    })?;
    let late = |_| Failure::new(format!("{late} (waited {} ms)", patience.as_millis()));
    done.recv_timeout(patience).map_err(late)?
}
