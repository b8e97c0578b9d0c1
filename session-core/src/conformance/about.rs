use time::OffsetDateTime;

use crate::{
    About, Login, NewSession, Page, Renewal,
    conformance::{
        SharedStore,
        given::{LONG, create, ids_of, new_user, record, renewed, session_of},
    },
};

/// A login of one class, from a device.
fn login_from(device: &str) -> Login {
    let mut login = Login::from(LONG);
    login.about.class = "privileged".into();
    login.about.label = Some(device.into());
    login.about.address = "2001:db8::1".parse().ok();
    login.about.authenticated = OffsetDateTime::from_unix_timestamp(1_700_000_000).ok();
    login
}

/// What a login says of itself is kept and listed, whether it makes a session or renews one (promise P10).
pub async fn what_a_login_says_of_itself_is_kept_and_listed(store: &SharedStore) {
    let user = new_user();
    let login = login_from("Łódź \"quoted\" \u{1F4F1}");
    let mut new = NewSession::new(LONG).with_user(&user);
    new.about = login.about.clone();
    let created = create(store, &new).await;
    let visitor = create(store, &NewSession::new(LONG)).await;
    let renewed = renewed(store, &visitor, &Renewal::login(&user, login.clone())).await;
    for id in [created, renewed] {
        let record = record(store, &id).await;
        assert_eq!(record.about, login.about);
        assert_eq!(record.authenticated().unix_timestamp(), 1_700_000_000);
    }
    let list = store.of_user(&user, &Page::default()).await.unwrap();
    assert_eq!(list.len(), 2);
    assert!(list.iter().all(|session| session.about == login.about));
}

/// A plain renewal keeps it; the next login says its own.
pub async fn what_a_login_says_of_itself_stays_until_the_next(store: &SharedStore) {
    let user = new_user();
    let first = session_of(store, &user).await;
    assert_eq!(record(store, &first).await.about, About::default());
    let login = login_from("one");
    let second = renewed(store, &first, &Renewal::login(&user, login.clone())).await;
    let third = renewed(store, &second, &Renewal::of(Some(user.clone()))).await;
    assert_eq!(record(store, &third).await.about, login.about);
    let fourth = renewed(store, &third, &Renewal::login(&user, LONG)).await;
    let record = record(store, &fourth).await;
    assert_eq!(record.about, About::default());
    assert_eq!(record.authenticated(), record.created);
    assert_eq!(ids_of(store, &user).await, [fourth]);
}
