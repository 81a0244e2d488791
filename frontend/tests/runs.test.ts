import fc from "fast-check";
import { expect, test } from "vitest";
import { decode, encode, isBlank, rowEncoder } from "../src/model/runs";

const raster = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })).chain(([rows, columns]) =>
  fc.record({
    rows: fc.constant(rows), columns: fc.constant(columns),
    codes: fc.uint8Array({ minLength: rows * columns, maxLength: rows * columns, max: 3 }),
  }));

test("runs of a raster give the raster back", () => {
  fc.assert(fc.property(raster, ({ rows, columns, codes }) => {
    const runs = encode(codes);
    expect(decode({ frame: 0, rows, columns, runs })).toEqual(codes);
    expect(runs.every(([code], i) => i === 0 || code !== runs[i - 1]![0])).toBe(true);
    expect(runs.reduce((sum, [, length]) => sum + length, 0)).toBe(codes.length);
  }));
});

test("encoding by rows is the same as encoding at once, after every change", () => {
  fc.assert(fc.property(raster, fc.array(fc.tuple(fc.nat(143), fc.nat(3))), ({ rows, columns, codes }, changes) => {
    const encoder = rowEncoder(codes, rows, columns);
    expect(encoder.runs()).toEqual(encode(codes));
    for (const [place, code] of changes) {
      const at = place % codes.length;
      codes[at] = code;
      encoder.touch(Math.floor(at / columns), Math.floor(at / columns) + 1);
      expect(encoder.runs()).toEqual(encode(codes));
    }
  }));
});

test("runs that do not cover the image are refused", () => {
  expect(() => decode({ frame: 0, rows: 2, columns: 2, runs: [[1, 3]] })).toThrow("must cover 4 pixels; got 3");
  expect(() => decode({ frame: 0, rows: 2, columns: 2, runs: [[1, 5]] })).toThrow("got 5");
});

test("a mask without paint is blank", () => {
  expect(isBlank([[0, 9]])).toBe(true);
  expect(isBlank([[0, 8], [2, 1]])).toBe(false);
});
