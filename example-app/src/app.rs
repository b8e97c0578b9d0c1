use std::sync::Arc;

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_core::{Error, Session, SessionLayer};

use crate::{
    accounts,
    page::{CSS, Page},
    visits::Visits,
};

/// The name of the instance, which its answers tell.
type Instance = State<Arc<str>>;

/// The app: its pages, over whatever store the layer has.
pub(crate) fn app(layer: SessionLayer, instance: &str) -> Router {
    // There are no CSRF tokens: the forms change nothing but this browser's own session, and its cookies are
    // SameSite=Lax, so a form on another site posts without them.
    Router::new()
        .route("/", get(show))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/note", post(keep_note))
        .route("/api/me", get(me))
        .route("/api/visits", post(visit))
        .layer(layer)
        // Below the layer, for it needs no session.
        .route("/page.css", get(css))
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
    // Somebody else begins with nothing of theirs.
    if session.user().is_some_and(|user| user != account.name) {
        session.clear();
    }
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

async fn css() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], CSS)
}

/// Nothing from elsewhere, and no scripts at all: should anything ever slip through the escaping, it stays text.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
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
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use session_core::{MemoryStore, testing::login_cookie};
    use tower::ServiceExt;

    use super::*;

    fn layer() -> SessionLayer {
        SessionLayer::new(MemoryStore::new()).insecure()
    }

    async fn ask(layer: &SessionLayer, request: axum::http::request::Builder, body: &str) -> (Response<()>, String) {
        let form = "application/x-www-form-urlencoded";
        let request = request
            .header("content-type", form)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let (head, body) = app(layer.clone(), "7").oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        (Response::from_parts(head, ()), String::from_utf8(body.into()).unwrap())
    }

    #[tokio::test]
    async fn a_visitor_is_counted_and_sees_who_answered() {
        let (response, page) = ask(&layer(), Request::get("/"), "").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            response.headers()["set-cookie"]
                .to_str()
                .unwrap()
                .starts_with("visitor=")
        );
        assert!(page.contains("Instance 7 answered"), "{page}");
        assert!(page.contains("<dd class=\"large\">1</dd>"), "{page}");
        assert!(page.contains("<span class=\"spoken\">instance 7</span>"), "{page}");
    }

    #[tokio::test]
    async fn whoever_is_logged_in_is_told_and_may_log_out() {
        let layer = layer();
        let cookie = login_cookie(&layer, "ada").await.unwrap();
        let (_, me) = ask(&layer, Request::get("/api/me").header("cookie", &cookie), "").await;
        assert!(
            me.starts_with(r#"{"user":"ada","instance":"7","visits":0,"session":""#),
            "{me}"
        );

        let (response, _) = ask(&layer, Request::post("/logout").header("cookie", &cookie), "").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let (_, me) = ask(&layer, Request::get("/api/me").header("cookie", &cookie), "").await;
        assert_eq!(me, r#"{"user":null,"instance":"7","visits":0,"session":null}"#);
    }

    #[tokio::test]
    async fn nobody_can_log_out_too() {
        let (response, _) = ask(&layer(), Request::post("/logout"), "").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()["location"], "/");
        assert!(!response.headers().contains_key("set-cookie"));
    }

    #[tokio::test]
    async fn only_the_right_password_logs_in() {
        let (response, page) = ask(&layer(), Request::post("/login"), "name=ada&password=wrong").await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(page.contains("no account with this name and password"), "{page}");
        assert!(!response.headers().contains_key("set-cookie"));

        let (response, _) = ask(&layer(), Request::post("/login"), "name=ada&password=engine").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert!(response.headers()["set-cookie"].to_str().unwrap().starts_with("id="));
    }

    #[tokio::test]
    async fn another_user_begins_with_nothing_of_the_first() {
        let layer = layer();
        let cookie = login_cookie(&layer, "ada").await.unwrap();
        ask(
            &layer,
            Request::post("/note").header("cookie", &cookie),
            "text=adas+secret",
        )
        .await;
        let login = Request::post("/login").header("cookie", &cookie);
        let (response, _) = ask(&layer, login, "name=grace&password=compiler").await;
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let (_, page) = ask(&layer, Request::get("/").header("cookie", cookie), "").await;
        assert!(
            page.contains("Log grace out") && !page.contains("adas secret"),
            "{page}"
        );
    }

    #[tokio::test]
    async fn what_a_browser_sends_is_shown_as_text() {
        let layer = layer();
        let cookie = login_cookie(&layer, "<b>").await.unwrap();
        let note = "text=</textarea><script>alert(1)</script>";
        ask(&layer, Request::post("/note").header("cookie", &cookie), note).await;
        let (_, page) = ask(&layer, Request::get("/").header("cookie", &cookie), "").await;
        assert!(
            page.contains("alert(1)") && !page.contains("<script") && !page.contains("<b>"),
            "{page}"
        );

        let failed = "name=\"><script>alert(2)</script>&password=x";
        let (_, page) = ask(&layer, Request::post("/login"), failed).await;
        assert!(page.contains("alert(2)") && !page.contains("<script"), "{page}");
    }

    #[tokio::test]
    async fn reading_makes_no_session() {
        let (response, me) = ask(&layer(), Request::get("/api/me"), "").await;
        assert_eq!(me, r#"{"user":null,"instance":"7","visits":0,"session":null}"#);
        assert!(!response.headers().contains_key("set-cookie"));
    }

    #[tokio::test]
    async fn only_the_last_twenty_visits_are_a_dot() {
        let layer = layer();
        let cookie = login_cookie(&layer, "ada").await.unwrap();
        for _ in 0..24 {
            ask(&layer, Request::post("/api/visits").header("cookie", &cookie), "").await;
        }
        let (_, page) = ask(&layer, Request::get("/").header("cookie", &cookie), "").await;
        assert!(page.contains("<dd class=\"large\">25</dd>"), "{page}");
        assert_eq!(page.matches("class=\"spoken\"").count(), 20);
    }

    #[tokio::test]
    async fn a_value_too_large_is_refused_by_its_name() {
        let (response, text) = ask(
            &layer(),
            Request::post("/note"),
            &format!("text={}", "x".repeat(1 << 20)),
        )
        .await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(
            text.contains("\"note\" has 1048578 bytes, and 65536 are allowed"),
            "{text}"
        );
    }
}
