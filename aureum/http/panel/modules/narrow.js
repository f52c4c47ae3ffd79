// @ts-check
// Narrows a list while words are typed into its search: asks for the same page, and shows its rows and chips.

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[role=search]"));
let timer = 0, asked = 0;

form?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const mine = ++asked, filled = [...new FormData(form)].filter(([, value]) => value);
    const address = `${form.action}?${new URLSearchParams(/** @type {string[][]} */ (filled))}`;
    const answer = await fetch(address);
    if (!answer.ok || answer.redirected || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("#rows, .chips")) {
      const other = page.querySelector(part.id ? `#${part.id}` : ".chips");
      if (other) part.replaceWith(other);
    }
    history.replaceState(null, "", address);
  }, 200);
});
