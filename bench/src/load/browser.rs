use std::io::Write;

use super::{connection::Connection, jar::Jar};
use crate::app::BARE;

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Bare,
    Plain,
    Read,
    Write,
    Update,
    /// An update of a session that others update too.
    UpdateShared,
    Count,
    Login,
    Begin,
}

/// A browser, its session, and what it must find there.
#[derive(Clone, Debug)]
pub(super) struct Browser {
    user: String,
    /// The bytes of its record.
    size: usize,
    jar: Jar,
    /// What all of its requests say after the path.
    tail: String,
    /// The number it wrote last.
    number: u64,
    /// What its counter has come to.
    pub(super) count: u64,
    request: Vec<u8>,
}

impl Browser {
    /// A browser without a session.
    pub(super) fn new(user: String, size: usize) -> Self {
        let jar = Jar::default();
        Self {
            user,
            size,
            tail: tail(&jar),
            jar,
            number: 0,
            count: 0,
            request: Vec::new(),
        }
    }

    /// Makes a request and checks what it is answered. The error says what was wrong.
    pub(super) async fn take(&mut self, step: Step, connection: &mut Connection) -> Result<(), String> {
        self.ask(step);
        let response = connection.exchange(&self.request).await;
        let response = response.map_err(|error| format!("{step:?}: {error}"))?;
        let answer = String::from_utf8_lossy(connection.body(&response));
        if response.status != 200 {
            return Err(format!("{step:?}: {} {answer}", response.status));
        }
        let is_new = self.remember(&response.cookies);
        let expected = match step {
            Step::Bare | Step::Plain => answer == BARE,
            Step::Read => answer.parse() == Ok(self.number),
            Step::Write => {
                self.number += 1;
                answer == BARE
            }
            Step::Update => {
                self.count += 1;
                answer.parse() == Ok(self.count)
            }
            Step::UpdateShared => answer.parse::<u64>().is_ok(),
            Step::Count => match answer.parse() {
                Ok(count) => {
                    self.count = count;
                    true
                }
                Err(_) => false,
            },
            // A login that leaves the token as it was is none.
            Step::Login | Step::Begin => answer == BARE && is_new,
        };
        if expected {
            Ok(())
        } else {
            let (number, count) = (self.number, self.count);
            Err(format!(
                "{step:?}: {answer:?}, with {number} written and {count} counted"
            ))
        }
    }

    /// Writes down the request.
    fn ask(&mut self, step: Step) {
        let (user, size, tail) = (&self.user, self.size, &self.tail);
        self.request.clear();
        let request = &mut self.request;
        // A vector takes all that is written to it.
        let _written = match step {
            Step::Bare => write!(request, "GET /bare{tail}"),
            Step::Plain => write!(request, "GET /plain{tail}"),
            Step::Read => write!(request, "GET /read{tail}"),
            Step::Write => write!(request, "POST /write/{size}/{}{tail}", self.number + 1),
            Step::Update | Step::UpdateShared => write!(request, "POST /update{tail}"),
            Step::Count => write!(request, "GET /count{tail}"),
            Step::Login => write!(request, "POST /login/{user}{tail}"),
            Step::Begin => write!(request, "POST /begin/{user}/{size}{tail}"),
        };
    }

    /// Keeps cookies. Answers whether they change what is sent.
    fn remember(&mut self, cookies: &[String]) -> bool {
        let mut is_new = false;
        for cookie in cookies {
            is_new |= self.jar.set(cookie);
        }
        if is_new {
            self.tail = tail(&self.jar);
        }
        is_new
    }
}

/// What the requests of a browser with these cookies say after the path.
fn tail(jar: &Jar) -> String {
    let host = " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Length: 0\r\n";
    match jar.header() {
        none if none.is_empty() => format!("{host}\r\n"),
        cookies => format!("{host}Cookie: {cookies}\r\n\r\n"),
    }
}
