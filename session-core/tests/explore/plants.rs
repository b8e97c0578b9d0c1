//! The explorer finds bugs: each of these is planted, and found.

use crate::{
    action::Action::{self, *},
    explore::Explorer,
    plant::Plant,
    scenario::{Caches, Scenario, Start},
};

/// Explores a scenario of alice's browser, which is right without the plant, and breaks this promise with it.
#[track_caller]
fn finds<const N: usize>(plant: Plant, promise: &str, caches: Caches, requests: [(Action, usize); N]) {
    let explorer = Explorer::new();
    let scenario = Scenario::new(Start::User, requests).near(caches);
    let count = explorer.explore(&scenario).unwrap();
    let broken = explorer.explore(&scenario.with(plant)).expect_err("nothing is found");
    let first = broken.lines().next().unwrap();
    println!("{plant:?}: {first} (of {} schedules)", count.checked);
    assert!(first.starts_with(promise), "{broken}");
}

#[test]
fn an_update_that_inserts_is_found() {
    finds(Plant::UpdateInserts, "P3", Caches::Off, [(Write, 0), (Revoke, 1)]);
}

#[test]
fn an_update_that_merges_nothing_is_found() {
    finds(Plant::UpdateMergesNothing, "P1", Caches::Off, [(Write, 0), (Write, 1)]);
}

#[test]
fn an_update_that_expects_nothing_is_found() {
    finds(
        Plant::UpdateExpectsNothing,
        "P2",
        Caches::Off,
        [(Update, 0), (Update, 1)],
    );
}

#[test]
fn a_creation_that_overwrites_is_found() {
    finds(Plant::CreateUpserts, "P1", Caches::Off, [(Write, 0), (Recreate, 1)]);
}

#[test]
fn a_renewal_that_copies_is_found() {
    finds(Plant::RenewCopies, "P6", Caches::Off, [(Renew, 0), (Read, 1)]);
}

#[test]
fn an_end_that_misses_a_renewal_is_found() {
    finds(Plant::EndMissesRenewal, "P3", Caches::Off, [(Renew, 0), (Logout, 1)]);
}

#[test]
fn an_end_of_all_that_misses_a_renewal_is_found() {
    finds(
        Plant::EndAllMissesRenewal,
        "P3",
        Caches::Off,
        [(Renew, 0), (EndOthers, 1)],
    );
}

#[test]
fn a_late_cookie_is_found() {
    finds(Plant::LateCookie, "P4", Caches::Off, [(Read, 0), (Logout, 1)]);
}

#[test]
fn a_near_cache_that_is_not_told_is_found() {
    finds(Plant::NearMisses, "P3", Caches::Warm, [(Read, 0), (Logout, 1)]);
}

#[test]
fn a_near_cache_that_forgets_its_own_changes_is_found() {
    finds(Plant::NearForgetsOwn, "P5", Caches::Warm, [(Write, 0), (Read, 0)]);
}

#[test]
fn a_near_cache_that_keeps_what_changed_while_it_was_loaded_is_found() {
    finds(Plant::NearKeepsLate, "P3", Caches::Cold, [(Read, 0), (Logout, 1)]);
}

#[test]
fn a_write_that_bypasses_no_near_cache_is_found() {
    finds(Plant::NoBypass, "P5", Caches::Warm, [(Write, 0), (Read, 1)]);
}
