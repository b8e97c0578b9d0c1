use crate::{
    action::Action,
    decision::{Decision, Footprint, JarUse},
    gate::{Access, Call},
    jar::set_cookies,
    world::{Stage, World},
};

impl World {
    /// What may happen next, in the same order whenever the same has been decided.
    pub(crate) fn options(&self) -> Vec<(Decision, Footprint)> {
        let mut options = Vec::new();
        for (request, (action, at)) in self.scenario.requests.iter().enumerate() {
            let plain = Footprint {
                request: Some(request),
                instance: self.scenario.has_caches().then_some(*at),
                access: Access::Nothing,
                jar: JarUse::Nothing,
                is_fault: false,
            };
            match &self.requests[request] {
                Stage::Unsent => {
                    let jar = JarUse::Reads;
                    options.push((Decision::Send(request), Footprint { jar, ..plain.clone() }));
                }
                Stage::Answered(head) => {
                    let is_empty = set_cookies(&head.headers).is_empty();
                    let jar = if is_empty { JarUse::Marks } else { JarUse::Writes };
                    let instance = None;
                    let footprint = Footprint {
                        jar,
                        instance,
                        ..plain.clone()
                    };
                    options.push((Decision::Arrive(request), footprint));
                }
                Stage::Running(_) | Stage::Over => {}
            }
            let call = |call: &Call| (call.name, call.access.clone());
            if let Some((name, access)) = self.server.gate.call(request, call) {
                // With a near cache, what happens at the server and what is heard of it are two decisions.
                let meets = match self.scenario.has_caches() {
                    true => name == "answer",
                    false => *action == Action::Update,
                };
                let instance = meets.then_some(*at);
                let is_write = !matches!(access, Access::Reads(_));
                let go = Footprint {
                    instance,
                    access,
                    ..plain
                };
                options.push((Decision::Go(request), go.clone()));
                if self.faults > 0 && name != "answer" && action.is_own() {
                    let fault = Footprint { is_fault: true, ..go };
                    options.push((Decision::Refuse(request), fault.clone()));
                    if is_write {
                        options.push((Decision::Lose(request), fault.clone()));
                    }
                    if matches!(self.requests[request], Stage::Running(_)) {
                        options.push((Decision::Leave(request), fault));
                    }
                }
            }
        }
        for (number, instance) in self.instances.iter().enumerate() {
            if instance.has_news() {
                let footprint = Footprint {
                    request: None,
                    instance: Some(number),
                    access: Access::Nothing,
                    jar: JarUse::Nothing,
                    is_fault: false,
                };
                options.push((Decision::Tell(number), footprint));
            }
        }
        options
    }
}
