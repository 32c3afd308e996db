// The page renews itself when something has changed. Without this script, or without /events, it is as it was.
(() => {
  if (!window.EventSource || !window.fetch || !window.DOMParser) return;
  let timer = 0, due = Infinity;
  const key = (e) => e.tagName + (e.getAttribute("href") || (e.querySelector(".place") || e).textContent);
  const find = (root, kind, wanted) => [...root.querySelectorAll(kind)].find((e) => key(e) === wanted);
  function replace(old, next) {
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    if (held && held.closest("form")) return; // somebody is typing
    for (const one of old.querySelectorAll("details[open] > summary")) {
      const same = find(next, "summary", key(one));
      if (same) same.parentElement.open = true;
    }
    old.replaceChildren(...next.childNodes);
    const again = held && find(old, held.tagName, key(held));
    if (again) again.focus({ preventScroll: true });
  }
  async function renew() {
    if (document.hidden) return; // when somebody looks again
    timer = 0;
    due = Infinity;
    const answer = await fetch(location.href, { cache: "no-cache" }).catch(() => null);
    if (!answer || !answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = page.title;
    for (const part of [".hero", "#main", "footer"]) {
      const old = document.querySelector(part), next = page.querySelector(part);
      if (old && next) replace(old, next);
    }
  }
  // Not all at once: many may have the page open. What is due sooner goes first.
  const within = (most) => () => {
    const wait = Math.random() * most;
    if (performance.now() + wait >= due) return;
    clearTimeout(timer);
    due = performance.now() + wait;
    timer = setTimeout(renew, wait);
  };
  const events = new EventSource("/events");
  events.addEventListener("change", within(300));
  events.addEventListener("tick", within(9000));
  document.addEventListener("visibilitychange", () => { if (timer && performance.now() > due) renew(); });
})();
