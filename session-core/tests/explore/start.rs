use session_core::{Delta, Lifetime, NewSession, SessionStore, SessionToken, Value};

use crate::{
    gate::Family,
    history::{Change, Event},
    instance::Server,
    jar::{Jar, PLACES},
    scenario::{Caches, Start},
    world::World,
};

impl World {
    /// Gives the browser what it has at the start.
    pub(crate) async fn begin(&mut self) {
        let renewed = Lifetime::default().renew_every(Lifetime::SHORTEST_RENEWAL);
        let (name, user, lifetime) = match self.scenario.start {
            Start::Nobody => return,
            Start::Forged => {
                let token = SessionToken::random().unwrap();
                self.jar = Jar::with(PLACES[0], &token);
                self.forged = Some(token.id());
                return;
            }
            Start::Visitor => (PLACES[2], None, Lifetime::default()),
            Start::User => (PLACES[0], Some("alice"), Lifetime::default()),
            Start::Old => (PLACES[0], Some("alice"), renewed),
        };
        let token = create(&self.server, Family::First, user, lifetime).await;
        if self.scenario.start == Start::Old {
            self.server.old.lock().unwrap().push(token.id());
        }
        if self.scenario.caches == Caches::Warm {
            for instance in &self.instances {
                instance.load(&[token.id()]).await.unwrap();
            }
        }
        self.first = Some(token.id());
        self.jar = Jar::with(name, &token);
        self.handed.push((name.to_owned(), token));
    }
}

/// Makes a session that is there at the start.
pub(crate) async fn create(server: &Server, family: Family, user: Option<&str>, lifetime: Lifetime) -> SessionToken {
    let mut token = *SessionToken::random().unwrap().as_bytes();
    token[..2].copy_from_slice(&family.tag());
    let token = SessionToken::from_bytes(token);
    let mut delta = Delta::default();
    delta.set("base", Value::encode(&0).unwrap()).unwrap();
    let mut new = NewSession::new(lifetime).with_delta(delta.clone());
    new.user = user.map(str::to_owned);
    server.memory.create(&token.id(), &new).await.unwrap();
    server.history.add(Event::Done {
        request: None,
        instance: 0,
        change: Change::Created {
            id: token.id(),
            user: new.user,
            delta,
        },
    });
    token
}
