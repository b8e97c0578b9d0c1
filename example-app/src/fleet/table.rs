use super::platform::Row;

/// Colours that can be told apart, also by the colour-blind, as far as a terminal's eight allow.
const READY: &str = "\x1b[32m";
const WAITING: &str = "\x1b[33m";
pub(super) const DIM: &str = "\x1b[2m";
pub(super) const PLAIN: &str = "\x1b[0m";

/// How many columns and lines a terminal has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) lines: usize,
}

impl Size {
    #[cfg(unix)]
    pub(super) fn of_terminal() -> Self {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
        let told = |told: u16, usual| if told == 0 { usual } else { usize::from(told) };
        size.map_or(Self::USUAL, |size| Self {
            columns: told(size.ws_col, Self::USUAL.columns),
            lines: told(size.ws_row, Self::USUAL.lines),
        })
    }

    #[cfg(not(unix))]
    pub(super) fn of_terminal() -> Self {
        Self::USUAL
    }

    const USUAL: Self = Self { columns: 80, lines: 24 };
}

/// The instances, a line each, under a headline.
pub(super) fn table(rows: &[Row], colour: bool) -> Vec<String> {
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
pub(super) fn fit(mut lines: Vec<String>, size: Size) -> Vec<String> {
    let room = size.lines.saturating_sub(1).max(2);
    if lines.len() > room {
        let left_out = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(format!("{DIM}and {left_out} more: see status{PLAIN}"));
    }
    lines.iter().map(|line| cut(line, size.columns)).collect()
}

/// The first so many characters of a line; its colours take no place.
pub(super) fn cut(line: &str, width: usize) -> String {
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
pub(super) mod tests {
    use super::*;

    /// So many instances that are ready.
    pub(in crate::fleet) fn rows(count: u32) -> Vec<Row> {
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
}
