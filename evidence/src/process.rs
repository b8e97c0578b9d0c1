use std::{io, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

/// How long an instance may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that prints a line when it is ready, and ends when its input does. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    _input: Option<ChildStdin>,
    /// What it printed.
    pub(crate) line: String,
}

impl Process {
    pub(crate) async fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("it has no output"))?;
        let mut lines = BufReader::new(output).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.map_err(io::Error::other)??;
        Ok(Self {
            _input: child.stdin.take(),
            child,
            line: line.ok_or_else(|| io::Error::other("it ended before it was ready"))?,
        })
    }

    /// Ends it with no chance to say a word.
    pub(crate) async fn kill(&mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Stops it in its tracks, or lets it go on.
    pub(crate) async fn signal(&self, signal: &str) -> io::Result<()> {
        let id = self
            .child
            .id()
            .ok_or_else(|| io::Error::other("it has ended"))?
            .to_string();
        let status = Command::new("kill").args([signal, &id]).status().await?;
        status
            .success()
            .then_some(())
            .ok_or_else(|| io::Error::other("it cannot be told"))
    }
}
