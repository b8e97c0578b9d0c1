//! Servers that belong together: a primary with replicas, sentinels that watch over them, a cluster.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a panic is the failure message")]

use std::{process::Command, thread::sleep, time::Duration};

use super::{
    admin, run,
    server::{PASSWORD, Server, USER},
};

/// Waits for something that servers are bound to find out, without a runtime.
pub(crate) fn wait_until(what: &str, mut look: impl FnMut() -> bool) {
    for _ in 0..1200 {
        if look() {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{what} did not happen within a minute");
}

/// A server that is nobody's replica yet, and may become one's.
pub(crate) fn start_one() -> Server {
    Server::start_with(None, &[("masterauth", PASSWORD), ("repl-diskless-sync-delay", "0")])
}

/// A primary and its replicas, which have what it has.
pub(crate) fn start_with_replicas(replicas: usize) -> (Server, Vec<Server>) {
    let primary = start_one();
    let replicas: Vec<_> = (0..replicas).map(|_| start_one()).collect();
    for replica in &replicas {
        follow(replica, primary.port());
    }
    (primary, replicas)
}

/// Makes a server a replica.
pub(crate) fn follow(replica: &Server, primary: u16) {
    let mut admin = admin(replica);
    let _done: redis::Value = run(&mut admin, &["REPLICAOF", "127.0.0.1", &primary.to_string()]);
    wait_until("the replica's link", || {
        info(&mut admin, "replication").contains("master_link_status:up")
    });
}

pub(crate) fn info(admin: &mut redis::Connection, section: &str) -> String {
    run(admin, &["INFO", section])
}

/// Three sentinels that know each other, a primary and two replicas.
pub(crate) struct Sentinels {
    pub(crate) data: Vec<Server>,
    pub(crate) sentinels: Vec<Server>,
}

pub(crate) const SERVICE: &str = "main-1";

impl Sentinels {
    /// `patience` is how long a server may be silent before it is taken for dead, in milliseconds.
    pub(crate) fn start(patience: u32) -> Self {
        let (primary, replicas) = start_with_replicas(2);
        let lines = format!(
            "sentinel monitor {SERVICE} 127.0.0.1 {} 2\nsentinel auth-pass {SERVICE} {PASSWORD}\nsentinel \
             down-after-milliseconds {SERVICE} {patience}\nsentinel failover-timeout {SERVICE} 5000\n",
            primary.port()
        );
        let sentinels: Vec<_> = (0..3).map(|_| Server::start_sentinel(None, &[], &lines)).collect();
        for sentinel in &sentinels {
            let mut admin = admin(sentinel);
            wait_until("the sentinels' acquaintance", || {
                let info = info(&mut admin, "sentinel");
                info.contains("slaves=2") && info.contains("sentinels=3")
            });
        }
        let data = [primary].into_iter().chain(replicas).collect();
        Self { data, sentinels }
    }

    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> = self
            .sentinels
            .iter()
            .map(|one| format!("127.0.0.1:{}", one.port()))
            .collect();
        let hosts = hosts.join(",");
        format!("redis-sentinel://{USER}:{PASSWORD}@{hosts}/{SERVICE}?sentinel_password={PASSWORD}")
    }

    /// The server that takes writes.
    pub(crate) fn primary(&mut self) -> &mut Server {
        let port = self.primary_port();
        self.data.iter_mut().find(|server| server.port() == port).unwrap()
    }

    /// As most sentinels know.
    pub(crate) fn primary_port(&self) -> u16 {
        let (_, port): (String, u16) = run(
            &mut admin(&self.sentinels[0]),
            &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE],
        );
        port
    }
}

/// Three primaries with a replica each.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
    ca_file: Option<String>,
}

impl Cluster {
    /// `patience` is how long a node may be silent before it is taken for dead, in milliseconds.
    pub(crate) fn start(patience: &str) -> Self {
        let settings = [
            ("cluster-enabled", "yes"),
            ("cluster-node-timeout", patience),
            ("masterauth", PASSWORD),
            ("repl-diskless-sync-delay", "0"),
        ];
        Self::join((0..6).map(|_| Server::start_with(None, &settings)).collect(), None)
    }

    /// Makes a cluster of servers, which speak TLS if there is a file with their authority.
    pub(crate) fn join(nodes: Vec<Server>, ca_file: Option<String>) -> Self {
        let cluster = Self { nodes, ca_file };
        let addresses = cluster.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port()));
        let mut create = cluster.manager();
        create.arg("create").args(addresses);
        create.args(["--cluster-replicas", "1", "--cluster-yes"]);
        let made = create.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        wait_until("the nodes' agreement", || {
            let each = |node| {
                let asked = cluster.ask(node, &["CLUSTER", "INFO"]) + &cluster.ask(node, &["INFO", "replication"]);
                let is_linked = asked.contains("master_link_status:up") || asked.contains("connected_slaves:1");
                let nodes = cluster.ask(node, &["CLUSTER", "NODES"]);
                let replicas = nodes.lines().filter(|line| line.contains("slave")).count();
                asked.contains("cluster_state:ok") && is_linked && replicas == 3
            };
            cluster.nodes.iter().all(each)
        });
        cluster
    }

    /// What redis-cli has for clusters.
    pub(crate) fn manager(&self) -> Command {
        let mut command = Command::new("redis-cli");
        command.env("REDISCLI_AUTH", PASSWORD);
        if let Some(ca_file) = &self.ca_file {
            command.args(["--tls", "--cacert", ca_file]);
        }
        command.arg("--cluster");
        command
    }

    /// Runs a command on one node.
    pub(crate) fn ask(&self, node: &Server, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.env("REDISCLI_AUTH", PASSWORD);
        if let Some(ca_file) = &self.ca_file {
            command.args(["--tls", "--cacert", ca_file]);
        }
        let output = command
            .args(["-p", &node.port().to_string()])
            .args(words)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// A URL with some of the nodes.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> = self.nodes[..2]
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()))
            .collect();
        format!("redis-cluster://{USER}:{PASSWORD}@{}", hosts.join(","))
    }

    /// The node that has the slot of a key.
    pub(crate) fn owner(&self, key: &str) -> usize {
        let slot: u16 = self.slot(key).parse().unwrap();
        self.nodes
            .iter()
            .position(|node| {
                let nodes = self.ask(node, &["CLUSTER", "NODES"]);
                let own = nodes.lines().find(|line| line.contains("myself,master"));
                own.is_some_and(|line| line.split_whitespace().skip(8).any(|range| has(range, slot)))
            })
            .unwrap()
    }

    /// The slot of a key, as a node that lives says.
    pub(crate) fn slot(&self, key: &str) -> String {
        let said = self
            .nodes
            .iter()
            .map(|node| self.ask(node, &["CLUSTER", "KEYSLOT", key]).trim().to_owned());
        said.into_iter().find(|slot| slot.parse::<u16>().is_ok()).unwrap()
    }

    /// What a node is called.
    pub(crate) fn name(&self, node: usize) -> String {
        self.ask(&self.nodes[node], &["CLUSTER", "MYID"]).trim().to_owned()
    }
}

fn has(range: &str, slot: u16) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    matches!((first.parse::<u16>(), last.parse::<u16>()), (Ok(first), Ok(last)) if (first..=last).contains(&slot))
}
