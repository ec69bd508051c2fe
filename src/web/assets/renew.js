// Keeps a page of a link true: asks for it anew every half minute, unless somebody is busy with it.
"use strict";

const every = Math.max(10, Number(document.documentElement.dataset.renew) || 30) * 1000;

const touched = (field) =>
  field === document.activeElement || field.value !== field.defaultValue || field.checked !== field.defaultChecked;
const busy = () =>
  document.hidden || document.querySelector("details[open], form[data-sent]") ||
  [...document.querySelectorAll("main input:not([type=hidden]), main textarea")].some(touched);

let asked = performance.now();
let gone = false;
const renew = async () => {
  if (gone || busy() || performance.now() - asked < every - 500) return;
  asked = performance.now();
  try {
    const answer = await fetch(location.pathname, { cache: "no-store", redirect: "error" });
    gone = answer.status === 404;
    if (!answer.ok || busy()) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    const main = document.querySelector("main");
    if (!fresh || fresh.innerHTML === main.innerHTML) return;
    const focus = main.contains(document.activeElement) ? document.activeElement : null;
    const made = document.importNode(fresh, true);
    main.replaceWith(made);
    if (focus) ((focus.id && document.getElementById(focus.id)) || made).focus({ preventScroll: true });
  } catch { /* what stands there says when it was true */ }
};
setInterval(renew, every);
document.addEventListener("visibilitychange", renew);

// A form is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 4000);
});
