//! Deep schedules, chosen at random.

use std::{
    env,
    hash::{BuildHasher, RandomState},
};

use crate::{
    action::Action,
    explore::Explorer,
    scenario::{Caches, Scenario, Start},
    schedule::Random,
};

/// How many schedules are run, unless the variable `SCHEDULES` says another number.
const SCHEDULES: u64 = 2000;

fn scenario(random: &mut Random) -> Scenario {
    let start = random.one_of(&[Start::Nobody, Start::Forged, Start::Visitor, Start::User, Start::Old]);
    let actions = [Action::OWN.as_slice(), Action::OTHERS.as_slice()].concat();
    let requests = (0..3 + random.below(6)).map(|_| {
        // Mostly what the browser does: little is left to see after an end.
        let from = if random.below(8) == 0 {
            &actions
        } else {
            &actions[..Action::OWN.len()]
        };
        (random.one_of(from), random.below(2))
    });
    let requests: Vec<_> = requests.collect();
    let caches = random.one_of(&[Caches::Off, Caches::Cold, Caches::Warm]);
    let faults = random.one_of(&[0, 0, 1, 2]);
    Scenario::new(start, requests).near(caches).with_faults(faults)
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// `SEED` runs the one schedule that it names.
#[test]
fn deep_schedules_at_random() {
    let explorer = Explorer::new();
    let run = |seed| {
        let mut random = Random(seed);
        let scenario = scenario(&mut random);
        let requests = scenario.requests.len();
        if let Err(broken) = explorer.run(&scenario, &mut random) {
            panic!("SEED={seed}: {broken}");
        }
        requests
    };
    if let Some(seed) = number("SEED") {
        run(seed);
        return;
    }
    let first = RandomState::new().hash_one(());
    let schedules = number("SCHEDULES").unwrap_or(SCHEDULES);
    let seeds = (0..schedules).map(|number| first.wrapping_add(number));
    let requests: usize = seeds.map(run).sum();
    println!("{schedules} schedules at random with {requests} requests, SEED={first} and those after it");
}
