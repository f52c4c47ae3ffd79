// @ts-check
// On pages with a history: a slider that shows a lead as it was, ten seconds to undo, and buttons that copy.

const TEN_SECONDS = 10_000;

/** @param {HTMLElement} toast */
function leave(toast) {
  if (toast.matches(":hover, :focus-within")) setTimeout(leave, 1_000, toast);
  else toast.remove();
}

/** @param {string} text */
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without https.
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function ready() {
  for (const button of document.querySelectorAll("[data-copy]")) button.removeAttribute("hidden");
  const travel = /** @type {HTMLElement | null} */ (document.querySelector(".travel"));
  /** @type {[string, string][]} */
  const moments = JSON.parse(travel?.dataset.moments ?? "[]");
  if (!travel || travel.firstChild || moments.length < 2) return;
  const label = document.createElement("label");
  const said = document.createElement("span");
  const then = new URLSearchParams(location.search).get("asOf");
  const at = then ? Math.max(0, moments.findLastIndex(([moment]) => moment <= then)) : moments.length;
  const range = Object.assign(document.createElement("input"), { type: "range", min: "0", max: `${moments.length}`, defaultValue: `${at}` });
  const tell = () => {
    said.textContent = moments[Number(range.value)]?.[1] ?? "now";
    range.setAttribute("aria-valuetext", said.textContent);
  };
  label.append("As of ", said, range);
  travel.append(label);
  travel.hidden = false;
  tell();
  range.addEventListener("input", tell);
  range.addEventListener("change", () => go(moments[Number(range.value)]?.[0]));
}

let asked = 0;

/** @param {string | undefined} moment */
async function go(moment) {
  const mine = ++asked;
  const address = new URL(location.href);
  for (const name of ["done", "undo", "page"]) address.searchParams.delete(name);
  if (moment) address.searchParams.set("asOf", moment);
  else address.searchParams.delete("asOf");
  const answer = await fetch(address);
  if (mine !== asked) return;
  if (!answer.ok) return location.assign(address);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("lead");
  if (mine !== asked || !fresh) return;
  history.replaceState(null, "", address);
  document.getElementById("lead")?.replaceWith(fresh);
  ready();
  document.querySelector(".travel input")?.scrollIntoView({ block: "nearest" });
  /** @type {HTMLElement | null} */ (document.querySelector(".travel input"))?.focus();
}

document.addEventListener("click", async ({ target }) => {
  const button = /** @type {HTMLElement | null} */ (target instanceof Element && target.closest("[data-copy]"));
  if (!button) return;
  await copy(button.dataset.copy ?? "");
  const said = button.lastChild;
  if (said) button.ariaLabel = said.textContent = "Copied";
});
document.addEventListener("aureum:swapped", ready);
/** @type {Record<string, string>} */
const places = { n: "#text", t: "[name=title]", a: "[name=assignedToId]", s: ".step" };
document.addEventListener("aureum:key", (event) => {
  const place = places[/** @type {CustomEvent} */ (event).detail.key];
  const field = /** @type {HTMLElement | null | undefined} */ (place && document.querySelector(`#lead[data-keys] ${place}`));
  field?.focus();
  if (field) event.preventDefault();
});
for (const toast of document.querySelectorAll(".toast:has(.undo)")) setTimeout(leave, TEN_SECONDS, toast);
// A page that is loaded again says no more that it has done something.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  for (const name of ["done", "undo"]) address.searchParams.delete(name);
  history.replaceState(null, "", address);
}
ready();
