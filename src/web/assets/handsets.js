// The phones come alive: they ring, their keys sound, and what is said can be heard. Without it every act works too.
"use strict";

(() => {
  const find = (id) => document.getElementById(id);
  const csrfForms = "form[data-act]";
  const recall = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* nowhere to keep it */ } };

  // Sound: only once somebody touched the page, and never while it is off.
  const switches = find("switches"), sound = find("sound"), aloud = find("aloud");
  switches.hidden = false;
  let audio = null, muted = recall("handsets-muted") === "1", bell = null;
  const show = () => {
    sound.setAttribute("aria-pressed", String(!muted));
    sound.textContent = muted ? "Sound off" : audio ? "Sound on" : "Sound on, after a click";
  };
  const wake = () => {
    if (audio || muted) return;
    try { audio = new AudioContext(); } catch { return; }
    show();
    ring();
  };
  const tone = (frequencies, from, seconds, volume) => {
    const gain = audio.createGain();
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(volume, from + 0.015);
    gain.gain.setValueAtTime(volume, from + seconds - 0.03);
    gain.gain.linearRampToValueAtTime(0, from + seconds);
    gain.connect(audio.destination);
    for (const frequency of frequencies) {
      const oscillator = audio.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(gain);
      oscillator.start(from);
      oscillator.stop(from + seconds);
    }
  };
  // Two short warbles, then silence: what everybody knows as a phone.
  const warble = () => {
    if (!audio || muted || audio.state !== "running") return;
    for (const part of [0, 0.5]) {
      for (let at = 0; at < 8; at++) tone([at % 2 ? 1046.5 : 1318.5], audio.currentTime + part + at * 0.05, 0.06, 0.09);
    }
  };
  const ring = () => {
    const rings = !muted && document.querySelector("[data-rings]");
    if (rings && audio && !bell) { warble(); bell = setInterval(warble, 2000); }
    if (!rings && bell) { clearInterval(bell); bell = null; }
  };
  const rows = [697, 770, 852, 941], columns = [1209, 1336, 1477], pad = "123456789*0#";
  const dtmf = (key) => {
    const at = pad.indexOf(key);
    if (audio && !muted && at >= 0) tone([rows[Math.floor(at / 3)], columns[at % 3]], audio.currentTime, 0.14, 0.06);
  };
  addEventListener("pointerdown", wake, true);
  addEventListener("keydown", wake, true);
  sound.addEventListener("click", () => {
    muted = !muted;
    keep("handsets-muted", muted ? "1" : "0");
    wake();
    if (audio) muted ? audio.suspend() : audio.resume();
    show();
    ring();
  });
  show();

  // The voice, by the browser's own speech, where it has one.
  let speaks = false;
  const heard = new Map();
  const lines = () => document.querySelectorAll(".log > p[data-until]");
  const remember = () => { for (const line of lines()) heard.set(line.id, line.textContent); };
  if (window.speechSynthesis) {
    aloud.hidden = false;
    aloud.addEventListener("click", () => {
      speaks = !speaks;
      aloud.setAttribute("aria-pressed", String(speaks));
      aloud.textContent = `Read aloud: ${speaks ? "on" : "off"}`;
      if (!speaks) speechSynthesis.cancel();
    });
  }
  const listen = () => {
    for (const line of lines()) {
      const known = heard.get(line.id);
      if (known === line.textContent) continue;
      heard.set(line.id, line.textContent);
      if (known === undefined && !line.matches(".here")) find("told").textContent = line.textContent;
      if (!speaks) continue;
      // A line that changed was cut short: somebody pressed a key.
      if (known !== undefined) { speechSynthesis.cancel(); continue; }
      if (!line.matches(".service, .machine, .other")) continue;
      const words = new SpeechSynthesisUtterance(line.lastChild.textContent);
      words.lang = line.closest("[data-lang]")?.dataset.lang || "en-US";
      words.rate = Math.min(2, Math.max(1, clock.rate));
      speechSynthesis.speak(words);
    }
    if (speaks && !document.querySelector("[data-call]")) speechSynthesis.cancel();
  };

  // What is being said now, and the time here.
  const zone = document.documentElement.dataset.zone;
  let clockFace;
  try { clockFace = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "medium" }); } catch { clockFace = null; }
  setInterval(() => {
    for (const line of lines()) {
      line.classList.toggle("spoken", Date.parse(line.dataset.at) <= now() && now() < Date.parse(line.dataset.until));
    }
    const face = document.querySelector("[data-clock]");
    if (face && clockFace) face.textContent = clockFace.format(now());
  }, 200);

  // After every change: the end of each talk is in sight, and whoever does not look hears whose phone rings.
  let rang = "";
  const settle = () => {
    for (const log of document.querySelectorAll(".log, .thread")) {
      if (log.dataset.seen !== log.lastElementChild?.id) {
        log.dataset.seen = log.lastElementChild?.id;
        log.scrollTop = log.scrollHeight;
      }
    }
    const ringing = [...document.querySelectorAll(".phone.ringing")].map((phone) => phone.dataset.name).join(", ");
    if (ringing !== rang) find("told").textContent = ringing ? `Ringing: ${ringing}` : "Nothing rings.";
    rang = ringing;
    document.title = document.title.replace(/^☎ /, "").replace(/^/, ringing ? "☎ " : "");
    ring();
    listen();
  };
  document.addEventListener("renewed", settle);
  remember();
  settle();

  // Forms are sent in the background, one after the other; what changed is swapped in.
  const trouble = (words) => {
    const box = find("trouble");
    box.hidden = !words;
    box.textContent = words || "";
  };
  const send = async (form, button, body) => {
    const action = button?.hasAttribute("formaction") ? button.formAction : form.action;
    const answer = await fetch(action, { method: "POST", body, redirect: "follow" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.status === 401 || new URL(answer.url).pathname === "/sign-in") { location.reload(); return; }
    if (!answer.ok) {
      trouble([...fresh.querySelectorAll("main > p:first-of-type, main > ul")].map((e) => e.textContent).join(" "));
      return;
    }
    trouble("");
    renew(fresh);
    if (form.dataset.then === "call") {
      const phone = document.querySelector(new URL(answer.url).hash || "#none") ?? find(`p${body.get("from").replace(/\D/g, "")}`);
      phone?.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      phone?.querySelector(".keypad button, .hangup")?.focus({ preventScroll: true });
    }
  };
  let queue = Promise.resolve();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches(csrfForms)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = event.submitter;
    const body = new URLSearchParams(new FormData(form, button));
    if (form.dataset.act === "press") { dtmf(button?.value); if (speaks) speechSynthesis.cancel(); }
    // Before what was written is renewed, so that it does not stay in its field.
    for (const field of form.querySelectorAll("input[name=text], input[name=body]")) field.value = "";
    queue = queue.then(() => send(form, button, body)).catch(() => trouble("That did not reach the service. Try again."));
  }, true);

  // The keys of the keyboard, on the phone that is in use.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !pad.includes(event.key)) return;
    if (event.target.closest("input, textarea, select")) return;
    const here = event.target.closest?.(".phone")?.querySelector(".keypad");
    const pads = document.querySelectorAll(".keypad");
    const keypad = here || (pads.length === 1 ? pads[0] : null);
    const key = keypad && [...keypad.querySelectorAll("button")].find((button) => button.value === event.key);
    if (key) { event.preventDefault(); key.click(); }
  });
})();
