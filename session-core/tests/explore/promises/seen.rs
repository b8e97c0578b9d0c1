use session_core::SessionId;

use super::{Checked, arrived, changes_of, is_acknowledged, seen_by};
use crate::{
    history::{Change, Event, Seen},
    jar::Jar,
    lines::Lines,
    world::World,
};

/// Each request has seen what it must (promises P3, P4 and P5).
pub(super) fn check_reads(world: &World, events: &[Event], lines: &Lines) -> Checked {
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Sent {
                request,
                cookies,
                opens,
            } => {
                let instance = world.scenario.requests[*request].1;
                if let Some((looked, seen)) = seen_by(events, *request) {
                    let asked = Asked {
                        instance,
                        sent: at,
                        looked,
                        cookies,
                        opens: *opens,
                    };
                    check_seen(world, events, lines, &asked, seen)?;
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

/// A request, or a look when all is over.
pub(super) struct Asked<'a> {
    pub(super) instance: usize,
    /// When it was sent, and when its handler looked.
    pub(super) sent: usize,
    pub(super) looked: usize,
    pub(super) cookies: &'a [SessionId],
    /// What its cookies opened when it was sent.
    pub(super) opens: Option<SessionId>,
}

/// Who has looked has seen the session that the cookies opened, as it was left by all that had arrived before (promise
/// P5).
pub(super) fn check_seen(world: &World, events: &[Event], lines: &Lines, asked: &Asked<'_>, seen: &Seen) -> Checked {
    let Asked {
        instance,
        sent,
        looked,
        opens,
        ..
    } = *asked;
    let line = seen.id.and_then(|id| lines.of(&id));
    promise!(line.is_some() == seen.id.is_some(), "P6: an unknown session is open");
    if let Some(id) = opens
        && let Some(expected) = lines.of(&id)
        && lines.0[expected].opened_by(&id, looked).is_some()
    {
        promise!(
            line == Some(expected) || may_be_kept(world, &events[..sent], lines, asked, expected, seen),
            "P5: on instance {instance} {opens:?} opens {seen:?}"
        );
    }
    let Some(line) = line else { return Ok(()) };
    promise!(
        seen.user == lines.0[line].user,
        "P5: {seen:?} is not of {:?}",
        lines.0[line]
    );
    for writer in arrived(&events[..sent]).filter(|writer| world.scenario.requests[*writer].0.writes()) {
        let done = changes_of(events, writer).filter_map(|change| match change {
            Change::Created { id, delta, .. } | Change::Updated { id, delta } => Some((*id, delta)),
            Change::Renewed { to, delta, .. } => Some((*to, delta)),
            _ => None,
        });
        let Some((id, delta)) = done.last().filter(|_| is_acknowledged(events, writer)) else {
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

/// Whether a near cache may open this in place of the `expected` session, which comes after it in the cookies: it was
/// over when they were sent, and no answer that the browser had got by then shows that.
fn may_be_kept(
    world: &World,
    before: &[Event],
    lines: &Lines,
    asked: &Asked<'_>,
    expected: usize,
    seen: &Seen,
) -> bool {
    let Some((id, line)) = seen.id.and_then(|id| Some((id, lines.of(&id)?))) else {
        return false;
    };
    let was_over = lines.0[line].opened_by(&id, asked.sent).is_none();
    let place = |line| asked.cookies.iter().position(|id| lines.of(id) == Some(line));
    let comes_first = matches!((place(line), place(expected)), (Some(own), Some(expected)) if own < expected);
    let shows_its_end = |request| {
        let had_it = before.iter().any(
            |event| matches!(event, Event::Sent { request: of, cookies, .. } if *of == request && cookies.contains(&id)),
        );
        let missed_it = had_it && seen_by(before, request).is_some_and(|(_, seen)| seen.id != Some(id));
        let mut own = changes_of(before, request);
        let ended_it = own.any(|change| match change {
            Change::Ended { id: ended } => *ended == id,
            Change::Renewed { from, .. } => *from == id,
            _ => false,
        });
        missed_it || ended_it
    };
    world.scenario.has_caches() && was_over && comes_first && !arrived(before).any(shows_its_end)
}

/// What is over, or has another id by now, is seen only on an instance with a near cache that has not been told
/// (promises P3, P6 and P10).
pub(super) fn check_stale(world: &World, lines: &Lines, instance: usize, seen: &Seen) -> Checked {
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
pub(super) async fn check_tokens(world: &World, lines: &Lines, now: usize) -> Checked {
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
