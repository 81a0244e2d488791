import fc from "fast-check";
import { expect, test } from "vitest";
import { EMPTY_WORK, missing, toSend, toggled, type Question, type Work } from "../src/model/answer";
import { newId } from "../src/model/ids";
import { drawnSpacing, type Window } from "../src/model/case";
import { progressWords } from "../src/model/progress";
import { canonical } from "../src/state/draft_sync";
import { history } from "../src/state/history";
import { activeClock } from "../src/state/seconds";
import { levels } from "../src/viewer/picture";
import { readPixels } from "../src/viewer/pixels";
import { dragged, fullRange, presetsOf, storedRange } from "../src/viewer/window";

const exact = (center: number, width: number): Window => ({ center, width, function: "LINEAR_EXACT" });
const linear = (center: number, width: number): Window => ({ center, width, function: "LINEAR" });

test("undo and redo walk the same values back and forth", () => {
  fc.assert(fc.property(fc.array(fc.nat(), { minLength: 1 }), (values) => {
    const steps = history(-1);
    const seen = [-1];
    for (const value of values) {
      steps.push(value);
      if (value !== seen.at(-1)) seen.push(value);
    }
    for (const value of seen.slice(0, -1).toReversed()) {
      expect(steps.undo()).toBe(true);
      expect(steps.value).toBe(value);
    }
    expect(steps.undo()).toBe(false);
    for (const value of seen.slice(1)) {
      expect(steps.redo()).toBe(true);
      expect(steps.value).toBe(value);
    }
    expect(steps.redo()).toBe(false);
  }));
});

test("a drag is one step, and undo within it takes it back whole", () => {
  const steps = history("a");
  for (const value of ["b", "c", "d"]) steps.amend(value);
  expect(steps.canUndo).toBe(true);
  steps.undo();
  expect(steps.value).toBe("a");
  steps.redo();
  expect(steps.value).toBe("d");
});

test("active seconds leave out idleness and hidden tabs", () => {
  const clock = activeClock();
  clock.start(5, 0);
  clock.activity(10_000);
  expect(clock.seconds(10_000)).toBe(15);
  clock.activity(100_000); // 90 s without a sign: 30 of them count
  expect(clock.seconds(100_000)).toBe(45);
  clock.hide(105_000);
  expect(clock.seconds(900_000)).toBe(50);
  clock.show(900_000);
  expect(clock.seconds(901_000)).toBe(51);
  expect(clock.seconds(2_000_000)).toBe(80);
});

test("progress in words", () => {
  const words = { done: 42, total: 200, median_seconds: 6, left_seconds: 960 };
  expect(progressWords(words, 0)).toBe("42 of 200, about 16 min left");
  expect(progressWords(words, 158)).toBe("200 of 200, all done");
  expect(progressWords({ ...words, left_seconds: null, median_seconds: null }, 0)).toBe("42 of 200");
  expect(progressWords({ ...words, about: true }, 0)).toBe("42 of about 200, about 16 min left");
});

const ask = (id: string, kind: Question["kind"], required = true): Question => ({
  id, kind, required, prompt: id, low: null, high: null,
  classes: ["a", "b"].map((name, i) => ({ name, code: i, key: null, colour: null })),
});

test("no finding is an answer; an unanswered grade is not; an unreadable case needs none", () => {
  const questions = [ask("grade", "ordinal"), ask("list", "multi-label"), ask("boxes", "box"), ask("free", "score", false)];
  expect(missing(questions, EMPTY_WORK).map(({ id }) => id)).toEqual(["grade"]);
  expect(toSend(questions, EMPTY_WORK)).toEqual({ list: [], boxes: [] });
  const unreadable: Work = { ...EMPTY_WORK, flags: { cannot_be_read: true, ask_a_senior: false } };
  expect(missing(questions, unreadable)).toEqual([]);
  expect(toSend(questions, unreadable)).toEqual({});
});

test("a checklist keeps the protocol's order", () => {
  const question = ask("list", "multi-label");
  const both = toggled(toggled({}, question, "b"), question, "a");
  expect(both).toEqual({ list: ["a", "b"] });
  expect(toggled(both, question, "a")).toEqual({ list: ["b"] });
});

test("JSON is the same whatever the order of keys", () => {
  expect(canonical({ a: 1, b: [{ d: 1, c: 2 }] })).toBe(canonical({ b: [{ c: 2, d: 1 }], a: 1 }));
  expect(canonical([1, 2])).not.toBe(canonical([2, 1]));
});

test("ids are UUID4", () => {
  expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("unknown and broken spacing draws as squares", () => {
  expect(drawnSpacing({ spacing_mm: null })).toEqual([1, 1]);
  expect(drawnSpacing({ spacing_mm: [0, 0] })).toEqual([1, 1]);
  expect(drawnSpacing({ spacing_mm: [0.5, Number.NaN] })).toEqual([1, 1]);
  expect(drawnSpacing({ spacing_mm: [0.5, 0.4] })).toEqual([0.5, 0.4]);
});

const form = { rows: 1, columns: 4, samples: 1, slope: 1, intercept: 0 } as const;

test("samples of every type keep their values", () => {
  const int16 = readPixels(new Int16Array([-1000, 0, 40, 3000]).buffer, { ...form, dtype: "int16", intercept: -24 });
  expect([...int16.values]).toEqual([-1000, 0, 40, 3000]);
  expect(fullRange(int16)).toEqual(exact(976, 4000));
  const floats = readPixels(new Float32Array([0, 0.25, Number.NaN, 1]).buffer, { ...form, dtype: "float32" });
  const back = [...floats.values].map((value) => value * floats.slope + floats.intercept);
  expect(back[1]).toBeCloseTo(0.25, 4);
  expect(back[2]).toBe(0);
  expect(back[3]).toBeCloseTo(1, 6);
  const wide = readPixels(new Int32Array([-70_000, 0, 1, 70_000]).buffer, { ...form, dtype: "int32" });
  expect(wide.values[3]! * wide.slope + wide.intercept).toBeCloseTo(70_000, 0);
  expect(() => readPixels(new ArrayBuffer(3), { ...form, dtype: "int16" })).toThrow("must have 8 bytes; got 3");
});

test("windows go to stored values and back, also with a falling scale", () => {
  expect(storedRange(exact(40, 400), { slope: 2, intercept: -1000 })).toEqual({ lower: 420, upper: 620 });
  const falling = storedRange(exact(0, 2), { slope: -1, intercept: 0 });
  expect(falling.lower).toBeLessThan(falling.upper);
});

test("a linear window ends where DICOM says: half a value lower, one value narrower", () => {
  // PS3.3 C.11.2.1.2.1: black at x <= c - 0.5 - (w - 1) / 2, white at x > c - 0.5 + (w - 1) / 2
  expect(storedRange(linear(2048, 4096), { slope: 1, intercept: 0 })).toEqual({ lower: 0, upper: 4095 });
  expect(storedRange(linear(2048, 1), { slope: 1, intercept: 0 })).toEqual({ lower: 2047.5, upper: 2048.5 });
});

test("a sigmoid window is half grey at its centre and never quite black", () => {
  const { lower, upper } = storedRange({ center: 100, width: 40, function: "SIGMOID" }, { slope: 1, intercept: 0 });
  const grey = levels(0, 256, { lower, upper, invert: false, sigmoid: true });
  const formula = (x: number): number => Math.round(255 / (1 + Math.exp((-4 * (x - 100)) / 40)));
  expect([...grey]).toEqual(Array.from({ length: 256 }, (_, x) => formula(x)));
  expect(levels(0, 256, { lower, upper, invert: false, sigmoid: false })[80]).toBe(0);
});

test("a window never gets narrower than one step of the samples", () => {
  fc.assert(fc.property(fc.integer({ min: -5000, max: 5000 }), fc.integer({ min: -500, max: 500 }), (dx, dy) => {
    expect(dragged(exact(100, 50), dx, dy, 1).width).toBeGreaterThanOrEqual(1);
  }));
});

test("presets: the image's own first, the usual ones for CT, never twice", () => {
  const of = {
    windows: [{ ...linear(40, 400), name: "" }, { ...linear(0, 0), name: "broken" }], modality: "CT",
  };
  const names = presetsOf(of as never, exact(0, 4000)).map(({ name }) => name);
  expect(names).toEqual(["Default", "Lung", "Liver", "Bone", "Brain", "Range of this frame"]);
  const eight = { windows: [{ ...linear(128, 256), name: "Full range" }], modality: "OT" };
  expect(presetsOf(eight as never, exact(127.5, 255)).map(({ name }) => name)).toEqual(["Full range"]);
});
