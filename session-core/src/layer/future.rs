use std::{
    fmt,
    future::{self, Future},
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum_core::{body::Body, response::IntoResponse};
use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use super::finish::{finish, finish_at_once};
use crate::{
    Error,
    session::{LazyHandle, Views},
};

pin_project! {
    /// The future of a [`SessionService`](super::SessionService)'s response.
    pub struct ResponseFuture<F> {
        #[pin]
        stage: Stage<F>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F> {
        // The handler is at work.
        Handled { #[pin] response: F, lazy: Arc<LazyHandle>, views: Views },
        // What it did is being committed. Most requests do nothing, so this alone takes room on the heap.
        Finished { response: Pin<Box<dyn Future<Output = Response<Body>> + Send>> },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(response: F, lazy: Arc<LazyHandle>, views: Views) -> Self {
        let stage = Stage::Handled { response, lazy, views };
        Self { stage }
    }

    /// The response to a request that must not come as far as the handler.
    pub(super) fn refused(error: Error) -> Self {
        let response = Box::pin(future::ready(error.into_response()));
        let stage = Stage::Finished { response };
        Self { stage }
    }
}

impl<F, ResBody, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    ResBody: http_body::Body<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut stage = self.project().stage;
        loop {
            let finished = match stage.as_mut().project() {
                StageProjection::Finished { response } => return response.as_mut().poll(cx).map(Ok),
                StageProjection::Handled { response, lazy, views } => {
                    let mut response = ready!(response.poll(cx))?.map(Body::new);
                    let Some(handle) = lazy.asked_for() else {
                        return Poll::Ready(Ok(response));
                    };
                    if views.is_empty() && finish_at_once(handle, &mut response) {
                        return Poll::Ready(Ok(response));
                    }
                    Box::pin(finish(Arc::clone(handle), mem::take(views), response))
                }
            };
            stage.set(Stage::Finished { response: finished });
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
