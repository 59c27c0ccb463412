use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::lab::{lab, soon};
use crate::{
    api::{Given, Message},
    http::limits::{CONNECTIONS, STREAMS},
};

#[tokio::test]
async fn a_huge_upload_is_refused_before_it_is_read() {
    let lab = lab();
    let most = lab.client.push("/f", vec![0; 16 << 20]).await.unwrap_err().to_string();
    assert_eq!(most, "16777216 bytes");
    let more = lab.client.push("/f", vec![0; (16 << 20) + 1]).await.unwrap_err().to_string();
    assert_eq!(more, "this is larger than 16 MiB");
    for (request, length) in [
        ("PUT /api/files?path=/f", "Content-Length: 1099511627776"),
        ("POST /api/acts", "Content-Type: application/json\r\nContent-Length: 1048577"),
    ] {
        let mut stream = lab.unix().await;
        let head = format!("{request} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        soon(stream.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
    // Nor is one without a length read to its end.
    let mut stream = lab.unix().await;
    let head = "POST /api/acts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n200000\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let _ = soon(stream.write_all(&vec![b' '; 0x20_0000])).await;
    let mut answer = [0; 12];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn what_is_no_json_or_another_type_is_refused() {
    let lab = lab();
    for (kind, body, message) in [
        ("text/plain", "{}", "send JSON"),
        ("application/json", "{", "this is not what the route takes: EOF"),
        ("application/json", "{\"steps\":[],\"more\":1}", "unknown field `more`"),
        ("application/json; charset=utf-8", "{\"steps\":[1]}", "this is not what the route takes"),
    ] {
        let mut stream = lab.unix().await;
        let head = format!(
            "POST /api/acts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("{\"why\":\"invalid\"") && answer.contains(message), "{answer}");
    }
    let wait = lab.client.wait(Given::Toml(String::new()), -1.0).await.unwrap_err().to_string();
    assert_eq!(wait, "-1 s is no time to wait");
}

#[tokio::test]
async fn those_without_a_token_cannot_take_all_connections() {
    let lab = lab();
    let port = lab.port();
    let connect = (0..CONNECTIONS + 10).map(|_| TcpStream::connect(("127.0.0.1", port)));
    let taken: Vec<_> = join_all(connect).await.into_iter().flatten().collect();
    soon(lab.client.status()).await.unwrap();
    drop(taken);
    let host = format!("127.0.0.1:{port}");
    soon(async {
        while !lab.get("/api/status", &[("Host", &host)]).await.contains(" 401 ") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_number_of_followers_is_bounded_and_those_who_leave_make_room() {
    let lab = lab();
    let mut all = Vec::new();
    for _ in 0..STREAMS {
        all.push(lab.client.follow("page").await.unwrap());
    }
    let refused = lab.client.follow("page").await.err().unwrap().to_string();
    assert!(refused.contains("follow this lab already"), "{refused}");
    drop(all);
    soon(async {
        while lab.client.follow("page").await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    // They leave one after the other.
    soon(async {
        while lab.news.followers() > 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_leave_its_question() {
    let lab = lab();
    let mut followed = lab.news.follow();
    let client = lab.client.clone();
    let waits = tokio::spawn(async move { client.wait(Given::Toml("x".to_owned()), 60.0).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    waits.abort();
    // The lab says so when the question is nobody's any more.
    assert!(matches!(soon(followed.recv()).await.unwrap(), Message::Event(_)));
}

#[tokio::test]
async fn serving_ends_soon_with_all_kinds_of_clients() {
    let lab = lab();
    let idle = lab.unix().await;
    let mut half = lab.unix().await;
    half.write_all(b"GET /api/sta").await.unwrap();
    let mut follower = lab.client.follow("events").await.unwrap();
    let client = lab.client.clone();
    let waits = tokio::spawn(async move { client.wait(Given::Toml("x".to_owned()), 60.0).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    let served = lab.served;
    tokio::task::spawn_blocking(move || drop(served)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(waits.await.unwrap().is_err());
    assert_eq!(follower.next().await.unwrap().unwrap().name, "status");
    assert_eq!(follower.next().await.unwrap(), None);
    assert!(lab.client.status().await.is_err());
    drop(idle);
}

#[tokio::test]
async fn the_last_question_is_answered() {
    let lab = lab();
    let client = lab.client.clone();
    client.down().await.unwrap();
    let over = client.status().await.unwrap_err().to_string();
    assert_eq!(over, "the lab has ended");
}
