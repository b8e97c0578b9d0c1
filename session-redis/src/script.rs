use std::sync::LazyLock;

use redis::Cmd;

/// A script, which runs as one step on the server. It is sent once to a server, and called by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Reserve,
    ReserveWithin,
    Bar,
    Create,
    End,
    Heal,
    Look,
    Purge,
    Renew,
    Touch,
    Update,
    WorkClaim,
    WorkFinish,
    WorkGiveBack,
    WorkKeep,
}

static TEXTS: LazyLock<[Text; Script::ALL.len()]> =
    LazyLock::new(|| Script::ALL.map(|script| Text::new(script.text())));

struct Text {
    text: &'static str,
    hash: String,
}

impl Text {
    fn new(text: &'static str) -> Self {
        let hash = redis::Script::new(text).get_hash().to_owned();
        Self { text, hash }
    }
}

/// The text of a script, after what all scripts have in common, and those of its kind.
macro_rules! text {
    ($($part:literal),+) => {
        concat!(include_str!("scripts/time.lua"), $("\n", include_str!(concat!("scripts/", $part, ".lua"))),+)
    };
}

impl Script {
    pub(crate) const ALL: [Self; 15] = [
        // What lists a session comes first: nobody finds a server that knows only how to make it.
        Self::Reserve,
        Self::ReserveWithin,
        Self::Bar,
        Self::Create,
        Self::End,
        Self::Heal,
        Self::Look,
        Self::Purge,
        Self::Renew,
        Self::Touch,
        Self::Update,
        Self::WorkClaim,
        Self::WorkFinish,
        Self::WorkGiveBack,
        Self::WorkKeep,
    ];

    /// The command that makes it known to the server.
    pub(crate) fn load(self) -> Cmd {
        let mut command = redis::cmd("SCRIPT");
        command.arg("LOAD").arg(TEXTS[self as usize].text);
        command
    }

    /// The command that runs it on these keys; the arguments are to be added.
    pub(crate) fn on(self, keys: &[String]) -> Cmd {
        // Room for most, so that it grows seldom.
        let mut command = Cmd::with_capacity(16, 512);
        command.arg("EVALSHA");
        command.arg(&TEXTS[self as usize].hash).arg(keys.len()).arg(keys);
        command
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Bar => text!("record", "over", "bar"),
            Self::Create => text!("write", "create"),
            Self::End => text!("record", "over", "end"),
            Self::Heal => text!("index", "heal"),
            Self::Look => text!("open", "look"),
            Self::Purge => text!("index", "purge"),
            Self::Renew => text!("over", "write", "changes", "renew"),
            Self::Reserve => text!("index", "reserve"),
            Self::ReserveWithin => text!("index", "reserve_within"),
            Self::Touch => text!("open", "touch"),
            Self::Update => text!("open", "write", "changes", "update"),
            Self::WorkClaim => text!("work", "work_claim"),
            Self::WorkFinish => text!("work", "work_finish"),
            Self::WorkGiveBack => text!("work", "work_give_back"),
            Self::WorkKeep => text!("work", "work_keep"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_found_by_its_number() {
        for (i, script) in Script::ALL.into_iter().enumerate() {
            assert_eq!(script as usize, i);
        }
    }
}
