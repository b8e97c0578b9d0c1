//! What a store in trouble does to work: over a memory store whose answers can be spoilt.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::time::{sleep, timeout};

use super::run::run_once_with;
use crate::{Claim, Claimed, Error, MemoryStore, OnceStore, run_once};

const LEASE: Duration = Duration::from_millis(300);

/// A store that can be put into trouble.
#[derive(Clone, Debug, Default)]
struct Spoilt {
    store: MemoryStore,
    /// How many answers to each step get lost: the step is done, and nobody hears.
    lost: Arc<[AtomicUsize; 4]>,
    /// The store hangs, whatever it is asked.
    hangs: Arc<AtomicBool>,
    last_claim: Arc<Mutex<Option<Claim>>>,
    steps: Arc<AtomicUsize>,
}

const CLAIM: usize = 0;
const KEEP: usize = 1;
const FINISH: usize = 2;
const GIVE_BACK: usize = 3;

impl Spoilt {
    fn lose(&self, step: usize, times: usize) {
        self.lost[step].store(times, Ordering::SeqCst);
    }

    /// The claim that was made last holds no more, as if somebody else had come and gone.
    async fn take_away(&self) {
        let claim = self.last_claim.lock().unwrap().take().unwrap();
        self.store.give_back(&claim).await.unwrap();
    }

    async fn answer<T>(&self, step: usize, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.steps.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
        let answer = answer.await;
        let decrement = |left: usize| left.checked_sub(1);
        if self.lost[step]
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, decrement)
            .is_ok()
        {
            return Err(Error::unknown("the answer was lost"));
        }
        answer
    }
}

#[async_trait]
impl OnceStore for Spoilt {
    async fn claim(&self, claim: &Claim, lease: Duration) -> Result<Claimed, Error> {
        *self.last_claim.lock().unwrap() = Some(claim.clone());
        self.answer(CLAIM, self.store.claim(claim, lease)).await
    }

    async fn keep(&self, claim: &Claim, lease: Duration) -> Result<bool, Error> {
        self.answer(KEEP, self.store.keep(claim, lease)).await
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, Error> {
        self.answer(FINISH, self.store.finish(claim)).await
    }

    async fn give_back(&self, claim: &Claim) -> Result<(), Error> {
        self.answer(GIVE_BACK, self.store.give_back(claim)).await
    }
}

#[tokio::test]
async fn work_outlasts_its_lease_while_it_is_kept() {
    let store = Spoilt::default();
    let begun = AtomicUsize::new(0);
    let here = run_once_with(&store, "long", LEASE, async || {
        begun.fetch_add(1, Ordering::SeqCst);
        sleep(LEASE * 3).await;
        Ok(())
    });
    let other = async {
        sleep(LEASE / 3).await;
        run_once_with(&store, "long", LEASE, async || panic!("it is being done")).await
    };
    let (here, other) = tokio::join!(here, other);
    assert!(here.unwrap() && !other.unwrap());
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn lost_answers_do_not_matter() {
    let store = Spoilt::default();
    for step in [CLAIM, KEEP, FINISH] {
        store.lose(step, 2);
    }
    let begun = AtomicUsize::new(0);
    let here = run_once_with(&store, "work", LEASE, async || {
        begun.fetch_add(1, Ordering::SeqCst);
        sleep(LEASE).await;
        Ok(())
    });
    assert!(here.await.unwrap());
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    assert_eq!(
        store.lost.iter().map(|lost| lost.load(Ordering::SeqCst)).sum::<usize>(),
        0
    );
}

#[tokio::test]
async fn work_whose_claim_is_lost_is_stopped_and_begun_again() {
    let store = Spoilt::default();
    let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let here = run_once_with(&store, "work", LEASE, async || {
        if begun.fetch_add(1, Ordering::SeqCst) == 0 {
            store.take_away().await;
            sleep(LEASE * 10).await;
        }
        ended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    assert!(here.await.unwrap());
    assert_eq!((begun.into_inner(), ended.into_inner()), (2, 1));
}

#[tokio::test]
async fn an_end_that_comes_too_late_does_not_count() {
    let store = Spoilt::default();
    let begun = AtomicUsize::new(0);
    let here = run_once_with(&store, "work", LEASE, async || {
        if begun.fetch_add(1, Ordering::SeqCst) == 0 {
            store.take_away().await;
        }
        Ok(())
    });
    assert!(here.await.unwrap());
    assert_eq!(begun.into_inner(), 2);
}

#[tokio::test]
async fn an_outage_stops_the_work_before_its_claim_lapses() {
    let store = Spoilt::default();
    let claimed = Instant::now();
    let running = AtomicBool::new(false);
    let outcome = run_once_with(&store, "work", LEASE, async || {
        struct Running<'a>(&'a AtomicBool);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.store(false, Ordering::SeqCst);
            }
        }
        running.store(true, Ordering::SeqCst);
        let _running = Running(&running);
        store.hangs.store(true, Ordering::SeqCst);
        pending().await
    });
    let look = async {
        sleep(LEASE / 2).await;
        assert!(running.load(Ordering::SeqCst));
        sleep((LEASE * 6 / 5).saturating_sub(claimed.elapsed())).await;
        assert!(!running.load(Ordering::SeqCst));
    };
    let (outcome, ()) = tokio::join!(outcome, look);
    assert!(matches!(outcome, Err(Error::Unknown { .. })), "{outcome:?}");
    assert!(claimed.elapsed() < LEASE * 10);
}

#[tokio::test]
async fn an_outage_that_ends_in_time_goes_unnoticed() {
    let store = Spoilt::default();
    store.hangs.store(true, Ordering::SeqCst);
    let begun = AtomicUsize::new(0);
    let here = run_once_with(&store, "work", LEASE * 4, async || {
        begun.fetch_add(1, Ordering::SeqCst);
        store.hangs.store(true, Ordering::SeqCst);
        sleep(LEASE * 3).await;
        Ok(())
    });
    let heal = async {
        for _ in 0..3 {
            sleep(LEASE).await;
            store.hangs.store(false, Ordering::SeqCst);
        }
    };
    let (here, ()) = tokio::join!(here, heal);
    assert!(here.unwrap());
    assert_eq!(begun.into_inner(), 1);
}

#[tokio::test]
async fn a_store_that_stays_away_is_an_error_after_a_lease() {
    let store = Spoilt::default();
    store.lose(CLAIM, usize::MAX);
    let begun = Instant::now();
    let answer = run_once_with(&store, "work", LEASE, async || panic!("nobody has claimed it")).await;
    assert!(matches!(answer, Err(Error::Unknown { .. })), "{answer:?}");
    let took = begun.elapsed();
    assert!((LEASE / 2..LEASE * 5).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_panic_gives_the_work_back() {
    let store = Spoilt::default();
    let panicking = store.clone();
    let task = tokio::spawn(async move { run_once(&panicking, "work", async || panic!("on purpose")).await });
    assert!(task.await.unwrap_err().is_panic());
    let begun = Instant::now();
    assert!(run_once(&store, "work", async || Ok(())).await.unwrap());
    assert!(begun.elapsed() < Duration::from_secs(8), "it waited for the lease");
}

#[tokio::test]
async fn a_call_dropped_while_it_claims_leaves_the_work_free() {
    let store = Spoilt::default();
    store.lose(CLAIM, usize::MAX);
    let call = run_once(&store, "work", async || Ok(()));
    assert!(timeout(LEASE, call).await.is_err());
    store.lose(CLAIM, 0);
    let begun = Instant::now();
    assert!(run_once(&store, "work", async || Ok(())).await.unwrap());
    assert!(begun.elapsed() < Duration::from_secs(8), "it waited for the lease");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_blocks_its_thread_ends_at_last() {
    let store = MemoryStore::new();
    let calls = [store.clone(), store].map(|store| {
        tokio::spawn(async move {
            run_once_with(&store, "work", LEASE / 3, async || {
                std::thread::sleep(LEASE);
                Ok(())
            })
            .await
        })
    });
    let mut here = 0;
    for call in calls {
        here += usize::from(call.await.unwrap().unwrap());
    }
    assert_eq!(here, 1);
}

#[tokio::test]
async fn a_name_that_cannot_be_recorded_is_refused() {
    for name in ["", "a\0b", &"x".repeat(256)] {
        let answer = run_once(&MemoryStore::new(), name, async || panic!("it has no name")).await;
        assert!(matches!(answer, Err(Error::InvalidWork)), "{answer:?}");
    }
}

#[tokio::test]
async fn done_work_is_one_step_and_work_to_do_two() {
    let store = Spoilt::default();
    run_once(&store, "work", async || Ok(())).await.unwrap();
    assert_eq!(store.steps.load(Ordering::SeqCst), 2);
    run_once(&store, "work", async || Ok(())).await.unwrap();
    assert_eq!(store.steps.load(Ordering::SeqCst), 3);
}
