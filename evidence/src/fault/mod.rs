mod harm;

use std::{fmt, process::Command, time::Duration};

use crate::{history::Broken, loss::Loss, topology::Topology};

/// Something that happens while browsers work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    KilledInstance,
    FrozenInstance(u64),
    RollingDeploy,
    KilledStore,
    RestartedStore,
    FrozenStore(u64),
    CutLink,
    MuteLink,
    SlowLink,
    BrittleLink,
    /// One packet of ten is lost, each way.
    LossyLink,
    /// So many times, at once again.
    CutAgainAndAgain(u32),
    Failover,
    FlushedScripts,
    /// A later version, which adds to all records, works beside this one.
    LaterFormat,
    ReadOnly,
    NoConnections,
    /// The store's memory is full: writes are refused, and sessions thrown out.
    FullMemory,
    FullDisk,
    /// An instance whose clock is wrong by an hour.
    WrongClock,
    /// Two of the others, of which each round chooses its own.
    TwoAtOnce,
    /// Nothing, for so many minutes.
    Soak(u64),
}

impl Fault {
    /// All, in the order of the table.
    pub(crate) const ALL: [Self; 26] = [
        Self::Nothing,
        Self::KilledInstance,
        Self::FrozenInstance(1),
        Self::FrozenInstance(5),
        Self::FrozenInstance(30),
        Self::RollingDeploy,
        Self::KilledStore,
        Self::RestartedStore,
        Self::FrozenStore(1),
        Self::FrozenStore(5),
        Self::FrozenStore(30),
        Self::CutLink,
        Self::MuteLink,
        Self::SlowLink,
        Self::BrittleLink,
        Self::LossyLink,
        Self::CutAgainAndAgain(1000),
        Self::Failover,
        Self::FlushedScripts,
        Self::LaterFormat,
        Self::ReadOnly,
        Self::NoConnections,
        Self::FullMemory,
        Self::FullDisk,
        Self::WrongClock,
        Self::TwoAtOnce,
    ];

    /// Why this is not tried there, if it is not: it cannot happen, or another topology shows the same.
    pub(crate) fn is_not_here(self, topology: Topology) -> Option<&'static str> {
        match self {
            Self::FrozenInstance(30) if !matches!(topology, Topology::Redis | Topology::Postgres) => {
                Some("shown with one server")
            }
            Self::FlushedScripts if !topology.is_redis() => Some("there are no scripts"),
            Self::ReadOnly | Self::NoConnections if topology.is_redis() => Some("a state of PostgreSQL's"),
            Self::FullDisk if topology == Topology::PostgresSmallDisk => None,
            Self::Nothing | Self::TwoAtOnce if topology != Topology::PostgresSmallDisk => None,
            Self::Failover | Self::KilledInstance | Self::FrozenStore(_) if topology == Topology::PostgresStandby => {
                None
            }
            _ if matches!(topology, Topology::PostgresStandby | Topology::PostgresSmallDisk) => {
                Some("it is as with PostgreSQL alone")
            }
            Self::FullMemory if !topology.is_redis() => Some("its sessions are on disk"),
            Self::FullDisk => Some("shown with PostgreSQL on a small disk"),
            Self::CutLink
            | Self::MuteLink
            | Self::SlowLink
            | Self::BrittleLink
            | Self::LossyLink
            | Self::CutAgainAndAgain(_)
                if topology.is_several() =>
            {
                Some("instances go past the proxy")
            }
            Self::KilledStore | Self::RestartedStore if topology.is_several() => Some("it is a failover"),
            Self::FullMemory | Self::LaterFormat if topology.is_several() => Some("shown with one server"),
            Self::Failover if !topology.has_failover() => Some("one server"),
            _ => None,
        }
    }

    /// Whether a short run leaves it out: it takes its time, or another topology shows it as well.
    pub(crate) const fn is_left_out(self, topology: Topology) -> bool {
        match self {
            Self::FrozenInstance(30) | Self::FrozenStore(30) | Self::CutAgainAndAgain(_) => true,
            Self::Nothing | Self::Failover | Self::FullDisk | Self::TwoAtOnce => false,
            _ => !matches!(topology, Topology::Redis | Topology::Postgres),
        }
    }

    /// How many rounds there are of it, for one of others.
    pub(crate) const fn rounds(self) -> u64 {
        match self {
            Self::TwoAtOnce => 4,
            _ => 1,
        }
    }

    /// What it may break, for the server says that it does.
    pub(crate) fn excuses(self, topology: Topology, broken: Broken) -> Excuse {
        match self {
            // A session that is thrown out is thrown out whole.
            Self::FullMemory if broken == Broken::Session => Excuse::Anything,
            // Nobody is taken for dead in a second.
            Self::Failover | Self::FrozenStore(2..) if topology.may_lose(broken) => Excuse::TheLatest,
            _ => Excuse::Nothing,
        }
    }

    /// Whether no request may be refused because of it.
    pub(crate) const fn is_unnoticed(self) -> bool {
        matches!(
            self,
            Self::Nothing
                | Self::Soak(_)
                | Self::RollingDeploy
                | Self::FlushedScripts
                | Self::LaterFormat
                | Self::WrongClock
        )
    }

    /// Whether there is a bound for the connections that instances open.
    pub(crate) const fn is_bounded(self) -> bool {
        // What is broken again and again is opened again as often.
        !matches!(self, Self::CutAgainAndAgain(_) | Self::BrittleLink)
    }

    /// Why what it breaks is no fault of the store's.
    pub(crate) const fn excuse(self, topology: Topology) -> Option<&'static str> {
        match self {
            Self::Failover | Self::FrozenStore(2..) if topology.is_several() => {
                Some("Redis replicates after it has acknowledged, so the last writes may be lost")
            }
            Self::FullMemory => Some("Redis throws sessions out when its memory is full, as its policy says"),
            _ => None,
        }
    }

    /// Within this after it is mended, all requests are answered with yes again.
    pub(crate) const fn recovery(self) -> Duration {
        match self {
            // A connection that was made while nothing came through is given up when it is late.
            Self::MuteLink => Duration::from_secs(2),
            _ => Duration::from_secs(1),
        }
    }

    /// Whether this machine has what it takes.
    pub(crate) fn can_be_had(self) -> bool {
        match self {
            Self::WrongClock => Command::new("faketime").arg("--version").output().is_ok(),
            Self::LossyLink => Loss::can_be_had(),
            _ => true,
        }
    }
}

/// What of all that was acknowledged a fault may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Excuse {
    Nothing,
    /// What was acknowledged just before it, or while it lasted.
    TheLatest,
    Anything,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::KilledInstance => f.write_str("an instance killed, and started again"),
            Self::FrozenInstance(seconds) => write!(f, "an instance frozen for {seconds} s"),
            Self::RollingDeploy => f.write_str("all instances replaced, one after another"),
            Self::KilledStore => f.write_str("the store killed, and started again"),
            Self::RestartedStore => f.write_str("the store restarted"),
            Self::FrozenStore(seconds) => write!(f, "the store frozen for {seconds} s"),
            Self::CutLink => f.write_str("the link cut for 2 s"),
            Self::MuteLink => f.write_str("the link half-open for 2 s"),
            Self::SlowLink => f.write_str("the link 200 ms slower for 2 s"),
            Self::BrittleLink => f.write_str("connections break after 20 to 180 ms, for 2 s"),
            Self::LossyLink => f.write_str("one packet of ten lost, each way, for 2 s"),
            Self::CutAgainAndAgain(times) => write!(f, "the link cut {times} times"),
            Self::Failover => f.write_str("failover"),
            Self::FlushedScripts => f.write_str("the script cache flushed"),
            Self::LaterFormat => f.write_str("a later version adds to records, beside this one"),
            Self::ReadOnly => f.write_str("read-only for 2 s"),
            Self::NoConnections => f.write_str("no connection allowed for 2 s"),
            Self::FullMemory => f.write_str("the store's memory full for 2 s"),
            Self::FullDisk => f.write_str("the store's disk full for 2 s"),
            Self::WrongClock => f.write_str("the clock of an instance an hour ahead, then an hour behind"),
            Self::TwoAtOnce => f.write_str("two of these at once, chosen at random"),
            Self::Soak(minutes) => write!(f, "none, for {minutes} min"),
        }
    }
}
