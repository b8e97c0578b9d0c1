use crate::{
    NewSession, Renewal, Seal, SessionId, Update,
    conformance::{
        SharedStore,
        checks::{assert_ended, assert_in_use},
        given::{LONG, create, new_id, new_user, record, renewed, sets, visitor},
    },
};

fn seal(text: &'static str) -> Option<Seal> {
    Some(Seal::from_bytes(text))
}

async fn seal_of(store: &SharedStore, id: &SessionId) -> Option<Seal> {
    record(store, id).await.seal
}

/// A seal is kept byte for byte from the creation on, and a plain renewal or the same user's login keeps it too.
pub async fn a_seal_is_kept(store: &SharedStore) {
    let bytes: Vec<u8> = (0..=255).collect();
    let user = new_user();
    let mut new = NewSession::new(LONG).with_user(&user);
    new.seal = Some(Seal::from_bytes(bytes));
    let first = create(store, &new).await;
    assert_eq!(seal_of(store, &first).await, new.seal);
    let second = renewed(store, &first, &Renewal::of(Some(user.clone()))).await;
    assert_eq!(seal_of(store, &second).await, new.seal);
    let third = renewed(store, &second, &Renewal::login(&user, LONG)).await;
    assert_eq!(seal_of(store, &third).await, new.seal);

    let mut other = new.clone();
    other.seal = seal("another");
    let id = new_id();
    store.create(&id, &new).await.unwrap();
    store.create(&id, &new).await.unwrap();
    assert_in_use(store.create(&id, &other).await);
}

/// A renewal or a login that brings a seal replaces the one there was.
pub async fn a_renewal_may_bring_a_seal(store: &SharedStore) {
    let user = new_user();
    let mut id = visitor(store, []).await;
    for (text, is_login) in [("one", false), ("two", true), ("three", false), ("four", true)] {
        let holder = record(store, &id).await.user;
        let mut renewal = if is_login {
            Renewal::login(&user, LONG)
        } else {
            Renewal::of(holder)
        };
        renewal.seal = seal(text);
        id = renewed(store, &id, &renewal).await;
        assert_eq!(seal_of(store, &id).await, seal(text));
    }
}

/// Somebody else's login leaves the seal behind with the data.
pub async fn a_login_as_somebody_else_leaves_the_seal_behind(store: &SharedStore) {
    for own in [None, seal("own")] {
        let mut new = NewSession::new(LONG).with_user(new_user());
        new.seal = seal("another's");
        let old = create(store, &new).await;
        let mut renewal = Renewal::login(new_user(), LONG);
        renewal.seal.clone_from(&own);
        let id = renewed(store, &old, &renewal).await;
        assert_eq!(seal_of(store, &id).await, own);
    }
}

/// A change may bring the first seal, and replaces none.
pub async fn a_change_may_bring_the_first_seal(store: &SharedStore) {
    let id = visitor(store, [("a", "1")]).await;
    for text in ["first", "second"] {
        let mut update = Update::new(sets([("b", text)]));
        update.seal = seal(text);
        store.update(&id, &update).await.unwrap();
        assert_eq!(seal_of(store, &id).await, seal("first"));
    }
}

/// A change that brings a seal is not led to where the session was renewed to: the seal would not fit the token.
pub async fn a_change_that_brings_a_seal_is_not_led_on(store: &SharedStore) {
    let old = visitor(store, []).await;
    let new = renewed(store, &old, &Renewal::of(None)).await;
    let mut update = Update::new(sets([("a", "1")]));
    update.seal = seal("late");
    assert_ended(store.update(&old, &update).await);
    let record = record(store, &new).await;
    assert_eq!((record.seal, record.data.len()), (None, 0));
}
