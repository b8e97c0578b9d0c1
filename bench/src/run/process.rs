use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::Failure;

/// A process of this program that does a part of the work. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a part of this program.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self, Failure> {
        Self::spawn(Command::new(env::current_exe()?).args(arguments))
    }

    /// Starts a part of this program under another one.
    pub(crate) fn start_under(command: &mut Command, arguments: &[&str]) -> Result<Self, Failure> {
        Self::spawn(command.arg(env::current_exe()?).args(arguments))
    }

    fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("it has no output")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// Tells it something.
    pub(crate) fn say(&mut self, line: &str) -> io::Result<()> {
        match &mut self.input {
            Some(input) => writeln!(input, "{line}"),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Lets it end by itself, which it does without input.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        drop(self.input.take());
        self.child.wait().map(drop)
    }

    /// Waits for what it says next.
    pub(crate) fn hear(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.output.read_line(&mut line)? {
            0 => Err(io::Error::other("a process of the benchmark's has ended")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
