// All reads of a case, laid over it in the readers' colours, with the consensus.
import { isFinding, said } from "./answers.js";

const root = document.querySelector("[data-case]");
const { case: id, rows, columns } = root.dataset;
const picture = root.querySelector(".picture img");
const svg = root.querySelector("svg");
const canvas = root.querySelector("canvas");
const list = root.querySelector(".layers");
const slider = root.querySelector(".frame");
svg.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
svg.setAttribute("preserveAspectRatio", "none");
canvas.width = columns;
canvas.height = rows;

// All of the picture is seen at once, large or small.
function fit() {
  const shape = picture.naturalWidth / picture.naturalHeight || 1;
  picture.parentElement.style.width = `min(100%, max(300px, 100vh - 190px) * ${shape})`;
}
picture.addEventListener("load", fit);
if (picture.complete) fit();

const NS = "http://www.w3.org/2000/svg";
let layers = [];
let frame = Number(slider?.value ?? 0);

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(name, attributes, layer) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.setAttribute("class", `${layer.colour}${layer.again ? " again" : ""}`);
  return made;
}

function drawn(finding, layer) {
  const title = document.createElementNS(NS, "title");
  title.textContent = `${layer.name}: ${finding.class}`;
  let made = null;
  if (finding.x1 !== undefined) {
    made = shape("rect", { x: finding.x1, y: finding.y1, width: finding.x2 - finding.x1, height: finding.y2 - finding.y1 }, layer);
  } else if (finding.points) {
    made = shape("polygon", { points: finding.points.map((at) => at.join(",")).join(" ") }, layer);
  }
  made?.append(title);
  return made;
}

function paint(mask, layer, pixels) {
  const [r, g, b] = getComputedStyle(layer.dot).color.match(/[\d.]+/g).map(Number);
  let at = 0;
  for (const [code, length] of mask.runs) {
    if (code > 0) {
      for (let pixel = at; pixel < at + length; pixel++) {
        const to = 4 * pixel;
        // where readers overlap their colours mix
        const had = pixels[to + 3] ? 1 : 0;
        pixels[to] = (pixels[to] * had + r) / (had + 1);
        pixels[to + 1] = (pixels[to + 1] * had + g) / (had + 1);
        pixels[to + 2] = (pixels[to + 2] * had + b) / (had + 1);
        pixels[to + 3] = 255;
      }
    }
    at += length;
  }
}

function draw() {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const shapes = [];
  // the consensus, first in the list, is drawn last: above all
  for (const layer of layers.filter((each) => each.box.checked).reverse()) {
    for (const value of Object.values(layer.answer)) {
      if (!Array.isArray(value)) continue;
      for (const one of value.filter((each) => isFinding(each) && each.frame === frame)) {
        if (one.runs) paint(one, layer, image.data);
        else shapes.push(drawn(one, layer));
      }
    }
  }
  context.putImageData(image, 0, 0);
  svg.replaceChildren(...shapes.filter(Boolean));
}

function panel(layer, at) {
  layer.dot = el("span", { class: `dot ${layer.colour}` });
  layer.box = el("input", { type: "checkbox" });
  layer.box.checked = layer.shown ?? true;
  layer.box.addEventListener("change", () => { layer.shown = layer.box.checked; draw(); });
  const lines = Object.entries(layer.answer).flatMap(([name, value]) => {
    const beside = layer.beside?.[name];
    return [el("dt", {}, name), el("dd", {}, said(value), ...(beside ? [el("br"), el("small", {}, beside)] : []))];
  });
  for (const [name, words] of layer.notes) lines.push(el("dt", {}, name), el("dd", {}, words));
  const key = el("kbd", {}, String(layer.colour === "consensus" ? 0 : at));
  const legend = el("legend", {}, el("label", { class: "check" }, layer.box, el("span", {}, layer.dot, layer.name)), key);
  return el("fieldset", {}, legend, el("dl", {}, ...lines));
}

function ofRead(read) {
  const notes = [];
  if (read.set_aside) notes.push(["set aside", "after an alarm about the reader; no consensus holds it"]);
  if (read.pre_label) notes.push(["pre-label", read.pre_label === "before" ? "seen before a mark of their own" : "seen after they had marked something"]);
  if (read.flags.cannot_be_read) notes.push(["flag", "cannot be read"]);
  if (read.flags.ask_a_senior) notes.push(["flag", "ask a senior"]);
  if (read.comment) notes.push(["comment", read.comment]);
  notes.push(["took", `${Math.round(read.seconds)} s`], ["protocol", `version ${read.protocol_version}`]);
  return { reader: read.reader, name: read.reader_name, colour: `reader-${((read.colour - 1) % 8) + 1}`, again: read.colour > 8, answer: read.answer, notes };
}

async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  return { ok: response.ok, body: await response.json() };
}

function show() {
  const first = layers[0]?.colour === "consensus" ? 0 : 1;
  list.replaceChildren(...layers.map((layer, at) => panel(layer, at + first)));
  if (!layers.length) list.replaceChildren(el("p", { class: "empty" }, "Nobody has read this case yet."));
  draw();
}

const hardness = (share) => {
  if (share === null) return [];
  const words = share < 0.1 ? "readers agree" : share < 0.3 ? "some doubt" : "hard: readers differ";
  return [["difficulty", `${words} (${Math.round(100 * share)} % of reads are expected to differ)`]];
};

async function load() {
  // The reads are there at once; the consensus may take a moment and comes to the top.
  const waiting = get(`/api/cases/${id}/consensus`);
  const reads = await get(`/api/cases/${id}/reads`);
  layers = reads.ok ? reads.body.reads.map(ofRead) : [];
  show();
  const consensus = await waiting;
  if (!consensus.ok || !Object.keys(consensus.body.answer).length) return;
  const { answer, posterior, readers = {}, difficulty = null, reference = false } = consensus.body;
  for (const layer of layers) layer.beside = readers[layer.reader];
  layers.unshift({ name: reference ? "Reference standard" : "Consensus", colour: "consensus", answer, beside: posterior, notes: hardness(difficulty) });
  show();
}

function to(next) {
  if (!slider || next < 0 || next > Number(slider.max)) return;
  frame = next;
  slider.value = String(next);
  root.querySelector("output").textContent = `${frame + 1} of ${root.dataset.frames}`;
  picture.src = `/api/cases/${id}/pictures/${frame}`;
  for (const beside of [frame - 1, frame + 1]) {
    if (beside >= 0 && beside <= Number(slider.max)) new Image().src = `/api/cases/${id}/pictures/${beside}`;
  }
  draw();
}

function toggle(chosen) {
  if (!chosen.length) return;
  const on = !chosen.every((layer) => layer.box.checked);
  for (const layer of chosen) layer.shown = layer.box.checked = on;
  draw();
}

slider?.addEventListener("input", () => to(Number(slider.value)));
root.querySelector(".picture").addEventListener("wheel", (event) => {
  if (!slider || event.ctrlKey || !event.deltaY) return;
  event.preventDefault();
  to(frame + Math.sign(event.deltaY));
}, { passive: false });

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea")) return;
  const consensus = layers.filter((layer) => layer.colour === "consensus");
  const readers = layers.filter((layer) => layer.colour !== "consensus");
  if (event.key === "ArrowRight") document.querySelector("a[rel=next]")?.click();
  else if (event.key === "ArrowLeft") document.querySelector("a[rel=prev]")?.click();
  else if (event.key === "ArrowDown" && slider) to(frame + 1);
  else if (event.key === "ArrowUp" && slider) to(frame - 1);
  else if (event.key === "0") toggle(consensus);
  else if (/^[1-9]$/.test(event.key)) toggle(readers.slice(Number(event.key) - 1, Number(event.key)));
  else if (event.key.toLowerCase() === "h") toggle(layers);
  else return;
  event.preventDefault();
});
void load();
