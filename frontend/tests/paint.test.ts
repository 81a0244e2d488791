import fc from "fast-check";
import { expect, test } from "vitest";
import { fill, stroke, type Raster, type Rect } from "../src/model/paint";

const blank = (rows: number, columns: number): Raster => ({ rows, columns, codes: new Uint8Array(rows * columns) });
const within = (rect: Rect, x: number, y: number): boolean => x >= rect.x1 && x < rect.x2 && y >= rect.y1 && y < rect.y2;
const point = fc.record({
  x: fc.double({ min: -5, max: 25, noNaN: true }), y: fc.double({ min: -5, max: 25, noNaN: true }),
});

test("a stroke paints the pixels whose middle is within the radius of the way, and tells where", () => {
  fc.assert(fc.property(point, point, fc.double({ min: 0.5, max: 6, noNaN: true }), (from, to, radius) => {
    const raster = blank(20, 20);
    const rect = stroke(raster, from, to, radius, 2);
    for (let y = 0; y < 20; y++) for (let x = 0; x < 20; x++) {
      const painted = raster.codes[y * 20 + x] === 2;
      // Oracle: the nearest of many points on the way.
      let least = Infinity;
      for (let k = 0; k <= 400; k++) {
        const [wx, wy] = [from.x + ((to.x - from.x) * k) / 400, from.y + ((to.y - from.y) * k) / 400];
        least = Math.min(least, Math.hypot(x + 0.5 - wx, y + 0.5 - wy));
      }
      const underBrush = Math.floor(to.x) === x && Math.floor(to.y) === y;
      if (least < radius - 0.1) expect(painted).toBe(true);
      if (least > radius + 0.01 && !underBrush) expect(painted).toBe(false);
      if (painted) expect(within(rect, x, y)).toBe(true);
    }
  }), { numRuns: 60 });
});

test("the smallest brush paints the pixel under the pointer", () => {
  const raster = blank(5, 5);
  stroke(raster, { x: 2.95, y: 1.05 }, { x: 2.95, y: 1.05 }, 0.5, 1);
  expect(raster.codes[1 * 5 + 2]).toBe(1);
});

/** Reference: plain flood fill. */
function flooded(raster: Raster, x: number, y: number, code: number): Uint8Array {
  const codes = raster.codes.slice();
  const old = codes[y * raster.columns + x]!;
  const open: [number, number][] = [[x, y]];
  while (open.length && old !== code) {
    const [cx, cy] = open.pop()!;
    const at = cy * raster.columns + cx;
    if (cx < 0 || cy < 0 || cx >= raster.columns || cy >= raster.rows || codes[at] !== old) continue;
    codes[at] = code;
    open.push([cx + 1, cy], [cx - 1, cy], [cx, cy + 1], [cx, cy - 1]);
  }
  return codes;
}

test("fill equals a plain flood fill, and tells where", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 120, maxLength: 120, max: 1 }), fc.nat(11), fc.nat(9), fc.nat(2),
    (codes, x, y, code) => {
      const raster = { rows: 10, columns: 12, codes };
      const wanted = flooded(raster, x, y, code);
      const before = codes.slice();
      const rect = fill(raster, { x: x + 0.5, y: y + 0.5 }, code);
      expect(codes).toEqual(wanted);
      codes.forEach((value, at) => {
        if (value !== before[at]) expect(within(rect, at % 12, Math.floor(at / 12))).toBe(true);
      });
    }));
});

test("fill outside the image changes nothing", () => {
  const raster = blank(3, 3);
  expect(fill(raster, { x: -0.1, y: 1 }, 1)).toEqual({ x1: 0, y1: 0, x2: 0, y2: 0 });
  expect(raster.codes.every((code) => code === 0)).toBe(true);
});
