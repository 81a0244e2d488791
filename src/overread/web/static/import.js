// Watches an import; and lets a whole folder be chosen.
const box = document.querySelector(".jobs");
const folder = document.querySelector(".folder");
const files = document.querySelector("input[type=file]");
folder?.addEventListener("change", () => { files.webkitdirectory = folder.checked; files.value = ""; });

const words = ({ counts, done, error, stopping }) => {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
  const state = error ?? (done ? "Done." : stopping ? "Stopping …" : "Under way …");
  return parts ? `${state} ${parts}` : state;
};

async function watch() {
  let response;
  try {
    response = await fetch(`/api/projects/${box.dataset.project}/imports`, { headers: { Accept: "application/json" } });
  } catch {
    return setTimeout(watch, 3000);
  }
  if (!response.ok) return undefined;
  const [job] = (await response.json()).imports;
  if (!job) return undefined;
  box.hidden = false;
  box.querySelector(".state").textContent = words(job);
  const bar = box.querySelector("progress");
  const total = job.counts["cases found"];
  if (job.done) { bar.max = 1; bar.value = 1; } else if (total) {
    bar.max = total;
    bar.value = total - (job.counts.left ?? 0);
  }
  box.querySelector("form").hidden = job.done;
  box.querySelector(".after").hidden = !job.done;
  return job.done ? undefined : setTimeout(watch, 1000);
}
if (box) void watch();
