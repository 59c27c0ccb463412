//! Serves the lab: reads its lines and runs each call on a thread of its own.

mod carry_out;
mod parts;

use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use sansim_protocol::{
    Answer, Call, CallResult, FromAgent, Reply, Request, VERSION, decode, request_id,
};

use crate::children::Children;
use crate::clock::now_ns;
use crate::dm::Watch;
use crate::exact::Asker;
use crate::fail::{Failure, Result};
use crate::modprobe;
use crate::outbox::Outbox;
use crate::probe::SentCommands;
use crate::terminal::Terminals;
use crate::userland::Userland;
use crate::workload::Workloads;
use crate::{init, kmsg, port, thread, uevent};

/// Calls that run at once. The agent reads no further calls until one has ended.
const MAX_CALLS: usize = 64;

/// State shared by all calls.
struct Agent {
    outbox: Outbox,
    commands: SentCommands,
    workloads: Workloads,
    watch: Watch,
    userland: Userland,
    terminals: Terminals,
    running: Mutex<usize>,
    ended: Condvar,
}

/// The agent's main loop; returns only on error.
pub(crate) fn serve() -> Result<()> {
    let mut outbox = Outbox::default();
    let asker = Asker::start(&mut outbox)?;
    let children = Children::start()?;
    let agent = Arc::new(Agent {
        watch: Watch::new(outbox.clone(), asker.as_ref().map(|asker| asker.activity())),
        commands: SentCommands::default(),
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

/// Real time: lines are read from and written to a port, with one thread each.
fn serve_port(agent: &Arc<Agent>, outbox: Outbox) -> Result<()> {
    let port = port::Port::open()?;
    let writer = port.clone();
    thread::start("writer", move || -> () { writer.write_from(&outbox) })?;
    port.read_lines(|line| match line {
        Ok(line) => Agent::take(agent, &line),
        Err(error) => init::say(&error),
    })
}

/// Exact time: lines are exchanged with the questions of the thread that keeps the clock.
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

/// Starts a thread that never returns. Its failure is fatal: without it the lab would be misled.
fn follow(
    name: &str,
    outbox: Outbox,
    run: impl FnOnce(&Outbox) -> Result<()> + Send + 'static,
) -> Result<()> {
    let run = move || {
        if let Err(error) = run(&outbox) {
            init::die(&error.to_string());
        }
    };
    thread::start(name, run).map(drop)
}

impl Agent {
    /// Handles one line, once there is room for its reply: runs the call on its own thread, or replies with
    /// the reason why not.
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
        let started = thread::start("call", move || {
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
}
