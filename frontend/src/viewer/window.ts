/** Windows (level and width) in the units of the case, and the presets on offer. Pure. */
import type { Case, WindowPreset } from "../model/case";
import type { Scale } from "./pixels";

export interface Window {
  readonly center: number;
  readonly width: number;
}

/** Usual windows of CT (after OHIF's five). */
export const CT_WINDOWS: readonly WindowPreset[] = [
  { name: "Soft tissue", center: 40, width: 400 },
  { name: "Lung", center: -600, width: 1500 },
  { name: "Liver", center: 90, width: 150 },
  { name: "Bone", center: 480, width: 2500 },
  { name: "Brain", center: 40, width: 80 },
];

/** What Shift and a digit choose: the image's own windows, the usual ones, the full range. */
export function presetsOf(of: Case, full: Window | null): WindowPreset[] {
  const own = of.windows.filter((each) => each.width > 0);
  const usual = of.modality === "CT" ? CT_WINDOWS : [];
  const all = [...own.map(named), ...usual];
  if (full) all.push({ ...full, name: "Full range" });
  return all.filter((each, i) => all.findIndex((other) => same(each, other)) === i).slice(0, 9);
}

function named(preset: WindowPreset, index: number): WindowPreset {
  return preset.name ? preset : { ...preset, name: index === 0 ? "Default" : `Window ${index + 1}` };
}

export function same(one: Window, other: Window): boolean {
  return one.center === other.center && one.width === other.width;
}

/** The whole range of a frame. */
export function fullRange(pixels: Scale): Window {
  const [low, high] = [pixels.low, pixels.high].map((v) => v * pixels.slope + pixels.intercept) as
    [number, number];
  const width = Math.max(Math.abs(high - low), Math.abs(pixels.slope));
  return { center: (low + high) / 2, width };
}

/** The window that a case opens with. */
export function firstWindow(of: Pick<Case, "samples" | "windows">, scale: Scale): Window {
  if (of.samples === 3) return { center: 127.5, width: 255 };
  const own = of.windows.find((each) => each.width > 0);
  return own ? { center: own.center, width: own.width } : fullRange(scale);
}

/** The range of stored values that a window spans in one frame. */
export function storedRange(window: Window, scale: Pick<Scale, "slope" | "intercept">):
  { lower: number; upper: number } {
  const [one, two] = [window.center - window.width / 2, window.center + window.width / 2].map(
    (value) => (value - scale.intercept) / scale.slope,
  ) as [number, number];
  return { lower: Math.min(one, two), upper: Math.max(one, two) };
}

/** The window after a drag; a drag across the screen moves by about the present width. */
export function dragged(window: Window, dx: number, dy: number, least: number): Window {
  const step = Math.max(window.width, least) / 400;
  return {
    width: Math.max(least, window.width + dx * step * 2),
    center: window.center + dy * step,
  };
}
