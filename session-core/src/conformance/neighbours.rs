use crate::{
    Loaded, NewSession, Renewal, Update, Version,
    conformance::{
        SharedStore,
        checks::{assert_conflict, assert_data, assert_ended, assert_in_use, assert_too_large},
        given::{LONG, create, is_live, json, new_id, new_user, record, renewed, set, sets, successor_of, visitor},
        race::at_once,
    },
};

/// More calls at once than a store may put into one batch.
const CALLS: usize = 150;

/// Calls at the same moment are answered each with its own session, however a store bundles them.
pub async fn loads_at_once_are_answered_each_with_its_own(store: &SharedStore) {
    let answers = at_once(store, CALLS, |store, i| async move {
        let text = i.to_string();
        let id = create(&store, &NewSession::new(LONG).with_delta(sets([("i", text.clone())]))).await;
        let dead = new_id();
        for ids in [vec![id], vec![dead, id], vec![id, dead]] {
            match store.load(&ids).await.unwrap() {
                Loaded::Live(found, record) => {
                    assert_eq!(found, id);
                    assert_data(&record.data, [("i", text.as_str())]);
                }
                Loaded::Renewed(_) | Loaded::Missing => panic!("session {i} is missing"),
            }
        }
        assert_eq!(store.load(&[dead]).await.unwrap(), Loaded::Missing);
    });
    answers.await;
}

/// A write that is refused does not touch those at the same moment, nor do they touch it.
pub async fn writes_at_once_are_answered_each_with_its_own(store: &SharedStore) {
    let answers = at_once(store, CALLS, |store, i| async move {
        let text = i.to_string();
        let id = visitor(&store, [("a", "1")]).await;
        let mut update = Update::new(sets([("i", text.clone())]));
        match i % 5 {
            0 => {
                store.end(&id).await.unwrap();
                assert_ended(store.update(&id, &update).await);
                assert!(!is_live(&store, &id).await);
                return;
            }
            1 => {
                update.max_size = 2;
                let size = 3 + text.len() as u64;
                assert_too_large(store.update(&id, &update).await, size, 2);
                assert_data(&record(&store, &id).await.data, [("a", "1")]);
            }
            2 => {
                let expecting = update.expecting("a", Some(json("2")));
                assert_conflict(store.update(&id, &expecting).await, Some("1"));
                assert_data(&record(&store, &id).await.data, [("a", "1")]);
            }
            3 => {
                store.touch(&id).await.unwrap();
                assert_eq!(record(&store, &id).await.version, Version(1));
            }
            _ => {
                assert_eq!(store.update(&id, &update).await.unwrap(), Version(2));
                assert_data(&record(&store, &id).await.data, [("a", "1"), ("i", &text)]);
            }
        }
        assert_eq!(set(&store, &id, "b", &text).await.unwrap().0, 2 + u64::from(i % 5 == 4));
    });
    answers.await;
}

/// The same is true of creations, renewals, touches and ends.
pub async fn other_calls_at_once_are_answered_each_with_its_own(store: &SharedStore) {
    let taken = visitor(store, [("taken", "1")]).await;
    let answers = at_once(store, CALLS, |store, i| async move {
        let user = new_user();
        let id = create(&store, &NewSession::new(LONG).with_user(&user)).await;
        match i % 5 {
            0 => assert_in_use(store.create(&taken, &NewSession::new(LONG)).await),
            1 => {
                store.end(&id).await.unwrap();
                assert_ended(store.touch(&id).await);
                assert_ended(store.renew(&id, &successor_of(&id), &Renewal::of(Some(user))).await);
            }
            2 => {
                let new = renewed(&store, &id, &Renewal::of(Some(user.clone()))).await;
                assert_ended(store.touch(&id).await);
                store.touch(&new).await.unwrap();
                assert_eq!(record(&store, &new).await.user, Some(user));
            }
            3 => {
                assert_ended(store.renew(&id, &successor_of(&id), &Renewal::of(None)).await);
                assert_eq!(record(&store, &id).await.version, Version(1));
            }
            _ => assert_eq!(store.end_all(&user, None).await.unwrap(), 1),
        }
    });
    answers.await;
    assert_data(&record(store, &taken).await.data, [("taken", "1")]);
}
