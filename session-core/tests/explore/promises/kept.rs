use super::{Checked, changes_of, is_acknowledged};
use crate::{
    action::Action,
    history::{Change, Event},
    lines::Lines,
    world::World,
};

/// The store has what it must have, and nothing else (promises P1, P2, P3 and P6).
pub(super) async fn check_store(world: &World, lines: &Lines) -> Checked {
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
pub(super) fn check_requests(world: &World, events: &[Event], lines: &Lines) -> Checked {
    for (request, (action, _)) in world.scenario.requests.iter().enumerate() {
        let mut written = 0;
        for change in changes_of(events, request) {
            let (Change::Created { delta, .. } | Change::Updated { delta, .. } | Change::Renewed { delta, .. }) =
                change
            else {
                continue;
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
    check_counts(world, events, lines)
}

/// What was counted is what was acknowledged, and at most what may have been done besides (promise P2).
fn check_counts(world: &World, events: &[Event], lines: &Lines) -> Checked {
    for (number, line) in lines.0.iter().enumerate().filter(|(_, line)| line.over.is_none()) {
        let counted: u64 = line.data.get("n").map_or(0, |n| n.decode().unwrap());
        let is_here = |change: &Change| match change {
            Change::Created { id, .. } | Change::Updated { id, .. } => {
                lines.of(id).is_some_and(|from| lines.passes(from, number))
            }
            _ => false,
        };
        let requests = world.scenario.requests.iter().enumerate();
        let counting = requests.filter(|(_, (action, _))| *action == Action::Update);
        let done = counting.filter(|(request, _)| changes_of(events, *request).any(is_here));
        let done: Vec<usize> = done.map(|(request, _)| request).collect();
        let least = done.iter().filter(|request| is_acknowledged(events, **request)).count() as u64;
        promise!(
            (least..=done.len() as u64).contains(&counted),
            "P2: {counted} were counted, of {least} to {}: {line:?}",
            done.len()
        );
    }
    Ok(())
}
