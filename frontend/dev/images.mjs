// Synthetic cases for development and tests. Deterministic; nothing here is shipped.
import { gzipSync } from "node:zlib";

function random(seed) {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

const base = (id, form) => ({
  id, rows: 1, columns: 1, frames: 1, samples: 1, dtype: "uint8", slope: 1, intercept: 0,
  spacing_mm: null, slice_mm: null, windows: [], modality: "OT", invert: false,
  frame_time_ms: null, ...form,
});

/** A chest-like radiograph: two dark lungs in a bright body, ribs, noise. */
function radiograph(id, seed, rows, columns, form = {}) {
  const next = random(seed);
  const shift = (next() - 0.5) * 0.08;
  const make = () => {
    const out = new Uint16Array(rows * columns);
    const across = (f) => Float32Array.from({ length: columns }, (_, x) => f(x / columns + shift));
    const down = (f) => Float32Array.from({ length: rows }, (_, y) => f(y / rows));
    const lungs = [0.3, 0.7].map((cx) => across((u) => Math.exp(-(((u - cx) / 0.13) ** 2))));
    const lungRow = down((v) => Math.exp(-(((v - 0.45) / 0.26) ** 4)));
    const body = across((u) => Math.exp(-(((u - 0.5) / 0.36) ** 6)));
    const bodyRow = down((v) => Math.exp(-(((v - 0.5) / 0.46) ** 12)));
    const heart = across((u) => 0.35 * Math.exp(-(((u - 0.55) / 0.12) ** 2)));
    const heartRow = down((v) => Math.exp(-(((v - 0.62) / 0.13) ** 2)));
    for (let y = 0; y < rows; y++) {
      const v = y / rows;
      for (let x = 0; x < columns; x++) {
        const lung = (lungs[0][x] + lungs[1][x]) * lungRow[y];
        const ribs = 0.07 * Math.sin(v * 60 + Math.abs(x / columns - 0.5) * 14) * lung;
        const value = body[x] * bodyRow[y] * (0.75 - 0.55 * lung + heart[x] * heartRow[y]);
        out[y * columns + x] = Math.max(0, Math.min(4095, (value + ribs + 0.03 * next()) * 3600));
      }
    }
    return out;
  };
  return [base(id, { rows, columns, dtype: "uint16", modality: "CR", spacing_mm: [0.168, 0.168],
    windows: [{ center: 1700, width: 3000, name: "Default", function: "LINEAR" }], ...form }), [make]];
}

/** A series of round slices in Hounsfield units. */
function series(id, seed, frames, size = 256) {
  const make = (z) => () => {
    const next = random(seed + z);
    const out = new Int16Array(size * size);
    for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
      const [u, v] = [(x - size / 2) / size, (y - size / 2) / size];
      const r = Math.hypot(u, v * 1.25);
      const lung = Math.hypot(Math.abs(u) - 0.17, v) < 0.13 + 0.02 * Math.sin(z / 3);
      const bone = Math.hypot(u, v - 0.26) < 0.05;
      const tissue = r > 0.44 ? -1000 : bone ? 700 : lung ? -820 : 40;
      out[y * size + x] = tissue + (next() - 0.5) * 50;
    }
    return out;
  };
  return [base(id, { rows: size, columns: size, frames, dtype: "int16", modality: "CT",
    spacing_mm: [0.7, 0.7], slice_mm: 2.5,
    windows: [{ center: 40, width: 400, name: "", function: "LINEAR" }] }),
  Array.from({ length: frames }, (_, z) => make(z))];
}

/** A colour ultrasound clip: a fan that breathes. */
function clip(id, seed, frames, rows = 300, columns = 400) {
  const make = (t) => () => {
    const next = random(seed + t);
    const out = new Uint8Array(rows * columns * 3);
    for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
      const angle = Math.atan2(x - columns / 2, y + 20);
      const depth = Math.hypot(x - columns / 2, y + 20);
      const inside = Math.abs(angle) < 0.6 && depth < 290;
      const wall = Math.abs(depth - 170 - 15 * Math.sin(t / 3)) < 12 ? 130 : 0;
      const grey = inside ? 25 + 45 * next() + wall : 0;
      const at = (y * columns + x) * 3;
      const flow = inside && Math.hypot(x - 200, y - 190) < 22;
      out[at] = flow ? 200 : grey;
      out[at + 1] = flow ? 40 : grey;
      out[at + 2] = flow ? 50 : grey;
    }
    return out;
  };
  return [base(id, { rows, columns, frames, samples: 3, modality: "US", frame_time_ms: 50 }),
    Array.from({ length: frames }, (_, t) => make(t))];
}

/** Black with single white pixels at known places: for tests of coordinates. */
function marks(id, rows, columns, places, form = {}) {
  const make = () => {
    const out = new Uint8Array(rows * columns);
    for (const [x, y] of places) out[y * columns + x] = 255;
    return out;
  };
  return [base(id, { rows, columns, windows: [{ center: 128, width: 256, name: "", function: "LINEAR" }], ...form }), [make]];
}

/** Parametric map with values between 0 and 1. */
function map(id, size = 200) {
  const make = () => Float32Array.from({ length: size * size },
    (_, i) => 0.5 + 0.5 * Math.sin((i % size) / 20) * Math.cos(Math.floor(i / size) / 15));
  return [base(id, { rows: size, columns: size, dtype: "float32", modality: "MR" }), [make]];
}

const FRAMES = new Map();

function store([described, makers]) {
  FRAMES.set(described.id, makers);
  return { ...described,
    frame_urls: makers.map((_, n) => `/api/cases/${described.id}/frames/${n}`),
    thumbnail_url: `/api/cases/${described.id}/thumbnail` };
}

const packed = new Map();

/** Gzip of the raw samples of a frame. */
export function frame(id, n) {
  const key = `${id}/${n}`;
  const make = FRAMES.get(id)?.[n];
  if (!make) return null;
  if (!packed.has(key)) packed.set(key, gzipSync(Buffer.from(make().buffer), { level: 1 }));
  return packed.get(key);
}

const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));

export const CASES = {
  chest: many(12, (i) => store(radiograph(`chest-${i}`, i + 1, 512, 512,
    i % 3 === 1 ? { invert: true, windows: [] } : {}))),
  large: many(12, (i) => store(radiograph(`large-${i}`, i + 50, 2048, 2048))),
  knee: many(8, (i) => store(radiograph(`knee-${i}`, i + 100, 400, 320, { modality: "DX" }))),
  mixed: [store(series("ct-0", 7, 24)), store(clip("us-0", 9, 20)), store(map("map-0")),
    store(radiograph("cr-0", 77, 700, 600))],
  marks: [
    store(marks("marks-0", 80, 120, [[10, 10], [100, 60], [30, 70]])),
    store(marks("marks-1", 80, 60, [[10, 10], [50, 60]], { spacing_mm: [0.5, 1] })),
    store(marks("marks-2", 60, 80, [[10, 10], [70, 50]], { spacing_mm: [0, 0] })),
  ],
};
