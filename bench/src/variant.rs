use std::fmt;

use clap::ValueEnum;

/// What keeps the sessions of a server, and where.
///
/// One more is a line here, one in each method, and one in [`app::router`](crate::app::router).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Variant {
    /// No sessions, but axum's `Extension`, a layer that hands each request a value, as one for sessions has to: what a
    /// layer costs anyway.
    None,
    OursRedis,
    OursRedisNear,
    TowerRedis,
    AxumRedis,
    OursPostgres,
    OursPostgresNear,
    TowerPostgres,
    AxumPostgres,
    OursMemory,
    TowerMemory,
}

/// Where sessions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Redis,
    Postgres,
    Memory,
    Nowhere,
}

impl Variant {
    /// Where it keeps its sessions.
    pub(crate) const fn backend(self) -> Backend {
        match self {
            Self::None => Backend::Nowhere,
            Self::OursRedis | Self::OursRedisNear | Self::TowerRedis | Self::AxumRedis => Backend::Redis,
            Self::OursPostgres | Self::OursPostgresNear | Self::TowerPostgres | Self::AxumPostgres => Backend::Postgres,
            Self::OursMemory | Self::TowerMemory => Backend::Memory,
        }
    }

    /// What it is compared with: tower-sessions over the same backend.
    pub(crate) const fn peer(self) -> Option<Self> {
        match self.backend() {
            Backend::Redis => Some(Self::TowerRedis),
            Backend::Postgres => Some(Self::TowerPostgres),
            Backend::Memory => Some(Self::TowerMemory),
            Backend::Nowhere => None,
        }
    }

    /// What the tables call it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::None => "no sessions, an Extension",
            Self::OursRedis => "ours, Redis",
            Self::OursRedisNear => "ours, Redis, near cache",
            Self::TowerRedis => "tower-sessions, Redis",
            Self::AxumRedis => "axum_session, Redis",
            Self::OursPostgres => "ours, Postgres",
            Self::OursPostgresNear => "ours, Postgres, near cache",
            Self::TowerPostgres => "tower-sessions, Postgres",
            Self::AxumPostgres => "axum_session, Postgres",
            Self::OursMemory => "ours, memory",
            Self::TowerMemory => "tower-sessions, memory",
        }
    }
}

/// As the command line has it.
impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value().ok_or(fmt::Error)?;
        f.write_str(name.get_name())
    }
}
