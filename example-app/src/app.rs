use std::sync::Arc;

use axum::{
    Extension, Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    middleware,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_core::{Error, Lifetime, LoginOptions, Session, SessionLayer};

use crate::{
    accounts, counter, devices, feed,
    live::short_id,
    notes,
    page::{Page, Refusal},
    policy::policy,
    serve::{Client, Health},
    span::Span,
    visits::Visits,
};

/// The instance that answers.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    /// Its name, which its answers tell.
    pub(crate) name: Arc<str>,
    /// What its platform calls it, in short.
    pub(crate) guid: Option<Arc<str>>,
    pub(crate) health: Health,
    /// After how long without a request its layer ends a session.
    pub(crate) idle: Span,
}

impl Here {
    pub(crate) fn new(name: &str, health: &Health) -> Self {
        Self {
            name: name.into(),
            guid: None,
            health: health.clone(),
            idle: Span(Lifetime::default().idle),
        }
    }

    pub(crate) fn with_guid(self, guid: Option<String>) -> Self {
        let guid = guid.map(Arc::from);
        Self { guid, ..self }
    }

    pub(crate) fn with_idle(self, idle: Span) -> Self {
        Self { idle, ..self }
    }
}

/// The app: its pages, over whatever store the layer has.
pub(crate) fn app(layer: SessionLayer, here: Here) -> Router {
    // Against CSRF, SameSite=Lax suffices for the demo: a form on another site posts without the cookies. It can still
    // log a browser in as somebody of its choice; an app where that matters adds tower-http's CSRF layer.
    Router::new()
        .route("/", get(show))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/stay", post(stay))
        .route("/devices/{id}/end", post(devices::end))
        .route("/devices/end-others", post(devices::end_others))
        .route("/count", post(count))
        .route("/notes", post(notes::add))
        .route("/notes/{id}", post(notes::edit))
        .route("/notes/{id}/delete", post(notes::delete))
        .route("/events", get(feed::events))
        .route("/api/me", get(me))
        .route("/api/visits", post(visit))
        .layer(middleware::from_fn_with_state(here.health.clone(), Health::count))
        .layer(layer)
        .with_state(here)
}

async fn show(State(here): State<Here>, session: Session) -> Result<Response, Error> {
    Visits::record(&session, &here.name).await?;
    // The times are the store's, and this visit was its last activity.
    session.reload().await?;
    Ok(render(StatusCode::OK, &Page::new(&session, &here).await?))
}

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
}

async fn login(
    State(here): State<Here>,
    client: Option<Extension<Client>>,
    session: Session,
    headers: HeaderMap,
    Form(form): Form<Login>,
) -> Result<Response, Error> {
    let Some(account) = accounts::check(&form.name, &form.password) else {
        let page = Page::new(&session, &here).await?;
        let page = page.with_refusal(form.name, Refusal::WrongPassword);
        return Ok(render(StatusCode::UNAUTHORIZED, &page));
    };
    let mut options = LoginOptions::new().device(&headers);
    if let Some(Extension(Client(address))) = client {
        options = options.address(address);
    }
    session.login_with(account.name, options)?;
    // Now, not with the response: then there is still a page to say it on.
    match session.save().await {
        Err(Error::LimitReached { max }) => {
            let page = Page::new(&session, &here).await?;
            let page = page.with_refusal(form.name, Refusal::TooManySessions { max });
            Ok(render(StatusCode::CONFLICT, &page))
        }
        saved => saved.map(|()| Redirect::to("/").into_response()),
    }
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.logout().await?;
    Ok(Redirect::to("/"))
}

/// For a page whose session would soon end: a request like any other, which therefore keeps it.
async fn stay(_session: Session) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn count(session: Session) -> Result<Redirect, Error> {
    counter::increment(&session).await?;
    Ok(Redirect::to("/"))
}

/// What the app knows of a browser.
#[derive(Serialize)]
struct Me {
    user: Option<String>,
    instance: String,
    visits: u64,
    session: Option<String>,
}

impl Me {
    fn new(session: &Session, instance: &str, visits: u64) -> Json<Self> {
        Json(Self {
            user: session.user(),
            instance: instance.to_owned(),
            visits,
            session: short_id(session),
        })
    }
}

async fn me(State(here): State<Here>, session: Session) -> Result<Json<Me>, Error> {
    Ok(Me::new(&session, &here.name, Visits::of(&session)?.count))
}

async fn visit(State(here): State<Here>, session: Session) -> Result<Json<Me>, Error> {
    let visits = Visits::record(&session, &here.name).await?;
    Ok(Me::new(&session, &here.name, visits.count))
}

fn render(status: StatusCode, page: &Page<'_>) -> Response {
    match page.html() {
        Ok(html) => (status, [policy()], Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests;
