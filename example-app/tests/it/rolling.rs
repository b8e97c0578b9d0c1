//! Deploys that something goes wrong in.

use std::process::Command;

use crate::{
    postgres_server,
    process::{Process, app},
    redis_server,
};

const INSTANCES: usize = 3;

#[test]
fn instances_may_crash_during_a_deploy_over_redis() {
    let server = redis_server::Server::start();
    may_crash_during_a_deploy(&server.url(), || server.freeze(), || server.thaw());
}

#[test]
fn instances_may_crash_during_a_deploy_over_postgres() {
    let server = postgres_server::Server::start();
    may_crash_during_a_deploy(&server.url(), || server.freeze(), || server.thaw());
}

/// When it is over there is one instance of each number, and all of them are new.
fn may_crash_during_a_deploy(store: &str, freeze: impl Fn(), thaw: impl Fn()) {
    let instances = INSTANCES.to_string();
    let arguments = ["--port", "0", "--instances", &instances, "--store-timeout", "20s"];
    let mut fleet = Process::start(app(arguments).env("STORE_URL", store));
    fleet.line_after("open ");
    let old = fleet.children();
    assert_eq!(old.len(), INSTANCES);
    let is_old = |process: &u32| old.contains(process);

    // So that no new instance is ready, and the deploy does not get on, until both have crashed.
    freeze();
    fleet.type_line("roll");
    fleet.line_after("instance 0 listens on");
    let new = fleet.children().into_iter().find(|process| !is_old(process)).unwrap();
    // The old instance 1, whose turn is still to come, and the new instance 0, whose turn it is.
    for process in [old[1], new] {
        let status = Command::new("kill").args(["-KILL", &process.to_string()]).status();
        assert!(status.unwrap().success());
    }
    for _both_again in 0..2 {
        fleet.line_after(" listens on ");
    }
    thaw();

    fleet.line_after(&format!("{INSTANCES} instances were replaced"));
    let now = fleet.children();
    assert_eq!(now.len(), INSTANCES, "{old:?}, {new}, then {now:?}");
    assert!(!now.iter().any(|process| is_old(process) || *process == new), "{now:?}");
    fleet.type_line("status");
    for number in 0..INSTANCES {
        fleet.line_after(&format!(" {number}  ready "));
    }
}
