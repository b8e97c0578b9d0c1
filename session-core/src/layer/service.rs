use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum_core::{body::Body, response::IntoResponse};
use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::{Config, finish::finish, layer::Shared};
use crate::{Error, session::Handle};

/// The service that [`SessionLayer`](super::SessionLayer) puts around another.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    config: Arc<Config>,
    shared: Shared,
}

impl<S> SessionService<S> {
    pub(super) fn new(inner: S, config: Config, shared: Shared) -> Self {
        Self {
            inner,
            config: Arc::new(config),
            shared,
        }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    ReqBody: Send + 'static,
    ResBody: http_body::Body<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if let Some(outer) = request.extensions().get::<Arc<Handle>>()
            && let Some(cookie) = outer.shared_cookie(&self.config)
        {
            let error = Error::NestedLayers { cookie };
            tracing::error!("{error}");
            return Box::pin(async move { Ok(error.into_response()) });
        }
        let handle = Handle::new(&self.config, &self.shared, request.headers());
        let views = handle.enter(request.extensions_mut());

        // The clone has not been polled ready, so the one that has been is used, and the clone kept for the next call.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let response = inner.call(request).await?;
            let response = finish(handle, response.map(Body::new)).await;
            drop(views);
            Ok(response)
        })
    }
}
