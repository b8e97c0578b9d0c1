//! A Redis server of the tests' own: on a free port, in a temporary folder, gone with the process that started it.
//!
//! Needs nothing but std and tempfile, so that other crates' tests can take this file in by its path.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a panic is the failure message")]

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, Read},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{self, Child, ChildStdin, Command, Stdio},
    sync::{
        atomic::{AtomicU16, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// The user that every server has, and its password here.
pub(crate) const USER: &str = "default";
pub(crate) const PASSWORD: &str = "a-secret-of-the-tests";

/// A server certificate and its key, in PEM.
pub(crate) struct Tls {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// A running server. Dropping it stops it and removes its folder; so does the end of the process, however it comes.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    tls: bool,
    /// More settings, each with its value.
    settings: Vec<(String, String)>,
    is_sentinel: bool,
    process: Option<Child>,
    /// Stops the server when the other end of its input, which this process holds, is closed.
    watchdog: Child,
    lifeline: Option<ChildStdin>,
}

impl Server {
    /// A server that forgets everything when it ends.
    pub(crate) fn start() -> Self {
        Self::start_with(None, &[])
    }

    /// A server that has on disk what it has acknowledged.
    pub(crate) fn start_durable() -> Self {
        Self::start_with(None, &[("appendonly", "yes"), ("appendfsync", "always")])
    }

    /// A sentinel, with its own part of the configuration.
    pub(crate) fn start_sentinel(tls: Option<&Tls>, settings: &[(&str, &str)], lines: &str) -> Self {
        Self::start_as(tls, settings, Some(lines))
    }

    pub(crate) fn start_with(tls: Option<&Tls>, settings: &[(&str, &str)]) -> Self {
        Self::start_as(tls, settings, None)
    }

    fn start_as(tls: Option<&Tls>, settings: &[(&str, &str)], sentinel: Option<&str>) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("session-redis-")
            .tempdir()
            .unwrap()
            .keep();
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let lifeline = watchdog.stdin.take();
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut server = Self {
            port: 0,
            tls: tls.is_some(),
            settings: settings.collect(),
            is_sentinel: sentinel.is_some(),
            process: None,
            watchdog,
            lifeline,
            folder,
        };
        if let Some(tls) = tls {
            fs::write(server.folder.join("server.crt"), &tls.certificate).unwrap();
            fs::write(server.folder.join("server.key"), &tls.key).unwrap();
        }
        if let Some(lines) = sentinel {
            fs::write(server.folder.join("sentinel.conf"), lines).unwrap();
        }
        // Another process may take a port that was free a moment ago.
        let started = (0..5).find_map(|_| {
            server.port = free_port();
            server.try_start().ok()
        });
        if started.is_none() {
            server.restart();
        }
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        self.url_as(USER, PASSWORD)
    }

    pub(crate) fn url_as(&self, user: &str, password: &str) -> String {
        format!("redis://{user}:{password}@127.0.0.1:{}", self.port)
    }

    /// Starts it again on the same port, and waits until it takes connections.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.is_none(), "it runs");
        if let Err(log) = self.try_start() {
            panic!("Redis did not start:\n{log}");
        }
    }

    /// Ends it at once, with no chance to say a word.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
        fs::remove_file(self.folder.join("redis.pid")).unwrap();
    }

    /// Ends it as an administrator does.
    pub(crate) fn stop(&mut self) {
        self.signal("-TERM");
        let mut process = self.process.take().expect("it runs");
        process.wait().unwrap();
    }

    /// Whether it has been started and not been stopped.
    pub(crate) fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Says something to it, as its administrator.
    pub(crate) fn cli(&self, command: &str) {
        self.answer(command);
    }

    /// What it answers to that.
    pub(crate) fn answer(&self, command: &str) -> String {
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", &self.port.to_string()])
            .args(command.split(' '))
            .env("REDISCLI_AUTH", PASSWORD);
        let output = cli.output().unwrap();
        assert!(output.status.success(), "{cli:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Stops it in its tracks.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets a frozen server go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn try_start(&mut self) -> Result<(), String> {
        let port = self.port.to_string();
        let (plain, tls) = if self.tls {
            ("0", port.as_str())
        } else {
            (port.as_str(), "0")
        };
        let mut command = Command::new("redis-server");
        command.current_dir(&self.folder).stdin(Stdio::null()).process_group(0);
        if self.is_sentinel {
            // It writes there what it finds out.
            command.args(["sentinel.conf", "--sentinel"]);
        }
        for (name, value) in [
            ("bind", "127.0.0.1"),
            ("port", plain),
            ("tls-port", tls),
            ("requirepass", PASSWORD),
            ("save", ""),
            ("pidfile", "redis.pid"),
        ] {
            // A Redis that was built without TLS does not know its settings.
            if self.tls || name != "tls-port" {
                command.arg(format!("--{name}")).arg(value);
            }
        }
        if self.tls {
            command.args(["--tls-cert-file", "server.crt", "--tls-key-file", "server.key"]);
            command.args(["--tls-auth-clients", "no"]);
        }
        for (name, value) in &self.settings {
            command.arg(format!("--{name}")).arg(value);
        }
        let mut process = match command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("there is no `redis-server` on this machine, and these tests need it: `./check` installs it")
            }
            Err(error) => panic!("{command:?}: {error}"),
        };
        let log = process.stdout.take().unwrap();
        if let Err(log) = wait_until_ready(log) {
            // It may hang instead of having ended.
            let _ended_already = process.kill();
            process.wait().unwrap();
            return Err(log);
        }
        self.process = Some(process);
        Ok(())
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("it runs").id().to_string();
        let status = Command::new("kill").args([signal, &process]).status().unwrap();
        assert!(status.success(), "kill {signal} {process}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
        drop(self.lifeline.take());
        let _status = self.watchdog.wait();
    }
}

/// Waits until the process that started it closes the pipe, by will or by its end. Then it stops a server that still
/// runs, frozen or not, and removes the folder.
const WATCHDOG: &str = r#"
cat > /dev/null
if [ -f "$1/redis.pid" ]; then kill -KILL "$(cat "$1/redis.pid")"; fi 2> /dev/null
rm -rf "$1"
"#;

/// Reads the server's log up to the line that says it is ready, and then on, so that it never waits for its reader.
fn wait_until_ready(log: impl Read + Send + 'static) -> Result<(), String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let _nobody_listens = sender.send(line);
        }
    });
    let mut seen = String::new();
    loop {
        match receiver.recv_timeout(Duration::from_secs(60)) {
            Ok(line) if line.contains("Ready to accept connections") || line.contains("Sentinel ID is") => {
                return Ok(());
            }
            Ok(line) => seen = seen + &line + "\n",
            Err(error) => return Err(format!("{seen}{error}")),
        }
    }
}

/// A port below those that the system gives to clients: while a server is down, none of them takes its port.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(process::id() % 9000).unwrap();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 9000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
