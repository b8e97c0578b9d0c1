//! For an app's own tests.

use crate::{Error, NewSession, SessionLayer, SessionStore, SessionToken, layer::encode_token, session::Vault};

/// A logged-in `Cookie` header, minted without the app's login form.
///
/// Give it the layer the app uses: the session is made in its store, with its lifetime, under its cookie's name.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use session_core::{MemoryStore, Session, SessionLayer, testing::login_cookie};
/// use tower::ServiceExt;
///
/// async fn me(session: Session) -> String {
///     session.user().unwrap_or_else(|| "nobody".into())
/// }
///
/// let layer = SessionLayer::new(MemoryStore::new());
/// let app: Router = Router::new().route("/me", get(me)).layer(layer.clone());
///
/// let cookie = login_cookie(&layer, "alice").await?;
/// let response = app.oneshot(Request::get("/me").header("cookie", cookie).body(Body::empty())?).await?;
/// assert_eq!(axum::body::to_bytes(response.into_body(), 100).await?, "alice");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::InvalidUser`], and what the store answers.
pub async fn login_cookie(layer: &SessionLayer, user: &str) -> Result<String, Error> {
    crate::session::check_user(user)?;
    let token = SessionToken::random()?;
    let config = layer.config();
    let mut new = NewSession::new(config.lifetime).with_user(user);
    new.seal = Vault::begin(&token, config)?.seal().cloned();
    layer.store().create(&token.id(), &new).await?;
    Ok(format!("{}={}", config.cookie.login, encode_token(&token)))
}
