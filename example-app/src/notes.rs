use axum::{Form, extract::Path, response::Redirect};
use serde::{Deserialize, Serialize};
use session_core::{Error, Session};
use uuid::Uuid;

/// Each note is a key of its own. So an insert or a removal of one never touches another, and whatever two tabs do at
/// the same moment, neither loses what the other wrote.
const PREFIX: &str = "note:";

/// A note that the session keeps.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) text: String,
}

/// What the page's forms send.
#[derive(Deserialize)]
pub(crate) struct Written {
    text: String,
}

/// The notes of a session, the oldest first. One that cannot be read is left out, and the layer has logged it.
pub(crate) fn of(session: &Session) -> Vec<Note> {
    let note = |key: String| {
        let id = key.strip_prefix(PREFIX)?.to_owned();
        let text = session.get(&key).ok()??;
        Some(Note { id, text })
    };
    session.keys().into_iter().filter_map(note).collect()
}

pub(crate) async fn add(session: Session, Form(written): Form<Written>) -> Result<Redirect, Error> {
    // Its id begins with the time, so that the keys are in the order in which the notes were made.
    keep(&session, Uuid::now_v7(), &written)
}

/// Writes a note again. If another tab has deleted it meanwhile, it is back: the later write wins, and nobody's text is
/// lost.
pub(crate) async fn edit(
    session: Session,
    Path(id): Path<Uuid>,
    Form(written): Form<Written>,
) -> Result<Redirect, Error> {
    keep(&session, id, &written)
}

pub(crate) async fn delete(session: Session, Path(id): Path<Uuid>) -> Redirect {
    session.remove(&key(id));
    Redirect::to("/")
}

fn keep(session: &Session, id: Uuid, written: &Written) -> Result<Redirect, Error> {
    // Browsers send the ends of lines as they never show them.
    let text = written.text.replace("\r\n", "\n");
    match text.trim() {
        "" => session.remove(&key(id)),
        text => session.insert(&key(id), text)?,
    }
    Ok(Redirect::to("/"))
}

fn key(id: Uuid) -> String {
    format!("{PREFIX}{}", id.simple())
}
