import fc from "fast-check";
import { expect, test } from "vitest";
import { apply, fit, imageToCanvas, invert, panBy, zoomAt, type Camera } from "../src/model/affine";
import {
  area, corners, dragGrip, edgeAt, gripAt, inside, movedRing, simplified, vertexAt, type Grip,
} from "../src/model/shapes";

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const point = fc.record({ x: number(0, 100), y: number(0, 80) });
const camera: fc.Arbitrary<Camera> = fc.record({
  center: point, zoom: number(0.05, 30), rotation: fc.constantFrom(0, 90, 180, 270, 33),
});
const canvas = { width: 900, height: 700 };
const image = { width: 100, height: 80 };
const near = (one: { x: number; y: number }, other: { x: number; y: number }, tol = 1e-6): void => {
  expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeLessThan(tol);
};

test("canvas and image maps undo each other at any zoom, turn and pixel shape", () => {
  fc.assert(fc.property(camera, point, number(0.3, 3), (eye, at, aspect) => {
    const map = imageToCanvas(eye, canvas, aspect);
    near(apply(invert(map), apply(map, at)), at);
  }));
});

test("zoom keeps the point under the pointer, pan moves by what the hand moved", () => {
  fc.assert(fc.property(camera, point, number(0.3, 3), number(0.5, 2), (eye, at, aspect, factor) => {
    const place = apply(imageToCanvas(eye, canvas, aspect), at);
    const zoomed = imageToCanvas(zoomAt(eye, canvas, aspect, factor, place), canvas, aspect);
    near(apply(zoomed, at), place, 1e-4);
    const panned = imageToCanvas(panBy(eye, canvas, aspect, 12, -7), canvas, aspect);
    near(apply(panned, at), { x: place.x + 12, y: place.y - 7 }, 1e-4);
  }));
});

test("fit shows the whole image and touches an edge", () => {
  fc.assert(fc.property(fc.constantFrom(0, 90, 180, 270), number(0.3, 3), (rotation, aspect) => {
    const map = imageToCanvas(fit(image, canvas, aspect, rotation), canvas, aspect);
    const ends = [[0, 0], [100, 0], [100, 80], [0, 80]].map(([x, y]) => apply(map, { x: x!, y: y! }));
    for (const { x, y } of ends) {
      expect(x).toBeGreaterThan(-1e-6);
      expect(x).toBeLessThan(900 + 1e-6);
      expect(y).toBeGreaterThan(-1e-6);
      expect(y).toBeLessThan(700 + 1e-6);
    }
    const slack = Math.min(...ends.map(({ x, y }) => Math.min(x, y)));
    expect(slack).toBeLessThan(1e-6);
  }));
});

test("boxes stay in the image, keep their order and their size when moved", () => {
  const grips: Grip[] = ["nw", "n", "ne", "e", "se", "s", "sw", "w", "inside"];
  fc.assert(fc.property(point, point, fc.constantFrom(...grips), number(-200, 200), number(-200, 200),
    (one, other, grip, dx, dy) => {
      const box = corners(one, other, image);
      const moved = dragGrip(box, grip, dx, dy, image);
      expect(moved.x1).toBeGreaterThanOrEqual(0);
      expect(moved.y1).toBeGreaterThanOrEqual(0);
      expect(moved.x2).toBeLessThanOrEqual(100);
      expect(moved.y2).toBeLessThanOrEqual(80);
      expect(moved.x1).toBeLessThanOrEqual(moved.x2);
      expect(moved.y1).toBeLessThanOrEqual(moved.y2);
      if (grip === "inside") {
        expect(moved.x2 - moved.x1).toBeCloseTo(box.x2 - box.x1, 2);
        expect(moved.y2 - moved.y1).toBeCloseTo(box.y2 - box.y1, 2);
      }
    }));
});

test("grips by hand: corners, edges, inside, outside", () => {
  const box = { x1: 10, y1: 10, x2: 30, y2: 40 };
  expect(gripAt(box, { x: 10.5, y: 9.5 }, 1)).toBe("nw");
  expect(gripAt(box, { x: 30, y: 25 }, 1)).toBe("e");
  expect(gripAt(box, { x: 20, y: 40.5 }, 1)).toBe("s");
  expect(gripAt(box, { x: 20, y: 20 }, 1)).toBe("inside");
  expect(gripAt(box, { x: 50, y: 20 }, 1)).toBeNull();
});

const square = [[10, 10], [30, 10], [30, 30], [10, 30]] as const;

test("rings: inside, vertices, edges, area, moving", () => {
  expect(inside(square, { x: 20, y: 20 })).toBe(true);
  expect(inside(square, { x: 5, y: 20 })).toBe(false);
  expect(vertexAt(square, { x: 29, y: 11 }, 2)).toBe(1);
  expect(vertexAt(square, { x: 20, y: 20 }, 2)).toBeNull();
  expect(edgeAt(square, { x: 10.5, y: 20 }, 1)).toBe(3);
  expect(area(square)).toBe(400);
  expect(movedRing(square, -50, 5, image)).toEqual([[0, 15], [20, 15], [20, 35], [0, 35]]);
});

test("a simplified line keeps its ends and stays near the drawn one", () => {
  const line = fc.array(fc.tuple(number(0, 50), number(0, 50)), { minLength: 2, maxLength: 60 });
  fc.assert(fc.property(line, number(0.1, 5), (points, tol) => {
    const kept = simplified(points, tol);
    expect(kept[0]).toEqual(points[0]);
    expect(kept.at(-1)).toEqual(points.at(-1));
    for (const [x, y] of points) {
      // The closing edge does not count: leave it out by asking for open segments only.
      const away = kept.slice(0, -1).map((from, i) => distance([x, y], from, kept[i + 1]!));
      if (away.length) expect(Math.min(...away)).toBeLessThanOrEqual(tol + 1e-9);
    }
  }));
});

function distance(at: readonly [number, number], from: readonly [number, number], to: readonly [number, number]): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length2 = dx * dx + dy * dy;
  const t = length2 ? Math.min(1, Math.max(0, ((at[0] - from[0]) * dx + (at[1] - from[1]) * dy) / length2)) : 0;
  return Math.hypot(at[0] - from[0] - t * dx, at[1] - from[1] - t * dy);
}
