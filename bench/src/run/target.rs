use super::process::Process;
use crate::{
    Failure,
    load::{Order, Round},
    variant::Variant,
};

/// A variant that is measured: two instances of the app, and the load on the first.
#[derive(Debug)]
pub(super) struct Target {
    variant: Variant,
    load: Process,
    _instances: [Process; 2],
}

impl Target {
    pub(super) fn start(variant: Variant, url: &str) -> Result<Self, Failure> {
        let name = variant.to_string();
        let instance = || {
            let mut process = Process::start(&["serve", &name, url])?;
            let address = process.hear()?;
            Ok::<_, Failure>((process, address))
        };
        let (first, address) = instance()?;
        let (second, elsewhere) = instance()?;
        Ok(Self {
            variant,
            load: Process::start(&["load", &address, &elsewhere])?,
            _instances: [first, second],
        })
    }

    pub(super) const fn variant(&self) -> Variant {
        self.variant
    }

    /// Has the load do something.
    pub(super) fn order(&mut self, order: &Order) -> Result<Round, Failure> {
        self.load.say(&serde_json::to_string(order)?)?;
        Ok(serde_json::from_str(&self.load.hear()?)?)
    }
}
