/**
 * What a model proposes for a case, as the protocol lets a reader see it: an editable start, asked
 * for or there at once; and places that stand out, which are no answer until the reader makes a box
 * of one. The server decides and logs; where it cannot be reached, the reader reads without.
 */
import type { Api } from "../api/client";
import type { Hint } from "../api/types";
import type { Point } from "../model/affine";
import { EMPTY_WORK, type Answer, type Question, type Work } from "../model/answer";
import type { LocalDraft } from "./database";
import { canonical } from "./draft_sync";
import { hintId, isTaken, nextPlace, placeUnder, withHint } from "./hints";
import type { State, Store } from "./store";

export type { Hint };

export interface PreLabels {
  /** A case was opened. */
  opened(draft: LocalDraft): Promise<void>;
  ask(): Promise<void>;
  toggleHints(): Promise<void>;
  /** Show the hints, and choose the next that is no box yet. */
  nextHint(): Promise<void>;
  /** Of the hints on screen the place of the one that lies here and may become a box; null for none. */
  hintUnder(at: Point): number | null;
  /** Make the hint at a place, or the chosen one, a box of the class in use: a step like a drawn one. */
  takeHint(place?: number): void;
}

/** Of a case that was just opened. */
export const NOTHING_SHOWN = { proposal: null, hints: null, hintsOn: false, hintChosen: null } as const;

const NONE = "There is no pre-label for this case.";
const NO_LAYER = "There is no hint layer here.";

export function openPreLabels(
  api: Pick<Api, "preLabel" | "hints">, store: Store<State>,
  acts: { change(work: Partial<Work>): void; setFrame(frame: number): Promise<void> },
): PreLabels {
  const reading = (): string | null => {
    const { task, trial, revision, phase } = store.state;
    return task && !trial && revision === 0 && phase === "reading" ? task.id : null;
  };

  async function ask(): Promise<void> {
    const task = reading();
    const { proposal, protocol, work } = store.state;
    if (!task || protocol?.pre_label === "hidden") return store.set({ hint: "Pre-labels are hidden here." });
    if (proposal) return;
    store.set({ proposal: { state: "asked", by: [] } });
    const found = await api.preLabel(task, isMarked(work)).catch(() => null);
    if (reading() !== task) return; // the case is gone from the screen
    if (!found) return store.set({ proposal: null, hint: "The pre-label did not come. Ask again, or read without." });
    if (!found.answer) return store.set({ proposal: { state: "none", by: [] }, hint: NONE });
    const { answer } = store.state.work;
    acts.change({ answer: { ...(found.answer as Answer), ...answer } }); // what was said stays
    store.set({ proposal: { state: "shown", by: found.by } });
  }

  const asked = (): Question | undefined => store.state.protocol?.questions[store.state.question];

  async function toggleHints(): Promise<void> {
    const task = reading();
    const { hints, hintsOn, protocol, work } = store.state;
    if (!task || !protocol?.hints) return store.set({ hint: NO_LAYER });
    if (hints) return store.set({ hintsOn: !hintsOn, hintChosen: null });
    const found: readonly Hint[] | null = await api.hints(task, isMarked(work)).catch(() => null);
    if (reading() !== task) return;
    if (!found?.length) return store.set({ hint: found ? "Nothing stands out in this case." : "The hints did not come." });
    store.set({ hints: found, hintsOn: true });
  }

  return {
    ask, toggleHints,
    async opened(draft) {
      if (store.state.protocol?.pre_label !== "shown" || isMarked(draft.work) || !reading()) return;
      await ask();
      if (store.state.hint === NONE) store.set({ hint: null }); // nobody asked
    },
    async nextHint() {
      if (!store.state.hintsOn) await toggleHints();
      const { hints, hintsOn, hintChosen, work } = store.state;
      if (!hints || !hintsOn || !reading()) return;
      const place = nextPlace(hints, work.answer, asked(), hintChosen);
      if (place === null) return store.set({ hint: "Every hint is a box by now.", hintChosen: null });
      await acts.setFrame(hints[place]!.frame);
      store.set({ hintChosen: place, selected: null });
    },
    hintUnder(at) {
      const { hints, hintsOn, work, frame } = store.state;
      if (!hints || !hintsOn || !reading() || asked()?.kind !== "box") return null;
      return placeUnder(hints, work.answer, asked(), frame, at);
    },
    takeHint(place = store.state.hintChosen ?? undefined) {
      const { hints, hintsOn, protocol, classes, task, work } = store.state;
      const question = asked();
      if (!task || !reading() || !protocol?.hints) return store.set({ hint: NO_LAYER });
      if (question?.kind !== "box") return store.set({ hint: "Hints become boxes; this question asks for none." });
      const hint = hintsOn && place !== undefined ? hints?.[place] : undefined;
      if (!hint || place === undefined) return store.set({ hint: "First choose a hint." });
      if (!isTaken(work.answer, question, place)) {
        const name = classes[question.id] ?? question.classes[0]?.name ?? "";
        const image = { width: task.case.columns, height: task.case.rows };
        acts.change({ answer: withHint(work.answer, question, hint, place, name, image) });
      }
      store.set({ selected: hintId(place), hintChosen: place });
    },
  };
}

/** Whether anything was said already. */
function isMarked(work: Work): boolean {
  return canonical(work) !== canonical(EMPTY_WORK);
}
