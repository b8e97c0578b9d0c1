use std::collections::BTreeSet;

use crate::{
    Error, NewSession, SessionId, SessionStore, Update, Value, Version,
    conformance::{
        SharedStore,
        checks::{assert_conflict, assert_data},
        given::{LONG, json, new_id, record, removes, sets, visitor},
        race::{ROUNDS, at_once, both},
    },
};

/// Of increments at the same moment every one counts, and none counts twice (promise P2).
pub async fn increments_at_once_all_count(store: &SharedStore) {
    let id = visitor(store, [("other", "1")]).await;
    let versions = at_once(store, 8, |store, _| async move {
        let mut versions = Vec::new();
        for _ in 0..10 {
            versions.push(increment(&store, &id).await);
        }
        versions
    });
    let versions: BTreeSet<u64> = versions.await.into_iter().flatten().map(|version| version.0).collect();
    assert!(versions.into_iter().eq(2..=81), "each write has a version of its own");
    assert_data(&record(store, &id).await.data, [("n", "80"), ("other", "1")]);
}

/// Writes to different keys at the same moment all survive (promise P1).
pub async fn changes_of_different_keys_at_once_all_survive(store: &SharedStore) {
    let id = visitor(store, []).await;
    let versions = at_once(store, 8, |store, i| async move {
        let mut versions = Vec::new();
        for n in 0..10 {
            let key = format!("{i}-{n}");
            versions.push(store.update(&id, &Update::new(sets([(key, "1")]))).await.unwrap());
        }
        versions
    });
    let versions: BTreeSet<u64> = versions.await.into_iter().flatten().map(|version| version.0).collect();
    assert!(versions.into_iter().eq(2..=81), "each write has a version of its own");
    let keys: Vec<String> = (0..8).flat_map(|i| (0..10).map(move |n| format!("{i}-{n}"))).collect();
    assert_data(
        &record(store, &id).await.data,
        keys.iter().map(|key| (key.as_str(), "1")),
    );
}

/// Of two writes to one key at the same moment the later one stands, whole.
pub async fn of_changes_of_one_key_at_once_the_later_stands(store: &SharedStore) {
    for _ in 0..ROUNDS {
        let id = visitor(store, [("a", "0"), ("b", "0")]).await;
        let write = |text: &'static str| {
            move |store: SharedStore| async move {
                store
                    .update(&id, &Update::new(sets([("a", text), ("b", text)])))
                    .await
                    .unwrap()
            }
        };
        let (one, two) = both(store, write("1"), write("2")).await;
        assert_ne!(one, two);
        let last = if one > two { "1" } else { "2" };
        assert_data(&record(store, &id).await.data, [("a", last), ("b", last)]);
    }
}

/// Of removals at the same moment that expect the same value, one is made and the others conflict with it (promise P2).
pub async fn of_removals_at_once_one_holds(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let id = visitor(store, [("n", "1")]).await;
        let answers = at_once(store, 6, |store, _| async move {
            let update = Update::new(removes(["n"])).expecting("n", Some(json("1")));
            store.update(&id, &update).await
        });
        let mut answers = answers.await;
        answers.sort_by_key(Result::is_err);
        assert_eq!(answers.remove(0).unwrap(), Version(2));
        for answer in answers {
            assert_conflict(answer, None);
        }
    }
}

/// Of updates at the same moment that expect the same, one is made and the others conflict with it.
pub async fn of_equal_expectations_at_once_one_holds(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let id = visitor(store, [("n", "0")]).await;
        let answers = at_once(store, 6, |store, i| async move {
            let update = Update::new(sets([("n", format!("{}", i + 1))])).expecting("n", Some(json("0")));
            (i + 1, store.update(&id, &update).await)
        });
        let answers = answers.await;
        let winners: Vec<usize> = answers
            .iter()
            .filter(|(_, answer)| answer.is_ok())
            .map(|(i, _)| *i)
            .collect();
        assert_eq!(winners.len(), 1);
        let value = winners[0].to_string();
        for (_, answer) in answers.into_iter().filter(|(_, answer)| answer.is_err()) {
            crate::conformance::checks::assert_conflict(answer, Some(&value));
        }
        assert_data(&record(store, &id).await.data, [("n", value.as_str())]);
    }
}

/// Touches at the same moment as writes lose none of them.
pub async fn touches_lose_no_changes(store: &SharedStore) {
    let id = visitor(store, []).await;
    for n in 0..ROUNDS as u64 {
        let touch = move |store: SharedStore| async move { store.touch(&id).await.unwrap() };
        let write = move |store: SharedStore| async move { increment(&store, &id).await };
        let ((), version) = both(store, touch, write).await;
        assert_eq!(version, Version(n + 2));
    }
    assert_data(&record(store, &id).await.data, [("n", ROUNDS.to_string().as_str())]);
}

/// Of creations of one id with different content at the same moment, one makes the session and the others are refused.
pub async fn of_creations_of_one_id_at_once_one_wins(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let id = new_id();
        let answers = at_once(store, 4, |store, i| async move {
            let new = NewSession::new(LONG).with_delta(sets([("i", i.to_string())]));
            store.create(&id, &new).await
        });
        let answers = answers.await;
        let winner = answers.iter().position(Result::is_ok).unwrap();
        for (i, answer) in answers.iter().enumerate() {
            match answer {
                Ok(version) => assert_eq!((i, *version), (winner, Version(1))),
                Err(error) => assert!(matches!(error, Error::IdInUse), "{error:?}"),
            }
        }
        assert_data(&record(store, &id).await.data, [("i", winner.to_string().as_str())]);
    }
}

/// A creation and its repetition at the same moment are answered alike.
pub async fn equal_creations_at_once_are_answered_alike(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let id = new_id();
        let create = |store: SharedStore| async move {
            store
                .create(&id, &NewSession::new(LONG).with_delta(sets([("a", "1")])))
                .await
                .unwrap()
        };
        assert_eq!(both(store, create, create).await, (Version(1), Version(1)));
        assert_data(&record(store, &id).await.data, [("a", "1")]);
    }
}

/// Adds one to the number at the key `n`, however often others change it meanwhile.
async fn increment(store: &dyn SessionStore, id: &SessionId) -> Version {
    let mut current: Option<Value> = None;
    loop {
        let n: u64 = current.as_ref().map_or(0, |value| value.decode().unwrap());
        let update = Update::new(sets([("n", (n + 1).to_string())])).expecting("n", current);
        match store.update(id, &update).await {
            Ok(version) => return version,
            Err(Error::Conflict { current: found }) => current = found,
            Err(error) => panic!("{error:?}"),
        }
    }
}
