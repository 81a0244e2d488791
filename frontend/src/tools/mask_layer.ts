/** Masks of the frame on screen: the raster that is painted on and its coloured picture. */
import type { Affine } from "../model/affine";
import { masks, withValue, type Answer, type Question } from "../model/answer";
import type { Raster, Rect } from "../model/paint";
import { decode, isBlank, rowEncoder, type Mask, type RowEncoder } from "../model/runs";
import { colourOf } from "./tool";

const ALPHA = 120;

interface Sheet {
  readonly raster: Raster;
  readonly encoder: RowEncoder;
  readonly picture: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  /** The mask of the answer that the raster shows; another one there means undo or a new case. */
  shown: Mask | null;
}

export interface MaskLayer {
  /** The raster to paint on, in step with the answer. */
  raster(question: Question, answer: Answer, frame: number): Raster;
  /** A part was painted: colour it anew. */
  touched(question: Question, frame: number, rect: Rect): void;
  /** The answer with what is painted. */
  written(question: Question, answer: Answer, frame: number): Answer;
  /** Draw all masks of a frame through the map; the caller clips. */
  draw(context: CanvasRenderingContext2D, map: Affine, answer: Answer, frame: number): void;
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
      sheet = blank(size.rows, size.columns);
      sheets.set(question.id, sheet);
      if (mask) fillIn(sheet, mask, question);
    } else if (sheet.shown !== mask) fillIn(sheet, mask, question);
    return sheet;
  }

  function fillIn(sheet: Sheet, mask: Mask | null, question: Question): void {
    if (mask && mask.rows === size.rows && mask.columns === size.columns) {
      sheet.raster.codes.set(decode(mask));
    } else sheet.raster.codes.fill(0);
    sheet.shown = mask;
    sheet.encoder.touch(0, size.rows);
    colour(sheet, question, { x1: 0, y1: 0, x2: size.columns, y2: size.rows });
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
      if (!sheet || frame !== lastFrame) return;
      sheet.encoder.touch(rect.y1, rect.y2);
      colour(sheet, question, rect);
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
    draw(context, map, answer, frame) {
      for (const question of asked) {
        const mask = masks(answer, question.id).some((each) => each.frame === frame);
        if (!mask && !sheets.has(question.id)) continue;
        const { picture } = sheetOf(question, answer, frame);
        const ratio = window.devicePixelRatio || 1;
        context.setTransform(map.a * ratio, map.b * ratio, map.c * ratio, map.d * ratio,
          map.e * ratio, map.f * ratio);
        context.imageSmoothingEnabled = false;
        context.drawImage(picture, 0, 0);
      }
      context.setTransform(1, 0, 0, 1, 0, 0);
    },
  };
}

function blank(rows: number, columns: number): Sheet {
  const picture = document.createElement("canvas");
  [picture.width, picture.height] = [columns, rows];
  const context = picture.getContext("2d", { willReadFrequently: true })!;
  const codes = new Uint8Array(rows * columns);
  return {
    raster: { rows, columns, codes }, encoder: rowEncoder(codes, rows, columns),
    picture, context, shown: null,
  };
}

/** Colour a part of the picture from the codes; only this part is touched. */
function colour(sheet: Sheet, question: Question, rect: Rect): void {
  const [width, height] = [rect.x2 - rect.x1, rect.y2 - rect.y1];
  if (width <= 0 || height <= 0) return;
  const lookup = coloursOf(question);
  const image = sheet.context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const { codes, columns } = sheet.raster;
  for (let y = 0, to = 0; y < height; y++) {
    for (let from = (rect.y1 + y) * columns + rect.x1, x = 0; x < width; x++) {
      pixels[to++] = lookup[codes[from++]!]!;
    }
  }
  sheet.context.putImageData(image, rect.x1, rect.y1);
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
