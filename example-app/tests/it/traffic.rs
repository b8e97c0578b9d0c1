//! A fleet under traffic, while it is scaled, restarted, killed and deployed.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use tokio::task::JoinSet;

use crate::{
    browser::{Answer, Browser},
    postgres_server,
    process::{Process, app},
    redis_server,
};

const BROWSERS: usize = 200;

/// How long a browser rests between two requests.
const REST: Duration = Duration::from_millis(400);

/// One fleet at a time: the machine has enough to do.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_notice_nothing_over_redis() {
    let _alone = ALONE.lock().await;
    let server = redis_server::Server::start();
    browsers_notice_nothing(&server.url(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_notice_nothing_over_postgres() {
    let _alone = ALONE.lock().await;
    let server = postgres_server::Server::start();
    browsers_notice_nothing(&server.url(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_notice_nothing_of_near_caches_over_redis() {
    let _alone = ALONE.lock().await;
    let server = redis_server::Server::start();
    browsers_notice_nothing(&server.url(), &["--near-cache", "16"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_notice_nothing_of_near_caches_over_postgres() {
    let _alone = ALONE.lock().await;
    let server = postgres_server::Server::start();
    browsers_notice_nothing(&server.url(), &["--near-cache", "16"]).await;
}

/// A logged-in browser, which counts.
struct Visitor {
    browser: Browser,
    user: &'static str,
    attempted: u64,
    acknowledged: u64,
    failures: Vec<Failure>,
}

/// A request that was not answered with 200: when it was under way, and what came.
#[derive(Debug)]
struct Failure {
    begun: Instant,
    ended: Instant,
    answer: Answer,
}

async fn browsers_notice_nothing(store: &str, more: &[&str]) {
    // This is about instances that come and go, and not about a machine that has too much to do.
    let arguments = ["--port", "0", "--store-timeout", "20s", "--store", store];
    let mut fleet = Process::start(app(arguments).args(more));
    let address = fleet.line_after("open ");

    let mut visitors = Vec::new();
    for number in 0..BROWSERS {
        visitors.push(Visitor::log_in(&address, number).await);
    }
    let done = Arc::new(AtomicBool::new(false));
    let mut traffic = JoinSet::new();
    for visitor in visitors {
        traffic.spawn(visitor.count(address.clone(), Arc::clone(&done)));
    }

    // The console is a thread's: reading what it says waits.
    let (mut fleet, killed) = tokio::task::spawn_blocking(move || {
        let killed = drive(&mut fleet);
        (fleet, killed)
    })
    .await
    .unwrap();
    done.store(true, Ordering::Relaxed);
    let visitors = traffic.join_all().await;

    let mut served = BTreeSet::new();
    for visitor in &visitors {
        for failure in &visitor.failures {
            // It was under way when the instance was killed; all that stands for is one that may have been on it.
            let (from, to) = killed;
            assert!(failure.begun <= to && failure.ended >= from, "{failure:?}");
            assert_eq!(failure.answer.status, StatusCode::BAD_GATEWAY, "{failure:?}");
        }
        let me = visitor.browser.get(&format!("{address}/api/me")).await.json();
        assert_eq!(me["user"], visitor.user, "{me}");
        let visits = me["visits"].as_u64().unwrap();
        let (least, most) = (visitor.acknowledged, visitor.attempted);
        assert!((least..=most).contains(&visits), "{least} <= {visits} <= {most}");
        served.insert(me["instance"].as_str().unwrap().to_owned());
    }
    assert_eq!(served, BTreeSet::from(["0".to_owned()]), "one instance is left");
    let requests: u64 = visitors.iter().map(|visitor| visitor.acknowledged).sum();
    let failures: usize = visitors.iter().map(|visitor| visitor.failures.len()).sum();
    println!("{requests} requests were answered, {failures} were on the instance that was killed");
    assert!(requests > BROWSERS as u64 * 4, "hardly any traffic: {requests}");

    fleet.signal("-TERM");
    let ended = fleet.end();
    assert!(ended.succeeded, "{ended:?}");
    let set_up = ended.errors.matches("loaded the agency contacts").count();
    assert_eq!(set_up, 1, "how often the set-up work was done");
}

/// Scales, restarts, kills and deploys; between when and when an instance was killed.
fn drive(fleet: &mut Process) -> (Instant, Instant) {
    fleet.type_line("scale 5");
    fleet.line_after("5 instances are ready");
    let from = Instant::now();
    fleet.type_line("kill 1");
    fleet.line_after("instance 1 has ended");
    let to = Instant::now();
    fleet.line_after("instance 1 listens on");
    fleet.type_line("restart 2");
    fleet.line_after("instance 2 was restarted");
    fleet.type_line("roll");
    fleet.line_after("5 instances were replaced");
    fleet.type_line("scale 1");
    fleet.line_after("1 instance is ready");
    (from, to)
}

impl Visitor {
    async fn log_in(address: &str, number: usize) -> Self {
        let accounts = [("ada", "engine"), ("grace", "compiler"), ("linus", "penguin")];
        let (user, password) = accounts[number % accounts.len()];
        let browser = Browser::new();
        let form = format!("name={user}&password={password}");
        let login = browser.post_form(&format!("{address}/login"), &form).await;
        assert_eq!(login.status, StatusCode::SEE_OTHER, "{login:?}");
        Self {
            browser,
            user,
            attempted: 0,
            acknowledged: 0,
            failures: Vec::new(),
        }
    }

    /// Counts visits until it is done.
    async fn count(mut self, address: String, done: Arc<AtomicBool>) -> Self {
        while !done.load(Ordering::Relaxed) {
            let begun = Instant::now();
            self.attempted += 1;
            let answer = self.browser.post(&format!("{address}/api/visits")).await;
            if answer.status == StatusCode::OK {
                assert_eq!(answer.json()["user"], self.user, "{answer:?}");
                self.acknowledged += 1;
            } else {
                let ended = Instant::now();
                self.failures.push(Failure { begun, ended, answer });
            }
            tokio::time::sleep(REST).await;
            // What it has been answered is what it reads, wherever it comes.
            let read = self.browser.get(&format!("{address}/api/me")).await;
            if read.status == StatusCode::OK {
                let visits = read.json()["visits"].as_u64().unwrap();
                assert!(
                    visits >= self.acknowledged,
                    "{visits} of {}: {read:?}",
                    self.acknowledged
                );
            }
        }
        self
    }
}
