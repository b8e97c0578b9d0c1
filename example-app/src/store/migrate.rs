use super::{Place, Source, Store, explain};
use crate::{Failure, cli::StoreArgs, tell};

/// The command `migrate`: what the first instance would do otherwise, so that none has to.
pub(crate) async fn migrate(args: &StoreArgs) -> Result<(), Failure> {
    let store = Place::of(&Source::of(args)?, args)?.connect().await.map_err(explain)?;
    if let Store::Memory(_) = store {
        tell("nothing to do: memory is empty at each start");
        return Ok(());
    }
    store.migrate().await?;
    store.set_up().await?;
    tell("the store is ready, and the app's set-up work is done");
    Ok(())
}
