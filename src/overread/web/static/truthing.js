// Watches a report under way, and copies the line that checks one.
const watched = document.querySelector("[data-watch]");

async function watch() {
  try {
    const response = await fetch(`/api/projects/${watched.dataset.watch}/truthing`, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    const { under_way: now } = await response.json();
    if (!now) { location.reload(); return; }
    const part = Object.keys(now.counts).join(", ") || "Begun";
    watched.querySelector(".part").textContent = now.stopping ? "Stopping …" : `${part} …`;
  } catch {
    // the server is away for a moment: look again
  }
  setTimeout(watch, 1000);
}
if (watched) setTimeout(watch, 700);

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
  });
}
