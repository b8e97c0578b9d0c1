use std::{
    env,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process,
};

use clap::{
    Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::{BoolishValueParser, Resettable},
};
use session_core::{Lifetime, SessionLayer, SessionLimit, SessionStore};

use crate::{
    fleet,
    serve::{Forwarded, Instance},
    span::Span,
};

/// An app that runs as many instances behind a balancer and shares its sessions.
///
/// Without a command it is `fleet`. Logs go to stderr; RUST_LOG says how much (default:
/// info,session::audit=warn; for logins and logouts too: info).
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
    /// Prepare the database, do the app's set-up work if nobody has done it yet, and exit: as a task, before a deploy.
    Migrate(StoreArgs),
}

#[derive(Args, Debug)]
pub(crate) struct FleetArgs {
    /// How many instances to run.
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) instances: u32,

    /// A command to do once the instances are ready, as if it were typed: "scale N", "restart K", "kill K", "roll" or
    /// "status". May be given several times; they are done in order.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) run: Vec<fleet::Command>,

    /// Run the instances with the bound services in this file, the JSON of a VCAP_SERVICES, and not with what --store
    /// or STORE_URL says.
    #[arg(long, value_name = "FILE")]
    pub(crate) vcap_services: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) listen: ListenArgs,

    #[command(flatten)]
    pub(crate) cookies: CookieArgs,

    #[command(flatten)]
    pub(crate) sessions: SessionArgs,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// What the page calls this instance. Default: the platform's CF_INSTANCE_INDEX, else the process id.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,

    /// How many proxies of yours stand in front of the app, each of which adds to X-Forwarded-For: so many of its
    /// entries are believed, and X-Forwarded-Proto if there is any. On cloud.gov it is 2, and 3 behind a CDN.
    #[arg(long, env = "TRUSTED_HOPS", default_value_t = 0, value_name = "N")]
    trusted_hops: usize,

    /// Stop when the input ends too, for a fleet that may be killed.
    #[arg(long, hide = true)]
    pub(crate) until_stdin_ends: bool,

    #[command(flatten)]
    pub(crate) listen: ListenArgs,

    #[command(flatten)]
    pub(crate) cookies: CookieArgs,

    #[command(flatten)]
    pub(crate) sessions: SessionArgs,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ListenArgs {
    /// The port to listen on; 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 3000)]
    pub(crate) port: u16,

    /// The address to listen on; 0.0.0.0 is all of this machine's. Default: 127.0.0.1, and 0.0.0.0 on Cloud Foundry.
    #[arg(long)]
    host: Option<IpAddr>,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CookieArgs {
    /// Browsers reach the app over https: send the cookies as `__Host-id` and `__Host-visitor`, with Secure.
    ///
    /// Without it the cookies work over plain http too, which is for this machine only. Set it (or HTTPS=true)
    /// wherever something in front of the app speaks TLS.
    #[arg(long, env = "HTTPS", value_parser = BoolishValueParser::new())]
    pub(crate) https: bool,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SessionArgs {
    /// End a session after this long without a request, as 10s or 30m. The page warns two minutes before, or a quarter
    /// of it if that is less. Default: the layer's, 30m.
    #[arg(long, env = "IDLE_TIMEOUT", value_name = "TIME")]
    pub(crate) idle_timeout: Option<Span>,

    /// How many sessions a user may have at a time; a login beyond is refused. Default: as many as they like.
    #[arg(long, env = "MAX_SESSIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_sessions: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct StoreArgs {
    /// Where the sessions are: memory, redis://…, rediss://… (with TLS) or postgres://….
    ///
    /// If it is not given, it is the Redis or Postgres that Cloud Foundry has bound to the app, elsewhere DATABASE_URL,
    /// and if there is none, memory. Memory is shared within one process only: by the instances of a fleet, not by
    /// several `serve`.
    // A string, and its value not shown: whatever clap knows to be wrong it prints, and there is a password in it.
    #[arg(long = "store", env = "STORE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Which of the bound services keeps the sessions, if there is a Redis and a Postgres and no --service.
    #[arg(long, env = "SESSION_BACKEND", value_name = "BACKEND")]
    pub(crate) backend: Option<Backend>,

    /// The name of the bound service that keeps the sessions, of its binding or its own, if there are several.
    #[arg(long, env = "SESSION_SERVICE", value_name = "NAME")]
    pub(crate) service: Option<String>,

    /// What the app calls its part of the store, so that apps can share a service: the prefix of its keys in Redis, its
    /// schema in PostgreSQL. 1 to 63 characters of a-z, 0-9 and _, no digit first. Default: session.
    #[arg(long, env = "SESSION_PREFIX", value_name = "NAME")]
    pub(crate) prefix: Option<String>,

    /// Certificates of authorities to trust besides the system's, in PEM.
    #[arg(long, env = "SESSION_CA_FILE", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Encrypt the connections to PostgreSQL and verify no certificate, also of aws-rds. Whoever can divert them then
    /// reads the password and the sessions: --ca-file is better. Redis is not affected.
    #[arg(long, env = "SESSION_ACCEPT_ANY_CERTIFICATE", value_parser = BoolishValueParser::new())]
    pub(crate) accept_any_certificate: bool,

    /// The most connections of an instance to PostgreSQL, the one that listens counted. Redis has two. Default: 5.
    #[arg(long, env = "SESSION_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: Option<u16>,

    /// Keep sessions that an instance has read in its memory, in about so many MiB, and read them again from there:
    /// what another instance ends may then be read for half a second more, at the latest. Default: no.
    #[arg(long, env = "SESSION_NEAR_CACHE", value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) near_cache: Option<u32>,

    /// How long the store may take for a request in all, as 10s; for one command half as long. What takes longer is
    /// answered by 503. Default: the layer's, 2s.
    #[arg(long = "store-timeout", env = "STORE_TIMEOUT", value_name = "TIME")]
    pub(crate) timeout: Option<Span>,
}

/// What keeps the sessions.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Backend {
    Redis,
    Postgres,
}

impl Backend {
    /// As it is given.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }
}

impl Cli {
    /// What was given. A variable without a value counts as one that is not set.
    pub(crate) fn read() -> Self {
        let matches = without_empty_variables(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// A variable of the environment that has a value.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &Arg| {
        arg.get_env()
            .and_then(env::var_os)
            .is_some_and(|value| value.is_empty())
    };
    command
        .mut_args(|arg| match is_empty(&arg) {
            true => arg.env(Resettable::Reset),
            false => arg,
        })
        .mut_subcommands(without_empty_variables)
}

impl ListenArgs {
    /// Where to listen. On Cloud Foundry requests come from outside of this machine.
    pub(crate) fn address(&self) -> SocketAddr {
        let host = self.host.unwrap_or_else(|| match env::var_os("VCAP_APPLICATION") {
            Some(_) => Ipv4Addr::UNSPECIFIED.into(),
            None => Ipv4Addr::LOCALHOST.into(),
        });
        SocketAddr::new(host, self.port)
    }
}

impl ServeArgs {
    pub(crate) fn instance(&self) -> Instance {
        let index = variable("CF_INSTANCE_INDEX");
        let name = self.instance.clone().or_else(|| index.clone());
        Instance {
            name: name.unwrap_or_else(|| process::id().to_string()),
            guid: variable("CF_INSTANCE_GUID"),
            is_local: self.until_stdin_ends,
            index: index.and_then(|index| index.parse().ok()),
            cookies: self.cookies,
            sessions: self.sessions,
            store_timeout: self.store.timeout,
            forwarded: Forwarded {
                hops: self.trusted_hops,
            },
        }
    }
}

impl CookieArgs {
    pub(crate) fn layer(self, store: impl SessionStore) -> SessionLayer {
        let layer = SessionLayer::new(store);
        if self.https { layer } else { layer.insecure() }
    }
}

impl SessionArgs {
    pub(crate) fn set(self, mut layer: SessionLayer) -> SessionLayer {
        if let Some(Span(idle)) = self.idle_timeout {
            layer = layer.idle_timeout(idle);
        }
        if let Some(max) = self.max_sessions {
            layer = layer.session_limit(SessionLimit::new(max));
        }
        layer
    }

    /// The idle timeout that the layer has.
    pub(crate) fn idle(self) -> Span {
        self.idle_timeout.unwrap_or(Span(Lifetime::default().idle))
    }
}
