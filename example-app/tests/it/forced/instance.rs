use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};
use session_core::{Error, Session, SessionLayer, SessionStore};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

use super::barrier::{Barrier, patiently};
use crate::{
    browser::{Answer, Browser},
    database::PATIENCE,
};

/// An app in this process, on a port of its own.
pub(super) struct Instance {
    url: String,
    /// Where its handlers `…/stalls` and `/insert-what-was-loaded` wait.
    pub(super) handler: Barrier,
    /// Has a permit for each request that was answered or dropped since it was last asked.
    over: Arc<Semaphore>,
    server: JoinHandle<()>,
}

impl Instance {
    pub(super) async fn start(store: Arc<dyn SessionStore>) -> Self {
        let handler = Barrier::new();
        let over = Arc::new(Semaphore::new(0));
        let app: Router = Router::new()
            .route("/state", get(show))
            .route("/write/{key}/{value}", post(write))
            .route("/insert-what-was-loaded/{key}", post(insert_what_was_loaded))
            .route("/increment", post(increment))
            .route("/login/{user}", post(login))
            .route("/login-fails/{user}", post(login_fails))
            .route("/login-stalls/{user}", post(login_stalls))
            .route("/renew", post(renew))
            .route("/logout", post(logout))
            .layer(SessionLayer::new(store).insecure().store_timeout(PATIENCE))
            .layer(from_fn_with_state(over.clone(), tell_when_over))
            .with_state(handler.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { url, handler, over, server }
    }

    pub(super) fn post(&self, browser: &Browser, path: &str) -> impl Future<Output = Answer> + Send + use<> {
        browser.send(axum::http::Request::post(format!("{}{path}", self.url)), "")
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns when the server has dropped a request, or answered it.
    pub(super) async fn over(&self) {
        patiently("no request is over", self.over.acquire()).await.unwrap().forget();
    }

    /// The user and the data of the browser's session. Looking on changes nothing of the browser's.
    pub(super) async fn state(&self, browser: &Browser) -> (Option<String>, String) {
        let state = browser.copy().get(&format!("{}/state", self.url)).await.json();
        (state["user"].as_str().map(String::from), state["data"].to_string())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn tell_when_over(State(over): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    struct Over(Arc<Semaphore>);
    impl Drop for Over {
        fn drop(&mut self) {
            self.0.add_permits(1);
        }
    }
    let _over = Over(over);
    next.run(request).await
}

async fn show(session: Session) -> Result<Json<Value>, Error> {
    let entry = |key: String| Ok((key.clone(), session.get(&key)?.unwrap_or_default()));
    let data: serde_json::Map<_, _> = session.keys().into_iter().map(entry).collect::<Result<_, Error>>()?;
    Ok(Json(json!({ "user": session.user(), "data": data })))
}

async fn write(Path((key, value)): Path<(String, String)>, session: Session) -> Result<(), Error> {
    session.insert(&key, &value)
}

async fn insert_what_was_loaded(
    State(barrier): State<Barrier>,
    Path(key): Path<String>,
    session: Session,
) -> Result<(), Error> {
    let loaded: Option<String> = session.get(&key)?;
    barrier.wait().await;
    session.insert(&key, &loaded)
}

async fn increment(session: Session) -> Result<String, Error> {
    let count = session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1).await?;
    Ok(count.to_string())
}

async fn login(Path(user): Path<String>, session: Session) -> Result<(), Error> {
    session.login(user)
}

async fn login_fails(Path(user): Path<String>, session: Session) -> Result<StatusCode, Error> {
    session.login(user)?;
    session.insert("half", &true)?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn login_stalls(
    State(barrier): State<Barrier>,
    Path(user): Path<String>,
    session: Session,
) -> Result<(), Error> {
    session.login(user)?;
    session.insert("half", &true)?;
    barrier.wait().await;
    Ok(())
}

async fn renew(session: Session) -> Result<(), Error> {
    session.renew()
}

async fn logout(session: Session) -> Result<(), Error> {
    session.logout().await
}
