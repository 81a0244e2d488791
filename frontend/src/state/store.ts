/** What is on the page, in one immutable value that the parts of the page listen to. */
import type { Draft, Hint, Onboarding, PreLabel, Progress, Protocol, Task, Told, Trial, TrialResult } from "../api/types";
import { EMPTY_WORK, NO_FLAGS, type Work } from "../model/answer";
import type { LocalDraft, OpenRing, Sending, Settings } from "./database";
import type { Saved } from "./draft_sync";

export type Phase = "loading" | "reading" | "finished" | "empty" | "problem" | "gate";

/** What a model proposed for the case on screen, as far as its reader asked. */
export interface Proposal {
  /** none: there is nothing for this reader and case. */
  readonly state: "asked" | "shown" | "none";
  readonly by: PreLabel["by"];
}

export interface State {
  readonly phase: Phase;
  /** What went wrong, in words, where nothing can be read. */
  readonly problem: string | null;
  readonly user: string;
  readonly protocol: Protocol | null;
  readonly settings: Settings;
  readonly progress: Progress | null;
  readonly task: Task | null;
  /** Where the reader stands before they may read here. */
  readonly onboarding: Onboarding | null;
  /** The case of a dry run that is on screen, and what came of it once it is answered. */
  readonly trial: Trial | null;
  readonly review: TrialResult | null;
  /** The revision that is being corrected; 0 for a first read. */
  readonly revision: number;
  readonly work: Work;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Place of the question at hand. */
  readonly question: number;
  /** The class that the next drawing gets, for each question. */
  readonly classes: Readonly<Record<string, string>>;
  /** The chosen finding. */
  readonly selected: string | null;
  readonly frame: number;
  readonly open: OpenRing | null;
  readonly saved: Saved;
  readonly waiting: readonly Sending[];
  readonly refused: readonly Sending[];
  readonly signedOut: boolean;
  readonly conflict: { readonly mine: LocalDraft; readonly theirs: Draft } | null;
  /** One calm line about what just happened. */
  readonly hint: string | null;
  /** What to look at again before the answer is sent; what was changed since is not among it. */
  readonly told: readonly Told[];
  /** What a model proposed for this case, once it was asked for; the answer itself is in `work`. */
  readonly proposal: Proposal | null;
  /** Places that stand out, once they were asked for, and whether they are on screen. */
  readonly hints: readonly Hint[] | null;
  readonly hintsOn: boolean;
  /** Place of the hint that is to become a box; null for none. */
  readonly hintChosen: number | null;
  /** Whether the browser lets drafts outlive the tab. */
  readonly lasting: boolean;
}

export interface Store<T> {
  readonly state: T;
  set(part: Partial<T>): void;
  subscribe(listener: (now: T, before: T) => void): void;
}

export function createStore<T extends object>(start: T): Store<T> {
  let state = start;
  const listeners: ((now: T, before: T) => void)[] = [];
  return {
    get state() { return state; },
    set(part) {
      const before = state;
      state = { ...state, ...part };
      for (const listener of listeners) listener(state, before);
    },
    subscribe(listener) { listeners.push(listener); },
  };
}

export function firstState(lasting: boolean): State {
  return {
    phase: "loading", problem: null, user: "", protocol: null, settings: noSettings(""),
    progress: null, task: null, onboarding: null, trial: null, review: null, revision: 0, work: { ...EMPTY_WORK, flags: NO_FLAGS },
    canUndo: false, canRedo: false, question: 0, classes: {}, selected: null, frame: 0, open: null,
    saved: "saved", waiting: [], refused: [], signedOut: false, conflict: null, hint: null, told: [],
    proposal: null, hints: null, hintsOn: false, hintChosen: null, lasting,
  };
}

export function noSettings(user: string): Settings {
  return { user, keys: {}, autoAdvance: true };
}

export function firstClasses(
  questions: readonly { id: string; classes: readonly { name: string }[] }[],
): Record<string, string> {
  return Object.fromEntries(questions.map(({ id, classes }) => [id, classes[0]?.name ?? ""]));
}
