/** What is on the page, in one immutable value that the parts of the page listen to. */
import type { Draft, Progress, Protocol, Task } from "../api/types";
import type { Work } from "../model/answer";
import type { LocalDraft, OpenRing, Sending, Settings } from "./database";
import type { Saved } from "./draft_sync";

export type Phase = "loading" | "reading" | "finished" | "empty" | "problem";

export interface State {
  readonly phase: Phase;
  /** What went wrong, in words, where nothing can be read. */
  readonly problem: string | null;
  readonly user: string;
  readonly protocol: Protocol | null;
  readonly settings: Settings;
  readonly progress: Progress | null;
  readonly task: Task | null;
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
