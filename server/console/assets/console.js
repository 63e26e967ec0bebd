// What a page does by itself: it takes a scan wherever the focus is, and stays live.

const box = document.getElementById("q");

// A keyboard scanner types. Where no field has the focus, its first character leads to
// the search box, which gets it and all that follow; its Enter sends them.
document.addEventListener("keydown", (event) => {
  const busy = document.activeElement?.closest("input, select, textarea, button, a, summary, pre");
  if (!box || busy || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key.length === 1 && event.key !== " ") {
    box.value = "";
    box.focus();
  }
});

// Scanned again while the last code still stands in the box: it is replaced.
box?.addEventListener("focus", () => box.select());

for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => print());
}

// --- live -----------------------------------------------------------------------------

const SILENCE = 12000;
const status = document.getElementById("live");
const regions = [...document.querySelectorAll("[data-live]")].map((one) => one.id);
let since = "";
let away = 0;
let reading = false;

function say(id, text) {
  const place = document.getElementById(id);
  if (place && place.textContent !== text) place.textContent = text;
}

function gone() {
  status.classList.add("away");
  say("live-since", status.dataset.away);
  since = "";
}

// A response that XMLHttpRequest parses as a document runs nothing and loads nothing.
function read(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.setRequestHeader("Accept", "text/html");
    request.setRequestHeader("Scantrail-Live", "1"); // nobody touched anything
    request.timeout = 10000;
    request.onloadend = () => resolve(request.status === 200 ? request.response : null);
    request.send();
  });
}

let again = false;

// What somebody is in, or has opened, stays as it is.
function busy(region) {
  return region.contains(document.activeElement) || region.querySelector("details[open]");
}

async function renew() {
  if (reading) again = true;
  if (reading || document.hidden) return;
  reading = true;
  again = false;
  try {
    const pages = new Map();
    for (const id of regions) {
      const old = document.getElementById(id);
      if (busy(old)) continue;
      const url = old.dataset.live || location.href;
      if (!pages.has(url)) pages.set(url, await read(url));
      const found = pages.get(url)?.getElementById(id);
      if (!found || found.innerHTML === old.innerHTML || busy(old)) continue;
      const taken = document.importNode(found, true);
      taken.dataset.live = old.dataset.live;
      document.getElementById(id).replaceWith(taken);
    }
  } finally {
    reading = false;
  }
  if (again) renew();
}

function watch() {
  const source = new EventSource("/live");
  source.addEventListener("beat", (event) => {
    const beat = JSON.parse(event.data);
    status.classList.remove("away");
    since ||= beat.clock;
    const [on, heard] = status.dataset.on.split("|");
    say("live-since", on.replace("%", since));
    say("live-heard", heard.replace("%", beat.heard_clock || "–"));
    clearTimeout(away);
    away = setTimeout(gone, SILENCE);
    renew();
  });
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(away);
    gone();
    setTimeout(watch, 5000);
  });
  addEventListener("pagehide", () => source.close());
}

if (status && regions.length) watch();

// --- a slider through the day ---------------------------------------------------------

const slider = document.getElementById("mark");

// Its last mark is now, which is followed; every other is a moment, in the address.
function slide() {
  const { begin, page, known, kept, marks, liveWord } = slider.dataset;
  const names = marks.split("|");
  const mark = Number(slider.value);
  const live = mark === names.length - 1;
  const moment = new Date(Date.parse(begin) + mark * 300000).toISOString();
  const word = live ? liveWord : names[mark];
  say("mark-text", word);
  slider.setAttribute("aria-valuetext", word);
  const query = [live ? "" : `at=${moment}${known}`, kept].filter(Boolean).join("&");
  history.replaceState(null, "", query ? `${page}?${query}` : page);
  renew();
}

if (slider) {
  let waiting = 0;
  slider.parentElement.hidden = false;
  slider.setAttribute("aria-valuetext", document.getElementById("mark-text").textContent);
  slider.addEventListener("input", () => {
    say("mark-text", slider.dataset.marks.split("|")[slider.value]);
    clearTimeout(waiting);
    waiting = setTimeout(slide, 150);
  });
}
