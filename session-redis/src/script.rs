use std::sync::LazyLock;

use redis::Cmd;

/// A script, which runs as one step on the server. It is sent once to a server, and called by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Bar,
    Create,
    End,
    Heal,
    Look,
    Purge,
    Renew,
    Reserve,
    ReserveWithin,
    Settle,
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
    ($common:literal, $own:literal) => {
        concat!(
            include_str!("scripts/time.lua"),
            "\n",
            include_str!($common),
            "\n",
            include_str!($own)
        )
    };
}

impl Script {
    pub(crate) const ALL: [Self; 16] = [
        Self::Bar,
        Self::Create,
        Self::End,
        Self::Heal,
        Self::Look,
        Self::Purge,
        Self::Renew,
        Self::Reserve,
        Self::ReserveWithin,
        Self::Settle,
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
        let mut command = redis::cmd("EVALSHA");
        command.arg(&TEXTS[self as usize].hash).arg(keys.len()).arg(keys);
        command
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Bar => text!("scripts/record.lua", "scripts/bar.lua"),
            Self::Create => text!("scripts/record.lua", "scripts/create.lua"),
            Self::End => text!("scripts/record.lua", "scripts/end.lua"),
            Self::Heal => text!("scripts/index.lua", "scripts/heal.lua"),
            Self::Look => text!("scripts/record.lua", "scripts/look.lua"),
            Self::Purge => text!("scripts/index.lua", "scripts/purge.lua"),
            Self::Renew => text!("scripts/record.lua", "scripts/renew.lua"),
            Self::Reserve => text!("scripts/index.lua", "scripts/reserve.lua"),
            Self::ReserveWithin => text!("scripts/index.lua", "scripts/reserve_within.lua"),
            Self::Settle => text!("scripts/index.lua", "scripts/settle.lua"),
            Self::Touch => text!("scripts/record.lua", "scripts/touch.lua"),
            Self::Update => text!("scripts/record.lua", "scripts/update.lua"),
            Self::WorkClaim => text!("scripts/work.lua", "scripts/work_claim.lua"),
            Self::WorkFinish => text!("scripts/work.lua", "scripts/work_finish.lua"),
            Self::WorkGiveBack => text!("scripts/work.lua", "scripts/work_give_back.lua"),
            Self::WorkKeep => text!("scripts/work.lua", "scripts/work_keep.lua"),
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
