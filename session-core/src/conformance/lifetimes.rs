use std::time::{Duration, Instant};

use crate::{
    Delta, Error, Lifetime, NewSession, Renewal, SessionId, Update,
    conformance::{
        SharedStore,
        given::{LONG, create, is_live, new_user, record, sets, successor_of},
    },
};

/// When the sessions that these behaviours watch end, if nothing is done.
const END: Duration = Duration::from_millis(800);

const IDLE_FIRST: Lifetime = Lifetime {
    idle: END,
    absolute: LONG.absolute,
    lock: None,
    renewal: None,
};

const ABSOLUTE_FIRST: Lifetime = Lifetime {
    idle: LONG.idle,
    absolute: END,
    lock: None,
    renewal: None,
};

/// A session that is touched in time outlives its first idle timeout (promise P9).
pub async fn a_touch_extends_the_idle_timeout(store: &SharedStore) {
    let outlived = outlives_idle(store, async |id| store.touch(&id).await.map(|()| id)).await;
    assert!(outlived, "a touched session expired as if it had not been touched");
}

/// A touching update in time does the same.
pub async fn a_touching_update_extends_the_idle_timeout(store: &SharedStore) {
    let update = Update::new(sets([("a", "1")])).touching();
    let outlived = outlives_idle(store, async |id| store.update(&id, &update).await.map(|_| id)).await;
    assert!(outlived, "a session expired as if its update had not been touching");
}

/// So does an update that changes nothing and only touches.
pub async fn an_empty_touching_update_extends_the_idle_timeout(store: &SharedStore) {
    let update = Update::new(Delta::default()).touching();
    let outlived = outlives_idle(store, async |id| store.update(&id, &update).await.map(|_| id)).await;
    assert!(outlived, "a session expired as if its update had not been touching");
}

/// So does a renewal.
pub async fn a_renewal_extends_the_idle_timeout(store: &SharedStore) {
    let outlived = outlives_idle(store, async |id| {
        let to = successor_of(&id);
        store.renew(&id, &to, &Renewal::of(None)).await.map(|_| to)
    });
    assert!(
        outlived.await,
        "a renewed session expired as if it had not been renewed"
    );
}

/// So does a login, which brings a lifetime of its own.
pub async fn a_login_extends_the_idle_timeout(store: &SharedStore) {
    let login = Renewal::login(new_user(), LONG);
    let outlived = outlives_idle(store, async |id| {
        let to = successor_of(&id);
        store.renew(&id, &to, &login).await.map(|_| to)
    });
    assert!(outlived.await, "a session expired as if its user had not logged in");
}

/// So does a touching update by a request in flight, through the id from before a renewal.
pub async fn a_touching_update_through_an_old_id_extends_the_idle_timeout(store: &SharedStore) {
    let update = Update::new(sets([("a", "1")])).touching();
    let begin = async || {
        let old = create(store, &NewSession::new(IDLE_FIRST)).await;
        let new = successor_of(&old);
        store.renew(&old, &new, &Renewal::of(None)).await.map(|_| (old, new))
    };
    let act = async |(old, new)| store.update(&old, &update).await.map(|_| new);
    assert!(
        lives_past_its_end(store, begin, act).await,
        "a session expired as if its update had not been touching"
    );
}

/// An update that does not say so is no activity: the idle timeout goes on.
pub async fn an_update_does_not_extend_the_idle_timeout(store: &SharedStore) {
    let update = Update::new(sets([("a", "1")]));
    let outlived = outlives_idle(store, async |id| store.update(&id, &update).await.map(|_| id)).await;
    assert!(!outlived, "an update that does not touch has extended the idle timeout");
}

/// An update that does not touch takes nothing away from an earlier touch.
pub async fn an_update_does_not_shorten_the_idle_timeout(store: &SharedStore) {
    let update = Update::new(sets([("a", "1")]));
    let outlived = outlives_idle(store, async |id| {
        store.touch(&id).await?;
        store.update(&id, &update).await.map(|_| id)
    });
    assert!(outlived.await, "an update has taken back what a touch extended");
}

/// Loading is no activity.
pub async fn a_load_does_not_extend_the_idle_timeout(store: &SharedStore) {
    let outlived = outlives_idle(store, async |id| store.load(&[id]).await.map(|_| id)).await;
    assert!(!outlived, "a load has extended the idle timeout");
}

/// A conflict and a write that is too large are no activity either.
pub async fn a_refused_update_does_not_extend_the_idle_timeout(store: &SharedStore) {
    let conflict = Update::new(sets([("a", "1")]))
        .touching()
        .expecting("a", Some(crate::Value::from_json("0")));
    let mut too_large = Update::new(sets([("a", "1")])).touching();
    too_large.max_size = 1;
    let outlived = outlives_idle(store, async |id| {
        assert!(store.update(&id, &conflict).await.is_err());
        assert!(store.update(&id, &too_large).await.is_err());
        Ok(id)
    });
    assert!(!outlived.await, "a refused update has extended the idle timeout");
}

/// No touch moves the absolute end (promise P9).
pub async fn a_touch_does_not_pass_the_absolute_end(store: &SharedStore) {
    let passed = passes_the_absolute_end(store, async |id| store.touch(&id).await.map(|()| id)).await;
    assert!(!passed, "a touch has moved the absolute end");
}

/// No touching update moves the absolute end.
pub async fn a_touching_update_does_not_pass_the_absolute_end(store: &SharedStore) {
    let update = Update::new(sets([("a", "1")])).touching();
    let passed = passes_the_absolute_end(store, async |id| store.update(&id, &update).await.map(|_| id)).await;
    assert!(!passed, "a touching update has moved the absolute end");
}

/// No renewal moves the absolute end.
pub async fn a_renewal_does_not_pass_the_absolute_end(store: &SharedStore) {
    let passed = passes_the_absolute_end(store, async |id| {
        let to = successor_of(&id);
        store.renew(&id, &to, &Renewal::of(None)).await.map(|_| to)
    });
    assert!(!passed.await, "a renewal has moved the absolute end");
}

/// The absolute end of a login holds, however long the session would have lived before.
pub async fn a_login_s_own_lifetime_holds(store: &SharedStore) {
    for (idle, absolute) in [(END / 4, LONG.absolute), (LONG.idle, END / 4)] {
        let old = create(store, &NewSession::new(LONG)).await;
        let new = successor_of(&old);
        let login = Renewal::login(
            new_user(),
            Lifetime {
                idle,
                absolute,
                lock: None,
                renewal: None,
            },
        );
        store.renew(&old, &new, &login).await.unwrap();
        tokio::time::sleep(END / 2).await;
        assert!(!is_live(store, &new).await);
    }
}

/// A login ends the old absolute end: the session lives past it.
pub async fn a_login_passes_the_old_absolute_end(store: &SharedStore) {
    let login = Renewal::login(new_user(), LONG);
    let passed = passes_the_absolute_end(store, async |id| {
        let to = successor_of(&id);
        store.renew(&id, &to, &login).await.map(|_| to)
    });
    assert!(passed.await, "a login has kept the old absolute end");
}

/// A lifetime may be a century, or have no end in practice.
pub async fn an_endless_lifetime_is_kept(store: &SharedStore) {
    let century = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    for life in [century, Duration::MAX] {
        let lifetime = Lifetime {
            idle: life,
            absolute: life,
            lock: None,
            renewal: None,
        };
        let id = create(store, &NewSession::new(lifetime)).await;
        store.touch(&id).await.unwrap();
        let id = {
            let to = successor_of(&id);
            store
                .renew(&id, &to, &Renewal::login(new_user(), lifetime))
                .await
                .unwrap();
            to
        };
        let record = record(store, &id).await;
        assert!(record.absolute_end >= record.created + century - Duration::from_secs(1));
        assert!(record.idle_timeout >= century);
        assert!(record.expires() >= record.loaded_at + century - Duration::from_secs(60));
    }
}

/// Whether a session lives past its first idle timeout if `act`, which gives the id that it has then, is done half
/// way through it.
async fn outlives_idle(store: &SharedStore, act: impl AsyncFn(SessionId) -> Result<SessionId, Error>) -> bool {
    let begin = async || Ok(create(store, &NewSession::new(IDLE_FIRST)).await);
    lives_past_its_end(store, begin, act).await
}

/// Whether a session lives past its first absolute end if `act` is done half way to it.
async fn passes_the_absolute_end(
    store: &SharedStore,
    act: impl AsyncFn(SessionId) -> Result<SessionId, Error>,
) -> bool {
    let begin = async || Ok(create(store, &NewSession::new(ABSOLUTE_FIRST)).await);
    lives_past_its_end(store, begin, act).await
}

/// Whether the session that `begin` makes is alive longer than [`END`] afterwards, if `act` is done half way through.
/// What cannot be told, because the machine was busy for too long, is tried again.
async fn lives_past_its_end<T>(
    store: &SharedStore,
    begin: impl AsyncFn() -> Result<T, Error>,
    act: impl AsyncFn(T) -> Result<SessionId, Error>,
) -> bool {
    for _ in 0..20 {
        let Ok(session) = begin().await else { continue };
        let begun = Instant::now();
        tokio::time::sleep(END / 2).await;
        let acting = Instant::now();
        let Ok(id) = act(session).await else { continue };
        tokio::time::sleep((END * 5 / 4).saturating_sub(begun.elapsed())).await;
        if is_live(store, &id).await {
            return true;
        }
        if acting.elapsed() < END * 15 / 16 {
            return false;
        }
    }
    panic!("the session expires too early, or the machine is too slow to tell");
}
