use std::path::Path;

use sansim_protocol::{
    FromAgent, Happening, LineBuffer, Reply, decode,
    hypercall::{Ask, Go, Mailbox},
    request_id,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{lines::Events, *};

struct Guest {
    port: DuplexStream,
    lines: LineBuffer,
    exit: watch::Sender<Option<ExitReason>>,
}

impl Guest {
    async fn request(&mut self) -> Request {
        loop {
            if let Some(message) = self.lines.next() {
                return message.unwrap();
            }
            let mut buffer = [0; 256];
            let n = self.port.read(&mut buffer).await.unwrap();
            assert!(n > 0, "the link was closed");
            self.lines.push(&buffer[..n]);
        }
    }

    async fn say(&mut self, message: &FromAgent) {
        self.port.write_all(&encode(message)).await.unwrap();
    }

    async fn answer(&mut self, id: u64, result: CallResult) {
        self.say(&FromAgent::Reply(Reply { id, result })).await;
    }
}

fn link() -> (Guest, Connected) {
    let (ours, port) = tokio::io::duplex(1 << 16);
    let (exit, watch) = watch::channel(None);
    let (connected, lines) =
        AgentLink::with_lines(watch, Console::new(Path::new("/nowhere/console")));
    tokio::spawn(lines.carry(ours));
    (Guest { port, lines: LineBuffer::default(), exit }, connected)
}

fn hello(now_ns: u64) -> CallResult {
    CallResult::Ok(Answer::Hello { now_ns })
}

#[tokio::test]
async fn answers_find_their_callers_in_any_order() {
    let (mut guest, connected) = link();
    let (one, two) = (connected.link.clone(), connected.link);
    let calls =
        tokio::spawn(async move { tokio::join!(one.call(Call::Hello), two.call(Call::Hello)) });
    let (first, second) = (guest.request().await, guest.request().await);
    assert_ne!(first.id, second.id);
    guest.answer(999, hello(0)).await;
    guest.answer(second.id, hello(2)).await;
    guest.answer(first.id, hello(1)).await;
    let (one, two) = calls.await.unwrap();
    assert_eq!(one.unwrap(), Answer::Hello { now_ns: 1 });
    assert_eq!(two.unwrap(), Answer::Hello { now_ns: 2 });
}

#[tokio::test]
async fn the_agents_own_words_and_the_calls_name_are_in_the_error() {
    let (mut guest, connected) = link();
    let call = connected.link.call(Call::LoadModules { modules: vec!["x".into()] });
    let answer = async {
        let id = guest.request().await.id;
        guest.answer(id, CallResult::Failed(Failure::new("x: no such module"))).await;
    };
    let (result, ()) = tokio::join!(call, answer);
    assert_eq!(result.unwrap_err().to_string(), "load_modules: x: no such module");
}

#[tokio::test]
async fn the_guests_end_ends_calls_and_events() {
    let (mut guest, mut connected) = link();
    let link = connected.link.clone();
    let call = tokio::spawn(async move { link.call(Call::Hello).await });
    guest.request().await;
    guest.exit.send_replace(Some(ExitReason::PanicOrReboot));
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, LabError::GuestGone { reason: ExitReason::PanicOrReboot, .. }));
    drop(guest.port);
    assert_eq!(connected.events.recv().await, None);
    // A later call fails, too.
    let later = connected.link.call(Call::Hello).await.unwrap_err();
    assert!(later.to_string().contains("its kernel panicked or rebooted"), "{later}");
}

#[tokio::test]
async fn powering_off_is_answered_by_the_guests_end() {
    let (mut guest, connected) = link();
    let link = connected.link.clone();
    let call = tokio::spawn(async move { link.call(Call::PowerOff).await });
    assert_eq!(guest.request().await.call, Call::PowerOff);
    guest.exit.send_replace(Some(ExitReason::PowerOff));
    assert_eq!(call.await.unwrap().unwrap(), Answer::Done);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_answer_ends_and_its_late_answer_is_ignored() {
    let (mut guest, connected) = link();
    let call = connected.link.call_within(Call::Hello, Duration::from_secs(7));
    let (result, request) = tokio::join!(call, guest.request());
    let error = result.unwrap_err();
    assert!(error.to_string().starts_with("the agent did not answer hello within 7 s"), "{error}");
    guest.answer(request.id, hello(1)).await;
    let (result, ()) = tokio::join!(connected.link.call(Call::Hello), async {
        let id = guest.request().await.id;
        guest.answer(id, hello(2)).await;
    });
    assert_eq!(result.unwrap(), Answer::Hello { now_ns: 2 });
    assert_eq!(connected.link.shared.calls().waiting.len(), 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_to_all_who_wait() {
    let (mut guest, connected) = link();
    let link = connected.link.clone();
    let call = tokio::spawn(async move { link.call(Call::Hello).await });
    guest.request().await;
    guest.port.write_all(b"{\"type\":\"nonsense\"}\n").await.unwrap();
    assert!(matches!(call.await.unwrap(), Err(LabError::AgentGarbled { .. })));
    assert!(connected.ready.await.unwrap().is_err());
}

#[tokio::test]
async fn another_version_is_refused_with_what_to_do() {
    let (mut guest, connected) = link();
    guest.say(&FromAgent::Ready { version: 99, kernel: "6.1".into() }).await;
    let ready = connected.ready.await.unwrap().unwrap();
    assert_eq!(ready.kernel, "6.1");
    let error = check_version(&ready).unwrap_err().to_string();
    assert!(error.contains("version 99") && error.contains("rebuild"), "{error}");
    assert!(check_version(&Ready { version: VERSION, ..ready }).is_ok());
}

#[test]
fn events_nobody_reads_are_dropped_and_counted() {
    let (sender, mut receiver) = mpsc::channel(2);
    let mut events = Events { sender, lost: 0 };
    let event = |at_ns| Event { at_ns, what: Happening::Lost { count: 0 } };
    for at in 0..5 {
        events.pass(event(at));
    }
    assert_eq!(receiver.try_recv().unwrap(), event(0));
    assert_eq!(receiver.try_recv().unwrap(), event(1));
    events.pass(event(5));
    let lost = receiver.try_recv().unwrap();
    assert_eq!(lost.what, Happening::Lost { count: 3 });
    assert_eq!(receiver.try_recv().unwrap(), event(5));
}

/// What a guest sends in place of an agent, in pieces of any size. A good agent is understood after it.
fn from_agent(bytes: &[u8]) {
    let Some((piece, bytes)) = bytes.split_first() else { return };
    let (_exit, watch) = watch::channel(None);
    let (mut connected, mut lines) =
        AgentLink::with_lines(watch, Console::new(Path::new("/nowhere/console")));
    let answers = [1, 2].map(|id| {
        let (sender, answer) = oneshot::channel();
        connected.link.shared.calls().waiting.insert(id, sender);
        answer
    });
    bytes.chunks(usize::from(*piece) + 1).for_each(|piece| lines.take(piece));
    let last = Event { at_ns: 77, what: Happening::Lost { count: 0 } };
    let reply = FromAgent::Reply(Reply { id: 3, result: hello(9) });
    lines.take(b"\n");
    let (sender, mut answer) = oneshot::channel();
    connected.link.shared.calls().waiting.insert(3, sender);
    lines.take(&[encode(&FromAgent::Event(last.clone())), encode(&reply)].concat());
    let events: Vec<_> = std::iter::from_fn(|| connected.events.try_recv().ok()).collect();
    assert_eq!(events.last(), Some(&last));
    assert_eq!(answer.try_recv().expect("an answer"), Ok(hello(9)));
    drop(answers);
}

/// What either side reads in the mailbox, and the lines that the agent reads.
fn in_the_mailbox(bytes: &[u8]) {
    let mut head = [0; Go::HEAD];
    let len = bytes.len().min(Go::HEAD);
    head[..len].copy_from_slice(&bytes[..len]);
    let go = Go::decode(&head);
    assert!(go.len <= Mailbox::ROOM && go.interrupts.len() <= Go::MOST_INTERRUPTS);
    let (ask, _) = head.split_first_chunk().expect("a question's head is shorter");
    assert!(Ask::decode(ask).len <= Mailbox::ROOM);
    let mut lines = LineBuffer::default();
    lines.push(bytes);
    while let Some(line) = lines.next_line() {
        let Ok(line) = line else { continue };
        if let Ok(request) = decode::<Request>(&line) {
            assert_eq!(request_id(&line), Some(request.id));
        }
    }
}

fn channel(bytes: &[u8]) {
    from_agent(bytes);
    in_the_mailbox(bytes);
}

#[test]
fn no_bytes_in_the_agents_channel_harm_anybody() {
    sansim_fuzz::fuzz("agent", channel);
}
