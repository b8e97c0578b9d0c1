use std::{
    io::{self, Write},
    process::{Command, Stdio},
};

/// Packets to and from a port of this machine are lost, one of ten each way, until this is dropped.
///
/// The kernel drops them, by rules in a table of their own. Only root may ask for that.
#[derive(Debug)]
pub(crate) struct Loss {
    table: String,
}

impl Loss {
    pub(crate) fn at(port: u16) -> io::Result<Self> {
        let table = format!("session_evidence_{port}");
        let lost = "numgen random mod 10 < 1 drop";
        tell(&format!(
            "table ip {table} {{
                chain lost {{
                    type filter hook input priority 0
                    tcp dport {port} {lost}
                    tcp sport {port} {lost}
                }}
            }}\n"
        ))?;
        Ok(Self { table })
    }

    /// Whether the kernel lets it happen, which is tried where nobody is.
    pub(crate) fn can_be_had() -> bool {
        Self::at(1).is_ok()
    }
}

impl Drop for Loss {
    fn drop(&mut self) {
        if let Err(error) = tell(&format!("delete table ip {}\n", self.table)) {
            eprintln!(
                "packets go on being lost; `nft delete table ip {}` ends it: {error}",
                self.table
            );
        }
    }
}

fn tell(rules: &str) -> io::Result<()> {
    let mut nft = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = nft.stdin.take() {
        input.write_all(rules.as_bytes())?;
    }
    let status = nft.wait()?;
    status
        .success()
        .then_some(())
        .ok_or_else(|| io::Error::other(format!("nft: {status}")))
}
