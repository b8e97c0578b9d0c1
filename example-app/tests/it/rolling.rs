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
    may_crash_during_a_deploy(&server.url());
}

#[test]
fn instances_may_crash_during_a_deploy_over_postgres() {
    let server = postgres_server::Server::start();
    may_crash_during_a_deploy(&server.url());
}

/// When it is over there is one instance of each number, and all of them are new.
fn may_crash_during_a_deploy(store: &str) {
    let instances = INSTANCES.to_string();
    let arguments = ["--port", "0", "--instances", &instances, "--store-timeout", "20s"];
    let mut fleet = Process::start(app(arguments).env("STORE_URL", store));
    fleet.line_after("open ");
    let old = fleet.children();
    assert_eq!(old.len(), INSTANCES);

    fleet.type_line("roll");
    fleet.line_after("instance 0 listens on");
    let is_old = |process: &u32| old.contains(process);
    let new = fleet.children().into_iter().find(|process| !is_old(process)).unwrap();
    // The old instance 1, whose turn is still to come, and the new instance 0, which serves or is about to.
    for process in [old[1], new] {
        let status = Command::new("kill").args(["-KILL", &process.to_string()]).status();
        assert!(status.unwrap().success());
    }
    fleet.line_after(&format!("{INSTANCES} instances were replaced"));
    let now = fleet.children();
    assert_eq!(now.len(), INSTANCES, "{old:?}, {new}, then {now:?}");
    assert!(!now.iter().any(|process| is_old(process) || *process == new), "{now:?}");

    fleet.type_line("status");
    for number in 0..INSTANCES {
        fleet.line_after(&format!(" {number}  ready "));
    }
}
