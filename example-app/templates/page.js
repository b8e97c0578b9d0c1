// Makes the page live. All it has works without it too: logging in and out, counting, notes.
"use strict";
const page = document.body.dataset;
const byId = (id) => document.getElementById(id);
let feed;

// The server looks at the session about twice a second and sends what has changed, the first time all.
function listen() {
  feed?.close();
  const source = feed = new EventSource("/events");
  source.onopen = () => { byId("live").textContent = "This page is live."; };
  source.onmessage = (event) => show(JSON.parse(event.data));
  source.addEventListener("ended", whatNow);
  source.onerror = () => {
    byId("live").textContent = "This page is not live: connecting…";
    // After an answer that is no stream the browser gives up; otherwise it tries again by itself.
    if (source.readyState === EventSource.CLOSED && source === feed) setTimeout(listen, 1000);
  };
}

function show(live) {
  if (live.session !== page.session) return whatNow();
  for (const name of ["visits", "counter", "seen", "ends"]) byId(name).textContent = live[name];
  // The server renders and escapes it.
  byId("answered").innerHTML = live.answered;
  showNotes(live.notes);
}

// What is being written here stays, whatever another tab does to the same note.
function showNotes(notes) {
  const ids = new Set(notes.map((note) => `note-${note.id}`));
  for (const form of [...byId("notes").children]) {
    if (!ids.has(form.id) && !isChanged(form.elements.text)) form.remove();
  }
  for (const { id, text } of notes) {
    const field = (byId(`note-${id}`) ?? newNote(id)).elements.text;
    if (!isChanged(field)) field.value = text;
    field.defaultValue = text;
  }
}

function newNote(id) {
  const form = byId("note").content.firstElementChild.cloneNode(true);
  form.id = `note-${id}`;
  form.action = `/notes/${id}`;
  form.querySelector("[formaction]").setAttribute("formaction", `/notes/${id}/delete`);
  byId("notes").append(form);
  return form;
}

const isChanged = (field) => field.value !== field.defaultValue;

// The session has ended, or a login gave the browser another one.
async function whatNow() {
  feed.close();
  byId("live").textContent = "";
  let me;
  try {
    me = await (await fetch("/api/me")).json();
  } catch {
    setTimeout(whatNow, 1000);
    return;
  }
  if (page.user && !me.user) {
    document.title = "Logged out";
    document.querySelector("main").remove();
    tell("You are logged out.", "In another tab, on another instance, or because the session's time was up.", "Log in again");
  } else if (!me.session) {
    tell("This session has ended.", "The next request begins a new one.", "Go on");
  } else if ([...document.querySelectorAll("textarea")].some(isChanged)) {
    tell("This browser has another session by now.", "Here is something that you have not saved.", "Go on without it");
  } else {
    location.reload();
  }
}

function tell(what, more = "", link = "") {
  const parts = { strong: what, p: more, a: link };
  const filled = Object.entries(parts).filter(([, text]) => text);
  byId("banner").replaceChildren(...filled.map(([name, text]) => {
    const part = document.createElement(name);
    part.textContent = text;
    if (name === "a") part.href = "/";
    return part;
  }));
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  // Of a page without a session, the answer is a page with one.
  if (!page.session || !form.matches("[data-live]")) return;
  event.preventDefault();
  const deletes = event.submitter?.getAttribute("formaction");
  const body = new URLSearchParams(new FormData(form));
  let answer;
  try {
    answer = await fetch(deletes ?? form.action, { method: "POST", body, redirect: "manual" });
  } catch {
    return tell("The app cannot be reached.", "Nothing is lost here: try again.");
  }
  if (answer.status === 409) return whatNow();
  if (answer.status >= 400) return tell("That was not kept.", await answer.text());
  tell("");
  const field = form.elements.text;
  if (form.id === "add") form.reset();
  else if (field) field.defaultValue = field.value;
  if (deletes) byId("text").focus();
  // Asks anew, for what there is now.
  listen();
});

if (page.session) listen();
