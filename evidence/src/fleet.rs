use std::{
    env, io,
    sync::{Arc, atomic::Ordering},
};

use serde::Deserialize;
use tokio::process::Command;

use crate::{browser::Ports, http, planted::Plant, process::Process, topology::Topology};

/// The instances, each a process.
pub(crate) struct Fleet {
    arguments: Vec<String>,
    instances: Vec<Option<Process>>,
    ports: Ports,
}

/// What could grow in an instance.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Size {
    pub(crate) tasks: u64,
    pub(crate) files: u64,
    /// In KiB.
    pub(crate) memory: u64,
}

impl Fleet {
    pub(crate) async fn start_all(
        count: usize,
        url: &str,
        topology: Topology,
        plant: Option<Plant>,
    ) -> io::Result<Self> {
        let mut arguments = vec!["instance".to_owned(), url.to_owned()];
        arguments.extend(["--replicas".to_owned(), topology.replicas().to_string()]);
        if topology.is_near() {
            arguments.push("--near".to_owned());
        }
        if let Some(plant) = plant {
            arguments.extend(["--plant".to_owned(), plant.to_string()]);
        }
        let mut fleet = Self {
            arguments,
            instances: (0..count).map(|_| None).collect(),
            ports: (0..count).map(|_| 0.into()).collect(),
        };
        for instance in 0..count {
            fleet.start(instance, None).await?;
        }
        Ok(fleet)
    }

    pub(crate) fn ports(&self) -> Ports {
        Arc::clone(&self.ports)
    }

    pub(crate) fn len(&self) -> usize {
        self.instances.len()
    }

    /// Starts an instance, perhaps with a clock that is wrong by this.
    pub(crate) async fn start(&mut self, instance: usize, wrong: Option<&str>) -> io::Result<()> {
        let program = env::current_exe()?;
        let mut command = match wrong {
            None => Command::new(program),
            Some(wrong) => {
                let mut command = Command::new("faketime");
                // What it waits for, it waits for as long as others.
                command
                    .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                    .args(["-f", wrong])
                    .arg(program);
                command
            }
        };
        let process = Process::start(command.args(&self.arguments)).await?;
        let port = process.line.parse().map_err(io::Error::other)?;
        self.ports[instance].store(port, Ordering::Relaxed);
        self.instances[instance] = Some(process);
        Ok(())
    }

    /// Starts another one in its place, and ends it when browsers know of that.
    pub(crate) async fn replace(&mut self, instance: usize, wrong: Option<&str>) -> io::Result<()> {
        let old = self.instances[instance].take();
        self.start(instance, wrong).await?;
        // What is under way gets its answer.
        tokio::time::sleep(2 * crate::instance::DEADLINE).await;
        drop(old);
        Ok(())
    }

    pub(crate) async fn kill(&mut self, instance: usize) -> io::Result<()> {
        match &mut self.instances[instance] {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }

    pub(crate) async fn signal(&self, instance: usize, signal: &str) -> io::Result<()> {
        match &self.instances[instance] {
            Some(process) => process.signal(signal).await,
            None => Ok(()),
        }
    }

    /// How large the last instance is, which is not the one that is killed.
    pub(crate) async fn size(&self) -> io::Result<Size> {
        let port = self.ports[self.len() - 1].load(Ordering::Relaxed);
        let answer = http::send(port, "GET", "/size", "").await?;
        serde_json::from_str(&answer.body).map_err(io::Error::other)
    }
}
