/**
 * What a model proposes for a case, as the protocol lets a reader see it: an editable start, asked
 * for or there at once; and places that stand out, which are never an answer. The server decides
 * and logs; where it cannot be reached, the reader reads without.
 */
import type { Api } from "../api/client";
import type { Hint } from "../api/types";
import { EMPTY_WORK, type Answer, type Work } from "../model/answer";
import type { LocalDraft } from "./database";
import { canonical } from "./draft_sync";
import type { State, Store } from "./store";

export type { Hint };

export interface PreLabels {
  /** A case was opened. */
  opened(draft: LocalDraft): Promise<void>;
  ask(): Promise<void>;
  toggleHints(): Promise<void>;
}

/** Of a case that was just opened. */
export const NOTHING_SHOWN = { proposal: null, hints: null, hintsOn: false } as const;

const NONE = "There is no pre-label for this case.";

export function openPreLabels(
  api: Pick<Api, "preLabel" | "hints">, store: Store<State>, change: (work: Partial<Work>) => void,
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
    change({ answer: { ...(found.answer as Answer), ...answer } }); // what was said stays
    store.set({ proposal: { state: "shown", by: found.by } });
  }

  return {
    ask,
    async opened(draft) {
      if (store.state.protocol?.pre_label !== "shown" || isMarked(draft.work) || !reading()) return;
      await ask();
      if (store.state.hint === NONE) store.set({ hint: null }); // nobody asked
    },
    async toggleHints() {
      const task = reading();
      const { hints, hintsOn, protocol, work } = store.state;
      if (!task || !protocol?.hints) return store.set({ hint: "There is no hint layer here." });
      if (hints) return store.set({ hintsOn: !hintsOn });
      const found: readonly Hint[] | null = await api.hints(task, isMarked(work)).catch(() => null);
      if (reading() !== task) return;
      if (!found?.length) return store.set({ hint: found ? "Nothing stands out in this case." : "The hints did not come." });
      store.set({ hints: found, hintsOn: true });
    },
  };
}

/** Whether anything was said already. */
function isMarked(work: Work): boolean {
  return canonical(work) !== canonical(EMPTY_WORK);
}
