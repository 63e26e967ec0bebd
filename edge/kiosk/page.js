// The page. What comes from a label becomes text, and never anything else.

import { Link } from "/link.js";
import { onSilence, play, silenced, unlock } from "/sound.js";

const WORST = ["good", "attention", "error", "wanted"]; // the last one is heard first
const SCANNER_SPEED = 60; // milliseconds between two keys; nobody types that fast
const SCANNER_LENGTH = 4; // keys in a row, then Enter: that was a scanner
const LONGEST_WHOLE = 16; // characters of a word that is not broken
const CALM = 800; // milliseconds
const NOTICE = 8000; // milliseconds that a notice stays which no scan takes away

const CLOCK = { timeStyle: "medium", hourCycle: "h23" };

const at = (id) => document.getElementById(id);
const svg = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);

const link = new Link({ heard: show, gone });
let shown = null; // the screen that is there now
let calm = 0; // the timer of what may be late
let heard = null; // number of the scan that was heard last; null after the page loaded

// A new screen

function show(screen) {
  const back = !at("gone").hidden;
  at("gone").hidden = true;
  if (back || heard === null || screen.number < heard) heard = screen.number;
  if (screen.number > heard) sound(screen);
  if (shown === null || screen.number !== shown.number) at("not-done").textContent = "";
  shown = screen;
  showLatest(screen.latest);
  showNow(screen);
  showPacking(screen.packing);
  showRecent(screen);
  showPartsCalmly(screen);
}

/** Sound once for all scans since the last: the worst of them. */
function sound(screen) {
  const fresh = screen.recent.filter((told) => told.number > heard);
  const ranks = fresh.map((told) => WORST.indexOf(told.tone));
  heard = screen.number;
  at("typed").hidden = true;
  if (ranks.length) play(WORST[Math.max(...ranks)]);
}

function showLatest(latest) {
  const panel = at("latest");
  const tone = latest.word === "ready" ? "ready" : latest.tone;
  const key = `${latest.number} ${latest.word}`;
  if (panel.dataset.key === key) return;
  panel.dataset.key = key;
  panel.dataset.tone = tone;
  panel.dataset.word = latest.word;
  panel.querySelector("use").setAttribute("href", `#${tone}`);
  at("title").textContent = latest.title;
  at("code").textContent = latest.code;
  at("code").dataset.long = latest.code.length > 24 ? "very" : latest.code.length > 12;
  at("text").replaceChildren(...sentence(latest.text));
  panel.classList.remove("new");
  void panel.offsetWidth; // so that the same picture twice is still seen to be new
  if (latest.word !== "ready") panel.classList.add("new");
}

/** A code in a sentence stays on one line: M-1 is not "M-" and "1". */
function sentence(text) {
  return text.split(/( )/).map((word) =>
    word.includes("-") && word.length <= LONGEST_WHOLE ? line("span", word, "whole") : word,
  );
}

function showNow(screen) {
  at("next-text").textContent = screen.next;
  at("next").dataset.expects = screen.expects;
  at("mode").textContent = screen.mode;
  named("place", screen.place);
  named("badge", screen.badge);
  at("container").textContent = screen.container;
  at("container-row").hidden = !screen.container;
}

function named(id, value) {
  const place = at(id);
  place.textContent = value || place.dataset.none;
  place.classList.toggle("none", !value);
}

// The packing table

function showPacking(packing) {
  const panel = at("packing");
  panel.hidden = packing === null;
  document.body.classList.toggle("packs", packing !== null);
  if (packing === null) return;
  at("packing-container").textContent = packing.container;
  at("handoff").hidden = !packing.hands_over;
  for (const part of panel.querySelectorAll(".list")) part.hidden = !packing.container;
  named("giver", packing.giver);
  named("receiver", packing.receiver);
  at("scanned").textContent = packing.scanned;
  at("expected").textContent = packing.expected ?? "?";
  at("unknown").hidden = packing.expected !== null;
  for (const list of panel.querySelectorAll("[data-list]")) {
    const { count, items } = packing[list.dataset.list];
    const more = count - items.length;
    const rows = items.map((item) => line("li", item, "code"));
    if (more) rows.push(line("li", `+${more}`));
    list.classList.toggle("some", count > 0);
    list.querySelector(".count").textContent = count;
    list.querySelector("ul").replaceChildren(...rows);
    list.toggleAttribute("tabindex", false);
    if (list.scrollHeight > list.clientHeight) list.tabIndex = 0; // a keyboard scrolls it
  }
  buttons(at("close"), packing.close);
}

/** Put a button there for each touch, and leave alone those that are there already. */
function buttons(place, touches) {
  const key = JSON.stringify(touches);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren(
    ...touches.map(({ code, label }) => {
      const button = line("button", label);
      button.type = "button";
      button.dataset.code = code;
      return button;
    }),
  );
}

function line(name, text, css = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (css) element.className = css;
  return element;
}

// The last scans, and undo

function showRecent({ recent, undo }) {
  at("scans").replaceChildren(...recent.map(scan));
  at("undo").hidden = undo === null;
  if (undo === null) return;
  at("undo").textContent = undo.label;
  at("undo").dataset.code = undo.code;
}

function scan(told) {
  const row = document.createElement("li");
  const time = line("time", new Date(told.at).toLocaleTimeString([], CLOCK));
  time.dateTime = told.at;
  time.title = told.at;
  const word = told.undone ? at("scans").dataset.undone : told.title;
  row.dataset.tone = told.undone ? "undone" : told.tone;
  row.append(shape(told.tone), time, line(told.undone ? "s" : "span", told.code, "code"));
  row.append(line("span", word, "word"));
  return row;
}

function shape(tone) {
  const picture = svg("svg");
  picture.setAttribute("class", "shape");
  picture.setAttribute("aria-hidden", "true");
  const use = svg("use");
  use.setAttribute("href", `#${tone}`);
  picture.append(use);
  return picture;
}

async function touched(event) {
  const button = event.target.closest("button[data-code]");
  if (!button || button.disabled || shown === null) return;
  button.disabled = true;
  const done = await link.touch(button.dataset.code, shown.number);
  button.disabled = false;
  if (event.detail !== 0) button.blur(); // no key may press it by mistake
  at("not-done").textContent = done ? "" : at("too-late").textContent;
}

// Scanner, server, clock

/** What is well may be late: each scan is "being sent" for an instant. */
function showPartsCalmly(screen) {
  const wrong = screen.lights.some((light) => light.tone) || at("lights").querySelector("[data-tone]");
  if (wrong || !at("lights").firstChild) showParts(screen);
  else calm ||= setTimeout(() => showParts(shown), CALM);
}

function showParts({ waiting, waiting_text, lights }) {
  clearTimeout(calm);
  calm = 0;
  at("waiting").textContent = waiting_text;
  at("waiting").dataset.some = waiting > 0;
  at("lights").replaceChildren(
    ...lights.map((light) => {
      const row = document.createElement("li");
      row.dataset.part = light.part;
      if (light.tone) row.dataset.tone = light.tone;
      row.append(shape(light.tone ?? "good"), line("span", light.name, "name"), " ");
      row.append(line("span", light.text, "value"));
      return row;
    }),
  );
}

function gone() {
  if (!at("gone").hidden) return;
  at("gone").hidden = false;
  at("typed").hidden = true;
  if (shown !== null) play("error");
}

// A scanner that types into this page instead of reaching the station

let keys = 0;
let pressed = 0;

function typed(event) {
  const now = performance.now();
  const fast = now - pressed < SCANNER_SPEED;
  if (event.key.length === 1) {
    keys = fast ? keys + 1 : 1;
    pressed = now;
    if (fast) event.preventDefault(); // a space presses the button that has the focus
    return;
  }
  if (event.key === "Enter" && fast && keys >= SCANNER_LENGTH) {
    event.preventDefault();
    notRecorded();
  }
  if (event.key !== "Shift") keys = 0;
}

let notice = 0;

function notRecorded() {
  at("typed").hidden = false;
  play("error");
  clearTimeout(notice);
  notice = setTimeout(() => (at("typed").hidden = true), NOTICE);
}

document.addEventListener("click", touched);
document.addEventListener("keydown", typed, { capture: true });
document.addEventListener("contextmenu", (event) => event.preventDefault());
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, unlock);
onSilence(() => (at("sound").hidden = !silenced()));
