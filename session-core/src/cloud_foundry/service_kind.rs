use std::fmt;

/// What a bound service is looked for as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceKind {
    /// A PostgreSQL database.
    Postgres,
    /// A Redis or Valkey server.
    Redis,
}

impl ServiceKind {
    /// Whether services with this label are of this kind whatever their credentials say.
    pub(super) fn owns_label(self, label: &str) -> bool {
        self == Self::Redis && label == super::bound_redis::ELASTICACHE
    }

    /// Whether a URI with this scheme leads to such a service.
    pub(super) fn has_scheme(self, scheme: &str) -> bool {
        let schemes: &[&str] = match self {
            Self::Postgres => &["postgres", "postgresql"],
            Self::Redis => &["redis", "rediss", "valkey", "valkeys"],
        };
        schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme))
    }

    /// Whether a tag or a label says that a service is of this kind.
    pub(super) fn is_called(self, word: &str) -> bool {
        let words = match self {
            Self::Postgres => ["postgres", "postgresql"],
            Self::Redis => ["redis", "valkey"],
        };
        words.iter().any(|known| known.eq_ignore_ascii_case(word))
    }

    /// Where credentials name the database, besides the URI.
    pub(super) const fn database_keys(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["database", "db_name", "name"],
            // Its `name` would be that of the server.
            Self::Redis => &["database"],
        }
    }

    pub(super) const fn default_port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::Redis => 6379,
        }
    }

    pub(super) const fn wrong_scheme(self) -> super::Reason {
        match self {
            Self::Postgres => "its uri must begin with postgres:// or postgresql://",
            Self::Redis => "its uri must begin with redis:// or rediss://",
        }
    }
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
        })
    }
}
