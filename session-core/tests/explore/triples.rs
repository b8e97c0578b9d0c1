//! Triples of requests of one browser.

use std::iter;

use crate::{
    action::Action::{self, *},
    explore::Explorer,
    scenario::{Caches, Scenario, Start},
};

/// Those that are explored each time: what writes, with what makes and takes tokens, and who comes after.
const CHOSEN: [[Action; 3]; 16] = [
    [Write, Write, Read],
    [Write, Write, Write],
    [Update, Update, Update],
    [Update, Write, Logout],
    [Write, Renew, Write],
    [Write, Renew, Logout],
    [Update, Renew, Revoke],
    [Write, Login, Logout],
    [Write, Login, Read],
    [Update, Login, Update],
    [Write, Handover, Write],
    [Login, Handover, Write],
    [Login, Logout, Read],
    [Renew, Renew, Write],
    [Touch, Renew, Logout],
    [Write, Renew, EndOthers],
];

/// The first two requests on two instances, the third one with the first.
fn triple(start: Start, [one, two, three]: [Action; 3]) -> Scenario {
    Scenario::new(start, [(one, 0), (two, 1), (three, 0)])
}

/// All triples of what a browser does itself and one other thing.
fn all(start: Start) -> impl Iterator<Item = Scenario> {
    let pairs = (0..Action::OWN.len()).flat_map(|one| (one..Action::OWN.len()).map(move |two| (one, two)));
    pairs.flat_map(move |(one, two)| {
        let others = Action::OWN[two..].iter().chain(&Action::OTHERS);
        others.map(move |three| triple(start, [Action::OWN[one], Action::OWN[two], *three]))
    })
}

#[test]
fn chosen_triples_of_a_user() {
    let scenarios = CHOSEN.map(|actions| triple(Start::User, actions));
    Explorer::new().explore_all("triples of a user", scenarios);
}

#[test]
fn chosen_triples_of_visitors_and_old_tokens() {
    let explorer = Explorer::new();
    let chosen = [CHOSEN[0], CHOSEN[3], CHOSEN[5], CHOSEN[8]];
    for start in [Start::Nobody, Start::Visitor] {
        let scenarios = chosen.map(|actions| triple(start, actions));
        explorer.explore_all(&format!("triples from {start:?}"), scenarios);
    }
    let scenarios = [[Write, Read, Read], [Read, Login, Read]].map(|actions| triple(Start::Old, actions));
    explorer.explore_all("triples of old tokens", scenarios);
}

#[test]
fn chosen_triples_with_near_caches() {
    // Who reads in between, and who comes after, on either instance.
    let chosen = [
        [(Write, 0), (Read, 1), (Read, 1)],
        [(Logout, 0), (Read, 1), (Read, 1)],
        [(Renew, 0), (Read, 1), (Read, 1)],
        [(Write, 0), (Revoke, 1), (Read, 0)],
    ];
    let scenarios = chosen.map(|requests| Scenario::new(Start::User, requests).near(Caches::Warm));
    Explorer::new().explore_all("triples with near caches", scenarios);
}

#[test]
#[ignore = "it takes minutes"]
fn all_triples() {
    let explorer = Explorer::new();
    for start in [Start::Nobody, Start::Visitor, Start::User] {
        explorer.explore_all(&format!("all triples from {start:?}"), all(start));
    }
    // Renewals by time make every request longer: not all triples of them can be gone through.
    let chosen = [
        [Write, Write, Read],
        [Update, Write, Logout],
        [Write, Renew, Logout],
        [Write, Login, Read],
    ];
    let scenarios = chosen.map(|actions| triple(Start::Old, actions));
    explorer.explore_all("triples of old tokens", scenarios);
}

#[test]
#[ignore = "it takes minutes"]
fn all_triples_that_end_with_a_read_with_near_caches() {
    let explorer = Explorer::new();
    for caches in [Caches::Cold, Caches::Warm] {
        let pairs = Action::OWN
            .iter()
            .flat_map(|one| Action::OWN.iter().map(move |two| (*one, *two)));
        let last = |(one, two)| iter::once(Scenario::new(Start::User, [(one, 0), (two, 1), (Read, 1)]).near(caches));
        explorer.explore_all(
            &format!("all triples with near caches {caches:?}"),
            pairs.flat_map(last),
        );
    }
}
