use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How often a race of two calls is run. Each run is a handful of calls.
pub(super) const ROUNDS: usize = 60;

/// Runs `one` and `other` at the same time, on threads of their own.
pub(super) async fn both<S, A, B>(
    store: &S,
    one: impl FnOnce(S) -> A,
    other: impl FnOnce(S) -> B,
) -> (A::Output, B::Output)
where
    S: Clone,
    A: Future<Output: Send> + Send + 'static,
    B: Future<Output: Send> + Send + 'static,
{
    let line = StartingLine::of(2);
    let one = tokio::spawn(line.clone().start(one(store.clone())));
    let other = tokio::spawn(line.start(other(store.clone())));
    (one.await.unwrap(), other.await.unwrap())
}

/// Runs `task` `count` times at the same time, and tells it which it is.
pub(super) async fn at_once<S, F>(store: &S, count: usize, task: impl Fn(S, usize) -> F) -> Vec<F::Output>
where
    S: Clone,
    F: Future<Output: Send> + Send + 'static,
{
    let line = StartingLine::of(count);
    let tasks = (0..count).map(|i| tokio::spawn(line.clone().start(task(store.clone(), i))));
    let mut results = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        results.push(task.await.unwrap());
    }
    results
}

/// Where tasks wait for each other. They wait awake: a task that had to be woken would always come too late to race
/// with a call that takes a microsecond.
struct StartingLine(AtomicUsize);

impl StartingLine {
    fn of(count: usize) -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(count)))
    }

    async fn start<F: Future>(self: Arc<Self>, task: F) -> F::Output {
        self.0.fetch_sub(1, Ordering::SeqCst);
        while self.0.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
        task.await
    }
}
