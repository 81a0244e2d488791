/** The desk: keys and buttons to commands, state to the parts of the page. */
import { classKeys, keyMap, keyName, keyOf, type KeyMap } from "../keys/keymap";
import { isSpatial, toggled, withValue, type ClassEntry, type Question } from "../model/answer";
import type { WindowPreset } from "../model/case";
import { newId } from "../model/ids";
import type { Session } from "../state/session";
import { reclassed } from "../tools/edits";
import { openStage, type ToolName } from "../tools/stage";
import type { Viewer } from "../viewer/viewer";
import { presetsOf } from "../viewer/window";
import { openBar, openLine } from "./bar";
import { openEnds } from "./ends";
import { openGuide } from "./guide";
import { openNotes } from "./notes";
import { canAdvance, openPanel } from "./panel";
import { openProposal } from "./proposal";
import { openReview } from "./review";
import { openSheet } from "./sheet";

export function openDesk(
  page: HTMLElement, image: HTMLElement, viewer: Viewer, session: Session,
): void {
  const { store } = session;
  const stage = openStage(image, viewer, session, newId, () => performance.now());
  let presets: readonly WindowPreset[] = [];
  let playing = 0;
  let map: KeyMap = keyMap();

  const asked = (): Question | undefined => store.state.protocol?.questions[store.state.question];

  /** A class of a question: the answer itself, or the class of what is (or will be) drawn. */
  function choose(index: number, entry: ClassEntry): void {
    const { protocol, work, selected, classes } = store.state;
    const question = protocol?.questions[index];
    if (!question) return;
    if (store.state.question !== index) store.set({ question: index });
    if (question.kind === "multi-label") {
      return session.change({ answer: toggled(work.answer, question, entry.name) });
    }
    if (isSpatial(question.kind)) {
      store.set({ classes: { ...classes, [question.id]: entry.name } });
      if (selected) session.change({ answer: reclassed(work.answer, question, selected, entry.name) });
      return;
    }
    session.change({ answer: withValue(work.answer, question.id, entry.name) });
    advance(index);
  }

  /** After an answer: the next question, or the next case where there is but one. */
  function advance(index: number): void {
    const { protocol, settings, revision } = store.state;
    const questions = protocol?.questions ?? [];
    if (canAdvance(questions)) {
      if (settings.autoAdvance && revision === 0) submit();
    } else if (index + 1 < questions.length) store.set({ question: index + 1 });
  }

  function flag(which: "cannot_be_read" | "ask_a_senior"): void {
    const { flags } = store.state.work;
    session.change({ flags: { ...flags, [which]: !flags[which] } });
  }

  function submit(): void {
    performance.mark("next-asked");
    stage.finish();
    stop();
    void session.submit();
  }

  function play(): void {
    if (playing) return stop();
    const of = store.state.task?.case;
    if (!of || of.frames < 2) return;
    playing = window.setInterval(() => {
      const next = (store.state.frame + 1) % of.frames;
      if (viewer.ready(of, next)) void session.setFrame(next);
    }, of.frame_time_ms && of.frame_time_ms > 0 ? of.frame_time_ms : 100);
    refresh();
  }

  function stop(): void {
    clearInterval(playing);
    playing = 0;
    refresh();
  }

  function step(by: number): void {
    stop();
    void session.setFrame(store.state.frame + by);
  }

  function preset(index: number): void {
    const chosen = presets[index];
    if (chosen) viewer.setWindow(chosen);
  }

  function previous(): void {
    stage.finish();
    void session.previous();
  }

  const guide = openGuide();
  const sheet = openSheet(session);
  const open = (which: "guide" | "keys"): void => {
    guide.toggle(which === "guide" && !guide.isOpen);
    sheet.toggle(which === "keys" && !sheet.isOpen);
  };
  const use = (tool: ToolName) => (): void => stage.use(tool);
  const acts: Readonly<Record<string, () => void>> = {
    submit: () => { if (!stage.closeOutline()) submit(); },
    previous,
    skip: () => void session.skip(store.state.work.comment || "skipped by the reader"),
    question: () => {
      const count = store.state.protocol?.questions.length ?? 1;
      stage.finish();
      store.set({ question: (store.state.question + 1) % count, selected: null });
    },
    "next-frame": () => step(1), "previous-frame": () => step(-1), cine: play,
    "cannot-read": () => flag("cannot_be_read"), senior: () => flag("ask_a_senior"),
    comment: () => panel.focusComment(),
    "pre-label": () => void session.preLabels.ask(), hints: () => void session.preLabels.toggleHints(),
    "next-hint": () => void session.preLabels.nextHint(), "take-hint": () => session.preLabels.takeHint(),
    undo: session.undo, redo: session.redo,
    draw: use("draw"), eraser: use("eraser"), fill: use("fill"),
    window: use("window"), zoom: use("zoom"), hand: use("hand"),
    smaller: () => stage.resizeBrush(1 / 1.25), larger: () => stage.resizeBrush(1.25),
    "next-finding": stage.nextFinding, delete: stage.deleteFinding, place: stage.placeBox,
    "copy-frame": stage.copyFromPreviousFrame, outlines: stage.toggleDrawings,
    "last-tool": stage.lastTool,
    "zoom-in": () => viewer.zoomAt(1.25), "zoom-out": () => viewer.zoomAt(0.8),
    invert: viewer.toggleInvert, "rotate-right": () => viewer.rotate(90),
    "rotate-left": () => viewer.rotate(-90), reset: viewer.reset,
    guide: () => open("guide"), keys: () => open("keys"),
  };

  const panel = openPanel(session, {
    choose, submit, previous, flag,
    skip: acts["skip"]!,
    score: (index, value) => {
      const question = store.state.protocol?.questions[index];
      if (!question) return;
      session.change({ answer: withValue(store.state.work.answer, question.id, value ?? undefined) });
    },
    select: (index, id) => {
      store.set({ question: index });
      const found = findFrame(id);
      if (found !== null) void session.setFrame(found).then(() => store.set({ selected: id }));
    },
  });

  function findFrame(id: string): number | null {
    for (const value of Object.values(store.state.work.answer)) {
      if (!Array.isArray(value)) continue;
      const one = (value as readonly unknown[]).find((each) => (each as { id?: string }).id === id);
      if (one) return (one as { frame: number }).frame;
    }
    return null;
  }

  const proposal = openProposal({ ask: acts["pre-label"]!, hints: acts["hints"]!, next: acts["next-hint"]!,
    take: acts["take-hint"]! });
  panel.element.prepend(proposal.element);
  const bar = openBar((command) => acts[command]?.());
  const line = openLine({ preset, cine: play,
    frame: (frame) => { stop(); void session.setFrame(frame); } });
  const review = openReview(session, () => void session.submit());
  const ends = openEnds({ again: () => void session.start(), begin: () => void session.begin(), previous });
  image.append(ends.element, guide.element, sheet.element, openNotes(session));
  page.prepend(bar.element);
  page.append(panel.element, review.element, line.element);

  function refresh(): void {
    const { state } = store;
    // An image that is stored inverted (MONOCHROME1) and shown as it should be is not "inverted".
    bar.update(state, stage, viewer.inverted !== (state.task?.case.invert ?? false));
    const brush = asked()?.kind === "mask" ? stage.brushRadius : null;
    line.update({ state, presets, window: viewer.window(), zoom: viewer.camera().zoom, brush, playing: playing > 0 });
    ends.update(state);
    proposal.update(state);
  }

  store.subscribe((state, old) => {
    image.dataset["task"] = state.task?.id ?? "";
    if (state.task !== old.task && state.task) {
      stop();
      presets = presetsOf(state.task.case, viewer.fullWindow());
      if (old.task) void viewer.painted().then(measureNext);
    }
    if (state.protocol && state.protocol !== old.protocol) {
      guide.fill(state.protocol);
      document.title = state.protocol.title;
    }
    if (state.settings !== old.settings || state.protocol !== old.protocol ||
      state.question !== old.question) relabel();
    refresh();
  });

  /** Keys of the classes at hand go before commands; a command that lost its key shows none. */
  function relabel(): void {
    const all = keyMap(store.state.settings.keys);
    const taken = asked() ? classKeys(asked()!) : new Map();
    map = new Map([...all].filter(([key]) => !taken.has(key)));
    const of = (command: string): string | null => keyOf(map, command);
    bar.setKeys(of);
    panel.setKeys(of);
    proposal.setKeys(of);
    review.setKeys(of);
    line.setKeys(of);
  }

  viewer.onChange(refresh);
  stage.onTool(refresh);
  new ResizeObserver(() => { viewer.resize(); stage.resize(); }).observe(image);

  addEventListener("keydown", onKey);
  addEventListener("keyup", (event) => {
    if (event.code !== "Space" || isTyping(event.target)) return;
    const used = stage.holdHand(false);
    if (!used && store.state.phase === "reading" && !onButton(event.target)) press("Space");
  });
  addEventListener("blur", () => void stage.holdHand(false));

  function onKey(event: KeyboardEvent): void {
    if (sheet.taken(event)) return event.preventDefault();
    const key = keyName(event);
    if (key === "Escape") return escape();
    if (isTyping(event.target) && !(key === "Enter" && isNumber(event.target))) return;
    if (onButton(event.target) && (key === "Enter" || key === "Space")) return;
    if (key === "Space") {
      if (!event.repeat && store.state.phase === "reading") stage.holdHand(true);
      return event.preventDefault();
    }
    if (event.repeat && !REPEATS.has(map.get(key) ?? "") && !ARROWS[event.key]) return;
    if (press(key, event)) event.preventDefault();
  }

  function escape(): void {
    (document.activeElement as HTMLElement | null)?.blur();
    if (stage.cancel()) return;
    guide.toggle(false);
    sheet.toggle(false);
  }

  /** Do what a key says; false when it says nothing. */
  function press(key: string, event?: KeyboardEvent): boolean {
    if (store.state.phase !== "reading" && !["guide", "keys", "previous"].includes(map.get(key) ?? "")) return false;
    const arrow = event && ARROWS[event.key];
    if (arrow && !event.ctrlKey && !event.metaKey) {
      const by = event.shiftKey ? 10 : 1;
      if (stage.nudge(arrow[0] * by, arrow[1] * by, event.altKey)) return true;
    }
    const shift = /^Shift\+(\d)$/.exec(key)?.[1];
    if (shift) { preset(Number(shift) - 1); return true; }
    const question = asked();
    const entry = question && !store.state.review && classKeys(question).get(key);
    if (entry) { choose(store.state.question, entry); return true; }
    if (question?.kind === "score" && /^[\d.-]$/.test(key)) {
      panel.focusScore(store.state.question);
      return false; // the sign itself goes into the field
    }
    const act = acts[map.get(key) ?? ALSO[key] ?? ""];
    act?.();
    return act !== undefined;
  }
  relabel();
  refresh();
}

/** From the key to the drawn image, for everyone to see in the browser's own timeline. */
function measureNext(): void {
  if (performance.getEntriesByName("next-asked").length === 0) return;
  performance.measure("next-case", "next-asked");
  performance.clearMarks("next-asked");
}

const REPEATS = new Set(["next-frame", "previous-frame", "smaller", "larger", "zoom-in", "zoom-out", "undo", "redo"]);
/** Second keys that hands know from elsewhere. */
const ALSO: Readonly<Record<string, string>> = {
  ArrowRight: "next-frame", ArrowLeft: "previous-frame", Backspace: "delete", "Ctrl+Shift+Z": "redo", "=": "zoom-in",
};
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0],
};

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && !["checkbox", "range"].includes(target.type));
}

const isNumber = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement && target.type === "number";
const onButton = (target: EventTarget | null): boolean =>
  target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement;
