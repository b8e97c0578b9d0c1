//! The memory store passes the suites, and the suites are whole.

use std::{collections::BTreeSet, fs, path::Path};

use session_core::{MemoryStore, conformance::ByTurns};

session_core::conformance_tests!({
    let store = MemoryStore::new();
    ByTurns::new([store.clone(), store])
});

session_core::once_tests!({
    let store = MemoryStore::new();
    (store.clone(), store)
});

#[test]
fn every_behaviour_is_listed_and_tells_what_it_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
    let list = |name| fs::read_to_string(folder.join(name)).unwrap();
    let list = list("list.rs") + &list("once_list.rs");
    let listed: BTreeSet<_> = list.lines().map(str::trim).collect();
    let mut behaviours = 0;
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap().path();
        if file.is_dir() {
            // What a behaviour needs, and no behaviours.
            continue;
        }
        let source = fs::read_to_string(&file).unwrap();
        let mut before = "";
        for line in source.lines() {
            // What is generic asks for more than a store.
            let rest = line.strip_prefix("pub async fn ");
            if let Some(name) = rest
                .and_then(|rest| rest.split('(').next())
                .filter(|name| !name.contains('<'))
            {
                assert!(
                    listed.contains(name),
                    "{name} in {} is not listed in list.rs or once_list.rs",
                    file.display()
                );
                assert!(
                    before.starts_with("/// "),
                    "{name} in {} has no promise above it",
                    file.display()
                );
                behaviours += 1;
            }
            before = line;
        }
    }
    assert!(behaviours > 100, "only {behaviours} behaviours were found");
}
