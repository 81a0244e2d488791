// Watches an import, lets a whole folder be chosen, and tells how many patients a table or a pattern makes.
const box = document.querySelector(".jobs");
const folder = document.querySelector(".folder");
const files = document.querySelector("input[name=files]");
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

// The images stay here: their names go, with the table, and numbers come back.
const told = ({ error, counts }) => {
  if (error) return error;
  if (counts["patients stated"] === undefined) return "No table and no pattern: each image counts as a patient of its own.";
  const [patients, largest, without, idle] = ["patients stated", "files of the largest", "files without a patient", "rows without a file"].map((one) => counts[one] ?? 0);
  const rest = [without && `${without} without a patient (DICOM files need none)`, idle && `${idle} rows of the table that name no file`].filter(Boolean);
  return [`${patients} ${patients === 1 ? "patient" : "patients"}, the largest with ${largest} ${largest === 1 ? "file" : "files"}`, ...rest].join("; ") + ".";
};

for (const form of document.querySelectorAll("form[data-preview]")) {
  const found = form.querySelector(".found");
  let last = 0;
  const look = async () => {
    const mine = ++last;
    const chosen = [...(form.querySelector("[name=files]")?.files ?? [])];
    const table = form.querySelector("[name=patients]")?.files[0]
      ?? chosen.find(({ name }) => /^(patients|groups|videos)\.(csv|tsv|txt)$/i.test(name));
    const folder = form.querySelector("[name=folder]")?.value;
    const pattern = form.querySelector("[name=pattern]").value.trim();
    found.classList.remove("warn");
    if (folder === undefined && (chosen.length === 0 || (!table && !pattern))) {
      found.textContent = chosen.length === 0 && (table || pattern) ? "Choose the images to see how many patients there are." : "";
      return;
    }
    const body = new FormData();
    body.set("csrf", form.querySelector("[name=csrf]").value);
    body.set("pattern", pattern);
    if (folder !== undefined) body.set("folder", folder);
    else {
      const names = chosen.filter((one) => one !== table).map((one) => one.webkitRelativePath || one.name);
      body.set("names", new Blob([JSON.stringify(names)], { type: "application/json" }), "names");
      if (table) body.set("patients", table);
    }
    let words = "It could not be looked at; the import will tell.";
    let wrong = true;
    try {
      const response = await fetch(form.dataset.preview, { method: "POST", body });
      if (response.ok) {
        const answer = await response.json();
        wrong = Boolean(answer.error);
        words = told(answer);
      }
    } catch { /* as above */ }
    if (mine !== last) return;
    found.textContent = words;
    found.classList.toggle("warn", wrong);
  };
  form.addEventListener("change", look);
  form.querySelector("[name=pattern]").addEventListener("input", () => { clearTimeout(form.later); form.later = setTimeout(look, 300); });
}
