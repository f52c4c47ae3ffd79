// @ts-check
// Regions of a page (data-live="leads tasks", with an id) follow what changes in the brokerage. One tab of a browser has
// the stream and tells the others. Each tab asks for its page again, and takes its regions out of it.

const { brokerage, position } = document.documentElement.dataset;
const name = `aureum-live-${brokerage}`;
const channel = new BroadcastChannel(name);
let seen = Number(position);
let timer = 0;
let last = 0;
let leaving = 0;
/** @type {Set<string>} */
const due = new Set();
const voice = document.createElement("p");
voice.className = "hidden";
voice.ariaLive = "polite";
document.body.append(voice);

/** @type {(of: ParentNode, selector: string) => any[]} */
const all = (of, selector) => [...of.querySelectorAll(selector)];
const regions = () => all(document, "[data-live][id]");
/** @type {(region: HTMLElement) => string[]} */
const names = (region) => (region.dataset.live ?? "").split(" ");

// Without resources anything may have changed.
/** @param {{position: number, resources?: string[]}} change */
function heard({ position, resources = regions().flatMap(names) }) {
  if (position <= seen) return;
  seen = position;
  if (!resources.length) return;
  document.dispatchEvent(new CustomEvent("aureum:changed", { detail: { resources } }));
  resources.forEach((one) => due.add(one));
  plan();
}

function plan() {
  if (!timer && due.size && !document.hidden) timer = setTimeout(run, Math.max(100, last + 500 - Date.now(), leaving - Date.now()));
}

// A user types there, has changed a field, or has something open.
/** @param {Element} region */
const busy = (region) =>
  region.querySelector("dialog[open], :popover-open, :is(input:not([type=checkbox]), textarea, select):focus") ||
  all(region, "input, textarea").some((one) => one.value !== one.defaultValue);

async function run() {
  if (Date.now() < leaving) {
    timer = 0;
    plan();
    return;
  }
  last = Date.now();
  const wanted = regions().filter((one) => names(one).some((name) => due.has(name)));
  due.clear();
  const answer = !wanted.every(busy) && (await fetch(location.href).catch(() => null));
  const page = answer && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  timer = 0;
  plan();
  for (const old of wanted) {
    const fresh = page && page.getElementById(old.id);
    if (fresh && !busy(old)) swap(old, fresh);
    else names(old).forEach((one) => due.add(one));
  }
}

/** @type {(old: HTMLElement, fresh: HTMLElement) => void} */
function swap(old, fresh) {
  const focus = old.contains(document.activeElement) && place(document.activeElement);
  for (const one of all(old, "input:checked, details[open]")) {
    Object.assign(fresh.querySelector(place(one)) ?? {}, { checked: true, open: true });
  }
  const keys = all(old, "[data-key]").map((row) => row.dataset.key);
  const more = all(fresh, "[data-key]").filter((row) => !keys.includes(row.dataset.key)).length;
  old.replaceWith(fresh);
  if (focus) all(fresh, focus)[0]?.focus({ preventScroll: true });
  if (more && fresh.dataset.news) voice.textContent = `${more} new ${fresh.dataset.news}${more > 1 ? "s" : ""}`;
  fresh.dispatchEvent(new CustomEvent("aureum:swapped", { bubbles: true }));
}

// A selector of the same element in another version of the page.
/** @type {(of: Element | null | undefined) => string} */
function place(of) {
  if (!of || of.id) return of ? `#${CSS.escape(of.id)}` : "body";
  const said = ["href", "action", "value"].find((one) => of.getAttribute(one));
  if (said) return `${of.localName}[${said}=${CSS.escape(of.getAttribute(said) ?? "")}]`;
  return `${place(of.parentElement?.closest("form, [id]"))} ${of.localName}`;
}

function connect() {
  const source = new EventSource(`/admin/live?of=${brokerage}&since=${seen || ""}`);
  source.addEventListener("changed", ({ data, lastEventId }) => {
    const change = { position: Number(lastEventId), ...JSON.parse(data) };
    heard(change);
    channel.postMessage(change);
  });
  // A connection that is lost it opens again by itself, after a refusal it does not.
  source.onerror = () => source.readyState > 1 && setTimeout(connect, 10_000 * (1 + Math.random()));
}

if (brokerage) {
  channel.onmessage = ({ data }) => {
    if (data.position) heard(data);
    else if (seen > data.asked) channel.postMessage({ position: seen });
  };
  channel.postMessage({ asked: seen });
  // The page goes when the answer comes. To ask for it meanwhile is useless, and refused if the form gave its lead away.
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const stays = (event.submitter?.getAttribute("formmethod") ?? form.method) === "dialog";
    setTimeout(() => (leaving = stays || event.defaultPrevented ? 0 : Date.now() + 10_000));
  });
  for (const one of ["visibilitychange", "focusout", "close"]) document.addEventListener(one, () => setTimeout(plan), true);
  // Without https there are no locks: each tab has a stream of its own.
  if (navigator.locks) navigator.locks.request(name, () => new Promise(connect));
  else connect();
}
