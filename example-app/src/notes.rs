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
    /// The note's text that the writer had seen; none of a new note.
    before: Option<String>,
}

/// What is sent of a note that is to be deleted.
#[derive(Deserialize)]
pub(crate) struct Seen {
    before: Option<String>,
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
    add_text(&session, &tidy(&written.text))?;
    Ok(to_page())
}

/// Writes a note again, if it still has the text that the writer had seen. If another tab has changed it meanwhile,
/// both are kept, this text as a note of its own; if another tab has deleted it, it is back.
pub(crate) async fn edit(
    session: Session,
    Path(id): Path<Uuid>,
    Form(written): Form<Written>,
) -> Result<Redirect, Error> {
    let text = tidy(&written.text);
    match replace(&session, id, written.before.as_deref(), &text).await {
        Ok(()) => {}
        Err(Kept::Changed) => add_text(&session, &text)?,
        Err(Kept::Failed(error)) => return Err(error),
    }
    Ok(to_page())
}

/// Deletes a note, unless another tab has changed it meanwhile.
pub(crate) async fn delete(session: Session, Path(id): Path<Uuid>, Form(seen): Form<Seen>) -> Result<Redirect, Error> {
    match replace(&session, id, seen.before.as_deref(), "").await {
        Ok(()) | Err(Kept::Changed) => Ok(to_page()),
        Err(Kept::Failed(error)) => Err(error),
    }
}

fn add_text(session: &Session, text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Ok(());
    }
    // Its id begins with the time, so that the keys are in the order in which the notes were made.
    session.insert(&key(Uuid::now_v7()), text)
}

/// Why a note stays as it is.
enum Kept {
    /// Another tab has changed it.
    Changed,
    Failed(Error),
}

impl From<Error> for Kept {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Gives a note another text, or removes it if that is empty, unless it has neither the text of before nor the other
/// one already.
async fn replace(session: &Session, id: Uuid, before: Option<&str>, text: &str) -> Result<(), Kept> {
    let (key, before) = (key(id), before.map(tidy));
    let replaced = session.try_update(&key, |now: Option<String>| match (now, &before) {
        (Some(now), Some(before)) if now != *before && now != text => Err(Kept::Changed),
        _ => Ok((!text.is_empty()).then(|| text.to_owned())),
    });
    replaced.await.map(drop)
}

/// As a note is kept: browsers send the ends of lines as they never show them.
fn tidy(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

fn to_page() -> Redirect {
    Redirect::to("/")
}

fn key(id: Uuid) -> String {
    format!("{PREFIX}{}", id.simple())
}
