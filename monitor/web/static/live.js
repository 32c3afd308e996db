// The page renews itself when something has changed. Without this script, or without /events, it is as it was.
(() => {
  if (!window.EventSource || !window.fetch || !window.DOMParser) return;
  let timer = 0;
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
    timer = 0;
    const answer = await fetch(location.href, { cache: "no-cache" }).catch(() => null);
    if (!answer || !answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = page.title;
    for (const part of [".hero", "#main", "footer"]) {
      const old = document.querySelector(part), next = page.querySelector(part);
      if (old && next) replace(old, next);
    }
  }
  // Not all at once: many may have the page open.
  const within = (most) => () => { timer ||= setTimeout(renew, Math.random() * most); };
  const events = new EventSource("/events");
  events.addEventListener("change", within(300));
  events.addEventListener("tick", within(9000));
})();
