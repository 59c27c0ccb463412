//! Connections: accepting them, and ending them.

use std::{
    io, net::TcpListener as StdTcpListener, os::unix::net::UnixListener as StdUnixListener,
    pin::pin, sync::Arc,
};

use axum::{
    Router,
    middleware::{from_fn_with_state, map_response},
    serve::Listener,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken as Stop, task::TaskTracker};

use super::{
    app::App,
    guard::{guard, rules},
    key::Key,
    limits::{BUFFER, CONNECTIONS, HEADERS, LAST_ANSWERS},
    routes::router,
};

/// Where clients come from.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) unix: StdUnixListener,
    pub(super) ports: Vec<StdTcpListener>,
}

/// Serves clients until `app.stop`.
pub(super) async fn serve(from: Connections, app: App, key: Key) -> io::Result<()> {
    let tasks = TaskTracker::new();
    let stop = app.stop.clone();
    let all = router(app);
    let open = all.clone().layer(map_response(rules));
    let locked = all.layer(from_fn_with_state(Arc::new(key), guard)).layer(map_response(rules));
    from.unix.set_nonblocking(true)?;
    let unix = UnixListener::from_std(from.unix)?;
    // Those who have no token cannot take the room of those who need none.
    tasks.spawn(accept(unix, open, Desk::new(&tasks, &stop)));
    let desk = Desk::new(&tasks, &stop);
    for port in from.ports {
        port.set_nonblocking(true)?;
        tasks.spawn(accept(TcpListener::from_std(port)?, locked.clone(), desk.clone()));
    }
    stop.cancelled().await;
    tasks.close();
    let _ = timeout(LAST_ANSWERS, tasks.wait()).await;
    Ok(())
}

/// Where connections are looked after.
#[derive(Debug, Clone)]
struct Desk {
    tasks: TaskTracker,
    stop: Stop,
    room: Arc<Semaphore>,
}

impl Desk {
    fn new(tasks: &TaskTracker, stop: &Stop) -> Self {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        Desk { tasks: tasks.clone(), stop: stop.clone(), room }
    }
}

async fn accept<L: Listener>(mut listener: L, app: Router, desk: Desk) {
    loop {
        let accepted = tokio::select! {
            (connection, _) = listener.accept() => connection,
            () = desk.stop.cancelled() => return,
        };
        // One too many is closed at once.
        let Ok(room) = Arc::clone(&desk.room).try_acquire_owned() else { continue };
        let (app, stop) = (app.clone(), desk.stop.clone());
        desk.tasks.spawn(async move {
            converse(accepted, app, stop).await;
            drop(room);
        });
    }
}

/// Answers the requests of a connection. What it is doing when serving ends gets a moment.
async fn converse<C>(connection: C, app: Router, stop: Stop)
where
    C: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(BUFFER);
    let service = TowerToHyperService::new(app);
    let served = http.serve_connection(TokioIo::new(connection), service).with_upgrades();
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            timeout(LAST_ANSWERS, served).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection has ended: {error}");
    }
}
