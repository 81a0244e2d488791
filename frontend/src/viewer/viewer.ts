/** The image on screen. The only room that knows Cornerstone3D (with its neighbours here). */
import {
  Enums, RenderingEngine, getRenderingCapabilities, init, setUseCPURendering, type Types,
} from "@cornerstonejs/core";
import {
  fit, imageToCanvas, panBy, zoomAt, type Affine, type Camera, type Point, type Size,
} from "../model/affine";
import { drawnSpacing, type Case, type Window } from "../model/case";
import {
  announce, forget, isLoaded, loadFrame, registerFrames, scaleOf, sourceOf, type FetchFrame,
} from "./frames";
import { openPictures, type Pictures } from "./picture";
import { COLOUR, dragged, firstWindow, fullRange, storedRange, windowOf } from "./window";

export type Rendering = "gpu" | "cpu";

export interface Viewer {
  readonly rendering: Rendering;
  show(of: Case, frame: number): Promise<void>;
  preload(of: Case): Promise<void>;
  release(of: Case): void;
  ready(of: Case, frame: number): boolean;
  setFrame(frame: number): Promise<void>;
  readonly frame: number;
  window(): Window;
  setWindow(window: Window): void;
  dragWindow(dx: number, dy: number): void;
  fullWindow(): Window | null;
  camera(): Camera;
  zoomAt(factor: number, at?: Point): void;
  pan(dx: number, dy: number): void;
  rotate(degrees: number): void;
  toggleInvert(): void;
  readonly inverted: boolean;
  reset(): void;
  resize(): void;
  size(): Size;
  toCanvas(): Affine;
  /** Called after the picture or the map changed. */
  onChange(listener: () => void): void;
  /** Resolves once what was asked for is painted. */
  painted(): Promise<void>;
}

const ID = "reading";

/** Start Cornerstone on an element. Without a real graphics card its CPU path is the faster one. */
export async function startViewer(
  element: HTMLDivElement, fetchFrame: FetchFrame, wish?: Rendering,
): Promise<Viewer> {
  init();
  const able = getRenderingCapabilities();
  const rendering = wish ?? (able.webgl2 && !able.softwareRasterizer ? "gpu" : "cpu");
  setUseCPURendering(rendering === "cpu");
  const pictures = rendering === "cpu" ? openPictures() : null;
  registerFrames(fetchFrame, pictures);
  const engine = new RenderingEngine(ID);
  engine.enableElement({ viewportId: ID, element, type: Enums.ViewportType.STACK });
  const viewport = engine.getViewport(ID) as Types.IStackViewport;
  return openViewer(element, engine, viewport, pictures);
}

function openViewer(
  element: HTMLDivElement, engine: RenderingEngine, viewport: Types.IStackViewport,
  pictures: Pictures | null,
): Viewer {
  const rendering: Rendering = pictures ? "cpu" : "gpu";
  let current: Case | null = null;
  let frame = 0;
  let camera: Camera = { center: { x: 0, y: 0 }, zoom: 1, rotation: 0 };
  let window_: Window = COLOUR;
  let inverted = false;
  let wanted = 0;
  let fitted = true;
  const listeners: (() => void)[] = [];

  const size = (): Size => ({ width: element.clientWidth || 1, height: element.clientHeight || 1 });
  const aspect = (): number => {
    const [row, column] = current ? drawnSpacing(current) : [1, 1];
    return column / row;
  };
  const imageSize = (): Size => ({ width: current?.columns ?? 1, height: current?.rows ?? 1 });

  function draw(): void {
    if (!current) return;
    applyCamera(viewport, camera, current, size(), rendering);
    const scale = scaleOf(current, frame);
    if (scale) {
      const voiRange = storedRange(window_, scale);
      const sigmoid = window_.function === "SIGMOID";
      const { SAMPLED_SIGMOID, LINEAR } = Enums.VOILUTFunctionType;
      // Without a GPU our own pictures bend the values; Cornerstone would refuse to.
      const bend = pictures ? {} : { VOILUTFunction: sigmoid ? SAMPLED_SIGMOID : LINEAR };
      pictures?.setLook({ ...voiRange, invert: inverted, sigmoid });
      viewport.setProperties({ voiRange, invert: inverted, ...bend });
    }
    viewport.render();
    for (const listener of listeners) listener();
  }

  function look(next: Camera, isFit = false): void {
    camera = next;
    fitted = isFit;
    draw();
  }

  /** The first picture of a case ahead, made while the reader looks at another. */
  function prepare(of: Case): void {
    const [scale, source] = [scaleOf(of, 0), sourceOf(of, 0)];
    if (!pictures || !scale || !source || of.id === current?.id) return;
    const first = firstWindow(of, scale);
    const sigmoid = first.function === "SIGMOID";
    pictures.prepare(source, { ...storedRange(first, scale), invert: of.invert, sigmoid });
  }

  const viewer: Viewer = {
    rendering,
    get frame() { return frame; },
    get inverted() { return inverted; },
    async show(of, at) {
      const turn = ++wanted;
      const ids = announce(of);
      await loadFrame(of, at);
      if (turn !== wanted) return;
      await viewport.setStack(ids, at);
      if (turn !== wanted) return;
      [current, frame, inverted] = [of, at, of.invert];
      const scale = scaleOf(of, at);
      if (scale) window_ = firstWindow(of, scale);
      look(fit(imageSize(), size(), aspect()), true);
    },
    async preload(of) {
      announce(of);
      await loadFrame(of, 0);
      prepare(of);
      const queue = of.frame_urls.map((_, index) => index);
      const lane = async (): Promise<void> => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          if (!isLoaded(of, next)) await loadFrame(of, next);
        }
      };
      await Promise.all([lane(), lane(), lane()]);
    },
    release: (of) => { if (of.id !== current?.id) forget(of); },
    ready: (of, at) => isLoaded(of, at),
    async setFrame(at) {
      if (!current || at < 0 || at >= current.frames) return;
      const turn = ++wanted;
      await loadFrame(current, at);
      if (turn !== wanted) return;
      await viewport.setImageIdIndex(at);
      if (turn !== wanted) return;
      frame = at;
      draw();
    },
    window: () => window_,
    setWindow(next) { window_ = windowOf(next); draw(); },
    dragWindow(dx, dy) {
      const scale = current && scaleOf(current, frame);
      window_ = dragged(window_, dx, dy, scale ? Math.abs(scale.slope) : 1);
      draw();
    },
    fullWindow() {
      const scale = current && scaleOf(current, frame);
      return scale ? fullRange(scale) : null;
    },
    camera: () => camera,
    zoomAt(factor, at) {
      const middle = { x: size().width / 2, y: size().height / 2 };
      look(zoomAt(camera, size(), aspect(), factor, at ?? middle));
    },
    pan(dx, dy) { look(panBy(camera, size(), aspect(), dx, dy)); },
    rotate(degrees) {
      const rotation = (((camera.rotation + degrees) % 360) + 360) % 360;
      if (fitted) look(fit(imageSize(), size(), aspect(), rotation), true);
      else look({ ...camera, rotation });
    },
    toggleInvert() { inverted = !inverted; draw(); },
    reset() {
      inverted = current?.invert ?? false;
      look(fit(imageSize(), size(), aspect()), true);
    },
    resize() {
      engine.resize(true, true);
      if (fitted) camera = fit(imageSize(), size(), aspect(), camera.rotation);
      draw();
    },
    size,
    toCanvas: () => imageToCanvas(camera, size(), aspect()),
    onChange(listener) { listeners.push(listener); },
    painted: () => new Promise((resolve) => {
      element.addEventListener(Enums.Events.IMAGE_RENDERED, () => resolve(), { once: true });
      viewport.render();
    }),
  };
  return viewer;
}

/** Hand our camera to Cornerstone; its two paths measure scale and turn differently. */
function applyCamera(
  viewport: Types.IStackViewport, camera: Camera, of: Case, size: Size, rendering: Rendering,
): void {
  const [row, column] = drawnSpacing(of);
  if (rendering === "gpu") {
    // VTK counts from the middle of the first pixel, we from its outer corner.
    const focal: Types.Point3 =
      [(camera.center.x - 0.5) * column, (camera.center.y - 0.5) * row, 0];
    const turn = (camera.rotation * Math.PI) / 180;
    viewport.setCamera({
      focalPoint: focal,
      position: [focal[0], focal[1], -1],
      viewPlaneNormal: [0, 0, -1],
      viewUp: [-Math.sin(turn), -Math.cos(turn), 0],
      parallelScale: ((size.height / 2) * row) / camera.zoom,
    });
    return;
  }
  viewport.setViewPresentation({ rotation: camera.rotation });
  const unit = column < row ? row / column : 1;
  viewport.setCamera({
    focalPoint: [camera.center.x * column, camera.center.y * row, 0],
    scale: (camera.zoom * window.devicePixelRatio) / unit,
  });
}
