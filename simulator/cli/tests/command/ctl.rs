//! `sansim ctl` and `sansim down`, with a lab that only pretends.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    process::Output,
    sync::{Arc, Mutex},
    thread,
};

use crate::place::{Place, text};

/// A directory like a lab's, and a server with these answers: a route, a status, a body.
struct Lab {
    directory: PathBuf,
    _lock: File,
    /// Every request: its route, and its body.
    asked: Arc<Mutex<Vec<String>>>,
}

type Answers = &'static [(&'static str, u16, &'static str)];

impl Lab {
    fn start(place: &Place, name: &str, answers: Answers) -> Lab {
        let root = place.runtime().join("sansim");
        let directory = root.join(name);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).expect("a directory");
        fs::set_permissions(&root, fs::Permissions::from_mode(0o700)).expect("permissions");
        let lock = File::create(directory.join("lock")).expect("a lock");
        lock.lock().expect("the lock");
        let about = format!(
            r#"{{"pid":1,"name":"{name}","title":"t","address":"http://x","directory":"/","started":0}}"#
        );
        fs::write(directory.join("lab.json"), about).expect("lab.json");
        let listener = UnixListener::bind(directory.join("api.sock")).expect("a socket");
        let asked = Arc::default();
        let lab = Lab { directory, _lock: lock, asked: Arc::clone(&asked) };
        thread::spawn(move || {
            listener.incoming().flatten().for_each(|stream| answer(stream, answers, &asked));
        });
        lab
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the list").clone()
    }
}

fn answer(mut stream: UnixStream, answers: Answers, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_ascii_lowercase()),
        }
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
    reader.read_exact(&mut body).expect("a body");
    let route = head[0].trim_end_matches(" http/1.1").to_owned();
    let body = String::from_utf8(body).expect("text");
    asked.lock().expect("the list").push(format!("{route} {body}").trim_end().to_owned());
    let found = answers.iter().find(|(known, ..)| *known == route);
    let (_, status, body) = found.unwrap_or(&("", 500, "{}"));
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n{body}");
}

fn ctl(place: &Place, words: &[&str]) -> Output {
    place.sansim().arg("ctl").args(words).output().expect("sansim")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{}", text(output)))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const DID: &str = r#"{"did":[{"t":1.5,"name":"s","words":"fail controller A","toml":"","ctl":"",
    "error":null,"pending":false,"ran":null}]}"#;

#[test]
fn other_words_are_a_step() {
    let place = Place::new();
    let lab = Lab::start(&place, "one", &[("post /api/acts", 200, DID)]);
    for words in [
        &["fail", "controller", "A"][..],
        &["--lab", "one", "fail", "controller", "A"],
        &["step", "fail = \"controller A\"", "x = 1"],
    ] {
        let output = ctl(&place, words);
        assert_eq!(
            (code(&output), stdout(&output).as_str()),
            (0, "    1.500s  fail controller A\n")
        );
    }
    let words = r#"post /api/acts {"steps":[{"words":["fail","controller","A"]}]}"#;
    let toml = r#"post /api/acts {"steps":[{"toml":"fail = \"controller A\""},{"toml":"x = 1"}]}"#;
    assert_eq!(lab.asked(), [words, words, toml]);
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&ctl(&place, &["link", "down", "A0", "--json"])))
            .expect("JSON");
    assert_eq!(json["did"][0]["t"], 1.5);
}

#[test]
fn exit_codes_say_what_came_of_it() {
    let place = Place::new();
    let failed = r#"{"did":[{"t":1,"name":"s","words":"w","toml":"","ctl":"","error":"no such program",
        "pending":false,"ran":null}]}"#;
    let _lab = Lab::start(
        &place,
        "one",
        Box::leak(Box::new([
            (
                "post /api/wait",
                200,
                r#"{"text":"owner of lun 0: B","ok":false,"seen":"A","t":30.0}"#,
            ),
            ("post /api/exec", 200, r#"{"code":7,"stdout":"out","stderr":"err"}"#),
            ("post /api/acts", 400, r#"{"why":"invalid","message":"no such step"}"#),
            ("post /api/go", 500, r#"{"why":"failed","message":"the guest died"}"#),
            ("post /api/reset", 200, failed),
            ("delete /api/faults/a%2fb", 404, r#"{"why":"unknown","message":"no such rule"}"#),
        ])),
    );
    let waits = ctl(&place, &["wait", "owner", "lun", "0", "B", "--for", "30s"]);
    assert_eq!(
        (code(&waits), stdout(&waits).as_str()),
        (1, "   30.000s  not met  owner of lun 0: B: A\n")
    );
    let ran = ctl(&place, &["exec", "ls", "-l", "--", "x"]);
    assert_eq!((code(&ran), stdout(&ran).as_str(), stderr(&ran).as_str()), (7, "out", "err"));
    let refused = ctl(&place, &["fial"]);
    assert_eq!((code(&refused), stderr(&refused).as_str()), (2, "error: no such step\n"));
    assert_eq!(code(&ctl(&place, &["fault", "remove", "a/b"])), 2);
    assert_eq!(code(&ctl(&place, &["go"])), 3);
    assert_eq!(code(&ctl(&place, &["reset"])), 1);
    assert_eq!(code(&ctl(&place, &["time", "skip", "60"])), 2);
}

#[test]
fn the_lab_is_found_or_it_is_said_why_not() {
    let place = Place::new();
    let none = ctl(&place, &["status"]);
    assert_eq!(
        (code(&none), stderr(&none).as_str()),
        (2, "error: no lab is running (start one with `sansim up`)\n")
    );
    let one = Lab::start(&place, "one", &[]);
    let _two = Lab::start(&place, "two", &[]);
    let which = ctl(&place, &["go"]);
    assert!(stderr(&which).contains("one, two (choose one with `--lab NAME`)"), "{}", text(&which));
    assert!(stdout(&ctl(&place, &["list"])).contains("two  http://x  t\n"));
    fs::remove_file(one.directory.join("api.sock")).expect("a socket");
    let gone = ctl(&place, &["go", "--lab", "one"]);
    assert_eq!(code(&gone), 3, "{}", text(&gone));
    // A killed lab is swept.
    drop(one);
    let unknown = ctl(&place, &["go", "--lab", "one"]);
    assert!(
        stderr(&unknown).contains("there is no lab `one` (running: two)"),
        "{}",
        text(&unknown)
    );
    assert!(!place.runtime().join("sansim/one").exists());
}

#[test]
fn completion_asks_the_lab() {
    let place = Place::new();
    let lab = Lab::start(
        &place,
        "one",
        &[(
            "post /api/complete",
            200,
            r#"[{"value":"controller","help":"a controller"},{"value":"other","help":""}]"#,
        )],
    );
    let complete = |words: &[&str]| {
        let mut command = place.sansim();
        command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
        stdout(&command.arg("--").args(words).output().expect("sansim"))
    };
    assert!(complete(&["sansim", "ctl", "fail", "con"]).starts_with("controller"));
    assert_eq!(lab.asked(), [r#"post /api/complete {"words":["fail","con"]}"#]);
    assert_eq!(complete(&["sansim", "ctl", "--lab", ""]), "one");
    assert!(complete(&["sansim", "ctl", "wait", "owner", "con"]).starts_with("controller"));
    assert_eq!(lab.asked()[1], r#"post /api/complete {"words":["expect","owner","con"]}"#);
}
