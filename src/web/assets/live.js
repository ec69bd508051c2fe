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
// The token in forms differs in every page.
const text = (element) => element.outerHTML.replace(/(name="csrf" value=")[^"]*/g, "$1");
const remember = (root) => {
  for (const region of root.querySelectorAll("[data-live]")) {
    source.set(region, text(region));
    if (region.dataset.live === "list") for (const child of region.children) source.set(child, text(child));
  }
};

// A region is made like the fresh one node by node: what has the focus, is being written, was opened or is about to be
// pressed stays the same node. An element is known by its id, else by what it does, else by its place.
const CONTROL = "a, button, details, form, input, label, select, textarea";
const KNOWN = "[id], [href], [action], [for], [name]:not([name=csrf]), button";
const mark = (e) => e.id ? `#${e.id}` : [
  e.localName, ...["href", "action", "formaction", "for", "name", "type"].map((name) => e.getAttribute(name)),
  ...(e.localName === "button" ? [e.value, e.textContent] : []),
].join(" ");
const key = (node) => {
  if (node.nodeType !== Node.ELEMENT_NODE) return node.nodeName;
  const known = node.matches(KNOWN) ? node : node.querySelector(KNOWN);
  return `${node.localName} ${known ? mark(known) : ""}`;
};
const loose = (node) => node.nodeType === Node.ELEMENT_NODE && !node.id && !node.matches(CONTROL);

// Each fresh node with the one there that it is, if any. A control never becomes another one under somebody's finger.
const pairs = (was, will) => {
  const spare = new Set(was), found = new Map();
  const pair = (nodes, name) => {
    const named = new Map();
    for (const node of spare) {
      const its = name(node);
      if (named.has(its)) named.get(its).push(node); else named.set(its, [node]);
    }
    for (const node of nodes) {
      const there = named.get(name(node))?.shift();
      if (there) { found.set(node, there); spare.delete(there); }
    }
  };
  pair(will, key);
  pair(will.filter((node) => !found.has(node) && loose(node)), (node) => loose(node) ? node.localName : node);
  return [found, spare];
};

const put = (parent, node, next) => {
  if (node.isConnected && parent.isConnected && parent.moveBefore) parent.moveBefore(node, next);
  else parent.insertBefore(node, next);
};

// What this page itself set stays: what was opened, what was sent, where one was sent to.
const own = (element, name) =>
  name === "data-sent" || name === "data-seen" || (name === "open" && element.localName === "details")
  || (name === "tabindex" && element === document.activeElement);

const like = (old, fresh, region) => {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  const option = old.localName === "select" ? old.selectedOptions[0] : null;
  const chosen = option && !option.defaultSelected ? option.value : null;
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !own(old, name)) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !own(old, name)) old.removeAttribute(name);
  fill(old, fresh, region);
  if (option) {
    const value = chosen ?? fresh.value;
    if (old.value !== value && [...old.options].some((other) => other.value === value)) old.value = value;
  }
};

const fill = (old, fresh, region) => {
  const was = [...old.childNodes], will = [...fresh.childNodes];
  let from = 0, end = was.length, until = will.length;
  while (from < end && from < until && was[from].isEqualNode(will[from])) from++;
  while (end > from && until > from && was[end - 1].isEqualNode(will[until - 1])) { end--; until--; }
  const [found, spare] = pairs(was.slice(from, end), will.slice(from, until));
  let next = was[from] ?? null;
  for (const node of will.slice(from, until)) {
    while (next && spare.has(next)) next = next.nextSibling;
    const moved = node.id && !found.has(node) && document.getElementById(node.id);
    const there = found.get(node) ?? (moved && region.contains(moved) && moved.localName === node.localName && !moved.contains(old) ? moved : null);
    const made = there ?? document.importNode(node, false);
    if (made === next) next = next.nextSibling;
    else put(old, made, next);
    if (!there) fill(made, node, region);
    else if (source.get(made) === undefined || source.get(made) !== text(node)) like(made, node, region);
  }
  for (const node of spare) if (node.parentNode === old) node.remove();
};

const swap = (old, fresh) => {
  const now = text(fresh);
  if (source.get(old) === now) return;
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  like(old, fresh, old);
  source.set(old, now);
  if (old.dataset.live === "list") [...old.children].forEach((child, at) => source.set(child, text(fresh.children[at])));
  if (!focus) return;
  // What is gone cannot keep it: it stays where that was, for the next key to go on from there.
  const to = focus.isConnected ? focus : (focus.id && document.getElementById(focus.id)) || old;
  for (let fold = to.closest("details:not([open])"); fold; fold = fold.parentElement.closest("details:not([open])")) {
    if (to.closest("summary")?.parentElement !== fold) fold.open = true;
  }
  if (to === document.activeElement) return;
  if (to === old && !old.hasAttribute("tabindex")) old.tabIndex = -1;
  to.focus({ preventScroll: true });
};

const renew = (fresh) => {
  page.dataset.now = fresh.documentElement.dataset.now;
  const rate = fresh.documentElement.dataset.rate;
  if (rate) { page.dataset.rate = rate; clock.rate = Number(rate); }
  clock.at = Date.parse(page.dataset.now);
  clock.from = performance.now();
  for (const region of document.querySelectorAll("[data-live][id]")) {
    const next = fresh.getElementById(region.id);
    if (next) swap(region, next);
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
    // A page that a form led to cannot be asked for by its address: it says by which it can.
    const answer = await fetch(page.dataset.page || location.href, { headers: { "x-live": "1" }, cache: "no-store", redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      if (page.dataset.page) location.assign(page.dataset.page); else location.reload();
      return;
    }
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
