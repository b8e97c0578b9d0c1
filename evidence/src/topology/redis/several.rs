use super::{
    nodes::{Cluster, SERVICE, Sentinels, wait_until},
    server::Server,
};

/// How long a server may be silent before the others take it for dead, in milliseconds.
const PATIENCE: u32 = 2000;

/// Servers that find out by themselves when one of them dies, and who takes its place.
pub(crate) enum Several {
    Sentinels(Sentinels),
    Cluster(Cluster),
}

const PRIMARIES: usize = 3;

/// A key whose owner is harmed, in a cluster.
const KEY: &str = "session:{user}";

impl Several {
    pub(crate) fn watched() -> Self {
        Self::Sentinels(Sentinels::start(PATIENCE))
    }

    pub(crate) fn cluster() -> Self {
        Self::Cluster(Cluster::start(&PATIENCE.to_string()))
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sentinels(sentinels) => sentinels.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// The server that is harmed: the primary, or one of the cluster's.
    pub(crate) fn primary(&mut self) -> &mut Server {
        match self {
            Self::Sentinels(sentinels) => sentinels.primary(),
            Self::Cluster(cluster) => {
                let owner = cluster.owner(KEY);
                &mut cluster.nodes[owner]
            }
        }
    }

    pub(crate) fn thaw_all(&mut self) {
        self.servers()
            .iter()
            .filter(|server| server.runs())
            .for_each(Server::thaw);
    }

    /// It dies, and the others give its place to a replica.
    pub(crate) fn fail_over(&mut self) {
        let dead = self.primary().port();
        self.primary().kill();
        match self {
            Self::Sentinels(sentinels) => {
                let dead = dead.to_string();
                let question = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {SERVICE}");
                let knows = |one: &Server| one.answer(&question).lines().nth(1) != Some(&dead);
                wait_until("the failover", || sentinels.sentinels.iter().all(knows));
                let primary = sentinels.primary();
                wait_until("the promotion", || primary.answer("ROLE").starts_with("master"));
            }
            Self::Cluster(cluster) => {
                let alive: Vec<_> = cluster.nodes.iter().filter(|node| node.runs()).collect();
                let is_primary = |node: &&&Server| node.answer("CLUSTER NODES").contains("myself,master");
                wait_until("the failover", || {
                    let primaries = alive.iter().filter(is_primary).count();
                    let is_whole = |node: &&Server| node.answer("CLUSTER INFO").contains("cluster_state:ok");
                    primaries == PRIMARIES && alive.iter().all(is_whole)
                });
            }
        }
    }

    /// Waits until there is one primary for each part of the data, and all know which.
    pub(crate) fn agree(&mut self) {
        let is_primary = |server: &&Server| server.runs() && server.answer("ROLE").starts_with("master");
        match self {
            Self::Sentinels(sentinels) => {
                let question = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {SERVICE}");
                wait_until("one primary", || {
                    let primaries: Vec<_> = sentinels.data.iter().filter(is_primary).map(Server::port).collect();
                    let [primary] = primaries[..] else {
                        return false;
                    };
                    let primary = primary.to_string();
                    let knows = |one: &Server| one.answer(&question).lines().nth(1) == Some(&primary);
                    sentinels.sentinels.iter().all(knows)
                });
            }
            Self::Cluster(cluster) => wait_until("one primary for each slot", || {
                let alive = || cluster.nodes.iter().filter(|node| node.runs());
                let is_whole = |node: &Server| node.answer("CLUSTER INFO").contains("cluster_state:ok");
                alive().filter(is_primary).count() == PRIMARIES && alive().all(is_whole)
            }),
        }
    }

    /// What died comes back as a replica, and has what the others have.
    pub(crate) fn repair(&mut self) {
        for server in self.servers() {
            if !server.runs() {
                server.restart();
            }
        }
        match self {
            Self::Sentinels(sentinels) => {
                let others = sentinels.data.len() - 1;
                let all = format!("connected_slaves:{others}");
                // It may change once more meanwhile.
                wait_until("all replicas", || {
                    sentinels.primary().answer("INFO replication").contains(&all)
                });
                let sentinels = &sentinels.sentinels;
                let knows = |one: &Server| one.answer(&format!("SENTINEL CKQUORUM {SERVICE}")).starts_with("OK");
                wait_until("the sentinels' agreement", || sentinels.iter().all(knows));
            }
            Self::Cluster(cluster) => {
                let has_replica = |node: &Server| {
                    let role = node.answer("INFO replication");
                    role.contains("connected_slaves:1") || role.contains("master_link_status:up")
                };
                wait_until("all replicas", || cluster.nodes.iter().all(has_replica));
            }
        }
    }

    /// Says something to all of them.
    pub(crate) fn administer(&mut self, command: &str) {
        for server in self.servers() {
            server.cli(command);
        }
    }

    fn servers(&mut self) -> &mut [Server] {
        match self {
            Self::Sentinels(sentinels) => &mut sentinels.data,
            Self::Cluster(cluster) => &mut cluster.nodes,
        }
    }
}
