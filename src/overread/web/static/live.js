// Keeps a page as the server sees it now: parts marked data-live come anew while reading goes on.
// Nothing moves under who reads it: the place on the page, what is open, and where the focus is stay.
const EVERY = 4000;
const FEWEST = 1000;
const was = new WeakMap();
let waits = EVERY;

const parts = (root) => [...root.querySelectorAll("[data-live]")];
const key = (node, at) => node.querySelector(":scope > summary")?.textContent.trim() ?? String(at);
const place = (details) => `${details.closest("section[aria-label]")?.getAttribute("aria-label") ?? ""}|${key(details, 0)}`;

function swap(now, fresh) {
  const open = new Set([...now.querySelectorAll("details[open]")].map(place));
  const focus = now.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  now.replaceChildren(...fresh.childNodes);
  for (const one of now.querySelectorAll("details")) if (open.has(place(one))) one.open = true;
  if (focus) [...now.querySelectorAll("a[href]")].find((one) => one.getAttribute("href") === focus)?.focus({ preventScroll: true });
}

// A part in which somebody types is left alone.
const busy = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");

async function look() {
  if (document.hidden) return;
  const began = performance.now();
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  // never more than a tenth of the time is spent on it
  waits = Math.max(EVERY, 10 * (performance.now() - began));
  const other = parts(fresh);
  for (const [at, part] of parts(document).entries()) renew(part, other[at]);
}

function renew(part, other) {
  if (!other || busy(part)) return;
  const text = other.innerHTML; // as the server wrote it: what scripts did to it since is no change
  const same = (was.get(part) ?? part.innerHTML) === text;
  was.set(part, text);
  if (same) return;
  swap(part, other);
  part.className = other.className;
  part.dataset.live = other.dataset.live;
  part.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
}

async function go() {
  await look().catch(() => undefined); // away for a while: asked again
  setTimeout(go, waits);
}
setTimeout(go, EVERY);
document.addEventListener("visibilitychange", () => { if (!document.hidden) setTimeout(() => void look().catch(() => undefined), FEWEST); });
