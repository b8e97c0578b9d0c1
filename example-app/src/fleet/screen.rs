use std::io::{self, IsTerminal, Write};

use super::platform::Row;

/// What the fleet says. On a terminal a table of the instances stays at the bottom and is kept up to date, above the
/// line that is typed; elsewhere only what happens is told, a line each.
#[derive(Debug)]
pub(super) struct Screen {
    is_terminal: bool,
    /// How many lines of the table are on the terminal, above the line that is typed.
    drawn: usize,
    /// What they say.
    shown: Vec<String>,
}

/// Colours that can be told apart, also by the colour-blind, as far as a terminal's eight allow.
const READY: &str = "\x1b[32m";
const WAITING: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            is_terminal: io::stdout().is_terminal(),
            drawn: 0,
            shown: Vec::new(),
        }
    }

    /// Tells what happened.
    pub(super) fn say(&mut self, line: &str) {
        if self.is_terminal && self.drawn > 0 {
            // Over the table; the next look draws it again below.
            print!("\r\x1b[{}A\x1b[J", self.drawn);
            self.drawn = 0;
        }
        println!("{line}");
    }

    /// Shows the instances as they are now, if this is a terminal.
    pub(super) fn keep(&mut self, rows: &[Row]) {
        if !self.is_terminal || rows.is_empty() {
            return;
        }
        let lines = table(rows, true);
        if self.drawn > 0 && lines == self.shown {
            return;
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
            if self.drawn > 0 {
                text += &format!("\r\x1b[{}A\x1b[J", self.drawn);
            }
            for line in &lines {
                text += &format!("{line}\n");
            }
            text += &format!("{DIM}scale N, restart K, kill K, roll, status >{PLAIN} ");
            self.drawn = lines.len();
        }
        self.shown = lines;
        print!("{text}");
        let _gone = io::stdout().flush();
    }

    /// A line was typed: the table is where it was, and no longer above the next one.
    pub(super) fn typed(&mut self) {
        self.drawn = 0;
    }

    /// Shows the instances once.
    pub(super) fn show(&mut self, rows: &[Row]) {
        for line in table(rows, self.is_terminal) {
            self.say(&line);
        }
    }
}

fn table(rows: &[Row], colour: bool) -> Vec<String> {
    let paint = |colour_of: &str, text: String| match colour {
        true => format!("{colour_of}{text}{PLAIN}"),
        false => text,
    };
    let head = format!(
        "{:>8}  {:<9} {:>9} {:>9}  {:<22} store",
        "instance", "state", "requests", "sessions", "address"
    );
    let mut lines = vec![paint(DIM, head)];
    lines.extend(rows.iter().map(|row| {
        let state = paint(
            if row.state == "ready" { READY } else { WAITING },
            format!("{:<9}", row.state),
        );
        format!(
            "{:>8}  {state} {:>9} {:>9}  {:<22} {}",
            row.index, row.requests, row.sessions, row.address, row.store
        )
    }));
    lines
}
