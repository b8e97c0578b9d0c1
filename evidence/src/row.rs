use std::time::Duration;

use crate::{
    fault::{Excuse, Fault},
    fleet::Size,
    history::Broken,
    instance::DEADLINE,
    tally::{Tally, When},
    topology::Topology,
};

/// What a round showed.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) topology: Topology,
    /// What happened.
    pub(crate) faults: Vec<Fault>,
    pub(crate) tally: Tally,
    /// From when all was mended until the last request ended that was not answered with yes.
    pub(crate) recovery: Duration,
    /// How long the machine itself stood still.
    pub(crate) stall: Duration,
    /// The most connections to the store that all instances opened in a second.
    pub(crate) connections: Option<usize>,
    /// Of an instance, before and after.
    pub(crate) sizes: [Size; 2],
}

impl Row {
    /// The deadline and a tenth.
    const LONGEST: Duration = Duration::from_millis(DEADLINE.as_millis() as u64 * 11 / 10);

    /// Longer than this, and a machine's times say nothing about what runs on it.
    const STILL: Duration = Duration::from_millis(50);

    /// So many connections in a second both instances together may open, whatever happens.
    const MOST_CONNECTIONS: usize = 40;

    /// Whether times are judged.
    pub(crate) fn is_timed(&self) -> bool {
        self.stall <= Self::STILL
    }

    /// What happened, in words.
    pub(crate) fn what(&self) -> String {
        let faults: Vec<_> = self.faults.iter().map(ToString::to_string).collect();
        faults.join(" and ")
    }

    /// What is not as it should be, in words.
    pub(crate) fn flaws(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        for (broken, what) in [
            (Broken::Write, "writes lost or too many"),
            (Broken::Count, "counters wrong"),
            (Broken::Session, "sessions lost"),
            (Broken::Ended, "ended sessions opened"),
        ] {
            let excused = self.faults.iter().map(|fault| fault.excuses(self.topology, broken));
            let unexcused = match excused.max().unwrap_or(Excuse::Nothing) {
                Excuse::Nothing => &When::ALL[..],
                Excuse::TheLatest => &[When::Before, When::Since],
                Excuse::Anything => &[When::Since],
            };
            let times = self.tally.times(broken, unexcused);
            if times > 0 {
                flaws.push(format!("{times} {what}"));
            }
        }
        if self.tally.unexpected > 0 {
            flaws.push(format!("{} answers that should not be", self.tally.unexpected));
        }
        if self.is_timed() && self.tally.longest > Self::LONGEST {
            flaws.push(format!("an answer took {:?}", self.tally.longest));
        }
        if self.is_timed() && self.faults.iter().all(|fault| self.recovery > fault.recovery()) {
            flaws.push(format!("recovered after {:?}", self.recovery));
        }
        let is_unnoticed = self.is_timed() && self.faults.iter().all(|fault| fault.is_unnoticed());
        if is_unnoticed && self.tally.refused > 0 {
            flaws.push(format!("{} requests refused", self.tally.refused));
        }
        let is_bounded = self.faults.iter().all(|fault| fault.is_bounded());
        if let Some(connections) = self
            .connections
            .filter(|most| is_bounded && *most > Self::MOST_CONNECTIONS)
        {
            flaws.push(format!("{connections} connections in a second"));
        }
        let [before, after] = self.sizes;
        if after.tasks > before.tasks + 2 {
            flaws.push(format!("{} tasks more", after.tasks - before.tasks));
        }
        // Allocators keep some, and each instance begins cold.
        if after.memory > 2 * before.memory {
            flaws.push(format!("{} KiB instead of {}", after.memory, before.memory));
        }
        if after.files > before.files + 4 {
            flaws.push(format!("{} files more", after.files - before.files));
        }
        flaws
    }
}
