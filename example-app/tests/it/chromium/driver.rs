use std::{
    env,
    fmt::Debug,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder, Locator, error::CmdError, wd::WindowHandle};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::sleep,
};

use crate::process::Process;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One at a time: each is a dozen processes.
static TURN: Mutex<()> = Mutex::const_new(());

/// What they are called, by Debian, by others, and on macOS.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// With the pipe, Chromium ends when its driver does, and so with the test, whatever becomes of it.
const ARGUMENTS: [&str; 9] = [
    "--remote-debugging-pipe",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A Chromium with a profile of its own, in which tests do what a person would.
pub(super) struct Chromium {
    client: Client,
    _driver: Process,
    _profile: TempDir,
    _turn: Option<MutexGuard<'static, ()>>,
}

/// How the page is to be shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum View {
    Desktop,
    WithoutJavaScript,
    /// 360 px wide.
    Phone,
}

impl Chromium {
    pub(super) async fn start(view: View) -> Self {
        Self::launch(view, Some(TURN.lock().await)).await
    }

    /// Another browser, with a profile of its own, in the same turn.
    pub(super) async fn beside(&self, view: View) -> Self {
        Self::launch(view, None).await
    }

    async fn launch(view: View, turn: Option<MutexGuard<'static, ()>>) -> Self {
        let (chromium, chromedriver) = (find(&BROWSERS), find(&["chromedriver"]));
        let (Some(chromium), Some(chromedriver)) = (chromium, chromedriver) else {
            panic!("Chromium and its driver are needed to test the page: run ./check, which installs them")
        };
        let mut driver = Process::start(Command::new(chromedriver).arg("--port=0"));
        let port = driver.line_after("was started successfully on port ");
        let profile = tempfile::tempdir().unwrap();
        let capabilities = capabilities(&chromium, profile.path(), view);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{}", port.trim_end_matches('.')))
            .await
            .unwrap();
        Self {
            client,
            _driver: driver,
            _profile: profile,
            _turn: turn,
        }
    }

    /// Ends the browser. A test that fails ends it by dropping it.
    pub(super) async fn close(self) {
        self.client.close().await.unwrap();
    }

    pub(super) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(super) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    pub(super) async fn click(&self, css: &str) {
        let element = self.client.find(Locator::Css(css)).await;
        element.unwrap().click().await.unwrap();
    }

    /// Types into an element, and wherever the keys lead from there.
    pub(super) async fn type_into(&self, css: &str, keys: &str) {
        let element = self.client.find(Locator::Css(css)).await;
        element.unwrap().send_keys(keys).await.unwrap();
    }

    pub(super) async fn title(&self) -> String {
        self.client.title().await.unwrap()
    }

    /// The text of an element as a person sees it.
    pub(super) async fn text(&self, css: &str) -> Result<String, CmdError> {
        self.client.find(Locator::Css(css)).await?.text().await
    }

    pub(super) async fn run(&self, script: &str) -> Result<Value, CmdError> {
        self.client.execute(script, Vec::new()).await
    }

    /// Waits until an element has this text in it.
    pub(super) async fn until_text(&self, css: &str, text: &str) {
        let is_there = |now: &String| now.contains(text);
        until(async || self.text(css).await, is_there).await;
    }

    /// Waits until a script answers this.
    pub(super) async fn until_run(&self, script: &str, answer: Value) {
        until(async || self.run(script).await, |now| *now == answer).await;
    }

    pub(super) async fn tab(&self) -> WindowHandle {
        self.client.window().await.unwrap()
    }

    /// Opens a tab, which is the one that everything is done in from now on.
    pub(super) async fn new_tab(&self, url: &str) -> WindowHandle {
        let tab = self.client.new_window(true).await.unwrap().handle;
        self.switch_to(&tab).await;
        self.open(url).await;
        tab
    }

    pub(super) async fn switch_to(&self, tab: &WindowHandle) {
        self.client.switch_to_window(tab.clone()).await.unwrap();
    }
}

/// Asks until the answer is as it should be. A page that is just going has none.
async fn until<T: Debug>(ask: impl AsyncFn() -> Result<T, CmdError>, is_right: impl Fn(&T) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask().await;
        if answer.as_ref().is_ok_and(&is_right) {
            return;
        }
        assert!(Instant::now() < deadline, "it stays {answer:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn capabilities(chromium: &Path, profile: &Path, view: View) -> Value {
    let mut arguments = ARGUMENTS.map(String::from).to_vec();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let mut options = json!({"binary": chromium, "args": arguments});
    match view {
        View::Desktop => {}
        View::WithoutJavaScript => {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        View::Phone => {
            let screen = json!({"width": 360, "height": 740, "pixelRatio": 2.0});
            options["mobileEmulation"] = json!({"deviceMetrics": screen});
        }
    }
    json!({"goog:chromeOptions": options})
}

/// The first of these programs that is there.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}
