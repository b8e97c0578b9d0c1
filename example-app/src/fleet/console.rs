use std::{
    io::{BufRead, stdin},
    str::FromStr,
    thread,
};

use tokio::sync::mpsc;

/// What can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Run this many instances.
    Scale(u32),
    /// Stop an instance, and start it again.
    Restart(u32),
    /// End an instance without a goodbye. A platform starts it again.
    Kill(u32),
    /// Deploy: new instances take over from the old ones, one by one.
    Roll,
    /// Show the instances.
    Status,
}

/// The most instances a fleet has.
pub(crate) const MOST: u32 = 64;

/// Something was typed that is no command.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no command: type scale N (1 to 64), restart K, kill K, roll or status")]
pub(crate) struct UnknownCommand(String);

impl FromStr for Command {
    type Err = UnknownCommand;

    fn from_str(line: &str) -> Result<Self, UnknownCommand> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |word: &str| word.parse::<u32>().map_err(|_| UnknownCommand(line.trim().to_owned()));
        match words.as_slice() {
            ["scale", n] => match number(n)? {
                n @ 1..=MOST => Ok(Self::Scale(n)),
                _ => Err(UnknownCommand(line.trim().to_owned())),
            },
            ["restart", k] => Ok(Self::Restart(number(k)?)),
            ["kill", k] => Ok(Self::Kill(number(k)?)),
            ["roll"] => Ok(Self::Roll),
            ["status"] => Ok(Self::Status),
            _ => Err(UnknownCommand(line.trim().to_owned())),
        }
    }
}

/// The lines that are typed. Ends with the input; the fleet goes on.
pub(super) fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(8);
    // A thread of its own: one of the runtime's would keep the program from ending until a line is typed.
    thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood_or_refused_with_what_there_is() {
        assert_eq!(" scale  5 ".parse::<Command>().unwrap(), Command::Scale(5));
        assert_eq!("kill 0".parse::<Command>().unwrap(), Command::Kill(0));
        assert_eq!("restart 3".parse::<Command>().unwrap(), Command::Restart(3));
        assert_eq!("roll".parse::<Command>().unwrap(), Command::Roll);
        for line in [
            "scale",
            "scale 0",
            "scale 65",
            "scale -1",
            "kill all",
            "rolling",
            "",
            "scale 2 3",
        ] {
            let error = line.parse::<Command>().unwrap_err().to_string();
            assert!(error.contains("type scale N"), "{error}");
        }
    }
}
