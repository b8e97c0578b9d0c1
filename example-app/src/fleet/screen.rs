use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing_subscriber::fmt::MakeWriter;

use super::platform::Row;

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

/// How many columns and lines a terminal has.
#[derive(Clone, Copy, Debug)]
struct Size {
    columns: usize,
    lines: usize,
}

/// Colours that can be told apart, also by the colour-blind, as far as a terminal's eight allow.
const READY: &str = "\x1b[32m";
const WAITING: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

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

impl Size {
    #[cfg(unix)]
    fn of_terminal() -> Self {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
        let told = |told: u16, usual| if told == 0 { usual } else { usize::from(told) };
        size.map_or(Self::USUAL, |size| Self {
            columns: told(size.ws_col, Self::USUAL.columns),
            lines: told(size.ws_row, Self::USUAL.lines),
        })
    }

    #[cfg(not(unix))]
    fn of_terminal() -> Self {
        Self::USUAL
    }

    const USUAL: Self = Self { columns: 80, lines: 24 };
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

fn table(rows: &[Row], colour: bool) -> Vec<String> {
    let paint = |colour_of: &str, text: String| match colour {
        true => format!("{colour_of}{text}{PLAIN}"),
        false => text,
    };
    let head = format!(
        "{:>8}  {:<9} {:>9} {:>9}  {:<8}  {:<21} store",
        "instance", "state", "requests", "sessions", "guid", "address"
    );
    let mut lines = vec![paint(DIM, head)];
    lines.extend(rows.iter().map(|row| {
        let state = paint(
            if row.state == "ready" { READY } else { WAITING },
            format!("{:<9}", row.state),
        );
        format!(
            "{:>8}  {state} {:>9} {:>9}  {:<8}  {:<21} {}",
            row.index, row.requests, row.sessions, row.guid, row.address, row.store
        )
    }));
    lines
}

/// As many of the lines as there is room for above the one that is typed, each cut to the width: a line that goes on in
/// the next one, or one that has scrolled away, could not be drawn over.
fn fit(mut lines: Vec<String>, size: Size) -> Vec<String> {
    let room = size.lines.saturating_sub(1).max(2);
    if lines.len() > room {
        let left_out = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(format!("{DIM}and {left_out} more: see status{PLAIN}"));
    }
    lines.iter().map(|line| cut(line, size.columns)).collect()
}

/// The first so many characters of a line; its colours take no place.
fn cut(line: &str, width: usize) -> String {
    let mut kept = String::new();
    let (mut room, mut in_colour) = (width, false);
    for character in line.chars() {
        match character {
            '\x1b' => in_colour = true,
            'm' if in_colour => {
                in_colour = false;
                kept.push(character);
                continue;
            }
            _ => {}
        }
        if !in_colour {
            let Some(less) = room.checked_sub(1) else {
                continue;
            };
            room = less;
        }
        kept.push(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u32) -> Vec<Row> {
        let row = |index| Row {
            index,
            guid: "0f9a6e0a".to_owned(),
            state: "ready",
            address: ([127, 0, 0, 1], 3000).into(),
            requests: 7,
            sessions: 1,
            store: "what a store says that is not available, which may take some words".to_owned(),
        };
        (0..count).map(row).collect()
    }

    /// What is seen of a text.
    fn seen(line: &str) -> String {
        let parts = line.split('\x1b').enumerate();
        let without = parts.map(|(place, part)| match place {
            0 => part,
            _ => part.split_once('m').map_or("", |(_, rest)| rest),
        });
        without.collect()
    }

    #[test]
    fn no_line_of_the_table_is_wider_than_the_terminal() {
        for columns in [1, 20, 60, 200] {
            let size = Size { columns, lines: 24 };
            let whole = table(&rows(3), true);
            for (line, whole) in fit(whole.clone(), size).iter().zip(&whole) {
                let expected: String = seen(whole).chars().take(columns).collect();
                assert_eq!(seen(line), expected);
                assert_eq!(line.matches("\x1b[0m").count(), whole.matches("\x1b[0m").count());
            }
        }
    }

    #[test]
    fn the_table_leaves_a_line_to_be_typed_in() {
        let size = Size {
            columns: 200,
            lines: 10,
        };
        assert_eq!(fit(table(&rows(8), true), size).len(), 9);
        let fitted = fit(table(&rows(64), true), size);
        assert_eq!(fitted.len(), 9);
        assert_eq!(seen(&fitted[8]), "and 57 more: see status");
    }

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
