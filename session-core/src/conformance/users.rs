use crate::{
    Renewal,
    conformance::{
        SharedStore,
        given::{LONG, ids_of, is_live, new_id, record, renewed, session_of, visitor},
    },
};

/// Names that differ in little, or mean something to a language or a key. `#` stands for what makes them unique.
pub(super) const NAMES: &[&str] = &[
    "#",
    "# ",
    " #",
    "#a",
    "#A",
    "#:",
    "#:1",
    "{#}",
    "#}",
    "*#",
    "#*",
    "#?",
    "#[a]",
    "#%",
    "#_",
    "#\\",
    "#'",
    "#\"",
    "#' OR ''='",
    "#$1",
    "# x",
    "#\tx",
    "#\nx",
    "#é",
    "#e\u{301}",
    "#日本",
    "#👩‍👩‍👧",
    "#\u{1}",
    "#,",
    "#;",
    "#@example.org",
];

/// A user may have any name; it is kept as it is, and is nobody else's.
pub async fn any_name_is_a_user_of_its_own(store: &SharedStore) {
    let mark = new_id().to_string();
    let names: Vec<String> = NAMES.iter().map(|name| name.replace('#', &mark)).collect();
    let mut sessions = Vec::new();
    for name in &names {
        let created = session_of(store, name).await;
        let guest = visitor(store, []).await;
        let mut ids = [created, renewed(store, &guest, &Renewal::login(name, LONG)).await];
        ids.sort();
        sessions.push(ids);
    }
    for (name, ids) in names.iter().zip(&sessions) {
        assert_eq!(ids_of(store, name).await, ids, "the sessions of {name:?}");
        for id in ids {
            assert_eq!(record(store, id).await.user.as_ref(), Some(name));
        }
    }
    for (i, name) in names.iter().enumerate() {
        assert_eq!(store.end_all(name, None).await.unwrap(), 2, "the sessions of {name:?}");
        for (j, ids) in sessions.iter().enumerate() {
            assert_eq!(
                is_live(store, &ids[0]).await,
                j > i,
                "{name:?} was ended, this is {:?}",
                names[j]
            );
        }
    }
}

/// A user's sessions can be renewed whatever the name.
pub async fn any_name_can_be_renewed(store: &SharedStore) {
    let mark = new_id().to_string();
    for name in NAMES {
        let name = name.replace('#', &mark);
        let old = session_of(store, &name).await;
        let new = renewed(store, &old, &Renewal::of(Some(name.clone()))).await;
        assert_eq!(ids_of(store, &name).await, [new]);
    }
}

/// A name may have 255 bytes.
pub async fn the_longest_name_is_kept(store: &SharedStore) {
    let name = format!("{}{}", new_id(), "é".repeat(111)) + "x";
    assert_eq!(name.len(), 255);
    let id = session_of(store, &name).await;
    assert_eq!(record(store, &id).await.user.as_ref(), Some(&name));
    assert_eq!(ids_of(store, &name).await, [id]);
    assert_eq!(ids_of(store, &name[..254]).await, []);
}
