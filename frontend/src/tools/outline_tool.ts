/** Outlines: click by click or freehand; vertices are moved, added and taken away. */
import { instances, rounded, withValue, type Instance } from "../model/answer";
import { apply, type Point } from "../model/affine";
import {
  area, edgeAt, inImage, inside, movedRing, simplified, vertexAt, type Ring,
} from "../model/shapes";
import { classOf, colourOf, questionOf, type Bench, type Hit, type Tool } from "./tool";

type Doing =
  | { readonly what: "freehand"; readonly line: readonly (readonly [number, number])[] }
  | { readonly what: "vertex"; readonly id: string; readonly index: number }
  | { readonly what: "move"; readonly start: Instance; readonly from: Point }
  | { readonly what: "press"; readonly from: Point };

const NEAR_PX = 8;
const DRAG_PX = 5;
/** A freehand line keeps what is at least this far (canvas pixels) from a straight one. */
const SMOOTH_PX = 0.75;

export interface OutlineTool extends Tool {
  /** Take back the last vertex of the open outline; false when there is none. */
  back(): boolean;
  close(): boolean;
}

export function outlineTool(bench: Bench): OutlineTool {
  const { session } = bench;
  let doing: Doing | null = null;
  let pointer: Point | null = null;
  const near = (): number => bench.reach(NEAR_PX);
  const question = () => questionOf(session, "instance");
  const open = () => session.store.state.open;

  function here(): readonly Instance[] {
    const asked = question();
    const { work, frame } = session.store.state;
    return asked ? instances(work.answer, asked.id).filter((one) => one.frame === frame) : [];
  }

  const chosen = (): Instance | undefined =>
    here().find(({ id }) => id === session.store.state.selected);

  function put(one: Instance): void {
    const asked = question();
    if (!asked) return;
    const { answer } = session.store.state.work;
    const all = instances(answer, asked.id);
    const next = all.some(({ id }) => id === one.id)
      ? all.map((each) => (each.id === one.id ? one : each)) : [...all, one];
    session.amend({ answer: withValue(answer, asked.id, next) });
  }

  function add(points: Ring): boolean {
    const asked = question();
    if (!asked || points.length < 3 || area(points) <= 0) return false;
    const id = bench.newId();
    put({ id, class: classOf(session, asked), frame: session.store.state.frame, points });
    session.settle();
    session.store.set({ selected: id });
    return true;
  }

  function addVertex(at: Point): void {
    const asked = question();
    if (!asked) return;
    const { x, y } = inImage(at, bench.image());
    const { frame } = session.store.state;
    const points = [...(open()?.points ?? []), [x, y] as const];
    session.setOpen({ question: asked.id, class: classOf(session, asked), frame, points });
  }

  function close(): boolean {
    const ring = open();
    if (!ring) return false;
    session.setOpen(null);
    return add(ring.points);
  }

  /** Press on the chosen outline: a vertex, an edge (a vertex is made), or its inside. */
  function grab(one: Instance, hit: Hit): Doing | null {
    const vertex = vertexAt(one.points, hit.at, near());
    if (vertex !== null && hit.alt) {
      if (one.points.length > 3) {
        put({ ...one, points: one.points.filter((_, index) => index !== vertex) });
        session.settle();
      }
      return { what: "press", from: hit.at };
    }
    if (vertex !== null) return { what: "vertex", id: one.id, index: vertex };
    const edge = edgeAt(one.points, hit.at, near() / 2);
    if (edge !== null) {
      const { x, y } = inImage(hit.at, bench.image());
      put({ ...one, points: one.points.toSpliced(edge + 1, 0, [x, y]) });
      return { what: "vertex", id: one.id, index: edge + 1 };
    }
    return inside(one.points, hit.at) ? { what: "move", start: one, from: hit.at } : null;
  }

  function press(hit: Hit): void {
    const ring = open();
    if (ring) {
      const first = ring.points[0]!;
      const closing = ring.points.length >= 3 &&
        Math.hypot(first[0] - hit.at.x, first[1] - hit.at.y) <= near();
      if (closing || hit.clicks > 1) close();
      else addVertex(hit.at);
      return;
    }
    const one = chosen();
    doing = (one && grab(one, hit)) ?? { what: "press", from: hit.at };
  }

  function drag(hit: Hit): void {
    if (doing?.what === "press") {
      const { from } = doing;
      if (Math.hypot(hit.at.x - from.x, hit.at.y - from.y) <= bench.reach(DRAG_PX)) return;
      doing = { what: "freehand", line: [[from.x, from.y]] };
      session.store.set({ selected: null });
    }
    if (doing?.what === "freehand") {
      const more = hit.way.map((at) => inImage(at, bench.image()));
      doing = { ...doing, line: [...doing.line, ...more.map(({ x, y }) => [x, y] as const)] };
    } else if (doing?.what === "vertex") moveVertex(doing.id, doing.index, hit.at);
    else if (doing?.what === "move") {
      const { start, from } = doing;
      const points = movedRing(start.points, hit.at.x - from.x, hit.at.y - from.y, bench.image());
      put({ ...start, points });
    }
  }

  function moveVertex(id: string, index: number, at: Point): void {
    const one = here().find((each) => each.id === id);
    const { x, y } = inImage(at, bench.image());
    if (one) put({ ...one, points: one.points.with(index, [x, y]) });
  }

  /** A press without a drag: choose what is under it, or begin an outline. */
  function clicked(at: Point): void {
    const hit = here().filter((one) => inside(one.points, at) || edgeAt(one.points, at, near()) !== null)
      .toSorted((a, b) => area(a.points) - area(b.points))[0];
    const { selected } = session.store.state;
    session.store.set({ selected: hit?.id ?? null });
    if (!hit && selected === null) addVertex(at);
  }

  return {
    close,
    back() {
      const ring = open();
      if (!ring) return false;
      const points = ring.points.slice(0, -1);
      session.setOpen(points.length ? { ...ring, points } : null);
      return true;
    },
    get cursor() {
      const one = chosen();
      if (!one || !pointer || open()) return "crosshair";
      if (vertexAt(one.points, pointer, near()) !== null) return "grab";
      return edgeAt(one.points, pointer, near() / 2) !== null ? "copy" : "crosshair";
    },
    down(hit) { if (question()) press(hit); },
    move(hit) {
      pointer = hit.at;
      drag(hit);
      bench.redraw();
    },
    up(hit) {
      if (doing?.what === "freehand") {
        const line = simplified(doing.line, bench.reach(SMOOTH_PX));
        doing = null;
        add(line.map(([x, y]) => { const at = rounded({ x, y }); return [at.x, at.y] as const; }));
      } else if (doing?.what === "press" && !hit.alt) clicked(hit.at);
      else if (doing) session.settle();
      doing = null;
      bench.redraw();
    },
    hover(hit) {
      pointer = hit.at;
      if (open()) bench.redraw();
    },
    cancel() {
      const busy = doing !== null || open() !== null;
      if (doing?.what === "vertex" || doing?.what === "move") { session.settle(); session.undo(); }
      doing = null;
      if (open()) session.setOpen(null);
      bench.redraw();
      return busy;
    },
    finish() { close(); },
    draw(context) {
      const asked = question();
      const ring = open();
      if (!asked) return;
      const line = doing?.what === "freehand" ? doing.line
        : ring && ring.question === asked.id && ring.frame === session.store.state.frame
          ? ring.points : null;
      if (!line?.length) return;
      drawLine(context, line, colourOf(asked, ring?.class ?? classOf(session, asked)));
    },
  };

  function drawLine(context: CanvasRenderingContext2D, line: Ring, colour: string): void {
    const map = bench.toCanvas();
    const ends = doing?.what === "freehand" || !pointer ? line
      : [...line, [pointer.x, pointer.y] as const];
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.beginPath();
    ends.forEach(([x, y], index) => {
      const at = apply(map, { x, y });
      if (index === 0) context.moveTo(at.x, at.y);
      else context.lineTo(at.x, at.y);
    });
    context.stroke();
    if (doing?.what === "freehand") return;
    context.fillStyle = colour;
    line.forEach(([x, y], index) => {
      const at = apply(map, { x, y });
      const half = index === 0 ? 4.5 : 3;
      context.fillRect(at.x - half, at.y - half, half * 2, half * 2);
    });
  }
}
