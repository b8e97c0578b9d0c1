use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A session that can be opened: that asks its store for what it holds.
pub(crate) trait Open: FromRequestParts<()> + Send {
    fn open(&self) -> impl Future<Output = Result<(), Response>> + Send;
}

/// An open session. On the way to it, and once it is open, the request waited where it was told to.
pub(crate) struct Held<S>(pub(crate) S);

impl<S: Open> FromRequestParts<()> for Held<S> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &()) -> Result<Self, Response> {
        let gate = Gate::of(parts);
        gate.pass("unopened").await?;
        let session = S::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        session.open().await?;
        gate.pass("opened").await?;
        Ok(Self(session))
    }
}

/// Where a request waits: `x-hold` names the place, `x-gate` is the address of the test that lets it go on.
struct Gate {
    address: Option<String>,
    hold: Option<String>,
}

impl Gate {
    fn of(parts: &Parts) -> Self {
        let header = |name: &str| parts.headers.get(name)?.to_str().ok().map(String::from);
        Self {
            address: header("x-gate"),
            hold: header("x-hold"),
        }
    }

    async fn pass(&self, place: &str) -> Result<(), Response> {
        let Some(address) = self.address.as_ref().filter(|_| self.hold.as_deref() == Some(place)) else {
            return Ok(());
        };
        let wait = async {
            let mut gate = TcpStream::connect(address).await?;
            gate.write_all(place.as_bytes()).await?;
            gate.shutdown().await?;
            // A byte, and not only an end: a test that has failed lets nobody through.
            gate.read_u8().await
        };
        match wait.await {
            Ok(_go) => Ok(()),
            Err(error) => Err((StatusCode::IM_A_TEAPOT, format!("at the gate: {error}")).into_response()),
        }
    }
}
