//! All pairs of requests of one browser.

use crate::{
    action::Action::{self, *},
    explore::Explorer,
    scenario::{Caches, Scenario, Start},
};

const STARTS: [Start; 5] = [Start::Nobody, Start::Forged, Start::Visitor, Start::User, Start::Old];

/// What near caches make a difference to.
const NEAR: [Action; 6] = [Read, Write, Update, Login, Renew, Logout];
const NEAR_OTHERS: [Action; 3] = [EndOthers, Revoke, Expire];

/// All pairs of these requests, the second of which may be one of the others.
fn pairs(start: Start, at: [usize; 2], own: &[Action], others: &[Action]) -> Vec<Scenario> {
    let mut pairs = Vec::new();
    for (number, one) in own.iter().enumerate() {
        for other in own[number..].iter().chain(others) {
            pairs.push(Scenario::new(start, [(*one, at[0]), (*other, at[1])]));
        }
    }
    pairs
}

fn all_pairs(start: Start, at: [usize; 2]) -> Vec<Scenario> {
    pairs(start, at, &Action::OWN, &Action::OTHERS)
}

fn with_a_fault(start: Start) {
    let scenarios = all_pairs(start, [0, 1]).into_iter();
    let scenarios = scenarios.map(|scenario| scenario.with_faults(1));
    Explorer::new().explore_all(&format!("pairs from {start:?}, with a fault"), scenarios);
}

fn near(caches: Caches, at: [usize; 2], own: &[Action], others: &[Action]) {
    let scenarios = pairs(Start::User, at, own, others).into_iter();
    let what = format!("pairs at {at:?}, near caches {caches:?}");
    Explorer::new().explore_all(&what, scenarios.map(|scenario| scenario.near(caches)));
}

#[test]
fn pairs_on_two_instances() {
    let explorer = Explorer::new();
    for start in STARTS {
        explorer.explore_all(&format!("pairs from {start:?}"), all_pairs(start, [0, 1]));
    }
}

#[test]
fn pairs_on_one_instance() {
    Explorer::new().explore_all("pairs on one instance", all_pairs(Start::User, [0, 0]));
}

#[test]
fn pairs_with_a_fault() {
    with_a_fault(Start::Nobody);
    with_a_fault(Start::User);
}

#[test]
fn pairs_on_two_instances_with_near_caches() {
    near(Caches::Warm, [0, 1], &NEAR, &NEAR_OTHERS);
}

#[test]
fn pairs_on_one_instance_with_near_caches() {
    near(Caches::Warm, [0, 0], &[Read, Write, Renew], &[Revoke]);
}

#[test]
#[ignore = "it takes minutes"]
fn pairs_of_old_tokens_with_a_fault() {
    with_a_fault(Start::Old);
}

#[test]
#[ignore = "it takes minutes"]
fn all_pairs_with_near_caches() {
    for caches in [Caches::Cold, Caches::Warm] {
        near(caches, [0, 1], &Action::OWN, &Action::OTHERS);
        near(caches, [0, 0], &Action::OWN, &Action::OTHERS);
    }
}
