//! tower-sessions under our layer, and our stores under its layer.

mod adapter;
mod axum_login;
mod view;
mod view_end;

use session_core::{Page, SessionId, SessionStore};

use crate::{browser::Browser, probe::Probe};

/// A browser that has one cookie, of an attacker's choice say.
fn with_cookie(app: &axum::Router, name: &str, value: &str) -> Browser {
    let browser = Browser::new(app);
    browser.set_cookie(name, value);
    browser
}

async fn users_sessions(store: &Probe, user: &str) -> Vec<SessionId> {
    let sessions = store.store.of_user(user, &Page::default()).await.unwrap();
    sessions.into_iter().map(|session| session.id).collect()
}
