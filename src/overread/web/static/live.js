// Keeps a page as it is now while reading goes on: its part marked data-live comes anew when it changed.
const PAUSE = 8000;

function busy(part) {
  const at = document.activeElement;
  return document.hidden || (at && at !== document.body && part.contains(at) && at.matches("input, select, textarea"));
}

async function look() {
  const part = document.querySelector("[data-live]");
  if (part && !busy(part)) {
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (response.ok && !response.redirected) {
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-live]");
        if (fresh && !busy(part) && fresh.innerHTML !== part.innerHTML) {
          const open = [...part.querySelectorAll("details")].map((one) => one.open);
          part.replaceWith(fresh);
          fresh.querySelectorAll("details").forEach((one, at) => { one.open = open[at] ?? false; });
          fresh.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
        }
      }
    } catch {
      // the server is away for a moment: look again
    }
  }
  setTimeout(look, PAUSE);
}
setTimeout(look, PAUSE);
