use std::sync::Arc;

use super::{Batcher, Change, Creation, End, Look, Renewing, Touch};
use crate::{connections::Connections, statement::Statements};

/// What asks together what is asked for most.
pub(crate) struct Batchers {
    pub(crate) changes: Arc<Batcher<Change>>,
    pub(crate) creations: Arc<Batcher<Creation>>,
    pub(crate) ends: Arc<Batcher<End>>,
    pub(crate) looks: Arc<Batcher<Look>>,
    pub(crate) renewals: Arc<Batcher<Renewing>>,
    pub(crate) touches: Arc<Batcher<Touch>>,
}

impl Batchers {
    pub(crate) fn new(connections: &Arc<Connections>, statements: &Arc<Statements>) -> Self {
        Self {
            changes: Batcher::new(connections, statements),
            creations: Batcher::new(connections, statements),
            ends: Batcher::new(connections, statements),
            looks: Batcher::new(connections, statements),
            renewals: Batcher::new(connections, statements),
            touches: Batcher::new(connections, statements),
        }
    }
}
