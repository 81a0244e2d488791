/** Places that stand out, dotted and without a class: a hint where to look, never an answer. */
import type { Hint } from "../state/pre_label";
import { apply, type Affine } from "../model/affine";

export function drawHints(
  context: CanvasRenderingContext2D, hints: readonly Hint[], frame: number, map: Affine,
): void {
  context.save();
  context.setLineDash([1.5, 5]);
  context.lineCap = "round";
  for (const one of hints) {
    if (one.frame !== frame) continue;
    const ring = [[one.x1, one.y1], [one.x2, one.y1], [one.x2, one.y2], [one.x1, one.y2]] as const;
    const path = new Path2D();
    ring.map(([x, y]) => apply(map, { x, y }))
      .forEach(({ x, y }, index) => (index === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
    path.closePath();
    context.strokeStyle = "rgba(0, 0, 0, 0.8)";
    context.lineWidth = 5;
    context.stroke(path);
    context.strokeStyle = "#ffffff";
    context.lineWidth = 2.5;
    context.stroke(path);
  }
  context.restore();
}
