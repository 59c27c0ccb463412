//! Following a lab, by its Server-Sent Events.

use axum::http::Method;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream::BoxStream};
use http_body_util::BodyExt;
use tokio::io::{AsyncBufReadExt, Lines};
use tokio_util::io::StreamReader;

use super::{
    Client, ClientError,
    request::{Body, open},
};

/// A message of a lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `status`, `event`, `tick` or `lost`.
    pub name: String,
    /// Its data, as JSON.
    pub data: String,
}

type Bodies = BoxStream<'static, std::io::Result<Bytes>>;

/// Follows a lab.
pub struct Follower {
    lines: Lines<StreamReader<Bodies, Bytes>>,
}

impl Client {
    /// Follows the lab: every event (`events`), or what the page shows (`page`). The first message
    /// is the state.
    ///
    /// # Errors
    /// What the lab refuses, and what goes wrong on the way.
    pub async fn follow(&self, view: &str) -> Result<Follower, ClientError> {
        let path = format!("/api/stream?view={view}");
        let answer = open(&self.socket, Method::GET, &path, Body::None).await?;
        let body = answer.into_body().into_data_stream().map_err(std::io::Error::other);
        Ok(Follower { lines: StreamReader::new(boxed(body)).lines() })
    }
}

fn boxed(body: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static) -> Bodies {
    Box::pin(body)
}

impl Follower {
    /// The next message; `None` when the lab has ended.
    ///
    /// # Errors
    /// If the connection is lost.
    pub async fn next(&mut self) -> Result<Option<Told>, ClientError> {
        let (mut name, mut data) = (String::new(), String::new());
        while let Some(line) = self.lines.next_line().await.map_err(ClientError::lost)? {
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut name),
                "data" => data.push_str(value),
                // An empty line ends a message; a comment begins with a colon.
                "" if line.is_empty() && !data.is_empty() => return Ok(Some(Told { name, data })),
                _ => {}
            }
        }
        Ok(None)
    }
}
