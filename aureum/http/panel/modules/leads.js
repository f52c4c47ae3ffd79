// @ts-check
// The list and the board of leads: dialogs for single steps, dragging, and keys. What they send are the forms of the pages.

/** @type {(html: string) => Document} */
const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
const rows = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#rows [data-key]")]);
/** @type {(row: Element | null | undefined) => HTMLAnchorElement | null} */
const link = (row) => row?.querySelector("a[href^='/admin/leads/']") ?? null;

const dialog = document.createElement("dialog");
document.body.append(dialog);

/** @param {Element} content */
function show(content) {
  const close = Object.assign(document.createElement("button"), { className: "plain right", textContent: "Close" });
  close.type = "button";
  close.addEventListener("click", () => dialog.close());
  // The page has a first heading already.
  const title = content.querySelector("h1"), heading = document.createElement("h2");
  heading.append(...(title?.childNodes ?? []));
  title?.replaceWith(heading);
  dialog.replaceChildren(content, close);
  dialog.ariaLabel = heading.textContent ?? "";
  if (!dialog.open) dialog.showModal();
  const field = content.querySelector("[autofocus], form :is(input:not([type=hidden]), select, textarea)");
  if (field instanceof HTMLElement) field.focus();
}

/** @param {string} address */
async function open(address) {
  const answer = await fetch(address);
  const content = answer.ok && parsed(await answer.text()).querySelector("[data-dialog-content]");
  if (content) show(content);
  else location.href = address;
}

// The page that a form leads to: a form again, the list that is open, or another page.
/** @type {(form: HTMLFormElement, button?: HTMLElement | null) => Promise<void>} */
async function send(form, button) {
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form, button)));
  const answer = await fetch(form.action, { method: "POST", body });
  const page = parsed(await answer.text());
  const content = page.querySelector("[data-dialog-content]");
  const fresh = page.getElementById("rows");
  if (content) return show(content);
  if (!fresh || new URL(answer.url).pathname !== location.pathname) {
    if (answer.redirected) location.href = answer.url;
    else form.submit();
    return;
  }
  const key = document.activeElement?.closest("[data-key]")?.getAttribute("data-key") ?? last;
  dialog.close();
  document.getElementById("rows")?.replaceWith(fresh);
  document.querySelectorAll(".notice[role=status]").forEach((one) => one.remove());
  const said = page.querySelector(".notice[role=status]");
  if (said) document.querySelector("main")?.append(said);
  link(rows().find((one) => one.dataset.key === key))?.focus();
}

/** @type {string | undefined} */
let last;

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.method !== "post" || !(dialog.contains(form) || form.closest(".board"))) return;
  event.preventDefault();
  send(form, event.submitter);
});

document.addEventListener("click", (event) => {
  const opens = /** @type {Element} */ (event.target).closest("a[data-opens]");
  if (!(opens instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(opens.href);
});

// Another brokerage has other agents: the form is asked for again with what was typed.
document.addEventListener("change", ({ target }) => {
  const field = /** @type {HTMLSelectElement} */ (target);
  const again = field.name === "brokerage_id" && field.form?.querySelector("button[name=again]");
  if (again instanceof HTMLElement && field.form && dialog.contains(field)) send(field.form, again);
});

const STEPS = /** @type {Record<string, string>} */ ({ a: "assign", s: "status", n: "note", t: "task" });

document.addEventListener("aureum:key", (event) => {
  const key = /** @type {string} */ (/** @type {CustomEvent} */ (event).detail.key);
  const all = rows(), at = all.findIndex((one) => one.contains(document.activeElement));
  const step = key === "j" ? 1 : key === "k" ? -1 : 0;
  if (step) link(all[Math.max(0, Math.min(all.length - 1, at + step))])?.focus();
  else if (at < 0) return;
  else if (key === "Enter" && document.activeElement?.matches(".tick input")) link(all[at])?.click();
  else if (STEPS[key]) {
    last = all[at].dataset.key;
    const back = new URL(location.href);
    ["done", "n"].forEach((name) => back.searchParams.delete(name));
    open(`/admin/leads/${last}/${STEPS[key]}?back=${encodeURIComponent(back.pathname + back.search)}`);
  } else return;
  event.preventDefault();
});

/** @type {HTMLElement | null} */
let dragged = null;

document.addEventListener("dragstart", (event) => {
  dragged = /** @type {Element} */ (event.target).closest(".board [data-key]");
  dragged?.classList.add("dragged");
  if (dragged) event.dataTransfer?.setData("text/plain", dragged.dataset.key ?? "");
});
document.addEventListener("dragend", () => dragged?.classList.remove("dragged"));
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const column = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".board [data-status]"));
    const form = dragged?.querySelector("form"), select = form?.querySelector("select");
    if (!column || !form || !select || column.contains(dragged)) return;
    event.preventDefault();
    column.classList.toggle("over", name === "dragover");
    if (name !== "drop") return;
    select.value = column.dataset.status ?? "";
    send(form);
  });
}

// Without script each box is ticked by itself.
const every = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Select all" });
every.addEventListener("click", () => {
  for (const row of rows()) Object.assign(row.querySelector(".tick input") ?? {}, { checked: true });
});
document.querySelector(".bulk p")?.after(every);
