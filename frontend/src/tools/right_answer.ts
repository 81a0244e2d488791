/** The right answer over the image, dashed, beside the reader's own solid lines. */
import { apply, type Affine } from "../model/affine";
import { boxes, instances, masks, type Answer, type Question } from "../model/answer";
import { decode, type Mask } from "../model/runs";
import { colourOf } from "./tool";

interface Scene {
  readonly questions: readonly Question[];
  readonly answer: Answer;
  readonly frame: number;
  readonly map: Affine;
}

type Ring = readonly (readonly [number, number])[];

export function drawRight(context: CanvasRenderingContext2D, scene: Scene): void {
  context.save();
  context.setLineDash([7, 5]);
  for (const question of scene.questions) {
    for (const [ring, name] of ringsOf(scene, question)) {
      const path = new Path2D();
      ring.map(([x, y]) => apply(scene.map, { x, y }))
        .forEach(({ x, y }, index) => (index === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
      path.closePath();
      dashed(context, path, colourOf(question, name));
      named(context, scene.map, ring, `right: ${name}`);
    }
    if (question.kind === "mask") drawEdges(context, scene, question);
  }
  context.restore();
}

function ringsOf({ answer, frame }: Scene, question: Question): (readonly [Ring, string])[] {
  if (question.kind === "box") {
    return boxes(answer, question.id).filter((one) => one.frame === frame)
      .map(({ x1, y1, x2, y2, class: name }) => [[[x1, y1], [x2, y1], [x2, y2], [x1, y2]], name]);
  }
  if (question.kind !== "instance") return [];
  return instances(answer, question.id).filter((one) => one.frame === frame)
    .map(({ points, class: name }) => [points, name]);
}

function dashed(context: CanvasRenderingContext2D, path: Path2D, colour: string): void {
  context.strokeStyle = "rgba(0, 0, 0, 0.75)";
  context.lineWidth = 5;
  context.stroke(path);
  context.strokeStyle = "#ffffff";
  context.lineWidth = 3;
  context.stroke(path);
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.stroke(path);
}

/** Below the finding: above it stands the name of the reader's own. */
function named(context: CanvasRenderingContext2D, map: Affine, ring: Ring, text: string): void {
  const points = ring.map(([x, y]) => apply(map, { x, y }));
  const low = points.reduce((a, b) => (b.y > a.y ? b : a));
  const x = Math.min(...points.map((one) => one.x));
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = "rgba(0, 0, 0, 0.75)";
  context.fillRect(x - 1, low.y + 3, context.measureText(text).width + 10, 17);
  context.fillStyle = "#ffffff";
  context.fillText(text, x + 4, low.y + 16);
}

/** Edges of the painted pixels, found once a mask. */
const edges = new WeakMap<Mask, ReadonlyMap<number, Path2D>>();

function drawEdges(context: CanvasRenderingContext2D, scene: Scene, question: Question): void {
  const mask = masks(scene.answer, question.id).find((each) => each.frame === scene.frame);
  if (!mask) return;
  if (!edges.has(mask)) edges.set(mask, edgesOf(mask));
  const { a, b, c, d, e, f } = scene.map;
  for (const [code, path] of edges.get(mask)!) {
    const name = question.classes.find((each) => each.code === code)?.name ?? "";
    const moved = new Path2D();
    moved.addPath(path, { a, b, c, d, e, f });
    dashed(context, moved, colourOf(question, name));
  }
}

function edgesOf(mask: Mask): Map<number, Path2D> {
  const { rows, columns } = mask;
  const codes = decode(mask);
  const paths = new Map<number, Path2D>();
  const line = (code: number, from: readonly [number, number], to: readonly [number, number]): void => {
    if (code === 0) return;
    if (!paths.has(code)) paths.set(code, new Path2D());
    const path = paths.get(code)!;
    path.moveTo(...from);
    path.lineTo(...to);
  };
  const at = (row: number, column: number): number =>
    row < 0 || column < 0 || row >= rows || column >= columns ? 0 : codes[row * columns + column]!;
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const [here, above, left] = [at(row, column), at(row - 1, column), at(row, column - 1)];
      if (here !== above) for (const code of [here, above]) line(code, [column, row], [column + 1, row]);
      if (here !== left) for (const code of [here, left]) line(code, [column, row], [column, row + 1]);
    }
  }
  return paths;
}
