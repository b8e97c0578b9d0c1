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
  expectEnd(live);
}

// The session's end, by this browser's clock, and when to warn of it. The server tells anew when the session is used,
// in whatever tab.
let end, warns, timer;

function expectEnd(live) {
  if (!page.user) return;
  end = Date.now() + live.left;
  warns = live.warns;
  // Then no use of it puts off its end.
  const isFinal = live.ends === live.latest;
  byId("final").hidden = !isFinal;
  byId("stay").hidden = isFinal;
  tick();
}

// A timer may be late, of a tab in the background or a machine that slept, so the clock is looked at.
function tick() {
  clearTimeout(timer);
  const left = end - Date.now();
  if (left > warns) {
    stopWarning();
    timer = setTimeout(tick, Math.min(left - warns, 60_000));
    return;
  }
  const seconds = Math.max(0, Math.ceil(left / 1000));
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  byId("left").textContent = clock;
  if (byId("warning").hidden) {
    byId("warning").hidden = false;
    // Once, not every second.
    byId("spoken").textContent = `This session ends in ${clock}.`;
  }
  // Whether it has ended the server says; if it does not, it is asked.
  timer = left > 0 ? setTimeout(tick, left % 1000 + 1) : setTimeout(listen, 2000);
}

function stopWarning() {
  const hadFocus = document.activeElement === byId("stay");
  byId("warning").hidden = true;
  byId("spoken").textContent = "";
  if (hadFocus) lastFocus?.focus();
}

let lastFocus;
byId("stay").addEventListener("focus", (event) => { lastFocus = event.relatedTarget; });
byId("stay").addEventListener("click", async () => {
  let answer;
  try {
    answer = await fetch("/stay", { method: "POST" });
  } catch {
    return tell("The app cannot be reached.", "The session still ends: try again.");
  }
  if (answer.status >= 500) return tell("The app cannot keep the session now.", "It still ends: try again.");
  tell("");
  listen();
});

// What is being written here stays, whatever another tab does to the same note.
function showNotes(notes) {
  const ids = new Set(notes.map((note) => `note-${note.id}`));
  for (const form of [...byId("notes").children]) {
    if (!ids.has(form.id) && !isChanged(form.elements.text)) form.remove();
  }
  for (const { id, text } of notes) {
    const field = (byId(`note-${id}`) ?? newNote(id)).elements.text;
    // The text that the writer has seen stays known too: what another tab wrote meanwhile is not to be written over.
    if (!isChanged(field)) field.value = field.defaultValue = text;
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

let looks = 0;

// The session has ended, or a login gave the browser another one.
async function whatNow() {
  feed.close();
  clearTimeout(timer);
  byId("live").textContent = "";
  let me;
  try {
    me = await (await fetch("/api/me")).json();
  } catch {
    setTimeout(whatNow, 1000);
    return;
  }
  if (page.user && !me.user) {
    stopWarning();
    document.title = "Logged out";
    document.querySelector("main").remove();
    tell("You are logged out.", "In another tab, on another device, or because the session's time was up.", "Log in again");
  } else if (!me.session) {
    tell("This session has ended.", "The next request begins a new one.", "Go on");
    // A login in another tab ends it a moment before this browser has the new cookie.
    if (looks < 5) setTimeout(whatNow, 1000 * ++looks);
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
  const field = form.elements.text;
  const body = new URLSearchParams(new FormData(form));
  if (body.has("before")) body.set("before", field.defaultValue);
  let answer;
  try {
    answer = await fetch(deletes ?? form.action, { method: "POST", body, redirect: "manual" });
  } catch {
    return tell("The app cannot be reached.", "Nothing is lost here: try again.");
  }
  if (answer.status === 409) return whatNow();
  if (answer.status >= 400) return tell("That was not kept.", await answer.text());
  tell("");
  if (form.id === "add") form.reset();
  else if (field) field.defaultValue = field.value;
  if (deletes) byId("text").focus();
  // Asks anew, for what there is now.
  listen();
});

if (page.session) listen();
