/** One case's draft: in the browser's store at once, on the server a moment later. */
import { ApiError, type Api } from "../api/client";
import type { Draft } from "../api/types";
import type { Database, LocalDraft } from "./database";
import type { Later } from "./outbox";

export type Saved = "saved" | "saving" | "here" | "conflict" | "nowhere";

export interface DraftNews {
  saved(state: Saved): void;
  signedOut(): void;
  /** Another tab or computer wrote a newer draft. */
  conflict(theirs: Draft): void;
}

export interface DraftSync {
  readonly draft: LocalDraft;
  /** Take a change; `now` writes it to the browser's store without waiting. */
  change(part: Partial<Pick<LocalDraft, "work" | "seconds" | "open">>, now: boolean): void;
  /** Send what is unsent; after a log-in, when the network is back. */
  flush(): Promise<void>;
  /** Last words of a page that goes away. */
  farewell(): void;
  /** The server's newer draft, known when the case was opened: nothing is sent until it is decided. */
  offer(newer: Draft): void;
  /** End a conflict: keep what is here, or what the server has. */
  keepMine(): void;
  takeTheirs(): LocalDraft | null;
  /** Stop: the read was sent, and its draft is no longer wanted. */
  close(): Promise<void>;
}

const SERVER_MS = 600;
const HERE_MS = 200;
const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

export function draftSync(
  start: LocalDraft, api: Api, database: Database, news: DraftNews, later: Later,
): DraftSync {
  let draft = start;
  let theirs: Draft | null = null;
  let closed = false;
  let hereDue = false;
  let serverDue = false;
  let pause = FIRST_MS;
  let sending: Promise<void> | null = null;
  let writing: Promise<void> = Promise.resolve();
  // Corrections are kept here alone until they are submitted: the server's task is closed.
  const remote = start.revision === 0;

  function write(): Promise<void> {
    const copy = draft;
    writing = writing.then(() => (closed ? undefined : database.putDraft(copy))).catch(() => {
      // Storage full or taken away: the server is then the only place.
      news.saved(remote ? "saving" : "nowhere");
    });
    return writing;
  }

  function soon(): void {
    if (!remote || serverDue) return;
    serverDue = true;
    later(() => { serverDue = false; void self.flush(); }, SERVER_MS);
  }

  function toServer(): Draft {
    const { answer, flags, comment } = draft.work;
    return { version: draft.base, answer, flags, comment, seconds: draft.seconds };
  }

  async function send(): Promise<void> {
    const sent = draft;
    try {
      await writing;
      const version = await api.saveDraft(draft.task, toServer());
      if (closed) return;
      pause = FIRST_MS;
      const more = draft.work !== sent.work || draft.open !== sent.open;
      draft = { ...draft, base: version, dirty: more };
      await write();
      if (more) soon();
      else news.saved("saved");
    } catch (reason) {
      if (!closed) failed(reason);
    }
  }

  function failed(reason: unknown): void {
    const failure = reason instanceof ApiError ? reason.failure : "offline";
    news.saved("here");
    if (failure === "signed-out") return news.signedOut();
    if (failure === "conflict") return clash((reason as ApiError).body.current ?? null);
    if (failure === "refused") return; // e.g. the lease went to another; the read can still be sent
    later(() => void self.flush(), pause);
    pause = Math.min(LONGEST_MS, pause * 2);
  }

  function clash(current: Draft | null): void {
    if (!current) return;
    if (sameWork(current, draft)) { // our own write, whose answer was lost on the way
      draft = { ...draft, base: current.version, dirty: false };
      news.saved("saved");
      return;
    }
    theirs = current;
    news.saved("conflict");
    news.conflict(current);
  }

  const self: DraftSync = {
    get draft() { return draft; },
    change(part, now) {
      if (closed) return;
      draft = { ...draft, ...part, dirty: true };
      news.saved(remote ? "saving" : "here");
      if (now) void write();
      else if (!hereDue) {
        hereDue = true;
        later(() => { hereDue = false; void write(); }, HERE_MS);
      }
      soon();
    },
    flush() {
      if (!remote || closed || theirs || !draft.dirty) return Promise.resolve();
      sending ??= send().finally(() => { sending = null; });
      return sending;
    },
    farewell() {
      if (closed || !draft.dirty) return;
      void write();
      if (remote && !theirs) api.saveDraft(draft.task, toServer(), true).catch(() => undefined);
    },
    offer(newer) {
      theirs = newer;
      news.saved("conflict");
    },
    keepMine() {
      if (!theirs) return;
      draft = { ...draft, base: theirs.version, dirty: true };
      theirs = null;
      void write();
      void self.flush();
    },
    takeTheirs() {
      if (!theirs) return null;
      const { answer, flags, comment, version, seconds } = theirs;
      draft = { ...draft, work: { answer, flags, comment }, base: version, dirty: false,
        seconds: Math.max(seconds, draft.seconds), open: null };
      theirs = null;
      void write();
      news.saved("saved");
      return draft;
    },
    async close() {
      closed = true;
      await writing;
    },
  };
  return self;
}

function sameWork(current: Draft, draft: LocalDraft): boolean {
  const { answer, flags, comment } = draft.work;
  const mine = { answer, flags, comment };
  const other = { answer: current.answer, flags: current.flags, comment: current.comment };
  return canonical(mine) === canonical(other);
}

/** JSON with sorted keys: the server may give the keys back in another order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
