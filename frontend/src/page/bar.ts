/** The slim tool bar above the image, and the line of facts below it. */
import { shown } from "../keys/keymap";
import type { WindowPreset } from "../model/case";
import { progressWords } from "../model/progress";
import type { State } from "../state/store";
import type { Stage, ToolName } from "../tools/stage";
import { button, h, show, write, type Button } from "./dom";

export interface Bar {
  readonly element: HTMLElement;
  update(state: State, stage: Stage, inverted: boolean): void;
  setKeys(keyOf: (command: string) => string | null): void;
}

const TOOLS: readonly (readonly [ToolName, string])[] = [
  ["draw", "Draw"], ["eraser", "Eraser"], ["fill", "Fill"],
  ["window", "Window"], ["zoom", "Zoom"], ["hand", "Move"],
];
const ACTS: readonly (readonly [string, string])[] = [
  ["undo", "Undo"], ["redo", "Redo"], ["invert", "Invert"], ["rotate-right", "Rotate"], ["reset", "Fit"],
];
const DRAW_NAMES: Readonly<Record<string, string>> = { box: "Box", instance: "Outline", mask: "Brush" };

export function openBar(act: (command: string) => void): Bar {
  const title = h("h1", { class: "title" });
  const progress = h("p", { class: "progress" });
  const tools = new Map<string, Button>();
  for (const [id, name] of TOOLS) tools.set(id, button(name, () => act(id)));
  for (const [id, name] of ACTS) tools.set(id, button(name, () => act(id)));
  const saved = h("p", { class: "saved", role: "status" });
  const guide = button("Guideline", () => act("guide"));
  const keys = button("Keys", () => act("keys"));
  const group = (names: readonly (readonly [string, string])[], label: string): HTMLElement =>
    h("div", { class: "group", role: "group", "aria-label": label },
      ...names.map(([id]) => tools.get(id)!.element));
  const hands = [group(TOOLS, "Tools"), group(ACTS, "View")];
  const element = h("header", { class: "bar" }, h("div", { class: "where" }, title, progress),
    ...hands, saved,
    h("div", { class: "group" }, guide.element, keys.element));
  return {
    element,
    setKeys(keyOf) {
      const cap = (id: string): string | null => {
        const key = keyOf(id);
        return key === null ? null : shown(key);
      };
      for (const [id, each] of tools) each.key(cap(id));
      guide.key(cap("guide"));
      keys.key(cap("keys"));
    },
    update(state, stage, inverted) {
      const kind = state.protocol?.questions[state.question]?.kind ?? "nominal";
      for (const each of hands) show(each, state.phase === "reading");
      write(title, state.protocol?.title ?? "");
      const onTheWay = state.waiting.filter((each) =>
        !("submit" in each.what) || each.what.submit.base_revision === 0).length;
      const { trial } = state;
      if (trial) write(progress, `Dry run: case ${trial.number} of ${trial.cases}`);
      else write(progress, state.progress ? progressWords(state.progress, onTheWay) : "");
      tools.get("draw")!.label(DRAW_NAMES[kind] ?? "Draw");
      show(tools.get("draw")!.element, kind in DRAW_NAMES);
      for (const id of ["eraser", "fill"]) show(tools.get(id)!.element, kind === "mask");
      for (const [id] of TOOLS) tools.get(id)!.pressed(stage.tool === id);
      tools.get("undo")!.enabled(state.canUndo);
      tools.get("redo")!.enabled(state.canRedo);
      tools.get("invert")!.pressed(inverted);
      const [words, mood] = savedWords(state);
      write(saved, words);
      saved.dataset["mood"] = mood;
    },
  };
}

/** What is safe where, in words. */
export function savedWords(state: State): readonly [string, "calm" | "wait" | "warn"] {
  const queued = state.waiting.length;
  const reads = `${queued} ${queued === 1 ? "read" : "reads"}`;
  const safe = state.lasting;
  if (state.signedOut) return [`Logged out. ${safe ? "All is kept here." : "Log in now."}`, "warn"];
  if (state.saved === "conflict") return ["Two versions", "warn"];
  if (state.saved === "nowhere") return ["Not saved: this computer has no room", "warn"];
  if (!safe && (queued > 0 || state.saved === "here")) return ["Not sent yet: keep this tab open", "warn"];
  if (queued > 0) return [`${reads} kept here, sending`, "wait"];
  if (state.saved === "here" || state.saved === "saving") return ["Kept here", "wait"];
  return ["Saved", "calm"];
}

export interface Line {
  readonly element: HTMLElement;
  update(facts: Facts): void;
  setKeys(keyOf: (command: string) => string | null): void;
}

export interface Facts {
  readonly state: State;
  readonly presets: readonly WindowPreset[];
  readonly window: { readonly center: number; readonly width: number };
  readonly zoom: number;
  readonly brush: number | null;
  readonly playing: boolean;
}

export function openLine(acts: {
  preset(index: number): void; frame(frame: number): void; cine(): void;
}): Line {
  const presets = h("div", { class: "group presets", role: "group", "aria-label": "Windows" });
  const facts = h("p", { class: "facts" });
  const slider = h("input", { type: "range", min: "0", step: "1", "aria-label": "Frame" });
  const place = h("span", { class: "place" });
  const cine = button("Play", acts.cine);
  const frames = h("div", { class: "frames" }, cine.element, slider, place);
  slider.addEventListener("input", () => acts.frame(Number(slider.value)));
  slider.addEventListener("pointerup", () => slider.blur());
  let offered: readonly WindowPreset[] = [];
  let buttons: Button[] = [];
  const element = h("footer", { class: "line" }, presets, frames, facts);
  return {
    element,
    setKeys(keyOf) {
      const key = keyOf("cine");
      cine.key(key === null ? null : shown(key));
    },
    update({ state, presets: now, window, zoom, brush, playing }) {
      show(element, state.phase === "reading");
      if (now !== offered) {
        offered = now;
        buttons = now.map((each, index) => {
          const made = button(each.name, () => acts.preset(index), "preset");
          made.key(`⇧${index + 1}`);
          return made;
        });
        presets.replaceChildren(...buttons.map(({ element }) => element));
      }
      offered.forEach((each, index) =>
        buttons[index]!.pressed(each.center === window.center && each.width === window.width));
      const count = state.task?.case.frames ?? 1;
      show(frames, count > 1);
      if (count > 1) {
        slider.max = String(count - 1);
        slider.value = String(state.frame);
        write(place, `${state.frame + 1} / ${count}`);
        cine.label(playing ? "Pause" : "Play");
      }
      const size = brush === null ? "" : `brush ${brush * 2} px · `;
      write(facts, `${size}W ${nice(window.width)} L ${nice(window.center)} · ${Math.round(zoom * 100)} %`);
    },
  };
}

function nice(value: number): string {
  return Math.abs(value) >= 20 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
