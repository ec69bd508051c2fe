// Makes a page live: its clocks run, and what changes is fetched anew. Without it every page and every act works too.
"use strict";

const pad = (n) => String(n).padStart(2, "0");
const length = (seconds) => {
  const s = Math.floor(seconds), m = Math.floor(s / 60), h = Math.floor(s / 3600), d = Math.floor(s / 86400);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${m} min ${pad(s % 60)} s`;
  if (s < 86400) return `${h} h ${pad(m % 60)} min`;
  return `${d} d ${h % 24} h`;
};

// The server's clock, by when this page was made. It may run faster than ours (in a demonstration): it says now and
// then what it shows.
const page = document.documentElement;
const clock = { at: Date.parse(page.dataset.now), from: performance.now(), rate: Number(page.dataset.rate || 1) };
const now = () => clock.at + (performance.now() - clock.from) * clock.rate;
let told = null;
const set = (at) => {
  const from = performance.now();
  if (told && !page.dataset.rate && from - told.from > 1000) clock.rate = Math.max(0, (at - told.at) / (from - told.from));
  if (Math.abs(clock.rate - 1) < 0.2) clock.rate = 1;
  told = { at, from };
  [clock.at, clock.from] = [at, from];
};

const tick = () => {
  for (const time of document.querySelectorAll("time[data-due]")) {
    const left = (Date.parse(time.dateTime) - now()) / 1000;
    const words = left >= 0 ? `in ${length(left)}` : `${length(-left)} late`;
    if (time.textContent !== words) time.textContent = words;
    const box = time.closest("[data-promise]");
    if (box) {
      box.classList.toggle("late", left < 0);
      box.classList.toggle("soon", left >= 0 && left < Number(box.dataset.promise || 1800));
    }
  }
  for (const time of document.querySelectorAll("time[data-since]")) {
    const words = length(Math.max(0, now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== words) time.textContent = words;
  }
};
setInterval(tick, 1000);

// Regions that change: the elements with `data-live` and an id. A list with `data-live="list"` changes child by child.
const source = new WeakMap();
const remember = (root) => {
  for (const region of root.querySelectorAll("[data-live]")) {
    source.set(region, region.outerHTML);
    if (region.dataset.live === "list") for (const child of region.children) source.set(child, child.outerHTML);
  }
};

const kept = (old, fresh) => {
  // What somebody writes, or has opened, stays as it is.
  for (const field of old.querySelectorAll("input:not([type=hidden]), textarea, select")) {
    const again = field.id && fresh.querySelector(`#${CSS.escape(field.id)}`);
    if (!again) continue;
    const chosen = field.selectedOptions?.[0];
    if (chosen ? !chosen.defaultSelected : field.value !== field.defaultValue) again.value = field.value;
    if (field.checked !== field.defaultChecked) again.checked = field.checked;
  }
  for (const open of old.querySelectorAll("details[open][id]")) {
    const again = fresh.querySelector(`#${CSS.escape(open.id)}`);
    if (again) again.open = true;
  }
};

const swap = (old, fresh) => {
  const text = fresh.outerHTML;
  if (source.get(old) === text) return old;
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  const [start, end] = [focus?.selectionStart, focus?.selectionEnd];
  const made = document.importNode(fresh, true);
  source.set(made, text);
  kept(old, made);
  old.replaceWith(made);
  if (focus?.id) {
    const again = document.getElementById(focus.id);
    again?.focus({ preventScroll: true });
    if (start != null && again?.setSelectionRange) try { again.setSelectionRange(start, end); } catch { /* no text in it */ }
  }
  return made;
};

const renew = (fresh) => {
  page.dataset.now = fresh.documentElement.dataset.now;
  const rate = fresh.documentElement.dataset.rate;
  if (rate) { page.dataset.rate = rate; clock.rate = Number(rate); }
  clock.at = Date.parse(page.dataset.now);
  clock.from = performance.now();
  for (const region of document.querySelectorAll("[data-live][id]")) {
    const next = fresh.getElementById(region.id);
    if (!next) continue;
    if (region.dataset.live !== "list") { swap(region, next); continue; }
    const wanted = new Set([...next.children].map((child) => child.id));
    for (const child of [...region.children]) if (!wanted.has(child.id)) child.remove();
    let place = null;
    for (const child of next.children) {
      const there = document.getElementById(child.id);
      let made;
      if (there && there.parentElement === region) made = swap(there, child);
      else { made = document.importNode(child, true); source.set(made, child.outerHTML); region.append(made); }
      const after = place ? place.nextElementSibling : region.firstElementChild;
      if (made !== after) {
        const focus = made.contains(document.activeElement) ? document.activeElement : null;
        region.insertBefore(made, after);
        focus?.focus({ preventScroll: true });
      }
      place = made;
    }
  }
  tick();
  document.dispatchEvent(new Event("renewed"));
};

// Asked for again at most twice a second, however much happens; the first time at once.
let asked = false, again = false;
const refresh = async () => {
  if (asked) { again = true; return; }
  asked = true;
  let pause = 500;
  try {
    const answer = await fetch(location.href, { headers: { "x-live": "1" }, cache: "no-store", redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 401) { location.reload(); return; }
    if (!answer.ok) throw new Error(answer.status);
    renew(new DOMParser().parseFromString(await answer.text(), "text/html"));
    say(true);
  } catch {
    say(false);
    // A server that is away is not asked twice a second.
    [again, pause] = [true, 3000];
  }
  setTimeout(() => { asked = false; if (again) { again = false; refresh(); } }, pause);
};

const sign = document.getElementById("live");
let lost = null;
const say = (on) => {
  if (!sign || (on && lost === null && sign.classList.contains("on"))) return;
  lost = on ? null : lost ?? new Date();
  sign.className = on ? "live on" : "live off";
  sign.textContent = on ? "Live" : `NOT LIVE since ${pad(lost.getHours())}:${pad(lost.getMinutes())}:${pad(lost.getSeconds())}; trying again`;
};

// The stream tells that something changed, not what: whoever comes back after a gap is told what changed meanwhile.
if (sign && document.querySelector("[data-live]")) {
  const only = page.dataset.incident;
  let stream, heard = performance.now();
  const follow = () => {
    stream = new EventSource(page.dataset.stream || "/live");
    stream.onopen = () => { heard = performance.now(); say(true); refresh(); };
    stream.onerror = () => { say(false); if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 3000); };
    stream.addEventListener("incident", (event) => {
      heard = performance.now();
      if (!only || JSON.parse(event.data).id === only) refresh();
    });
    stream.addEventListener("alive", (event) => {
      heard = performance.now();
      if (!Number.isNaN(Date.parse(event.data))) set(Date.parse(event.data));
    });
    stream.addEventListener("change", () => { heard = performance.now(); refresh(); });
    stream.addEventListener("end", () => { stream.close(); say(false); setTimeout(follow, 1000); });
  };
  follow();
  // A line that died without a word.
  setInterval(() => {
    if (performance.now() - heard > 25000) { heard = performance.now(); stream.close(); say(false); follow(); }
  }, 5000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
}
remember(document);
tick();

// A form is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 4000);
});
