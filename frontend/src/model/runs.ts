/** Masks as row-major runs of class codes (0 is background), and back. */

export interface Mask {
  readonly frame: number;
  readonly rows: number;
  readonly columns: number;
  readonly runs: readonly (readonly [number, number])[];
}

type Run = [number, number];

/** Runs of a raster of rows x columns codes. */
export function encode(raster: Uint8Array): Run[] {
  return joined([encodeRow(raster, 0, raster.length)]);
}

function encodeRow(raster: Uint8Array, from: number, to: number): Run[] {
  const runs: Run[] = [];
  for (let i = from; i < to;) {
    const code = raster[i]!;
    const start = i;
    while (i < to && raster[i] === code) i++;
    runs.push([code, i - start]);
  }
  return runs;
}

function joined(rows: readonly Run[][]): Run[] {
  const runs: Run[] = [];
  for (const row of rows) {
    for (const [code, length] of row) {
      const last = runs[runs.length - 1];
      if (last && last[0] === code) last[1] += length;
      else runs.push([code, length]);
    }
  }
  return runs;
}

/** The raster that runs describe; throws when their lengths do not add up. */
export function decode(mask: Mask): Uint8Array {
  const raster = new Uint8Array(mask.rows * mask.columns);
  let at = 0;
  for (const [code, length] of mask.runs) {
    if (code !== 0) raster.fill(code, at, at + length);
    at += length;
  }
  if (at !== raster.length) {
    throw new Error(`The runs must cover ${raster.length} pixels; got ${at}.`);
  }
  return raster;
}

export function isBlank(runs: Mask["runs"]): boolean {
  return runs.every(([code]) => code === 0);
}

export interface RowEncoder {
  /** Rows [from, to) changed since the last call. */
  touch(from: number, to: number): void;
  runs(): Run[];
}

/** Encode a raster again and again, looking only at the rows that changed. */
export function rowEncoder(raster: Uint8Array, rows: number, columns: number): RowEncoder {
  const known: (Run[] | null)[] = Array.from({ length: rows }, () => null);
  return {
    touch(from, to) {
      for (let row = Math.max(0, from); row < Math.min(rows, to); row++) known[row] = null;
    },
    runs() {
      for (let row = 0; row < rows; row++) {
        known[row] ??= encodeRow(raster, row * columns, (row + 1) * columns);
      }
      return joined(known as Run[][]);
    },
  };
}
