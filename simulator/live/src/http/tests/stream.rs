use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::lab::{event, lab, log, soon};
use crate::{
    api::{Message, Tick},
    client::Follower,
};

async fn names(follower: &mut Follower, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(soon(follower.next()).await.unwrap().unwrap().name);
    }
    names
}

fn tick() -> Message {
    let tick = Tick { t: 0.1, seconds: 0.1, paths: Vec::new(), completed: 0, slowest: None };
    Message::Tick(Arc::new(tick))
}

#[tokio::test]
async fn all_followers_see_the_same_after_the_state() {
    let lab = lab();
    let mut one = lab.client.follow("events").await.unwrap();
    let mut two = lab.client.follow("events").await.unwrap();
    let mut page = lab.client.follow("page").await.unwrap();
    lab.news.tell(Message::Event(Arc::new(event(1.0))));
    lab.news.tell(tick());
    lab.news.tell(Message::Event(Arc::new(log(2.0))));
    for follower in [&mut one, &mut two] {
        let status = soon(follower.next()).await.unwrap().unwrap();
        assert_eq!(status.name, "status");
        let status: Value = serde_json::from_str(&status.data).unwrap();
        assert_eq!(status["lab"]["name"], "lab");
        let first = soon(follower.next()).await.unwrap().unwrap();
        assert_eq!(first.data, serde_json::to_string(&event(1.0)).unwrap());
        let second = soon(follower.next()).await.unwrap().unwrap();
        assert_eq!(second.data, serde_json::to_string(&log(2.0)).unwrap());
    }
    assert_eq!(names(&mut page, 4).await, ["past", "status", "tick", "event"]);
    let mut later = lab.client.follow("page").await.unwrap();
    let past = soon(later.next()).await.unwrap().unwrap();
    let past: Value = serde_json::from_str(&past.data).unwrap();
    let past = ["ticks", "events"].map(|list| past[list].as_array().unwrap().len());
    assert_eq!(past, [1, 1], "the READ is in the tick");
    let wrong = lab.client.follow("all").await.err().unwrap().to_string();
    assert_eq!(wrong, "`view` is `page` or `events`");
}

#[tokio::test]
async fn a_slow_follower_loses_messages_and_is_told_how_many() {
    let lab = lab();
    let mut slow = lab.client.follow("events").await.unwrap();
    let sent = 40_000;
    for index in 0..sent {
        lab.news.tell(Message::Event(Arc::new(event(f64::from(index)))));
        if index % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let (mut seen, mut lost) = (0, 0);
    assert_eq!(names(&mut slow, 1).await, ["status"]);
    while seen + lost < sent {
        let told = soon(slow.next()).await.unwrap().unwrap();
        match told.name.as_str() {
            "event" => seen += 1,
            "lost" => {
                let count: Value = serde_json::from_str(&told.data).unwrap();
                lost += i32::try_from(count["count"].as_u64().unwrap()).unwrap();
            }
            other => panic!("{other}"),
        }
    }
    assert!(lost > 0 && seen > 0, "{seen} seen, {lost} lost");
}

#[tokio::test]
async fn the_stream_is_plain_text_for_other_clients() {
    let lab = lab();
    let mut stream = lab.unix().await;
    stream.write_all(b"GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut text = String::new();
    while !text.contains("\n\n\r\n") {
        let mut piece = [0; 4096];
        let len = soon(stream.read(&mut piece)).await.unwrap();
        text.push_str(std::str::from_utf8(&piece[..len]).unwrap());
    }
    assert!(text.contains("content-type: text/event-stream\r\n"), "{text}");
    assert!(text.contains("\nevent: status\ndata: {\"lab\":"), "{text}");
}
