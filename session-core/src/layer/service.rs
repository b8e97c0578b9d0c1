use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::{ResponseFuture, Setup};
use crate::{Error, session::LazyHandle};

/// The service that [`SessionLayer`](super::SessionLayer) puts around another.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    setup: Arc<Setup>,
}

impl<S> SessionService<S> {
    pub(super) fn new(inner: S, setup: Setup) -> Self {
        let setup = Arc::new(setup);
        Self { inner, setup }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: http_body::Body<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if let Some(outer) = request.extensions().get::<Arc<LazyHandle>>()
            && let Some(cookie) = outer.shared_cookie(&self.setup.config)
        {
            let error = Error::NestedLayers { cookie };
            tracing::error!("{error}");
            return ResponseFuture::refused(error);
        }
        let lazy = LazyHandle::new(&self.setup);
        let views = lazy.enter(&mut request);
        ResponseFuture::new(self.inner.call(request), lazy, views)
    }
}
