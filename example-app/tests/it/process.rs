use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process of the tests. It ends when it is dropped, and also when the test process ends without dropping anything.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    guardian: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
}

/// What a process left when it ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) succeeded: bool,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        // Its input ends with this process, and then it ends the child: the app itself does not care about its input.
        let guardian = Command::new("sh")
            .args(["-c", r#"read -r line; kill -9 "$1""#, "guardian"])
            .arg(child.id().to_string())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let output = child.stdout.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _nobody_listens = sender.send(line);
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let errors = thread::spawn(move || {
            let mut text = String::new();
            let _ended = stderr.read_to_string(&mut text);
            text
        });
        Self {
            input: child.stdin.take(),
            child,
            guardian,
            lines,
            errors: Some(errors),
        }
    }

    /// The rest of the first line that has `mark` in it.
    pub(crate) fn line_after(&mut self, mark: &str) -> String {
        let line = self.line_with(mark);
        let (_, rest) = line.split_once(mark).unwrap();
        rest.to_owned()
    }

    /// The first line that has `mark` in it.
    pub(crate) fn line_with(&mut self, mark: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) if line.contains(mark) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("it did not print {mark:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended: {}", self.take_errors()),
            }
        }
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let mut output = String::new();
        loop {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) => output = output + &line + "\n",
                Err(RecvTimeoutError::Timeout) => panic!("it did not end; it printed: {output}"),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ended {
            succeeded: self.child.wait().unwrap().success(),
            output,
            errors: self.take_errors(),
        }
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    /// The processes that it has started and that still run, in the order in which it started them.
    pub(crate) fn children(&self) -> Vec<u32> {
        let table = ps(&["-A", "-o", "ppid=", "-o", "pid=", "-o", "stat="]);
        let mut children: Vec<u32> = table
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let (parent, child, state) = (words.next()?, words.next()?, words.next()?);
                let is_child = parent.parse() == Ok(self.child.id()) && !state.starts_with('Z');
                is_child.then(|| child.parse().ok())?
            })
            .collect();
        children.sort_unstable();
        children
    }

    /// What everybody can see of how they were started.
    pub(crate) fn arguments_of_children(&self) -> String {
        let children: Vec<String> = self.children().iter().map(u32::to_string).collect();
        ps(&["-o", "args=", "-p", &children.join(",")])
    }

    /// Asks it to end, as a platform or a terminal does.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    fn take_errors(&mut self) -> String {
        self.errors
            .take()
            .map(|errors| errors.join().unwrap())
            .unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // First the guardian: once the child is waited for, its id may be anybody's.
        let _ended = self.guardian.kill();
        let _status = self.guardian.wait();
        drop(self.input.take());
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// What `ps` says.
fn ps(arguments: &[&str]) -> String {
    let output = Command::new("ps").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The app, with nothing of this process's environment that it would read.
pub(crate) fn app<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-app"));
    command.args(arguments);
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        let is_read = ["CF_", "VCAP_", "SESSION_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
            || [
                "DATABASE_URL",
                "HTTPS",
                "IDLE_TIMEOUT",
                "MAX_SESSIONS",
                "PORT",
                "RUST_LOG",
                "STORE_TIMEOUT",
                "STORE_URL",
                "TRUSTED_HOPS",
            ]
            .contains(&&*name);
        if is_read {
            command.env_remove(variable);
        }
    }
    command
}

/// An instance of the app: its process and its address.
pub(crate) fn serve(name: &str, store: &str) -> (Process, String) {
    serve_with(name, store, &[])
}

/// The same, with more arguments.
pub(crate) fn serve_with(name: &str, store: &str, arguments: &[&str]) -> (Process, String) {
    let first = ["serve", "--port", "0", "--instance", name, "--store", store];
    let mut process = Process::start(&mut app(first.iter().chain(arguments)));
    let address = process.line_after("listens on ");
    (process, address)
}

/// An instance of the race app: its process and its address.
pub(crate) fn race_app(layer: &str, store: &str) -> (Process, String) {
    let mut process = Process::start(Command::new(example("race_app")).args([layer, store]));
    let address = process.line_after("listens on ");
    (process, address)
}

/// Cargo builds the examples before it runs a package's tests, into a folder beside this program's.
fn example(name: &str) -> PathBuf {
    let this = env::current_exe().unwrap();
    let path = this.parent().unwrap().with_file_name("examples").join(name);
    assert!(
        path.exists(),
        "run `cargo build -p example-app --examples` first: there is no {}",
        path.display()
    );
    path
}
