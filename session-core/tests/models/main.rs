//! Models of protocols whose states are too many for the code itself to be run through all of them.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod near;
mod renewal;

use std::fmt::Debug;

use stateright::{Checker, HasDiscoveries, Model};

/// Looks at all states; the properties hold, and what is to happen sometimes does.
fn holds<M>(model: M)
where
    M: Model<State: Debug + std::hash::Hash + Clone + PartialEq + Send + Sync, Action: Debug + Clone + PartialEq>
        + Send
        + Sync
        + 'static,
{
    let checker = model.checker().spawn_bfs().join();
    println!(
        "{} states, {} of them different",
        checker.state_count(),
        checker.unique_state_count()
    );
    checker.assert_properties();
}

/// The property is broken, and found to be.
fn breaks<M>(model: M, property: &'static str)
where
    M: Model<State: Debug + std::hash::Hash + Clone + PartialEq + Send + Sync, Action: Debug + Clone + PartialEq>
        + Send
        + Sync
        + 'static,
{
    let found = HasDiscoveries::AllOf([property].into());
    let checker = model.checker().finish_when(found).spawn_bfs().join();
    let path = checker.discovery(property).expect("the planted bug is found");
    println!("{property}: {:?}", path.into_actions());
}
