//! An HBA: a Unix socket, and a device for whoever connects to it.

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

/// After something failed that may pass, such as a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// One vhost-user-scsi device: a listening Unix socket and the threads that serve whoever connects
/// to it. It has one front end at a time; when that one ends, commands that were held back are
/// forgotten, and the next one is served. [`HbaServer::stop`] and dropping it end the threads and
/// remove the socket.
pub struct HbaServer {
    socket: PathBuf,
    counters: Arc<Counters>,
    stop: Arc<Stop>,
    held: Option<Arc<Held>>,
    thread: Option<JoinHandle<()>>,
}

impl HbaServer {
    /// Starts listening on `socket`, and attaches the HBA to the array. A socket that was left
    /// behind there, which nobody listens on any more, is replaced.
    ///
    /// # Errors
    ///
    /// When the configuration asks for what cannot be, when something else is at `socket`, or when
    /// the operating system refuses the socket, a file descriptor or a thread.
    pub fn start(
        config: HbaConfig,
        array: Arc<Array>,
        clock: Arc<dyn Clock>,
        socket: &Path,
    ) -> Result<HbaServer, HbaError> {
        HbaServer::start_with(config, array, clock, socket, None)
    }

    /// The same, but the guest is served only by [`HbaServer::serve`], and interrupted by whoever calls
    /// [`HbaServer::take_interrupts`]. The clock stands still between two calls of `serve`, as far as
    /// the HBA is concerned. Commands that are held back stay so when the front end stops and starts
    /// its queues, which a machine that is paused does.
    ///
    /// # Errors
    ///
    /// As [`HbaServer::start`].
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
        let server = Server {
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
        let thread = thread::Builder::new()
            .name(format!("sansim-{hba}"))
            .spawn(move || server.run())
            .inspect_err(|_| drop(fs::remove_file(socket)))
            .map_err(failed)?;
        Ok(HbaServer { socket: socket.into(), counters, stop, held, thread: Some(thread) })
    }

    /// Serves what the guest has sent so far, or a good part of it (at most 1024 commands of
    /// a queue), and what is due by the clock; for an HBA that was started
    /// [held](HbaServer::start_held).
    pub fn serve(&self) {
        if let Some(held) = &self.held {
            held.serve();
        }
    }

    /// Takes the virtqueues whose guest is to be interrupted since the last time, for an HBA that was
    /// started [held](HbaServer::start_held): such a one raises no interrupt itself.
    pub fn take_interrupts(&self) -> Vec<u16> {
        self.held.as_ref().map(|held| held.take_interrupts()).unwrap_or_default()
    }

    /// Serves as [`HbaServer::serve`] does, and writes down what; none if that cannot be: a guest may send
    /// requests that make no sense.
    pub fn serve_and_write_down(&self) -> Option<Vec<Request>> {
        self.held.as_ref()?.serve_and_write_down()
    }

    /// Does what [`HbaServer::serve`] did when these requests were written down, without the guest, whose
    /// memory has the answers already. To be called before the front end has started a virtqueue, with
    /// the clock at the time of then. Commands that are held back are answered later to the guest that
    /// has come by then. Answers whether there is a front end, and the requests are of such a guest.
    pub fn carry_out(&self, requests: &[Request], scratch: &Scratch) -> bool {
        self.held.as_ref().is_some_and(|held| held.carry_out(requests, scratch))
    }

    /// Whether [`HbaServer::serve`] has more to do than what the guest may have sent since.
    pub fn wants_service(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.wants_service())
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What it has done so far.
    pub fn statistics(&self) -> Statistics {
        self.counters.statistics()
    }

    /// Ends the connection there is, ends the threads and removes the socket.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for HbaServer {
    fn drop(&mut self) {
        self.stop.request();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that listened on {} panicked", self.socket.display());
        }
        let _ = fs::remove_file(&self.socket);
    }
}

impl fmt::Debug for HbaServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HbaServer").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// How the thread that listens is told to end.
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
        // A counter that is full has been written to, which is all that matters.
        let _ = self.event.write(1);
        self.end_connection();
    }

    fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Takes the connection that a request to stop must end, also one that came just before.
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

/// What the thread that listens has.
struct Server {
    config: HbaConfig,
    array: Arc<Array>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    listener: Listener,
    /// Readable when somebody connects, or when a stop is requested.
    connecting: Epoll,
    stop: Arc<Stop>,
    bell: Arc<EventFd>,
    held: Option<Arc<Held>>,
}

impl Server {
    fn doorbell(&self) -> Doorbell {
        if let Some(held) = &self.held {
            return held.doorbell();
        }
        let bell = Arc::clone(&self.bell);
        Arc::new(move || {
            // A counter that is full has been written to, which is all that matters.
            let _ = bell.write(1);
        })
    }

    fn run(mut self) {
        while self.wait_for_front_end() {
            if let Err(error) = self.serve_front_end() {
                tracing::warn!(hba = %self.config.id, "a front end cannot be served: {error}");
                thread::sleep(PAUSE);
            }
        }
        // Nobody listens any more.
        self.array.attach(self.config.id, Arc::new(|| ()));
    }

    /// Waits until somebody connects. Returns whether to go on.
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

    /// Serves the front end that is connecting, until it ends.
    fn serve_front_end(&mut self) -> Result<(), vhost_user_backend::Error> {
        let memory = GuestMemoryAtomic::new(Memory::default());
        let device = Device::new(
            &self.config,
            Arc::clone(&self.array),
            Arc::clone(&self.clock),
            Arc::clone(&self.counters),
            self.doorbell(),
            self.held.as_ref().map(|held| held.tape()),
        );
        let backend = Arc::new(Backend::new(
            self.config.clone(),
            device,
            memory.clone(),
            Arc::clone(&self.bell),
            Arc::clone(&self.counters),
            self.held.clone(),
        ));
        let served = self.serve_with(&backend, memory);
        backend.disconnect();
        backend.close_exits();
        served
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
                // Rung once for each thread, to make the backend known to its virtqueues.
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
