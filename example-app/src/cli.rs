use std::{
    env,
    net::{IpAddr, Ipv4Addr},
    process,
};

use clap::{Args, Parser, Subcommand, builder::BoolishValueParser};
use session_core::{SessionLayer, SessionStore};

/// An app that runs as many instances behind a balancer and shares its sessions.
///
/// Without a command it is `fleet`. Logs go to stderr; RUST_LOG says how much (default: info).
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run several instances, and a round-robin balancer in front of them.
    Fleet(FleetArgs),
    /// Run one instance, as a platform would.
    Serve(ServeArgs),
    /// Prepare the database, and exit. Redis and memory need no preparation.
    Migrate(StoreArgs),
}

#[derive(Args, Debug)]
pub(crate) struct FleetArgs {
    /// How many instances to run.
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) instances: u16,

    #[command(flatten)]
    pub(crate) listen: ListenArgs,

    #[command(flatten)]
    pub(crate) cookies: CookieArgs,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// What the page calls this instance. Default: the platform's CF_INSTANCE_INDEX, else the process id.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,

    #[command(flatten)]
    pub(crate) listen: ListenArgs,

    #[command(flatten)]
    pub(crate) cookies: CookieArgs,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ListenArgs {
    /// The port to listen on; 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 3000)]
    pub(crate) port: u16,

    /// The address to listen on; 0.0.0.0 is all of this machine's.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) host: IpAddr,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CookieArgs {
    /// Browsers reach the app over https: send the cookies as `__Host-id` and `__Host-visitor`, with Secure.
    ///
    /// Without it the cookies work over plain http too, which is for this machine only. Set it (or HTTPS=true)
    /// wherever something in front of the app speaks TLS.
    #[arg(long, env = "HTTPS", value_parser = BoolishValueParser::new())]
    https: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct StoreArgs {
    /// Where the sessions are: memory, redis://…, rediss://… (with TLS) or postgres://….
    ///
    /// Memory is shared within one process only: by the instances of a fleet, not by several `serve`.
    // A string, and its value not shown: whatever clap knows to be wrong it prints, and there is a password in it.
    #[arg(
        long = "store",
        env = "STORE_URL",
        hide_env_values = true,
        default_value = "memory",
        value_name = "URL"
    )]
    pub(crate) url: String,
}

impl ServeArgs {
    pub(crate) fn instance(&self) -> String {
        let given = self.instance.clone().or_else(|| env::var("CF_INSTANCE_INDEX").ok());
        given.unwrap_or_else(|| process::id().to_string())
    }
}

impl CookieArgs {
    pub(crate) fn layer(self, store: impl SessionStore) -> SessionLayer {
        let layer = SessionLayer::new(store);
        if self.https { layer } else { layer.insecure() }
    }
}
