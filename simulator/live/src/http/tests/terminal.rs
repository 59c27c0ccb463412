use futures_util::{SinkExt, StreamExt};
use sansim_protocol::TerminalSize;
use sansim_stage::Input;
use serde_json::{Value, json};
use tokio::{net::UnixStream, sync::mpsc};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::lab::{Lab, lab, soon};

const SIZE: TerminalSize = TerminalSize { rows: 4, columns: 20 };

#[tokio::test]
async fn bytes_pass_in_both_directions_until_the_program_has_ended() {
    let mut lab = lab();
    let (typed, input) = mpsc::channel(8);
    let (output, mut shown) = mpsc::channel(8);
    let client = lab.client.clone();
    let argv = ["multipath".to_owned(), "-ll".to_owned()];
    let runs =
        tokio::spawn(async move { client.terminal(&argv, "vt100", SIZE, input, output).await });
    let mut guest = soon(lab.opened.recv()).await.unwrap();
    assert_eq!(guest.argv, ["multipath", "-ll"]);
    typed.send(Input::Typed(vec![0, 255, b'x'])).await.unwrap();
    assert_eq!(soon(guest.input.recv()).await, Some(Input::Typed(vec![0, 255, b'x'])));
    let size = TerminalSize { rows: 5, columns: 6 };
    typed.send(Input::Resized(size)).await.unwrap();
    assert_eq!(soon(guest.input.recv()).await, Some(Input::Resized(size)));
    guest.output.send(b"\x1b[1mhi".to_vec()).await.unwrap();
    assert_eq!(soon(shown.recv()).await.unwrap(), b"\x1b[1mhi");
    // What comes last is not lost.
    guest.output.send(b"bye".to_vec()).await.unwrap();
    drop(guest.output);
    guest.ended.send(Some(3)).unwrap();
    assert_eq!(soon(runs).await.unwrap().unwrap(), Some(3));
    assert_eq!(shown.recv().await.unwrap(), b"bye");
}

#[tokio::test]
async fn a_program_can_be_left() {
    let mut lab = lab();
    let (typed, input) = mpsc::channel(8);
    let (output, _shown) = mpsc::channel(8);
    let client = lab.client.clone();
    let runs =
        tokio::spawn(async move { client.terminal(&[], "vt100", SIZE, input, output).await });
    let mut guest = soon(lab.opened.recv()).await.unwrap();
    typed.send(Input::HungUp).await.unwrap();
    assert_eq!(soon(runs).await.unwrap().unwrap(), None);
    assert_eq!(soon(guest.input.recv()).await, Some(Input::HungUp));
}

#[tokio::test]
async fn a_program_whose_client_has_gone_is_hung_up() {
    let mut lab = lab();
    let socket = open(&lab, "as=bytes").await;
    let mut guest = soon(lab.opened.recv()).await.unwrap();
    drop(socket);
    assert_eq!(soon(guest.input.recv()).await, Some(Input::HungUp));
    assert_eq!(soon(guest.input.recv()).await, None);
    soon(guest.output.closed()).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_hold_the_guest_up() {
    for how in ["as=bytes", "as=cells"] {
        let mut lab = lab();
        let _socket = open(&lab, how).await;
        let guest = soon(lab.opened.recv()).await.unwrap();
        for _ in 0..800 {
            soon(guest.output.send(vec![b'x'; 4096])).await.unwrap();
        }
    }
}

#[tokio::test]
async fn cells_come_as_changes_of_the_screen() {
    let mut lab = lab();
    let mut socket = open(&lab, "as=cells&rows=4&columns=20").await;
    let mut guest = soon(lab.opened.recv()).await.unwrap();
    let first = message(&mut socket).await;
    assert_eq!(first["size"], json!([4, 20]));
    assert_eq!(first["lines"], json!([[0, []], [1, []], [2, []], [3, []]]));
    guest.output.send(b"a \x1b[32mb".to_vec()).await.unwrap();
    let change = message(&mut socket).await;
    assert_eq!(change["lines"], json!([[0, [["a ", ""], ["b", "f2"]]]]));
    assert_eq!(change["cursor"], json!([0, 3]));
    say(&mut socket, json!({ "typed": "ls\r" })).await;
    assert_eq!(soon(guest.input.recv()).await, Some(Input::Typed(b"ls\r".to_vec())));
    say(&mut socket, json!({ "resized": [2, 10] })).await;
    let size = TerminalSize { rows: 2, columns: 10 };
    assert_eq!(soon(guest.input.recv()).await, Some(Input::Resized(size)));
    assert_eq!(message(&mut socket).await["size"], json!([2, 10]));
    guest.output.send(b"\x1b[0m\x1b[2J\x1b[Hend".to_vec()).await.unwrap();
    drop(guest.output);
    guest.ended.send(None).unwrap();
    let mut last = message(&mut socket).await;
    assert_eq!(last["lines"][0], json!([0, [["end", ""]]]));
    last = message(&mut socket).await;
    assert_eq!(last, json!({ "ended": null }));
}

#[tokio::test]
async fn a_busy_screen_is_drawn_at_most_30_times_a_second() {
    let mut lab = lab();
    let mut socket = open(&lab, "as=cells").await;
    let guest = soon(lab.opened.recv()).await.unwrap();
    let began = std::time::Instant::now();
    for index in 0..500 {
        guest.output.send(format!("\r{index}").into_bytes()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    drop(guest.output);
    guest.ended.send(Some(0)).unwrap();
    let most = began.elapsed().as_millis() / 33 + 3;
    let mut frames = 0;
    loop {
        let message = message(&mut socket).await;
        if message.get("ended").is_some() {
            break;
        }
        frames += 1;
    }
    assert!((2..=most).contains(&frames), "{frames}, at most {most}");
}

#[tokio::test]
async fn messages_that_are_wrong_or_huge_end_the_terminal() {
    for wrong in [
        Message::Text("{".into()),
        Message::Text("{\"typed\":1}".into()),
        Message::Binary(vec![0; 10].into()),
        Message::Text("x".repeat(1 << 20).into()),
    ] {
        let mut lab = lab();
        let mut socket = open(&lab, "as=cells").await;
        let mut guest = soon(lab.opened.recv()).await.unwrap();
        let _ = socket.send(wrong).await;
        assert_eq!(soon(guest.input.recv()).await, Some(Input::HungUp));
    }
    for query in ["as=x", "rows=x", "rows=70000", "term=a%20b", "term="] {
        let lab = lab();
        let refused =
            client_async(format!("ws://lab/api/terminal?{query}"), lab.unix().await).await;
        let refused = refused.err().unwrap().to_string();
        assert!(refused.contains("400"), "{query}: {refused}");
    }
}

async fn open(lab: &Lab, query: &str) -> WebSocketStream<UnixStream> {
    let uri = format!("ws://lab/api/terminal?{query}");
    soon(client_async(uri, lab.unix().await)).await.unwrap().0
}

async fn message(socket: &mut WebSocketStream<UnixStream>) -> Value {
    match soon(socket.next()).await.unwrap().unwrap() {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn say(socket: &mut WebSocketStream<UnixStream>, message: Value) {
    socket.send(Message::Text(message.to_string().into())).await.unwrap();
}
