//! How faults happen.

use std::{io, time::Duration};

use tokio::{sync::Mutex, time::sleep};

use super::Fault;
use crate::{
    calm::Calm,
    fleet::Fleet,
    proxy::Link,
    random::Random,
    topology::{Ground, ROLE, Topology},
};

/// How long most faults last.
const WHILE: Duration = Duration::from_secs(2);

/// What a slow link adds to each way.
const SLOWNESS: Duration = Duration::from_millis(100);

impl Fault {
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
        if faults.iter().any(|fault| fault.hand() != Hand::None) {
            let is_about = faults.iter().any(|fault| fault.hand() == Hand::Instance).then_some(0);
            calm.disturb(is_about);
        }
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
                ground.lock().await.extend_tables();
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
                ground.lock().await.administer(&format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'"
                ));
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
