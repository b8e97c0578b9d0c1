//! What is checked, of each response and after each schedule.

use session_core::SessionId;

use crate::{
    action::Action,
    history::{Change, Event, Seen},
    jar::{Jar, set_cookies},
    lines::Lines,
    request::Head,
    scenario::Start,
    world::World,
};

type Checked = Result<(), String>;

macro_rules! promise {
    ($holds:expr, $($message:tt)*) => {
        if !$holds {
            return Err(format!($($message)*));
        }
    };
}

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

/// Checks everything at the end of a schedule.
pub(crate) async fn check(world: &World) -> Checked {
    let events = world.server.history.events().clone();
    let lines = Lines::after(&events);
    check_store(world, &lines).await?;
    check_requests(world, &events, &lines)?;
    check_reads(world, &events, &lines)?;

    let now = events.len();
    let opens = world.jar.opens(&world.server.memory).await;
    for instance in world.all_instances() {
        let seen = world.look(instance, &world.jar).await;
        check_seen(world, &events, &lines, instance, now, now, opens, &seen)?;
        if opens.is_none() {
            check_stale(world, &lines, instance, &seen)?;
        }
    }
    for instance in &world.instances {
        while instance.has_news() {
            instance.hear();
        }
    }
    check_tokens(world, &lines, now).await
}

/// The store has what it must have, and nothing else (promises P1, P2, P3 and P6).
async fn check_store(world: &World, lines: &Lines) -> Checked {
    for line in &lines.0 {
        let newest = line.names.len() - 1;
        for (number, name) in line.names.iter().enumerate() {
            let record = world.record(&name.id).await;
            let is_live = line.over.is_none() && number == newest;
            match record {
                None if is_live => return Err(format!("a session is lost: {line:?}")),
                Some(_) if line.over.is_some() => return Err(format!("P3: what was over is alive: {line:?}")),
                Some(_) if !is_live => return Err(format!("P6: an old id is alive: {line:?}")),
                Some(record) => {
                    let same = record.data.iter().eq(line.data.iter());
                    promise!(same, "P1: the data is {:?}, and not that of {line:?}", record.data);
                    promise!(record.user == line.user, "{:?} is logged in, not {line:?}", record.user);
                }
                None => {}
            }
        }
    }
    if let Some(forged) = &world.forged {
        promise!(
            world.record(forged).await.is_none(),
            "P6: a token that nobody gave was adopted"
        );
    }
    Ok(())
}

/// Each request has done what it says, and no more (promises P1 and P2).
fn check_requests(world: &World, events: &[Event], lines: &Lines) -> Checked {
    for (request, (action, _)) in world.scenario.requests.iter().enumerate() {
        let mut written = 0;
        for change in changes_of(events, request) {
            let delta = match change {
                Change::Created { delta, .. } | Change::Updated { delta, .. } | Change::Renewed { delta, .. } => delta,
                _ => continue,
            };
            let own = action.key(request);
            let foreign = delta.iter().find(|(key, _)| Some(*key) != own.as_deref());
            promise!(
                foreign.is_none() || *action == Action::Recreate,
                "P1: request {request} writes what it has not changed: {foreign:?}"
            );
            written += usize::from(delta.iter().next().is_some());
        }
        let status = events.iter().find_map(|event| match event {
            Event::Responded { request: of, status } if *of == request => Some(status.as_u16()),
            _ => None,
        });
        let has_faults = world.scenario.faults > 0;
        let is_right = match status {
            Some(200) if action.writes() && has_faults => written >= 1,
            Some(200) if action.writes() => written == 1,
            Some(200) => written == 0,
            _ if has_faults => true,
            _ => written == 0,
        };
        promise!(
            is_right,
            "P1: request {request} is answered by {status:?} and has written {written} times"
        );
    }
    // What was counted is what was acknowledged; at most what may have been done besides.
    for line in lines.0.iter().filter(|line| line.over.is_none()) {
        let counted = line.data.get("n").map_or(0, |n| n.decode().unwrap());
        let mut least = 0;
        let mut most = 0;
        for (request, (action, _)) in world.scenario.requests.iter().enumerate() {
            let here = lines.0.iter().position(|of| std::ptr::eq(of, line));
            let done = changes_of(events, request).filter(|change| match change {
                Change::Created { id, .. } | Change::Updated { id, .. } => {
                    lines.of(id).zip(here).is_some_and(|(from, to)| lines.passes(from, to))
                }
                _ => false,
            });
            if *action == Action::Update && done.count() > 0 {
                let acknowledged = events.iter().any(
                    |event| matches!(event, Event::Responded { request: of, status } if *of == request && status.is_success()),
                );
                least += u64::from(acknowledged);
                most += 1;
            }
        }
        promise!(
            (least..=most).contains(&counted),
            "P2: {counted} were counted, of {least} to {most}: {line:?}"
        );
    }
    Ok(())
}

/// Each request has seen what it must (promises P3, P4 and P5).
fn check_reads(world: &World, events: &[Event], lines: &Lines) -> Checked {
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Sent { request, opens, .. } => {
                let instance = world.scenario.requests[*request].1;
                if let Some((time, seen)) = seen_by(events, *request) {
                    check_seen(world, events, lines, instance, at, time, *opens, seen)?;
                }
            }
            Event::Done {
                change: Change::Loaded { id },
                ..
            } => {
                let over = lines.of(id).and_then(|line| lines.0[line].over);
                promise!(
                    over.is_none_or(|over| over.at > at),
                    "P3: a session was read after its end"
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// Who was sent at one time, when the cookies opened a session, and looked at another time, has seen that session, as
/// it was left by all that had arrived before (promise P5).
#[expect(
    clippy::too_many_arguments,
    reason = "each is a different thing that is known of a request"
)]
fn check_seen(
    world: &World,
    events: &[Event],
    lines: &Lines,
    instance: usize,
    sent: usize,
    time: usize,
    opens: Option<SessionId>,
    seen: &Seen,
) -> Checked {
    let line = seen.id.and_then(|id| lines.of(&id));
    promise!(line.is_some() == seen.id.is_some(), "P6: an unknown session is open");
    if let Some(id) = opens
        && let Some(expected) = lines.of(&id)
        && lines.0[expected].opened_by(&id, time).is_some()
    {
        promise!(
            line == Some(expected),
            "P5: on instance {instance} {opens:?} opens {seen:?}"
        );
    }
    let Some(line) = line else { return Ok(()) };
    promise!(
        seen.user == lines.0[line].user,
        "P5: {seen:?} is not of {:?}",
        lines.0[line]
    );
    let arrived = events[..sent].iter().filter_map(|event| match event {
        Event::Arrived { request } => Some(*request),
        _ => None,
    });
    for writer in arrived.filter(|writer| world.scenario.requests[*writer].0.writes()) {
        let done = changes_of(events, writer).filter_map(|change| match change {
            Change::Created { id, delta, .. } | Change::Updated { id, delta } => Some((*id, delta)),
            Change::Renewed { to, delta, .. } => Some((*to, delta)),
            _ => None,
        });
        let is_kept = events.iter().any(
            |event| matches!(event, Event::Responded { request, status } if *request == writer && status.is_success()),
        );
        let Some((id, delta)) = done.last().filter(|_| is_kept) else {
            continue;
        };
        if !lines.of(&id).is_some_and(|from| lines.passes(from, line)) {
            continue;
        }
        for (key, value) in delta.sets() {
            let is_seen = match key {
                "n" => seen.n >= value.decode().ok(),
                key => seen.keys.iter().any(|seen| seen == key),
            };
            promise!(
                is_seen,
                "P5: on instance {instance} the answer to request {writer} had arrived, and {seen:?} lacks {key}"
            );
        }
    }
    Ok(())
}

/// What is over, or has another id by now, is seen only on an instance with a near cache that has not been told (promises P3, P6
/// and P10).
fn check_stale(world: &World, lines: &Lines, instance: usize, seen: &Seen) -> Checked {
    let lost = seen.id.and_then(|id| lines.0[lines.of(&id)?].lost(&id));
    let may_be = lost.is_some_and(|lost| world.scenario.has_caches() && lost.instance != instance);
    promise!(
        seen.id.is_none() || may_be,
        "P3: on instance {instance} the browser sees {seen:?}"
    );
    Ok(())
}

/// Once all is told, every token that was ever given opens on every instance what it must, and nothing else (promises
/// P3, P6 and P10).
async fn check_tokens(world: &World, lines: &Lines, now: usize) -> Checked {
    for instance in world.all_instances() {
        for (name, token) in &world.handed {
            let id = token.id();
            let line = lines.of(&id).ok_or("a token of no session")?;
            let opens = lines.0[line].opened_by(&id, now);
            let seen = world.look(instance, &Jar::with(name, token)).await;
            promise!(
                seen.id == opens,
                "P3, P6, P10: on instance {instance} the token of {id:?} opens {seen:?}, and not {opens:?}"
            );
        }
    }
    Ok(())
}

fn changes_of(events: &[Event], request: usize) -> impl Iterator<Item = &Change> {
    events.iter().filter_map(move |event| match event {
        Event::Done {
            request: Some(of),
            change,
            ..
        } if *of == request => Some(change),
        _ => None,
    })
}

/// What a request saw, and when.
fn seen_by(events: &[Event], request: usize) -> Option<(usize, &Seen)> {
    events.iter().enumerate().find_map(|(at, event)| match event {
        Event::Saw { request: of, seen } if *of == request => Some((at, seen)),
        _ => None,
    })
}
