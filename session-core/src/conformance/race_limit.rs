use crate::{
    Error, Excess, Renewal, SessionId,
    conformance::{
        SharedStore,
        given::{create, ids_of, is_live, new_id, new_user, renewed, successor_of, visitor},
        limit::{limited, new_with},
        race::{ROUNDS, at_once},
    },
};

/// Twenty logins of one user at once; what became of each.
async fn log_in_at_once(
    store: &SharedStore,
    user: &str,
    max: u32,
    excess: Excess,
) -> Vec<(SessionId, Result<(), Error>)> {
    let mut visitors = Vec::new();
    for _ in 0..10 {
        visitors.push(visitor(store, []).await);
    }
    let (user, login) = (user.to_owned(), limited("", max, excess));
    at_once(store, 20, |store, i| {
        let (user, login, visitor) = (user.clone(), login.clone(), visitors[i / 2]);
        async move {
            if i % 2 == 0 {
                let to = successor_of(&visitor);
                let renewal = Renewal::login(&user, login);
                (to, store.renew(&visitor, &to, &renewal).await.map(drop))
            } else {
                let id = new_id();
                (id, store.create(&id, &new_with(&user, &login)).await.map(drop))
            }
        }
    })
    .await
}

/// Of twenty logins at once as many are made as are allowed, and the others are refused (promise P10).
pub async fn of_logins_at_once_as_many_as_allowed_are_made(store: &SharedStore) {
    for round in 0..ROUNDS / 10 {
        let (user, max) = (new_user(), 1 + round as u32 % 3);
        let answers = log_in_at_once(store, &user, max, Excess::Refuse).await;
        let mut made = Vec::new();
        for (id, answer) in answers {
            match answer {
                Ok(()) => made.push(id),
                Err(Error::LimitReached { .. }) => assert!(!is_live(store, &id).await),
                Err(error) => panic!("{error:?}"),
            }
        }
        made.sort();
        assert_eq!(made.len(), max as usize);
        assert_eq!(ids_of(store, &user).await, made);
    }
}

/// Of twenty logins at once that end the oldest, as many sessions are left as are allowed.
pub async fn of_logins_at_once_that_end_the_oldest_as_many_as_allowed_are_left(store: &SharedStore) {
    for round in 0..ROUNDS / 10 {
        let (user, max) = (new_user(), 1 + round as u32 % 3);
        let mut live = Vec::new();
        for (id, answer) in log_in_at_once(store, &user, max, Excess::EndOldest).await {
            match answer {
                Ok(()) | Err(Error::Ended) => {}
                Err(error) => panic!("{error:?}"),
            }
            if is_live(store, &id).await {
                live.push(id);
            }
        }
        live.sort();
        assert_eq!(live.len(), max as usize);
        assert_eq!(ids_of(store, &user).await, live);
    }
}

/// A session that is renewed while others log in counts all the while, and once.
pub async fn a_session_renewed_during_logins_counts_once(store: &SharedStore) {
    for _ in 0..ROUNDS / 4 {
        let user = new_user();
        let login = limited("", 2, Excess::Refuse);
        let first = create(store, &new_with(&user, &login)).await;
        let made = at_once(store, 4, |store, i| {
            let (user, login) = (user.clone(), login.clone());
            async move {
                if i == 0 {
                    let second = renewed(&store, &first, &Renewal::of(Some(user.clone()))).await;
                    renewed(&store, &second, &Renewal::of(Some(user))).await;
                    return None;
                }
                let id = new_id();
                store.create(&id, &new_with(&user, &login)).await.ok().map(|_| id)
            }
        })
        .await;
        assert_eq!(made.iter().flatten().count(), 1, "one place was left");
        assert_eq!(ids_of(store, &user).await.len(), 2);
    }
}
