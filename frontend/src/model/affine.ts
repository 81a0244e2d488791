/** Plane maps between image pixels and the canvas: (x, y) -> (a x + c y + e, b x + d y + f). */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Affine {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

/** Where the reader looks: the image point in the middle of the canvas, the size, the turn. */
export interface Camera {
  /** Image point (pixels, outer corner of the first pixel is 0, 0) in the middle of the canvas. */
  readonly center: Point;
  /** Canvas (CSS) pixels per image row. */
  readonly zoom: number;
  /** Degrees clockwise on the screen. */
  readonly rotation: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function apply(map: Affine, at: Point): Point {
  return { x: map.a * at.x + map.c * at.y + map.e, y: map.b * at.x + map.d * at.y + map.f };
}

export function invert(map: Affine): Affine {
  const det = map.a * map.d - map.b * map.c;
  const [a, b, c, d] = [map.d / det, -map.b / det, -map.c / det, map.a / det];
  return { a, b, c, d, e: -(a * map.e + c * map.f), f: -(b * map.e + d * map.f) };
}

/**
 * The map from image pixels to canvas pixels.
 * `aspect` is the width of a pixel over its height (column spacing / row spacing).
 */
export function imageToCanvas(camera: Camera, canvas: Size, aspect: number): Affine {
  const turn = (camera.rotation * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const [sx, sy] = [camera.zoom * aspect, camera.zoom];
  const { x, y } = camera.center;
  const [a, b, c, d] = [cos * sx, sin * sx, -sin * sy, cos * sy];
  return {
    a, b, c, d,
    e: canvas.width / 2 - (a * x + c * y),
    f: canvas.height / 2 - (b * x + d * y),
  };
}

/** The camera that shows the whole image, turned as asked. */
export function fit(image: Size, canvas: Size, aspect: number, rotation = 0): Camera {
  const turn = (rotation * Math.PI) / 180;
  const [cos, sin] = [Math.abs(Math.cos(turn)), Math.abs(Math.sin(turn))];
  const [w, h] = [image.width * aspect, image.height];
  const zoom = Math.min(canvas.width / (w * cos + h * sin), canvas.height / (w * sin + h * cos));
  return { center: { x: image.width / 2, y: image.height / 2 }, zoom, rotation };
}

/** The camera after zooming by `factor` with the image point under `at` (canvas) kept in place. */
export function zoomAt(
  camera: Camera, canvas: Size, aspect: number, factor: number, at: Point,
): Camera {
  const zoom = Math.min(64, Math.max(0.01, camera.zoom * factor));
  const fixed = apply(invert(imageToCanvas(camera, canvas, aspect)), at);
  const kept = camera.zoom / zoom;
  return {
    ...camera,
    zoom,
    center: {
      x: fixed.x + (camera.center.x - fixed.x) * kept,
      y: fixed.y + (camera.center.y - fixed.y) * kept,
    },
  };
}

/** The camera after dragging the image by a canvas distance. */
export function panBy(
  camera: Camera, canvas: Size, aspect: number, dx: number, dy: number,
): Camera {
  const back = invert(imageToCanvas(camera, canvas, aspect));
  const middle = { x: canvas.width / 2 - dx, y: canvas.height / 2 - dy };
  return { ...camera, center: apply(back, middle) };
}
