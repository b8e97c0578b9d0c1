use super::{environment, variables::Variables};
use crate::{
    Failure,
    cli::FleetArgs,
    serve::{Forwarded, Instance},
    store::{Place, Source, Store, explain},
};

/// How instances are run.
#[derive(Debug)]
pub(super) enum Kind {
    /// In this process, for memory is shared within one.
    Tasks { store: Store, instance: Instance },
    /// Each in a process of its own, told what all are told by these variables.
    Processes { variables: Variables },
}

impl Kind {
    /// What the arguments ask for. The store is tried once: what is wrong with it is better told once than by each
    /// instance.
    pub(super) async fn of(args: &FleetArgs) -> Result<Self, Failure> {
        let source = match &args.vcap_services {
            Some(path) => Source::in_file(path)?,
            None => Source::of(&args.store)?,
        };
        let store = Place::of(&source, &args.store)?.connect().await.map_err(explain)?;
        Ok(match store {
            Store::Memory(_) => Self::Tasks {
                store,
                instance: Instance {
                    name: String::new(),
                    guid: None,
                    index: None,
                    is_local: true,
                    cookies: args.cookies,
                    sessions: args.sessions,
                    store_timeout: args.store.timeout,
                    // The balancer.
                    forwarded: Forwarded { hops: 1 },
                },
            },
            Store::Postgres(_) | Store::Redis(_) => Self::Processes {
                variables: environment::of_fleet(args, &source),
            },
        })
    }
}
