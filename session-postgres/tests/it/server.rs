//! A PostgreSQL server of the tests' own: on a free port, in a temporary folder, gone with the process that started it.
//!
//! Needs nothing but std and tempfile, so that other crates' tests can take this file in by its path.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a panic is the failure message")]

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// The superuser and its password.
pub(crate) const USER: &str = "postgres";
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
    /// Whom the server runs as, where the tests run as root: PostgreSQL refuses root.
    owner: Option<(u32, u32)>,
    tls: bool,
    durable: bool,
    postmaster: Option<Child>,
    /// Stops the server when the other end of its input, which this process holds, is closed.
    watchdog: Child,
    lifeline: Option<ChildStdin>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    pub(crate) fn start_with(tls: Option<&Tls>) -> Self {
        Self::start_as(tls, false)
    }

    /// A server that has on disk what it has acknowledged.
    pub(crate) fn start_durable() -> Self {
        Self::start_as(None, true)
    }

    fn start_as(tls: Option<&Tls>, durable: bool) -> Self {
        let mut server = Self::prepare(tls.is_some(), durable);
        server.create_cluster();
        if let Some(tls) = tls {
            server.write("server.crt", &tls.certificate);
            server.write("server.key", &tls.key);
        }
        server.restart();
        server
    }

    /// A server that follows this one, and whose word this one waits for before it acknowledges anything.
    pub(crate) fn start_standby(&self) -> Self {
        let mut standby = Self::prepare(self.tls, self.durable);
        let mut copy = standby.command("pg_basebackup");
        copy.args([
            "--host",
            "127.0.0.1",
            "--port",
            &self.port.to_string(),
            "--username",
            USER,
        ])
        .args(["--checkpoint", "fast", "--no-sync", "--write-recovery-conf", "--pgdata"])
        .arg(standby.data())
        .env("PGPASSWORD", PASSWORD);
        output(&mut copy);
        standby.restart();
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("SELECT pg_reload_conf()");
        standby
    }

    /// A server with a disk of 160 MiB for itself, which only root can give it.
    pub(crate) fn start_on_small_disk() -> Self {
        let mut server = Self::prepare(false, true);
        fs::create_dir(server.data()).unwrap();
        let (user, group) = server.owner.expect("only root mounts disks");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o"]);
        mount.arg(format!("size=160m,mode=700,uid={user},gid={group}"));
        output(mount.arg("session-pg").arg(server.data()));
        server.create_cluster();
        server.restart();
        server
    }

    /// Leaves no room on its [small disk](Self::start_on_small_disk), and has it look for some.
    pub(crate) fn fill_disk(&self) {
        let mut ballast = fs::File::create(self.data().join("ballast")).unwrap();
        let block = vec![0; 64 * 1024];
        while ballast.write_all(&block).is_ok() {}
        // A new segment of the log has to be made: if not by this, then by whoever writes next.
        for _ in 0..8 {
            let mut psql =
                self.psql("SELECT pg_switch_wal(), pg_logical_emit_message(true, 'ballast', repeat('x', 9999))");
            let _refused = psql.output();
        }
    }

    /// Gives the room back, and starts the server again if it has given up.
    pub(crate) fn free_disk(&mut self) {
        fs::remove_file(self.data().join("ballast")).unwrap();
        let ended = self
            .postmaster
            .as_mut()
            .is_none_or(|postmaster| postmaster.try_wait().unwrap().is_some());
        if ended {
            self.postmaster = None;
            self.restart();
        }
    }

    /// Makes a standby a server that takes writes.
    pub(crate) fn promote(&self) {
        output(
            self.command("pg_ctl")
                .args(["promote", "--wait", "--pgdata"])
                .arg(self.data()),
        );
    }

    /// Runs a statement as the superuser.
    pub(crate) fn sql(&self, statement: &str) -> String {
        output(&mut self.psql(statement))
    }

    fn psql(&self, statement: &str) -> Command {
        let mut psql = self.command("psql");
        psql.args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--command",
            statement,
        ])
        .arg(self.url());
        psql
    }

    /// Its folder, and what removes that.
    fn prepare(tls: bool, durable: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("session-pg-").tempdir().unwrap().keep();
        let owner = (fs::metadata(&folder).unwrap().uid() == 0).then(unprivileged_user);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let lifeline = watchdog.stdin.take();
        let server = Self {
            folder,
            port: free_port(),
            owner,
            tls,
            durable,
            postmaster: None,
            watchdog,
            lifeline,
        };
        server.give_to_owner(&server.folder);
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its unix socket.
    pub(crate) fn socket_folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn url(&self) -> String {
        self.url_as(USER, PASSWORD)
    }

    pub(crate) fn url_as(&self, user: &str, password: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it again on the same port, and waits until it takes connections.
    pub(crate) fn restart(&mut self) {
        assert!(self.postmaster.is_none(), "it runs");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        for setting in [
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.folder.display()),
            format!("ssl={}", if self.tls { "on" } else { "off" }),
            "listen_addresses=127.0.0.1".to_owned(),
            "max_connections=200".to_owned(),
            // The machine is not switched off during a test; what a killed server wrote, the system still has.
            format!("fsync={}", if self.durable { "on" } else { "off" }),
        ] {
            command.args(["-c", &setting]);
        }
        let mut postmaster = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = postmaster.stderr.take().unwrap();
        self.postmaster = Some(postmaster);
        wait_until_ready(log);
    }

    /// Ends it as an administrator does: connections are told and closed, nothing is lost.
    pub(crate) fn stop_fast(&mut self) {
        self.stop("-INT");
    }

    /// Ends all of its processes at once, with no chance to say a word.
    pub(crate) fn kill(&mut self) {
        self.freeze();
        let processes = self.processes();
        signal("-KILL", &processes);
        self.postmaster.take().unwrap().wait().unwrap();
        // Until the last of them is gone, no server starts on the same data.
        let deadline = Instant::now() + Duration::from_secs(30);
        while processes.iter().copied().any(is_running) {
            assert!(Instant::now() < deadline, "what was killed still runs");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops all of its processes in their tracks.
    pub(crate) fn freeze(&self) {
        // First the one that makes new ones.
        signal("-STOP", &self.processes()[..1]);
        signal("-STOP", &self.processes());
    }

    /// Lets a frozen server go on.
    pub(crate) fn thaw(&self) {
        signal("-CONT", &self.processes());
    }

    fn stop(&mut self, how: &str) {
        if let Some(mut postmaster) = self.postmaster.take() {
            signal(how, &[postmaster.id()]);
            postmaster.wait().unwrap();
        }
    }

    /// The process ids of the server: of the postmaster, then of its children.
    fn processes(&self) -> Vec<u32> {
        let postmaster = self.postmaster.as_ref().expect("it runs").id();
        let table = output(Command::new("ps").args(["-A", "-o", "pid=", "-o", "ppid="]));
        let children = table.lines().filter_map(|line| {
            let (process, parent) = line.trim().split_once(char::is_whitespace)?;
            let process = process.parse().ok()?;
            (parent.trim().parse() == Ok(postmaster)).then_some(process)
        });
        [postmaster].into_iter().chain(children).collect()
    }

    fn create_cluster(&self) {
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).unwrap();
        self.give_to_owner(&password);
        let mut command = self.command("initdb");
        command.args(["--username", USER, "--encoding", "UTF8", "--locale", "C", "--no-sync"]);
        // What everybody should use takes a tenth of a second in a client that was compiled without optimisation.
        command.args(["--auth-local", "scram-sha-256", "--auth-host", "password"]);
        command.arg("--pwfile").arg(password).arg(self.data());
        output(&mut command);
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.data().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.give_to_owner(&path);
    }

    fn give_to_owner(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program of PostgreSQL's, to be run as who may run it.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .env("LC_ALL", "C")
            .process_group(0);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.postmaster.is_some() {
            self.thaw();
            self.stop("-QUIT");
        }
        drop(self.lifeline.take());
        let _status = self.watchdog.wait();
    }
}

/// Waits until the process that started it closes the pipe, by will or by its end. Then it stops a server that still
/// runs, frozen or not, and removes the folder.
const WATCHDOG: &str = r#"
cat > /dev/null
postmaster=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null)
if [ -n "$postmaster" ]; then
    kill -QUIT "$postmaster"
    ps -A -o pid= -o ppid= | while read -r process parent; do
        if [ "$process" = "$postmaster" ] || [ "$parent" = "$postmaster" ]; then kill -CONT "$process"; fi
    done
    tries=0
    while kill -0 "$postmaster" && [ $tries -lt 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
fi 2> /dev/null
if mountpoint -q "$1/data"; then umount "$1/data"; fi 2> /dev/null
rm -rf "$1"
"#;

/// Reads the server's log up to the line that says it is ready, and then on, so that it never waits for its reader.
fn wait_until_ready(log: impl Read + Send + 'static) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let _nobody_listens = sender.send(line);
        }
    });
    let mut seen = String::new();
    loop {
        match receiver.recv_timeout(Duration::from_secs(60)) {
            Ok(line) if line.contains("database system is ready to accept") => return,
            Ok(line) => seen = seen + &line + "\n",
            Err(error) => panic!("PostgreSQL did not start ({error}):\n{seen}"),
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn signal(signal: &str, processes: &[u32]) {
    for process in processes {
        // One that has ended meanwhile needs none.
        let _status = Command::new("kill")
            .args([signal, &process.to_string()])
            .stderr(Stdio::null())
            .status();
    }
}

/// Whether a process runs. One that has ended and that nobody has asked for its status yet does not.
fn is_running(process: u32) -> bool {
    let state = Command::new("ps")
        .args(["-o", "stat=", "-p", &process.to_string()])
        .output()
        .unwrap();
    !matches!(state.stdout.first(), None | Some(b'Z'))
}

/// The user and group to run a server as.
fn unprivileged_user() -> (u32, u32) {
    let id = |flag: &str, user: &str| {
        let output = Command::new("id").args([flag, user]).output().unwrap();
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let users = ["postgres", "nobody"].into_iter();
    let mut known = users.filter_map(|user| Some((id("-u", user)?, id("-g", user)?)));
    known
        .next()
        .expect("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
}

/// A program of PostgreSQL's: on the path, or where Debian, Homebrew and others put it; the newest of them.
fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<_> = env::split_paths(&path).map(|folder| folder.join(name)).collect();
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/opt/homebrew/opt", "postgresql"),
        ("/usr/local/opt", "postgresql"),
        ("/usr", "pgsql-"),
    ] {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        let mut folders: Vec<_> = folders.map(|entry| entry.path().join("bin").join(name)).collect();
        folders.sort();
        found.extend(folders.into_iter().rev());
    }
    let Some(program) = found.into_iter().find(|program| program.is_file()) else {
        panic!("there is no `{name}` on this machine, and these tests need PostgreSQL: `./check` installs it");
    };
    program
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
