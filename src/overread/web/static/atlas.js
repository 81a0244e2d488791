// The atlas: drawings over the pictures, and a new picture with a drawing made by hand.
import { draw, overlay } from "./drawing.js";

for (const frame of document.querySelectorAll(".drawn[data-drawing]")) {
  const { drawing, rows, columns } = frame.dataset;
  draw(overlay(frame, columns, rows), JSON.parse(drawing), () => "#9aa8ff");
}

const form = document.querySelector("form.add");
const [file, about, stage, hidden] = ["[name=image]", "[name=about]", ".canvas", "[name=drawing]"].map((name) => form.querySelector(name));
const frame = stage.querySelector(".drawn");
const image = frame.querySelector("img");
const how = stage.querySelector(".how");
const LARGEST = 1200; // as the server keeps it
let size = null;
let svg = null;
let drawing = {};
let line = null;

const chosen = () => about.selectedOptions[0].dataset;
const WORDS = {
  box: "Drag on the picture to draw a box.",
  instance: "Drag round a finding to outline it.",
  mask: "Drag round an area to paint it.",
  "": "This question has no drawings; the picture alone is shown.",
};
const colour = (name) => [...about.options].find((one) => one.dataset.class === name)?.dataset.colour ?? chosen().colour ?? "#9aa8ff";

function say() {
  const { kind = "", class: name } = chosen();
  how.textContent = kind && !name ? "Choose a class above to draw it." : WORDS[kind];
  for (const key of Object.keys(drawing)) if (key !== chosen().question) delete drawing[key];
  show();
}

function show(extra = null) {
  if (!svg) return;
  const { question } = chosen();
  const all = { ...drawing };
  if (extra && question) all[question] = [...(all[question] ?? []), extra];
  draw(svg, all, colour);
  hidden.value = Object.values(drawing).some((found) => found.length) ? JSON.stringify(drawing) : "";
}

function opened() {
  const scale = Math.min(1, LARGEST / Math.max(image.naturalWidth, image.naturalHeight));
  size = { columns: Math.round(image.naturalWidth * scale), rows: Math.round(image.naturalHeight * scale) };
  svg = overlay(frame, size.columns, size.rows);
  drawing = {};
  stage.hidden = false;
  say();
}

file?.addEventListener("change", () => {
  stage.hidden = true;
  svg = null;
  hidden.value = "";
  drawing = {};
  if (file.files[0]) image.src = URL.createObjectURL(file.files[0]);
});
image.addEventListener("load", opened);
image.addEventListener("error", () => { stage.hidden = true; }); // DICOM: the server decodes it, without a drawing
about.addEventListener("change", say);
stage.querySelector(".undo").addEventListener("click", () => { drawing[chosen().question]?.pop(); show(); });
if (stage.dataset.from) image.src = stage.dataset.from;

function at(event) {
  const box = frame.getBoundingClientRect();
  const clamp = (value, most) => Math.min(most, Math.max(0, value));
  return [
    clamp(((event.clientX - box.left) / box.width) * size.columns, size.columns),
    clamp(((event.clientY - box.top) / box.height) * size.rows, size.rows),
  ].map((value) => Math.round(value * 10) / 10);
}

/** The finding that a drag makes; null while it is too small to be one. */
function found(points) {
  const { kind, class: name, code } = chosen();
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const box = { x1: Math.min(...xs), y1: Math.min(...ys), x2: Math.max(...xs), y2: Math.max(...ys) };
  if (box.x2 - box.x1 < 2 || box.y2 - box.y1 < 2) return null;
  const base = { id: crypto.randomUUID?.() ?? `d${Date.now()}`, class: name, frame: 0 };
  if (kind === "box") {
    const [first, last] = [points[0], points.at(-1)];
    const [x1, x2] = [first[0], last[0]].sort((a, b) => a - b);
    const [y1, y2] = [first[1], last[1]].sort((a, b) => a - b);
    return x2 - x1 < 2 || y2 - y1 < 2 ? null : { ...base, x1, y1, x2, y2 };
  }
  if (points.length < 3) return null;
  return kind === "instance" ? { ...base, points: thinned(points) } : painted(points, Number(code));
}

function thinned(points) {
  const kept = points.filter(([x, y], k) => k === 0 || Math.hypot(x - points[k - 1][0], y - points[k - 1][1]) > 1.5);
  const step = Math.max(1, Math.ceil(kept.length / 200));
  return kept.filter((_, k) => k % step === 0);
}

/** An area as run-lengths over the whole picture, put upon what is painted already. */
function painted(points, code) {
  const canvas = new OffscreenCanvas(size.columns, size.rows);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.fill();
  const alpha = context.getImageData(0, 0, size.columns, size.rows).data;
  const codes = new Uint8Array(size.columns * size.rows);
  let to = 0;
  for (const [was, length] of drawing[chosen().question]?.[0]?.runs ?? []) { codes.fill(was, to, to + length); to += length; }
  for (let pixel = 0; pixel < codes.length; pixel++) if (alpha[4 * pixel + 3] > 127) codes[pixel] = code;
  const runs = [];
  for (const one of codes) if (runs.length && runs.at(-1)[0] === one) runs.at(-1)[1]++; else runs.push([one, 1]);
  return { frame: 0, rows: size.rows, columns: size.columns, runs };
}

frame.addEventListener("pointerdown", (event) => {
  if (!svg || !chosen().kind || !chosen().class) return;
  event.preventDefault();
  frame.setPointerCapture(event.pointerId);
  line = [at(event)];
});
frame.addEventListener("pointermove", (event) => {
  if (!line) return;
  line.push(at(event));
  const { kind, class: name } = chosen();
  show(kind === "box" ? found(line) : { class: name, points: line });
});
frame.addEventListener("pointerup", () => {
  const made = line && found(line);
  line = null;
  const { question, kind } = chosen();
  if (made) drawing[question] = kind === "mask" ? [made] : [...(drawing[question] ?? []), made];
  show();
});
