//! A browser, steered by chromedriver.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fantoccini::{
    Client, ClientBuilder,
    actions::{InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{place::processes, tools::Tools};

/// As long as anything may take on a slow host.
const LIMIT: Duration = Duration::from_secs(120);

/// Nothing that phones home, and numbers of memory that are not rounded. Where tests are run as
/// root, chromium has no sandbox; it opens nothing but the lab's page.
const OPTIONS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
    "--window-size=1280,800",
];

/// The middle of an element, once it can be clicked there.
const PLACE: &str = "const element = document.querySelector(arguments[0]);
    element?.scrollIntoView({ block: 'nearest' });
    const box = element?.getBoundingClientRect();
    const [x, y] = [Math.round(box?.x + box?.width / 2), Math.round(box?.y + box?.height / 2)];
    return element?.contains(document.elementFromPoint(x || 0, y || 0)) ? [x, y] : []";

/// A browser with a page. It ends with the test.
pub(crate) struct Browser {
    client: Client,
    driver: Child,
    /// Everything that the browser writes.
    home: TempDir,
}

impl Browser {
    pub(crate) async fn open(tools: &Tools, address: &str) -> Browser {
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut driver = Command::new(&tools.chromedriver);
        driver.arg("--port=0").env("HOME", home.path()).env("TMPDIR", home.path());
        driver.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = driver.spawn().expect("chromedriver");
        let port = port(&mut driver);
        let mut args: Vec<_> = OPTIONS.map(str::to_owned).into();
        args.push(format!("--user-data-dir={}", home.path().join("profile").display()));
        let wanted = json!({ "goog:chromeOptions": { "binary": tools.chromium, "args": args } });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(wanted.as_object().expect("a table").clone());
        let client = builder.connect(&format!("http://127.0.0.1:{port}")).await;
        let browser = Browser { client: client.expect("a browser"), driver, home };
        browser.client.goto(address).await.expect("the page");
        browser
    }

    /// What a script returns.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect(script)
    }

    /// Gives the window another size, in pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        self.client.set_window_size(width, height).await.expect("another size");
    }

    /// Waits until there is an element.
    pub(crate) async fn sees(&self, css: &str) {
        self.until(css, &format!("document.querySelector({css:?}) !== null")).await;
    }

    /// Waits until there is no such element.
    pub(crate) async fn loses(&self, css: &str) {
        self.until(css, &format!("document.querySelector({css:?}) === null")).await;
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&self, what: &str, expression: &str) {
        let began = Instant::now();
        let script = format!("return Boolean({expression})");
        while self.script(&script).await != true {
            if began.elapsed() > LIMIT {
                panic!("the page does not come to {what:?}:\n{}", self.shown().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The text of the page.
    async fn shown(&self) -> String {
        let text = self.script("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks on an element as a person does: where it is, as soon as nothing is above it and it
    /// stands still.
    pub(crate) async fn click(&self, css: &str) {
        let began = Instant::now();
        let mut before = Value::Null;
        loop {
            let place = self.client.execute(PLACE, vec![css.into()]).await.expect(css);
            let still = place == before;
            before = place.clone();
            if let (true, Some(x), Some(y)) = (still, place[0].as_f64(), place[1].as_f64()) {
                let to = PointerAction::MoveTo { duration: None, x, y };
                let button = MOUSE_BUTTON_LEFT;
                let mouse = MouseActions::new("mouse".to_owned());
                let mouse = mouse.then(to).then(PointerAction::Down { button });
                let click = mouse.then(PointerAction::Up { button });
                return self.client.perform_actions(click).await.expect("a click");
            }
            if began.elapsed() > LIMIT {
                panic!("cannot click on {css:?}:\n{}", self.shown().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Opens the menu of a thing in the picture, and chooses the entry that is this command.
    pub(crate) async fn choose(&self, thing: &str, command: &str) {
        let entry = format!("#menu button[data-ctl='sansim ctl {command}']");
        self.click(thing).await;
        self.click(&entry).await;
    }

    /// Types into a field.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        self.click(css).await;
        self.until(css, &format!("document.activeElement.matches({css:?})")).await;
        self.types(text).await;
    }

    /// Types into whatever has the focus.
    pub(crate) async fn types(&self, text: &str) {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for value in text.chars() {
            keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(keys).await.expect("typed text");
    }

    /// Kills the browser, as a crash does.
    pub(crate) fn kill(&self) {
        assert!(self.end(), "the browser cannot be killed");
    }

    /// Kills the browser's processes; returns whether all have ended.
    fn end(&self) -> bool {
        (0..200).any(|_| {
            let processes = self.processes();
            for pid in &processes {
                // An error means that it has ended together with another one.
                let _ = Command::new("kill").arg("-KILL").arg(pid.to_string()).output();
            }
            thread::sleep(Duration::from_millis(50));
            processes.is_empty()
        })
    }

    /// The browser's processes: those that name its directory.
    fn processes(&self) -> Vec<u32> {
        let home = self.home.path().display().to_string();
        let ours = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&home)
        };
        processes().into_iter().filter(ours).collect()
    }
}

/// The port on which chromedriver listens.
fn port(driver: &mut Child) -> u16 {
    let said = BufReader::new(driver.stdout.take().expect("standard output")).lines();
    let port = said.map_while(Result::ok).find_map(|line| {
        line.strip_prefix("ChromeDriver was started successfully on port ")?
            .trim_end_matches('.')
            .parse()
            .ok()
    });
    port.expect("the port of chromedriver")
}

impl Drop for Browser {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        // The directory can be removed only when nobody writes to it.
        self.end();
    }
}
