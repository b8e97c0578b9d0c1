use std::{collections::BTreeMap, io, mem, net::SocketAddr};

use tokio::time::Instant;

use super::{
    browser::{Browser, Step},
    connection::Connection,
    order::Job,
    tally::Tally,
};
use crate::workload::Workload;

/// How many sessions a connection reads cold in a round.
const COLD: usize = 16;

/// A connection, and the browsers that take turns on it. So no browser has two requests under way.
#[derive(Debug)]
pub(super) struct Lane {
    number: usize,
    address: SocketAddr,
    elsewhere: SocketAddr,
    /// Gone after an error, for the next round to open again.
    connection: Option<Connection>,
    /// By the size of their records.
    browsers: BTreeMap<usize, Vec<Browser>>,
    /// Sessions that were made elsewhere, for cold reads.
    cold: Vec<Browser>,
    requests: usize,
}

impl Lane {
    pub(super) const fn new(number: usize, address: SocketAddr, elsewhere: SocketAddr) -> Self {
        Self {
            number,
            address,
            elsewhere,
            connection: None,
            browsers: BTreeMap::new(),
            cold: Vec::new(),
            requests: 0,
        }
    }

    /// The server it talks to.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first browser with records of this size.
    pub(super) fn first(&mut self, size: usize) -> Option<&mut Browser> {
        self.browsers.get_mut(&size)?.first_mut()
    }

    /// Logs in this lane's part of so many browsers in all; of none, it gets one without a session.
    pub(super) async fn begin(&mut self, size: usize, sessions: usize, lanes: usize) -> Tally {
        let users = (self.number..sessions).step_by(lanes);
        let browsers = users.map(|user| Browser::new(format!("user{size}-{user}"), size));
        let mut browsers: Vec<_> = browsers.collect();
        let tally = self.log_in(self.address, &mut browsers).await;
        if sessions == 0 {
            browsers.push(Browser::new("nobody".to_owned(), size));
        }
        self.browsers.insert(size, browsers);
        tally
    }

    /// Makes the sessions for a round of cold reads, on the other instance.
    pub(super) async fn chill(&mut self, size: usize) -> Tally {
        let first = self.requests;
        let users = (first..first + COLD).map(|user| format!("cold{size}-{}-{user}", self.number));
        let mut browsers: Vec<_> = users.map(|user| Browser::new(user, size)).collect();
        let tally = self.log_in(self.elsewhere, &mut browsers).await;
        self.cold = browsers;
        tally
    }

    /// Has each browser read its session once.
    pub(super) async fn warm_up(&mut self, job: &Job) -> Tally {
        let mut tally = Tally::default();
        match self.connect().await {
            Ok(mut connection) => {
                for browser in self.browsers.get_mut(&job.size).into_iter().flatten() {
                    visit(browser, Step::Read, &mut connection, &mut tally).await;
                }
                self.connection = Some(connection).filter(|_| tally.failures == 0);
            }
            Err(error) => tally.fail(error.to_string()),
        }
        tally
    }

    async fn log_in(&self, address: SocketAddr, browsers: &mut [Browser]) -> Tally {
        let mut tally = Tally::default();
        match Connection::open(address).await {
            Ok(mut connection) => {
                for browser in browsers {
                    visit(browser, Step::Begin, &mut connection, &mut tally).await;
                }
            }
            Err(error) => tally.fail(error.to_string()),
        }
        tally
    }

    /// Makes one request after the other until the time has come. `shared` is the browser of a contended session.
    pub(super) async fn run(&mut self, job: &Job, shared: Option<Browser>, until: Instant) -> Tally {
        let mut tally = Tally::default();
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => {
                tally.fail(error.to_string());
                return tally;
            }
        };
        if job.workload == Workload::Cold {
            for browser in &mut mem::take(&mut self.cold) {
                visit(browser, Step::Read, &mut connection, &mut tally).await;
                self.requests += 1;
            }
        } else {
            let mut shared = shared.map(|browser| vec![browser]);
            let browsers = shared.as_mut().or_else(|| self.browsers.get_mut(&job.size));
            let Some(browsers) = browsers.filter(|browsers| !browsers.is_empty()) else {
                tally.fail("there are no sessions".to_owned());
                return tally;
            };
            while Instant::now() < until {
                self.requests += 1;
                let index = self.requests % browsers.len();
                let step = step(job.workload, self.requests);
                if !visit(&mut browsers[index], step, &mut connection, &mut tally).await {
                    break;
                }
            }
        }
        if tally.failures == 0 {
            self.connection = Some(connection);
        }
        tally
    }

    async fn connect(&mut self) -> io::Result<Connection> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Connection::open(self.address).await,
        }
    }
}

/// The request of a workload that comes as its `number`th.
const fn step(workload: Workload, number: usize) -> Step {
    match workload {
        Workload::Bare => Step::Bare,
        Workload::Plain => Step::Plain,
        Workload::Mix if number.is_multiple_of(10) => Step::Write,
        Workload::Read | Workload::Mix | Workload::Cold => Step::Read,
        Workload::Write => Step::Write,
        Workload::Update => Step::Update,
        Workload::Contended => Step::UpdateShared,
        Workload::Login => Step::Login,
    }
}

/// Makes a request, and counts it or what was wrong with it, which is answered with `false`.
async fn visit(browser: &mut Browser, step: Step, connection: &mut Connection, tally: &mut Tally) -> bool {
    let start = Instant::now();
    match browser.take(step, connection).await {
        Ok(()) => tally.latencies.push(start.elapsed()),
        Err(failure) => {
            tally.fail(failure);
            return false;
        }
    }
    true
}
