/** Windows (level and width) in the units of the case, and the presets on offer. Pure. */
import type { Case, Window, WindowPreset } from "../model/case";
import type { Scale } from "./pixels";

/** Usual windows of CT (after OHIF's five). */
export const CT_WINDOWS: readonly WindowPreset[] = [
  linear("Soft tissue", 40, 400),
  linear("Lung", -600, 1500),
  linear("Liver", 90, 150),
  linear("Bone", 480, 2500),
  linear("Brain", 40, 80),
];

function linear(name: string, center: number, width: number): WindowPreset {
  return { name, center, width, function: "LINEAR" };
}

/** What Shift and a digit choose: the image's own windows, the usual ones, the frame's range. */
export function presetsOf(of: Case, full: Window | null): WindowPreset[] {
  const own = of.windows.filter((each) => each.width > 0);
  const usual = of.modality === "CT" ? CT_WINDOWS : [];
  const all = [...own.map(named), ...usual];
  if (full) all.push({ ...full, name: "Range of this frame" });
  return all.filter((each, i) => all.findIndex((other) => same(each, other)) === i).slice(0, 9);
}

function named(preset: WindowPreset, index: number): WindowPreset {
  return preset.name ? preset : { ...preset, name: index === 0 ? "Default" : `Window ${index + 1}` };
}

/** Whether two windows show the same, however they put it. */
export function same(one: Window, other: Window): boolean {
  const [a, b] = [ends(one), ends(other)];
  const apart = Math.max(Math.abs(a.low - b.low), Math.abs(a.high - b.high));
  const bent = [one, other].filter((each) => each.function === "SIGMOID").length;
  return bent !== 1 && apart <= 1e-6 * Math.max(one.width, other.width);
}

/** The values that become black and white; of a sigmoid, where its steepest slope would reach them. */
function ends({ center, width, function: form }: Window): { low: number; high: number } {
  const [middle, half] =
    form === "LINEAR" && width > 1 ? [center - 0.5, (width - 1) / 2] : [center, width / 2];
  return { low: middle - half, high: middle + half };
}

/** The whole range of a frame. */
export function fullRange(pixels: Scale): Window {
  const [low, high] = [pixels.low, pixels.high].map((v) => v * pixels.slope + pixels.intercept) as
    [number, number];
  const width = Math.max(Math.abs(high - low), Math.abs(pixels.slope));
  return { center: (low + high) / 2, width, function: "LINEAR_EXACT" };
}

/** Colour as it is. */
export const COLOUR: Window = { center: 127.5, width: 255, function: "LINEAR_EXACT" };

/** A window without its name. */
export function windowOf({ center, width, function: form }: Window): Window {
  return { center, width, function: form };
}

/** The window that a case opens with. */
export function firstWindow(of: Pick<Case, "samples" | "windows">, scale: Scale): Window {
  if (of.samples === 3) return COLOUR;
  const own = of.windows.find((each) => each.width > 0);
  return own ? windowOf(own) : fullRange(scale);
}

/** The range of stored values that a window spans in one frame. */
export function storedRange(window: Window, scale: Pick<Scale, "slope" | "intercept">):
  { lower: number; upper: number } {
  const { low, high } = ends(window);
  const [one, two] = [low, high].map((value) => (value - scale.intercept) / scale.slope) as
    [number, number];
  return { lower: Math.min(one, two), upper: Math.max(one, two) };
}

/** The window after a drag; a drag across the screen moves by about the present width. */
export function dragged(window: Window, dx: number, dy: number, least: number): Window {
  const step = Math.max(window.width, least) / 400;
  return {
    function: window.function,
    width: Math.max(least, window.width + dx * step * 2),
    center: window.center + dy * step,
  };
}
