/** Places that stand out, dotted and without a class: a hint where to look. The chosen one, which a
 *  key makes a box, is dashed in the colour of what can be acted on. */
import type { Hint } from "../state/pre_label";
import { apply, type Affine } from "../model/affine";

export interface DrawnHint extends Hint {
  readonly isChosen: boolean;
}

export function drawHints(
  context: CanvasRenderingContext2D, hints: readonly DrawnHint[], frame: number, map: Affine,
): void {
  context.save();
  context.lineCap = "round";
  for (const one of hints) {
    if (one.frame !== frame) continue;
    const ring = [[one.x1, one.y1], [one.x2, one.y1], [one.x2, one.y2], [one.x1, one.y2]] as const;
    const path = new Path2D();
    ring.map(([x, y]) => apply(map, { x, y }))
      .forEach(({ x, y }, index) => (index === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
    path.closePath();
    context.setLineDash(one.isChosen ? [9, 7] : [1.5, 5]);
    context.strokeStyle = "rgba(0, 0, 0, 0.8)";
    context.lineWidth = 5;
    context.stroke(path);
    context.strokeStyle = one.isChosen ? ACCENT : "#ffffff";
    context.lineWidth = 2.5;
    context.stroke(path);
  }
  context.restore();
}

/** --accent of the design tokens: a canvas knows no variables. */
const ACCENT = "#9aa8ff";
