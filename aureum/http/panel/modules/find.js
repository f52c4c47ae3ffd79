// @ts-check
// The search as a dialog. What it shows is a part of the page /admin/search, which works by itself.

/** @type {HTMLDialogElement | undefined} */
let dialog;
/** @type {AbortController | undefined} */
let asking;
let timer = 0;

/** Open the search, or go to the field of its page. */
export function openSearch() {
  const field = document.querySelector("main input[name=q]");
  if (field instanceof HTMLInputElement && location.pathname === "/admin/search") return field.select();
  dialog ??= made();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input")?.select();
  ask(dialog);
}

function made() {
  const made = document.createElement("dialog");
  made.id = "find-dialog";
  made.ariaLabel = "Search";
  made.innerHTML = `<form method="get" action="/admin/search" role="search"><input name="q" inputmode="search" maxlength="200" autocomplete="off"
    aria-label="Search everything" placeholder="A name, a phone, an address, a page"></form><p class="hidden" role="status"></p><div id="found"></div>`;
  document.body.append(made);
  made.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => ask(made), 120);
  });
  made.addEventListener("keydown", (event) => move(made, event));
  made.addEventListener("submit", (event) => {
    const first = made.querySelector("#found a");
    // While an answer is on its way, the form leads to the page of the search.
    if (!(first instanceof HTMLElement) || asking) return;
    event.preventDefault();
    first.click();
  });
  // A click beside it.
  made.addEventListener("click", (event) => event.target === made && made.close());
  return made;
}

/** @param {HTMLDialogElement} dialog */
async function ask(dialog) {
  asking?.abort();
  const mine = (asking = new AbortController());
  const words = dialog.querySelector("input")?.value ?? "";
  try {
    const answer = await fetch(`/admin/search?q=${encodeURIComponent(words)}`, { signal: mine.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("found") ?? page.querySelector("main");
    dialog.querySelector("#found")?.replaceChildren(...(found?.childNodes ?? []));
    const links = dialog.querySelectorAll("#found a").length;
    const status = dialog.querySelector("[role=status]");
    if (status) status.textContent = links === 1 ? "1 result" : `${links} results`;
  } catch (error) {
    // A newer search took its place, or there is no connection: Enter asks again, as a page.
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
  }
  if (asking === mine) asking = undefined;
}

/** @type {(dialog: HTMLDialogElement, event: KeyboardEvent) => void} */
function move(dialog, event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  const stops = [dialog.querySelector("input"), ...dialog.querySelectorAll("#found a")];
  const next = stops[stops.findIndex((one) => one === document.activeElement) + by];
  event.preventDefault();
  if (next instanceof HTMLElement) next.focus();
}
