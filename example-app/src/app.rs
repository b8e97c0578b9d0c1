use std::sync::Arc;

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_core::{Error, Session, SessionLayer};

use crate::{accounts, page::Page, serve::Health, visits::Visits};

/// The name of the instance, which its answers tell.
type Instance = State<Arc<str>>;

/// The app: its pages, over whatever store the layer has.
pub(crate) fn app(layer: SessionLayer, instance: &str, health: &Health) -> Router {
    // Against CSRF, SameSite=Lax suffices for the demo: a form on another site posts without the cookies. It can still
    // log a browser in as somebody of its choice; an app where that matters adds tower-http's CSRF layer.
    Router::new()
        .route("/", get(show))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/note", post(keep_note))
        .route("/api/me", get(me))
        .route("/api/visits", post(visit))
        .layer(middleware::from_fn_with_state(health.clone(), Health::count))
        .layer(layer)
        .with_state(instance.into())
}

async fn show(State(instance): Instance, session: Session) -> Result<Response, Error> {
    let visits = Visits::record(&session, &instance).await?;
    Ok(render(StatusCode::OK, &Page::new(&session, &instance, visits)?))
}

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
}

async fn login(State(instance): Instance, session: Session, Form(form): Form<Login>) -> Result<Response, Error> {
    let Some(account) = accounts::check(&form.name, &form.password) else {
        let page = Page::new(&session, &instance, Visits::of(&session)?)?;
        let page = page.with_failed_login(form.name);
        return Ok(render(StatusCode::UNAUTHORIZED, &page));
    };
    session.login(account.name)?;
    Ok(Redirect::to("/").into_response())
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.logout().await?;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

async fn keep_note(session: Session, Form(note): Form<Note>) -> Result<Redirect, Error> {
    // An insert writes this key and no other, so a visit that another instance counts meanwhile is not lost.
    match note.text.trim() {
        "" => session.remove("note"),
        text => session.insert("note", text)?,
    }
    Ok(Redirect::to("/"))
}

/// What the app knows of a browser.
#[derive(Serialize)]
struct Me {
    user: Option<String>,
    instance: String,
    visits: u64,
    /// The first eight characters of the session's id, which is no secret; none for a browser without a session.
    session: Option<String>,
}

impl Me {
    fn new(session: &Session, instance: &str, visits: u64) -> Json<Self> {
        Json(Self {
            user: session.user(),
            instance: instance.to_owned(),
            visits,
            session: session.id().map(|id| id.to_string().chars().take(8).collect()),
        })
    }
}

async fn me(State(instance): Instance, session: Session) -> Result<Json<Me>, Error> {
    Ok(Me::new(&session, &instance, Visits::of(&session)?.count))
}

async fn visit(State(instance): Instance, session: Session) -> Result<Json<Me>, Error> {
    let visits = Visits::record(&session, &instance).await?;
    Ok(Me::new(&session, &instance, visits.count))
}

/// Nothing from elsewhere, and no scripts at all: should anything ever slip through the escaping, it stays text.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
);

fn render(status: StatusCode, page: &Page<'_>) -> Response {
    match page.html() {
        Ok(html) => (status, [POLICY], Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests;
