use super::postgres::Server;

/// A PostgreSQL server, and one that follows it and has all that it acknowledges.
pub(super) struct Pair {
    primary: Server,
    standby: Option<Server>,
}

impl Pair {
    pub(super) fn start() -> Self {
        let primary = Server::start_durable();
        let standby = Some(primary.start_standby());
        Self { primary, standby }
    }

    pub(super) const fn primary(&mut self) -> &mut Server {
        &mut self.primary
    }

    pub(super) fn port(&self) -> u16 {
        self.primary.port()
    }

    /// The primary dies, and the standby takes its place.
    pub(super) fn fail_over(&mut self) {
        self.primary.kill();
        if let Some(standby) = self.standby.take() {
            standby.promote();
            self.primary = standby;
        }
    }

    pub(super) fn replace_standby(&mut self) {
        if self.standby.is_none() {
            self.standby = Some(self.primary.start_standby());
        }
    }
}
