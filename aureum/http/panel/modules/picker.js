// @ts-check
// Suggests names in a field that is picked by its name (picking.py). panel.js loads it with the first focus.

let lists = 0;

/** @param {HTMLInputElement} input */
export function suggest(input) {
  const field = /** @type {HTMLElement} */ (input.closest("[data-pick]"));
  if (field.dataset.ready) return;
  field.dataset.ready = "yes";
  const id = `names-${++lists}`;
  const list = Object.assign(document.createElement("ul"), { id, hidden: true, role: "listbox", ariaLabel: "Suggestions" });
  input.parentElement?.after(list);
  Object.assign(input, { role: "combobox", ariaAutoComplete: "list", ariaExpanded: "false" });
  input.setAttribute("aria-controls", id);
  const options = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[data-id]")]);
  let timer = 0, asked = 0, place = -1;

  /** @param {number} to */
  function mark(to) {
    place = to;
    options().forEach((option, at) => { option.ariaSelected = String(at === to); });
    input.setAttribute("aria-activedescendant", options()[to]?.id ?? "");
    options()[to]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {boolean} open */
  function show(open) {
    list.hidden = !open;
    input.ariaExpanded = String(open);
    mark(-1);
  }

  async function ask() {
    const mine = ++asked;
    const answer = await fetch("/admin/pick?" + new URLSearchParams({ kind: field.dataset.pick ?? "", q: input.value }));
    if (!answer.ok || answer.redirected) return;
    const html = await answer.text();
    if (mine !== asked) return;
    list.innerHTML = html;
    options().forEach((option, at) => { option.id = `${id}-${at}`; });
    show(true);
  }

  function close() {
    clearTimeout(timer);
    asked++;
    show(false);
  }

  /** @param {HTMLElement} option */
  function take({ dataset: { id = "", name = "" } }) {
    const [of, last] = /** @type {NodeListOf<HTMLInputElement>} */ (field.querySelectorAll("input[type=hidden]"));
    const kept = last ?? Object.assign(document.createElement("input"), { type: "hidden", name: input.name.slice(0, -6) });
    field.querySelector("fieldset")?.replaceWith(kept);
    input.value = of.value = name;
    kept.value = id;
    close();
    field.dispatchEvent(new CustomEvent("aureum:picked", { bubbles: true, detail: { id, name } }));
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => {
    const option = options().find((one) => one.contains(/** @type {Node} */ (target)));
    if (option) take(option);
  });
  input.addEventListener("keydown", (event) => {
    const { length } = options(), step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && list.hidden) ask();
    else if (step) mark(place < 0 && step < 0 ? length - 1 : (place + step + length) % length);
    else if (event.key === "Enter" && place >= 0) take(options()[place]);
    else if (event.key === "Escape" && !list.hidden) close();
    else return;
    event.preventDefault();
  });
  if (input.value !== input.defaultValue) ask();
}
