//! The HTTP API of a lab, on a Unix socket and on a port of this host.
//!
//! It is served by a thread of its own, so that no client delays the guest: what is asked goes to
//! the lab through its [`Handle`], and answers and messages come back through channels.

mod app;
mod asked;
mod connections;
mod guard;
mod key;
mod limits;
mod openapi;
mod problem;
mod route;
mod routes;
mod screen;
mod stream;
mod terminal;
mod transfer;

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, TcpListener},
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken as Stop;

pub(crate) use self::limits::FILE;
pub use self::openapi::openapi;
use self::{
    app::App,
    connections::{Connections, serve},
    key::Key,
};
use crate::Handle;

/// A lab's API that is being served. Dropped, it answers what was asked already and stops, within
/// two seconds.
#[derive(Debug)]
pub struct Served {
    address: String,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

/// Why a lab's API cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The Unix socket cannot be made.
    #[error("cannot listen at {}: {}", .0.display(), .1)]
    Socket(PathBuf, #[source] io::Error),
    /// The port cannot be used.
    #[error("cannot listen on port {0} of 127.0.0.1: {1}")]
    Port(u16, #[source] io::Error),
    /// The host gives no random bytes.
    #[error("no token can be made for the page: {0}")]
    Key(#[source] io::Error),
    /// There is no thread or no runtime to be had.
    #[error("cannot serve the lab: {0}")]
    Host(#[source] io::Error),
}

impl Served {
    /// Serves a lab at this Unix socket, where no token is needed, and on this port of 127.0.0.1
    /// and ::1; on any free one without a port.
    ///
    /// # Errors
    /// If the socket or the port cannot be had.
    pub fn start(lab: Handle, socket: &Path, port: Option<u16>) -> Result<Served, ServeError> {
        let unix = UnixListener::bind(socket)
            .map_err(|error| ServeError::Socket(socket.to_owned(), error))?;
        let (port, ports) = listen(port.unwrap_or(0))
            .map_err(|error| ServeError::Port(port.unwrap_or(0), error))?;
        let key = Key::new(port).map_err(ServeError::Key)?;
        let address = key.address();
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ServeError::Host)?;
        let stop = Stop::new();
        let app = App::new(lab, stop.clone());
        let connections = Connections { unix, ports };
        let work = move || run(runtime, connections, app, key);
        let thread = thread::Builder::new().name("http".to_owned()).spawn(work);
        Ok(Served { address, stop, thread: Some(thread.map_err(ServeError::Host)?) })
    }

    /// The address of the page, with the token that opens it.
    pub fn address(&self) -> String {
        self.address.clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::debug!("the thread that serves the lab has panicked");
        }
    }
}

fn run(runtime: Runtime, connections: Connections, app: App, key: Key) {
    if let Err(error) = runtime.block_on(serve(connections, app, key)) {
        tracing::error!("the lab is not served: {error}");
    }
    // Only reading a file on a file system that hangs takes longer.
    runtime.shutdown_timeout(limits::LAST_FILES);
}

/// Listens on both loopback addresses; on 127.0.0.1 only, where the other one cannot be had.
fn listen(port: u16) -> io::Result<(u16, Vec<TcpListener>)> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let port = first.local_addr()?.port();
    let second = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).ok();
    Ok((port, [first].into_iter().chain(second).collect()))
}

#[cfg(test)]
mod tests;
