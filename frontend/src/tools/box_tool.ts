/** Boxes: draw, choose, move, resize; Alt and a click makes a hint one. */
import { boxes, withValue, type Box } from "../model/answer";
import type { Point } from "../model/affine";
import { corners, dragGrip, gripAt, type Grip } from "../model/shapes";
import { classOf, questionOf, type Bench, type Tool } from "./tool";

type Doing =
  | { readonly what: "draw"; readonly from: Point; readonly id: string; readonly started: boolean }
  | { readonly what: "drag"; readonly from: Point; readonly grip: Grip; readonly start: Box;
      readonly started: boolean };

const GRIP_PX = 7;
/** Below this a press is a click, not a drag. */
const DRAG_PX = 4;

export function boxTool(bench: Bench): Tool {
  const { session } = bench;
  let doing: Doing | null = null;
  let cursor = "crosshair";

  function here(): readonly Box[] {
    const question = questionOf(session, "box");
    const { work, frame } = session.store.state;
    return question ? boxes(work.answer, question.id).filter((box) => box.frame === frame) : [];
  }

  /** The box and grip under a point: the chosen box first, its inside too; of others the border. */
  function under(at: Point): { box: Box; grip: Grip } | null {
    const { selected } = session.store.state;
    const tol = bench.reach(GRIP_PX);
    const ordered = here().toSorted((a, b) => Number(b.id === selected) - Number(a.id === selected));
    for (const box of ordered) {
      const grip = gripAt(box, at, tol);
      if (grip && (grip !== "inside" || box.id === selected)) return { box, grip };
    }
    return null;
  }

  function put(box: Box): void {
    const question = questionOf(session, "box");
    if (!question) return;
    const { answer } = session.store.state.work;
    const all = boxes(answer, question.id);
    const next = all.some(({ id }) => id === box.id)
      ? all.map((each) => (each.id === box.id ? box : each)) : [...all, box];
    session.amend({ answer: withValue(answer, question.id, next) });
  }

  function isDrag(from: Point, at: Point): boolean {
    return Math.hypot(at.x - from.x, at.y - from.y) > bench.reach(DRAG_PX);
  }

  /** A click: the smallest box under it is chosen, or none. */
  function choose(at: Point): void {
    const size = (box: Box): number => (box.x2 - box.x1) * (box.y2 - box.y1);
    const hit = here().filter((box) => gripAt(box, at, bench.reach(GRIP_PX)) !== null)
      .toSorted((a, b) => size(a) - size(b))[0];
    session.store.set({ selected: hit?.id ?? null });
  }

  return {
    get cursor() { return cursor; },
    down(hit) {
      if (!questionOf(session, "box")) return;
      const hint = hit.alt ? session.preLabels.hintUnder(hit.at) : null;
      if (hint !== null) return session.preLabels.takeHint(hint);
      const found = under(hit.at);
      if (found && !hit.shift) {
        session.store.set({ selected: found.box.id });
        doing = { what: "drag", from: hit.at, grip: found.grip, start: found.box, started: false };
      } else doing = { what: "draw", from: hit.at, id: bench.newId(), started: false };
    },
    move(hit) {
      if (!doing || (!doing.started && !isDrag(doing.from, hit.at))) return;
      doing = { ...doing, started: true };
      const question = questionOf(session, "box");
      if (!question) return;
      if (doing.what === "draw") {
        const name = classOf(session, question);
        put({ id: doing.id, class: name, frame: session.store.state.frame,
          ...corners(doing.from, hit.at, bench.image()) });
      } else {
        const { start, grip, from } = doing;
        put({ ...start,
          ...dragGrip(start, grip, hit.at.x - from.x, hit.at.y - from.y, bench.image()) });
      }
    },
    up(hit) {
      if (doing?.started) session.settle();
      if (doing?.started && doing.what === "draw") session.store.set({ selected: doing.id });
      if (doing && !doing.started) choose(hit.at);
      doing = null;
    },
    hover(hit) {
      const isHint = hit.alt && session.preLabels.hintUnder(hit.at) !== null;
      cursor = isHint ? "copy" : cursorOf(under(hit.at)?.grip);
    },
    cancel() {
      if (!doing?.started) return false;
      doing = null;
      session.settle();
      session.undo();
      return true;
    },
    finish() {
      if (doing?.started) session.settle();
      doing = null;
    },
    draw: () => undefined,
  };
}

function cursorOf(grip: Grip | undefined): string {
  if (!grip) return "crosshair";
  return grip === "inside" ? "move" : `${grip}-resize`;
}

