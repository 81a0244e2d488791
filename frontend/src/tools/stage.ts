/** The glass over the image: pointers in, drawings out. Boxes, outlines and masks are ours to draw, so
 *  that a coordinate is what the hand said at any zoom, and a stroke repaints only what it touched. */
import { apply, invert, type Affine, type Point, type Size } from "../model/affine";
import { boxes, isSpatial, withValue, type Answer, type Question } from "../model/answer";
import type { Rect } from "../model/paint";
import { corners } from "../model/shapes";
import { isTaken } from "../state/hints";
import type { Session } from "../state/session";
import { boxTool } from "./box_tool";
import { brushTool, type BrushTool } from "./brush_tool";
import { canvasIn, fitCanvas, joined, onCanvas } from "./canvas";
import { drawFindings } from "./drawings";
import { copied, findingsOf, nudged, without, withoutMask } from "./edits";
import { maskLayer } from "./mask_layer";
import { outlineTool } from "./outline_tool";
import { drawHints } from "./hint_layer";
import { drawRight } from "./right_answer";
import type { Bench, Hit, Tool } from "./tool";

export type ToolName = "draw" | "eraser" | "fill" | "window" | "zoom" | "hand";

/** What the stage needs of the viewer. */
export interface View {
  size(): Size;
  toCanvas(): Affine;
  zoomAt(factor: number, at?: Point): void;
  pan(dx: number, dy: number): void;
  dragWindow(dx: number, dy: number): void;
  onChange(listener: () => void): void;
}

export interface Stage {
  readonly tool: ToolName;
  use(tool: ToolName): void;
  lastTool(): void;
  /** While held, a drag moves the image whatever the tool. */
  holdHand(held: boolean): boolean;
  readonly hidden: boolean;
  toggleDrawings(): void;
  resizeBrush(factor: number): void;
  readonly brushRadius: number;
  nextFinding(): void;
  deleteFinding(): void;
  nudge(dx: number, dy: number, resize: boolean): boolean;
  placeBox(): void;
  copyFromPreviousFrame(): void;
  /** Enter: closes an open outline; true when there was one. */
  closeOutline(): boolean;
  cancel(): boolean;
  finish(): void;
  resize(): void;
  onTool(listener: () => void): void;
}

export function openStage(
  element: HTMLElement, view: View, session: Session, newId: () => string, now: () => number,
): Stage {
  const { store } = session;
  const below = canvasIn(element, "masks");
  const above = canvasIn(element, "findings");
  const ring = document.createElement("div");
  ring.className = "brush-ring";
  ring.hidden = true;
  element.append(ring);
  const layer = maskLayer();
  const listeners: (() => void)[] = [];
  let tool: ToolName = "draw";
  let before: ToolName = "window";
  let hidden = false;
  let handHeld = false;
  let handUsed = false;
  let dirty: Rect | null = null; // of the masks, in canvas pixels
  let wholeDirty = false;
  let findingsDirty = true;
  let drawn = 0;
  let spent = 0; // ms of work for the frame that is due
  let press: { readonly what: ToolName; at: Point } | null = null;

  const question = (): Question | undefined =>
    store.state.protocol?.questions[store.state.question];
  const bench: Bench = {
    session, newId,
    image: () => ({ width: store.state.task?.case.columns ?? 0, height: store.state.task?.case.rows ?? 0 }),
    reach: (css) => {
      const map = view.toCanvas();
      return css / Math.min(Math.hypot(map.a, map.b), Math.hypot(map.c, map.d));
    },
    toCanvas: view.toCanvas,
    redraw: () => schedule(),
  };
  const boxing = boxTool(bench);
  const outlining = outlineTool(bench);
  const brushing: BrushTool = brushTool(bench, layer, (rect) => {
    dirty = joined(dirty, onCanvas(view.toCanvas(), rect));
    schedule();
  }, now, (act, ms) => void setTimeout(act, ms));

  /** The tool that the question at hand is answered with, or null where it is not drawn. */
  function drawer(): Tool | null {
    if (store.state.review) return null;
    switch (question()?.kind) {
      case "box": return boxing;
      case "instance": return outlining;
      case "mask": return brushing;
      default: return null;
    }
  }

  function active(): ToolName {
    if (handHeld) return "hand";
    if (tool === "draw" && !drawer()) return "window";
    return tool;
  }

  function schedule(all = false): void {
    wholeDirty ||= all;
    findingsDirty ||= all;
    drawn ||= requestAnimationFrame(() => {
      drawn = 0;
      paint();
    });
  }

  function paint(): void {
    const { task, work, frame } = store.state;
    const started = now();
    paintMasks(work.answer, frame);
    const painting = drawer() === brushing;
    if (painting && task && isDrawing(active())) brushing.place(ring);
    else ring.hidden = true;
    if (!painting || findingsDirty) paintFindings();
    const cursor = cursorOf(active(), drawer());
    if (above.style.cursor !== cursor) above.style.cursor = cursor;
    if (spent > 0 && press && drawer() === brushing) {
      timed(spent + now() - started);
    }
    spent = 0;
  }

  function paintFindings(): void {
    const { task, work, frame, selected, protocol, review, hints, hintsOn, hintChosen } = store.state;
    findingsDirty = false;
    const context = above.getContext("2d")!;
    fitCanvas(above, view.size());
    context.clearRect(0, 0, view.size().width, view.size().height);
    if (!task || !protocol) return;
    if (hintsOn && hints) {
      const open = hints.flatMap((one, place) =>
        (isTaken(work.answer, question(), place) ? [] : [{ ...one, isChosen: place === hintChosen }]));
      drawHints(context, open, frame, view.toCanvas());
    }
    if (!hidden) {
      const map = view.toCanvas();
      drawFindings(context, { questions: protocol.questions, answer: work.answer, frame, selected, map });
      if (review) {
        const answer = review.right as Answer;
        drawRight(context, { questions: protocol.questions, answer, frame, map });
      }
    }
    if (active() !== "hand") drawer()?.draw(context);
  }

  function paintMasks(answer: Answer, frame: number): void {
    const context = below.getContext("2d")!;
    const resized = fitCanvas(below, view.size());
    const { width, height } = view.size();
    const part = wholeDirty || resized ? { x1: 0, y1: 0, x2: width, y2: height } : dirty;
    [dirty, wholeDirty] = [null, false];
    if (!part) return;
    if (hidden || !store.state.task) context.clearRect(0, 0, width, height);
    else layer.draw(context, view.toCanvas(), answer, frame, part);
  }

  function hitOf(event: PointerEvent): Hit {
    const back = invert(view.toCanvas());
    const corner = above.getBoundingClientRect();
    const place = (one: PointerEvent): Point => ({ x: one.clientX - corner.left, y: one.clientY - corner.top });
    const events = event.getCoalescedEvents?.() ?? [];
    const way = (events.length ? events : [event]).map((one) => apply(back, place(one)));
    const canvas = place(event);
    return { at: apply(back, canvas), way: [...way.slice(0, -1), apply(back, canvas)], canvas,
      alt: event.altKey, shift: event.shiftKey, clicks: event.detail || 1 };
  }

  function down(event: PointerEvent): void {
    if (!store.state.task || press) return;
    (document.activeElement as HTMLElement | null)?.blur();
    above.setPointerCapture(event.pointerId);
    const what = event.button === 1 ? "hand" : event.button === 2 ? "window" : active();
    const hit = hitOf(event);
    press = { what, at: hit.canvas };
    if (handHeld) handUsed = true;
    if (isDrawing(what)) drawer()?.down({ ...hit, clicks: clicksOf(hit) });
    event.preventDefault();
    schedule();
  }

  let lastPress = { at: 0, x: 0, y: 0 };
  /** Pointer events do not count clicks, so we do. */
  function clicksOf({ canvas }: Hit): number {
    const at = now();
    const again = at - lastPress.at < 350 && Math.hypot(canvas.x - lastPress.x, canvas.y - lastPress.y) < 6;
    lastPress = { at, ...canvas };
    return again ? 2 : 1;
  }

  function move(event: PointerEvent): void {
    if (!store.state.task) return;
    const started = now();
    const hit = hitOf(event);
    if (!press) {
      drawer()?.hover(hit);
      return schedule();
    }
    const [dx, dy] = [hit.canvas.x - press.at.x, hit.canvas.y - press.at.y];
    if (isDrawing(press.what)) drawer()?.move(hit);
    else if (press.what === "window") view.dragWindow(dx, dy);
    else if (press.what === "hand") view.pan(dx, dy);
    else view.zoomAt(Math.exp(-dy / 150));
    press.at = hit.canvas;
    spent += now() - started;
    schedule();
  }

  function up(event: PointerEvent): void {
    if (!press) return;
    if (isDrawing(press.what)) drawer()?.up(hitOf(event));
    press = null;
    schedule();
  }

  function wheel(event: WheelEvent): void {
    const { task, frame } = store.state;
    if (!task) return;
    event.preventDefault();
    if (task.case.frames > 1 && !event.ctrlKey && !event.metaKey) {
      return void session.setFrame(frame + Math.sign(event.deltaY));
    }
    const corner = above.getBoundingClientRect();
    const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    view.zoomAt(Math.exp(-pixels / 400), { x: event.clientX - corner.left, y: event.clientY - corner.top });
  }

  above.addEventListener("pointerdown", down);
  above.addEventListener("pointermove", move);
  above.addEventListener("pointerup", up);
  above.addEventListener("pointercancel", () => { drawer()?.cancel(); press = null; schedule(); });
  above.addEventListener("wheel", wheel, { passive: false });
  above.addEventListener("contextmenu", (event) => event.preventDefault());
  view.onChange(() => schedule(true));
  store.subscribe((state, old) => {
    if (state.task !== old.task && state.task) {
      const { rows, columns } = state.task.case;
      layer.open(rows, columns, state.protocol?.questions ?? []);
      press = null;
    }
    const stroking = press !== null && drawer() === brushing && isDrawing(press.what);
    const moved = state.task !== old.task || state.frame !== old.frame || state.review !== old.review;
    if (moved || (state.work.answer !== old.work.answer && !stroking)) schedule(true);
    else if (state.selected !== old.selected || state.question !== old.question ||
      state.open !== old.open || state.classes !== old.classes || state.hintsOn !== old.hintsOn ||
      state.hintChosen !== old.hintChosen) {
      findingsDirty = true;
      schedule();
    }
    if (state.question !== old.question) told();
  });

  const told = (): void => listeners.forEach((listener) => listener());

  function use(next: ToolName): void {
    drawer()?.finish();
    if (next !== tool) [before, tool] = [tool, next];
    const kind = question()?.kind;
    if (next === "draw" || next === "eraser" || next === "fill") {
      brushing.kind = next === "draw" ? "brush" : next;
      if (next !== "draw" && kind !== "mask") tool = "draw";
    }
    schedule();
    told();
  }

  /** Ids of the findings on this frame, in the order of the answer. */
  function findings(): string[] {
    const { work, frame } = store.state;
    const asked = question();
    if (!asked) return [];
    const all = findingsOf(work.answer, asked);
    return all.filter((one) => one.frame === frame).map(({ id }) => id);
  }

  return {
    get tool() { return active(); },
    get hidden() { return hidden; },
    get brushRadius() { return brushing.radius; },
    use,
    lastTool: () => use(before),
    holdHand(held) {
      const used = handUsed;
      if (held !== handHeld) {
        handHeld = held;
        handUsed = false;
        schedule();
        told();
      }
      return used;
    },
    toggleDrawings() {
      hidden = !hidden;
      schedule(true);
      told();
    },
    resizeBrush(factor) {
      brushing.resize(factor);
      told();
    },
    nextFinding() {
      const ids = findings();
      const at = ids.indexOf(store.state.selected ?? "");
      store.set({ selected: ids[(at + 1) % ids.length] ?? null });
    },
    deleteFinding() {
      const { selected, work, frame } = store.state;
      const asked = question();
      if (!asked || outlining.back()) return schedule();
      if (asked.kind === "mask") return session.change({ answer: withoutMask(work.answer, asked, frame) });
      if (!selected) return;
      session.change({ answer: without(work.answer, asked, selected) });
      store.set({ selected: null });
    },
    nudge(dx, dy, resize) {
      const { selected, work } = store.state;
      const asked = question();
      if (!selected || !asked) return false;
      session.change({ answer: nudged(work.answer, asked, selected, { dx, dy, resize }, bench.image()) });
      return true;
    },
    placeBox() {
      const asked = question();
      const { frame, classes, work } = store.state;
      if (asked?.kind !== "box") return;
      const { width, height } = view.size();
      const back = invert(view.toCanvas());
      const half = bench.reach(Math.min(width, height) / 8);
      const at = apply(back, { x: width / 2, y: height / 2 });
      const [from, to] = [{ x: at.x - half, y: at.y - half }, { x: at.x + half, y: at.y + half }];
      const box = { id: newId(), class: classes[asked.id] ?? "", frame,
        ...corners(from, to, bench.image()) };
      session.change({ answer: withValue(work.answer, asked.id, [...boxes(work.answer, asked.id), box]) });
      store.set({ selected: box.id });
    },
    copyFromPreviousFrame() {
      const asked = question();
      const { frame, work } = store.state;
      if (!asked || !isSpatial(asked.kind) || frame === 0) return;
      const next = copied(work.answer, asked, frame, newId);
      if (next) session.change({ answer: next });
      else store.set({ hint: "There is nothing on the frame before." });
    },
    closeOutline: () => outlining.close(),
    cancel() {
      if (drawer()?.cancel()) { press = null; return true; }
      if (store.state.selected === null && store.state.hintChosen === null) return false;
      store.set({ selected: null, hintChosen: null });
      return true;
    },
    finish() {
      drawer()?.finish();
      if (store.state.open) outlining.finish();
    },
    resize: () => schedule(true),
    onTool(listener) { listeners.push(listener); },
  };
}

/** Work of one brush frame (events, painting, drawing), in the browser's own timeline. */
function timed(ms: number): void {
  const end = performance.now();
  performance.measure("brush-frame", { start: end - ms, end });
  if (performance.getEntriesByName("brush-frame").length > 1000) performance.clearMeasures("brush-frame");
}

const isDrawing = (what: ToolName): boolean => what === "draw" || what === "eraser" || what === "fill";

function cursorOf(tool: ToolName, drawer: Tool | null): string {
  if (tool === "hand") return "grab";
  if (tool === "window") return "default";
  if (tool === "zoom") return "ns-resize";
  return drawer?.cursor ?? "default";
}

