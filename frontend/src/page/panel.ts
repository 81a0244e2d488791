/** The one panel where the reader answers. */
import { isSpatial, masks, type Answer, type ClassEntry, type Question } from "../model/answer";
import { classKeys, shown } from "../keys/keymap";
import type { Session } from "../state/session";
import type { State } from "../state/store";
import { findingsOf } from "../tools/edits";
import { colourOf } from "../tools/tool";
import { button, h, show, write, type Button } from "./dom";

export interface PanelActs {
  choose(question: number, entry: ClassEntry): void;
  score(question: number, value: number | null): void;
  select(question: number, id: string): void;
  submit(): void;
  previous(): void;
  skip(): void;
  flag(which: "cannot_be_read" | "ask_a_senior"): void;
}

export interface Panel {
  readonly element: HTMLElement;
  /** The score's number field of a question, to type into. */
  focusScore(question: number): void;
  focusComment(): void;
  setKeys(keyOf: (command: string) => string | null): void;
}

interface Card {
  readonly element: HTMLElement;
  update(state: State): void;
  focus(): void;
}

export function openPanel(session: Session, acts: PanelActs): Panel {
  const { store } = session;
  const cards = h("div", { class: "cards" });
  const comment = h("textarea", { rows: "2", "aria-label": "Comment", maxlength: "4000",
    placeholder: "Comment" });
  const cannot = button("Cannot be read", () => acts.flag("cannot_be_read"), "flag");
  const senior = button("Ask a senior", () => acts.flag("ask_a_senior"), "flag");
  const submit = button("Submit", acts.submit, "submit");
  const previous = button("Previous", acts.previous, "quiet");
  const skip = button("Skip", acts.skip, "quiet");
  const auto = h("input", { type: "checkbox" });
  const autoLabel = h("label", { class: "auto" }, auto, "Next case right after the answer");
  const hint = h("p", { class: "hint", role: "status" });
  const element = h("aside", { class: "panel", "aria-label": "Answer" }, cards,
    h("div", { class: "flags" }, cannot.element, senior.element), comment, autoLabel,
    h("div", { class: "ends" }, hint, submit.element,
      h("div", { class: "pair" }, previous.element, skip.element)));
  let shownCards: Card[] = [];
  let submitKey = "";

  comment.addEventListener("input", () => session.amend({ comment: comment.value }));
  comment.addEventListener("change", () => session.settle());
  auto.addEventListener("change", () => session.setSettings({ autoAdvance: auto.checked }));

  store.subscribe((state, old) => {
    const { protocol } = state;
    if (protocol && protocol !== old.protocol) {
      shownCards = protocol.questions.map((question, index) => card(question, index, session, acts));
      cards.replaceChildren(...shownCards.map((each) => each.element));
      show(autoLabel, canAdvance(protocol.questions));
    }
    for (const each of shownCards) each.update(state);
    if (comment.value !== state.work.comment) comment.value = state.work.comment;
    cannot.pressed(state.work.flags.cannot_be_read);
    senior.pressed(state.work.flags.ask_a_senior);
    auto.checked = state.settings.autoAdvance;
    submit.label(state.revision > 0 ? "Save the correction" : "Submit");
    skip.label(state.revision > 0 ? "Leave as it was" : "Skip");
    write(hint, state.hint ?? lookAgain(state, submitKey));
    show(element, state.phase === "reading" && !state.review);
  });

  return {
    element,
    focusScore: (question) => shownCards[question]?.focus(),
    focusComment: () => comment.focus(),
    setKeys(keyOf) {
      const label = (id: string): string | null => {
        const key = keyOf(id);
        return key === null ? null : shown(key);
      };
      const pairs: [Button, string][] = [[cannot, "cannot-read"], [senior, "senior"],
        [submit, "submit"], [previous, "previous"], [skip, "skip"]];
      for (const [each, id] of pairs) each.key(label(id));
      submitKey = label("submit") ?? "Submit";
      comment.placeholder = `Comment (${label("comment") ?? ""})`;
    },
  };
}

/** Whole in one line for who hears the page; beside the findings for who sees it. */
function lookAgain({ told }: State, submitKey: string): string {
  if (!told.length) return "";
  const what = told.length === 1 ? told[0]!.words : `${told.length} things to look at again.`;
  return `${what} ${submitKey} sends it as it is.`;
}

/** One question with one class as its answer can go on by itself. */
export function canAdvance(questions: readonly Question[]): boolean {
  const [only] = questions;
  return questions.length === 1 && (only?.kind === "nominal" || only?.kind === "ordinal");
}

function card(question: Question, index: number, session: Session, acts: PanelActs): Card {
  const body = question.kind === "score" ? scoreBody(question, index, acts)
    : classBody(question, index, acts);
  const list = isSpatial(question.kind) ? findingList(question, index, acts) : null;
  const title = h("h2", {}, question.prompt);
  const about = h("p", { class: "told" });
  const element = h("section", { class: "card" }, title, body.element, list?.element, about);
  element.addEventListener("pointerdown", () => session.store.set({ question: index }));
  element.addEventListener("focusin", () => session.store.set({ question: index }));
  return {
    element,
    focus: body.focus,
    update(state) {
      const current = state.question === index;
      if (current && !element.classList.contains("current")) element.scrollIntoView({ block: "nearest" });
      element.classList.toggle("current", current);
      body.update(state);
      list?.update(state);
      write(about, toldOf(state, question, "").join(" "));
    },
  };
}

/** Words about one drawing, or ("") about the whole answer. */
function toldOf({ told }: State, question: Question, finding: string): string[] {
  return told.filter((one) => one.question === question.id && one.finding === finding).map(({ words }) => words);
}

function classBody(question: Question, index: number, acts: PanelActs): Card {
  const keys = classKeys(question);
  const keyOf = (entry: ClassEntry): string | null => {
    for (const [key, each] of keys) if (each === entry) return shown(key);
    return null;
  };
  const buttons = question.classes.map((entry) => {
    const made = button(entry.name, () => acts.choose(index, entry), "class");
    made.key(keyOf(entry));
    const dot = h("i", { class: "dot", "aria-hidden": "true" });
    dot.style.background = colourOf(question, entry.name);
    made.element.prepend(dot);
    return { made, entry };
  });
  const element = h("div", { class: `classes ${question.kind}`, role: "group",
    "aria-label": question.prompt }, ...buttons.map(({ made }) => made.element));
  return {
    element,
    focus: () => buttons[0]?.made.element.focus(),
    update(state) {
      for (const { made, entry } of buttons) made.pressed(isOn(state, question, entry));
    },
  };
}

function isOn(state: State, question: Question, entry: ClassEntry): boolean {
  const value = state.work.answer[question.id];
  if (question.kind === "multi-label") return Array.isArray(value) && value.includes(entry.name as never);
  if (isSpatial(question.kind)) return state.classes[question.id] === entry.name;
  return value === entry.name;
}

function scoreBody(question: Question, index: number, acts: PanelActs): Card {
  const [low, high] = [question.low ?? 0, question.high ?? 100];
  const step = high - low > 20 ? "1" : "any";
  const limits = { min: String(low), max: String(high), step, "aria-label": question.prompt };
  const slider = h("input", { type: "range", ...limits, step: step === "any" ? String((high - low) / 100) : step });
  const field = h("input", { type: "number", ...limits, inputmode: "decimal" });
  slider.addEventListener("input", () => acts.score(index, Number(slider.value)));
  field.addEventListener("input", () => {
    const value = field.valueAsNumber;
    const valid = Number.isFinite(value) && value >= low && value <= high;
    field.toggleAttribute("aria-invalid", field.value !== "" && !valid);
    if (valid || field.value === "") acts.score(index, valid ? value : null);
  });
  return {
    element: h("div", { class: "score" }, slider, field,
      h("span", { class: "range" }, `${low} to ${high}`)),
    focus: () => field.select(),
    update(state) {
      const value = state.work.answer[question.id];
      const text = typeof value === "number" ? String(value) : "";
      if (document.activeElement !== field && field.value !== text) field.value = text;
      if (typeof value === "number" && slider.value !== text) slider.value = text;
      slider.classList.toggle("unset", typeof value !== "number");
    },
  };
}

function findingList(question: Question, index: number, acts: PanelActs):
  { element: HTMLElement; update(state: State): void } {
  const count = h("p", { class: "count" });
  const list = h("ul", { class: "found" });
  let of: Answer | null = null;
  let chosen: string | null = null;
  let told: State["told"] = [];

  function rows(state: State): void {
    const all = findingsOf(state.work.answer, question);
    list.replaceChildren(...all.map((one, place) => {
      const many = (state.task?.case.frames ?? 1) > 1;
      const text = `${place + 1}. ${one.class}${many ? `, frame ${one.frame + 1}` : ""}`;
      const row = button(text, () => acts.select(index, one.id), "finding");
      row.pressed(one.id === state.selected);
      row.element.style.borderLeftColor = colourOf(question, one.class);
      const words = toldOf(state, question, one.id).join(" ");
      row.element.classList.toggle("again", words !== "");
      return h("li", {}, row.element, words ? h("p", { class: "told" }, words) : null);
    }));
    write(count, countWords(question, state));
  }

  return {
    element: h("div", {}, count, list),
    update(state) {
      if (state.work.answer === of && state.selected === chosen && state.told === told) return;
      [of, chosen, told] = [state.work.answer, state.selected, state.told];
      rows(state);
    },
  };
}

function countWords(question: Question, state: State): string {
  if (question.kind === "mask") {
    const painted = masks(state.work.answer, question.id).length;
    const frames = state.task?.case.frames ?? 1;
    if (painted === 0) return "Nothing painted: no finding";
    return frames > 1 ? `Painted on ${painted} of ${frames} frames` : "Painted";
  }
  const found = findingsOf(state.work.answer, question).length;
  return found === 0 ? "None drawn: no finding" : `${found} drawn`;
}
