// Watches exports under way; the page comes anew when one is ready.
const box = document.querySelector(".exports");

async function watch() {
  const waiting = [...box.querySelectorAll("[data-export]:not([data-done])")];
  if (!waiting.length) return;
  let exports;
  try {
    const response = await fetch(`/api/projects/${box.dataset.project}/exports`, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    ({ exports } = await response.json());
  } catch {
    setTimeout(watch, 3000);
    return;
  }
  for (const row of waiting) {
    const now = exports.find((one) => one.id === row.dataset.export);
    if (!now || now.done) { location.reload(); return; }
    const counts = Object.entries(now.counts).map(([name, count]) => `${count} ${name}`).join(", ");
    row.querySelector(".state").textContent = counts ? `Under way … ${counts}` : "Under way …";
  }
  setTimeout(watch, 700);
}
if (box) void watch();
