// Watches the rules at work; the page comes anew when they are done.
const watched = document.querySelector("[data-watch]");

async function watch() {
  try {
    const response = await fetch(`/api/projects/${watched.dataset.watch}/label-rules`, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    const { under_way: now } = await response.json();
    if (!now) { location.reload(); return; }
    const counts = Object.entries(now.counts).map(([name, count]) => `${count} ${name}`).join(", ") || "Begun";
    watched.querySelector(".part").textContent = now.stopping ? "Stopping …" : `${counts} …`;
  } catch {
    // the server is away for a moment: look again
  }
  setTimeout(watch, 1000);
}
if (watched) setTimeout(watch, 700);
