use std::{cmp::Reverse, net::IpAddr};

use axum::{extract::Path, response::Redirect};
use session_core::{Device, Error, Session, SessionId};

use crate::times::readable;

/// A session of the user's, for people to read.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) id: SessionId,
    pub(crate) label: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) created: String,
    pub(crate) seen: String,
    pub(crate) is_this: bool,
}

/// The sessions of whoever is logged in: this one first, then the last used. Of more than a hundred, a hundred.
pub(crate) async fn of(session: &Session) -> Result<Vec<Line>, Error> {
    let mut devices = session.devices().await?;
    devices.sort_by_key(|device| (!device.is_this, Reverse(device.last_seen)));
    Ok(devices.into_iter().map(Line::from).collect())
}

/// Ends one of the user's sessions. Whatever else is named is none: the page that follows shows what there is.
pub(crate) async fn end(session: Session, Path(id): Path<SessionId>) -> Result<Redirect, Error> {
    session.end_device(&id).await?;
    Ok(Redirect::to("/"))
}

pub(crate) async fn end_others(session: Session) -> Result<Redirect, Error> {
    session.end_others().await?;
    Ok(Redirect::to("/"))
}

impl From<Device> for Line {
    fn from(device: Device) -> Self {
        let about = &device.about;
        Self {
            id: device.id,
            label: about.label.clone().unwrap_or_else(|| "A device".to_owned()),
            address: about.address,
            created: readable(device.created),
            seen: readable(device.last_seen),
            is_this: device.is_this,
        }
    }
}
