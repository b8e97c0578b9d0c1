use std::collections::BTreeMap;

use super::{
    model::{Answer, Model, Session},
    operation::Operation,
};
use crate::{
    Error, Loaded, NewSession, Page, Renewal, SessionId, SessionLimit, Update, Version,
    conformance::{
        SharedStore,
        given::{LONG, ids_of, new_id, new_user, successor_of},
    },
};

/// A store, and what it must be after all that has been done.
pub(super) struct History {
    store: SharedStore,
    model: Model,
    users: [String; 2],
    /// All ids so far, among them some that never were any session's.
    ids: Vec<SessionId>,
}

impl History {
    pub(super) fn new(store: &SharedStore) -> Self {
        Self {
            store: store.clone(),
            model: Model::default(),
            users: [new_user(), new_user()],
            ids: vec![new_id()],
        }
    }

    /// The id that a number means: as often one of the latest as any.
    fn id(&self, number: usize) -> SessionId {
        let all = self.ids.len();
        let among = if number % 2 == 1 { all.min(4) } else { all };
        self.ids[all - 1 - number / 2 % among]
    }

    /// Whether a login of this user is one too many.
    fn is_full(&self, user: &str, limit: Option<u32>, but: Option<&SessionId>) -> bool {
        let others = self.model.of_user(user);
        let others = others.iter().filter(|id| Some(*id) != but).count();
        limit.is_some_and(|max| others >= max as usize)
    }

    /// Does it, and expects the answer that the model gives.
    pub(super) async fn apply(&mut self, operation: &Operation) {
        let (answer, expected) = match operation {
            Operation::Create { user, limit, delta } => {
                let (id, user) = (new_id(), user.map(|user| self.users[user].clone()));
                self.ids.push(id);
                let mut new = NewSession::new(LONG).with_delta(delta.clone());
                new.user.clone_from(&user);
                new.limit = limit.map(SessionLimit::new);
                let answer = version(self.store.create(&id, &new).await);
                let is_refused = user.as_ref().is_some_and(|user| self.is_full(user, *limit, None));
                let expected = match is_refused {
                    true => Err("LimitReached"),
                    false => self.model.create(id, user.as_deref(), delta),
                };
                (answer, expected)
            }
            Operation::Update { id, delta, expected } => {
                let id = self.id(*id);
                let mut update = Update::new(delta.clone());
                if let Some((key, value)) = expected {
                    update = update.expecting(key, value.clone());
                }
                let answer = version(self.store.update(&id, &update).await);
                (answer, self.model.update(&id, delta, expected.as_ref()))
            }
            Operation::Touch { id } => {
                let id = self.id(*id);
                (named(self.store.touch(&id).await.map(|()| 0)), self.model.touch(&id))
            }
            Operation::Renew { id, is_right, delta } => {
                let from = self.id(*id);
                let owner = self.model.live(&from).and_then(|session| session.user.clone());
                let user = if *is_right { owner } else { Some(new_user()) };
                let to = self.successor(&from);
                let renewal = Renewal::of(user.clone()).with_delta(delta.clone());
                let answer = version(self.store.renew(&from, &to, &renewal).await);
                (answer, self.model.renew(&from, to, user.as_deref(), false, delta))
            }
            Operation::Login { id, user, limit, delta } => {
                let (from, user) = (self.id(*id), self.users[*user].clone());
                let to = self.successor(&from);
                let mut renewal = Renewal::login(&user, LONG).with_delta(delta.clone());
                if let Some(login) = &mut renewal.login {
                    login.limit = limit.map(SessionLimit::new);
                }
                let answer = version(self.store.renew(&from, &to, &renewal).await);
                let is_refused = self.is_full(&user, *limit, Some(&from));
                let expected = match self.model.live(&from) {
                    // Either is true.
                    None if is_refused && answer == Err("LimitReached") => answer,
                    Some(_) if is_refused => Err("LimitReached"),
                    _ => self.model.renew(&from, to, Some(&user), true, delta),
                };
                (answer, expected)
            }
            Operation::End { id } => {
                let id = self.id(*id);
                (named(self.store.end(&id).await.map(|()| 0)), self.model.end(&id))
            }
            Operation::EndAll { user, except } => {
                let (user, except) = (self.users[*user].clone(), except.map(|id| self.id(id)));
                let answer = named(self.store.end_all(&user, except.as_ref()).await);
                (answer, self.model.end_all(&user, except.as_ref()))
            }
        };
        assert_eq!(answer, expected, "{operation:?}");
    }

    fn successor(&mut self, from: &SessionId) -> SessionId {
        let to = successor_of(from);
        self.ids.push(to);
        to
    }

    /// Compares all that the store has with the model.
    pub(super) async fn compare(&self) {
        for id in &self.ids {
            match self.store.load(&[*id]).await.unwrap() {
                Loaded::Live(found, record) => {
                    let data = record.data.iter();
                    let session = Session {
                        user: record.user.clone(),
                        data: data
                            .map(|(key, value)| (key.clone(), value.clone()))
                            .collect::<BTreeMap<_, _>>(),
                        version: record.version.0,
                    };
                    assert_eq!((found, Some(&session)), (*id, self.model.live(id)));
                }
                // Who ends a session may shorten the way to it.
                Loaded::Renewed(marker) => {
                    assert!(
                        self.model.leads_to(id, &marker.successor),
                        "{id} leads to {}",
                        marker.successor
                    );
                }
                // What an ended session leaves behind of its old ids is the store's affair.
                Loaded::Missing => {
                    let was_renewed = self.model.successor(id).is_some();
                    let leads_on = was_renewed && self.model.live(&self.model.follow(id)).is_some();
                    assert!(self.model.live(id).is_none() && !leads_on, "{id} is missing");
                }
            }
        }
        for user in &self.users {
            assert_eq!(ids_of(&self.store, user).await, self.model.of_user(user));
            let page = Page::default().with_limit(1);
            let first = self.store.of_user(user, &page).await.unwrap();
            let expected = self.model.of_user(user).first().copied();
            assert_eq!(first.first().map(|session| session.id), expected);
        }
        let latest: Vec<SessionId> = self.ids.iter().rev().take(8).copied().collect();
        let first = latest.iter().find(|id| self.model.live(id).is_some());
        match self.store.load(&latest).await.unwrap() {
            Loaded::Live(id, _) => assert_eq!(Some(&id), first),
            Loaded::Renewed(_) | Loaded::Missing => assert_eq!(first, None),
        }
    }
}

fn version(answer: Result<Version, Error>) -> Answer {
    named(answer.map(|version| version.0))
}

fn named(answer: Result<u64, Error>) -> Answer {
    answer.map_err(|error| match error {
        Error::Ended => "Ended",
        Error::Conflict { .. } => "Conflict",
        Error::LimitReached { .. } => "LimitReached",
        other => panic!("{other:?}"),
    })
}
