/** Finished boxes and outlines, drawn over the image. */
import { apply, type Affine } from "../model/affine";
import { boxes, instances, type Answer, type Question } from "../model/answer";
import { colourOf } from "./tool";

interface Scene {
  readonly questions: readonly Question[];
  readonly answer: Answer;
  readonly frame: number;
  readonly selected: string | null;
  readonly map: Affine;
}

const HANDLE = 3.5;

export function drawFindings(context: CanvasRenderingContext2D, scene: Scene): void {
  for (const question of scene.questions) {
    if (question.kind === "box") drawBoxes(context, scene, question);
    if (question.kind === "instance") drawOutlines(context, scene, question);
  }
}

function drawBoxes(context: CanvasRenderingContext2D, scene: Scene, question: Question): void {
  for (const box of boxes(scene.answer, question.id)) {
    if (box.frame !== scene.frame) continue;
    const { x1, y1, x2, y2 } = box;
    const ring = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]] as const;
    drawRing(context, scene.map, ring, colourOf(question, box.class), box.id === scene.selected);
    label(context, scene.map, x1, y1, box.class, colourOf(question, box.class));
  }
}

function drawOutlines(context: CanvasRenderingContext2D, scene: Scene, question: Question): void {
  for (const one of instances(scene.answer, question.id)) {
    if (one.frame !== scene.frame) continue;
    drawRing(context, scene.map, one.points, colourOf(question, one.class),
      one.id === scene.selected);
  }
}

function drawRing(
  context: CanvasRenderingContext2D, map: Affine,
  ring: readonly (readonly [number, number])[], colour: string, chosen: boolean,
): void {
  const points = ring.map(([x, y]) => apply(map, { x, y }));
  context.beginPath();
  points.forEach(({ x, y }, index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.closePath();
  // A dark rim keeps the line visible on bright bone and on dark air.
  context.strokeStyle = "rgba(0, 0, 0, 0.65)";
  context.lineWidth = chosen ? 5 : 3.5;
  context.stroke();
  context.strokeStyle = colour;
  context.lineWidth = chosen ? 2.5 : 1.5;
  context.stroke();
  if (!chosen) return;
  context.fillStyle = "#ffffff";
  for (const { x, y } of points) {
    context.fillRect(x - HANDLE, y - HANDLE, HANDLE * 2, HANDLE * 2);
    context.strokeStyle = "#000000";
    context.lineWidth = 1;
    context.strokeRect(x - HANDLE, y - HANDLE, HANDLE * 2, HANDLE * 2);
  }
}

function label(
  context: CanvasRenderingContext2D, map: Affine, x: number, y: number, name: string, colour: string,
): void {
  const corner = apply(map, { x, y });
  const at = { x: corner.x, y: Math.max(corner.y, 20) }; // at the upper edge, inside the picture
  context.font = "12px system-ui, sans-serif";
  const width = context.measureText(name).width + 10;
  context.fillStyle = "rgba(0, 0, 0, 0.7)";
  context.fillRect(at.x - 1, at.y - 19, width, 17);
  context.fillStyle = colour;
  context.fillText(name, at.x + 4, at.y - 6);
}
