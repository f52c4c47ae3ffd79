// @ts-check
// Moves a showing by a drag. What is dropped on an hour sends the form that stands beside the showing, as a user would.

/** @type {HTMLElement | null} */
let dragged = null;

/** @param {Event} event */
const hour = (event) =>
  dragged && event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-start]")) : null;

/** @param {HTMLElement | null} over */
function show(over) {
  for (const old of document.querySelectorAll(".hour.drop")) if (old !== over) old.classList.remove("drop");
  over?.classList.add("drop");
}

document.addEventListener("dragstart", (event) => {
  const showing = event.target instanceof Element && event.target.closest(".showing[draggable]");
  if (!(showing instanceof HTMLElement) || !event.dataTransfer) return;
  dragged = showing;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", showing.querySelector("a")?.href ?? "");
});

document.addEventListener("dragover", (event) => {
  const over = hour(event);
  show(over);
  if (over) event.preventDefault();
});

document.addEventListener("dragend", () => {
  dragged = null;
  show(null);
});

document.addEventListener("drop", (event) => {
  const over = hour(event);
  const form = dragged?.querySelector("form");
  const field = form?.elements.namedItem("startsAt");
  const button = form?.querySelector("button[value=move]");
  if (!over || !form || !(field instanceof HTMLInputElement) || !(button instanceof HTMLElement)) return;
  event.preventDefault();
  // The minutes stay, unless it had no time yet.
  const start = (over.dataset.start ?? "").slice(0, 14) + (field.value.slice(14, 16) || "00");
  if (start === field.value) return;
  field.value = start;
  form.requestSubmit(button);
});
