// @ts-check
// How much of the documents has been read: a page counts once its end was on the screen. Kept for this tab, by the
// address of the envelope, so that it spans the parts of long documents. To go on with pages that were not reached, a
// reader presses twice: a screen reader may read a page without moving the screen.

const told = /** @type {HTMLElement | null} */ (document.querySelector("[data-read]"));
const bar = told?.querySelector("progress"), words = told?.querySelector("output");
const pages = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-page]")]);
const key = `read ${told?.dataset.read}`;
const read = new Set(/** @type {string[]} */ (JSON.parse(sessionStorage.getItem(key) ?? "[]")));
let warned = false;

/** @param {string} text @param {Record<string, string | number>} values */
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

function tell() {
  if (!told || !bar || !words) return;
  bar.value = read.size;
  words.textContent = filled(told.dataset.text ?? "", { read: read.size, all: bar.max });
}

if (told && bar && words) {
  const watch = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen)
      if (isIntersecting && target.parentElement?.dataset.page) read.add(target.parentElement.dataset.page);
    sessionStorage.setItem(key, JSON.stringify([...read]));
    tell();
  });
  for (const page of pages) {
    const end = page.querySelector("[data-end]");
    if (end) watch.observe(end);
  }
  told.hidden = false;
  tell();

  document.querySelector("[data-continue]")?.addEventListener("click", (event) => {
    const missed = pages.find((page) => !read.has(page.dataset.page ?? ""));
    if (!missed || warned) return;
    event.preventDefault();
    warned = true;
    const warning = /** @type {HTMLElement | null} */ (document.querySelector("[data-missed]"));
    if (!warning) return;
    warning.hidden = false;
    warning.focus();
    missed.scrollIntoView();
  });
}
