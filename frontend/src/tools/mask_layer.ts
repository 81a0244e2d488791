/** Masks of the frame on screen: the raster that is painted on and its coloured picture. */
import { apply, invert, type Affine } from "../model/affine";
import { masks, withValue, type Answer, type Question } from "../model/answer";
import type { Raster, Rect } from "../model/paint";
import { decode, isBlank, rowEncoder, type Mask, type RowEncoder } from "../model/runs";
import { colourOf } from "./tool";

const ALPHA = 120;

interface Sheet {
  readonly raster: Raster;
  readonly encoder: RowEncoder;
  readonly colours: Uint32Array;
  /** The mask of the answer that the raster shows; another one there means undo or a new case. */
  shown: Mask | null;
}

export interface MaskLayer {
  /** The raster to paint on, in step with the answer. */
  raster(question: Question, answer: Answer, frame: number): Raster;
  /** A part was painted. */
  touched(question: Question, frame: number, rect: Rect): void;
  /** The answer with what is painted. */
  written(question: Question, answer: Answer, frame: number): Answer;
  /**
   * Draw a part of the canvas (CSS pixels), sample by sample from the rasters: the cost is that of the
   * part, whatever the size of the image, and no coloured copy of the image is kept.
   */
  draw(context: CanvasRenderingContext2D, map: Affine, answer: Answer, frame: number, part: Rect): void;
  /** A new case of this size; the masks of the last one are forgotten. */
  open(rows: number, columns: number, questions: readonly Question[]): void;
}

export function maskLayer(): MaskLayer {
  let size = { rows: 0, columns: 0 };
  let asked: readonly Question[] = [];
  const sheets = new Map<string, Sheet>();
  let lastFrame = -1;

  function sheetOf(question: Question, answer: Answer, frame: number): Sheet {
    // One frame at a time: a clip of masks would not fit in memory.
    if (frame !== lastFrame) {
      sheets.clear();
      lastFrame = frame;
    }
    const mask = masks(answer, question.id).find((each) => each.frame === frame) ?? null;
    let sheet = sheets.get(question.id);
    if (!sheet) {
      sheet = blank(size.rows, size.columns, question);
      sheets.set(question.id, sheet);
      if (mask) fillIn(sheet, mask);
    } else if (sheet.shown !== mask) fillIn(sheet, mask);
    return sheet;
  }

  function fillIn(sheet: Sheet, mask: Mask | null): void {
    if (mask && mask.rows === size.rows && mask.columns === size.columns) {
      sheet.raster.codes.set(decode(mask));
    } else sheet.raster.codes.fill(0);
    sheet.shown = mask;
    sheet.encoder.touch(0, size.rows);
  }

  return {
    open(rows, columns, questions) {
      size = { rows, columns };
      asked = questions.filter(({ kind }) => kind === "mask");
      sheets.clear();
      lastFrame = -1;
    },
    raster: (question, answer, frame) => sheetOf(question, answer, frame).raster,
    touched(question, frame, rect) {
      const sheet = sheets.get(question.id);
      if (sheet && frame === lastFrame) sheet.encoder.touch(rect.y1, rect.y2);
    },
    written(question, answer, frame) {
      const sheet = sheetOf(question, answer, frame);
      const runs = sheet.encoder.runs();
      const others = masks(answer, question.id).filter((each) => each.frame !== frame);
      const mask: Mask = { frame, ...size, runs };
      sheet.shown = isBlank(runs) ? null : mask;
      const all = sheet.shown ? [...others, mask].toSorted((a, b) => a.frame - b.frame) : others;
      return withValue(answer, question.id, all);
    },
    draw(context, map, answer, frame, part) {
      const shown = asked.filter(({ id }) =>
        sheets.has(id) || masks(answer, id).some((each) => each.frame === frame))
        .map((question) => sheetOf(question, answer, frame));
      drawPart(context, map, shown, part);
    },
  };
}

function blank(rows: number, columns: number, question: Question): Sheet {
  const codes = new Uint8Array(rows * columns);
  return {
    raster: { rows, columns, codes }, encoder: rowEncoder(codes, rows, columns),
    colours: coloursOf(question), shown: null,
  };
}

function drawPart(
  context: CanvasRenderingContext2D, map: Affine, sheets: readonly Sheet[], part: Rect,
): void {
  const ratio = window.devicePixelRatio || 1;
  const x1 = Math.max(0, Math.floor(part.x1 * ratio));
  const y1 = Math.max(0, Math.floor(part.y1 * ratio));
  const width = Math.min(context.canvas.width, Math.ceil(part.x2 * ratio)) - x1;
  const height = Math.min(context.canvas.height, Math.ceil(part.y2 * ratio)) - y1;
  if (width <= 0 || height <= 0) return;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const back = invert(map);
  const [right, down] = [{ x: back.a / ratio, y: back.b / ratio }, { x: back.c / ratio, y: back.d / ratio }];
  const start = apply(back, { x: (x1 + 0.5) / ratio, y: (y1 + 0.5) / ratio });
  for (const { raster: { rows, columns, codes }, colours } of sheets) {
    for (let row = 0, to = 0; row < height; row++) {
      let [x, y] = [start.x + row * down.x, start.y + row * down.y];
      for (let column = 0; column < width; column++, to++, x += right.x, y += right.y) {
        if (x < 0 || y < 0 || x >= columns || y >= rows) continue;
        const code = codes[(y | 0) * columns + (x | 0)]!;
        if (code !== 0) pixels[to] = colours[code]!;
      }
    }
  }
  context.putImageData(image, x1, y1);
}

/** Code -> pixel (alpha, blue, green, red from high to low). */
function coloursOf(question: Question): Uint32Array {
  const lookup = new Uint32Array(256);
  for (const { name, code } of question.classes) {
    const value = Number.parseInt(colourOf(question, name).slice(1, 7), 16);
    const [red, green, blue] = [value >> 16, (value >> 8) & 255, value & 255];
    lookup[code] = ((ALPHA << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
  return lookup;
}
