use std::{fmt, io, time::Duration};

use tokio::time::sleep;

use crate::{
    calm::Calm,
    fleet::Fleet,
    history::Broken,
    proxy::Link,
    topology::{Ground, Topology},
};

/// How long most faults last.
const WHILE: Duration = Duration::from_secs(2);

/// What a slow link adds to each way.
const SLOWNESS: Duration = Duration::from_millis(100);

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
    LossyLink,
    /// So many times, at once again.
    CutAgainAndAgain(u32),
    Failover,
    FlushedScripts,
    ReadOnly,
    NoConnections,
    /// The store's memory is full: writes are refused, and sessions thrown out.
    FullMemory,
    FullDisk,
    /// An instance whose clock is an hour ahead.
    WrongClock,
    BothAtOnce(&'static Self, &'static Self),
}

impl Fault {
    /// All, in the order of the table.
    pub(crate) const ALL: [Self; 24] = [
        Self::Nothing,
        Self::KilledInstance,
        Self::FrozenInstance(1),
        Self::FrozenInstance(5),
        Self::RollingDeploy,
        Self::KilledStore,
        Self::RestartedStore,
        Self::FrozenStore(1),
        Self::FrozenStore(5),
        Self::FrozenStore(30),
        Self::CutLink,
        Self::MuteLink,
        Self::SlowLink,
        Self::LossyLink,
        Self::CutAgainAndAgain(1000),
        Self::Failover,
        Self::FlushedScripts,
        Self::ReadOnly,
        Self::NoConnections,
        Self::FullMemory,
        Self::FullDisk,
        Self::WrongClock,
        Self::BothAtOnce(&Self::KilledInstance, &Self::KilledStore),
        Self::BothAtOnce(&Self::LossyLink, &Self::FrozenStore(1)),
    ];

    /// Why this cannot happen there, if it cannot.
    pub(crate) fn is_impossible(self, topology: Topology) -> Option<&'static str> {
        match self {
            Self::FlushedScripts if !topology.is_redis() => Some("there are no scripts"),
            Self::ReadOnly | Self::NoConnections if topology.is_redis() => Some("a state of PostgreSQL's"),
            Self::FullMemory if !topology.is_redis() => Some("its sessions are on disk"),
            Self::FullDisk if topology != Topology::PostgresSmallDisk => Some("shown with a disk of its own"),
            Self::Failover if !topology.has_failover() => Some("one server"),
            _ => None,
        }
    }

    /// Whether it takes its time, so that a short run leaves it out.
    pub(crate) const fn is_long(self) -> bool {
        matches!(self, Self::FrozenStore(30) | Self::CutAgainAndAgain(_))
    }

    /// What it may break, for the server says that it does.
    pub(crate) fn allows(self, broken: Broken) -> bool {
        // A session that is thrown out is thrown out whole.
        self == Self::FullMemory && broken == Broken::Session
    }

    /// Within this after it is mended, all requests are answered with yes again.
    pub(crate) const fn recovery(self) -> Duration {
        match self {
            // A connection that was made while nothing came through is given up when it is late.
            Self::MuteLink => Duration::from_secs(2),
            _ => Duration::from_secs(1),
        }
    }

    /// Happens, and is mended.
    pub(crate) async fn happen(self, ground: &mut Ground, fleet: &mut Fleet, calm: &Calm) -> io::Result<()> {
        calm.disturb(self.is_about());
        Box::pin(self.harm(ground, fleet)).await?;
        calm.mend();
        Ok(())
    }

    /// Which instance it is about.
    fn is_about(self) -> Option<usize> {
        match self {
            Self::KilledInstance | Self::FrozenInstance(_) => Some(0),
            Self::BothAtOnce(one, other) => one.is_about().or_else(|| other.is_about()),
            _ => None,
        }
    }

    async fn harm(self, ground: &mut Ground, fleet: &mut Fleet) -> io::Result<()> {
        match self {
            Self::Nothing => sleep(WHILE).await,
            Self::KilledInstance => {
                fleet.kill(0).await?;
                sleep(WHILE / 2).await;
                fleet.start(0, None).await?;
            }
            Self::FrozenInstance(seconds) => {
                fleet.signal(0, "-STOP").await?;
                sleep(Duration::from_secs(seconds)).await;
                fleet.signal(0, "-CONT").await?;
            }
            Self::RollingDeploy => {
                for instance in 0..fleet.len() {
                    fleet.replace(instance, None).await?;
                    sleep(WHILE / 4).await;
                }
            }
            Self::KilledStore => {
                ground.kill();
                sleep(WHILE / 2).await;
                ground.restart();
            }
            Self::RestartedStore => {
                ground.stop();
                ground.restart();
            }
            Self::FrozenStore(seconds) => {
                ground.freeze();
                sleep(Duration::from_secs(seconds)).await;
                ground.thaw();
            }
            Self::CutLink => during(ground, Link::Cut).await,
            Self::MuteLink => during(ground, Link::Mute).await,
            Self::SlowLink => during(ground, Link::Slow(SLOWNESS)).await,
            Self::LossyLink => during(ground, Link::Lossy).await,
            Self::CutAgainAndAgain(times) => {
                for _ in 0..times {
                    ground.link(Link::Cut);
                    sleep(Duration::from_millis(1)).await;
                    ground.link(Link::Whole);
                    sleep(Duration::from_millis(20)).await;
                }
            }
            Self::Failover => {
                ground.fail_over();
            }
            Self::FlushedScripts => ground.administer("SCRIPT FLUSH"),
            Self::ReadOnly => {
                ground.administer("ALTER SYSTEM SET default_transaction_read_only = on");
                ground.administer("SELECT pg_reload_conf()");
                sleep(WHILE).await;
                ground.administer("ALTER SYSTEM SET default_transaction_read_only = off");
                ground.administer("SELECT pg_reload_conf()");
            }
            Self::NoConnections => {
                ground.administer("ALTER ROLE postgres CONNECTION LIMIT 0");
                ground.link(Link::Cut);
                sleep(Duration::from_millis(10)).await;
                ground.link(Link::Whole);
                sleep(WHILE).await;
                ground.administer("ALTER ROLE postgres CONNECTION LIMIT -1");
            }
            Self::FullMemory => {
                ground.administer("CONFIG SET maxmemory-policy volatile-lru");
                ground.administer("CONFIG SET maxmemory 1mb");
                sleep(WHILE).await;
                ground.administer("CONFIG SET maxmemory 0");
            }
            Self::FullDisk => {
                ground.fill_disk();
                sleep(WHILE).await;
                ground.free_disk();
            }
            Self::WrongClock => {
                fleet.replace(0, Some("+1h")).await?;
                sleep(WHILE).await;
                fleet.replace(0, None).await?;
            }
            Self::BothAtOnce(one, other) => {
                // One after the other where they need the same hands, and so that they overlap for a while.
                Box::pin(one.begin(ground, fleet)).await?;
                Box::pin(other.harm(ground, fleet)).await?;
                Box::pin(one.end(ground, fleet)).await?;
            }
        }
        Ok(())
    }

    /// The first half, for what lasts while something else happens.
    async fn begin(self, ground: &Ground, fleet: &mut Fleet) -> io::Result<()> {
        match self {
            Self::KilledInstance => fleet.kill(0).await,
            Self::LossyLink => {
                ground.link(Link::Lossy);
                Ok(())
            }
            _ => Err(io::Error::other(format!("{self} has no halves"))),
        }
    }

    async fn end(self, ground: &Ground, fleet: &mut Fleet) -> io::Result<()> {
        match self {
            Self::KilledInstance => fleet.start(0, None).await,
            _ => {
                ground.link(Link::Whole);
                Ok(())
            }
        }
    }
}

async fn during(ground: &Ground, link: Link) {
    ground.link(link);
    sleep(WHILE).await;
    ground.link(Link::Whole);
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
            Self::LossyLink => f.write_str("connections break after 20 to 180 ms, for 2 s"),
            Self::CutAgainAndAgain(times) => write!(f, "the link cut {times} times"),
            Self::Failover => f.write_str("failover"),
            Self::FlushedScripts => f.write_str("the script cache flushed"),
            Self::ReadOnly => f.write_str("read-only for 2 s"),
            Self::NoConnections => f.write_str("no connection allowed for 2 s"),
            Self::FullMemory => f.write_str("the store's memory full for 2 s"),
            Self::FullDisk => f.write_str("the store's disk full for 2 s"),
            Self::WrongClock => f.write_str("the clock of an instance an hour ahead"),
            Self::BothAtOnce(one, other) => write!(f, "{one}; and {other}"),
        }
    }
}
