/** Brush, eraser and fill on the mask of the frame on screen. */
import { apply, type Point } from "../model/affine";
import { fill, isEmpty, stroke, type Rect } from "../model/paint";
import type { MaskLayer } from "./mask_layer";
import { classOf, colourOf, questionOf, type Bench, type Hit, type Tool } from "./tool";

export type BrushKind = "brush" | "eraser" | "fill";

export interface BrushTool extends Tool {
  kind: BrushKind;
  /** Radius in image pixels. */
  radius: number;
  resize(factor: number): void;
  /**
   * Put the ring that shows the brush where the pointer is. It is an element of its own, so that a
   * stroke repaints the masks and nothing else.
   */
  place(ring: HTMLElement): void;
}

/** While a stroke goes on, what is painted so far is kept this often (ms). */
const KEEP_MS = 250;

export function brushTool(
  bench: Bench, layer: MaskLayer, changed: (rect: Rect) => void, now: () => number,
  later: (act: () => void, ms: number) => void,
): BrushTool {
  const { session } = bench;
  let last: Point | null = null;
  let pointer: Point | null = null;
  let keptAt = 0;
  let waiting = false;

  const asked = () => questionOf(session, "mask");

  function code(alt: boolean): number {
    const question = asked();
    if (!question || self.kind === "eraser" || alt) return 0;
    const name = classOf(session, question);
    return question.classes.find((each) => each.name === name)?.code ?? 1;
  }

  function paint(hit: Hit): void {
    const question = asked();
    if (!question) return;
    const { work, frame } = session.store.state;
    const raster = layer.raster(question, work.answer, frame);
    for (const at of hit.way) {
      const rect = self.kind === "fill" ? fill(raster, at, code(hit.alt))
        : stroke(raster, last ?? at, at, self.radius, code(hit.alt));
      last = at;
      if (isEmpty(rect)) continue;
      layer.touched(question, frame, rect);
      changed(rect);
    }
    if (now() - keptAt > KEEP_MS) keep();
    else wait();
  }

  /** A hand that rests in the middle of a stroke moves no more: what it painted is kept too. */
  function wait(): void {
    if (waiting) return;
    waiting = true;
    later(() => {
      waiting = false;
      if (last) keep();
    }, KEEP_MS);
  }

  /** Into the answer: the draft then holds the stroke as far as it has come. */
  function keep(): void {
    const question = asked();
    if (!question) return;
    const { work, frame } = session.store.state;
    session.amend({ answer: layer.written(question, work.answer, frame) });
    keptAt = now();
  }

  const self: BrushTool = {
    kind: "brush",
    radius: 8,
    resize(factor) {
      const next = self.radius * factor;
      const step = factor > 1 ? Math.max(self.radius + 0.5, next) : Math.min(self.radius - 0.5, next);
      self.radius = Math.min(500, Math.max(0.5, Math.round(step * 2) / 2));
      bench.redraw();
    },
    cursor: "none",
    down(hit) {
      if (!asked()) return;
      last = null;
      keptAt = now();
      paint(hit);
    },
    move(hit) {
      pointer = hit.at;
      if (last && self.kind !== "fill") paint(hit);
      bench.redraw();
    },
    up() {
      if (!last) return;
      last = null;
      keep();
      session.settle();
    },
    hover(hit) {
      pointer = hit.at;
      bench.redraw();
    },
    cancel() {
      if (!last) return false;
      self.up({ at: last, way: [], canvas: last, alt: false, shift: false, clicks: 1 });
      session.undo();
      return true;
    },
    finish() {
      if (last) self.up({ at: last, way: [], canvas: last, alt: false, shift: false, clicks: 1 });
    },
    draw: () => undefined,
    place(ring) {
      const question = asked();
      const visible = question !== null && pointer !== null;
      ring.hidden = !visible;
      if (!question || !pointer) return;
      const map = bench.toCanvas();
      const at = apply(map, pointer);
      const filling = self.kind === "fill";
      // Pixels may be oblong: the brush is round in pixels, so it is shown as an ellipse.
      const [across, down] = filling ? [5, 5]
        : [self.radius * Math.hypot(map.a, map.b), self.radius * Math.hypot(map.c, map.d)];
      ring.style.width = `${2 * across}px`;
      ring.style.height = `${2 * down}px`;
      ring.style.borderColor = self.kind === "eraser" ? "#ffffff"
        : colourOf(question, classOf(session, question));
      ring.style.transform = `translate(${at.x - across}px, ${at.y - down}px) ` +
        `rotate(${Math.atan2(map.b, map.a)}rad)`;
    },
  };
  return self;
}
