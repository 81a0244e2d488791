/** Brush, eraser and fill on a raster of class codes. Every function says which part it changed. */
import type { Point } from "./affine";

export interface Raster {
  readonly rows: number;
  readonly columns: number;
  readonly codes: Uint8Array;
}

/** Changed part in pixels: columns [x1, x2), rows [y1, y2). */
export interface Rect {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export function isEmpty(rect: Rect): boolean {
  return rect.x1 >= rect.x2 || rect.y1 >= rect.y2;
}

export function union(one: Rect | null, other: Rect | null): Rect | null {
  if (!one || !other) return one ?? other;
  return {
    x1: Math.min(one.x1, other.x1), y1: Math.min(one.y1, other.y1),
    x2: Math.max(one.x2, other.x2), y2: Math.max(one.y2, other.y2),
  };
}

/**
 * Paint the way of a round brush of `radius` pixels from one point to another.
 * A pixel is painted when its middle lies within the radius; the pixel under the brush always is.
 */
export function stroke(raster: Raster, from: Point, to: Point, radius: number, code: number): Rect {
  const { columns, rows, codes } = raster;
  const reach = Math.max(radius, 0.5);
  const rect = {
    x1: Math.max(0, Math.floor(Math.min(from.x, to.x) - reach)),
    y1: Math.max(0, Math.floor(Math.min(from.y, to.y) - reach)),
    x2: Math.min(columns, Math.ceil(Math.max(from.x, to.x) + reach)),
    y2: Math.min(rows, Math.ceil(Math.max(from.y, to.y) + reach)),
  };
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length2 = dx * dx + dy * dy;
  for (let y = rect.y1; y < rect.y2; y++) {
    const py = y + 0.5 - from.y;
    for (let x = rect.x1; x < rect.x2; x++) {
      const px = x + 0.5 - from.x;
      const along = length2 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length2)) : 0;
      const [ox, oy] = [px - along * dx, py - along * dy];
      if (ox * ox + oy * oy <= reach * reach) codes[y * columns + x] = code;
    }
  }
  setPixel(raster, to, code);
  return isEmpty(rect) ? { x1: 0, y1: 0, x2: 0, y2: 0 } : rect;
}

function setPixel({ rows, columns, codes }: Raster, at: Point, code: number): void {
  const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
  if (x >= 0 && y >= 0 && x < columns && y < rows) codes[y * columns + x] = code;
}

/** Fill the connected region (4 neighbours) of one code under a point with another. */
export function fill(raster: Raster, at: Point, code: number): Rect {
  const { rows, columns, codes } = raster;
  const [x0, y0] = [Math.floor(at.x), Math.floor(at.y)];
  let rect: Rect = { x1: 0, y1: 0, x2: 0, y2: 0 };
  if (x0 < 0 || y0 < 0 || x0 >= columns || y0 >= rows) return rect;
  const old = codes[y0 * columns + x0]!;
  if (old === code) return rect;
  rect = { x1: x0, y1: y0, x2: x0 + 1, y2: y0 + 1 };
  const open: number[] = [y0 * columns + x0];
  for (let seed = open.pop(); seed !== undefined; seed = open.pop()) {
    if (codes[seed] !== old) continue;
    const y = Math.floor(seed / columns);
    let [left, right] = [seed, seed];
    while (left > y * columns && codes[left - 1] === old) left--;
    while (right < (y + 1) * columns - 1 && codes[right + 1] === old) right++;
    codes.fill(code, left, right + 1);
    rect = union(rect, { x1: left - y * columns, y1: y, x2: right + 1 - y * columns, y2: y + 1 })!;
    for (const next of [y - 1, y + 1]) {
      if (next < 0 || next >= rows) continue;
      const shift = (next - y) * columns;
      for (let i = left + shift; i <= right + shift; i++) {
        if (codes[i] === old && (i === left + shift || codes[i - 1] !== old)) open.push(i);
      }
    }
  }
  return rect;
}
