use std::{fmt, io, process::Command, time::Duration};

use tokio::{sync::Mutex, time::sleep};

use crate::{
    calm::Calm,
    fleet::Fleet,
    history::Broken,
    loss::Loss,
    proxy::Link,
    random::Random,
    topology::{Ground, ROLE, Topology},
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

    /// Whether there is a bound for the connections that instances open.
    pub(crate) const fn is_bounded(self) -> bool {
        // Each cut costs each of them.
        !matches!(self, Self::CutAgainAndAgain(_))
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

    /// Happens, and is mended. Returns what it was.
    pub(crate) async fn happen(
        self,
        topology: Topology,
        ground: &Mutex<Ground>,
        fleet: &Mutex<Fleet>,
        calm: &Calm,
        random: &mut Random,
    ) -> io::Result<Vec<Self>> {
        let faults = match self {
            Self::TwoAtOnce => Self::two(topology, random),
            _ => vec![self],
        };
        let is_about = faults.iter().any(|fault| fault.hand() == Hand::Instance).then_some(0);
        calm.disturb(is_about);
        match faults[..] {
            [one, other] => {
                let (one, other) = tokio::join!(one.harm(ground, fleet), other.harm(ground, fleet));
                one.and(other)?;
            }
            _ => self.harm(ground, fleet).await?,
        }
        calm.mend();
        ground.lock().await.agree();
        calm.agree();
        Ok(faults)
    }

    /// Two that can happen there, and do not need the same hand.
    fn two(topology: Topology, random: &mut Random) -> Vec<Self> {
        let is_apt = |fault: &Self| {
            fault.hand() != Hand::None
                && fault.can_be_had()
                && !fault.is_left_out(Topology::Redis)
                && fault.is_not_here(topology).is_none()
        };
        let apt: Vec<_> = Self::ALL.into_iter().filter(is_apt).collect();
        loop {
            let two = [apt[random.below(apt.len())], apt[random.below(apt.len())]];
            if two[0].hand() < two[1].hand() {
                return two.to_vec();
            }
        }
    }

    /// What it touches.
    const fn hand(self) -> Hand {
        match self {
            Self::KilledInstance | Self::FrozenInstance(_) | Self::RollingDeploy | Self::WrongClock => Hand::Instance,
            Self::CutLink
            | Self::MuteLink
            | Self::SlowLink
            | Self::BrittleLink
            | Self::LossyLink
            | Self::CutAgainAndAgain(_) => Hand::Link,
            Self::KilledStore
            | Self::RestartedStore
            | Self::FrozenStore(_)
            | Self::Failover
            | Self::FlushedScripts
            | Self::LaterFormat
            | Self::ReadOnly
            | Self::NoConnections
            | Self::FullMemory
            | Self::FullDisk => Hand::Store,
            Self::Nothing | Self::TwoAtOnce | Self::Soak(_) => Hand::None,
        }
    }

    async fn harm(self, ground: &Mutex<Ground>, fleet: &Mutex<Fleet>) -> io::Result<()> {
        match self {
            Self::Nothing => sleep(WHILE).await,
            Self::KilledInstance => {
                fleet.lock().await.kill(0).await?;
                sleep(WHILE / 2).await;
                fleet.lock().await.start(0, None).await?;
            }
            Self::FrozenInstance(seconds) => {
                fleet.lock().await.signal(0, "-STOP").await?;
                sleep(Duration::from_secs(seconds)).await;
                fleet.lock().await.signal(0, "-CONT").await?;
            }
            Self::RollingDeploy => {
                let instances = fleet.lock().await.len();
                for instance in 0..instances {
                    fleet.lock().await.replace(instance, None).await?;
                    sleep(WHILE / 4).await;
                }
            }
            Self::KilledStore => {
                ground.lock().await.kill();
                sleep(WHILE / 2).await;
                ground.lock().await.restart();
            }
            Self::RestartedStore => {
                ground.lock().await.stop();
                ground.lock().await.restart();
            }
            Self::FrozenStore(seconds) => {
                ground.lock().await.freeze();
                sleep(Duration::from_secs(seconds)).await;
                ground.lock().await.thaw();
            }
            Self::CutLink => during(ground, Link::Cut).await,
            Self::MuteLink => during(ground, Link::Mute).await,
            Self::SlowLink => during(ground, Link::Slow(SLOWNESS)).await,
            Self::BrittleLink => during(ground, Link::Brittle).await,
            Self::LossyLink => {
                let loss = ground.lock().await.lose_packets()?;
                sleep(WHILE).await;
                drop(loss);
            }
            Self::CutAgainAndAgain(times) => {
                for _ in 0..times {
                    ground.lock().await.link(Link::Cut);
                    sleep(Duration::from_millis(1)).await;
                    ground.lock().await.link(Link::Whole);
                    sleep(Duration::from_millis(20)).await;
                }
            }
            Self::Failover => {
                ground.lock().await.fail_over();
            }
            Self::FlushedScripts => ground.lock().await.administer("SCRIPT FLUSH"),
            Self::LaterFormat => {
                // Records that were made since are of the old format again: both are side by side.
                let mut extended = 0;
                for _ in 0..WHILE.as_millis() / 100 {
                    extended += ground.lock().await.extend_records()?;
                    sleep(Duration::from_millis(100)).await;
                }
                if extended == 0 {
                    return Err(io::Error::other("there was no record to add to"));
                }
            }
            Self::ReadOnly => {
                ground
                    .lock()
                    .await
                    .administer("ALTER SYSTEM SET default_transaction_read_only = on");
                ground.lock().await.administer("SELECT pg_reload_conf()");
                sleep(WHILE).await;
                ground
                    .lock()
                    .await
                    .administer("ALTER SYSTEM SET default_transaction_read_only = off");
                ground.lock().await.administer("SELECT pg_reload_conf()");
            }
            Self::NoConnections => {
                ground
                    .lock()
                    .await
                    .administer(&format!("ALTER ROLE {ROLE} CONNECTION LIMIT 0"));
                ground.lock().await.link(Link::Cut);
                sleep(Duration::from_millis(10)).await;
                ground.lock().await.link(Link::Whole);
                sleep(WHILE).await;
                ground
                    .lock()
                    .await
                    .administer(&format!("ALTER ROLE {ROLE} CONNECTION LIMIT -1"));
            }
            Self::FullMemory => {
                ground
                    .lock()
                    .await
                    .administer("CONFIG SET maxmemory-policy volatile-lru");
                ground.lock().await.administer("CONFIG SET maxmemory 1mb");
                sleep(WHILE).await;
                ground.lock().await.administer("CONFIG SET maxmemory 0");
            }
            Self::FullDisk => {
                ground.lock().await.fill_disk();
                sleep(WHILE).await;
                ground.lock().await.free_disk();
            }
            Self::WrongClock => {
                for wrong in ["+1h", "-1h"] {
                    fleet.lock().await.replace(0, Some(wrong)).await?;
                    sleep(WHILE).await;
                }
                fleet.lock().await.replace(0, None).await?;
            }
            Self::Soak(minutes) => sleep(Duration::from_secs(60 * minutes)).await,
            Self::TwoAtOnce => return Err(io::Error::other("which two?")),
        }
        Ok(())
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

/// What a fault touches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hand {
    Instance,
    Link,
    Store,
    None,
}

async fn during(ground: &Mutex<Ground>, link: Link) {
    ground.lock().await.link(link);
    sleep(WHILE).await;
    ground.lock().await.link(Link::Whole);
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
