// @ts-check
// Keys that work on every page. Those that a page has for itself it gets as the event "aureum:key", and says what they do
// in data-keys: "j next lead|k previous lead".
import { openSearch } from "./find.js";

const TYPING = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable], dialog, :popover-open";

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && key.toLowerCase() === "k") {
    event.preventDefault();
    openSearch();
  }
  const busy = target instanceof Element && target.closest(TYPING);
  if (busy || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "/" || key === "?") {
    event.preventDefault();
    if (key === "/") openSearch();
    else showKeys();
  } else if (!document.dispatchEvent(new CustomEvent("aureum:key", { detail: { key }, cancelable: true }))) {
    event.preventDefault();
  }
});

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest("a.find, [data-dialog]");
  if (!(link instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const dialog = document.getElementById(link.dataset.dialog ?? "");
  if (link.matches(".find")) openSearch();
  else if (dialog instanceof HTMLDialogElement) dialog.showModal();
  else return;
  event.preventDefault();
});

function showKeys() {
  document.getElementById("keys-dialog")?.remove();
  const dialog = document.createElement("dialog");
  dialog.id = "keys-dialog";
  dialog.innerHTML = `<div class="head"><h2 id="keys-title">Keyboard shortcuts</h2><form method="dialog"><button class="quiet">Close</button></form></div><dl></dl>`;
  dialog.setAttribute("aria-labelledby", "keys-title");
  const own = [...document.querySelectorAll("[data-keys]")].flatMap((one) => one.getAttribute("data-keys")?.split("|") ?? []);
  for (const line of ["/ search everything", "Ctrl-K search everything, while typing too", "? these shortcuts", ...own]) {
    const [key, ...words] = line.split(" ");
    const term = document.createElement("dt");
    term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    const said = Object.assign(document.createElement("dd"), { textContent: words.join(" ") });
    dialog.querySelector("dl")?.append(term, said);
  }
  document.body.append(dialog);
  dialog.showModal();
}
