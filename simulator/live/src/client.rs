//! A client of a lab that runs in another process, over its Unix socket.

mod error;
mod follow;
mod request;
mod terminal;

use std::path::PathBuf;

use axum::http::Method;
use serde::{Serialize, de::DeserializeOwned};

use self::request::{Body, send};
pub use self::{
    error::ClientError,
    follow::{Follower, Told},
};
use crate::{
    api::{
        Candidate, CaptureChange, CaptureFile, Did, Done, Exec, Expected, Given, IoChange,
        MultipathText, Named, Nothing, Now, Ran, Refused, Saved, Status, Steps, TimeChange,
        TourChange, WaitFor, Why, Words,
    },
    http::FILE,
};

/// A client of a lab. It makes a connection for each question.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

/// The methods ask the lab, as those of [`Handle`](crate::Handle) do; see there. They need a
/// runtime of tokio.
///
/// # Errors
/// All of them: what the lab refuses, and what goes wrong on the way.
#[allow(clippy::missing_errors_doc, reason = "see above")]
impl Client {
    /// A client of the lab with this socket.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Client { socket: socket.into() }
    }

    /// The state of the lab.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get("/api/status").await
    }

    /// Does steps, all at one time.
    pub async fn act(&self, steps: Vec<Given>) -> Result<Vec<Did>, ClientError> {
        self.post("/api/acts", &Steps { steps }).await.map(|done: Done| done.did)
    }

    /// Adds a fault rule; returns its name.
    pub async fn add_fault(&self, rule: Given) -> Result<String, ClientError> {
        self.post("/api/faults", &rule).await.map(|added: Named| added.name)
    }

    /// Removes a fault rule that was added.
    pub async fn remove_fault(&self, name: &str) -> Result<(), ClientError> {
        let path = format!("/api/faults/{}", request::encode(name));
        self.json(Method::DELETE, &path, Body::None).await.map(|Nothing {}| ())
    }

    /// Heals everything.
    pub async fn reset(&self) -> Result<Vec<Did>, ClientError> {
        self.tell("/api/reset").await.map(|done: Done| done.did)
    }

    /// Holds acts.
    pub async fn hold(&self) -> Result<(), ClientError> {
        self.tell("/api/hold").await.map(|Nothing {}| ())
    }

    /// Does the held acts.
    pub async fn go(&self) -> Result<Vec<Did>, ClientError> {
        self.tell("/api/go").await.map(|done: Done| done.did)
    }

    /// Waits until an expectation holds, at most this many seconds of story time.
    pub async fn wait(&self, expect: Given, for_s: f64) -> Result<Expected, ClientError> {
        self.post("/api/wait", &WaitFor { expect, for_s }).await
    }

    /// Runs a program in the guest, at most this many seconds of story time.
    pub async fn exec(&self, argv: Vec<String>, for_s: f64) -> Result<Ran, ClientError> {
        self.post("/api/exec", &Exec { argv, for_s }).await
    }

    /// The output of `multipath -ll`.
    pub async fn multipath(&self) -> Result<MultipathText, ClientError> {
        self.get("/api/multipath").await
    }

    /// Reads a file of the guest.
    pub async fn pull(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let path = format!("/api/files?path={}", request::encode(path));
        send(&self.socket, Method::GET, &path, Body::None).await
    }

    /// Writes a file of the guest.
    pub async fn push(&self, path: &str, contents: Vec<u8>) -> Result<(), ClientError> {
        // The lab stops reading there, and an answer would be lost.
        if contents.len() > FILE {
            let why = format!("this is larger than {} MiB", FILE >> 20);
            return Err(Refused::new(Why::Invalid, why).into());
        }
        let path = format!("/api/files?path={}", request::encode(path));
        self.json(Method::PUT, &path, Body::Bytes(contents)).await.map(|Nothing {}| ())
    }

    /// Starts, stops or changes a workload.
    pub async fn io(&self, change: &IoChange) -> Result<Vec<Did>, ClientError> {
        self.post("/api/io", change).await.map(|done: Done| done.did)
    }

    /// Stops, continues or skips time; returns the story time in seconds.
    pub async fn time(&self, change: TimeChange) -> Result<f64, ClientError> {
        self.post("/api/time", &change).await.map(|now: Now| now.t)
    }

    /// Starts or stops the capture; returns the path of its file.
    pub async fn capture(&self, on: bool) -> Result<String, ClientError> {
        self.post("/api/capture", &CaptureChange { on }).await.map(|it: CaptureFile| it.file)
    }

    /// The end of the guest's console.
    pub async fn console(&self) -> Result<String, ClientError> {
        let bytes = send(&self.socket, Method::GET, "/api/console", Body::None).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The story so far, as a scenario file.
    pub async fn save(&self) -> Result<Saved, ClientError> {
        self.tell("/api/save").await
    }

    /// Changes the guided tour.
    pub async fn tour(&self, change: TourChange) -> Result<(), ClientError> {
        self.post("/api/tour", &change).await.map(|Nothing {}| ())
    }

    /// Candidates for the last of these words.
    pub async fn complete(&self, words: Vec<String>) -> Result<Vec<Candidate>, ClientError> {
        self.post("/api/complete", &Words { words }).await
    }

    /// Ends the lab.
    pub async fn down(&self) -> Result<(), ClientError> {
        self.tell("/api/down").await.map(|Nothing {}| ())
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        self.json(Method::GET, path, Body::None).await
    }

    /// Asks for something that takes nothing.
    async fn tell<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        self.json(Method::POST, path, Body::None).await
    }

    async fn post<B, A>(&self, path: &str, body: &B) -> Result<A, ClientError>
    where
        B: Serialize,
        A: DeserializeOwned,
    {
        let body = serde_json::to_vec(body).map_err(ClientError::strange)?;
        self.json(Method::POST, path, Body::Json(body)).await
    }

    async fn json<A>(&self, method: Method, path: &str, body: Body) -> Result<A, ClientError>
    where
        A: DeserializeOwned,
    {
        let answer = send(&self.socket, method, path, body).await?;
        serde_json::from_slice(&answer).map_err(ClientError::strange)
    }
}
