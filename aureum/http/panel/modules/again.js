// @ts-check
// What shows work that goes on (data-again, with an id) is asked for again every two seconds, until the work has ended.

const PAUSE = 2000;

async function again() {
  const old = document.querySelector("[data-again][id]");
  if (!old) return;
  const answer = document.hidden ? null : await fetch(location.href).catch(() => null);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page && page.getElementById(old.id);
  if (fresh) old.replaceWith(fresh);
  setTimeout(again, PAUSE);
}

setTimeout(again, PAUSE);
