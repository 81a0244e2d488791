/** Frames in and out of Cornerstone's cache: our image loader and the metadata it needs. */
import { cache, imageLoader, metaData, utilities, type Types } from "@cornerstonejs/core";
import { drawnSpacing, type Case } from "../model/case";
import type { Pictures, Source } from "./picture";
import { readPixels, type Pixels, type Scale } from "./pixels";

const SCHEME = "overread";

interface Frame {
  readonly of: Case;
  readonly index: number;
}

/** What fetches the bytes of a frame; the page gives its API client, so that 401 is seen there. */
export type FetchFrame = (url: string, signal: AbortSignal) => Promise<ArrayBuffer>;

const frames = new Map<string, Frame>();
const scales = new Map<string, Scale>();
const sources = new Map<string, Source>();

export function frameId(of: Case, index: number): string {
  return `${SCHEME}:${of.id}/${index}`;
}

/** Make the frames of a case known; nothing is fetched yet. */
export function announce(of: Case): string[] {
  return of.frame_urls.map((_, index) => {
    const id = frameId(of, index);
    frames.set(id, { of, index });
    return id;
  });
}

/** Forget a case: its frames leave the cache. */
export function forget(of: Case): void {
  for (let index = 0; index < of.frames; index++) {
    const id = frameId(of, index);
    if (cache.getImageLoadObject(id)) cache.removeImageLoadObject(id, { force: true });
    frames.delete(id);
    scales.delete(id);
    sources.delete(id);
  }
}

/** What a loaded frame is drawn from, on the CPU path. */
export function sourceOf(of: Case, index: number): Source | undefined {
  return sources.get(frameId(of, index));
}

/** The scale of a loaded frame, or undefined while it is not here. */
export function scaleOf(of: Case, index: number): Scale | undefined {
  return scales.get(frameId(of, index));
}

export function isLoaded(of: Case, index: number): boolean {
  return scales.has(frameId(of, index));
}

const underway = new Map<string, Promise<unknown>>();
const arrived = new Map<string, Pixels>();
let fetchFrame: FetchFrame = () => Promise.reject(new Error("no loader yet"));

/**
 * Fetch, decode and cache a frame; at most once at a time. Cornerstone hears of it when the samples
 * are here: its cache leaves the rejection of a failed load unhandled.
 */
export function loadFrame(of: Case, index: number): Promise<unknown> {
  const id = frameId(of, index);
  if (cache.getImageLoadObject(id)) return imageLoader.loadAndCacheImage(id);
  const known = underway.get(id);
  if (known) return known;
  const load = fetchPixels(id, new AbortController().signal)
    .then((pixels) => {
      arrived.set(id, pixels);
      return imageLoader.loadAndCacheImage(id);
    })
    .finally(() => {
      underway.delete(id);
      arrived.delete(id);
    });
  underway.set(id, load);
  return load;
}

async function fetchPixels(imageId: string, signal: AbortSignal): Promise<Pixels> {
  const frame = frames.get(imageId);
  const url = frame?.of.frame_urls[frame.index];
  if (!frame || url === undefined) throw new Error(`The frame must be announced; got ${imageId}.`);
  return readPixels(await fetchFrame(url, signal), frame.of);
}

/** Register loader and metadata; once per page. `pictures` draws where there is no graphics card. */
export function registerFrames(fetching: FetchFrame, pictures: Pictures | null): void {
  fetchFrame = fetching;
  cache.setMaxCacheSize(1.5 * 1024 ** 3);
  metaData.addProvider(describe, 10_000);
  imageLoader.registerImageLoader(SCHEME, (imageId: string) => {
    const stop = new AbortController();
    return {
      promise: load(imageId, stop.signal, pictures),
      cancelFn: () => stop.abort(),
    };
  });
}

async function load(
  imageId: string, signal: AbortSignal, pictures: Pictures | null,
): Promise<Types.IImage> {
  const pixels = arrived.get(imageId) ?? (await fetchPixels(imageId, signal));
  const { of } = frames.get(imageId)!;
  const { slope, intercept, low, high } = pixels;
  scales.set(imageId, { slope, intercept, low, high });
  const image = toImage(imageId, of, pixels);
  if (pictures) {
    const { rows, columns, samples } = of;
    const source = { id: imageId, rows, columns, samples, values: pixels.values };
    sources.set(imageId, source);
    image.render = pictures.drawer(source);
  }
  return image;
}

function toImage(imageId: string, of: Case, pixels: Pixels): Types.IImage {
  const colour = of.samples === 3;
  const { values } = pixels;
  const [row, column] = drawnSpacing(of);
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({
    width: of.columns, height: of.rows, numberOfComponents: of.samples,
    scalarData: values, id: imageId,
  });
  return {
    imageId,
    rows: of.rows, columns: of.columns, height: of.rows, width: of.columns,
    color: colour, rgba: false, numberOfComponents: of.samples,
    // Stored values go in as they are; the viewer turns its window into stored units.
    slope: 1, intercept: 0,
    minPixelValue: pixels.low, maxPixelValue: pixels.high,
    windowCenter: (pixels.low + pixels.high + 1) / 2,
    windowWidth: Math.max(1, pixels.high - pixels.low + 1),
    voiLUTFunction: "LINEAR" as Types.IImage["voiLUTFunction"],
    rowPixelSpacing: row, columnPixelSpacing: column,
    invert: false,
    photometricInterpretation: colour ? "RGB" : "MONOCHROME2",
    sizeInBytes: values.byteLength,
    dataType: values.constructor.name as Types.PixelDataTypedArrayString,
    getPixelData: () => values,
    getCanvas: () => undefined as unknown as HTMLCanvasElement,
    voxelManager: voxelManager as NonNullable<Types.IImage["voxelManager"]>,
  };
}

/** Metadata of a frame: every image lies in one plain plane, so nothing is ever missing or NaN. */
function describe(type: string, ...query: string[]): unknown {
  const frame = frames.get(query[0] ?? "");
  if (!frame) return undefined;
  const { of } = frame;
  const [row, column] = drawnSpacing(of);
  switch (type) {
    case "imagePlaneModule":
      return {
        rows: of.rows, columns: of.columns,
        rowPixelSpacing: row, columnPixelSpacing: column, pixelSpacing: [row, column],
        rowCosines: [1, 0, 0], columnCosines: [0, 1, 0],
        imageOrientationPatient: [1, 0, 0, 0, 1, 0], imagePositionPatient: [0, 0, 0],
        frameOfReferenceUID: of.id,
      };
    case "imagePixelModule":
      return {
        rows: of.rows, columns: of.columns, samplesPerPixel: of.samples,
        photometricInterpretation: of.samples === 3 ? "RGB" : "MONOCHROME2",
        ...bits(of),
      };
    case "generalSeriesModule":
      // PT would switch Cornerstone to uptake scaling, which the server has done already.
      return { modality: of.modality === "PT" ? "OT" : of.modality };
    default:
      return undefined;
  }
}

function bits(of: Case): Record<string, number> {
  const stored = of.dtype === "uint8" ? 8 : 16;
  return {
    bitsAllocated: stored, bitsStored: stored, highBit: stored - 1,
    pixelRepresentation: of.dtype === "int16" ? 1 : 0,
  };
}
