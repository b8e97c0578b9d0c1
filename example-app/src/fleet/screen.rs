use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing_subscriber::fmt::MakeWriter;

use super::{
    platform::Row,
    table::{DIM, PLAIN, Size, cut, fit, table},
};

/// What the fleet says. On a terminal a table of the instances stays at the bottom and is kept up to date, above the
/// line that is typed; elsewhere only what happens is told, a line each.
///
/// What is logged goes through it too, so that it comes above the table and not into it.
#[derive(Clone, Debug)]
pub(crate) struct Screen(Arc<Mutex<Drawing>>);

#[derive(Debug)]
struct Drawing {
    is_terminal: bool,
    /// How many lines of the table are on the terminal, above the line that is typed.
    drawn: usize,
    /// What they say.
    shown: Vec<String>,
}

/// What the line is for that is typed.
const PROMPT: &str = "scale N, restart K, kill K, roll, status >";

impl Screen {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Drawing {
            is_terminal: io::stdout().is_terminal(),
            drawn: 0,
            shown: Vec::new(),
        })))
    }

    /// Tells what happened.
    pub(super) fn say(&self, line: &str) {
        let mut drawing = self.drawing();
        print(&(drawing.clear() + line + "\n"));
    }

    /// Passes on what was logged: lines, each with its end.
    pub(super) fn log(&self, lines: &str) {
        let mut drawing = self.drawing();
        if io::stderr().is_terminal() {
            print(&drawing.clear());
        }
        // Whoever does not read it any more does not want it.
        let _gone = io::stderr().write_all(lines.as_bytes());
    }

    /// Shows the instances as they are now, if this is a terminal.
    pub(super) fn keep(&self, rows: &[Row]) {
        let mut drawing = self.drawing();
        if drawing.is_terminal && !rows.is_empty() {
            print(&drawing.keep(rows, Size::of_terminal()));
        }
    }

    /// A line was typed: the table is where it was, and no longer above the next one.
    pub(super) fn typed(&self) {
        self.drawing().drawn = 0;
    }

    /// Shows the instances once.
    pub(super) fn show(&self, rows: &[Row]) {
        let is_terminal = self.drawing().is_terminal;
        for line in table(rows, is_terminal) {
            match is_terminal {
                true => self.say(&cut(&line, Size::of_terminal().columns)),
                false => self.say(&line),
            }
        }
    }

    fn drawing(&self) -> MutexGuard<'_, Drawing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drawing {
    /// What takes the table away; it is drawn again below what is said then.
    fn clear(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            drawn => format!("\r\x1b[{drawn}A\x1b[J"),
        }
    }

    /// What brings the table up to date.
    fn keep(&mut self, rows: &[Row], size: Size) -> String {
        let lines = fit(table(rows, true), size);
        if self.drawn > 0 && lines == self.shown {
            return String::new();
        }
        let mut text = String::new();
        if self.drawn == lines.len() {
            // In place, with what is being typed left alone.
            text += &format!("\x1b7\r\x1b[{}A", self.drawn);
            for line in &lines {
                text += &format!("{line}\x1b[K\n");
            }
            text += "\x1b8";
        } else {
            text += &self.clear();
            for line in &lines {
                text += &format!("{line}\n");
            }
            text += &cut(&format!("{DIM}{PROMPT}{PLAIN} "), size.columns.saturating_sub(1));
            self.drawn = lines.len();
        }
        self.shown = lines;
        text
    }
}

/// The log's way to the terminal, an event at a time.
impl<'a> MakeWriter<'a> for Screen {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Screen {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.log(&String::from_utf8_lossy(event));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whoever does not read it any more does not want it.
fn print(text: &str) {
    let mut output = io::stdout().lock();
    let _gone = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::table::tests::rows;

    #[test]
    fn what_is_said_takes_the_tables_place() {
        let size = Size { columns: 80, lines: 24 };
        let mut drawing = Drawing {
            is_terminal: true,
            drawn: 0,
            shown: Vec::new(),
        };
        assert_eq!(drawing.clear(), "", "there is no table yet");
        assert!(drawing.keep(&rows(2), size).ends_with(&format!("{PROMPT}{PLAIN} ")));
        assert_eq!(drawing.keep(&rows(2), size), "", "nothing has changed");
        assert_eq!(drawing.clear(), "\r\x1b[3A\x1b[J");
        assert!(
            drawing.keep(&rows(2), size).contains(PROMPT),
            "it is drawn again, below"
        );
        // One that has grown is drawn anew, and one that has not in its place.
        assert!(drawing.keep(&rows(3), size).starts_with("\r\x1b[3A\x1b[J"));
        let mut busier = rows(3);
        busier[0].requests = 8;
        assert!(drawing.keep(&busier, size).starts_with("\x1b7\r\x1b[4A"));
    }
}
