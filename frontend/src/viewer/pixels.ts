/** Raw samples as served -> arrays that the renderer can show, with the scale back to stored values. */
import type { Case } from "../model/case";

export type ShownArray = Uint8Array | Int16Array | Uint16Array;

/** What a frame's values mean: modality value = value * slope + intercept, from `low` to `high`. */
export interface Scale {
  readonly slope: number;
  readonly intercept: number;
  readonly low: number;
  readonly high: number;
}

export interface Pixels extends Scale {
  readonly values: ShownArray;
}

type Form = Pick<Case, "rows" | "columns" | "samples" | "dtype" | "slope" | "intercept">;

const BYTES = { uint8: 1, int16: 2, uint16: 2, int32: 4, float32: 4 } as const;

/** Read the bytes of one frame; throws when their number is not what the case says. */
export function readPixels(bytes: ArrayBuffer, form: Form): Pixels {
  const count = form.rows * form.columns * form.samples;
  const wanted = count * BYTES[form.dtype];
  if (bytes.byteLength !== wanted) {
    throw new Error(`The image must have ${wanted} bytes; got ${bytes.byteLength}.`);
  }
  const scale = { slope: form.slope || 1, intercept: form.intercept };
  switch (form.dtype) {
    case "uint8": return bounded(new Uint8Array(bytes), scale);
    case "int16": return bounded(new Int16Array(bytes), scale);
    case "uint16": return bounded(new Uint16Array(bytes), scale);
    case "int32": return narrowed(new Int32Array(bytes), scale);
    case "float32": return narrowed(new Float32Array(bytes), scale);
  }
}

type Line = Pick<Scale, "slope" | "intercept">;

function bounded(values: ShownArray, scale: Line): Pixels {
  const [low, high] = range(values);
  return { values, ...scale, low, high };
}

/** Wide samples in 16 bits: each frame keeps its own scale, so that no frame loses contrast. */
function narrowed(wide: Int32Array | Float32Array, scale: Line): Pixels {
  const [low, high] = range(wide);
  const step = high > low ? (high - low) / 65535 : 1;
  const values = new Uint16Array(wide.length);
  for (let i = 0; i < wide.length; i++) {
    const value = wide[i]!;
    // NaN (outside the field of view in some maps) is shown as the lowest value.
    values[i] = value > low ? Math.min(65535, Math.round((value - low) / step)) : 0;
  }
  return {
    values,
    slope: scale.slope * step,
    intercept: scale.slope * low + scale.intercept,
    low: 0,
    high: Math.round((high - low) / step),
  };
}

function range(values: ArrayLike<number>): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high && value !== Infinity) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}
