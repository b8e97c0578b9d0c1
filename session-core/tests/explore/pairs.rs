//! All pairs of requests of one browser.

use crate::{
    action::Action,
    explore::Explorer,
    scenario::{Caches, Scenario, Start},
};

const STARTS: [Start; 5] = [Start::Nobody, Start::Forged, Start::Visitor, Start::User, Start::Old];

/// All pairs of requests from this start, on these instances.
fn pairs(start: Start, at: [usize; 2]) -> Vec<Scenario> {
    let mut pairs = Vec::new();
    for (number, one) in Action::OWN.iter().enumerate() {
        for other in Action::OWN[number..].iter().chain(&Action::OTHERS) {
            pairs.push(Scenario::new(start, [(*one, at[0]), (*other, at[1])]));
        }
    }
    pairs
}

#[test]
fn pairs_on_two_instances() {
    let explorer = Explorer::new();
    for start in STARTS {
        explorer.explore_all(&format!("pairs from {start:?}"), pairs(start, [0, 1]));
    }
}

#[test]
fn pairs_on_one_instance() {
    let scenarios = pairs(Start::User, [0, 0]);
    Explorer::new().explore_all("pairs on one instance", scenarios);
}

#[test]
fn pairs_with_a_fault() {
    let explorer = Explorer::new();
    for start in [Start::Nobody, Start::User, Start::Old] {
        let scenarios = pairs(start, [0, 1]).into_iter();
        let what = format!("pairs from {start:?}, with a fault");
        explorer.explore_all(&what, scenarios.map(|scenario| scenario.with_faults(1)));
    }
}

#[test]
fn pairs_on_two_instances_with_near_caches() {
    near("pairs on two instances", [0, 1]);
}

#[test]
fn pairs_on_one_instance_with_near_caches() {
    near("pairs on one instance", [0, 0]);
}

fn near(what: &str, at: [usize; 2]) {
    let explorer = Explorer::new();
    for caches in [Caches::Cold, Caches::Warm] {
        let scenarios = pairs(Start::User, at).into_iter();
        let what = format!("{what}, near caches {caches:?}");
        explorer.explore_all(&what, scenarios.map(|scenario| scenario.near(caches)));
    }
}
