use crate::{action::Action, explore::Explorer, scenario::{Scenario, Start}};

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
fn pairs_of_requests_on_two_instances() {
    let explorer = Explorer::new();
    for start in STARTS {
        explorer.explore_all(&format!("pairs, {start:?}"), pairs(start, [0, 1]));
    }
}
