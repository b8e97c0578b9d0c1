use session_core::SessionId;

use super::{Checked, seen_by};
use crate::{
    action::Action, history::Event, jar::set_cookies, lines::Lines, request::Head, scenario::Start, world::World,
};

/// Checks a response when its head is sent.
pub(crate) async fn check_response(world: &World, request: usize, head: &Head) -> Checked {
    let (action, at) = world.scenario.requests[request];
    let status = head.status.as_u16();
    let expected: &[u16] = match action {
        _ if world.scenario.faults > 0 => &[200, 409, 503],
        Action::Read | Action::Touch | Action::Logout | Action::EndOthers | Action::EndDevice => &[200],
        Action::Revoke | Action::Expire => &[200],
        Action::Recreate => &[200, 500],
        _ if is_undisturbed(world, request) => &[200],
        _ => &[200, 409],
    };
    promise!(expected.contains(&status), "request {request} is answered by {status}");

    let names = set_cookies(&head.headers);
    let touches_login = names.iter().any(|(name, _)| name == "__Host-id");
    promise!(
        !touches_login || action.may_touch_login(),
        "P4: the response to request {request} touches the login cookie"
    );

    let matters = action.may_touch_login() || matches!(action, Action::EndOthers | Action::EndDevice | Action::Revoke);
    if status != 200 || !matters {
        return Ok(());
    }
    let events = world.server.history.events().clone();
    let lines = Lines::after(&events);
    let device = world.device();
    let over = |id: &SessionId| lines.of(id).is_none_or(|line| lines.0[line].over.is_some());
    let sent = events
        .iter()
        .position(|event| matches!(event, Event::Sent { request: of, .. } if *of == request));
    match (action, sent.map(|sent| (sent, &events[sent]))) {
        (Action::Login | Action::Handover | Action::Renew, _) => {
            let seen = seen_by(&events, request).and_then(|(_, seen)| seen.id);
            if let Some(old) = seen {
                let is_live = world.record(&old).await.is_some();
                promise!(!is_live, "P6: the token from before request {request} opens a session");
                promise!(
                    !world.instances[at].keeps(&old),
                    "P6: the near cache of request {request} opens the token from before"
                );
            }
        }
        (Action::Logout, Some((_, Event::Sent { cookies, .. }))) => {
            promise!(cookies.iter().all(over), "P3: request {request} has logged nobody out");
            let kept = cookies.iter().find(|id| world.instances[at].keeps(id));
            promise!(
                kept.is_none(),
                "P3: the near cache of request {request} opens what it has ended"
            );
        }
        (Action::EndOthers, Some((sent, _))) if device.is_some_and(|device| !over(&device)) => {
            let before = Lines::after(&events[..sent]);
            let device = device.and_then(|device| before.of(&device));
            for (number, line) in before.0.iter().enumerate() {
                let is_other = line.user.as_deref() == Some("alice") && Some(number) != device;
                promise!(
                    !is_other || lines.0[number].over.is_some(),
                    "P10: request {request} has spared {line:?}"
                );
            }
        }
        (Action::EndDevice | Action::Revoke, _) if device.is_none_or(|device| !over(&device)) => {
            promise!(
                world.first.as_ref().is_none_or(over) || is_visitors(world),
                "P10: request {request} has ended nothing"
            );
        }
        _ => {}
    }
    Ok(())
}

/// Whether the session at the start is nobody's, so that a device of alice's cannot end it.
fn is_visitors(world: &World) -> bool {
    world.scenario.start == Start::Visitor
}

/// Whether no other request is in this one's way.
fn is_undisturbed(world: &World, request: usize) -> bool {
    let others = world.scenario.requests.iter().enumerate();
    let mut others = others.filter(|(number, _)| *number != request);
    others.all(|(_, (action, _))| !action.is_in_the_way())
}

/// Checks what the cookies of a response did to the jar, which opened this session before (promise P4).
pub(crate) async fn check_arrival(world: &World, request: usize, before: Option<SessionId>) -> Checked {
    let (action, _) = world.scenario.requests[request];
    if action.may_touch_login() {
        return Ok(());
    }
    let lines = Lines::after(&world.server.history.events());
    let line = |id: Option<SessionId>| id.and_then(|id| lines.of(&id));
    let is_users = |line: &usize| lines.0[*line].user.is_some();
    let after = world.jar.opens(&world.server.memory).await;
    let (before, after) = (line(before), line(after));
    promise!(
        before.filter(is_users) == after.filter(is_users),
        "P4: the response to request {request} has logged the browser in or out"
    );
    Ok(())
}
