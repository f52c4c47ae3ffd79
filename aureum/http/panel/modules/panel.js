// @ts-check
// Loaded by every page. Each task can be done without it; it makes some of them quicker.
import "./keys.js";
import "./live.js";

document.addEventListener("focusin", async ({ target }) => {
  if (target instanceof HTMLInputElement && "words" in target.dataset) (await import("./picker.js")).suggest(target);
});
