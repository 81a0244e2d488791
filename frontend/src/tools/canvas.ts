/** The two sheets of glass over the image, and parts of them. */
import { apply, type Affine, type Size } from "../model/affine";
import type { Rect } from "../model/paint";

export function canvasIn(element: HTMLElement, name: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.className = `glass ${name}`;
  element.append(canvas);
  return canvas;
}

/** Give a canvas the size of the view; true when that changed it (and so cleared it). */
export function fitCanvas(canvas: HTMLCanvasElement, size: Size): boolean {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (canvas.width === width && canvas.height === height) return false;
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d")!.setTransform(ratio, 0, 0, ratio, 0, 0);
  return true;
}

/** Canvas rectangle round an image rectangle, whatever the turn. */
export function onCanvas(map: Affine, rect: Rect): Rect {
  const ends = [[rect.x1, rect.y1], [rect.x2, rect.y1], [rect.x1, rect.y2], [rect.x2, rect.y2]]
    .map(([x, y]) => apply(map, { x: x!, y: y! }));
  const xs = ends.map(({ x }) => x);
  const ys = ends.map(({ y }) => y);
  return { x1: Math.floor(Math.min(...xs)) - 1, y1: Math.floor(Math.min(...ys)) - 1,
    x2: Math.ceil(Math.max(...xs)) + 1, y2: Math.ceil(Math.max(...ys)) + 1 };
}

export function joined(one: Rect | null, other: Rect): Rect {
  if (!one) return other;
  return { x1: Math.min(one.x1, other.x1), y1: Math.min(one.y1, other.y1),
    x2: Math.max(one.x2, other.x2), y2: Math.max(one.y2, other.y2) };
}
