//! What the documents say of the code is so.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The names of all functions in the workspace's sources and tests.
fn functions() -> BTreeSet<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let packages = ["session-core", "session-redis", "session-postgres", "example-app"];
    let mut folders: Vec<PathBuf> = packages
        .iter()
        .flat_map(|package| ["src", "tests"].map(|folder| workspace.join(package).join(folder)))
        .collect();
    let mut functions = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).unwrap();
                let named = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
                functions.extend(named.map(str::to_owned));
            }
        }
    }
    functions
}

#[test]
fn every_requirement_names_a_test_that_exists() {
    let security = include_str!("../../../SECURITY.md");
    let (_, table) = security.split_once("|---|---|---|---|---|\n").unwrap();
    let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    let functions = functions();
    for row in rows {
        let tests = row.split('|').nth(4).unwrap();
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test in {row}");
        for name in names {
            assert!(functions.contains(name), "there is no test {name}");
        }
    }
}
