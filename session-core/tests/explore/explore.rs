use tokio::runtime::{Builder, Runtime};

use crate::{
    scenario::Scenario,
    schedule::{Chooser, Exhaustive},
    world::World,
};

/// How many schedules were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Those that were checked, each up to the order of what does not matter.
    pub(crate) checked: usize,
    /// Those that were given up, for they led to nothing new.
    pub(crate) given_up: usize,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.checked += other.checked;
        self.given_up += other.given_up;
    }
}

/// Runs schedules. Nothing is run but what was decided: its clock stands still, and it has one thread.
pub(crate) struct Explorer(Runtime);

impl Explorer {
    pub(crate) fn new() -> Self {
        let mut runtime = Builder::new_current_thread();
        // All that can run does, before the next decision.
        runtime.enable_time().start_paused(true).event_interval(1_000_000);
        Self(runtime.build().unwrap())
    }

    /// Runs all schedules of a scenario, up to the first that breaks a promise.
    pub(crate) fn explore(&self, scenario: &Scenario) -> Result<Count, String> {
        let mut chooser = Exhaustive::default();
        let mut count = Count::default();
        loop {
            match self.run(scenario, &mut chooser)? {
                true => count.checked += 1,
                false => count.given_up += 1,
            }
            if !chooser.next() {
                return Ok(count);
            }
        }
    }

    /// Runs one schedule; whether it was run to its end.
    pub(crate) fn run(&self, scenario: &Scenario, chooser: &mut dyn Chooser) -> Result<bool, String> {
        self.0.block_on(async {
            let mut world = World::new(scenario).await;
            match world.run(chooser).await {
                None => Ok(false),
                Some(Ok(())) => Ok(true),
                Some(Err(broken)) => Err(format!("{broken}\n{}", world.story())),
            }
        })
    }

    /// Runs all schedules of all scenarios, and prints how many there were.
    pub(crate) fn explore_all(&self, what: &str, scenarios: impl IntoIterator<Item = Scenario>) {
        let (mut count, mut number) = (Count::default(), 0);
        for scenario in scenarios {
            number += 1;
            match self.explore(&scenario) {
                Ok(of_one) => count += of_one,
                Err(broken) => panic!("{broken}"),
            }
        }
        let Count { checked, given_up } = count;
        println!("{what}: {checked} schedules of {number} scenarios ({given_up} more led to nothing new)");
    }
}
