/** Boxes and outlines in image pixels: making, moving, hit tests. Pure. */
import type { Point, Size } from "./affine";
import { rounded, type Box, type Instance } from "./answer";

/** Which part of a box is under the pointer: an edge, a corner, or its inside. */
export type Grip = "nw" | "n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "inside";

export type Corners = Pick<Box, "x1" | "y1" | "x2" | "y2">;

const clamp = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value));

export function inImage(at: Point, image: Size): Point {
  return rounded({ x: clamp(at.x, 0, image.width), y: clamp(at.y, 0, image.height) });
}

export function corners(one: Point, other: Point, image: Size): Corners {
  const [a, b] = [inImage(one, image), inImage(other, image)];
  return {
    x1: Math.min(a.x, b.x), y1: Math.min(a.y, b.y),
    x2: Math.max(a.x, b.x), y2: Math.max(a.y, b.y),
  };
}

/** The grip under a point, with `tol` image pixels to either side of the border. */
export function gripAt(box: Corners, at: Point, tol: number): Grip | null {
  const within = at.x > box.x1 - tol && at.x < box.x2 + tol &&
    at.y > box.y1 - tol && at.y < box.y2 + tol;
  if (!within) return null;
  const near = (value: number, edge: number): boolean => Math.abs(value - edge) <= tol;
  const vertical = near(at.y, box.y1) ? "n" : near(at.y, box.y2) ? "s" : "";
  const across = near(at.x, box.x1) ? "w" : near(at.x, box.x2) ? "e" : "";
  return (`${vertical}${across}` as Grip) || "inside";
}

/** The box after its grip was dragged; it stays in the image and never turns inside out. */
export function dragGrip(
  box: Corners, grip: Grip, dx: number, dy: number, image: Size,
): Corners {
  if (grip === "inside") return moved(box, dx, dy, image);
  const west = grip.includes("w") ? box.x1 + dx : box.x1;
  const east = grip.includes("e") ? box.x2 + dx : box.x2;
  const north = grip.includes("n") ? box.y1 + dy : box.y1;
  const south = grip.includes("s") ? box.y2 + dy : box.y2;
  return corners({ x: west, y: north }, { x: east, y: south }, image);
}

function moved(box: Corners, dx: number, dy: number, image: Size): Corners {
  const x = clamp(dx, -box.x1, image.width - box.x2);
  const y = clamp(dy, -box.y1, image.height - box.y2);
  const [from, to] = [rounded({ x: box.x1 + x, y: box.y1 + y }),
    rounded({ x: box.x2 + x, y: box.y2 + y })];
  return { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
}

export type Ring = Instance["points"];

/** Whether a point lies within a ring (even-odd rule). */
export function inside(ring: Ring, at: Point): boolean {
  let odd = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [ring[i]!, ring[j]!];
    if (yi > at.y !== yj > at.y && at.x < ((xj - xi) * (at.y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

/** The vertex within `tol` of a point, or null. */
export function vertexAt(ring: Ring, at: Point, tol: number): number | null {
  let best: number | null = null;
  let least = tol;
  ring.forEach(([x, y], index) => {
    const away = Math.hypot(x - at.x, y - at.y);
    if (away <= least) [best, least] = [index, away];
  });
  return best;
}

/** The edge within `tol` of a point, named by its first vertex, or null. */
export function edgeAt(ring: Ring, at: Point, tol: number): number | null {
  let best: number | null = null;
  let least = tol;
  ring.forEach((from, index) => {
    const away = toSegment(at, from, ring[(index + 1) % ring.length]!);
    if (away <= least) [best, least] = [index, away];
  });
  return best;
}

type Vertex = readonly [number, number];

function toSegment(at: Point, from: Vertex, to: Vertex): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length2 = dx * dx + dy * dy;
  const along = length2 ? ((at.x - from[0]) * dx + (at.y - from[1]) * dy) / length2 : 0;
  const t = clamp(along, 0, 1);
  return Math.hypot(at.x - from[0] - t * dx, at.y - from[1] - t * dy);
}

export function movedRing(ring: Ring, dx: number, dy: number, image: Size): Ring {
  const xs = ring.map(([x]) => x);
  const ys = ring.map(([, y]) => y);
  const x = clamp(dx, -Math.min(...xs), image.width - Math.max(...xs));
  const y = clamp(dy, -Math.min(...ys), image.height - Math.max(...ys));
  return ring.map(([px, py]) => {
    const to = rounded({ x: px + x, y: py + y });
    return [to.x, to.y] as const;
  });
}

/** Area of a ring (shoelace), never negative. */
export function area(ring: Ring): number {
  let twice = 0;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    twice += ring[j]![0] * ring[i]![1] - ring[i]![0] * ring[j]![1];
  }
  return Math.abs(twice) / 2;
}

/** Leave out the points of a freehand line that add nothing (Ramer 1972, Douglas and Peucker 1973). */
export function simplified(line: Ring, tol: number): Ring {
  if (line.length < 3) return line;
  const keep = new Set([0, line.length - 1]);
  const open: [number, number][] = [[0, line.length - 1]];
  for (let part = open.pop(); part; part = open.pop()) {
    const [from, to] = part;
    let [worst, most] = [-1, tol];
    for (let i = from + 1; i < to; i++) {
      const [x, y] = line[i]!;
      const away = toSegment({ x, y }, line[from]!, line[to]!);
      if (away > most) [worst, most] = [i, away];
    }
    if (worst > 0) {
      keep.add(worst);
      open.push([from, worst], [worst, to]);
    }
  }
  return line.filter((_, index) => keep.has(index));
}
