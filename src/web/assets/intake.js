// A button beside everything that is there to be pasted elsewhere.
"use strict";

for (const text of document.querySelectorAll("pre[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  const say = (words) => {
    button.textContent = words;
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      say("Copied");
    } catch {
      // Not over plain http: it is marked, and the keyboard copies it.
      getSelection().selectAllChildren(text);
      say("Marked: press Ctrl C");
    }
  });
  const row = document.createElement("p");
  row.className = "copied";
  row.append(button);
  text.after(row);
}
