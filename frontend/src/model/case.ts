/** A case as the server describes it: one stack of frames of equal size. */

export type SampleType = "uint8" | "int16" | "uint16" | "int32" | "float32";

/** How values between the ends of a window become grey: DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3. */
export type WindowFunction = "LINEAR" | "LINEAR_EXACT" | "SIGMOID";

export interface Window {
  readonly center: number;
  readonly width: number;
  readonly function: WindowFunction;
}

export interface WindowPreset extends Window {
  readonly name: string;
}

export interface Case {
  readonly id: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samples: 1 | 3;
  readonly dtype: SampleType;
  readonly slope: number;
  readonly intercept: number;
  /** [row, column] in mm, or null where the image does not say. */
  readonly spacing_mm: readonly [number, number] | null;
  readonly slice_mm: number | null;
  readonly windows: readonly WindowPreset[];
  readonly modality: string;
  readonly invert: boolean;
  readonly frame_time_ms: number | null;
  readonly frame_urls: readonly string[];
  readonly thumbnail_url: string;
}

/** Spacing to draw with: 1 x 1 where none is known, so that no coordinate becomes NaN. */
export function drawnSpacing(of: Pick<Case, "spacing_mm">): readonly [number, number] {
  const [row, column] = of.spacing_mm ?? [1, 1];
  const usable = Number.isFinite(row) && Number.isFinite(column) && row > 0 && column > 0;
  return usable ? [row, column] : [1, 1];
}
