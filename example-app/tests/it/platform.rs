//! What a fleet does with its instances as a platform does.

use std::{collections::BTreeSet, process::Command, time::Duration};

use tokio::time::timeout;

use crate::{
    browser::Browser,
    database::Database,
    process::{Process, app},
};

/// Longer than anything here takes on a busy machine.
const GUARD: Duration = Duration::from_secs(30);

/// A fleet of so many instances, and its address.
async fn fleet(instances: &str, database: Database) -> (Process, String) {
    let store = database.url().await;
    let mut fleet = Process::start(&mut app(["--port", "0", "--instances", instances, "--store", &store]));
    let address = fleet.line_after("open ");
    (fleet, address)
}

fn signal(signal: &str, process: u32) {
    let status = Command::new("kill").args([signal, &process.to_string()]).status();
    assert!(status.unwrap().success());
}

/// The number of the instance that answers.
async fn answers(browser: &Browser, address: &str) -> String {
    let me = browser.get(&format!("{address}/api/me")).await.json();
    me["instance"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_an_instance_does_ends_when_it_is_killed() {
    for database in [Database::Memory, Database::Redis] {
        let store = database.url().await;
        let mut fleet = Process::start(&mut app(["--port", "0", "--instances", "1", "--store", &store]));
        // Not through the balancer.
        let instance = fleet.line_after("instance 0 listens on ");
        fleet.line_after("open ");
        let browser = Browser::new();
        browser.post(&format!("{instance}/api/visits")).await.assert_ok();
        let mut events = browser.listen(&format!("{instance}/events")).await;
        assert!(events.until("data: ").await, "a stream");
        fleet.type_line("kill 0");
        let ended = timeout(GUARD, events.until("never said")).await;
        assert!(!ended.unwrap_or_else(|_| panic!("it goes on over {database:?}")));
        fleet.line_after("instance 0 listens on ");
    }
}

#[tokio::test]
async fn an_instance_that_does_not_stop_is_killed() {
    let (mut fleet, _) = fleet("1", Database::Redis).await;
    let frozen = fleet.children();
    signal("-STOP", frozen[0]);
    fleet.type_line("restart 0");
    fleet.line_after("instance 0 was restarted");
    let now = fleet.children();
    assert!(now.len() == 1 && now != frozen, "{frozen:?}, {now:?}");
}

#[tokio::test]
async fn an_instance_gets_no_requests_while_it_is_not_ready() {
    let (mut fleet, address) = fleet("2", Database::Redis).await;
    let frozen = fleet.children()[0];
    signal("-STOP", frozen);
    fleet.line_after("instance 0 is not ready any more");
    let browser = Browser::new();
    for _ in 0..4 {
        let instance = timeout(GUARD, answers(&browser, &address)).await;
        assert_eq!(
            instance.unwrap_or_else(|_| panic!("a request went to the frozen one")),
            "1"
        );
    }
    signal("-CONT", frozen);
    let both = async {
        let mut answered = BTreeSet::new();
        while answered.len() < 2 {
            answered.insert(answers(&browser, &address).await);
        }
    };
    timeout(GUARD, both).await.unwrap();
    assert_eq!(fleet.children().len(), 2, "none was started again");
}

#[tokio::test]
async fn a_deploy_takes_old_instances_away_from_the_highest_number_down() {
    let (mut fleet, _) = fleet("3", Database::Memory).await;
    fleet.type_line("roll");
    // What is typed meanwhile waits.
    fleet.type_line("scale 1");
    for (new, old) in [("0", "2"), ("1", "1"), ("2", "0")] {
        fleet.line_after(&format!("instance {new} listens on"));
        fleet.line_after(&format!("instance {old} has stopped"));
    }
    fleet.line_after("3 instances were replaced");
    fleet.line_after("1 instance is ready");
}

#[test]
fn what_is_logged_comes_above_the_table_on_a_terminal() {
    let shell = concat!(
        env!("CARGO_BIN_EXE_example-app"),
        " --port 0 --instances 2 --store memory"
    );
    let mut terminal = Command::new("script");
    terminal.args(["-qec", shell, "/dev/null"]).env("RUST_LOG", "debug");
    let mut fleet = Process::start(&mut terminal);
    fleet.line_after("open ");
    // With the table drawn again and again in between.
    let mut asked = 0;
    while asked < 10 {
        // What is logged begins with the time.
        let line = fleet.line_with("\x1b[2m20");
        let (before, log) = line.split_once("\x1b[2m20").unwrap();
        assert!(before.is_empty() || before.ends_with("\x1b[J"), "{line:?}");
        asked += usize::from(log.contains("/readyz"));
    }
}
