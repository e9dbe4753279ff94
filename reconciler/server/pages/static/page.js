"use strict";

/* Keeps a page up to date: on an event it loads its own URL again and replaces the parts that differ. */

const content = document.getElementById("content");
const root = document.documentElement;
root.classList.add("scripted");

let loading = null;
let again = false;

/** Replace the rows of a table that have another version, and move all to their places. */
function replaceRows(table, fresh) {
  table.tHead.replaceWith(fresh.tHead);
  const body = table.tBodies[0];
  const known = new Map(Array.from(body.rows, (row) => [row.dataset.key, row]));
  let place = body.firstElementChild;
  for (const row of Array.from(fresh.tBodies[0].rows)) {
    const old = known.get(row.dataset.key);
    known.delete(row.dataset.key);
    if (old && old.dataset.version === row.dataset.version) {
      if (old === place) place = place.nextElementSibling;
      else body.insertBefore(old, place);
      continue;
    }
    if (document.hidden === false) row.classList.add("changed");
    if (!old) {
      body.insertBefore(row, place);
      continue;
    }
    const focused = Array.from(old.querySelectorAll("a")).indexOf(document.activeElement);
    if (old === place) {
      place = old.nextElementSibling;
      old.replaceWith(row);
    } else {
      old.remove();
      body.insertBefore(row, place);
    }
    if (focused >= 0) (row.querySelectorAll("a")[focused] || row.querySelector("a")).focus({ preventScroll: true });
  }
  for (const row of known.values()) row.remove();
}

/** Keep a plan that a person may be about to approve, but let nobody approve it: it waits no more. */
function keepOutdated(plan) {
  plan.classList.add("is-outdated");
  for (const one of plan.querySelectorAll("form button, form input")) one.disabled = true;
}

/** Replace the parts of this page that are marked as live by those of another document. */
function replaceParts(fresh) {
  for (const part of content.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!other || other.isEqualNode(part)) continue;
    if (part.dataset.digest && part.dataset.digest !== other.dataset.digest) {
      keepOutdated(part);
      continue;
    }
    if (part.tHead && other.tHead) {
      replaceRows(part, other);
      continue;
    }
    const focused = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
    part.replaceWith(other);
    if (focused) {
      const link = Array.from(other.querySelectorAll("a")).find((one) => one.getAttribute("href") === focused);
      if (link) link.focus({ preventScroll: true });
    }
  }
  const title = content.querySelector("h1");
  const freshTitle = fresh.querySelector("#content h1");
  if (title && freshTitle && title.textContent !== freshTitle.textContent) title.textContent = freshTitle.textContent;
  document.title = fresh.title;
  content.dataset.content = fresh.getElementById("content").dataset.content;
  for (const name of ["listed", "clear"]) {
    const [old, other] = [content.querySelector(`.${name}`), fresh.querySelector(`.${name}`)];
    if (old && other) old.replaceWith(other);
    else if (old) old.remove();
    else if (other && name === "clear") content.querySelector(".filter").append(other);
  }
}

/** Load the URL of the page again. A call during a load is answered by one more load. */
async function refresh() {
  if (loading) {
    again = true;
    return;
  }
  do {
    again = false;
    loading = new AbortController();
    try {
      const answer = await fetch(location.href, { signal: loading.signal, credentials: "same-origin" });
      if (answer.redirected) location.reload();
      else if (answer.ok) replaceParts(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
    }
    loading = null;
  } while (again);
}

/** Follow the changes of the server. */
function follow() {
  const source = new EventSource(content.dataset.events);
  source.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    root.classList.add("connected");
    root.classList.toggle("stale", state.problem !== "");
    const note = content.querySelector("[data-problem]");
    if (note) {
      note.hidden = state.problem === "";
      if (note.textContent !== state.problem) note.textContent = state.problem;
    }
    for (const time of content.querySelectorAll("time[data-seconds]")) time.dateTime = state.taken_at;
    if (String(state[content.dataset.follows || "content"]) !== content.dataset.content) refresh();
  });
  source.addEventListener("error", () => root.classList.remove("connected"));
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

/** Write the time since a moment as the server does. */
function tellAges() {
  const now = Date.now();
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  for (const time of content.querySelectorAll("time[datetime]")) {
    const seconds = Math.max(0, Math.floor((now - Date.parse(time.dateTime)) / 1000));
    const [unit, size] = units.find(([, one]) => seconds >= one) || units[3];
    const words = `${Math.floor(seconds / size)} ${unit}`;
    if (time.textContent !== words) time.textContent = words;
  }
}

/** Show the rows that match while the person types, and keep the filter in the URL. */
function filterAsTyped(form) {
  let timer = 0;
  const show = () => {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value && !(name === "sort" && value === "name")) query.set(name, value);
    }
    const text = query.toString();
    const path = form.getAttribute("action");
    history.replaceState(null, "", text ? `${path}?${text}` : path);
    if (loading) loading.abort();
    refresh();
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, 120);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    show();
  });
}

if (content && content.dataset.events) {
  follow();
  setInterval(tellAges, 1000);
}
const filter = document.querySelector(".filter");
if (filter) filterAsTyped(filter);
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) setTimeout(() => (button.disabled = true));
  });
}
