//! An HBA: a Unix socket, and a device for the front end that connects to it.

use std::{
    fmt, fs, io,
    os::{
        fd::AsRawFd,
        unix::{
            fs::FileTypeExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use sansim_array::Array;
use sansim_time::Clock;
use vhost::vhost_user::Listener;
use vhost_user_backend::{ShutdownHandle, VhostUserDaemon};
use vm_memory::GuestMemoryAtomic;
use vmm_sys_util::{
    epoll::{ControlOperation, Epoll, EpollEvent, EventSet},
    eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd},
};

use crate::{
    alarm::Doorbell,
    backend::{Backend, Held},
    config::{HbaConfig, HbaError},
    device::Device,
    statistics::{Counters, Statistics},
    tape::{Request, Scratch},
    vring::Memory,
};

/// The delay after a failure that may be temporary, such as a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// After so many failures in a row the server stops: the front end is hung up on, and does not wait for
/// ever.
const MOST_FAILURES: u32 = 30;
/// How long [`HbaServer::stop`] waits for the threads. They end within milliseconds unless the host is
/// stuck; then they are left behind.
const ENDING: Duration = Duration::from_secs(10);

/// A vhost-user-scsi device: a listening Unix socket and the threads that serve the front end. It
/// serves one front end at a time. When a front end disconnects, its parked commands are forgotten,
/// and the next front end is served. [`HbaServer::stop`] or dropping the server ends the threads
/// and removes the socket.
pub struct HbaServer {
    socket: PathBuf,
    counters: Arc<Counters>,
    stop: Arc<Stop>,
    held: Option<Arc<Held>>,
    trouble: Arc<Mutex<Option<String>>>,
    /// Disconnected when the thread has ended.
    ended: Mutex<mpsc::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HbaServer {
    /// Starts listening on `socket`, and attaches the HBA to the array. Replaces a stale socket on
    /// which no process listens.
    ///
    /// # Errors
    ///
    /// Returns an error if the configuration is invalid, if `socket` is in use, or if the operating
    /// system refuses the socket, a file descriptor or a thread.
    pub fn start(
        config: HbaConfig,
        array: Arc<Array>,
        clock: Arc<dyn Clock>,
        socket: &Path,
    ) -> Result<HbaServer, HbaError> {
        HbaServer::start_with(config, array, clock, socket, None)
    }

    /// Starts the HBA in held mode. The guest is served only by [`HbaServer::serve`], and the
    /// caller raises the interrupts that [`HbaServer::take_interrupts`] returns. The HBA reads the
    /// clock only while it serves, so that for the HBA no time passes between two calls. Parked
    /// commands stay parked when the front end stops and restarts its queues, which QEMU does when
    /// the machine is paused.
    ///
    /// # Errors
    ///
    /// See [`HbaServer::start`].
    pub fn start_held(
        config: HbaConfig,
        array: Arc<Array>,
        clock: Arc<dyn Clock>,
        socket: &Path,
    ) -> Result<HbaServer, HbaError> {
        HbaServer::start_with(config, array, clock, socket, Some(Arc::default()))
    }

    fn start_with(
        config: HbaConfig,
        array: Arc<Array>,
        clock: Arc<dyn Clock>,
        socket: &Path,
        held: Option<Arc<Held>>,
    ) -> Result<HbaServer, HbaError> {
        config.check()?;
        let hba = config.id;
        let failed = |source| HbaError::Start { hba, source };
        let stop = Arc::new(Stop::new().map_err(failed)?);
        let bell = EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC).map_err(failed)?;
        let connecting = Epoll::new().map_err(failed)?;
        let listener = listen(socket)?;
        for fd in [listener.as_raw_fd(), stop.event.as_raw_fd()] {
            connecting
                .ctl(ControlOperation::Add, fd, EpollEvent::new(EventSet::IN, 0))
                .inspect_err(|_| drop(fs::remove_file(socket)))
                .map_err(failed)?;
        }
        let counters = Arc::new(Counters::default());
        let trouble = Arc::default();
        let server = Server {
            trouble: Arc::clone(&trouble),
            listener: Listener::from(listener),
            connecting,
            stop: Arc::clone(&stop),
            bell: Arc::new(bell),
            held: held.clone(),
            array,
            clock,
            counters: Arc::clone(&counters),
            config,
        };
        server.array.attach(hba, server.doorbell());
        let (ending, ended) = mpsc::channel::<()>();
        let thread = thread::Builder::new()
            .name(format!("sansim-{hba}"))
            .spawn(move || {
                // Dropped last, even by a panic.
                let _ending = ending;
                server.run();
            })
            .inspect_err(|_| drop(fs::remove_file(socket)))
            .map_err(failed)?;
        let (socket, ended, thread) = (socket.into(), Mutex::new(ended), Some(thread));
        Ok(HbaServer { socket, counters, stop, held, trouble, ended, thread })
    }

    /// Serves the requests that the guest has sent, at most 1024 commands per queue, and the
    /// commands that are due. Only for an HBA that was started [held](HbaServer::start_held).
    pub fn serve(&self) {
        if let Some(held) = &self.held {
            held.serve();
        }
    }

    /// Takes the virtqueues with interrupts that are pending since the last call. Only for an HBA
    /// that was started [held](HbaServer::start_held), because it does not raise them itself.
    pub fn take_interrupts(&self) -> Vec<u16> {
        self.held.as_ref().map(|held| held.take_interrupts()).unwrap_or_default()
    }

    /// Like [`HbaServer::serve`], and also records the requests. Returns `None` if a request cannot
    /// be recorded because it is malformed.
    pub fn serve_and_write_down(&self) -> Option<Vec<Request>> {
        self.held.as_ref()?.serve_and_write_down()
    }

    /// Repeats what [`HbaServer::serve`] did when these requests were recorded, without the guest,
    /// whose memory already contains the responses. Call it before the front end starts a
    /// virtqueue, with the clock set to the time of the recording. Commands that are parked
    /// complete later, in the memory of the guest that is then connected. Returns `false` if no
    /// front end is connected, or if a request refers to guest memory that `scratch` does not have.
    pub fn carry_out(&self, requests: &[Request], scratch: &Scratch) -> bool {
        self.held.as_ref().is_some_and(|held| held.carry_out(requests, scratch))
    }

    /// Whether [`HbaServer::serve`] has work other than new requests from the guest.
    pub fn wants_service(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.wants_service())
    }

    /// The path of the listening socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The counters since the server was started.
    pub fn statistics(&self) -> Statistics {
        self.counters.statistics()
    }

    /// Why the last front end could not be served, in words; `None` if all were.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes the current connection, ends the threads and removes the socket.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for HbaServer {
    fn drop(&mut self) {
        self.stop.request();
        let socket = self.socket.display();
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(ENDING) {
            tracing::error!("the thread that listened on {socket} does not end");
        } else if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that listened on {socket} panicked");
        }
        let _ = fs::remove_file(&self.socket);
    }
}

impl fmt::Debug for HbaServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HbaServer").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// Signals the listening thread to end.
struct Stop {
    requested: AtomicBool,
    event: EventFd,
    connection: Mutex<Option<ShutdownHandle>>,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Stop {
            requested: AtomicBool::new(false),
            event: EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC)?,
            connection: Mutex::new(None),
        })
    }

    fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
        // If the write fails, the counter is full, and the eventfd is readable in any case.
        let _ = self.event.write(1);
        self.end_connection();
    }

    fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Sets the connection that a stop request must close. Closes it at once if the stop was
    /// requested already.
    fn set_connection(&self, connection: Option<ShutdownHandle>) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = connection;
        if self.is_requested() {
            self.end_connection();
        }
    }

    fn end_connection(&self) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = &*connection {
            connection.shutdown();
        }
    }
}

/// The state of the listening thread.
struct Server {
    config: HbaConfig,
    array: Arc<Array>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    listener: Listener,
    /// Readable when a front end connects, or when a stop is requested.
    connecting: Epoll,
    stop: Arc<Stop>,
    bell: Arc<EventFd>,
    held: Option<Arc<Held>>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl Server {
    fn doorbell(&self) -> Doorbell {
        if let Some(held) = &self.held {
            return held.doorbell();
        }
        let bell = Arc::clone(&self.bell);
        Arc::new(move || {
            // If the write fails, the counter is full, and the eventfd is readable in any case.
            let _ = bell.write(1);
        })
    }

    fn run(mut self) {
        let mut failures = 0;
        while failures < MOST_FAILURES && self.wait_for_front_end() {
            let served = self.serve_front_end();
            let why = served.err();
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why.clone();
            let Some(why) = why else {
                failures = 0;
                continue;
            };
            failures += 1;
            tracing::warn!(hba = %self.config.id, "a front end cannot be served: {why}");
            thread::sleep(PAUSE);
        }
        // The HBA no longer needs notices.
        self.array.attach(self.config.id, Arc::new(|| ()));
    }

    /// Waits until a front end connects. Returns `false` if the thread must end.
    fn wait_for_front_end(&self) -> bool {
        let mut events = [EpollEvent::default()];
        while !self.stop.is_requested() {
            match self.connecting.wait(-1, &mut events) {
                Ok(_) => return !self.stop.is_requested(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(hba = %self.config.id, "cannot wait for a front end: {error}");
                    return false;
                }
            }
        }
        false
    }

    /// Serves the front end that is connecting, until it disconnects.
    fn serve_front_end(&mut self) -> Result<(), String> {
        let memory = GuestMemoryAtomic::new(Memory::default());
        let device = Device::new(
            &self.config,
            Arc::clone(&self.array),
            Arc::clone(&self.clock),
            Arc::clone(&self.counters),
            self.doorbell(),
            self.held.as_ref().map(|held| held.tape()),
        );
        let backend = Backend::new(
            self.config.clone(),
            device,
            memory.clone(),
            Arc::clone(&self.bell),
            Arc::clone(&self.counters),
            self.held.clone(),
        );
        let backend = Arc::new(backend.map_err(|error| error.to_string())?);
        let served = self.serve_with(&backend, memory);
        backend.disconnect();
        backend.exit();
        served.map_err(|error| error.to_string())
    }

    fn serve_with(
        &mut self,
        backend: &Arc<Backend>,
        memory: GuestMemoryAtomic<Memory>,
    ) -> Result<(), vhost_user_backend::Error> {
        use vhost::vhost_user::Error::{Disconnected, PartialMessage};
        use vhost_user_backend::Error::{HandleRequest, StartDaemon};

        let name = format!("{}-front", self.config.id);
        let mut daemon = VhostUserDaemon::new(name, Arc::clone(backend), memory)?;
        let (bell, event) = (self.bell.as_raw_fd(), u64::from(backend.doorbell_event()));
        match &self.held {
            None => daemon.get_epoll_handlers()[0]
                .register_listener(bell, EventSet::IN, event)
                .map_err(StartDaemon)?,
            Some(held) => {
                // Ring once for each thread, so that each thread passes its virtqueues to the
                // backend.
                let _ = self.bell.write(1);
                let once = EventSet::IN | EventSet::EDGE_TRIGGERED;
                for thread in daemon.get_epoll_handlers() {
                    thread.register_listener(bell, once, event).map_err(StartDaemon)?;
                }
                held.set_backend(Some(Arc::clone(backend)));
            }
        }
        daemon.start(&mut self.listener)?;
        self.counters.connections.add(1);
        tracing::debug!(hba = %self.config.id, "a front end is connected");
        self.stop.set_connection(daemon.shutdown_handle());
        let ended = daemon.wait();
        self.stop.set_connection(None);
        if let Some(held) = &self.held {
            held.set_backend(None);
        }
        match ended {
            Err(HandleRequest(Disconnected | PartialMessage)) => Ok(()),
            Err(HandleRequest(error)) => {
                tracing::warn!(hba = %self.config.id, "the front end is hung up on: {error}");
                Ok(())
            }
            ended => ended,
        }
    }
}

fn listen(path: &Path) -> Result<UnixListener, HbaError> {
    let failed = |source| HbaError::Listen { path: path.into(), source };
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let is_socket = fs::symlink_metadata(path).map_err(failed)?.file_type().is_socket();
            if !is_socket || UnixStream::connect(path).is_ok() {
                return Err(HbaError::SocketInUse { path: path.into() });
            }
            fs::remove_file(path).map_err(failed)?;
            UnixListener::bind(path).map_err(failed)
        }
        bound => bound.map_err(failed),
    }
}
