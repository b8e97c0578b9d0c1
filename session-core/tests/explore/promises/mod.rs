//! What is checked, of each response and after each schedule.

/// Nothing, or what is broken.
type Checked = Result<(), String>;

macro_rules! promise {
    ($holds:expr, $($message:tt)*) => {
        if !$holds {
            return Err(format!($($message)*));
        }
    };
}

mod kept;
mod response;
mod seen;

pub(crate) use response::{check_arrival, check_response};

use kept::{check_requests, check_store};
use seen::{Asked, check_reads, check_seen, check_stale, check_tokens};

use crate::{
    history::{Change, Event, Seen},
    lines::Lines,
    world::World,
};

/// Checks everything at the end of a schedule.
pub(crate) async fn check(world: &World) -> Checked {
    let events = world.server.history.events().clone();
    let lines = Lines::after(&events);
    check_store(world, &lines).await?;
    check_requests(world, &events, &lines)?;
    check_reads(world, &events, &lines)?;

    let now = events.len();
    let (cookies, opens) = (world.jar.ids(), world.jar.opens(&world.server.memory).await);
    for instance in world.all_instances() {
        let seen = world.look(instance, &world.jar).await;
        let asked = Asked {
            instance,
            sent: now,
            looked: now,
            cookies: &cookies,
            opens,
        };
        check_seen(world, &events, &lines, &asked, &seen)?;
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

/// The requests whose cookies have come to the jar.
fn arrived(events: &[Event]) -> impl Iterator<Item = usize> {
    events.iter().filter_map(|event| match event {
        Event::Arrived { request } => Some(*request),
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

/// Whether a request was answered by success.
fn is_acknowledged(events: &[Event], request: usize) -> bool {
    events
        .iter()
        .any(|event| matches!(event, Event::Responded { request: of, status } if *of == request && status.is_success()))
}
