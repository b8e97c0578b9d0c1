use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{given::LONG, random::Random};
use crate::{
    Delta, Error, Loaded, NearCache, NewSession, Renewal, SessionId, SessionStore, SessionToken, Update, Value,
};

/// How many browsers there are, and what each does.
const BROWSERS: usize = 8;
const STEPS: usize = 250;

/// The key that is written, each time with a higher number.
const KEY: &str = "n";

/// An instance: a store with a near cache, and what cuts its links to the server, or is awaited until they are
/// restored.
pub trait NearInstance: Send + Sync + 'static {
    /// The store of this instance.
    fn store(&self) -> &dyn SessionStore;

    /// Does harm to the links, as the number chooses.
    fn harm(&self, choice: u64);

    /// Undoes it.
    fn mend(&self);
}

/// Random histories of two instances, whose links are harmed and mended at random moments: browsers read their own
/// writes on whichever instance, and whoever else reads sees nothing that was over, or older, a lease before.
///
/// Each browser writes ever higher numbers, renews its session and ends it, one request after another, with the cookie
/// that makes it bypass the cache of the instance that it did not write on. Observers read without one.
///
/// # Panics
///
/// If a promise is broken; it prints the seed with which all choose the same again, if the variable `SEED` has it.
pub async fn near_caches_keep_the_promises<I: NearInstance>(instances: [Arc<I>; 2]) {
    let Random(seed) = Random::seeded();
    for instance in &instances {
        until_served(instance.store()).await;
    }
    let trouble = tokio::spawn(trouble(instances.clone(), Random(seed)));
    let browsers = (0..BROWSERS as u64).map(|number| {
        let history = Arc::new(History::default());
        let random = Random(seed ^ (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let observer = tokio::spawn(observe(instances.clone(), Arc::clone(&history), Random(random.0 ^ 1)));
        (tokio::spawn(browse(instances.clone(), history, random)), observer)
    });
    let browsers: Vec<_> = browsers.collect();
    let (mut near, mut seen) = (0, 0);
    for (browser, observer) in browsers {
        near += browser.await.expect("a browser's promises are kept");
        seen += observer.await.expect("an observer's promises are kept");
    }
    trouble.abort();
    instances.iter().for_each(|instance| instance.mend());
    println!("{near} reads of browsers and {seen} of observers came from the caches");
    assert!(near > 0 && seen > 0, "nothing was read from the caches");
}

/// Waits until the cache of a store serves what was read.
pub(super) async fn until_served(store: &dyn SessionStore) {
    let (id, cache) = (create(store).await.expect("the store works"), cache(store));
    while cache.get(&[id]).is_none() {
        sleep(Duration::from_millis(10)).await;
        let _ = store.load(&[id]).await;
    }
    let _ = store.end(&id).await;
}

fn cache(store: &dyn SessionStore) -> &NearCache {
    store.near_cache().expect("the store has a near cache")
}

async fn create(store: &dyn SessionStore) -> Result<SessionId, Error> {
    let id = SessionToken::random()?.id();
    store.create(&id, &NewSession::new(LONG)).await.map(|_| id)
}

fn writing(number: u64) -> Update {
    let mut delta = Delta::default();
    delta.set(KEY, Value::encode(&number).unwrap()).unwrap();
    Update::new(delta)
}

/// Harms and mends the links of one instance, then of the other.
async fn trouble<I: NearInstance>(instances: [Arc<I>; 2], mut random: Random) {
    loop {
        let instance = &instances[random.below(2)];
        sleep(Duration::from_millis(random.below(300) as u64)).await;
        instance.harm(random.next());
        sleep(Duration::from_millis(random.below(900) as u64)).await;
        instance.mend();
    }
}

/// What was acknowledged of a browser's session, and when.
#[derive(Default)]
struct History(Mutex<Known>);

#[derive(Clone, Default)]
struct Known {
    session: Option<SessionId>,
    /// The numbers, in their order.
    written: Vec<(Instant, u64)>,
    /// When the id opened nothing any more, and who did that.
    over: Option<(Instant, usize)>,
    is_done: bool,
}

impl History {
    fn with<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }
}

/// One request after another. How many reads came from a cache.
async fn browse<I: NearInstance>(instances: [Arc<I>; 2], history: Arc<History>, mut random: Random) -> u64 {
    let mut near = 0;
    let mut steps = 0;
    while steps < STEPS {
        let Ok(mut id) = create(instances[random.below(2)].store()).await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        history.with(|known| {
            *known = Known {
                session: Some(id),
                ..Known::default()
            };
        });
        let (mut number, mut cookies) = (0, [None::<Instant>; 2]);
        // Ends with an end, or with what may have been done or not.
        loop {
            steps += 1;
            let at = random.below(2);
            let store = instances[at].store();
            match random.below(20) {
                0..12 => {
                    let has_written_elsewhere = cookies[1 - at].is_some_and(|until| Instant::now() < until);
                    let cached = cache(store).get(&[id]).filter(|_| !has_written_elsewhere);
                    near += u64::from(cached.is_some());
                    let loaded = match cached {
                        Some(loaded) => Ok(loaded),
                        None => store.load(&[id]).await,
                    };
                    if let Ok(loaded) = loaded {
                        assert_eq!(
                            read(&loaded),
                            Some(number),
                            "a browser reads its own writes: {loaded:?}"
                        );
                    }
                }
                12..18 => {
                    number += 1;
                    if store.update(&id, &writing(number)).await.is_err() {
                        break;
                    }
                    let now = Instant::now();
                    // Whole seconds, and one more.
                    cookies[at] = Some(now + Duration::from_secs(cache(store).lease().as_secs() + 2));
                    history.with(|known| known.written.push((now, number)));
                }
                18 => {
                    let token = SessionToken::random_successor(&id).unwrap();
                    if store.renew(&id, &token.id(), &Renewal::of(None)).await.is_err() {
                        break;
                    }
                    history.with(|known| known.over = Some((Instant::now(), at)));
                    pause(&mut random).await;
                    id = token.id();
                    history.with(|known| {
                        *known = Known {
                            session: Some(id),
                            written: vec![(Instant::now(), number)],
                            ..Known::default()
                        };
                    });
                }
                _ => {
                    if store.end(&id).await.is_ok() {
                        history.with(|known| known.over = Some((Instant::now(), at)));
                        assert!(cache(store).get(&[id]).is_none(), "this instance has ended it");
                    }
                    break;
                }
            }
            if random.below(8) == 0 {
                pause(&mut random).await;
            }
        }
        pause(&mut random).await;
    }
    history.with(|known| known.is_done = true);
    near
}

/// Long enough for a lease to pass, now and then.
async fn pause(random: &mut Random) {
    let most = if random.below(8) == 0 { 1500 } else { 15 };
    sleep(Duration::from_millis(random.below(most) as u64)).await;
}

/// Reads what the browser does, on either instance, without its cookies. How many reads came from a cache.
async fn observe<I: NearInstance>(instances: [Arc<I>; 2], history: Arc<History>, mut random: Random) -> u64 {
    let mut near = 0;
    loop {
        sleep(Duration::from_millis(random.below(6) as u64)).await;
        let at = random.below(2);
        let store = instances[at].store();
        let known = history.with(|known| known.clone());
        if known.is_done {
            return near;
        }
        let Some(id) = known.session else { continue };
        let began = Instant::now();
        let Some(loaded) = cache(store).get(&[id]) else {
            let _ = store.load(&[id]).await;
            continue;
        };
        near += 1;
        let long_ago = |time: Instant| began.saturating_duration_since(time) >= cache(store).lease();
        if let Some((when, by)) = known.over {
            let is_late = by == at || long_ago(when);
            assert!(!is_late, "it was over {:?} ago, on {by}, read on {at}", began - when);
        }
        let least = known.written.iter().rev().find(|(when, _)| long_ago(*when));
        if let (Some((when, least)), Some(number)) = (least, read(&loaded)) {
            assert!(
                number >= *least,
                "{number} is read, {least} was written {:?} ago",
                began - *when
            );
        }
    }
}

/// The number that a session has; nothing if it is not there.
fn read(loaded: &Loaded) -> Option<u64> {
    match loaded {
        Loaded::Live(_, record) => Some(record.data.get(KEY).map_or(0, |value| value.decode().unwrap())),
        Loaded::Renewed(_) | Loaded::Missing => None,
    }
}
