// One case under adjudication: reads A, B, C over the picture, one of them taken, or the case sent back.
import { isFinding, said } from "./answers.js";
import { draw } from "./drawing.js";

const root = document.querySelector("[data-case]");
const { project, case: id, rows, columns, next, csrf } = root.dataset;
const home = `/projects/${project}/adjudication`;
const picture = root.querySelector(".picture img");
const overlays = root.querySelector(".overlays");
const list = root.querySelector(".layers");
const slider = root.querySelector(".frame");
const problem = root.querySelector(".problem");
const reason = root.querySelector("[name=reason]");
const question = root.querySelector("[name=question]");
const back = root.querySelector(".back");
const anew = root.querySelector(".anew");
const began = performance.now();
const NS = "http://www.w3.org/2000/svg";
let adjudication = null;
let layers = [];
let frame = Number(slider?.value ?? 0);
let sending = false;

// All of the picture is seen at once, large or small.
function fit() {
  const shape = picture.naturalWidth / picture.naturalHeight || 1;
  picture.parentElement.style.width = `min(100%, max(300px, 100vh - 190px) * ${shape})`;
}
picture.addEventListener("load", fit);
if (picture.complete) fit();

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

async function ask(method, path, body) {
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": csrf };
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { name = "The server", rule = "answer", remedy } = answer.error ?? {};
  throw new Error(`${name} ${/^(is|was|has) /.test(rule) ? "" : "must "}${rule}. ${remedy ?? ""}`);
}

function tell(error) {
  problem.textContent = error ? String(error.message ?? error) : "";
  problem.hidden = !error;
}

function drawAll() {
  for (const layer of layers) {
    const here = {};
    for (const [name, value] of Object.entries(layer.answer)) {
      if (Array.isArray(value)) here[name] = value.filter((one) => isFinding(one) && one.frame === frame);
    }
    const colour = getComputedStyle(layer.dot).color;
    draw(layer.svg, here, () => colour);
    layer.svg.style.display = layer.box.checked ? "" : "none";
    layer.svg.classList.toggle("taken", layer.radio.checked);
  }
}

function card(read, at) {
  const layer = { ...read };
  layer.dot = el("span", { class: `dot reader-${(at % 8) + 1}` });
  layer.radio = el("input", { type: "radio", name: "pick", value: read.letter });
  layer.box = el("input", { type: "checkbox", "aria-label": `Show the drawings of Reader ${read.letter}` });
  layer.box.checked = true;
  layer.radio.addEventListener("change", () => pick(at));
  layer.box.addEventListener("change", drawAll);
  layer.svg = document.createElementNS(NS, "svg");
  layer.svg.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
  layer.svg.setAttribute("preserveAspectRatio", "none");
  layer.svg.setAttribute("class", `reader-${(at % 8) + 1}`);
  overlays.append(layer.svg);
  const lines = Object.entries(read.answer).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, said(value))]);
  if (read.flags.cannot_be_read) lines.push(el("dt", {}, "flag"), el("dd", {}, "cannot be read"));
  if (read.flags.ask_a_senior) lines.push(el("dt", {}, "flag"), el("dd", {}, "ask a senior"));
  if (read.comment) lines.push(el("dt", {}, "comment"), el("dd", {}, read.comment));
  const label = el("label", { class: "check" }, layer.radio, el("span", {}, layer.dot, `Reader ${read.letter}`));
  layer.card = el("fieldset", {}, el("legend", {}, label, layer.box, el("kbd", {}, String(at + 1))), el("dl", {}, ...lines));
  return layer;
}

function pick(at) {
  const chosen = layers[at];
  if (!chosen) return;
  chosen.radio.checked = true;
  chosen.box.checked = true;
  for (const layer of layers) layer.card.classList.toggle("taken", layer === chosen);
  anew.href = `/read/${project}?adjudication=${adjudication.id}&from=${chosen.letter}`;
  drawAll();
}

const picked = () => layers.find((layer) => layer.radio.checked);
const seconds = () => (performance.now() - began) / 1000;

async function leave(done, send) {
  if (sending || !adjudication) return;
  sending = true;
  tell(null);
  try {
    await send();
    location.assign(next ? `${home}/${next}` : `${home}?done=${done}`);
  } catch (error) {
    tell(error);
    sending = false;
  }
}

function decide() {
  const chosen = picked();
  if (!chosen) return tell("Take one of the reads with its digit, or answer anew.");
  if (!reason.value.trim()) {
    tell("Say in a word why.");
    return reason.focus();
  }
  void leave("decided", () => ask("POST", `/api/adjudications/${adjudication.id}/decide`,
    { pick: chosen.letter, reason: reason.value, seconds: seconds() }));
}

function sendBack() {
  if (!question.value.trim()) return question.focus();
  void leave("sent", () => ask("POST", `/api/adjudications/${adjudication.id}/send-back`,
    { question: question.value, seconds: seconds() }));
}

async function load() {
  try {
    adjudication = await ask("POST", `/api/projects/${project}/adjudications`, { case: id });
  } catch (error) {
    list.replaceChildren();
    return tell(error);
  }
  root.querySelector(".why").replaceChildren(
    ...adjudication.why.map((words) => el("p", { class: "said" }, words)),
    ...adjudication.asked.map((words) => el("p", { class: "faint" }, `Asked before: ${words}`)));
  back.hidden = !adjudication.returnable;
  layers = adjudication.reads.map(card);
  list.replaceChildren(...layers.map((layer) => layer.card));
  anew.href = `/read/${project}?adjudication=${adjudication.id}`;
  drawAll();
  if (next) {
    const middle = Number(root.dataset.frames) === 1 ? 0 : null; // a series knows its middle itself
    if (middle !== null) new Image().src = `/api/cases/${next}/pictures/${middle}`;
  }
}

function to(other) {
  if (!slider || other < 0 || other > Number(slider.max)) return;
  frame = other;
  slider.value = String(other);
  root.querySelector("output").textContent = `${frame + 1} of ${root.dataset.frames}`;
  picture.src = `/api/cases/${id}/pictures/${frame}`;
  drawAll();
}

function hideAll() {
  const on = !layers.some((layer) => layer.box.checked);
  for (const layer of layers) layer.box.checked = on;
  drawAll();
}

reason.addEventListener("input", () => tell(null));
slider?.addEventListener("input", () => to(Number(slider.value)));
root.querySelector(".picture").addEventListener("wheel", (event) => {
  if (!slider || event.ctrlKey || !event.deltaY) return;
  event.preventDefault();
  to(frame + Math.sign(event.deltaY));
}, { passive: false });
root.querySelector(".decision").addEventListener("submit", (event) => { event.preventDefault(); decide(); });
back.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); sendBack(); });

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return document.activeElement?.blur();
  const text = event.target.closest("textarea, select");
  if (event.key === "Enter" && !event.shiftKey && !event.target.closest("button, a, summary")) {
    event.preventDefault();
    return text === question ? sendBack() : decide();
  }
  if (text) return;
  const key = event.key.toLowerCase();
  if (/^[1-9]$/.test(key)) {
    pick(Number(key) - 1);
    document.activeElement?.blur();
  } else if (key === "n") anew.click();
  else if (key === "s" && !back.hidden) {
    back.open = true;
    question.focus();
  } else if (key === "h") hideAll();
  else if (key === "arrowright") document.querySelector("a[rel=next]")?.click();
  else if (key === "arrowdown" && slider) to(frame + 1);
  else if (key === "arrowup" && slider) to(frame - 1);
  else return;
  event.preventDefault();
});
void load();
